"""The answers that a lookup remembers, and what makes them invalid.

An answer is kept by the classes it was asked for, none of which is kept alive
by it. It is valid until one of these things changes, and here is all that
watches them:

* the registrations it came from: a registry tells its observers
  (:meth:`Answers.forget`), which drop the tables of that key;
* the composition: assigning to an attribute tells the observers
  (:meth:`Answers.expire`); a list that was composed is anybody's to change, so
  every call compares it with its copy (``watched`` and ``seen``);
* what is a virtual subclass of what, and which classes registered by name are
  loaded, with which bases: tables with such registrations carry a guard;
* the bases of a class, and those of the abstract classes registered: looked at
  by the entries at every call where these are in C, and otherwise whenever a
  registry changes;
* a class that died: its weak reference takes the answers along.

Nothing is locked for reading. Whoever looks something up takes its table
first, then reads the registries, then stores; whoever changes something does
so first and drops the table afterwards. So a late answer from before a change
ends in a table that nobody reads any more.
"""

from __future__ import annotations

import abc
import functools
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator

from ._classes import NamedClass, is_abstract, loaded_class
from ._components import Components, read_consistently
from ._fastcall import CallTables, Entries, compiled
from ._lock import registry_lock
from ._mro import mro_of
from .sentinel import MISSING, Sentinel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Answers", "Observed", "ObservedClassLookup", "Table", "forget_former"]

# Remembered where there was no component; MISSING means that nobody asked yet.
_NOTHING = Sentinel("NOTHING")


