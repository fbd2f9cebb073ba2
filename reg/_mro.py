"""Method resolution orders with virtual base classes.

An abstract base class is in the MRO of the classes that inherit from it, but not in that of a class
that is registered with it or fits its ``__subclasshook__``. Such a base class is placed here as
``functools.singledispatch`` places it (PEP 443), by the same extension of C3: behind the class that
is the first to be a virtual subclass, and in front of that one's bases. Two rules go before it:
the class itself always comes first, and its real MRO keeps its order.
"""

from __future__ import annotations

import itertools

from ._classes import is_abstract

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["mro_of", "virtual_mro"]

_real_mro = type.__dict__["__mro__"].__get__


def mro_of(cls: type) -> tuple[type, ...]:
    """Return the MRO of a class, even if its metaclass has another ``__mro__``.

    :param cls: a class.
    :return: the MRO, the class itself first.
    :raises TypeError: if it is not a class.
    """
    try:
        mro: tuple[type, ...] = _real_mro(cls)
    except TypeError:
        raise TypeError(f"cannot look up for {cls!r}, which is not a class") from None
    return mro


def virtual_mro(cls: type, registered: Collection[type]) -> tuple[type, ...]:
    """Return the MRO of a class, with its virtual base classes among the registered ones.

    :param cls: a class.
    :param registered: the classes with registrations. Only abstract ones make a difference.
    :return: the MRO, extended by the classes of ``registered`` of which ``cls`` is a subclass by
      ``issubclass()``.
    """
    mro = mro_of(cls)
    virtual: list[type] = []
    for candidate in registered:
        # A class with several registered names is in the collection more than once.
        known = candidate in mro or candidate in virtual
        if not known and is_abstract(candidate) and issubclass(cls, candidate):
            virtual.append(candidate)
    if not virtual:
        return mro
    # A virtual base may derive from the class itself, and anything may be one of object.
    return (cls, *(base for base in _composed(cls, mro, virtual) if base is not cls))


def _composed(cls: type, mro: tuple[type, ...], virtual: list[type]) -> list[type]:
    additional = _with_useful_subclasses(cls, mro, virtual)
    try:
        order = _linearize(cls, additional)
    except _InconsistentError:
        # singledispatch raises RuntimeError here.
        return [*mro[:-1], *virtual, mro[-1]]
    if [base for base in order if base in mro] == list(mro):
        return order
    # The metaclass has an mro() of its own, or a virtual base derives from one of the bases.
    return [*_inserted(mro[:-1], virtual), mro[-1]]


def _inserted(bases: tuple[type, ...], virtual: list[type]) -> list[type]:
    """Put each virtual base class behind the last of its subclasses."""
    order = list(bases)
    for candidate in reversed(virtual):
        subclasses = [index for index, base in enumerate(order) if issubclass(base, candidate)]
        order.insert(max(subclasses, default=len(order) - 1) + 1, candidate)
    return order


class _InconsistentError(Exception):
    """The classes have no common linear order."""


def _with_useful_subclasses(cls: type, mro: tuple[type, ...], virtual: list[type]) -> list[type]:
    """Drop abstract classes that others imply; prefer the subclass with the most of them.

    As ``_compose_mro`` of ``functools`` does.
    """
    leaves = [
        base
        for base in virtual
        if not any(base is not other and base in mro_of(other) for other in virtual)
    ]
    result: list[type] = []
    for base in leaves:
        subclasses: list[type] = type.__subclasses__(base)
        chains = [
            [base for base in mro_of(subclass) if base in leaves]
            for subclass in subclasses
            if subclass not in mro and _is_subclass(cls, subclass)
        ]
        chains.sort(key=len, reverse=True)
        for useful in itertools.chain(*chains) if chains else [base]:
            if useful not in result:
                result.append(useful)
    return result


def _is_subclass(cls: type, other: type) -> bool:
    try:
        return issubclass(cls, other)
    except TypeError:
        # A protocol with data members: nothing can be registered for it, only for a base of it.
        return False


def _linearize(cls: type, additional: Iterable[type]) -> list[type]:
    """Linearize by C3, with additional abstract classes as if they were bases."""
    bases = list(cls.__bases__)
    # Explicit bases up to the last abstract one keep their place before the
    # inserted ones; concrete bases after it come behind them.
    boundary = max(
        (index + 1 for index, base in enumerate(bases) if hasattr(base, "__abstractmethods__")),
        default=0,
    )
    explicit, other = bases[:boundary], bases[boundary:]
    introduced = [
        base
        for base in additional
        if issubclass(cls, base) and not any(issubclass(parent, base) for parent in bases)
    ]
    inherited = [base for base in additional if base not in introduced]
    return _merge(
        [
            [cls],
            *(_linearize(base, inherited) for base in (*explicit, *introduced, *other)),
            explicit,
            introduced,
            other,
        ]
    )


def _merge(sequences: list[list[type]]) -> list[type]:
    result: list[type] = []
    while sequences := [sequence for sequence in sequences if sequence]:
        for sequence in sequences:
            head = sequence[0]
            if not any(head in other[1:] for other in sequences):
                break
        else:
            raise _InconsistentError
        result.append(head)
        sequences = [s[1:] if s[0] is head else s for s in sequences]
    return result
