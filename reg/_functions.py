"""A generic function is a function: its kind, and the attributes that other libraries read."""

from __future__ import annotations

import functools
import sys
from types import CodeType, FunctionType

from ._errors import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

__all__ = [
    "KINDS",
    "code_of",
    "describe_like",
    "function_attributes",
    "is_coroutine",
    "with_checked_result",
]

#: The flags of a code object by which ``inspect`` knows generators, coroutine functions and
#: asynchronous generators. PyPy runs a function by them, so that they cannot be added there.
KINDS: Final = 0 if sys.implementation.name == "pypy" else 0x20 | 0x80 | 0x200

# The flags of the code of a coroutine function, of an asynchronous generator, and of a generator
# that can be awaited.
_IS_COROUTINE: Final = 0x80
_IS_ASYNC_GENERATOR: Final = 0x200
_IS_AWAITABLE_GENERATOR: Final = 0x100

_ATTRIBUTES: Final = ("__code__", "__defaults__", "__kwdefaults__", "__globals__", "__closure__")


def _stub(*args: Any, **keywords: Any) -> Any: ...


def code_of(function: Callable[..., Any]) -> CodeType:
    """Get the code of a decorated function itself, and not of a function that it wraps.

    :param function: any callable.
    :return: its code object; for a callable without one, the code of a stub that takes any
      arguments.
    """
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code if isinstance(code, CodeType) else _stub.__code__


def is_coroutine(function: Callable[..., Any]) -> bool:
    """Return whether the result of a function is awaited."""
    return bool(code_of(function).co_flags & _IS_COROUTINE)


def with_checked_result(
    function: Callable[..., Any], component: Callable[..., Any], call: Callable[..., Any]
) -> Callable[..., Any]:
    """Check the results of an implementation that is not of the kind of its generic function.

    An implementation of a coroutine function may be another callable that returns an awaitable, so
    that only the result says whether it is a mistake.

    :param function: the function that was made generic.
    :param component: the implementation.
    :param call: calls it.
    :return: ``call``; or a function that refuses its result if that cannot be awaited, or be
      iterated over asynchronously, as a caller will do.
    """
    kind = code_of(function).co_flags & (_IS_COROUTINE | _IS_ASYNC_GENERATOR)
    if code_of(component).co_flags & kind == kind:
        return call
    is_awaited = kind == _IS_COROUTINE
    method = "__await__" if is_awaited else "__aiter__"

    @functools.wraps(call)
    def call_and_check(*args: Any, **keywords: Any) -> Any:
        result = call(*args, **keywords)
        code = getattr(result, "gi_code", None)
        if hasattr(result, method) or (
            is_awaited and code is not None and code.co_flags & _IS_AWAITABLE_GENERATOR
        ):
            return result
        expected = "async def" if is_awaited else "async def and yield"
        raise TypeError(
            f"the implementation {describe(component)} of {describe(function)} returned {result!r},"
            f" which has no {method}(): define it with {expected}, as {describe(function)} is"
        )

    return call_and_check


def function_attributes(function: Callable[..., Any]) -> dict[str, Any]:
    """Get the attributes of a Python function, for a generic function that is made in C.

    :param function: the decorated function.
    :return: a new dictionary.
    """
    attributes = {name: getattr(_stub, name) for name in _ATTRIBUTES}
    if type(function) is FunctionType:
        attributes.update({name: getattr(function, name) for name in _ATTRIBUTES})
    return {**attributes, "__code__": code_of(function)}


def describe_like(question: Any, name: str, doc: str, generic: Callable[..., Any]) -> None:
    """Give a function the name and the docstring that an attribute of a generic function has.

    :param question: the function; changed.
    :param name: its name.
    :param doc: its docstring.
    :param generic: the generic function.
    """
    question.__name__ = name
    question.__qualname__ = f"{generic.__qualname__}.{name}"
    question.__module__ = generic.__module__
    question.__doc__ = doc
