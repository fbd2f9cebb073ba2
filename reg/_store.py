"""The registrations of one registry: an immutable value for each moment.

A registry holds one :class:`Store`. A change makes another store aside, which shares nearly
everything with the first, and publishes it by a single assignment. So a reader takes one
reference and sees all of a change or nothing of it, without a lock; and a change that is
interrupted leaves nothing behind.

The layout, as nested dictionaries; a dictionary with many keys is a :class:`_trie.Branches`::

    Store       {key: {number of classes: ClassTrie}}
    ClassTrie   {first class: {second class: … (*classes, Registration, order)}}

Registrations for at least so many classes, and any number of further ones, are in a trie of their
own, under the number ``~fewest``, which is negative; their last key is a :class:`RestKey`.

A class may be a :class:`NamedClass`, as well as a key of the trie. Beside the trie of one key
and one number of classes are its :class:`Position` objects: the abstract and the named classes
at that position, which no MRO contains.
"""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

from . import _trie
from ._classes import (
    ClassKey,
    ForwardName,
    RegisteredClass,
    RestKey,
    SingleKey,
    UnionMember,
    rest_key,
)
from ._mro import mro_of
from ._position import PLAIN_POSITION, Position
from ._refinements import RefinedMatcher, Refinement
from ._trie import descend, new_entry, order_of, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Final

__all__ = ["ClassTrie", "Registration", "Store", "merged"]


class Registration(NamedTuple):
    """A component with its key and classes, and the place it comes from.

    :param key: the key, often a generic function.
    :param classes: the classes, one for each argument.
    :param component: the registered object.
    :param filename: the file in which the component is defined, if it is a function;
      otherwise the file with the call to ``register()``.
    :param lineno: the line there.
    :param unions: for each class the members of the union that it was registered by; an empty
      tuple for a class that was given itself.
    :param rest: the class of each further argument, of which there may be any number, or the
      members of a union; an empty tuple if the number of arguments is fixed.
    :param candidate: the component as class lookups give it: with refinements among the classes,
      a matcher that asks whether these hold; else the component itself.
    """

    key: Hashable
    classes: tuple[RegisteredClass, ...]
    component: Any
    filename: str
    lineno: int
    unions: tuple[tuple[RegisteredClass, ...], ...]
    rest: tuple[RegisteredClass, ...] = ()
    candidate: Any = None

    @property
    def keys(self) -> tuple[ClassKey, ...]:
        """The keys by which it is found, one for each class, and one for :attr:`rest`."""
        keys = self.single_keys
        return (*keys, rest_key(self.rest)) if self.rest else keys

    def with_candidate(self) -> Registration:
        """Return the same with the :attr:`candidate` for its component and classes."""
        for cls in (*self.classes, *self.rest):
            if isinstance(cls, Refinement):
                matcher = RefinedMatcher(self.component, self.classes, self.rest)
                return self._replace(candidate=matcher)
        if self.candidate is self.component:
            return self
        return self._replace(candidate=self.component)

    @property
    def single_keys(self) -> tuple[SingleKey, ...]:
        """The keys by which it is found, one for each class."""
        pairs = zip(self.classes, self.unions, strict=True)
        return tuple([UnionMember(cls, union) if union else cls for cls, union in pairs])

    @property
    def number(self) -> int:
        """The number of classes; ``~fewest`` for any number from the fewest on."""
        return ~len(self.classes) if self.rest else len(self.classes)

    @property
    def place(self) -> str:
        """File and line, as tools print and editors read them."""
        return f"{self.filename}:{self.lineno}"

    @property
    def counts(self) -> int:
        """The numbers of arguments that it is for, as bits: of a negative int, infinitely many."""
        return -1 << len(self.classes) if self.rest else 1 << len(self.classes)

    def for_number(self, number: int) -> list[Registration]:
        """List the registrations for just so many arguments that it stands for.

        :return: itself, if it is for so many; several for the union of a :attr:`rest`; an empty
          list if it is for more arguments, or for another number.
        """
        further = number - len(self.classes)
        if not self.rest or further < 0:
            return [] if further else [self]
        unions = self.unions + (self.rest if len(self.rest) > 1 else (),) * further
        return [
            self._replace(classes=self.classes + classes, unions=unions, rest=())
            for classes in itertools.product(self.rest, repeat=further)
        ]


