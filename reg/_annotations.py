"""Classes to register for, read from an implementation's annotations."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ._classes import ClassSpecification, ForwardClass, describe, united
from ._dispatch_spec import DispatchSpec
from ._signatures import signature_with_deferred
from .arginfo import is_positional

if TYPE_CHECKING:
    import inspect

__all__ = ["classes_from_annotations"]


def classes_from_annotations(
    dispatch: DispatchSpec, implementation: Callable[..., Any], names: Mapping[str, Any]
) -> list[ClassSpecification]:
    """Read from the annotations which classes a function implements a generic function for.

    :param dispatch: what the generic function dispatches on.
    :param implementation: a function; or a class, by its constructor.
    :param names: local names that annotations given as strings may use.
    :return: a class, union or name for each dispatch parameter, in their order.
    :raises TypeError: if the implementation lacks a parameter or an annotation,
      or has one that cannot be read.
    """

    parameters = signature_with_deferred(implementation).parameters
    classes: list[ClassSpecification] = []
    for index, name in enumerate(dispatch.parameters):
        parameter = _counterpart(dispatch, index, parameters)
        if parameter is None or parameter.annotation is parameter.empty:
            missing = (
                f"has no parameter for {name!r}"
                if parameter is None
                else (f"does not annotate its parameter {parameter.name!r}")
            )
            raise TypeError(
                f"{describe(implementation)} {missing}, on which {describe(dispatch.generic)}"
                " dispatches; annotate it, or name the classes with register()"
            )
        hint = _hint(implementation, parameter, names)
        if index == 0 and dispatch.class_first:
            hint = _without_type(hint)
        classes.append(hint)
    return classes


def _without_type(hint: Any) -> Any:
    """What ``type[…]`` is of: a class generic is given the class itself, and so says which."""
    if alternatives := united(hint):
        # Not with |, which a metaclass may have for something else.
        return typing.Union[tuple(_without_type(each) for each in alternatives)]  # noqa: UP007
    if typing.get_origin(hint) is type:
        (hint,) = typing.get_args(hint)
    return hint


def _counterpart(
    dispatch: DispatchSpec, index: int, parameters: Mapping[str, inspect.Parameter]
) -> inspect.Parameter | None:
    """The implementation's parameter that will get the dispatch argument at ``index``."""
    if dispatch.names and dispatch.names[index] in parameters:
        return parameters[dispatch.names[index]]
    positional = [p for p in parameters.values() if is_positional(p)]
    position = dispatch.positions[index]
    return positional[position] if 0 <= position < len(positional) else None


def _hint(
    implementation: Callable[..., Any], parameter: inspect.Parameter, names: Mapping[str, Any]
) -> Any:
    """What a parameter's annotation means, evaluated if it is a string.

    No other annotation is looked at: it may name what is there for type
    checkers alone.
    """
    import inspect

    function: Any = implementation
    if isinstance(implementation, type):
        function = inspect.getattr_static(implementation, "__init__")
    function = inspect.unwrap(function)
    annotated = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    known = dict(names)
    while True:
        try:
            return typing.get_type_hints(annotated, getattr(function, "__globals__", {}), known)[
                "it"
            ]
        except NameError as error:
            # A class defined further down its module is found by its name once
            # it is there, like one of a library that is not loaded yet.
            if error.name is None or error.name in known:
                raise
            known[error.name] = ForwardClass(function.__module__, error.name)
        except SyntaxError as error:
            raise TypeError(
                f"{describe(implementation)} annotates its parameter {parameter.name!r} with"
                f" {parameter.annotation!r}, which is no expression; to register for a class by"
                " its name, such as 'package.module:Class', use register()"
            ) from error