class Observed:
    """What answers are found through: it tells those who remember them when it changes."""

    def _reg_composed(self) -> Iterable[Any] | None:
        """What is asked one after the other; ``None`` if this answers on its own.

        It is the very container that others may change.
        """
        return None

    def _reg_observe(self, answers: Answers) -> None:
        """Tell these answers of every change from now on."""
        observers: dict[int, weakref.ref[Answers]] = self.__dict__.setdefault("_reg_observers", {})
        identity = id(answers)
        # Nothing of Python runs when they die, so that nothing can interrupt it:
        # the reference becomes the default of pop().
        observers[identity] = weakref.ref(answers, functools.partial(observers.pop, identity))

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle has: not those who remember what is found here."""
        return {name: value for name, value in self.__dict__.items() if name != "_reg_observers"}

    def _reg_observing(self) -> list[Answers]:
        references = list(self.__dict__.get("_reg_observers", {}).values())
        return [answers for reference in references if (answers := reference()) is not None]

    def _reg_compose(self, attribute: str, value: object) -> None:
        """Set an attribute that says who is asked, and tell the observers; or do neither."""
        before = self.__dict__.get(attribute, MISSING)
        try:
            self.__dict__[attribute] = value
            self._reg_recomposed()
        except BaseException:
            if before is not MISSING:
                self.__dict__[attribute] = before
            # Some have found out already what is asked no more.
            self._reg_recomposed()
            raise

    def _reg_recomposed(self) -> None:
        """Tell the observers that others are asked from now on."""
        for answers in self._reg_observing():
            answers.expire()


class ObservedClassLookup(Observed):
    """What the package's own class lookups have in common.

    A subclass that defines ``all`` itself is not taken for one of them any
    more, and asked every time.
    """

    def _reg_components(self) -> Components | None:
        """The components of a class lookup that answers from registrations of its own."""
        return None

    def _reg_candidates(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Any]:
        """What ``all()`` gives, found only as far as it is asked for."""
        raise NotImplementedError(f"{type(self).__name__} is asked through its parts")

    def _reg_answers_itself(self) -> bool:
        definition = next(cls for cls in type(self).__mro__ if "all" in vars(cls))
        return definition.__module__.partition(".")[0] == __package__ and "all" not in vars(self)


class Table:
    """Answers to one question, by the classes it was asked for.

    :param depth: for how many classes it is asked.
    :param guard: tells whether the answers still hold; ``None`` if nothing
      but an explicit change can make them invalid.
    :param abstract: the abstract classes that the answers depend on. They are
      in the MRO of no class that is asked for, but decide by theirs where they
      stand in the order.
    """

    __slots__ = ("__weakref__", "_abstract", "_bases", "_guard", "entries", "orders", "references")

    def __init__(
        self,
        depth: int,
        guard: Callable[[], bool] | None = None,
        abstract: tuple[type, ...] = (),
    ) -> None:
        self.entries = Entries(depth, guard, abstract)
        self._guard = guard
        self._abstract = abstract
        #: the classes that there are answers for, and their bases
        self.references: dict[int, weakref.ref[type]] = {}
        #: the MROs by which the answers were found, as identities
        self.orders: dict[int, tuple[int, ...]] = {}
        self._bases: set[int] = set()

    def is_current(self) -> bool:
        return self._guard is None or self._guard()

    def watch(self, classes: tuple[type, ...]) -> None:
        """Note the MROs by which an answer for these classes is about to be found."""
        self.entries.watch(classes)
        references = self.references
        for cls in (*self._abstract, *classes):
            if id(cls) not in self.orders:
                mro = mro_of(cls)
                order = tuple(map(id, mro))
                # Most of them are known from other classes.
                for base, identity in zip(mro, order, strict=True):
                    if identity not in references:
                        self._refer_to(base, identity)
                self._bases.update(order[1:])
                self.orders[id(cls)] = order

    def store(self, classes: tuple[type, ...], answer: Any) -> None:
        """Remember an answer for as long as all of the classes live."""
        self.entries.store(classes, answer)

    def _refer_to(self, cls: type, identity: int) -> None:
        if not _flags_of(cls) & _CAN_DIE:
            return
        table = weakref.ref(self)

        def forget(_: object) -> None:
            if (remembering := table()) is not None:
                remembering._forget(identity)

        self.references[identity] = weakref.ref(cls, forget)

    def _forget(self, identity: int) -> None:
        # Runs when the class dies, before another one can have its address.
        self.entries.forget(identity)
        self.orders.pop(identity, None)
        self.references.pop(identity, None)
        if identity in self._bases:
            # It was a base of others until theirs were changed.
            self._bases.discard(identity)
            affected = [each for each, order in list(self.orders.items()) if identity in order]
            if any(id(cls) in affected for cls in self._abstract):
                # All answers were found by its MRO.
                affected = list(self.orders)
            for derived in affected:
                self.entries.forget(derived)
                self.orders.pop(derived, None)


# Set in the flags of all classes but the static ones of C (Py_TPFLAGS_HEAPTYPE).
_CAN_DIE = 1 << 9
# Whatever the metaclass says of attributes.
_flags_of = type.__dict__["__flags__"].__get__


class Answers(CallTables):
    """Everything that one lookup remembers.

    :param lookup: has a ``class_lookup``, and keeps its answers as ``_reg_answers``.
    """

    def __init__(self, lookup: Any) -> None:
        super().__init__()
        self._lookup = weakref.ref(lookup)
        self._leaves: list[ObservedClassLookup] | None = None
        self._tables: dict[Hashable, dict[tuple[str, int], Table]] = {}
        # by the identity of a generic function, its tables by number of arguments
        self._call_tables: dict[int, tuple[dict[int, Table], weakref.ref[Any]]] = {}
        identity = id(self)
        _all_answers[identity] = weakref.ref(self, functools.partial(_all_answers.pop, identity))

    # What is asked

    def leaves(self) -> list[ObservedClassLookup] | None:
        """The class lookups that answer, in order; ``None`` if a stranger is among them.

        As long as this is ``None``, nothing is remembered.
        """
        if self._leaves is None and (lookup := self._lookup()) is not None:
            lists: list[tuple[list[Any], list[Any]]] = []
            try:
                leaves = self._resolve(lookup.class_lookup, lists)
            except RecursionError as error:
                error.add_note(
                    f"What {type(lookup).__name__} asks is composed without end, or in too many"
                    " levels: does a class lookup contain itself?"
                )
                raise
            if leaves is not None:
                with registry_lock:
                    # Whoever was first has watched since; what changed in between, it notices.
                    if self._leaves is None:
                        self.watch(lists)
                        self._leaves = leaves
        return self._leaves

    def _resolve(
        self, part: Any, lists: list[tuple[list[Any], list[Any]]]
    ) -> list[ObservedClassLookup] | None:
        if not isinstance(part, Observed):
            return None
        # First observe, then read: a change in between is noticed either way.
        part._reg_observe(self)
        if isinstance(part, ObservedClassLookup) and not part._reg_answers_itself():
            return None
        composed = part._reg_composed()
        if composed is None:
            return [part] if isinstance(part, ObservedClassLookup) else None
        # Only these two can be watched: one tells at a glance, one never changes.
        if type(composed) not in (list, tuple):
            return None
        parts = list(composed)
        if type(composed) is list:
            if any(_compares(each) for each in parts):
                # Such a list can change and still be equal to its copy.
                return None
            lists.append((composed, parts))
        leaves: list[ObservedClassLookup] = []
        for each in parts:
            below = self._resolve(each, lists)
            if below is None:
                return None
            leaves += below
        return leaves

    def first(self, key: Hashable, classes: tuple[type, ...]) -> Any:
        """The first component for these classes, or ``MISSING``; only if there are leaves."""
        found = self._answer(
            "first", key, classes, lambda: next(self._candidates(key, classes), _NOTHING)
        )
        return MISSING if found is _NOTHING else found

    def look_up(self, key: Hashable, classes: tuple[type, ...]) -> Any:
        """What :meth:`first` gives, but found anew and not remembered."""
        return self.consistently(lambda: next(self._candidates(key, classes), MISSING))

    def every(self, key: Hashable, classes: tuple[type, ...]) -> tuple[Any, ...]:
        """All components for these classes, in order; only if there are leaves."""
        found: tuple[Any, ...] = self._answer(
            "every", key, classes, lambda: tuple(self._candidates(key, classes))
        )
        return found

    def _answer(
        self, kind: str, key: Hashable, classes: tuple[type, ...], find: Callable[[], Any]
    ) -> Any:
        tables = self._tables.get(key)
        if tables is None:
            if not self._is_known(key):
                # Remembering it would keep the key alive.
                return self.consistently(find)
            tables = self._tables.setdefault(key, {})
        table = tables.get((kind, len(classes)))
        if table is None or not table.is_current():
            table = tables[kind, len(classes)] = self.table(key, len(classes))
        answer = table.entries.get(classes)
        if answer is MISSING:
            table.watch(classes)
            answer = self.consistently(find)
            table.store(classes, answer)
        return answer

    def _candidates(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Any]:
        for leaf in self._leaves or ():
            yield from leaf._reg_candidates(key, classes)

    def consistently(self, read: Callable[[], Any]) -> Any:
        """Read so that no half of a change to any of the registries is seen."""
        return read_consistently(self._components(), read)

    def _components(self) -> list[Components]:
        found = [leaf._reg_components() for leaf in self._leaves or ()]
        return [components for components in found if components is not None]

    def _is_known(self, key: Hashable) -> bool:
        return any(key in components for components in self._components())

    # What is remembered

    def table(self, key: Hashable, arity: int) -> Table:
        """A new table for answers under a key, with the guard that they need."""
        names: list[NamedClass] = []
        abstract: list[type] = []
        for components in self._components():
            abstract += components.abstract_classes(key, arity)
            names += components.names(key, arity)
        guard = _Validator(names) if abstract or names else None
        return Table(arity, guard, tuple(abstract))

    def call_table(self, generic: Callable[..., Any], arity: int, warm: bool) -> Table:
        """The table of implementations for calls of a generic function; made if there is none.

        :param arity: how many arguments dispatch.
        :param warm: whether this is the number that warm calls have, so that
          they are to find the entries in ``calls``.
        """
        identity = id(generic)
        tables, _ = self._call_tables.get(identity, ({}, None))
        table = tables.get(arity)
        if table is not None and table.is_current():
            return table
        answers = weakref.ref(self)

        def forget(_: object) -> None:
            if (remembering := answers()) is not None:
                remembering._forget_calls(identity)

        # Under the lock, so that a registration for an abstract class cannot come
        # between the table, which has no guard yet, and those who would drop it.
        with registry_lock:
            if warm:
                self.close(identity)
            # Read again: a registration may have dropped these tables meanwhile,
            # and those for other numbers of arguments must not come back.
            tables, _ = self._call_tables.get(identity, ({}, None))
            table = self.table(generic, arity)
            if warm:
                # Before it is known as current: what is known but not open would
                # never be opened.
                self.open(identity, table.entries)
            tables[arity] = table
            self._call_tables[identity] = (tables, weakref.ref(generic, forget))
        return table

    def _forget_calls(self, identity: int) -> None:
        # Closed first: without its table, nothing tells the entries of dead classes.
        self.close(identity)
        self._call_tables.pop(identity, None)

    def forget(self, keys: Iterable[Hashable]) -> None:
        """Drop what was found under these keys, since their registrations have changed."""
        for key in keys:
            self._tables.pop(key, None)
            if type(key).__eq__ is object.__eq__:
                self._forget_calls(id(key))
            else:
                # Who knows which functions such a key is equal to.
                self.expire()
                return
        # The entries in C look at the bases themselves, at every call.
        if not compiled and self._bases_changed():
            self.expire()

    def expire(self) -> None:
        """Drop everything, since other class lookups are asked from now on."""
        lookup = self._lookup()
        if lookup is not None and lookup._reg_answers is self:
            lookup._reg_remember(Answers(lookup))

    def _bases_changed(self) -> bool:
        """Tell whether a class has another MRO than when answers were found by it."""
        tables: list[Table] = []
        for of_generic, _ in list(self._call_tables.values()):
            tables += of_generic.values()
        for of_key in list(self._tables.values()):
            tables += of_key.values()
        references: dict[int, weakref.ref[type]] = {}
        orders: dict[int, tuple[int, ...]] = {}
        for table in tables:
            references.update(table.references)
            orders.update(table.orders)
        return any(
            identity in references
            and (cls := references[identity]()) is not None
            and tuple(map(id, mro_of(cls))) != order
            for identity, order in orders.items()
        )


#: all there are, by their identities
_all_answers: dict[int, weakref.ref[Answers]] = {}


def forget_former(generic: Callable[..., Any]) -> None:
    """Drop what is left of one that died at the address of a new generic function.

    What drops it when one dies is a call in Python, which can be interrupted, or
    be one too many for the limit of recursion.
    """
    for reference in list(_all_answers.values()):
        if (answers := reference()) is not None and id(generic) in answers._call_tables:
            answers._forget_calls(id(generic))


def _compares(value: Any) -> bool:
    """Tell whether a value may be equal to another."""
    equals: Any = type(value).__eq__
    return equals is not object.__eq__


class _Validator:
    """Validates values that depend on virtual subclasses and named classes.

    The entries in C compare ``token`` themselves, and call ``named`` only.

    :param names: the classes registered by name.
    """

    __slots__ = ("named", "token")

    def __init__(self, names: list[NamedClass]) -> None:
        #: changes whenever any class gets a virtual subclass
        self.token = abc.get_cache_token()
        loaded = [(name, _is_still(loaded_class(name))) for name in names]
        #: whether the names stand for the classes that they stood for; ``None`` without names
        self.named = functools.partial(_are_still, loaded) if loaded else None

    def __call__(self) -> bool:
        return abc.get_cache_token() == self.token and (self.named is None or self.named())


def _are_still(loaded: list[tuple[NamedClass, Callable[[type | None], bool]]]) -> bool:
    return all(is_still(loaded_class(name)) for name, is_still in loaded)


def _is_still(remembered: type | None) -> Callable[[type | None], bool]:
    """Make the check that a name stands for what it stood for, and for that in the same place.

    Of an abstract class, answers depend on the bases, though it may be in the MRO
    of no class that is asked for.
    """
    if remembered is None:
        return _is_none
    reference = weakref.ref(remembered)
    # A class that died must not be taken for one that was never there.
    if not is_abstract(remembered):
        return lambda found: found is not None and found is reference()
    order = [weakref.ref(base) for base in mro_of(remembered)]

    def is_still(found: type | None) -> bool:
        if found is None or found is not reference():
            return False
        mro = mro_of(found)
        return len(mro) == len(order) and all(map(_refers_to, order, mro))

    return is_still


def _is_none(found: type | None) -> bool:
    return found is None


def _refers_to(reference: weakref.ref[type], cls: type) -> bool:
    return reference() is cls