class ClassTrie:
    """The registrations under one key for one number of classes. Immutable.

    :param positions: for each class, see :class:`Position`.
    :param node: the trie of :class:`Registration`, by class.
    """

    __slots__ = ("node", "positions")

    def __init__(self, positions: tuple[Position, ...], node: Any = _trie.EMPTY) -> None:
        self.positions = positions
        self.node = node

    def registrations(self) -> list[Registration]:
        """List all registrations, in the order in which they were made."""
        return [*map(value_of, _trie.entries(self.node))]

    def exact(self, keys: tuple[ClassKey, ...]) -> Registration | None:
        entry = _trie.exact(self.node, keys)
        return None if entry is None else value_of(entry)

    def same_classes(self, classes: tuple[ClassKey, ...]) -> Iterator[Registration]:
        """Find all registrations for exactly these classes; those by unions come later."""
        pairs = zip(self.positions, classes, strict=True)
        return self.descend([position.same_class(cls) for position, cls in pairs])

    def adding(self, registration: Registration, order: int) -> ClassTrie:
        """Return a trie with this registration, which replaces the one under its keys."""
        keys = registration.keys
        replaced = _trie.exact(self.node, keys)
        entry = new_entry(keys, registration, order if replaced is None else order_of(replaced))
        positions = tuple(
            [position.adding(key) for position, key in zip(self.positions, keys, strict=True)]
        )
        return ClassTrie(positions, _trie.add(self.node, entry))

    def removing(self, registration: Registration) -> ClassTrie:
        """Return a trie without this registration, which is in it."""
        node = _trie.remove(self.node, registration.keys)
        positions = list(self.positions)
        for index, key in enumerate(registration.keys):
            if positions[index].knows(key):
                keys = {entry[index] for entry in _trie.entries(node)}
                positions[index] = positions[index].keeping(keys)
        return ClassTrie(tuple(positions), node)

    def matching(self, classes: tuple[type, ...]) -> Iterator[Registration]:
        """Find all registrations for these classes or bases of them.

        :param classes: the classes of the arguments.
        :return: an iterator, in the lexicographic order of the Cartesian product of the MROs:
          the first class weighs most, as in the class precedence lists of the Common Lisp
          Object System.
        """
        if self.positions.count(PLAIN_POSITION) == len(classes):
            return descend(self.node, [*map(mro_of, classes)])
        pairs = zip(self.positions, classes, strict=True)
        return descend(self.node, [position.ranked(cls) for position, cls in pairs])

    def descend(self, ranked: Sequence[Sequence[ClassKey]]) -> Iterator[Registration]:
        """Find the registrations for keys that are ranked for each position, in that order."""
        return descend(self.node, ranked)


def merged(
    stores: Sequence[Store], key: Hashable, classes: tuple[type, ...]
) -> Iterator[Registration]:
    """Find all registrations in several stores for these classes or bases of them.

    :return: an iterator, most specific first, in the order that they would have in one store;
      for the same classes in the order of the stores. A registration for any number of classes
      comes behind one for exactly this number of the same classes.
    """
    count = len(classes)
    tries_of_stores = [store.tries(key) for store in stores]
    if len(stores) == 1 and tries_of_stores[0].keys() == {count}:
        return tries_of_stores[0][count].matching(classes)
    numbers = [count, *(~fewest for fewest in range(count, -1, -1))]
    tries = [
        (number, tries[number])
        for number in numbers
        for tries in tries_of_stores
        if number in tries
    ]
    if not tries:
        return iter(())
    if len(tries) == 1 and tries[0][0] == count:
        return tries[0][1].matching(classes)
    ranked = []
    for index, cls in enumerate(classes):
        known = [trie.positions[min(index, len(trie.positions) - 1)] for _, trie in tries]
        ranked.append(functools.reduce(Position.joined, known).ranked(cls))
    ranks = [{key: rank for rank, key in enumerate(keys)} for keys in ranked]
    # Imported here, since only these look-ups need it.
    import heapq

    # Each trie gives its own in this order; of equal ones, the first trie's come first.
    return heapq.merge(
        *[_descend(number, trie, ranked, ranks) for number, trie in tries],
        key=lambda registration: _place(registration.keys, ranks),
    )


def _descend(
    number: int, trie: ClassTrie, ranked: list[list[ClassKey]], ranks: list[dict[ClassKey, int]]
) -> Iterator[Registration]:
    """Find the registrations of one trie; the last key of some is for any number of positions."""
    if number >= 0:
        return trie.descend(ranked)
    fewest = ~number
    places = {rest: _place((rest,), ranks[fewest:]) for rest in trie.positions[fewest].rests}
    rests = [rest for rest, place in places.items() if None not in place]
    rests.sort(key=places.__getitem__)
    return trie.descend([*ranked[:fewest], [*rests]])


def _place(keys: tuple[ClassKey, ...], ranks: list[dict[ClassKey, int]]) -> list[Any]:
    """Return the rank of a key at each position; the last key may be for any number of them."""
    place: list[Any] = []
    for index, rank in enumerate(ranks):
        key = keys[min(index, len(keys) - 1)]
        place.append(key.rank(rank) if isinstance(key, RestKey) else rank[key])
    return place


