"""The cached plans of one generic function in one lookup, by the classes of the arguments.

The twin in C is ``_c/entries.h``.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from .sentinel import MISSING

__all__ = ["Entries", "Plan"]


class Plan:
    """What a call does for one combination of classes; see :mod:`reg._plan`.

    :param call: runs the call; takes its positional and keyword arguments.
    :param first: the first component; ``MISSING`` if there is none, ``UNDECIDED`` if a matcher
      comes first.
    :param all: all components, if they are known and no matcher is among them.
    :param chain: the candidates, where a matcher is among them.
    """

    __slots__ = ("all", "call", "chain", "first", "references")

    def __init__(
        self,
        call: Callable[..., Any],
        first: Any,
        all: tuple[Any, ...] | None = None,
        chain: Any = None,
    ) -> None:
        self.call = call
        self.first = first
        self.all = all
        self.chain = chain
        #: weak references to the classes, which remove the plan from its table
        self.references: list[weakref.ref[type]] = []


class Entries:
    """Plans by classes, none of which is kept alive.

    :param depth: the number of classes.
    :param guard: returns whether the plans are still valid; ``None`` if they are until they
      are dropped.
    :param abstract: the abstract classes that all plans depend on; used by the twin in C.
    :param counts: the numbers of arguments, as bits, that something is registered for.

    The table is keyed by the identities of the classes. With each plan are weak references that
    remove it when one of its classes dies, before another class can have the same identity.
    Only C code runs then, so that nothing can interrupt it.
    """

    __slots__ = ("__weakref__", "_depth", "counts", "guard", "table")

    def __init__(
        self,
        depth: int,
        guard: Callable[[], bool] | None,
        abstract: tuple[type, ...],
        counts: int = 0,
    ) -> None:
        self._depth = depth
        self.guard = guard
        self.counts = counts
        #: by the identity of the class, or a tuple of these if there are several, or none
        self.table: dict[Any, Plan] = {}

    def get(self, classes: tuple[type, ...]) -> Any:
        """Get the plan for these classes, or ``MISSING``."""
        if self.guard is not None and not self.guard():
            return MISSING
        return self.table.get(_key(classes), MISSING)

    def snapshot_mros(self, classes: tuple[type, ...]) -> None:
        """Note the MROs by which a plan is about to be made; only the twin in C does."""

    def store(self, classes: tuple[type, ...], plan: Plan) -> None:
        """Cache a plan."""
        key = _key(classes)
        remove = functools.partial(self.table.pop, key)
        plan.references = [weakref.ref(cls, remove) for cls in classes]
        self.table[key] = plan

    def __del__(self) -> None:
        # Plans refer to the table, to be removed from it. Emptied, it dies at once, and not at
        # the next garbage collection.
        self.table.clear()

    def forget(self, identity: int) -> None:
        """Drop every plan for a class, given by its identity."""
        if self._depth == 1:
            self.table.pop(identity, None)
            return
        for key in [key for key in list(self.table) if identity in key]:
            self.table.pop(key, None)


def _key(classes: tuple[type, ...]) -> Any:
    return id(classes[0]) if len(classes) == 1 else tuple(map(id, classes))
