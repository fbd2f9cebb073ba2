"""The list of registrations, as the command line shows it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._definitions import definition_of
from .._store import Registration
from ..predicate import ANY, PredicateMatcher
from .formats import Edge, Node, dot_graph, rich_table, stacked
from .names import full_name, short_name, shown_place, to_json
from .provenance import Source, registered_for, registrations
from .tables import aligned

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Registrations", "matcher_entries"]


class Registrations:
    """Everything that is registered in a composition.

    :param lookup: a registry, or a composition of registries.
    :raises ValueError: if the composition contains itself.
    """

    def __init__(self, lookup: Any) -> None:
        self._by_key: dict[Any, list[tuple[Source, Registration]]] = {}
        for source, registration in registrations(lookup):
            self._by_key.setdefault(registration.key, []).append((source, registration))

    def __len__(self) -> int:
        return sum(map(len, self._by_key.values()))

    def __str__(self) -> str:
        lines = []
        for key in self._by_key:
            lines.append(full_name(key))
            rows = aligned(self._rows(key), (40, 40, 20, sys.maxsize))
            lines += [f"  {row}" for row in rows]
        return "\n".join(lines) or "nothing is registered"

    def as_table(self) -> RenderableType:
        """Make tables for rich.

        :return: a table for each key.
        :raises ImportError: if rich is not installed.
        """
        headings = ("registered for", "component", "in", "place")
        return stacked(
            rich_table(full_name(key), headings, self._rows(key)) for key in self._by_key
        )

    def as_data(self) -> list[dict[str, Any]]:
        """Convert it to data.

        :return: a dictionary for each registration, with values that JSON has.
        """
        return [
            {
                "key": full_name(registration.key),
                "classes": list(map(full_name, registration.classes)),
                "rest": list(map(full_name, registration.rest)),
                "component": full_name(registration.component),
                "filename": registration.filename,
                "lineno": registration.lineno,
                "lookup": source.name,
                "predicates": [
                    {
                        "predicates": {name: to_json(value) for name, value in predicates.items()},
                        "component": full_name(component),
                        **dict(zip(("filename", "lineno"), place or (None, None), strict=True)),
                    }
                    for predicates, component, place in matcher_entries(registration.component)
                ],
            }
            for source, registration in self._all()
        ]

    def as_dot(self) -> str:
        """Write a graph for Graphviz.

        :return: the graph, in the language DOT: an edge for each registration.
        """
        nodes: dict[str, Node] = {}
        edges = []
        for source, registration in self._all():
            ends = full_name(registration.key), full_name(registration.component)
            nodes.update((name, Node(name, name)) for name in ends)
            edges.append(Edge(*ends, f"{registered_for(registration)} in {source.name}"))
        return dot_graph("registrations", nodes.values(), edges)

    def _all(self) -> Iterator[tuple[Source, Registration]]:
        for registered in self._by_key.values():
            yield from registered

    def _rows(self, key: Any) -> list[tuple[str, ...]]:
        return [
            row
            for source, registration in self._by_key[key]
            for row in _rows(source.name, registration)
        ]


def _rows(name: str, registration: Registration) -> Iterator[tuple[str, ...]]:
    """The cells of a registration; below it, the entries of a predicate matcher."""
    component = short_name(registration.component)
    yield registered_for(registration), component, name, shown_place(registration.place)
    for predicates, value, place in matcher_entries(registration.component):
        given = ", ".join(f"{name}={value!r}" for name, value in predicates.items())
        shown = "" if place is None else shown_place(f"{place[0]}:{place[1]}")
        yield f"  {given or 'anything'}", short_name(value), "", shown


def matcher_entries(
    component: Any,
) -> Iterator[tuple[dict[str, Any], Any, tuple[str, int] | None]]:
    """List the entries of a predicate matcher.

    :param component: any component; of one that is no predicate matcher, there are no entries.
    :return: for each entry the predicates that count, the component, and its file and line.
    """
    if isinstance(component, PredicateMatcher):
        for predicates, value in component.registry.entries():
            named = {name: given for name, given in predicates.items() if given is not ANY}
            yield named, value, definition_of(value)
