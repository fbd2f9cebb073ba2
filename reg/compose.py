"""Class lookups made of other class lookups."""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, MutableMapping
from reprlib import recursive_repr

from ._classes import class_tuple
from ._composition import refuse_circle
from ._dispatch_spec import canonical_key
from ._lock import ReentrantLock, registry_lock
from ._mro import mro_of
from ._observers import ObservableClassLookup
from ._store import Registration, merged
from .interfaces import IClassLookup, components_of, refuse_unless_class_lookup
from .lookup import Lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

__all__ = ["CachingClassLookup", "ChainClassLookup", "ListClassLookup", "MergedClassLookup"]


class _Composition(ObservableClassLookup, IClassLookup):
    """Asks several class lookups, in order."""

    def _reg_parts(self) -> Iterable[Any]:
        raise NotImplementedError

    def _reg_asked(self) -> Iterator[Any]:
        """Go through the class lookups; a container may have been given something else since."""
        for part in self._reg_parts():
            refuse_unless_class_lookup(part, self)
            yield _class_lookup_of(part)

    def get(self, key: Hashable, classes: Iterable[type]) -> Any:
        """Ask the class lookups in turn.

        A hit in an earlier one, even for a base class, takes precedence over every hit
        in a later one.

        :param key: the key that the components were registered under.
        :param classes: the classes of the arguments, one for each.
        :return: the first component, or ``None``.
        """
        classes = class_tuple(key, classes)
        try:
            for part in self._reg_asked():
                component = part.get(key, classes)
                if component is not None:
                    return component
        except RecursionError as error:
            refuse_circle(self, error)
            raise
        return None

    def all(self, key: Hashable, classes: Iterable[type]) -> list[Any]:
        """Ask all of the class lookups.

        :param key: the key that the components were registered under.
        :param classes: the classes of the arguments, one for each.
        :return: a new list: all components of the first, then all of the next.
        """
        classes = class_tuple(key, classes)
        try:
            return [
                component
                for part in self._reg_asked()
                for component in components_of(part, key, classes)
            ]
        except RecursionError as error:
            refuse_circle(self, error)
            raise


class _Listed(_Composition):
    """Class lookups in a list, or in another container."""

    _reg_lookups: Any

    def __init__(self, lookups: Iterable[Any], *more: Any) -> None:
        if more:
            names = ", ".join(map(repr, (lookups, *more)))
            kind = type(self).__name__
            raise TypeError(f"{kind}() takes one list: {kind}([{names}])")
        self.lookups = lookups

    @property
    def lookups(self) -> Any:
        """The class lookups, in the order they are asked."""
        return self._reg_lookups

    @lookups.setter
    def lookups(self, lookups: Iterable[Any]) -> None:
        # An iterator can be read only once. A container is kept, so that later additions count.
        kept = list(lookups) if isinstance(lookups, Iterator) else lookups
        if not isinstance(kept, Iterable) and not hasattr(kept, "__getitem__"):
            raise TypeError(
                f"{type(self).__name__} takes a list of class lookups; got {kept!r}, which is not a"
                " list: put the class lookups into a list"
            )
        if type(kept) in (list, tuple):
            for part in kept:
                self._reg_refuse(part)
        self._reg_set_parts("_reg_lookups", kept)

    @recursive_repr()
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._reg_lookups!r})"

    def _reg_named_parts(self) -> list[tuple[str, Any]]:
        return [(f"lookups[{index}]", part) for index, part in enumerate(self._reg_lookups)]

    def _reg_refuse(self, part: Any) -> None:
        refuse_unless_class_lookup(part, self)

    def _reg_parts(self) -> Any:
        return self._reg_lookups


class ListClassLookup(_Listed):
    """A list of class lookups, asked from the first to the last.

    :param lookups: the class lookups. A :class:`reg.Lookup` in it, such as a
      :class:`reg.Registry`, stands for its class lookup. A list that is given
      is kept: class lookups that are put into it later are asked from then on.
      Plans are cached for a list and a tuple, and for no container of another kind.
    :raises TypeError: if this is no container, or if there is something else in
      it now.
    """


class MergedClassLookup(_Listed):
    """Several registries, searched as if they were one.

    The most specific registration comes first, in any of the registries; for the same classes,
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

        :param key: the key that the components were registered under.
        :param classes: the classes of the arguments, one for each.
        :return: the first of :meth:`all`, or ``None``.
        """
        registrations = self._reg_registrations(canonical_key(key), class_tuple(key, classes))
        return next((registration.candidate for registration in registrations), None)

    def all(self, key: Hashable, classes: Iterable[type]) -> list[Any]:
        """Find the components in all of the registries.

        :param key: the key that the components were registered under.
        :param classes: the classes of the arguments, one for each.
        :return: a new list, the most specific first; for the same classes in the order of the
          registries.
        """
        registrations = self._reg_registrations(canonical_key(key), class_tuple(key, classes))
        return [registration.candidate for registration in registrations]

    def _reg_registrations(
        self, key: Hashable, classes: tuple[type, ...]
    ) -> Iterator[Registration]:
        registries = [registry for part in self._reg_parts() for registry in _registries(part)]
        for registry in registries:
            registry._reg_prepare(key, classes)
        return merged([registry._reg_store for registry in registries], key, classes)

    def _reg_refuse(self, part: Any) -> None:
        refuse_unless_class_lookup(part, self)
        try:
            registries = list(_registries(part))
        except RecursionError as error:
            refuse_circle(self, error)
            raise
        for registry in registries:
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

    :param lookup: the class lookup that is asked first.
    :param next: the class lookup whose components come after those of the first.
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
        """The class lookup whose components come after those of the first."""
        return self._reg_chain[1]

    @next.setter
    def next(self, next: Any) -> None:
        refuse_unless_class_lookup(next, self)
        self._reg_set_parts("_reg_chain", (self._reg_chain[0], next))

    @recursive_repr()
    def __repr__(self) -> str:
        return f"ChainClassLookup({self.lookup!r}, {self.next!r})"

    def _reg_parts(self) -> tuple[Any, ...]:
        return self._reg_chain

    def _reg_named_parts(self) -> list[tuple[str, Any]]:
        return [*zip(("lookup", "next"), self._reg_chain, strict=True)]


