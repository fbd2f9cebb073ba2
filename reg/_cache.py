"""The cache of one lookup: plans by key and classes, and what invalidates them.

A plan is cached by the classes it was made for, which are referred to weakly. It is valid until
one of these events; the list is complete:

* the registrations under its key: a registry notifies its observers
  (:meth:`LookupCache.invalidate`), which drop the tables of that key;
* the composition: assigning to an attribute notifies the observers
  (:meth:`LookupCache.invalidate_all`). A list can be changed in place, so every call compares
  it with a snapshot;
* the virtual subclasses of an abstract class, and the classes registered by name that are
  loaded, with their bases: tables with such registrations have a guard;
* the bases of a class, and those of the abstract classes registered: the calls in C compare
  them, or the versions of the classes; without these, they are compared whenever a registry
  changes;
* the death of a class: its weak reference removes the plans.

Readers take no lock. A reader takes its table first, then reads the stores of the registries,
then caches the plan in that table. A writer publishes the new store first and drops the table
afterwards. So a late plan from before a change ends in a table that nobody reads any more.
"""

from __future__ import annotations

import functools
import itertools
import weakref

from ._cached_table import CachedTable, Guard
from ._chains import end_step
from ._composition import refuse_circle
from ._errors import ComponentLookupError
from ._fastcall import CallTables, Step, compiled
from ._lock import registry_lock
from ._observers import Observable, ObservableClassLookup
from ._plan import Plan, adapters, make_plan
from ._store import ClassTrie, Store, merged
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from typing import Any, Final, NoReturn, TypeAlias

    from ._classes import NamedClass
    from ._dispatch_spec import DispatchSpec

__all__ = ["LookupCache", "invalidate_all_caches", "make_call_plan", "make_key_plan"]

#: Weak references to all caches, by their identities.
_caches: dict[int, weakref.ref[LookupCache]] = {}

# Where any number of arguments dispatches, there is no fast path for more of them.
_MOST_COLLECTED: Final = 16

#: Class lookups of which all registrations are sorted together; mostly a single one.
_Merged: TypeAlias = "tuple[ObservableClassLookup, ...]"


