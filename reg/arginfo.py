"""What a callable takes, and calling it with no more than that."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable
from types import FunctionType, MethodType

from ._signatures import signature_with_deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Imported where it is used: it takes longer than all of this package.
    import inspect
    from typing import Any, NamedTuple

__all__ = [
    "ArgumentInfo",
    "accepted_keywords",
    "arginfo",
    "filled_in",
    "is_positional",
    "mapply",
    "takes_keyword",
    "wrapped_by",
]

# inspect.CO_VARKEYWORDS
_VARIADIC_KEYWORDS = 0x08


if TYPE_CHECKING:

    class _ArgumentInfo(NamedTuple):
        args: list[str]
        varargs: str | None
        keywords: str | None
        defaults: tuple[Any, ...] | None

else:
    _ArgumentInfo = namedtuple("_ArgumentInfo", ["args", "varargs", "keywords", "defaults"])


class ArgumentInfo(_ArgumentInfo):
    """What :func:`reg.arginfo` returns: a named tuple.

    The four fields are those of the ``ArgSpec`` that ``inspect`` once had.
    Keyword-only parameters are in none of them.

    :param args: names of the positional parameters, in order.
    :param varargs: name of the ``*`` parameter, or ``None``.
    :param keywords: name of the ``**`` parameter, or ``None``.
    :param defaults: defaults of the last positional parameters, or ``None`` if
      none has one.
    """

    __slots__ = ()


def arginfo(callable: Callable[..., Any], /) -> ArgumentInfo:
    """Tell which positional arguments a callable takes.

    :param callable: a function, a method, a class, or an instance with a
      ``__call__``. What Python fills in itself (``self``, ``cls``) is left
      out; decorators are not looked behind, except that a generic function
      takes what the function takes that was made generic.
    :return: a new :class:`reg.arginfo.ArgumentInfo`, whose list is the caller's to change.
      A class without a constructor of its own takes nothing.
    :raises TypeError: if it cannot be called, or says nothing about its
      parameters, as some built-in ones do not.
    """
    args: list[str] = []
    defaults: list[Any] = []
    varargs = keywords = None
    parameters = _parameters_of_generic(callable)
    for parameter in _parameters(callable) if parameters is None else parameters:
        if is_positional(parameter):
            args.append(parameter.name)
            if parameter.default is not parameter.empty:
                defaults.append(parameter.default)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            varargs = parameter.name
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords = parameter.name
    return ArgumentInfo(args, varargs, keywords, tuple(defaults) or None)


def mapply(func: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
    """Call a function with those of the keyword arguments that it takes.

    :param func: any callable. One that cannot be inspected gets them all.
    :param args: passed on as they are.
    :param kw: passed on where ``func`` has a parameter of that name; all of
      them if it has a ``**`` parameter.
    :return: what ``func`` returns.
    """
    taken = accepted_keywords(func, kw)
    return func(*args, **{name: kw[name] for name in taken})


def accepted_keywords(callable: Any, names: Iterable[str], /) -> list[str]:
    """Those of the names that a callable can be passed as keyword arguments.

    :return: a new list, in the order of ``names``; all of them if it has a
      ``**`` parameter, or cannot be inspected.
    """
    try:
        parameters = _parameters(callable)
    except TypeError:
        return list(names)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return list(names)
    taken = {parameter.name for parameter in parameters if _is_by_name(parameter)}
    return [name for name in names if name in taken]


def takes_keyword(callable: Any, name: str, /) -> bool:
    """Tell whether a callable has a parameter of that name and no ``**``.

    This is what decides whether an implementation is given ``lookup`` or
    ``call_next``. A ``**`` parameter takes what the caller passed, and nothing
    is slipped in; but a decorator's ``(*args, **kw)`` is looked behind, if
    ``functools.wraps`` left a ``__wrapped__``, since it hands everything on.

    :return: ``False`` also for what cannot be inspected.
    """
    function = callable.__func__ if type(callable) is MethodType else callable
    if type(function) is FunctionType and not hasattr(function, "__signature__"):
        # The answer is in the code object; inspect would take 50 times as long,
        # and matchers have it asked anew at every call.
        code = function.__code__
        if not code.co_flags & _VARIADIC_KEYWORDS:
            first = code.co_posonlyargcount
            last = code.co_argcount + code.co_kwonlyargcount
            return name in code.co_varnames[first:last]
    else:
        try:
            parameters = _parameters(callable)
        except TypeError:
            parameters = None
        if parameters is not None and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return any(p.name == name and _is_by_name(p) for p in parameters)
    wrapped = wrapped_by(callable)
    return wrapped is not None and takes_keyword(wrapped, name)


def filled_in(component: Any, /) -> tuple[bool, bool]:
    """Find out whether a call fills in ``lookup``, and ``call_next``, for a component."""
    return takes_keyword(component, "lookup"), takes_keyword(component, "call_next")


def wrapped_by(callable: Any, /) -> Any:
    """The function that a decorator made with ``functools.wraps`` wraps, or ``None``.

    Not by ``getattr()``, to which some objects have an answer for any name.
    """
    return getattr(callable, "__dict__", {}).get("__wrapped__")


def is_positional(parameter: inspect.Parameter, /) -> bool:
    """Tell whether a parameter can be passed by position, as one of its own."""
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


def _is_by_name(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


def _parameters(callable: Any) -> list[inspect.Parameter]:
    """The parameters a caller can fill, or a ``TypeError``."""
    import inspect

    if isinstance(callable, type) and _has_no_constructor(callable):
        return []
    if isinstance(inspect.getattr_static(type(callable), "__call__", None), staticmethod):
        # inspect.signature() would take the first parameter for self.
        callable = callable.__call__
    try:
        signature = signature_with_deferred(callable, follow_wrapped=False)
    except ValueError as error:
        raise TypeError(f"{callable!r} does not say which arguments it takes: {error}") from error
    return list(signature.parameters.values())


def _parameters_of_generic(callable: Any) -> list[inspect.Parameter] | None:
    """Those of the function that was made generic; ``None`` if it is no generic function."""
    is_method = type(callable) is MethodType
    function = callable.__func__ if is_method else callable
    dispatch = getattr(function, "__dict__", {}).get("__reg_dispatch__")
    return None if dispatch is None else list(dispatch.signature.parameters.values())[is_method:]


def _has_no_constructor(cls: type) -> bool:
    import inspect

    return (
        inspect.getattr_static(cls, "__init__") is object.__dict__["__init__"]
        and inspect.getattr_static(cls, "__new__") is object.__dict__["__new__"]
        and type(cls).__call__ is type.__call__
    )