class CachingClassLookup(ObservableClassLookup, IClassLookup):
    """Caches every result of a class lookup until :meth:`clear`, misses included.

    :param class_lookup: the class lookup; it is asked once for each key and classes by
      :meth:`get`, and once by :meth:`all`.
    :raises TypeError: if it is neither a class lookup nor a lookup.

    Later registrations have no effect until :meth:`clear`. It is not needed for speed: a
    :class:`reg.Lookup` has a cache of its own, which is invalidated when a registration
    changes. Use it for results that must not change while a program runs, and for slow
    class lookups of your own.
    """

    def __init__(self, class_lookup: Any) -> None:
        refuse_unless_class_lookup(class_lookup, self)
        self._reg_class_lookup = class_lookup
        self._reg_results = _Results()

    @property
    def class_lookup(self) -> Any:
        """The class lookup that is asked for results that are not cached."""
        return self._reg_class_lookup

    @class_lookup.setter
    def class_lookup(self, class_lookup: Any) -> None:
        refuse_unless_class_lookup(class_lookup, self)
        self._reg_set_parts("_reg_class_lookup", class_lookup)

    def get(self, key: Hashable, classes: Iterable[type]) -> Any:
        """Get the first component, from the cache if it is there.

        :param key: the key that the components were registered under.
        :param classes: the classes of the arguments, one for each.
        :return: the first result of the class lookup's ``get``.
        """
        classes = class_tuple(key, classes)
        class_lookup = _class_lookup_of(self._reg_class_lookup)
        try:
            return self._reg_results.get(
                "get", key, classes, lambda: class_lookup.get(key, classes)
            )
        except RecursionError as error:
            refuse_circle(self, error)
            raise

    def all(self, key: Hashable, classes: Iterable[type]) -> list[Any]:
        """Find all components, from the cache if they are there.

        :param key: the key that the components were registered under.
        :param classes: the classes of the arguments, one for each.
        :return: a new list of the first result of the class lookup's ``all``.
        """
        return list(self._reg_candidates(key, class_tuple(key, classes)))

    def clear(self) -> None:
        """Empty the cache, so that the class lookup is asked again."""
        self._reg_set_parts("_reg_results", _Results())

    @recursive_repr()
    def __repr__(self) -> str:
        return f"CachingClassLookup({self._reg_class_lookup!r})"

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        del state["_reg_results"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reg_results = _Results()

    def _reg_named_parts(self) -> list[tuple[str, Any]]:
        return [("class_lookup", self._reg_class_lookup)]

    def _reg_candidates(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Any]:
        class_lookup = _class_lookup_of(self._reg_class_lookup)
        try:
            components = self._reg_results.get(
                "all", key, classes, lambda: tuple(components_of(class_lookup, key, classes))
            )
        except RecursionError as error:
            refuse_circle(self, error)
            raise
        return iter(components)


# The results for one key: by method name and the identities of classes, the result, and the
# weak references that remove it when one of the classes dies.
_KeyResults: TypeAlias = "dict[tuple[Any, ...], tuple[Any, list[weakref.ref[type]]]]"


class _Results:
    """A cache that lasts as long as the keys and classes live; changed bases do not matter."""

    def __init__(self) -> None:
        self._by_identity: MutableMapping[Any, _KeyResults] = weakref.WeakKeyDictionary()
        self._by_equality: dict[Hashable, _KeyResults] = {}
        self._asking = ReentrantLock()
        self._process = os.getpid()

    def get(
        self, method: str, key: Hashable, classes: tuple[type, ...], ask: Callable[[], Any]
    ) -> Any:
        """Get a result from the cache, or ask for it.

        :param method: the name of the class lookup's method.
        :param key: the key of the look-up.
        :param classes: the classes of the arguments.
        :param ask: asks the class lookup; called once for several threads.
        """
        results = self._results_for(key)
        index = (method, *map(id, classes))
        cached = results.get(index)
        if cached is None:
            with self._lock():
                cached = results.get(index)
                if cached is None:
                    for cls in classes:
                        mro_of(cls)  # raises an error for an object that is not a class
                    # Only C code runs when a class dies: its reference becomes the default of
                    # pop().
                    remove = functools.partial(results.pop, index)
                    cached = ask(), [weakref.ref(cls, remove) for cls in classes]
                    results[index] = cached
        return cached[0]

    def _lock(self) -> ReentrantLock:
        if self._process != os.getpid():
            # A forked child must not wait for a thread of its parent.
            with registry_lock:
                if self._process != os.getpid():
                    self._asking = ReentrantLock()
                    self._process = os.getpid()
        return self._asking

    def _results_for(self, key: Hashable) -> _KeyResults:
        # A key with an equality of its own counts for all equal keys.
        by_identity = type(key).__eq__ is object.__eq__
        can_be_weak = getattr(type(key), "__weakrefoffset__", 1) != 0
        keys = self._by_identity if by_identity and can_be_weak else self._by_equality
        return keys.setdefault(key, {})


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
