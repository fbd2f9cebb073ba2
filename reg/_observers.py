"""Class lookups and lookups that notify the caches which depend on them."""

from __future__ import annotations

import functools
import weakref

from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator
    from typing import Any

    from ._cache import LookupCache

__all__ = ["Observable", "ObservableClassLookup"]


class Observable:
    """A part of a composition: a change of it invalidates the caches that observe it.

    Frameworks mix these classes into their own, so all names begin with ``_reg_``.
    """

    def _reg_parts(self) -> Iterable[Any] | None:
        """List the parts that are asked in turn; ``None`` for a part without parts.

        :return: the live container and not a copy: a framework may change it.
        """
        return None

    def _reg_named_parts(self) -> list[tuple[str, Any]]:
        """List the parts that are asked in turn, each with the attribute that holds it."""
        parts = self._reg_parts()
        return [(f"lookups[{index}]", part) for index, part in enumerate(parts or ())]

    def _reg_add_observer(self, cache: LookupCache) -> None:
        observers: dict[int, weakref.ref[LookupCache]] = self.__dict__.setdefault(
            "_reg_observers", {}
        )
        identity = id(cache)
        # Only C code runs when a cache dies, so that no signal handler can interrupt the
        # removal: the reference becomes the default of pop().
        observers[identity] = weakref.ref(cache, functools.partial(observers.pop, identity))

    def _reg_caches(self) -> list[LookupCache]:
        """The caches that observe this part, as a new list."""
        references = list(self.__dict__.get("_reg_observers", {}).values())
        return [cache for reference in references if (cache := reference()) is not None]

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for a copy or a pickle, without the observers of this object."""
        return {name: value for name, value in self.__dict__.items() if name != "_reg_observers"}

    def _reg_set_parts(self, attribute: str, value: object) -> None:
        """Replace the parts, and invalidate the caches that observe this object.

        :param attribute: the attribute that holds the parts.
        :param value: the new parts. If an exception interrupts the change, the attribute has
          its former value.
        """
        before = self.__dict__.get(attribute, MISSING)
        try:
            self.__dict__[attribute] = value
            self._reg_parts_changed()
        except BaseException:
            if before is not MISSING:
                self.__dict__[attribute] = before
            # Some caches may have been filled from the new parts already.
            self._reg_parts_changed()
            raise

    def _reg_parts_changed(self) -> None:
        for cache in self._reg_caches():
            cache.invalidate_all()


class ObservableClassLookup(Observable):
    """The base class of this package's class lookups, whose results can be cached.

    A subclass that defines ``all`` itself is a third-party class lookup: it is asked at
    every call, and nothing is cached.
    """

    #: the registrations, where a class lookup has some of its own
    _reg_store: Any = None
    #: whether the registrations of all parts are sorted as those of one registry
    _reg_merges = False

    def _reg_prepare(self, key: Hashable, classes: tuple[type, ...]) -> None:
        """Prepare a look-up for these classes.

        :param key: the key.
        :param classes: the classes of the arguments.
        :raises TypeError: if a class that an annotation names is still not defined.
        """

    def _reg_candidates(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Any]:
        """Find the components that ``all()`` lists, lazily and in the same order."""
        raise NotImplementedError(f"{type(self).__name__} is asked through its parts")

    def _reg_uses_builtin_all(self) -> bool:
        definition = next(cls for cls in type(self).__mro__ if "all" in vars(cls))
        return definition.__module__.partition(".")[0] == __package__ and "all" not in vars(self)
