"""Lists, as the command line shows them: of registrations, and of backends."""

from __future__ import annotations

import difflib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._store import Registration
from ..predicate import ANY, PredicateMatcher
from ..registry import ClassRegistry, definition_of
from .formats import aligned, table, together, wrapped
from .provenance import parts
from .resolution import class_names, full_name, plain, short_name

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ..backends import Installed

__all__ = ["Backends", "Registrations", "registrations"]


def registrations(lookup: Any) -> list[tuple[str, Registration]]:
    """List everything that is registered in a composition, with the names of its parts."""
    return [
        (part.name, registration)
        for part in parts(lookup)
        if isinstance(part.class_lookup, ClassRegistry)
        for registration in part.class_lookup.registrations()
    ]


class Registrations:
    """Everything that is registered in a composition.

    :param lookup: the registry, or what is composed of some.
    """

    def __init__(self, lookup: Any) -> None:
        self._by_key: dict[Any, list[tuple[str, Registration]]] = {}
        for name, registration in registrations(lookup):
            self._by_key.setdefault(registration.key, []).append((name, registration))

    def __len__(self) -> int:
        return sum(map(len, self._by_key.values()))

    def __str__(self) -> str:
        lines = []
        for key, registered in self._by_key.items():
            lines.append(full_name(key))
            rows = [row for each in registered for row in _rows(*each)]
            lines += [f"  {line}" for line in aligned(rows, (40, 40, 20, sys.maxsize))]
        return "\n".join(lines) or "nothing is registered"

    def as_table(self) -> RenderableType:
        """Make a table for rich of each key.

        :raises ImportError: if rich is not installed.
        """
        return together(
            table(
                full_name(key),
                ("registered for", "component", "in", "place"),
                [row for each in registered for row in _rows(*each)],
            )
            for key, registered in self._by_key.items()
        )

    def as_data(self) -> list[dict[str, Any]]:
        """Everything, as what JSON can hold."""
        return [
            {
                "key": full_name(each.key),
                "classes": class_names(each.classes),
                "component": full_name(each.component),
                "filename": each.filename,
                "lineno": each.lineno,
                "lookup": name,
                "predicates": [
                    {
                        "predicates": {name: plain(value) for name, value in predicates.items()},
                        "component": full_name(component),
                        **dict(zip(("filename", "lineno"), place or (None, None), strict=True)),
                    }
                    for predicates, component, place in _entries(each.component)
                ],
            }
            for name, each in self._all()
        ]

    def as_dot(self) -> str:
        """A graph in the language of Graphviz."""
        lines = ["digraph registrations {", "  rankdir=LR;", "  node [shape=box];"]
        for name, registration in self._all():
            classes = _names(registration)
            ends = (full_name(registration.key), full_name(registration.component))
            # A JSON string is one of Graphviz too.
            key, component = map(json.dumps, ends)
            lines.append(f"  {key} -> {component} [label={json.dumps(f'({classes}) in {name}')}];")
        return "\n".join([*lines, "}"])

    def _all(self) -> Iterable[tuple[str, Registration]]:
        for registered in self._by_key.values():
            yield from registered


class Backends:
    """The backends that are installed for a host.

    :param group: the group of their entry points.
    :param backends: what is known of each.
    :param unknown: what to say where it is not known whether one is trusted.
    """

    def __init__(self, group: str, backends: Iterable[Installed], unknown: str) -> None:
        self._group = group
        self._unknown = unknown
        self._backends = sorted(backends, key=lambda each: each.name or each.entry_point)

    def __len__(self) -> int:
        return len(self._backends)

    def __str__(self) -> str:
        if not self._backends:
            groups = importlib.metadata.entry_points().groups
            close = difflib.get_close_matches(self._group, groups, 1)
            hint = f"; there are some in {close[0]!r}" if close else ""
            return f"no distribution has entry points in the group {self._group!r}{hint}"
        rows = map(self._cells, self._backends)
        heading, *shown = aligned([_HEADINGS, *rows], (30, 30, 30, 40, 13, 10))
        lines = [heading]
        for line, each in zip(shown, self._backends, strict=True):
            lines.append(line)
            for reason in each.reasons:
                lines += wrapped(reason, " " * 8)
        return "\n".join(lines)

    def as_table(self) -> Table:
        """Make a table for rich.

        :raises ImportError: if rich is not installed.
        """
        rows = [(*self._cells(each), "\n".join(each.reasons)) for each in self._backends]
        return table(f"backends in the group {self._group}", (*_HEADINGS, "why"), rows)

    def as_data(self) -> list[dict[str, Any]]:
        """Everything, as what JSON can hold."""
        return [each.as_dict() for each in self._backends]

    def _cells(self, each: Installed) -> tuple[str, ...]:
        trusted = {True: "yes", False: "no", None: self._unknown}[each.trusted]
        distribution = " ".join(filter(None, (each.distribution or "unknown", each.version)))
        names = (each.name or "?", ", ".join(each.aliases), each.entry_point)
        return (*names, distribution, trusted, each.outcome)


_HEADINGS = ("backend", "aliases", "entry point", "distribution", "trusted", "outcome")


def _rows(name: str, registration: Registration) -> Iterable[tuple[str, ...]]:
    """A registration, and below it what a matcher that is registered has in it."""
    component = short_name(registration.component)
    yield f"({_names(registration)})", component, name, _shown(registration.place)
    for predicates, value, place in _entries(registration.component):
        given = ", ".join(f"{name}={value!r}" for name, value in predicates.items())
        shown = "" if place is None else _shown(f"{place[0]}:{place[1]}")
        yield f"  {given or 'anything'}", short_name(value), "", shown


def _names(registration: Registration) -> str:
    return ", ".join(map(short_name, registration.classes))


def _entries(component: Any) -> Iterable[tuple[dict[str, Any], Any, tuple[str, int] | None]]:
    """What a matcher decides between: the predicates that count, the component, its place."""
    if isinstance(component, PredicateMatcher):
        for predicates, value in component.registry.entries():
            named = {name: each for name, each in predicates.items() if each is not ANY}
            yield named, value, definition_of(value)


def _shown(place: str) -> str:
    return place.removeprefix(os.path.join(os.getcwd(), ""))