def _now(classes: Mapping[ForwardName, type]) -> Callable[[RegisteredClass], RegisteredClass]:
    def now(cls: RegisteredClass) -> RegisteredClass:
        if isinstance(cls, Refinement):
            return cls.renamed(now)
        return classes.get(cls, cls) if isinstance(cls, ForwardName) else cls

    return now


_NO_TRIES: Final[dict[int, ClassTrie]] = {}


def _number(keys: tuple[ClassKey, ...]) -> int:
    """The number under which the trie of registrations with these keys is."""
    return -len(keys) if keys and isinstance(keys[-1], RestKey) else len(keys)


class Store:
    """All registrations of one registry at one moment. Immutable.

    :param keys: the tries by key and number of classes.
    :param order: a number greater than that of each entry.
    """

    __slots__ = ("_keys", "_order")

    def __init__(self, keys: Any = _trie.EMPTY, order: int = 0) -> None:
        self._keys = keys
        self._order = order

    def tries(self, key: Hashable) -> dict[int, ClassTrie]:
        """Get the tries under a key, by number of classes; not to be changed."""
        tries: dict[int, ClassTrie] = self._keys.get(key, _NO_TRIES)
        return tries

    def exact(self, key: Hashable, keys: tuple[ClassKey, ...]) -> Registration | None:
        """Get the registration under exactly these keys, or ``None``."""
        trie = self.tries(key).get(_number(keys))
        return None if trie is None else trie.exact(keys)

    def for_classes(self, key: Hashable, keys: tuple[ClassKey, ...]) -> Registration | None:
        """Get the registration under exactly these keys.

        Of classes alone, without unions, it is the first that was made for them by unions
        where there is no other; ``None`` if there is no registration.
        """
        trie = self.tries(key).get(_number(keys))
        if trie is None:
            return None
        classes = [cls for cls in keys if not isinstance(cls, UnionMember)]
        if len(classes) < len(keys):
            return trie.exact(keys)
        return next(trie.same_classes(tuple(classes)), None)

    def matching(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Registration]:
        """Find all registrations for these classes or bases of them, most specific first."""
        return merged((self,), key, classes)

    def under(self, key: Hashable) -> Iterator[Registration]:
        """List all registrations under a key, by number of classes."""
        return itertools.chain(*[trie.registrations() for trie in self.tries(key).values()])

    def registrations(self) -> list[Registration]:
        """List all registrations, in the order in which they were made."""
        entries = [
            entry
            for tries in self._keys.values()
            for trie in tries.values()
            for entry in _trie.entries(trie.node)
        ]
        return [*map(value_of, sorted(entries, key=order_of))]

    def forward_names(self, key: Hashable) -> list[ForwardName]:
        """List the classes under a key that annotations named before they were defined."""
        return [
            name
            for trie in self.tries(key).values()
            for position in trie.positions
            if position is not PLAIN_POSITION
            for name in position.names
            if isinstance(name, ForwardName)
        ]

    def settled(self, key: Hashable, classes: Mapping[ForwardName, type]) -> Store:
        """Return a store in which classes replace the names that annotations gave them.

        A registration for the class itself was made later, and takes precedence.

        :param key: the key.
        :param classes: the classes by name.
        """
        store, now = self, _now(classes)
        for registration in self.registrations():
            settled = registration._replace(
                classes=tuple([now(cls) for cls in registration.classes]),
                unions=tuple([tuple(map(now, union)) for union in registration.unions]),
                rest=tuple(map(now, registration.rest)),
            ).with_candidate()
            if registration.key == key and settled.keys != registration.keys:
                store = store.removing([registration])
                if store.exact(key, settled.keys) is None:
                    store = store.adding([settled])
        return store

    def all_keys(self) -> set[Hashable]:
        """Get all keys with registrations, as a new set."""
        return set(self._keys)

    def adding(self, registrations: Iterable[Registration]) -> Store:
        """Return a store with these registrations, which replace those for the same classes."""
        keys, order = self._keys, self._order
        for registration in registrations:
            key, number = registration.key, registration.number
            tries = keys.get(key, _NO_TRIES)
            trie = tries.get(number) or ClassTrie((PLAIN_POSITION,) * abs(number))
            trie = trie.adding(registration, order)
            keys = _trie.with_branch(keys, key, {**tries, number: trie})
            order += 1
        return Store(keys, order)

    def removing(self, registrations: Iterable[Registration]) -> Store:
        """Return a store without these registrations, which are in it."""
        keys = self._keys
        for registration in registrations:
            key, number = registration.key, registration.number
            tries = dict(keys[key])
            tries[number] = tries[number].removing(registration)
            if not tries[number].node:
                del tries[number]
            if tries:
                keys = _trie.with_branch(keys, key, tries)
                continue
            keys = _trie.without_branch(keys, key)
        return Store(keys, self._order)
