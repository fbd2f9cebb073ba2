"""Signatures, of functions read without ``inspect``, which takes long to import."""

from __future__ import annotations

import sys
from types import FunctionType

from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable
    from typing import Any, Final

__all__ = [
    "KEYWORD_ONLY",
    "POSITIONAL_ONLY",
    "POSITIONAL_OR_KEYWORD",
    "VAR_KEYWORD",
    "VAR_POSITIONAL",
    "parameters_of",
    "signature_with_deferred",
    "takes",
    "unfinished_kind",
]

#: The kinds of parameters, equal to those of ``inspect.Parameter``.
POSITIONAL_ONLY: Final = 0
POSITIONAL_OR_KEYWORD: Final = 1
VAR_POSITIONAL: Final = 2
KEYWORD_ONLY: Final = 3
VAR_KEYWORD: Final = 4

# Flags of code objects: whether there is a parameter with one star, and with two.
_HAS_VAR_POSITIONAL: Final = 0x04
_HAS_VAR_KEYWORD: Final = 0x08


def parameters_of(function: Callable[..., Any]) -> list[tuple[str, int, Any]]:
    """List the parameters of a function, as ``inspect.signature()`` does.

    :param function: a function, which is read without ``inspect``; or any other callable.
    :return: of each its name, its kind, and its default, ``MISSING`` if it has none.
    :raises TypeError: if it cannot be called.
    :raises ValueError: if it has no signature, as some built-in functions.
    """
    if type(function) is FunctionType and not (
        "__wrapped__" in function.__dict__ or "__signature__" in function.__dict__
    ):
        return _parameters_of_code(function)
    return [
        (one.name, int(one.kind), MISSING if one.default is one.empty else one.default)
        for one in signature_with_deferred(function).parameters.values()
    ]


def _parameters_of_code(function: FunctionType) -> list[tuple[str, int, Any]]:
    code = function.__code__
    positional, by_keyword = code.co_argcount, code.co_kwonlyargcount
    names = list(code.co_varnames)
    defaults = function.__defaults__ or ()
    without = positional - len(defaults)
    parameters: list[tuple[str, int, Any]] = []
    for index, name in enumerate(names[:positional]):
        kind = POSITIONAL_ONLY if index < code.co_posonlyargcount else POSITIONAL_OR_KEYWORD
        parameters.append((name, kind, MISSING if index < without else defaults[index - without]))
    # Behind the names of the others are those with a star.
    variadic = names[positional + by_keyword :]
    if code.co_flags & _HAS_VAR_POSITIONAL:
        parameters.append((variadic.pop(0), VAR_POSITIONAL, MISSING))
    keyword_defaults = function.__kwdefaults__ or {}
    for name in names[positional : positional + by_keyword]:
        parameters.append((name, KEYWORD_ONLY, keyword_defaults.get(name, MISSING)))
    if code.co_flags & _HAS_VAR_KEYWORD:
        parameters.append((variadic.pop(0), VAR_KEYWORD, MISSING))
    return parameters


def signature_with_deferred(callable: Any, **options: Any) -> inspect.Signature:
    """Call ``inspect.signature()``; an annotation that cannot be evaluated is a ``ForwardRef``.

    Python evaluates annotations when they are read, from 3.14 on.

    :param callable: as for ``inspect.signature()``.
    :param options: as for ``inspect.signature()``.
    :return: the signature.
    :raises TypeError: if it cannot be called.
    :raises ValueError: if it has no signature, as some built-in functions.
    """
    if sys.version_info >= (3, 14):
        import annotationlib

        options.setdefault("annotation_format", annotationlib.Format.FORWARDREF)
    import inspect

    return inspect.signature(callable, **options)


def takes(function: Callable[..., Any], count: int) -> bool:
    """Return whether a function can be called with so many positional arguments."""
    try:
        signature_with_deferred(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        # A built-in function without a signature.
        return True
    return True


def unfinished_kind(function: Callable[..., Any]) -> str | None:
    """Name the kind of a function whose call runs none of its code, and is always true.

    :param function: any callable; an object may have a ``__call__`` of such a kind.
    :return: ``None`` for all other callables.
    """
    import inspect

    for one in (function, type(function).__call__):
        if inspect.iscoroutinefunction(one):
            return "a coroutine function"
        if inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one):
            return "a generator function"
    return None
