"""The answers that warm calls in Python read, by the classes of the arguments.

Warm calls find them by the classes themselves, which keeps the classes alive
only until the garbage collector looks for what nobody needs. Whoever has more
time finds them by the identities of the classes.
"""

from __future__ import annotations

import functools
import gc
import sys
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress

from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["CallTables", "Entries", "attribute_of"]


class Entries:
    """Answers by classes, none of which is kept alive by it.

    :param depth: the number of classes.
    :param guard: tells whether the answers still hold; ``None`` if they do
      until they are dropped.
    :param abstract: the abstract classes that all answers depend on; here, as
      for those of :meth:`watch`, others notice that their bases have changed.

    The answers are found by the identities of the classes, together with weak
    references to these, so that no class is taken for another that had its
    address. Warm calls find them faster: by the classes themselves, until these
    are let go before the garbage collector looks for what nobody needs.
    """

    __slots__ = ("__weakref__", "_depth", "_guard", "_identified", "_references", "opened")

    def __init__(
        self, depth: int, guard: Callable[[], bool] | None, abstract: tuple[type, ...]
    ) -> None:
        self._depth = depth
        self._guard = guard
        # For each identity the next, and for the last the answer.
        self._identified: dict[int, Any] = {}
        self._references: dict[int, weakref.ref[type]] = {}
        #: what warm calls read, a dictionary for each class, one in the other;
        #: ``None`` if none do. If there are no classes, the only key is 0.
        self.opened: dict[Any, Any] | None = None

    def open(self) -> dict[Any, Any]:
        """Let warm calls read what is stored from now on."""
        self.opened = {} if self._guard is None else _Guarded(self._guard)
        identity = id(self)
        _all_opened[identity] = weakref.ref(self, functools.partial(_all_opened.pop, identity))
        return self.opened

    def get(self, classes: tuple[type, ...]) -> Any:
        """Get the answer for these classes, or ``MISSING``."""
        found: Any = self.opened
        if found:
            # As warm calls do it; whatever goes wrong there is no matter here.
            try:
                for key in classes or (0,):
                    found = found[key]
            except Exception:
                found = MISSING
            if found is not MISSING:
                return found
        if self._guard is not None and not self._guard():
            return MISSING
        found = self._identified
        try:
            for cls in classes:
                if self._references[id(cls)]() is not cls:
                    return MISSING
                found = found[id(cls)]
            if not classes:
                found = found[0]
        except KeyError:
            return MISSING
        if self.opened is not None:
            self._show(self.opened, classes, found)
        return found

    def watch(self, classes: tuple[type, ...]) -> None:
        """Note that an answer for these classes is about to be found.

        Here nothing is noted: changed bases are noticed by others, and later.
        """

    def store(self, classes: tuple[type, ...], answer: Any) -> None:
        """Remember an answer."""
        for cls in classes:
            reference = self._references.get(id(cls))
            if reference is None or reference() is not cls:
                if reference is not None:
                    self.forget(id(cls))
                self._references[id(cls)] = weakref.ref(cls)
        _store(self._identified, [id(cls) for cls in classes] or [0], answer)
        if self.opened is not None:
            self._show(self.opened, classes, answer)

    def forget(self, identity: int) -> None:
        """Drop every answer for a class, given by its identity."""
        _remove(self._identified, identity, self._depth)
        reference = self._references.pop(identity, None)
        if reference is not None and (cls := reference()) is not None and self.opened:
            _remove(self.opened, cls, self._depth)

    def _show(self, opened: dict[Any, Any], classes: tuple[type, ...], answer: Any) -> None:
        if all(map(_is_equal_to_itself_only, classes)):
            _store(opened, classes or (0,), answer)


def _store(level: dict[Any, Any], keys: Sequence[Any], answer: Any) -> None:
    for key in keys[:-1]:
        # Unlike level[key], not stopped by a guard.
        below = dict.get(level, key)
        level = dict.setdefault(level, key, {}) if below is None else below
    level[keys[-1]] = answer


