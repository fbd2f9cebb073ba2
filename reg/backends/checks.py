"""Checks of the arguments that a host gives to a dispatcher and its decorators."""

from __future__ import annotations

import inspect
import types
from typing import Any

from .arguments import read_signature

__all__ = ["check_text", "checked_name", "checked_names", "checked_signature", "is_exception_class"]


def check_text(argument: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{argument} must be a non-empty string; got {value!r}")


def is_exception_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def checked_name(name: str) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"backends export their implementations by a name; got {name!r}")
    return name


def checked_names(argument: str, given: Any, signature: inspect.Signature, function: str) -> Any:
    if given is None or callable(given):
        return given
    names = [given] if isinstance(given, str) else list(given)
    for name in names:
        if isinstance(given, str) or name not in signature.parameters:
            raise TypeError(
                f"{argument} must be a list of parameters of {function}, or a function that picks"
                f" from the arguments; got {given!r}"
            )
    return names


def checked_signature(function: Any, keyword: str) -> inspect.Signature:
    """Read the signature of a function that can dispatch to backends.

    :raises TypeError: if the function cannot.
    """
    name = getattr(function, "__qualname__", repr(function))
    if isinstance(function, type):
        raise TypeError(f"{name} is a class; use backend_class for it")
    if not callable(function):
        raise TypeError(f"{name} is not callable; backend_dispatch takes a function")
    if isinstance(function, types.MethodType):
        raise TypeError(f"{name} is a bound method; backend_dispatch takes module-level functions")
    try:
        signature = read_signature(function)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} does not say which arguments it takes: {error}") from error
    if not isinstance(getattr(function, "__name__", None), str):
        raise TypeError(f"{name} has no name, by which backends could export theirs")
    if keyword in signature.parameters:
        raise TypeError(f"{name} has a parameter {keyword!r} already, which chooses a backend")
    for index, parameter in enumerate(signature.parameters.values()):
        if index == 0 and parameter.name in ("self", "cls"):
            raise TypeError(
                f"{name} is a method, by its first parameter {parameter.name!r};"
                " backend_dispatch takes module-level functions"
            )
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise TypeError(
                f"{name} takes *{parameter.name}, which cannot be passed on by name; "
                "backend_dispatch takes functions of named parameters"
            )
    return signature
