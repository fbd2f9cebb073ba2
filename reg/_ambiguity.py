"""Ambiguities that are certain as soon as a registration is made.

Two registrations are ambiguous if both apply to some classes, and each is the more specific one
at another position, or both came by unions with a common member. Other pairs depend on classes
that may be defined later; ``reg.check`` searches the loaded ones.
"""

from __future__ import annotations

import itertools

from ._classes import RegisteredClass, SingleKey, UnionMember, class_of
from ._errors import RegistrationError, describe
from ._position import ranking
from ._refinements import Refinement, loaded_base
from ._registering import key_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._store import Registration, Store

__all__ = ["refuse_ambiguity"]


def refuse_ambiguity(store: Store, registration: Registration) -> None:
    """Refuse a registration that is ambiguous with another one.

    :param store: the store that both are in.
    :raises RegistrationError: if both apply to some classes, for which nothing is registered
      itself, and neither is more specific.
    """
    if (ambiguous := _ambiguous_with(store, registration)) is None:
        return
    other, meet = ambiguous
    raise RegistrationError(
        f"{registration.component!r} at {registration.place}, for {key_names(registration.keys)},"
        f" and {other.component!r} at {other.place}, for {key_names(other.keys)}, would both apply"
        f" to {key_names(meet)} under {describe(registration.key)}, and neither is more specific;"
        f" register something for {key_names(meet)} first, or use ambiguous=True"
    )


def _ambiguous_with(
    store: Store, registration: Registration
) -> tuple[Registration, tuple[RegisteredClass, ...]] | None:
    """Find a registration with which another one is ambiguous.

    :param store: the store that both are in.
    :param registration: the other one.
    :return: the registration, and the classes to which both apply, for which nothing is
      registered itself; ``None`` if there is no such registration.
    """
    key = registration.key
    for trie in store.tries(key).values():
        for other in trie.registrations():
            for one, two in _for_one_number(registration, other):
                keys = _meet(one, two)
                if keys is not None:
                    classes = tuple(map(class_of, keys))
                    if store.exact(key, keys) is None and store.exact(key, classes) is None:
                        return other, classes
    return None


def _for_one_number(
    registration: Registration, other: Registration
) -> Iterator[tuple[tuple[SingleKey, ...], tuple[SingleKey, ...]]]:
    """Pair the keys of two registrations for a number of arguments that both can have.

    Two that take any number differ nowhere else than in the first argument of the rest.
    """
    both = registration, other
    number = max(len(one.classes) for one in both) + all(one.rest for one in both)
    for first, second in itertools.product(*[one.for_number(number) for one in both]):
        yield first.single_keys, second.single_keys


def _meet(
    keys: tuple[SingleKey, ...], others: tuple[SingleKey, ...]
) -> tuple[SingleKey, ...] | None:
    """Return the more specific keys of two registrations, if they are ambiguous."""
    meet: list[SingleKey] = []
    is_more_specific = is_less_specific = is_tied = False
    for key, other in zip(keys, others, strict=True):
        if key == other:
            meet.append(key)
        elif _is_more_specific(key, other):
            is_more_specific = True
            meet.append(key)
        elif _is_more_specific(other, key):
            is_less_specific = True
            meet.append(other)
        elif class_of(key) == class_of(other):
            is_tied = True
            meet.append(class_of(key))
        else:
            return None
    return tuple(meet) if is_tied or (is_more_specific and is_less_specific) else None


def _is_more_specific(key: SingleKey, other: SingleKey) -> bool:
    cls, wider = class_of(key), class_of(other)
    if cls == wider:
        return isinstance(other, UnionMember) and not isinstance(key, UnionMember)
    if isinstance(cls, Refinement) and isinstance(wider, Refinement) and cls.base == wider.base:
        return cls.is_narrower_than(wider)
    loaded = loaded_base(cls)
    if loaded is None:
        return False
    order: list[SingleKey] = ranking([key, other])(loaded)
    return other in order and order.index(key) < order.index(other)
