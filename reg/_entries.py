"""The cached plans of one generic function in one lookup, by the classes of the arguments.

The twin in C is ``_c/entries.h``.
"""

from __future__ import annotations

import functools
import sys
import weakref

from ._lock import registry_lock
from ._steps import Decision, Plan, Step
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Entries"]


class Entries:
    """Plans by classes, none of which is kept alive.

    :param depth: the number of classes.
    :param guard: returns whether the plans are still valid; ``None`` if they are until they
      are dropped.
    :param abstract: the abstract classes that all plans depend on.
    :param counts: the numbers of arguments, as bits, that something is registered for.

    The plans are in nested dictionaries, by the identity of each class in turn. With each plan are
    weak references that remove it when one of its classes dies, before another class can have the
    same identity. Only C code runs then, so that nothing can interrupt it. A dictionary is removed
    with its class by the plan that it was made for, and if that is gone, some time after it is
    empty.

    The fast path has two more tables, which are keyed by classes, since to ask for the identity of
    a class takes as long as a call. These keep their classes alive. So they have classes of modules
    only; with the first other class they are emptied, and left empty.
    """

    __slots__ = (
        "__weakref__",
        "_abstract",
        "_by_class",
        "_by_name",
        "_has_changed",
        "_left",
        "_mros",
        "_on_identities",
        "_only_positions",
        "counts",
        "depth",
        "guard",
        "plans",
    )

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
        self._abstract = abstract
        #: by the identity of a class: a weak reference, which removes it, and the MRO by which the
        #: plans were made, as identities
        self._mros: dict[int, tuple[weakref.ref[type], tuple[int, ...]]] = {}
        self._has_changed = False
        #: how many plans are to be stored before empty dictionaries are removed
        self._left = 10
        #: by each class in turn; without classes, the plan is under 0
        self.plans: dict[int, Any] = {}
        self._by_class: tuple[dict[Any, Any], dict[Any, Any]] | None = None
        #: the classes in these tables, by their modules and names
        self._by_name: dict[Any, type] = {}
        self._only_positions = False
        self._on_identities: Callable[[], None] | None = None

    def key_by_class(
        self,
        positional: dict[Any, Any],
        plans: dict[Any, Any],
        only_positions: bool,
        on_identities: Callable[[], None],
    ) -> None:
        """Fill tables by classes for the fast path.

        :param positional: for functions for the calls by position.
        :param plans: for plans.
        :param only_positions: whether calls by position pass the arguments that dispatch, and no
          others.
        :param on_identities: is called before the tables are emptied, for calls by identities.
        """
        self._by_class, self._only_positions = (positional, plans), only_positions
        self._on_identities = on_identities

    def get(self, classes: tuple[type, ...]) -> Any:
        """Get the plan for these classes, or ``MISSING``."""
        if self.guard is not None and not self.guard():
            return MISSING
        level: Any = self.plans
        for identity in map(id, classes) if classes else (0,):
            level = level.get(identity)
            if level is None:
                return MISSING
        return level

    def snapshot_mros(self, classes: tuple[type, ...]) -> None:
        """Note the MROs by which a plan for these classes is about to be made."""
        mros, forget = self._mros, self._mros.pop
        for cls in (*self._abstract, *classes):
            try:
                identities = tuple(map(id, _mro_of(cls)))
            except TypeError:
                raise TypeError(f"cannot look up for {cls!r}, which is not a class") from None
            identity = id(cls)
            known = mros.get(identity)
            if known is None:
                reference = weakref.ref(cls, functools.partial(forget, identity))
                mros[identity] = reference, identities
            elif known[1] != identities:
                self._has_changed = True

    def has_changed_mros(self) -> bool:
        """Return whether a class has another MRO than when a plan was made by it.

        The twin in C compares them at every call.
        """
        for reference, identities in list(self._mros.values()):
            cls = reference()
            if cls is not None and tuple(map(id, _mro_of(cls))) != identities:
                return True
        return self._has_changed

    def store(self, classes: tuple[type, ...], plan: Plan) -> None:
        """Cache a plan."""
        call: Any = plan.call
        positional = call
        if isinstance(call, (Decision, Step)):
            positional = plan.call = call.run
            if self._only_positions and isinstance(call, Step):
                positional = call.by_position(len(classes))
        self._left -= 1
        if self._left < 0:
            self._left = 10 + _prune(self.plans, self.depth)
        level = self.plans
        for cls in classes[:-1]:
            below = level.get(id(cls))
            if below is None:
                plan.references.append(weakref.ref(cls, functools.partial(level.pop, id(cls))))
                below = level.setdefault(id(cls), {})
            level = below
        last = id(classes[-1]) if classes else 0
        forget = functools.partial(level.pop, last)
        plan.references += [weakref.ref(cls, forget) for cls in classes]
        level[last] = plan
        if self._by_class is not None:
            self._store_by_class(self._by_class, classes, (positional, plan))

    def _store_by_class(
        self, tables: tuple[dict[Any, Any], ...], classes: tuple[type, ...], values: tuple[Any, ...]
    ) -> None:
        names = [_name_in_module(cls) for cls in classes]
        former: list[type] = []  # die after the lock is released
        with registry_lock:
            if None in names:
                self._key_by_identity(tables)
                return
            for cls, name in zip(classes, names, strict=True):
                if (known := self._by_name.get(name, cls)) is not cls:
                    # The module has this class in the place of that one.
                    former.append(known)
                    self.forget(id(known))
                self._by_name[name] = cls
            *above, last = classes or (0,)
            for level, value in zip(tables, values, strict=True):
                for cls in above:
                    level = level.setdefault(cls, {})
                level[last] = value
            if self._by_class is None:
                # A signal handler has emptied them meanwhile.
                self._key_by_identity(tables)

    def _key_by_identity(self, tables: tuple[dict[Any, Any], ...]) -> None:
        if self._on_identities is not None:
            self._on_identities()
        for table in tables:
            table.clear()
        self._by_class = None
        self._by_name = {}

    def __del__(self) -> None:
        # The references in a plan refer to the dictionaries. Emptied, these die at once, and not at
        # the next garbage collection.
        self._empty(self.plans, self.depth)
        self._mros.clear()

    # A method, since the functions of the module may be gone at the end of the process.
    def _empty(self, level: dict[int, Any], depth: int) -> None:
        for below in list(level.values()) if depth > 1 else ():
            self._empty(below, depth - 1)
        level.clear()

    def forget(self, identity: int) -> None:
        """Drop every plan for a class, given by its identity."""
        _remove(self.plans, identity, self.depth)
        for cls in [cls for cls in list(self._by_name.values()) if id(cls) == identity]:
            for table in self._by_class or ():
                _remove(table, cls, self.depth)


