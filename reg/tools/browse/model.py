"""The model of the page of an application: all that it shows, as plain data."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from ..._composition import parts_of
from ..._dispatch_spec import dispatch_of
from ..._signatures import signature_with_deferred
from ..._store import Registration
from ...compose import CachingClassLookup, ChainClassLookup, MergedClassLookup
from ...lookup import Lookup
from ..check import check
from ..finding import Finding
from ..names import full_name, short_name, shown_place
from ..provenance import Source, lookup_name, sources
from .catalogue import Catalogue, Implementation, Registry, place_of
from .dispatch_table import Table, make_table

__all__ = ["Application", "Generic", "Part", "Placed", "application"]

# The number of cells on a page, for all tables together, and for one of them.
_CELLS, _CELLS_OF_A_TABLE, _LEAST_CELLS = 20_000, 3_000, 225


@dataclass(frozen=True, slots=True)
class Part:
    """A lookup of the composition, with those it is composed of."""

    label: str
    #: how its parts are asked; the class of a part that answers on its own
    rule: str
    parts: tuple[Part, ...]
    #: the number of the registry, for a part that answers on its own
    registry: int | None
    #: whether its parts are asked as if they were one
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding, and the implementation that it is shown beside."""

    number: int
    finding: Finding
    #: its places, as they are shown
    places: tuple[str, ...]
    #: the number of the finding that has the same cause; ``None`` for the first of them
    cause: int | None
    #: the numbers of the implementations it is about, the most important one first
    implementations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Generic:
    """A generic function, or another key, with all that is registered under it."""

    number: int
    name: str
    full: str
    signature: str
    #: the first line of its docstring
    summary: str
    place: str
    implementations: tuple[Implementation, ...]
    #: a table for each number of classes
    tables: tuple[Table, ...]
    findings: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that the page shows."""

    title: str
    composition: Part
    registries: tuple[Registry, ...]
    generics: tuple[Generic, ...]

    @property
    def implementations(self) -> list[Implementation]:
        """The implementations of all generic functions."""
        return [one for generic in self.generics for one in generic.implementations]

    @property
    def findings(self) -> list[Placed]:
        """The findings about all generic functions."""
        return [placed for generic in self.generics for placed in generic.findings]

    @property
    def summary(self) -> str:
        """The counts of all that is shown, in words."""
        counts = [
            (len(self.generics), "generic function", "generic functions"),
            (len(self.implementations), "implementation", "implementations"),
            (len(self.registries), "registry", "registries"),
            (len(self.findings), "finding", "findings"),
        ]
        return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts)


def application(lookup: Any, title: str) -> Application:
    """Collect all that the page of an application shows.

    :param lookup: a lookup, a registry or a class lookup.
    :param title: the heading of the page.
    :return: the data. Third-party class lookups are asked about classes, predicate matchers about
      the predicates that they have entries for; nothing else is called.
    :raises TypeError: if ``lookup`` is no lookup.
    :raises ValueError: if the lookup is composed of itself.
    """
    findings = check(lookup)
    catalogue = Catalogue(lookup)
    tables = _tables(lookup if isinstance(lookup, Lookup) else Lookup(lookup), catalogue)
    placed = _placed(findings, catalogue)
    return Application(
        title,
        _part(lookup, "", iter(sources(lookup)), catalogue),
        tuple(catalogue.registries),
        tuple(
            Generic(
                number=number,
                name=short_name(key),
                full=full_name(key),
                signature=_signature(key),
                summary=_summary(key),
                place=_place(key),
                implementations=tuple(catalogue.implementations[key]),
                tables=tuple(tables[key]),
                findings=tuple(placed.get(key, ())),
            )
            for number, key in enumerate(catalogue.registrations, 1)
        ),
    )


def _tables(lookup: Lookup, catalogue: Catalogue) -> dict[Hashable, list[Table]]:
    """Make for each key a table for one class, one for two classes …, as far as there is room."""
    groups: dict[Hashable, dict[int, list[Registration]]] = {}
    for key, registrations in catalogue.registrations.items():
        by_count = groups.setdefault(key, {})
        for registration in registrations:
            if registration.classes:
                by_count.setdefault(len(registration.classes), []).append(registration)
    room, left = _CELLS, sum(map(len, groups.values()))
    tables: dict[Hashable, list[Table]] = {}
    for key, by_count in groups.items():
        made = tables.setdefault(key, [])
        for count in sorted(by_count):
            # A small table leaves its room to the later ones.
            limit = max(_LEAST_CELLS, min(_CELLS_OF_A_TABLE, room // left))
            made.append(make_table(lookup, key, by_count[count], catalogue, limit))
            room, left = max(0, room - made[-1].size), left - 1
    return tables


def _part(part: Any, path: str, leaves: Iterator[Source], catalogue: Catalogue) -> Part:
    below = parts_of(part, path)
    if not below or getattr(part, "registry", None) is below[0][1]:
        source = next(leaves)
        return Part(source.name, type(part).__name__, (), catalogue.number_of(source))
    parts = tuple(_part(child, step, leaves, catalogue) for step, child in below)
    rule = _rule(part, len(parts))
    if len(parts) == 1 and parts[0].registry is None:
        # One box for both.
        rule = ", ".join(filter(None, [rule, parts[0].rule]))
        only = parts[0]
        return Part(f"{lookup_name(part)} of {only.label}", rule, only.parts, None, only.merged)
    return Part(lookup_name(part), rule, parts, None, isinstance(part, MergedClassLookup))


def _rule(part: Any, count: int) -> str:
    """How the parts of a lookup are asked."""
    if isinstance(part, MergedClassLookup):
        return "asked as one: the more specific wins"
    if isinstance(part, CachingClassLookup):
        return "keeps all results until clear()"
    if isinstance(part, ChainClassLookup):
        return "the first, then the next"
    return "asked in order" if count > 1 else ""


def _placed(findings: list[Finding], catalogue: Catalogue) -> dict[Hashable, list[Placed]]:
    """Find for each finding the key and the implementations that it is about."""
    placed: dict[Hashable, list[Placed]] = {}
    number = 0
    for first in findings:
        cause = None
        for finding in (first, *first.same_cause):
            number += 1
            keys = [key for key in catalogue.implementations if full_name(key) == finding.key]
            about = {
                key: [
                    one.number
                    for place in finding.places
                    for one in catalogue.implementations[key]
                    if place == one.registered_at
                ]
                for key in keys
            }
            # Of two keys with one name, the one that has a registration at the place.
            key = next((key for key in keys if about[key]), keys[0])
            places = tuple(map(shown_place, finding.places))
            numbers = tuple(dict.fromkeys(about[key]))
            placed.setdefault(key, []).append(Placed(number, finding, places, cause, numbers))
            cause = number if finding is first else cause
    return placed


def _signature(key: Any) -> str:
    if (dispatch := dispatch_of(key)) is None:
        return ""
    try:
        signature = signature_with_deferred(dispatch.function)
    except (TypeError, ValueError):
        return ""
    parameters = [
        parameter.replace(annotation=_unquoted(parameter.annotation))
        for parameter in signature.parameters.values()
    ]
    result = _unquoted(signature.return_annotation)
    return str(signature.replace(parameters=parameters, return_annotation=result))


class _Unquoted(str):
    """An annotation that is shown as it was written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _unquoted(annotation: Any) -> Any:
    return _Unquoted(annotation) if isinstance(annotation, str) else annotation


def _summary(key: Any) -> str:
    if dispatch_of(key) is None:
        return ""
    return (inspect.getdoc(key) or "").partition("\n\n")[0].replace("\n", " ")


def _place(key: Any) -> str:
    dispatch = dispatch_of(key)
    return "" if dispatch is None else shown_place(place_of(dispatch.function))
