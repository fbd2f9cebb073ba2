"""Explanations for a failed test, of the generic functions it calls.

The calls are read in the source, and nothing is called again. So the class of
an argument that is itself a call is known only if a class is called.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any, Final, NamedTuple

from .._dispatch_spec import dispatch_of
from ..lookup import ComponentLookupError, Lookup
from ..sentinel import MISSING
from ..tools.explain import explain_classes
from ..tools.provenance import dispatch_arguments

__all__ = ["explanations"]

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
# The class of each literal display.
_DISPLAYS: Final[dict[type[ast.expr], type]] = {
    ast.Dict: dict,
    ast.DictComp: dict,
    ast.JoinedStr: str,
    ast.List: list,
    ast.ListComp: list,
    ast.Set: set,
    ast.SetComp: set,
    ast.Tuple: tuple,
}
# Frames of test runners are skipped.
_RUNNERS: Final = ("_pytest", "pluggy", "pytest_asyncio", "anyio", "asyncio")


class _Argument(NamedTuple):
    """An argument of a call; ``MISSING`` stands for a class or value that is not known."""

    cls: Any
    value: Any


def explanations(
    error: BaseException, implicit_for: Callable[[BaseException], Any]
) -> Iterator[str]:
    """Explain the calls of generic functions that a failed test is about.

    :param error: the error that the test raised.
    :param implicit_for: returns the implicit lookup that was in effect where an error was
      raised.
    :return: an iterator of texts. For a :exc:`reg.ComponentLookupError`, the look-up that
      failed. For a failed assertion, the calls in its line and in the assignments to its
      names; without any, those in the line of the caller. Nothing for other errors.
    """
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from explanations(inner, implicit_for)
    elif isinstance(error, ComponentLookupError):
        if isinstance(error.lookup, Lookup) and error.key is not MISSING:
            yield str(explain_classes(error.lookup, error.key, error.classes))
    elif isinstance(error, AssertionError):
        for frame, lineno in _frames(error):
            texts = list(_in_frame(frame, lineno, implicit_for(error)))
            yield from dict.fromkeys(texts)
            if texts:
                return


def _frames(error: BaseException) -> list[tuple[FrameType, int]]:
    """List the frames of an error with their lines, from its origin up to the test."""
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in _RUNNERS:
            frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return frames[::-1]


def _in_frame(frame: FrameType, lineno: int, implicit: Any) -> Iterator[str]:
    """Explain the calls in the line that a frame runs."""
    source = "".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals))
    try:
        module = ast.parse(source)
    except SyntaxError:
        return
    statement = _innermost(module, lineno, ast.stmt)
    if statement is None:
        return
    function = _innermost(module, lineno, *_FUNCTIONS) or module
    parts = _expressions(statement)
    names = [node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)]
    for name in names:
        parts += _assigned(name, function, statement)
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Call):
                yield from _explained(node, frame, implicit)


def _innermost(module: ast.AST, lineno: int, *kinds: type[ast.AST]) -> Any:
    """Find the innermost node of some kinds that contains a line."""
    nodes = [
        node
        for node in ast.walk(module)
        if isinstance(node, kinds)
        and getattr(node, "lineno", 0) <= lineno <= (getattr(node, "end_lineno", 0) or 0)
    ]
    return max(nodes, key=lambda node: getattr(node, "lineno", 0), default=None)


def _expressions(statement: ast.stmt) -> list[ast.AST]:
    """List the expressions of a statement, without those of nested statements."""
    children = ast.iter_child_nodes(statement)
    return [child for child in children if isinstance(child, (ast.expr, ast.withitem))]


def _assigned(name: str, function: ast.AST, before: ast.stmt) -> list[ast.expr]:
    """Find the last value assigned to a name before a statement, as a list of at most one."""
    assignments = [
        (node.lineno, node.value)
        for node in ast.walk(function)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        if node.lineno < before.lineno
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name
    ]
    return [max(assignments, key=lambda assignment: assignment[0])[1]] if assignments else []


def _explained(node: ast.Call, frame: FrameType, implicit: Any) -> Iterator[str]:
    """Explain a call of a generic function, if the classes of its arguments are known."""
    generic, first = _generic(node.func, frame)
    spec = dispatch_of(generic)
    if spec is None or any(keyword.arg is None for keyword in node.keywords):
        return
    keywords = {keyword.arg or "": keyword.value for keyword in node.keywords}
    lookup = _value(keywords.pop("lookup"), frame) if "lookup" in keywords else implicit
    args = (*first, *(_argument(argument, frame) for argument in node.args))
    named = {name: _argument(argument, frame) for name, argument in keywords.items()}
    try:
        picked = dispatch_arguments(spec, args, named, lookup)
    except TypeError:  # An argument is missing.
        return
    # A default value is not an _Argument yet.
    arguments = [
        argument if isinstance(argument, _Argument) else _Argument(type(argument), argument)
        for argument in picked
    ]
    classes = [argument.cls for argument in arguments]
    if spec.class_first and arguments:
        classes[0] = arguments[0].value
    if isinstance(lookup, Lookup) and all(isinstance(cls, type) for cls in classes):
        yield str(lookup.explain_classes(spec.generic, classes))


def _generic(node: ast.expr, frame: FrameType) -> tuple[Any, tuple[_Argument, ...]]:
    """Find the object that is called, and the instance that it is a method of."""
    if not isinstance(node, ast.Attribute):
        return _value(node, frame), ()
    owner = _argument(node.value, frame)
    if node.attr in ("component", "all") and dispatch_of(owner.value) is not None:
        return owner.value, ()
    if isinstance(owner.value, (type, ModuleType)):
        return inspect.getattr_static(owner.value, node.attr, MISSING), ()
    return inspect.getattr_static(owner.cls, node.attr, MISSING), (owner,)


def _argument(node: ast.expr, frame: FrameType) -> _Argument:
    if isinstance(node, ast.Call):
        return _Argument(_value(node.func, frame), MISSING)
    if type(node) in _DISPLAYS:
        return _Argument(_DISPLAYS[type(node)], MISSING)
    value = _value(node, frame)
    return _Argument(MISSING if value is MISSING else value.__class__, value)


def _value(node: ast.expr, frame: FrameType) -> Any:
    """Get the value of a name or a constant; ``MISSING`` for an expression with calls."""
    if isinstance(node, ast.Name):
        return {**frame.f_globals, **frame.f_locals}.get(node.id, MISSING)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, frame)
        return getattr(owner, "__dict__", {}).get(node.attr, MISSING)
    try:
        return ast.literal_eval(node)
    except (TypeError, ValueError):
        return MISSING
