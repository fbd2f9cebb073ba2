"""Pairs of registrations of which each is the more specific at another position."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, TypeAlias

from .._classes import NamedClass, RegisteredClass, loaded_class
from .._store import Registration, ranking

__all__ = ["crossings"]

# So many of those that lose against one registration are told.
_SHOWN = 3

_Classes: TypeAlias = "tuple[RegisteredClass, ...]"


def crossings(
    registrations: list[Registration],
) -> Iterator[tuple[Registration, list[tuple[Registration, _Classes]], int]]:
    """Find the pairs that only the first-argument rule decides between.

    Those for which something is registered for exactly the classes where they
    meet are none: there, neither is found.

    :param registrations: those of one registry, under one key.
    :return: a registration; a few of those that it wins over, each with the
      classes where both apply; and how many more were met before the search
      was given up.
    """
    by_arity: dict[int, list[Registration]] = {}
    for registration in registrations:
        by_arity.setdefault(len(registration.classes), []).append(registration)
    for arity, alike in by_arity.items():
        if arity > 1:
            yield from _Search(alike, arity).all()


class _Search:
    """Registrations for one number of classes, and how their classes are related."""

    def __init__(self, registrations: list[Registration], arity: int) -> None:
        self._registrations = registrations
        self._known = {registration.classes: registration for registration in registrations}
        self._tree: dict[RegisteredClass, Any] = {}
        for registration in registrations:
            branch = self._tree
            for cls in registration.classes:
                branch = branch.setdefault(cls, {})
        #: for each position and class, the others that it is a subclass of
        self._bases = [self._relate(position) for position in range(arity)]
        #: the other way round
        self._derived = [_inverse(bases) for bases in self._bases]

    def all(self) -> Iterator[tuple[Registration, list[tuple[Registration, _Classes]], int]]:
        for winner in self._registrations:
            crossing = (
                (self._known[classes], meet)
                for classes, meet in self._crossing(winner.classes, self._tree, (), (), False)
                if meet not in self._known
            )
            found = list(itertools.islice(crossing, 10 * _SHOWN))
            if found:
                yield winner, found[:_SHOWN], len(found) - 1

    def _crossing(
        self,
        classes: _Classes,
        branch: dict[RegisteredClass, Any],
        other: _Classes,
        meet: _Classes,
        behind: bool,
    ) -> Iterator[tuple[_Classes, _Classes]]:
        """Go down to the registrations that ``classes`` comes before, and yet is behind.

        :param other: the classes of the registration come to so far.
        :param meet: of these and ``classes``, the more specific ones.
        :param behind: whether ``other`` is the more specific at a position.
        """
        depth = len(other)
        if depth == len(classes):
            if behind:
                yield other, meet
            return
        cls = classes[depth]
        more_specific = _common(self._derived[depth].get(cls, _NONE), branch)
        # The first position at which they differ has to decide for classes.
        if other != classes[:depth]:
            for each in more_specific:
                yield from self._crossing(
                    classes, branch[each], (*other, each), (*meet, each), True
                )
        if depth == len(classes) - 1 and not behind:
            return
        for each in _common(self._bases[depth].get(cls, _NONE) | {cls}, branch):
            yield from self._crossing(classes, branch[each], (*other, each), (*meet, cls), behind)

    def _relate(self, position: int) -> dict[RegisteredClass, set[RegisteredClass]]:
        registered = dict.fromkeys(each.classes[position] for each in self._registrations)
        ranked = ranking(registered)
        related: dict[RegisteredClass, set[RegisteredClass]] = {}
        for cls in registered:
            loaded = loaded_class(cls) if isinstance(cls, NamedClass) else cls
            if loaded is not None:
                related[cls] = set(ranked(loaded)) - {cls, loaded}
        return related


_NONE: frozenset[RegisteredClass] = frozenset()


def _common(
    classes: set[RegisteredClass] | frozenset[RegisteredClass], branch: dict[RegisteredClass, Any]
) -> list[RegisteredClass]:
    """The classes that there is a branch for, found through whichever are fewer."""
    if len(classes) < len(branch):
        return [cls for cls in classes if cls in branch]
    return [cls for cls in branch if cls in classes]


def _inverse(
    related: dict[RegisteredClass, set[RegisteredClass]],
) -> dict[RegisteredClass, set[RegisteredClass]]:
    inverse: dict[RegisteredClass, set[RegisteredClass]] = {}
    for cls, others in related.items():
        for other in others:
            inverse.setdefault(other, set()).add(cls)
    return inverse
