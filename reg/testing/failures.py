"""What to explain of a test that failed: the calls of generic functions that it is about.

They are read in the source, and nothing is called for it. So of an argument that
is a call itself, its class is known only if it is one of a class.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any, Final, NamedTuple

from .._dispatch_spec import DispatchSpec
from ..lookup import ComponentLookupError, Lookup
from ..sentinel import MISSING

__all__ = ["explanations"]

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
# Of what class is what is written like this, whatever is in it.
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
# Where a test is called from, it says nothing of it.
_RUNNERS: Final = ("_pytest", "pluggy", "pytest_asyncio", "anyio", "asyncio")


class _Argument(NamedTuple):
    """What is known of an argument; what is not, is ``MISSING``."""

    cls: Any
    value: Any


def explanations(
    error: BaseException, implicit_for: Callable[[BaseException], Any]
) -> Iterator[str]:
    """Explain what a failed test asked of generic functions.

    :param error: what it raised.
    :param implicit_for: tells the implicit lookup of where an error was raised.
    :return: the explanations, as text: for a :exc:`reg.ComponentLookupError` of
      what was not found; for a failed assertion of the calls in its line and in
      those that its names were assigned in, or else in the line it was called
      from. For all else there are none.
    """
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from explanations(each, implicit_for)
    elif isinstance(error, ComponentLookupError):
        if isinstance(error.lookup, Lookup) and error.key is not MISSING:
            yield str(error.lookup.explain_classes(error.key, error.classes))
    elif isinstance(error, AssertionError):
        for frame, lineno in _frames(error):
            found = list(_in_frame(frame, lineno, implicit_for(error)))
            yield from dict.fromkeys(found)
            if found:
                return


def _frames(error: BaseException) -> list[tuple[FrameType, int]]:
    """Where an error was raised, and where that was called from, up to the test."""
    found = []
    traceback = error.__traceback__
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in _RUNNERS:
            found.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found[::-1]


def _in_frame(frame: FrameType, lineno: int, implicit: Any) -> Iterator[str]:
    """Explain the calls in a line that is being run."""
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
    names = [each for part in parts for each in ast.walk(part) if isinstance(each, ast.Name)]
    for each in names:
        parts += _assigned(each.id, function, statement)
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Call):
                yield from _explained(node, frame, implicit)


def _innermost(module: ast.AST, lineno: int, *kinds: type[ast.AST]) -> Any:
    """The last node of a kind that a line is in."""
    found = [
        node
        for node in ast.walk(module)
        if isinstance(node, kinds)
        and getattr(node, "lineno", 0) <= lineno <= (getattr(node, "end_lineno", 0) or 0)
    ]
    return max(found, key=lambda node: getattr(node, "lineno", 0), default=None)


def _expressions(statement: ast.stmt) -> list[ast.AST]:
    """What is run of a statement itself, without the statements within it."""
    children = ast.iter_child_nodes(statement)
    return [child for child in children if isinstance(child, (ast.expr, ast.withitem))]


def _assigned(name: str, function: ast.AST, before: ast.stmt) -> list[ast.expr]:
    """What a name was assigned last before a statement, if that can be told."""
    found = [
        (node.lineno, node.value)
        for node in ast.walk(function)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        if node.lineno < before.lineno
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name
    ]
    return [max(found, key=lambda each: each[0])[1]] if found else []


def _explained(node: ast.Call, frame: FrameType, implicit: Any) -> Iterator[str]:
    """Explain a call, if it is one of a generic function and enough is known of it."""
    generic, first = _generic(node.func, frame)
    dispatch = getattr(generic, "__reg_dispatch__", None)
    if not isinstance(dispatch, DispatchSpec) or any(each.arg is None for each in node.keywords):
        return
    keywords = {each.arg or "": each.value for each in node.keywords}
    lookup = _value(keywords.pop("lookup"), frame) if "lookup" in keywords else implicit
    args = (*first, *(_argument(each, frame) for each in node.args))
    try:
        picked = dispatch.arguments(
            args, {name: _argument(each, frame) for name, each in keywords.items()}
        )[2]
    except TypeError:  # one is missing
        return
    # One that was left to its default is not wrapped.
    known = [
        each if isinstance(each, _Argument) else _Argument(type(each), each) for each in picked
    ]
    classes = [each.cls for each in known]
    if dispatch.class_first and known:
        classes[0] = known[0].value
    if isinstance(lookup, Lookup) and all(isinstance(cls, type) for cls in classes):
        yield str(lookup.explain_classes(dispatch.generic, classes))


def _generic(node: ast.expr, frame: FrameType) -> tuple[Any, tuple[_Argument, ...]]:
    """What is called, and the instance that it is a method of."""
    if not isinstance(node, ast.Attribute):
        return _value(node, frame), ()
    owner = _argument(node.value, frame)
    if node.attr in ("component", "all") and hasattr(owner.value, "__reg_dispatch__"):
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
    """The value of a name or a constant; ``MISSING`` for what would have to be run."""
    if isinstance(node, ast.Name):
        return {**frame.f_globals, **frame.f_locals}.get(node.id, MISSING)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, frame)
        return getattr(owner, "__dict__", {}).get(node.attr, MISSING)
    try:
        return ast.literal_eval(node)
    except (TypeError, ValueError):
        return MISSING
