"""The parameters of a callable, and calls that pass no keywords but these."""

from __future__ import annotations

from types import CodeType, FunctionType

from ._signatures import signature_with_deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Container, Iterable
    from typing import Any

    from ._argument_info import ArgumentInfo

__all__ = [
    "ArgumentInfo",
    "accepted_keywords",
    "arginfo",
    "filled_in",
    "is_bound",
    "is_positional",
    "mapply",
    "takes_keyword",
    "wrapped_by",
]

# The flag of a code object with a ``**`` parameter.
_CO_VARKEYWORDS = 0x08


def __getattr__(name: str) -> Any:
    # Made when it is used, since a named tuple takes as long to make as a module to load.
    if name == "ArgumentInfo":
        from ._argument_info import ArgumentInfo

        return ArgumentInfo
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def arginfo(callable: Callable[..., Any], /) -> ArgumentInfo:
    """Return the names and defaults of the positional parameters of a callable.

    :param callable: a function, a method, a class, or an instance with a ``__call__``. The
      parameters that Python fills in (``self``, ``cls``) are left out. Decorators are not looked
      behind, but a generic function has the parameters of the function that it was made of.
    :return: a new :class:`reg.arginfo.ArgumentInfo`, whose list is the caller's to change. It is
      empty for a class whose constructor has no named parameters: a class without a constructor,
      and a built-in class such as ``int`` or ``dict``.
    :raises TypeError: if it cannot be called, or is a built-in function without a signature.
    """
    from ._argument_info import ArgumentInfo

    args: list[str] = []
    defaults: list[Any] = []
    varargs = keywords = None
    parameters = _parameters_of_generic(callable)
    for parameter in _parameters(callable) or () if parameters is None else parameters:
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
    """Call a function with the positional arguments, and with the keywords that it takes.

    :param func: any callable. One without a signature gets all keywords.
    :param args: passed on as they are.
    :param kw: passed on where ``func`` has a parameter of that name; all of them if it has a
      ``**`` parameter.
    :return: the result of ``func``.
    """
    taken = accepted_keywords(func, kw)
    return func(*args, **{name: kw[name] for name in taken})


def accepted_keywords(callable: Any, names: Iterable[str], /) -> list[str]:
    """Return the names that a callable takes as keyword arguments.

    :param callable: any callable.
    :param names: the names in question.
    :return: a new list, in the order of ``names``; all of them if it has a ``**`` parameter, or
      no signature.
    """
    try:
        parameters = _parameters(callable)
    except TypeError:
        parameters = None
    if parameters is None or any(map(_is_variadic_keyword, parameters)):
        return list(names)
    taken = {parameter.name for parameter in parameters if _is_by_name(parameter)}
    return [name for name in names if name in taken]


def filled_in(callable: Any, /) -> tuple[bool, bool]:
    """Return whether a call of an implementation is to add ``lookup`` and ``call_next``.

    Both are added for a parameter of that name, which can be passed by keyword. ``lookup`` is not
    added beside a ``**`` parameter, as in older versions. Behind a decorator's ``(*args, **kw)``,
    the parameters of ``__wrapped__`` count, since it passes everything on.

    :param callable: the implementation.
    :return: first for ``lookup``, then for ``call_next``; ``False`` for a callable without a
      signature.
    """
    function = callable
    if type(callable) is not FunctionType and is_bound(callable):
        function = callable.__func__
    names: Container[str]
    if type(function) is FunctionType and not hasattr(function, "__signature__"):
        # Reading the code object takes a fiftieth of the time of inspect; after a matcher, every
        # call does so.
        code = function.__code__
        last = code.co_argcount + code.co_kwonlyargcount
        names = code.co_varnames[code.co_posonlyargcount : last]
        if not code.co_flags & _CO_VARKEYWORDS:
            return "lookup" in names, "call_next" in names
    else:
        try:
            parameters = _parameters(callable)
        except TypeError:
            parameters = None
        names = {parameter.name for parameter in parameters or () if _is_by_name(parameter)}
        if parameters is not None and not any(map(_is_variadic_keyword, parameters)):
            return "lookup" in names, "call_next" in names
    wrapped = wrapped_by(callable)
    behind = (False, False) if wrapped is None else filled_in(wrapped)
    return behind[0], behind[1] or "call_next" in names


def takes_keyword(callable: Any, name: str, /) -> bool:
    """Return whether a call of an implementation is to add an argument of its own.

    :param callable: the implementation.
    :param name: ``"lookup"`` or ``"call_next"``; see :func:`filled_in`.
    """
    return filled_in(callable)[name == "call_next"]


def wrapped_by(callable: Any, /) -> Any:
    """Return the function that a decorator made with ``functools.wraps`` wraps, or ``None``.

    :param callable: a function, or anything else.
    """
    # Not by getattr(): some objects have an attribute of any name.
    return getattr(callable, "__dict__", {}).get("__wrapped__")


def is_bound(callable: Any, /) -> bool:
    """Return whether an object is a method: a function that is bound to an object.

    :param callable: any object. It is not asked for its ``__class__``, which may be anything.
    """
    attributes = vars(type(callable))
    return "__func__" in attributes and "__self__" in attributes


def is_positional(parameter: inspect.Parameter, /) -> bool:
    """Return whether a parameter takes one positional argument.

    :param parameter: of a signature.
    """
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


def _is_by_name(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


def _is_variadic_keyword(parameter: inspect.Parameter) -> bool:
    return parameter.kind is parameter.VAR_KEYWORD


def _parameters(callable: Any) -> list[inspect.Parameter] | None:
    """Return the parameters that a caller can fill.

    :return: a new list; ``None`` for a class whose ``__init__`` has no signature.
    :raises TypeError: for another callable without a signature.
    """
    if isinstance(callable, type) and _has_built_in_constructor(callable):
        return _parameters_of_built_in(callable)
    import inspect

    if isinstance(inspect.getattr_static(type(callable), "__call__", None), staticmethod):
        # inspect.signature() would take the first parameter for self.
        callable = callable.__call__
    try:
        signature = signature_with_deferred(callable, follow_wrapped=False)
    except ValueError as error:
        raise TypeError(f"{callable!r} does not say which arguments it takes: {error}") from error
    return list(signature.parameters.values())


def _has_built_in_constructor(cls: type) -> bool:
    import inspect

    constructors = [inspect.getattr_static(cls, name) for name in ("__init__", "__new__")]
    functions = [getattr(constructor, "__func__", constructor) for constructor in constructors]
    return type(cls).__call__ is type.__call__ and not any(
        isinstance(getattr(function, "__code__", None), CodeType) for function in functions
    )


def _parameters_of_built_in(cls: type) -> list[inspect.Parameter] | None:
    """Return the parameters of a constructor in C that have names for the caller.

    Which of them can be inspected depends on the version of Python. Parameters by position only
    are left out, so that the result does not.
    """
    try:
        parameters = signature_with_deferred(cls, follow_wrapped=False).parameters.values()
    except ValueError:
        import inspect

        # An __init__ in C may take any keywords, as that of dict does.
        return [] if inspect.getattr_static(cls, "__init__") is object.__init__ else None
    return [
        parameter for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY
    ]


def _parameters_of_generic(callable: Any) -> list[inspect.Parameter] | None:
    """Return the parameters of the decorated function; ``None`` for other callables."""
    is_method = is_bound(callable)
    function = callable.__func__ if is_method else callable
    spec = getattr(function, "__dict__", {}).get("__reg_dispatch__")
    return None if spec is None else list(spec.signature.parameters.values())[is_method:]