class LookupCache(CallTables):
    """All that one lookup has cached.

    :param lookup: has a ``class_lookup``, and keeps its cache as ``_reg_cache``.
    """

    def __init__(self, lookup: Any) -> None:
        super().__init__()
        # First, since the cache may die before the rest is there. Weak references to the generic
        # functions, which remove their tables. Only C code runs when one dies, so that nothing can
        # interrupt it.
        self._references: dict[int, list[weakref.ref[Any]]] = {}
        self._lookup = weakref.ref(lookup)
        self._sources: list[_Merged] | None = None
        # By key, for look-ups that are no calls of a generic function.
        self._key_tables: dict[Hashable, dict[int, CachedTable]] = {}
        # By the identity of a generic function.
        self._call_tables: dict[int, dict[int, CachedTable]] = {}
        # Only C code runs when a cache dies, so that nothing can interrupt it.
        identity = id(self)
        _caches[identity] = weakref.ref(self, functools.partial(_caches.pop, identity))

    def __del__(self) -> None:
        # The references refer to the tables and to each other. Without them, the plans die at
        # once, and not at the next garbage collection.
        self._references.clear()

    # Where candidates come from

    def sources(self) -> list[_Merged] | None:
        """List the class lookups that are asked, in order.

        :return: most are alone; those of a merged composition are together. ``None`` with a
          third-party class lookup among them: then nothing is cached.
        :raises ValueError: if a class lookup contains itself.
        :raises RecursionError: if it is composed in too many levels.
        """
        if self._sources is None and (lookup := self._lookup()) is not None:
            lists: list[tuple[list[Any], list[Any]]] = []
            try:
                sources = self._flatten(lookup.class_lookup, lists)
            except RecursionError as error:
                refuse_circle(lookup, error)
                raise
            if sources is not None:
                with registry_lock:
                    # The first thread has set the snapshots; it notices changes since then.
                    if self._sources is None:
                        self.watch(lists)
                        self._sources = sources
        return self._sources

    def _flatten(self, part: Any, lists: list[tuple[list[Any], list[Any]]]) -> list[_Merged] | None:
        if not isinstance(part, Observable):
            return None
        # First observe, then read: a change in between is noticed either way.
        part._reg_add_observer(self)
        if isinstance(part, ObservableClassLookup) and not part._reg_uses_builtin_all():
            return None
        container = part._reg_parts()
        if container is None:
            return [(part,)] if isinstance(part, ObservableClassLookup) else None
        # A list is cheap to compare, and a tuple never changes. Another container is third-party.
        if type(container) not in (list, tuple):
            return None
        parts = list(container)
        if type(container) is list:
            if any(_has_equality(part) for part in parts):
                # Such a list can change and still be equal to its snapshot.
                return None
            lists.append((container, parts))
        sources: list[_Merged] = []
        for child in parts:
            below = self._flatten(child, lists)
            if below is None:
                return None
            sources += below
        if isinstance(part, ObservableClassLookup) and part._reg_merges:
            return [tuple(itertools.chain(*sources))]
        return sources

    def _snapshot(self) -> list[tuple[Store, ...]]:
        """The stores of all sources, as they were together at one moment.

        An empty tuple stands for a source without registrations of its own.
        """
        stores = self._stores()
        if len(stores) == 1 and len(stores[0]) < 2:
            # A single store is of one moment by itself.
            return stores
        while (again := self._stores()) != stores:
            stores = again
        return stores

    def _stores(self) -> list[tuple[Store, ...]]:
        return [
            tuple([source._reg_store for source in sources if source._reg_store is not None])
            for sources in self._sources or ()
        ]

    def _tries(self, key: Hashable) -> list[dict[int, ClassTrie]]:
        return [store.tries(key) for stores in self._snapshot() for store in stores]

    def candidates(self, key: Hashable, classes: tuple[type, ...]) -> Callable[[], Iterator[Any]]:
        """Make a function that iterates over all components for these classes, in order.

        :param key: the key of the registrations.
        :param classes: the classes of the arguments.
        :return: can be called several times, with the same components, since it reads one
          snapshot of the stores. Matchers are as they are.
        :raises TypeError: if a class that an annotation names is still not defined.
        """
        listed = self._sources or ()
        for sources in listed:
            for source in sources:
                source._reg_prepare(key, classes)
        snapshot = self._snapshot()

        def candidates() -> Iterator[Any]:
            for sources, stores in zip(listed, snapshot, strict=True):
                if stores:
                    for registration in merged(stores, key, classes):
                        yield registration.candidate
                for source in () if stores else sources:
                    yield from source._reg_candidates(key, classes)

        return candidates

    def counts(self, key: Hashable) -> int:
        """Get the numbers of classes that a key has registrations for, as bits."""
        tables = list(self._call_tables.get(id(key), {}).values())
        if tables:
            return tables[0].counts
        sources = itertools.chain(*(self._sources or ()))
        return _counts(
            [source._reg_store.tries(key) for source in sources if source._reg_store is not None]
        )

    # Plans

    def plan(self, key: Hashable, classes: tuple[type, ...]) -> Plan:
        """Get the plan of a look-up by key; its end raises :exc:`reg.ComponentLookupError`.

        :meth:`sources` must not be ``None``.

        :param key: the key of the registrations.
        :param classes: the classes of the arguments.
        :raises TypeError: if a class that an annotation names is still not defined.
        """
        tables = self._key_tables.get(key)
        if tables is None:
            if not any(self._tries(key)):
                # To cache it would keep the key alive.
                return self._make_plan(key, classes)
            tables = self._key_tables.setdefault(key, {})
        table = tables.get(len(classes))
        if table is None or not table.is_current():
            table = tables[len(classes)] = self._new_table(key, len(classes))
        plan: Any = table.entries.get(classes)
        if plan is MISSING:
            table.snapshot_mros(classes)
            plan = self._make_plan(key, classes)
            table.store(classes, plan)
        return plan  # type: ignore[no-any-return]

    def call_plan(self, spec: DispatchSpec, classes: tuple[type, ...]) -> Plan:
        """Get the plan of a call of a generic function; its end is the decorated function.

        :meth:`sources` must not be ``None``.

        :param spec: the generic function's.
        :param classes: the classes of the dispatch arguments.
        :raises TypeError: if a class that an annotation names is still not defined.
        """
        # The table is taken before the stores are read; see the top of this module.
        table = self._call_table(spec, len(classes))
        plan: Any = table.entries.get(classes)
        if plan is MISSING:
            table.snapshot_mros(classes)
            plan = make_call_plan(
                spec, self._lookup(), classes, self.candidates(spec.generic, classes)
            )
            table.store(classes, plan)
        return plan  # type: ignore[no-any-return]

    def _make_plan(self, key: Hashable, classes: tuple[type, ...]) -> Plan:
        return make_key_plan(key, self._lookup(), classes, self.candidates(key, classes))

    def _new_table(self, key: Hashable, arity: int) -> CachedTable:
        names: list[NamedClass] = []
        abstract: list[type] = []
        tries_of_sources = self._tries(key)
        for tries in tries_of_sources:
            for number, trie in tries.items():
                if number == arity or ~arity <= number < 0:
                    for position in trie.positions:
                        abstract += position.abstract
                        names += position.names
        guard = Guard(names) if abstract or names else None
        return CachedTable(arity, guard, tuple(abstract), _counts(tries_of_sources))

    def _call_table(self, spec: DispatchSpec, arity: int) -> CachedTable:
        generic = spec.generic
        identity = id(generic)
        table = self._call_tables.get(identity, {}).get(arity)
        if table is not None and table.is_current():
            return table
        is_fast = arity <= _MOST_COLLECTED if spec.collects else arity == len(spec.parameters)
        # Under the lock, so that a registration for an abstract class cannot come between
        # the table, which has no guard yet, and the writer that would drop it.
        with registry_lock:
            if is_fast and not spec.collects:
                self.close(identity)
            if identity not in self._references:
                holders = (self.calls, self._call_tables, self._references)
                self._references[identity] = [
                    weakref.ref(generic, functools.partial(holder.pop, identity))
                    for holder in holders
                ]
            table = self._new_table(generic, arity)
            if is_fast:
                # Before it is known as current: a table that is known but not open would
                # never be opened.
                self.open(identity, table.entries, spec.collects)
            # Read here: a registration may have dropped the tables for other numbers of
            # arguments meanwhile, and these must not come back.
            self._call_tables.setdefault(identity, {})[arity] = table
        return table

    def _forget_calls(self, identity: int) -> None:
        # Closed first: the table removes the entries of dead classes, until it is dropped.
        self.close(identity)
        self._call_tables.pop(identity, None)

    # Invalidation

    def invalidate(self, keys: Iterable[Hashable]) -> None:
        """Drop the plans under these keys, since their registrations have changed."""
        for key in keys:
            self._key_tables.pop(key, None)
            if type(key).__eq__ is object.__eq__:
                self._forget_calls(id(key))
            else:
                # Such a key may be equal to any generic function.
                self.invalidate_all()
                return
        # The entries in C compare the MROs themselves, at every call.
        if not compiled and self._has_changed_mros():
            self.invalidate_all()

    def invalidate_all(self) -> None:
        """Drop all plans, since other class lookups are asked from now on."""
        lookup = self._lookup()
        # A lookup that is being made, or copied, has none yet.
        if lookup is not None and getattr(lookup, "_reg_cache", None) is self:
            lookup._reg_set_cache(LookupCache(lookup))

    def _has_changed_mros(self) -> bool:
        by_number = list(self._call_tables.values())
        by_number += list(self._key_tables.values())
        return any(
            table.entries.has_changed_mros()
            for tables in by_number
            for table in list(tables.values())
        )


