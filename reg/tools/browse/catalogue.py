"""The catalogue of an application: its registries, and the implementations under each key."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..._classes import RegisteredClass
from ..._definitions import definition_of
from ..._mro import mro_of
from ..._store import Registration
from ...arginfo import takes_keyword
from ...registry import ClassRegistry
from ..listing import matcher_entries
from ..loaded import loaded_classes
from ..names import full_name, names_of, short_name, shown_place
from ..provenance import Source, registered_by_key, sources
from ..resolution import Candidate
from .axes import predicates_text

__all__ = ["Catalogue", "Implementation", "Registry", "place_of"]


@dataclass(frozen=True, slots=True)
class Registry:
    """A class lookup that answers on its own."""

    number: int
    name: str
    #: whether its registrations are known, which those of a third-party class lookup are not
    known: bool
    #: the number of its implementations
    size: int = 0


@dataclass(frozen=True, slots=True)
class Implementation:
    """A registered component, or an entry of a predicate matcher."""

    number: int
    name: str
    full: str
    #: the classes it is registered for, in parentheses
    classes: str
    #: the full names of these classes
    full_classes: tuple[str, ...]
    #: the values of predicates it is registered for; empty without a matcher
    predicates: str
    #: the number of its registry
    registry: int
    place: str
    takes_call_next: bool
    #: the place of the registration, as findings have it
    registered_at: str


class Catalogue:
    """Everything that is registered in a lookup, numbered.

    :param lookup: a lookup or class lookup.
    :raises ValueError: if it is composed of itself.
    """

    def __init__(self, lookup: Any) -> None:
        self._numbers: dict[int, int] = {}
        self._by_name: dict[str, int] = {}
        #: the registries in the order in which they are asked, each once
        self.registries: list[Registry] = []
        self._merged: dict[int, int] = {}
        #: the registrations under each key
        self.registrations: dict[Hashable, list[Registration]] = {}
        #: the implementations under each key, in the order of a call as far as it is the same for
        #: all classes: by registry, the more specific first
        self.implementations: dict[Hashable, list[Implementation]] = {}
        self._of_component: dict[Any, list[tuple[Implementation, Mapping[str, Any]]]] = {}
        for source in sources(lookup):
            self._add_registry(source)
        self._count = 0
        for key, registered in registered_by_key(lookup).items():
            listed = [(source, entry) for source, entries in registered for entry in entries]
            self.registrations[key] = [registration for _, registration in listed]
            listed.sort(key=self._ranking([registration for _, registration in listed]))
            self.implementations[key] = [
                implementation
                for source, registration in listed
                for implementation in self._add(key, source, registration)
            ]

    def number_of(self, source: Source) -> int:
        """Get the number of the registry that a class lookup of the composition is."""
        return self._numbers[id(source.class_lookup)]

    def implementation_of(self, key: Hashable, candidate: Candidate) -> Implementation | None:
        """Find the implementation that a candidate of a look-up is.

        :param key: the key of the look-up.
        :param candidate: one of its candidates.
        :return: ``None`` if it is none of the registered ones.
        """
        if candidate.classes is None:
            return None
        component = candidate.registered if candidate.component is None else candidate.component
        number = self._by_name.get(candidate.lookup)
        known = self._of_component.get(
            _identity(key, component, candidate.classes, candidate.unions), []
        )
        asked = candidate.predicates or {}
        matching = [
            implementation
            for implementation, given in known
            if all(asked.get(name) == value for name, value in given.items())
        ]
        here = [one for one in matching if one.registry == number]
        return next(iter([*here, *matching]), None)

    def registry_of(self, candidate: Candidate) -> int | None:
        """Get the number of the registry that a candidate comes from; ``None`` if unknown."""
        return self._by_name.get(candidate.lookup)

    def _add_registry(self, source: Source) -> None:
        number = self._numbers.setdefault(id(source.class_lookup), len(self.registries) + 1)
        self._by_name.setdefault(source.name, number)
        if number <= len(self.registries):
            return
        # The registries of a merged class lookup are asked as one.
        self._merged[number] = number
        if source.merged is not None:
            self._merged[number] = self._merged.setdefault(-id(source.merged), number)
        known = isinstance(source.class_lookup, ClassRegistry)
        size = (
            sum(
                len(list(matcher_entries(registration.component))) or 1
                for registration in source.class_lookup.registrations()
            )
            if known
            else 0
        )
        self.registries.append(Registry(number, source.name, known, size))

    def _ranking(self, registrations: list[Registration]) -> Any:
        """A sort key: by registry, then the more specific first, position by position."""
        order: dict[Any, int] = {}
        for registration in registrations:
            for cls in map(full_name, registration.classes):
                order.setdefault(cls, len(order))

        def rank(listed: tuple[Source, Registration]) -> Any:
            source, registration = listed
            number = self.number_of(source)
            loaded = loaded_classes(registration.classes)
            depths = [0] * len(registration.classes)
            if loaded is not None:
                depths = [-len(mro_of(cls)) for cls in loaded]
            names = [order[full_name(cls)] for cls in registration.classes]
            specific = list(zip(depths, names, strict=True))
            return self._merged[number], len(registration.classes), specific, number

        return rank

    def _add(
        self, key: Hashable, source: Source, registration: Registration
    ) -> Iterator[Implementation]:
        """Number the implementations of a registration."""
        entries = list(matcher_entries(registration.component))
        entries = entries or [({}, registration.component, None)]
        for given, component, _ in entries:
            self._count += 1
            is_entry = component is not registration.component
            implementation = Implementation(
                number=self._count,
                name=short_name(component),
                full=full_name(component),
                classes=names_of(registration.classes, registration.unions),
                full_classes=tuple(map(full_name, registration.classes)),
                predicates=predicates_text(given) if is_entry else "",
                registry=self.number_of(source),
                place=shown_place(place_of(component) if is_entry else registration.place),
                takes_call_next=takes_keyword(component, "call_next"),
                registered_at=registration.place,
            )
            identity = _identity(key, component, registration.classes, registration.unions)
            self._of_component.setdefault(identity, []).append((implementation, given))
            yield implementation


def place_of(value: Any) -> str:
    """Find the file and line of a function or class; an empty string if they are not known."""
    if (defined := definition_of(value)) is not None:
        return f"{defined[0]}:{defined[1]}"
    if not isinstance(value, type):
        return ""
    try:
        return f"{inspect.getsourcefile(value)}:{inspect.findsource(value)[1] + 1}"
    except (OSError, TypeError):
        return ""


def _identity(
    key: Hashable,
    component: Any,
    classes: tuple[RegisteredClass, ...],
    unions: tuple[tuple[RegisteredClass, ...], ...],
) -> Any:
    return key, id(component), *map(full_name, classes), names_of(classes, unions)