# A class that is not the first of its combinations has to be looked for under
# each first class. Where these are many, forgetting all is cheaper.
_SEARCHED_BRANCHES = 64


def _remove(level: dict[Any, Any], key: Any, depth: int) -> None:
    level.pop(key, None)
    if depth > 1:
        if len(level) > _SEARCHED_BRANCHES:
            level.clear()
        for below in list(level.values()):
            _remove(below, key, depth - 1)


def _is_equal_to_itself_only(cls: type) -> bool:
    """Tell whether a dictionary finds a class for no other one, and without calling anybody."""
    metaclass: Any = type(cls)
    return metaclass.__eq__ is object.__eq__ and metaclass.__hash__ is object.__hash__


class _Guarded(dict[object, object]):
    """Entries that are not found any more once their guard says no."""

    __slots__ = ("_guard",)

    def __init__(self, guard: Callable[[], bool]) -> None:
        super().__init__()
        self._guard = guard

    def __getitem__(self, key: Any) -> Any:
        if not self._guard():
            raise KeyError(key)
        return super().__getitem__(key)


#: the entries that warm calls read, by their identities
_all_opened: dict[int, weakref.ref[Entries]] = {}

# The collector frees classes, which refer to themselves, as it looks at the oldest generation:
# the last of three. Python 3.14.0 to 3.14.4 look at a part of it in each of their steps, and
# builds without the global interpreter lock have one generation only.
if "free-threading" in sys.version:
    _OLD_GENERATION = 0
elif (3, 14) <= sys.version_info < (3, 14, 5):
    _OLD_GENERATION = 1
else:
    _OLD_GENERATION = 2


def _let_go(phase: str, info: dict[str, int]) -> None:
    """Before the garbage collector frees classes: let it have those that only warm calls know."""
    if info["generation"] >= _OLD_GENERATION and phase == "start":
        for reference in list(_all_opened.values()):
            if (entries := reference()) is not None and entries.opened:
                entries.opened.clear()


if hasattr(gc, "callbacks"):  # PyPy has none
    gc.callbacks.append(_let_go)


def attribute_of(identity: int) -> str:
    """The attribute of :class:`CallTables` that is a generic function's own.

    One whose name is in the code of a call is found in a third of the time that a
    key of a dictionary takes.

    :param identity: of the generic function.
    """
    return f"of_{identity:x}"


class CallTables:
    """The answers of one lookup that warm calls read, each an attribute of a name of its own."""

    def __init__(self) -> None:
        self._opened: dict[int, dict[Any, Any]] = {}
        #: the lists that are composed, and copies of them from when the answers
        #: were found; None if there are none. Of one list, it and its copy.
        self.watched: list[Any] | None = None
        self.seen: list[Any] | None = None
        #: whether it is known what is composed, and so what to compare
        self.resolved = False
        #: all who have calls take these answers without asking for the lookup
        self.taken_by: tuple[Any, ...] = ()

    def watch(self, lists: list[tuple[list[Any], list[Any]]]) -> None:
        """Have every call compare these lists with their copies."""
        if len(lists) == 1:
            self.seen = lists[0][1]
            self.watched = lists[0][0]
        elif lists:
            self.seen = [copy for _, copy in lists]
            self.watched = [original for original, _ in lists]
        self.resolved = True

    def is_composed_as_seen(self) -> bool:
        """Tell whether the watched lists are as they were."""
        return self.watched is None or self.watched == self.seen

    def open(self, identity: int, entries: Entries) -> None:
        """Let warm calls of a generic function read these entries."""
        self._opened[identity] = opened = entries.open()
        setattr(self, attribute_of(identity), opened)

    def close(self, identity: int) -> None:
        """Let warm calls of a generic function read nothing any more."""
        self._opened.pop(identity, None)
        with suppress(AttributeError):
            delattr(self, attribute_of(identity))

    def find(self, identity: int) -> Any:
        """Get what answers for no classes at all, under a key given by its identity.

        :raises KeyError: if that has to be looked up.
        """
        if not self.is_composed_as_seen():
            raise KeyError(identity)
        return self._opened[identity][0]
