"""Functions of which the second replaces the first, although their author means both.

With ``@reg.generic("a")``, those for ``(a: Doc, b: int)`` and ``(a: Doc, b: str)`` are for the same
classes, so that the second would replace the first without a word. If both are written in one file,
their author thinks that ``b`` dispatches. And of two generic functions of one name, the first is
lost: in other libraries, each implementation has the name of its function, and the same decorator.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from ._definitions import definition_of
from ._dispatch_spec import DispatchSpec, dispatch_of
from ._errors import RegistrationError, describe
from ._reexecution import present_function
from ._signatures import signature_with_deferred
from .arginfo import is_positional

__all__ = ["refuse_lookalike", "refuse_second_generic"]

# The parameters of an implementation by position, or by name, with their annotations as text.
_Annotations = dict[int | str, tuple[str, str]]


def refuse_lookalike(
    spec: DispatchSpec, implementation: Callable[..., Any], replaced: Iterable[Any]
) -> None:
    """Refuse an implementation that differs from a replaced one in other parameters only.

    :param spec: the parameters that the generic function dispatches on.
    :param implementation: the function that is about to be registered.
    :param replaced: the components that it would replace, since they are for the same classes.
    :raises RegistrationError: if one of them is written in the same file, and annotates a
      parameter that does not dispatch in another way.
    """
    for former in replaced:
        if not _are_both_in_one_file(former, implementation):
            continue
        before, now = _other_annotations(spec, former), _other_annotations(spec, implementation)
        for key in {**before, **now}:
            first, second = before.get(key), now.get(key)
            if first != second and (name := (second or first or ("",))[0]):
                raise _lookalike_error(spec, former, implementation, name, (first, second))


def refuse_second_generic(function: FunctionType) -> None:
    """Refuse a second generic function of one name in one file.

    :param function: the function that is about to be made generic.
    :raises TypeError: if there is a generic function of its name at present, and both are written
      in the same file, as it is now.
    """
    former = dispatch_of(present_function(function))
    if former is None or former.function is function:
        return
    if _are_both_in_one_file(former.function, function):
        name = function.__name__
        filename, lineno = definition_of(former.function) or ("", 0)
        raise TypeError(
            f"{describe(function)} is a generic function already, at {filename}:{lineno}, which"
            f" this one would replace; make it once, and register implementations with names of"
            f" their own, by @registry.implements({name})"
        )


def _other_annotations(spec: DispatchSpec, implementation: Any) -> _Annotations:
    """List the annotated parameters on which the generic function does not dispatch."""
    try:
        parameters = signature_with_deferred(implementation).parameters.values()
    except (TypeError, ValueError):
        return {}
    others: _Annotations = {}
    for position, parameter in enumerate(parameters):
        by_position = is_positional(parameter)
        dispatches = by_position and position in spec.positions
        if spec.names and parameter.name in spec.names:
            dispatches = True
        if dispatches or parameter.annotation is parameter.empty:
            continue
        if parameter.name not in ("lookup", "call_next"):
            text = inspect.formatannotation(parameter.annotation)
            others[position if by_position else parameter.name] = parameter.name, text
    return others


def _are_both_in_one_file(former: Any, implementation: Any) -> bool:
    """Return whether two functions are at two places of one file, as this is now.

    A former version of the implementation is at no place, or at the same one.
    """
    first, second = definition_of(former), definition_of(implementation)
    if first is None or second is None or first[0] != second[0] or first[1] == second[1]:
        return False
    filename = first[0]
    linecache.checkcache(filename)
    source = "".join(linecache.getlines(filename))
    if not source:
        # Text that is executed piece by piece may have one name for all pieces.
        return filename == "<stdin>" and not hasattr(sys, "ps1")
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        # A page with several pieces of code, or a cell of a notebook with other commands.
        return False
    # The line of the first decorator is that of the function.
    names = {
        min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]): node.name
        for node in nodes
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    # Of a module that was edited and reloaded, another function may be at the former place.
    return all(
        names.get(line) == getattr(function, "__name__", None)
        for function, (_, line) in ((former, first), (implementation, second))
    )


def _lookalike_error(
    spec: DispatchSpec,
    former: Any,
    implementation: Any,
    name: str,
    annotations: tuple[tuple[str, str] | None, tuple[str, str] | None],
) -> RegistrationError:
    places = [definition_of(function) or ("", 0) for function in (former, implementation)]
    written = [
        "no such parameter with an annotation" if one is None else f"{one[0]}: {one[1]}"
        for one in annotations
    ]
    names = ", ".join(repr(parameter) for parameter in spec.parameters)
    generic = describe(spec.generic)
    return RegistrationError(
        f"{generic} dispatches on {names or 'no parameter'} and not on {name!r}, so that"
        f" {describe(implementation)} at {places[1][0]}:{places[1][1]} ({written[1]}) would replace"
        f" {describe(former)} at {places[0][0]}:{places[0][1]} ({written[0]}), which is registered"
        f" for the same classes; name {name!r} in @reg.generic(...) to dispatch on it, or, to"
        " replace the first, unregister it, or make the registry with replace=True"
    )