def _prune(level: dict[int, Any], depth: int) -> int:
    """Remove the dictionaries that are empty since their classes have died.

    :return: the number of plans that are left.
    """
    if depth < 2:
        return len(level)
    count = 0
    # Not the items: making them may collect garbage, and so remove others.
    for identity in list(level):
        below = level.get(identity)
        if below:
            count += _prune(below, depth - 1)
        if not below:
            # A plan that another thread puts there just now is made again.
            level.pop(identity, None)
    return count


def _remove(level: dict[Any, Any], key: Any, depth: int) -> None:
    level.pop(key, None)
    for below in list(level.values()) if depth > 1 else ():
        _remove(below, key, depth - 1)


def _name_in_module(cls: type) -> tuple[str, str] | None:
    """Get the module and the qualified name of a class that its module holds, else ``None``.

    ``None`` also for a class that may be equal to another one, and for the class of ``None``, to
    which no ``call_next`` can be bound.
    """
    metaclass: Any = type(cls)
    if metaclass.__eq__ is not type.__eq__ or metaclass.__hash__ is not type.__hash__:
        return None
    if cls is type(None):
        return None
    try:
        module, name = _module_of(cls), _name_of(cls)
        value: Any = sys.modules[module]
        for attribute in name.split("."):
            value = vars(value)[attribute]
    except Exception:
        # Anything may be in the place of a module, and in a class as its name.
        return None
    return (module, name) if value is cls else None


# Bypass a metaclass with attributes of these names.
_mro_of = type.__dict__["__mro__"].__get__
_module_of = type.__dict__["__module__"].__get__
_name_of = type.__dict__["__qualname__"].__get__
