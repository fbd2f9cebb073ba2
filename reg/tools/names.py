"""Names of keys, classes, components and places, as all tools write them."""

from __future__ import annotations

import itertools
import os
import reprlib
from collections.abc import Iterable
from typing import Any

from .._classes import NamedClass, RegisteredClass
from .._refinements import Refinement

__all__ = ["full_name", "names_of", "short_name", "shown_place", "to_json"]


def full_name(value: Any) -> str:
    """Name a value without doubt.

    :param value: a key, a class or a component.
    :return: module and qualified name of a function or class; of any other
      value its ``repr()``, or its class where that would show an address.
    """
    if isinstance(value, (NamedClass, Refinement)):
        return str(value)
    name = getattr(value, "__qualname__", None)
    if not isinstance(name, str):
        return f"{full_name(type(value))} object" if _shows_address(value) else reprlib.repr(value)
    module = getattr(value, "__module__", None)
    return name if module in (None, "builtins") else f"{module}.{name}"


def short_name(value: Any) -> str:
    """Name a value for people.

    :param value: a key, a class or a component.
    :return: the qualified name of a function or class, without the function
      that it was defined in; of any other value the same as
      :func:`full_name`, with the short name of its class.
    """
    if isinstance(value, (NamedClass, Refinement)):
        return str(value)
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        return name.rpartition("<locals>.")[2]
    return f"{short_name(type(value))} object" if _shows_address(value) else reprlib.repr(value)


def names_of(
    classes: Iterable[RegisteredClass],
    unions: Iterable[tuple[RegisteredClass, ...]] = (),
    rest: Iterable[RegisteredClass] = (),
) -> str:
    """Name classes in parentheses.

    :param classes: one class for each argument.
    :param unions: for each of them, the members of the union that it was registered by.
    :param rest: the class of each further argument, or the members of a union.
    :return: their short names, as in ``(Invoice, Printer)`` or ``(int of int | str, *str)``.
    """
    names = [
        f"{short_name(cls)} of {' | '.join(map(short_name, union))}" if union else short_name(cls)
        for cls, union in itertools.zip_longest(classes, unions)
    ]
    if further := " | ".join(map(short_name, rest)):
        names.append(f"*{further}")
    return f"({', '.join(names)})"


def shown_place(place: str) -> str:
    """Shorten a file and line for people.

    :param place: file and line, or an empty string.
    :return: the same, relative to the current directory if it is below it.
    """
    return place.removeprefix(os.path.join(os.getcwd(), ""))


def to_json(value: Any) -> Any:
    """Convert a value to one that JSON has.

    :param value: any object.
    :return: the value itself if JSON has it, else its full name.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return full_name(value)


def _shows_address(value: Any) -> bool:
    return getattr(type(value), "__repr__") is object.__repr__  # noqa: B009
