"""Class lookups made of other class lookups."""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, MutableMapping

from ._dispatch_spec import canonical_key
from ._lock import ReentrantLock, registry_lock
from ._mro import mro_of
from ._observers import ObservableClassLookup
from ._store import Registration, merged
from .interfaces import IClassLookup, refuse_unless_class_lookup
from .lookup import Lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

__all__ = ["CachingClassLookup", "ChainClassLookup", "ListClassLookup", "MergedClassLookup"]


class _Composition(ObservableClassLookup, IClassLookup):
    """Asks several class lookups, in order."""

    def _reg_parts(self) -> Iterable[Any]:
        raise NotImplementedError

    def get(self, key: Hashable, classes: Iterable[type]) -> Any:
        """Ask the class lookups in turn.

        A hit of an earlier one, be it through a base class, beats every hit of
        a later one.

        :return: the first component found, or ``None``.
        """
        classes = tuple(classes)
        for part in self._reg_parts():
            found = _class_lookup_of(part).get(key, classes)
            if found is not None:
                return found
        return None

    def all(self, key: Hashable, classes: Iterable[type]) -> list[Any]:
        """Ask all of the class lookups.

        :return: a new list: all components of the first, then all of the next.
        """
        classes = tuple(classes)
        return [
            component
            for part in self._reg_parts()
            for component in _class_lookup_of(part).all(key, classes)
        ]


class _Listed(_Composition):
    """Class lookups in a list, or in another container."""

    _reg_lookups: Any

    def __init__(self, lookups: Iterable[Any], *more: Any) -> None:
        if more:
            names = ", ".join(map(repr, (lookups, *more)))
            raise TypeError(f"ListClassLookup() takes one list: ListClassLookup([{names}])")
        self.lookups = lookups

    @property
    def lookups(self) -> Any:
        """The class lookups, in the order they are asked."""
        return self._reg_lookups

    @lookups.setter
    def lookups(self, lookups: Iterable[Any]) -> None:
        # An iterator can be read only once. Anything else is kept, so that what
        # is put into it later is asked.
        kept = list(lookups) if isinstance(lookups, Iterator) else lookups
        if not isinstance(kept, Iterable) and not hasattr(kept, "__getitem__"):
            raise TypeError(
                f"{type(self).__name__} takes a list of class lookups; got {kept!r}, which is none:"
                " put what it is to ask into a list"
            )
        if type(kept) in (list, tuple):
            for part in kept:
                self._reg_refuse(part)
        self._reg_set_parts("_reg_lookups", kept)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._reg_lookups!r})"

    def _reg_refuse(self, part: Any) -> None:
        refuse_unless_class_lookup(part, self)

    def _reg_parts(self) -> Any:
        return self._reg_lookups


class ListClassLookup(_Listed):
    """A list of class lookups, asked from the first to the last.

    :param lookups: the class lookups. A :class:`reg.Lookup` in it, such as a
      :class:`reg.Registry`, stands for its class lookup. A list that is given
      is kept: what is put into it later is asked as well, from then on. Nothing
      is remembered of what is found through a container of another kind, unless
      it is a tuple.
    :raises TypeError: if this is no container, or if there is something else in
      it now.
    """


class MergedClassLookup(_Listed):
    """Several registries, searched as if they were one.

    The most specific registration comes first, whatever registry it is in; for the same classes,
    that of the earlier registry. So a registration for ``object`` in an application hides
    nothing of a framework.

    :param lookups: the registries, as for :class:`ListClassLookup`: each a
      :class:`reg.ClassRegistry`, a :class:`reg.Registry`, or another merged class lookup. A list
      is kept, and may change later.
    :raises TypeError: if this is no container, or if there is something else in it now. Any other
      class lookup does not tell for which classes its components are registered.
    """

    _reg_merges = True

    def get(self, key: Hashable, classes: Iterable[type]) -> Any:
        """Find the component that is registered most specifically, in any of the registries.

        :return: the first of :meth:`all`, or ``None``.
        """
        found = self._reg_registrations(canonical_key(key), tuple(classes))
        return next((registration.component for registration in found), None)

    def all(self, key: Hashable, classes: Iterable[type]) -> list[Any]:
        """Find the components in all of the registries.

        :return: a new list, the most specific first; for the same classes in the order of the
          registries.
        """
        found = self._reg_registrations(canonical_key(key), tuple(classes))
        return [registration.component for registration in found]

    def _reg_registrations(
        self, key: Hashable, classes: tuple[type, ...]
    ) -> Iterator[Registration]:
        registries = [registry for part in self._reg_parts() for registry in _registries(part)]
        for registry in registries:
            registry._reg_prepare(key, classes)
        return merged([registry._reg_store for registry in registries], key, classes)

    def _reg_refuse(self, part: Any) -> None:
        refuse_unless_class_lookup(part, self)
        for registry in _registries(part):
            store = getattr(registry, "_reg_store", None)
            if store is None or not registry._reg_uses_builtin_all():
                raise TypeError(
                    f"MergedClassLookup sorts registrations of registries by their classes; got"
                    f" {registry!r}, which does not tell the classes of its components: put"
                    " registries into it, or compose it with a ListClassLookup"
                )

    def _reg_parts(self) -> Any:
        # The container may have been changed since.
        for part in self._reg_lookups:
            self._reg_refuse(part)
        return self._reg_lookups


