"""The cached plans under one key, for one number of classes, and the guard of their validity."""

from __future__ import annotations

import abc
import functools
import sys
import weakref

from ._classes import ForwardName, NamedClass, is_abstract, loaded_class
from ._fastcall import Entries
from ._mro import mro_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._plan import Plan

__all__ = ["CachedTable", "Guard"]


class CachedTable:
    """The plans under one key for one number of classes.

    :param depth: the number of classes.
    :param guard: returns whether the plans are still valid; ``None`` if only an explicit
      change can make them invalid.
    :param abstract: the abstract classes that the plans depend on. They are in the MRO of no
      argument, but their own MROs decide the order.
    :param counts: the numbers of classes with registrations, as bits.
    """

    __slots__ = (
        "__weakref__",
        "_abstract",
        "_bases",
        "_forget_class",
        "_guard",
        "_mros",
        "_references",
        "_rests",
        "counts",
        "entries",
    )

    def __init__(
        self,
        depth: int,
        guard: Callable[[], bool] | None = None,
        abstract: tuple[type, ...] = (),
        counts: int = 0,
    ) -> None:
        self.entries = Entries(depth, guard, abstract, counts)
        self.counts = counts
        self._guard = guard
        self._abstract = abstract
        #: weak references to the classes that plans are cached for, and to their bases
        self._references: dict[int, _ClassReference] = {}
        table = weakref.ref(self)

        def forget(reference: _ClassReference) -> None:
            if (cached := table()) is not None:
                cached._forget(reference.identity)

        self._forget_class = forget
        #: the MROs by which the plans were made, as identities
        self._mros: dict[int, tuple[int, ...]] = {}
        self._bases: set[int] = set()
        #: the MROs without the class itself, as identities
        self._rests: set[tuple[int, ...]] = set()

    def is_current(self) -> bool:
        return self._guard is None or self._guard()

    def snapshot_mros(self, classes: tuple[type, ...]) -> None:
        """Note the MROs by which a plan for these classes is about to be made."""
        self.entries.snapshot_mros(classes)
        if self._guard is not None:
            self._follow_bases(classes)

    def store(self, classes: tuple[type, ...], plan: Plan) -> None:
        """Cache a plan for as long as all of the classes live."""
        self.entries.store(classes, plan)

    # The entries know an MRO by the identities of its classes, and notice when one of their own
    # classes dies, but not a base: another class can then have its identity. Without a guard this
    # does no harm. A plan depends on the registered classes in an MRO, which live as long as the
    # table is valid. But a virtual subclass, or a class with a registered name, can be any base.

    def _follow_bases(self, classes: tuple[type, ...]) -> None:
        """Drop the plans for these classes when one of their bases dies."""
        for cls in (*self._abstract, *classes):
            if id(cls) not in self._mros:
                mro = mro_of(cls)
                identities = tuple(map(id, mro))
                self._refer_to(cls, identities[0])
                # Classes with the same base share the rest of their MROs.
                if (rest := identities[1:]) not in self._rests:
                    for base, identity in zip(mro[1:], rest, strict=True):
                        self._refer_to(base, identity)
                    self._bases.update(rest)
                    self._rests.add(rest)
                self._mros[id(cls)] = identities

    def _refer_to(self, cls: type, identity: int) -> None:
        if identity not in self._references and _flags_of(cls) & _CAN_DIE:
            reference = self._references[identity] = _ClassReference(cls, self._forget_class)
            reference.identity = identity

    def _forget(self, identity: int) -> None:
        # Runs when the class dies, before another one can have its address.
        self._mros.pop(identity, None)
        self._references.pop(identity, None)
        if identity in self._bases:
            # It was a base of others until theirs were changed.
            self._bases.discard(identity)
            self._rests = {rest for rest in self._rests if identity not in rest}
            affected = [derived for derived, mro in list(self._mros.items()) if identity in mro]
            if any(id(cls) in affected for cls in self._abstract):
                # All plans were made by its MRO.
                affected = list(self._mros)
            for derived in affected:
                self.entries.forget(derived)
                self._mros.pop(derived, None)


class _ClassReference(weakref.ref[type]):
    """A weak reference that knows the identity of its class when that is dead."""

    __slots__ = ("identity",)

    identity: int


# Set in the flags of all classes but the static ones of C (Py_TPFLAGS_HEAPTYPE).
_CAN_DIE = 1 << 9
# Bypasses a metaclass with an attribute of that name.
_flags_of = type.__dict__["__flags__"].__get__


class Guard:
    """Checks that plans still hold which depend on virtual subclasses and named classes.

    The entries in C compare ``token`` themselves, and call ``named`` only.

    :param names: the classes registered by name.
    """

    __slots__ = ("named", "token")

    def __init__(self, names: list[NamedClass]) -> None:
        #: changes whenever any class gets a virtual subclass
        self.token = abc.get_cache_token()
        checks = [_unchanged(name) for name in names]
        #: checks that the names stand for the same classes; ``None`` without names
        self.named: Callable[[], bool] | None = None
        if checks:
            self.named = checks[0] if len(checks) == 1 else functools.partial(_all_hold, checks)

    def __call__(self) -> bool:
        return abc.get_cache_token() == self.token and (self.named is None or self.named())


def _all_hold(checks: list[Callable[[], bool]]) -> bool:
    for check in checks:  # noqa: SIM110 (a generator takes twice as long)
        if not check():
            return False
    return True


def _unchanged(name: NamedClass) -> Callable[[], bool]:
    """Make the check that a name stands for the class that it stands for now, or still for none."""
    known = loaded_class(name)
    is_same = _is_same(known)

    def is_unchanged() -> bool:
        return is_same(loaded_class(name))

    module, attribute = name.module, name.qualified_name
    if known is None or is_abstract(known) or isinstance(name, ForwardName) or "." in attribute:
        return is_unchanged
    reference = weakref.ref(known)

    def is_unchanged_class() -> bool:
        # The usual case, in a fifth of the time.
        cls = reference()
        if cls is not None:
            namespace = getattr(sys.modules.get(module), "__dict__", None)
            if namespace is not None and namespace.get(attribute) is cls:
                return True
        return is_unchanged()

    return is_unchanged_class


def _is_same(known: type | None) -> Callable[[type | None], bool]:
    """Make the check that a name stands for the class it stood for.

    Of an abstract class, plans depend on the bases as well, though it may be in the MRO of no
    argument.
    """
    if known is None:
        return _is_nothing
    reference = weakref.ref(known)
    # A class that died must not be taken for one that was never there.
    if not is_abstract(known):
        return lambda named: named is not None and named is reference()
    mro = [weakref.ref(base) for base in mro_of(known)]

    def is_same(named: type | None) -> bool:
        if named is None or named is not reference():
            return False
        now = mro_of(named)
        return len(now) == len(mro) and all(map(_refers_to, mro, now))

    return is_same


def _is_nothing(named: type | None) -> bool:
    return named is None


def _refers_to(reference: weakref.ref[type], cls: type) -> bool:
    return reference() is cls