def invalidate_all_caches() -> None:
    """Drop all plans of all lookups, since plans are made otherwise from now on."""
    for reference in list(_caches.values()):
        if (cache := reference()) is not None:
            cache.invalidate_all()


def _counts(tries_of_sources: list[dict[int, ClassTrie]]) -> int:
    counts = 0
    for tries in tries_of_sources:
        for number in tries:
            counts |= _bits(number)
    return counts


def _bits(number: int) -> int:
    """The bit of a number of classes; for any number from the fewest on, infinitely many."""
    return 1 << number if number >= 0 else -1 << ~number


def make_call_plan(
    spec: DispatchSpec,
    lookup: Any,
    classes: tuple[type, ...],
    candidates: Callable[[], Iterable[Any]],
) -> Plan:
    """Make the plan of a call of a generic function; it ends at the decorated function."""
    dispatched = spec.dispatched if spec.names else None
    adapt, adapt_end = adapters(spec.generic, lookup, classes, spec.adapt)

    def make_end() -> Step:
        return end_step(spec.function, lookup, adapt_end)

    return make_plan(candidates, lookup, make_end, adapt, dispatched)


def make_key_plan(
    key: Hashable,
    lookup: Any,
    classes: tuple[type, ...],
    candidates: Callable[[], Iterable[Any]],
) -> Plan:
    """Make the plan of a call by key; its end raises :exc:`reg.ComponentLookupError`."""

    def make_end() -> Step:
        reference = weakref.ref(lookup)
        # An object can claim to be of a class that is none; to find candidates for it is an error.
        references = [weakref.ref(cls) for cls in classes if isinstance(cls, type)]

        def nothing_left(*args: object, **keywords: object) -> NoReturn:
            asked = tuple([cls for known in references if (cls := known()) is not None])
            raise ComponentLookupError(key=key, classes=asked, lookup=reference())

        return end_step(nothing_left, lookup)

    adapt, _ = adapters(key, lookup, classes)
    return make_plan(candidates, lookup, make_end, adapt, has_fallbacks=False)


def _has_equality(value: Any) -> bool:
    """Return whether a value may be equal to another one."""
    equals: Any = type(value).__eq__
    return equals is not object.__eq__