class ChainClassLookup(_Composition):
    """A class lookup in front of another.

    :param lookup: is asked first.
    :param next: is asked for what the first does not find.
    :raises TypeError: if one of them is neither a class lookup nor a lookup.

    Both can be assigned to later. For a :class:`reg.Lookup`, its class lookup
    is asked.
    """

    def __init__(self, lookup: Any, next: Any) -> None:
        refuse_unless_class_lookup(lookup, self)
        refuse_unless_class_lookup(next, self)
        self._reg_chain = (lookup, next)

    @property
    def lookup(self) -> Any:
        """The class lookup that is asked first."""
        return self._reg_chain[0]

    @lookup.setter
    def lookup(self, lookup: Any) -> None:
        refuse_unless_class_lookup(lookup, self)
        self._reg_set_parts("_reg_chain", (lookup, self._reg_chain[1]))

    @property
    def next(self) -> Any:
        """The class lookup that is asked for what the first does not find."""
        return self._reg_chain[1]

    @next.setter
    def next(self, next: Any) -> None:
        refuse_unless_class_lookup(next, self)
        self._reg_set_parts("_reg_chain", (self._reg_chain[0], next))

    def __repr__(self) -> str:
        return f"ChainClassLookup({self.lookup!r}, {self.next!r})"

    def _reg_parts(self) -> tuple[Any, ...]:
        return self._reg_chain


class CachingClassLookup(ObservableClassLookup, IClassLookup):
    """Remembers every answer of a class lookup, and keeps giving it.

    :param class_lookup: is asked once for each key and classes by :meth:`get`,
      and once by :meth:`all`.
    :raises TypeError: if it is neither a class lookup nor a lookup.

    What is registered later, or is found to be missing, stays unknown to it
    until :meth:`clear`. Nothing needs it for speed: a :class:`reg.Lookup`
    remembers what it found by itself, and forgets it in time. It is for what
    must not change under a running program, and for class lookups of your own
    that are slow.
    """

    def __init__(self, class_lookup: Any) -> None:
        refuse_unless_class_lookup(class_lookup, self)
        self._reg_class_lookup = class_lookup
        self._reg_memory = _Memory()

    @property
    def class_lookup(self) -> Any:
        """The class lookup that is asked for what is not remembered."""
        return self._reg_class_lookup

    @class_lookup.setter
    def class_lookup(self, class_lookup: Any) -> None:
        refuse_unless_class_lookup(class_lookup, self)
        self._reg_set_parts("_reg_class_lookup", class_lookup)

    def get(self, key: Hashable, classes: Iterable[type]) -> Any:
        """Find a component, or remember what was found.

        :return: what the class lookup's ``get`` returned the first time.
        """
        classes = tuple(classes)
        class_lookup = _class_lookup_of(self._reg_class_lookup)
        return self._reg_memory.answer("get", key, classes, lambda: class_lookup.get(key, classes))

    def all(self, key: Hashable, classes: Iterable[type]) -> list[Any]:
        """Find all components, or remember what was found.

        :return: a new list of what the class lookup's ``all`` gave the first time.
        """
        return list(self._reg_candidates(key, tuple(classes)))

    def clear(self) -> None:
        """Forget everything, so that the class lookup is asked anew."""
        self._reg_set_parts("_reg_memory", _Memory())

    def __repr__(self) -> str:
        return f"CachingClassLookup({self._reg_class_lookup!r})"

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        del state["_reg_memory"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reg_memory = _Memory()

    def _reg_candidates(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Any]:
        class_lookup = _class_lookup_of(self._reg_class_lookup)
        found = self._reg_memory.answer(
            "all", key, classes, lambda: tuple(class_lookup.all(key, classes))
        )
        return iter(found)


# What is kept under one key: by kind and the identities of classes, the answer,
# and the references that take it along when one of the classes dies.
_Kept: TypeAlias = "dict[tuple[Any, ...], tuple[Any, list[weakref.ref[type]]]]"


class _Memory:
    """Answers that are kept as long as their key and classes live, whatever becomes of bases."""

    def __init__(self) -> None:
        self._functions: MutableMapping[Any, _Kept] = weakref.WeakKeyDictionary()
        self._others: dict[Hashable, _Kept] = {}
        self._asking = ReentrantLock()
        self._process = os.getpid()

    def answer(
        self, kind: str, key: Hashable, classes: tuple[type, ...], ask: Callable[[], Any]
    ) -> Any:
        kept = self._kept(key)
        place = (kind, *map(id, classes))
        found = kept.get(place)
        if found is None:
            # So that a question that two threads have at once is asked once.
            with self._lock():
                found = kept.get(place)
                if found is None:
                    for cls in classes:
                        mro_of(cls)  # an error for an object that is not a class
                    # Nothing of Python runs when a class dies: its reference
                    # becomes the default of pop().
                    forget = functools.partial(kept.pop, place)
                    found = ask(), [weakref.ref(cls, forget) for cls in classes]
                    kept[place] = found
        return found[0]

    def _lock(self) -> ReentrantLock:
        if self._process != os.getpid():
            # A child that was forked must not wait for a thread that it does not have.
            with registry_lock:
                if self._process != os.getpid():
                    self._asking = ReentrantLock()
                    self._process = os.getpid()
        return self._asking

    def _kept(self, key: Hashable) -> _Kept:
        # A key with an equality of its own stands for all that are equal to it.
        by_identity = type(key).__eq__ is object.__eq__
        keys = self._functions if by_identity and _can_be_weak(key) else self._others
        return keys.setdefault(key, {})


def _can_be_weak(key: object) -> bool:
    return getattr(type(key), "__weakrefoffset__", 1) != 0


def _registries(part: Any) -> Iterator[Any]:
    """Find the registries that are merged for one part; others than these are not refused here."""
    part = _class_lookup_of(part)
    if isinstance(part, MergedClassLookup) and part._reg_uses_builtin_all():
        for below in part._reg_parts():
            yield from _registries(below)
    else:
        yield part


def _class_lookup_of(part: Any) -> Any:
    return part.class_lookup if isinstance(part, Lookup) else part
