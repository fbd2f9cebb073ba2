"""Advice for objects that nothing can be registered for: which class to give instead."""

from __future__ import annotations

import types
import typing
from collections.abc import Collection
from typing import Any, Final

__all__ = ["advice_for", "file_advice"]

# Classes of typing that no file is an instance of, and those that files are instances of.
_FILES: Final = {typing.IO: "IOBase", typing.TextIO: "TextIOBase", typing.BinaryIO: "IOBase"}


def file_advice(cls: type) -> str | None:
    """Name a replacement for a class of files that is for type checkers only."""
    for known, name in _FILES.items():
        if cls is known:
            return f"use io.{name}: no file is an instance of {cls!r}, which is for type checkers"
    return None


def advice_for(specification: Any) -> str:
    """Name a replacement for a specification that is not allowed."""
    origin = typing.get_origin(specification)
    if getattr(specification, "__unpacked__", False) or origin is typing.Unpack:
        return "write *rest: Class, or reg.Rest(Class) in a list: each argument is of that class"
    if specification is Any:
        return "use object, which every argument is an instance of"
    if specification is typing.Type:  # noqa: UP006 (the alias itself)
        return "use type, or type[Class]"
    if origin is typing.Annotated:
        return f"use {_name(typing.get_args(specification)[0])}"
    if isinstance(origin, type):
        if (advice := file_advice(origin)) is not None:
            return advice
        reason = "an argument does not know the types of its items"
        if issubclass(origin, Collection):
            reason += f"; reg.Items({_full_name(origin)}, …) looks at each of them in every call"
        if not typing.get_args(specification):
            reason = f"{specification!r} is another name of it for type checkers"
        return f"use {_full_name(origin)}: {reason}"
    if isinstance(specification, typing.TypeVar):
        return "use the class that bounds it, or object"
    if isinstance(specification, typing.NewType):
        return f"use {_name(specification.__supertype__)}, which its values are instances of"
    if isinstance(specification, (tuple, list)) and specification:
        members = " | ".join(map(_name, specification))
        return (
            f"it is an instance of {type(specification).__name__}: give one class for each"
            f" argument; for any of several, use a union, {members}"
        )
    cls = type(specification)
    advice = (
        "use a class, None, a union of them, or the name of one such as"
        f' "package.module:Class"; {specification!r} is an instance of {cls.__name__}'
    )
    if isinstance(specification, types.FunctionType):
        return f"{advice}, and an implementation comes after the list of classes"
    if cls.__module__ in ("typing", "types") or cls is types.ModuleType:
        return advice
    return f"{advice}, so give {_full_name(cls)} if you mean its class"


def _name(cls: Any) -> str:
    return getattr(cls, "__name__", repr(cls))


def _full_name(cls: type) -> str:
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
