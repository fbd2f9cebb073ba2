"""A generic function is a function: its kind, and the attributes that other libraries read."""

from __future__ import annotations

import functools
import sys
from types import CodeType, FunctionType, MethodType

from ._errors import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

__all__ = [
    "BOUND_METHODS",
    "KINDS",
    "METHODS",
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
    if not kind or code_of(component).co_flags & kind == kind:
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


# The methods of generic functions that are made in C, and of bound ones, by which these are like
# functions and methods of Python. No call needs them.


def _representation(generic: Any) -> str:
    return f"<generic function {generic.__qualname__} at {id(generic):#x}>"


def _by_reference(generic: Any) -> str:
    """Pickled, copied and deep-copied by reference, as functions are."""
    name: str = generic.__qualname__
    return name


def _annotations(generic: Any) -> Any:
    # From Python 3.14 on, functools.wraps() copies __annotate__ in place of __annotations__.
    own = vars(generic)
    if "__annotations__" in own:
        return own["__annotations__"]
    return generic.__wrapped__.__annotations__


def _set_annotations(generic: Any, annotations: Any) -> None:
    vars(generic)["__annotations__"] = annotations


def _delete_annotations(generic: Any) -> None:
    del vars(generic)["__annotations__"]


def _set_name(generic: Any, owner: type, name: str) -> None:
    """Make a function of these names a class method or a static method, as classes do."""
    if name in {"__class_getitem__", "__init_subclass__"}:
        setattr(owner, name, classmethod(generic))
    elif name == "__new__":
        setattr(owner, name, staticmethod(generic))


def _directory(generic: Any) -> list[str]:
    # Python lists the attributes of the class that it takes a generic function for.
    return sorted({*object.__dir__(generic), "all", "component"})


def _is_same_method(method: Any, other: Any) -> Any:
    if type(other) is not type(method):
        return NotImplemented
    return (method.__func__, id(method.__self__)) == (other.__func__, id(other.__self__))


METHODS: Final = {
    "__annotations__": property(_annotations, _set_annotations, _delete_annotations),
    "__dir__": _directory,
    "__reduce__": _by_reference,
    "__repr__": _representation,
    "__set_name__": _set_name,
}
BOUND_METHODS: Final = {
    "__dir__": _directory,
    "__doc__": property(lambda method: method.__func__.__doc__),
    "__eq__": _is_same_method,
    "__hash__": lambda method: hash((id(method.__func__), id(method.__self__))),
    "__reduce__": lambda method: MethodType(method.__func__, method.__self__).__reduce__(),
    "__repr__": lambda method: repr(MethodType(method.__func__, method.__self__)),
}
