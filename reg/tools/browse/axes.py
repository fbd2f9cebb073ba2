"""The rows and columns of a dispatch table: classes in the order of inheritance, and predicates."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..._dispatch_spec import dispatch_of
from ..._mro import mro_of
from ..._refinements import loaded_base
from ..._store import Registration
from ..listing import matcher_entries
from ..loaded import is_likely, loaded_subclasses, package_of
from ..names import full_name, short_name

__all__ = ["Axis", "Heading", "cases_of", "class_axis", "predicates_text"]


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a row or column."""

    label: str
    #: the full name of the class
    full: str = ""
    #: the number of classes of the table that are above it
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Axis:
    """The rows or the columns of a table."""

    #: the name of the argument
    title: str
    headings: tuple[Heading, ...]
    #: for each heading the class, or the values of predicates
    values: tuple[Any, ...]
    #: the number of classes that there is no room for
    left_out: int = 0


def class_axis(
    title: str,
    position: int,
    registrations: Iterable[Registration],
    key: Hashable,
    longest: int,
) -> Axis:
    """List the classes of one argument: the registered ones, and their subclasses.

    :param title: the name of the argument.
    :param position: its position in the registrations.
    :param registrations: all those under a key, for the same number of classes.
    :param key: the key.
    :param longest: the number of classes there is room for.
    :return: base classes first, with their subclasses below them. The class that the parameter
      of a generic function is annotated with is among them. Subclasses are those that are loaded,
      in the packages of the key, the components and the classes.
    """
    # By identity: a metaclass may define equality, or no hash.
    shown: dict[int, type] = {}
    packages = {package_of(key)}
    for registration in registrations:
        cls = loaded_base(registration.classes[position])
        packages.update(map(package_of, (registration.component, cls)))
        packages.update(package_of(value) for _, value, _ in _entries(registration))
        if cls is not None:
            shown.setdefault(id(cls), cls)
    packages -= sys.stdlib_module_names
    annotated = _annotated(key, title)
    if annotated is not None and package_of(annotated) in packages:
        shown.setdefault(id(annotated), annotated)
    for cls in list(shown.values()):
        for subclass in loaded_subclasses(cls) if cls is not object else ():
            if is_likely(subclass, packages) and package_of(subclass) in packages:
                shown.setdefault(id(subclass), subclass)
    classes = list(shown.values())[:longest]
    ordered = list(_indented(classes))
    return Axis(
        title,
        tuple(Heading(short_name(cls), full_name(cls), depth) for cls, depth in ordered),
        tuple(cls for cls, _ in ordered),
        len(shown) - len(classes),
    )


def cases_of(registrations: Iterable[Registration]) -> Axis:
    """List the values of predicates that matchers have entries for.

    :param registrations: all those under a key, for the same number of classes.
    :return: the values, each combination once; only ``None`` if there is no predicate matcher.
    """
    cases: dict[str, Mapping[str, Any]] = {}
    for registration in registrations:
        for predicates, _, _ in _entries(registration):
            cases.setdefault(predicates_text(predicates), predicates)
    if not cases:
        return Axis("", (Heading(""),), (None,))
    return Axis("predicates", tuple(map(Heading, cases)), tuple(cases.values()))


def predicates_text(predicates: Mapping[str, Any]) -> str:
    """Write the values of predicates, as in ``view='edit'``."""
    return ", ".join(f"{name}={value!r}" for name, value in predicates.items()) or "any predicates"


def _annotated(key: Hashable, parameter: str) -> type | None:
    """The class that a parameter of a generic function is annotated with."""
    if (dispatch := dispatch_of(key)) is None:
        return None
    try:
        annotation = inspect.get_annotations(dispatch.function, eval_str=True).get(parameter)
    except Exception:  # of a name that is only there for type checkers
        return None
    return annotation if isinstance(annotation, type) else None


def _entries(registration: Registration) -> Iterator[Any]:
    return matcher_entries(registration.component)


def _indented(classes: list[type]) -> Iterator[tuple[type, int]]:
    """Put each class below the closest one that it inherits from, with its depth."""
    members = {id(cls) for cls in classes}
    below: dict[int | None, list[type]] = {}
    for cls in classes:
        bases = [id(base) for base in mro_of(cls)[1:] if id(base) in members]
        below.setdefault(bases[0] if bases else None, []).append(cls)
    pending = [(cls, 0) for cls in reversed(below.get(None, []))]
    while pending:
        cls, depth = pending.pop()
        yield cls, depth
        pending += [(subclass, depth + 1) for subclass in reversed(below.get(id(cls), []))]
