"""A generic function is a function: its kind, and the attributes that other libraries read."""

from __future__ import annotations

import functools
import sys
from types import CodeType, FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

__all__ = ["KINDS", "code_of", "describe_like", "function_attributes"]

#: The flags of a code object by which ``inspect`` knows generators, coroutine functions and
#: asynchronous generators. PyPy runs a function by them, so that they cannot be added there.
KINDS: Final = 0 if sys.implementation.name == "pypy" else 0x20 | 0x80 | 0x200

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
