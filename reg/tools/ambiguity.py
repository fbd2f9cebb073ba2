"""Ambiguities: two registrations apply, and neither is the more specific one.

Two kinds are found. In the first, each registration is the more specific one
at another position; the first argument decides. In the second, two abstract
classes that have nothing to do with each other have a common virtual subclass,
or two unions a common member; the order of registration decides. CLOS, Julia and
plum report the first kind as ambiguities or decide it by position, as this
package does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from .._classes import (
    RegisteredClass,
    SingleKey,
    UnionMember,
    class_of,
    is_abstract,
)
from .._position import ranking
from .._refinements import Refinement, loaded_base
from .._store import Registration
from .loaded import is_likely, loaded_subclasses, package_of, preferred
from .provenance import Source, applicable

__all__ = ["Ambiguity", "Tie", "ambiguities", "ties"]

# The number of shadowed registrations that are kept for a chosen one.
_SHOWN = 3

_Classes: TypeAlias = "tuple[RegisteredClass, ...]"
_Keys: TypeAlias = "tuple[SingleKey, ...]"


class Ambiguity(NamedTuple):
    """A registration, and those that it shadows only because the first argument decides."""

    chosen: Registration
    #: a few of the shadowed ones, each with the most general classes for which
    #: both apply: their meet
    shadowed: list[tuple[Registration, _Classes]]
    #: the number of shadowed ones beside the first; there may be still more
    more: int


class Tie(NamedTuple):
    """Two registrations between which only the order of registration decides."""

    chosen: Registration
    shadowed: Registration
    #: loaded classes for which both apply
    classes: tuple[type, ...]


def ambiguities(registrations: list[Registration]) -> Iterator[Ambiguity]:
    """Find the pairs between which only the first argument decides.

    A pair is not ambiguous if its meet is registered.

    :param registrations: of one registry, under one key.
    :return: the ambiguities, by chosen registration.
    """
    by_arity: dict[int, list[Registration]] = {}
    for registration in registrations:
        by_arity.setdefault(len(registration.classes), []).append(registration)
    for arity, alike in by_arity.items():
        if arity > 1:
            yield from _AmbiguityFinder(alike, arity).all()


def ties(source: Source, registrations: list[Registration]) -> Iterator[Tie]:
    """Find the pairs between which only the order of registration decides.

    A tie needs a loaded class that both apply to: a built-in one, or one of the
    packages that the registrations are from.

    :param source: the registry.
    :param registrations: its registrations under one key.
    :return: each pair once, of a great number only the first hundred.
    """
    by_arity: dict[int, list[Registration]] = {}
    for registration in registrations:
        by_arity.setdefault(len(registration.classes), []).append(registration)
    between_abstract = (
        tie
        for arity, alike in by_arity.items()
        for position in range(arity)
        for pair, cls in _undecided(alike, position).items()
        for tie in _ties_between(source, alike, position, pair, cls)
    )
    tied = itertools.chain(_ties_of_unions(registrations), between_abstract)
    reported: set[frozenset[int]] = set()
    for tie in itertools.islice(tied, 100):
        pair = frozenset((id(tie.chosen), id(tie.shadowed)))
        if pair not in reported:
            reported.add(pair)
            yield tie


def _ties_of_unions(registrations: list[Registration]) -> Iterator[Tie]:
    """Find the pairs of unions that a class is in both of, if it is not registered itself."""
    by_classes: dict[_Classes, list[Registration]] = {}
    for registration in registrations:
        by_classes.setdefault(registration.classes, []).append(registration)
    for classes, alike in by_classes.items():
        if len(alike) < 2 or any(registration.single_keys == classes for registration in alike):
            continue
        loaded = [loaded_base(c) for c in classes]
        for first, second in itertools.combinations(alike, 2):
            pairs = zip(first.single_keys, second.single_keys, strict=True)
            keys = next((one, other) for one, other in pairs if one != other)
            if all(isinstance(key, UnionMember) for key in keys) and None not in loaded:
                yield Tie(first, second, tuple([cls for cls in loaded if cls]))


def _undecided(registrations: list[Registration], position: int) -> dict[tuple[type, type], type]:
    """Find the pairs of abstract classes whose order is that of registration.

    :return: for each pair a loaded class to which both apply.
    """
    registered = dict.fromkeys(registration.classes[position] for registration in registrations)
    abstract = [cls for cls in registered if isinstance(cls, type) and is_abstract(cls)]
    if len(abstract) < 2:
        return {}
    packages = {
        package_of(value)
        for registration in registrations
        for value in (registration.key, registration.component, *registration.classes)
    }
    forward, backward = ranking(abstract), ranking(abstract[::-1])
    witnesses: dict[tuple[type, type], type] = {}
    for cls in loaded_subclasses(object):
        if not is_likely(cls, packages):
            continue
        try:
            if sum(issubclass(cls, base) for base in abstract) < 2:
                continue
            order, reverse = forward(cls), backward(cls)
        except Exception:
            continue  # The hook of an abstract class, or a metaclass, raises an error.
        for first, second in itertools.combinations(order, 2):
            if reverse.index(second) < reverse.index(first):
                pair: Any = (first, second)
                witnesses[pair] = preferred([witnesses.get(pair, cls), cls], pair)
    return witnesses


def _ties_between(
    source: Source,
    registrations: list[Registration],
    position: int,
    pair: tuple[type, type],
    cls: type,
) -> Iterator[Tie]:
    """Find the registrations for two abstract classes that a call for ``cls`` decides between."""
    by_prefix: dict[_Classes, tuple[list[Registration], list[Registration]]] = {}
    for registration in registrations:
        for side, abstract in enumerate(pair):
            if registration.classes[position] is abstract:
                sides = by_prefix.setdefault(registration.classes[:position], ([], []))
                sides[side].append(registration)
    for sides in by_prefix.values():
        for first, second in itertools.product(*sides):
            meet = _meet(first.classes, second.classes, position, cls)
            if meet is None:
                continue
            candidates = list(applicable(source.class_lookup, first.key, meet))
            # By component: one for any number of arguments is checked for some numbers.
            if candidates[0].component is first.component:
                yield Tie(first, second, meet)
            elif candidates[0].component is second.component:
                yield Tie(second, first, meet)


def _meet(classes: _Classes, others: _Classes, position: int, cls: type) -> tuple[type, ...] | None:
    """Find loaded classes to which both registrations apply, with ``cls`` at a position."""
    result: list[type] = []
    for index, (first, second) in enumerate(zip(classes, others, strict=True)):
        if index == position:
            result.append(cls)
            continue
        loaded = [loaded_base(c) for c in (first, second)]
        meets = [c for c in loaded if c and ranking([first])(c) and ranking([second])(c)]
        if not meets:
            return None
        result.append(meets[0])
    return tuple(result)


class _AmbiguityFinder:
    """Registrations for one number of classes, and how their classes are related."""

    def __init__(self, registrations: list[Registration], arity: int) -> None:
        self._registrations = registrations
        self._known = {registration.single_keys: registration for registration in registrations}
        self._tree: dict[SingleKey, Any] = {}
        for registration in registrations:
            branch = self._tree
            for key in registration.single_keys:
                branch = branch.setdefault(key, {})
        #: for each position and class, its bases among the registered classes
        self._bases = [self._relate(position) for position in range(arity)]
        #: for each position and class, its subclasses among the registered classes
        self._derived = [_inverse(bases) for bases in self._bases]

    def all(self) -> Iterator[Ambiguity]:
        """Search for the registrations that each one shadows, and give up after a few."""
        for chosen in self._registrations:
            shadowed = (
                (self._known[keys], tuple(map(class_of, meet)))
                for keys, meet in self._shadowed(chosen.single_keys, self._tree, (), (), False)
                if meet not in self._known and tuple(map(class_of, meet)) not in self._known
            )
            first = list(itertools.islice(shadowed, 10 * _SHOWN))
            if first:
                yield Ambiguity(chosen, first[:_SHOWN], len(first) - 1)

    def _shadowed(
        self,
        classes: _Keys,
        branch: dict[SingleKey, Any],
        other: _Keys,
        meet: _Keys,
        behind: bool,
    ) -> Iterator[tuple[_Keys, _Keys]]:
        """Find the registrations that lose to ``classes`` although more specific somewhere.

        They lose at the first position at which they differ, and are more
        specific at a later one.

        :param branch: the registrations that begin with ``other``.
        :param other: the classes of the registration as far as it is known.
        :param meet: the more specific ones of these and ``classes``.
        :param behind: whether ``other`` is more specific at some position.
        """
        depth = len(other)
        if depth == len(classes):
            if behind:
                yield other, meet
            return
        cls = classes[depth]
        if other != classes[:depth]:
            for more in _common(self._derived[depth].get(cls, _NONE), branch):
                yield from self._shadowed(
                    classes, branch[more], (*other, more), (*meet, more), True
                )
        if depth == len(classes) - 1 and not behind:
            return
        for less in _common(self._bases[depth].get(cls, _NONE) | {cls}, branch):
            yield from self._shadowed(classes, branch[less], (*other, less), (*meet, cls), behind)

    def _relate(self, position: int) -> dict[SingleKey, set[SingleKey]]:
        """Find the bases of each class registered at a position, among those registered there."""
        registered = dict.fromkeys(
            registration.single_keys[position] for registration in self._registrations
        )
        ranked = ranking(registered)
        related: dict[SingleKey, set[SingleKey]] = {}
        for key in registered:
            cls = class_of(key)
            loaded = loaded_base(cls)
            if loaded is not None:
                order = ranked(loaded)
                related[key] = set(order[order.index(key) + 1 :])
                # The order of two unions, or of two refinements, is not one of specificity.
                related[key] -= {other for other in order if _is_beside(key, other)}
        return related


def _is_beside(key: SingleKey, other: SingleKey) -> bool:
    """Return whether only the order of registration may put a key in front of another one."""
    cls, later = class_of(key), class_of(other)
    if isinstance(cls, Refinement) and isinstance(later, Refinement) and cls.base == later.base:
        return not cls.is_narrower_than(later)
    return isinstance(key, UnionMember) and cls == later


_NONE: frozenset[SingleKey] = frozenset()


def _common(
    classes: set[SingleKey] | frozenset[SingleKey], branch: dict[SingleKey, Any]
) -> list[SingleKey]:
    """The classes that a branch has, searched through the smaller of both."""
    if len(classes) < len(branch):
        return [cls for cls in classes if cls in branch]
    return [cls for cls in branch if cls in classes]


def _inverse(
    related: dict[SingleKey, set[SingleKey]],
) -> dict[SingleKey, set[SingleKey]]:
    inverse: dict[SingleKey, set[SingleKey]] = {}
    for cls, others in related.items():
        for other in others:
            inverse.setdefault(other, set()).add(cls)
    return inverse
