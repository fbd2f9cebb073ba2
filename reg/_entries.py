"""The cached plans of one generic function in one lookup, by the classes of the arguments.

The twin in C is ``_c/entries.h``.
"""

from __future__ import annotations

import functools
import weakref

from ._steps import Decision, Plan, Step
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Entries", "key_of"]


class Entries:
    """Plans by classes, none of which is kept alive.

    :param depth: the number of classes.
    :param guard: returns whether the plans are still valid; ``None`` if they are until they
      are dropped.
    :param abstract: the abstract classes that all plans depend on; used by the twin in C.
    :param counts: the numbers of arguments, as bits, that something is registered for.

    Both tables are keyed by the identities of classes. With each plan are weak references that
    remove it when one of its classes dies, before another class can have the same identity.
    Only C code runs then, so that nothing can interrupt it.
    """

    __slots__ = ("__weakref__", "calls", "counts", "depth", "guard", "plans")

    def __init__(
        self,
        depth: int,
        guard: Callable[[], bool] | None,
        abstract: tuple[type, ...],
        counts: int = 0,
    ) -> None:
        self.depth = depth
        self.guard = guard
        self.counts = counts
        #: the plans, see :func:`key_of`
        self.plans: dict[Any, Plan] = {}
        #: for the fast path: by each class in turn, and at the end the callable of the plan
        self.calls: dict[int, Any] = {}

    def get(self, classes: tuple[type, ...]) -> Any:
        """Get the plan for these classes, or ``MISSING``."""
        if self.guard is not None and not self.guard():
            return MISSING
        return self.plans.get(key_of(classes), MISSING)

    def snapshot_mros(self, classes: tuple[type, ...]) -> None:
        """Note the MROs by which a plan is about to be made; only the twin in C does."""

    def store(self, classes: tuple[type, ...], plan: Plan) -> None:
        """Cache a plan."""
        key, level = key_of(classes), self.calls
        forget = functools.partial(self.plans.pop, key)
        references = [weakref.ref(cls, forget) for cls in classes]
        for cls in classes[:-1]:
            references.append(weakref.ref(cls, functools.partial(level.pop, id(cls))))
            level = level.setdefault(id(cls), {})
        last = id(classes[-1]) if classes else 0
        if classes:
            references.append(weakref.ref(classes[-1], functools.partial(level.pop, last)))
        plan.references = references
        self.plans[key] = plan
        call: Any = plan.call
        if isinstance(call, Decision) or (isinstance(call, Step) and not call.is_end):
            call = call.run
        if plan.chain is not None:
            # Read by a call with default=, which has the plan no more.
            vars(call)["_reg_asks_matchers"] = True
        level[last] = call

    def __del__(self) -> None:
        # The references in a plan refer to the table of plans. Emptied, it dies at once, and
        # not at the next garbage collection.
        self.plans.clear()

    def forget(self, identity: int) -> None:
        """Drop every plan for a class, given by its identity."""
        for key in [key for key in list(self.plans) if key == identity or _is_in(identity, key)]:
            self.plans.pop(key, None)
        _remove(self.calls, identity, self.depth)


def key_of(classes: tuple[type, ...] | list[type]) -> Any:
    """The key of a plan: the identity of the class, or a tuple of these, unless there is one."""
    return id(classes[0]) if len(classes) == 1 else tuple(map(id, classes))


def _is_in(identity: int, key: Any) -> bool:
    return type(key) is tuple and identity in key


def _remove(level: dict[int, Any], identity: int, depth: int) -> None:
    level.pop(identity, None)
    for below in list(level.values()) if depth > 1 else ():
        _remove(below, identity, depth - 1)
