"""Ambiguities that are certain as soon as a registration is made.

Two registrations are ambiguous if both apply to some classes, and each is the more specific one
at another position, or both came by unions with a common member. Other pairs depend on classes
that may be defined later; ``reg.check`` searches the loaded ones.
"""

from __future__ import annotations

from ._classes import (
    ClassKey,
    NamedClass,
    RegisteredClass,
    UnionMember,
    class_of,
    loaded_class,
)
from ._store import Registration, Store, ranking

__all__ = ["ambiguous_with"]


def ambiguous_with(
    store: Store, registration: Registration
) -> tuple[Registration, tuple[RegisteredClass, ...]] | None:
    """Find a registration with which another one is ambiguous.

    :param store: the store that both are in.
    :param registration: the other one.
    :return: the registration, and the classes to which both apply, for which nothing is
      registered itself; ``None`` if there is no such registration.
    """
    trie = store.tries(registration.key)[len(registration.classes)]
    for other in trie.registrations():
        keys = _meet(registration.keys, other.keys)
        if keys is not None:
            classes = tuple(map(class_of, keys))
            if trie.exact(keys) is None and trie.exact(classes) is None:
                return other, classes
    return None


def _meet(keys: tuple[ClassKey, ...], others: tuple[ClassKey, ...]) -> tuple[ClassKey, ...] | None:
    """Return the more specific keys of two registrations, if they are ambiguous."""
    meet: list[ClassKey] = []
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


def _is_more_specific(key: ClassKey, other: ClassKey) -> bool:
    cls = class_of(key)
    if cls == class_of(other):
        return isinstance(other, UnionMember) and not isinstance(key, UnionMember)
    loaded = loaded_class(cls) if isinstance(cls, NamedClass) else cls
    if loaded is None:
        return False
    order: list[ClassKey] = ranking([key, other])(loaded)
    return other in order and order.index(key) < order.index(other)
