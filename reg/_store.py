"""The registrations of one registry: an immutable value for each moment.

A registry holds one :class:`Store`. A change makes another store aside, which shares nearly
everything with the first, and publishes it by a single assignment. So a reader takes one
reference and sees all of a change or nothing of it, without a lock; and a change that is
interrupted leaves nothing behind.

The layout, as nested dictionaries; a dictionary with many keys is a :class:`_trie.Branches`::

    Store       {key: {number of classes: ClassTrie}}
    ClassTrie   {first class: {second class: … Entry(classes, Registration, order)}}

A class may be a :class:`NamedClass`, as well as a key of the trie. Beside the trie of one key
and one number of classes are its :class:`Position` objects: the abstract and the named classes
at that position, which no MRO contains.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from . import _trie
from ._classes import (
    ClassKey,
    ForwardName,
    NamedClass,
    RegisteredClass,
    UnionMember,
    class_of,
    is_abstract,
    loaded_class,
)
from ._mro import mro_of, virtual_mro
from ._trie import Entry

__all__ = ["ClassTrie", "Position", "Registration", "Store", "merged", "ranking"]

_Key = TypeVar("_Key", bound=ClassKey)


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
    """

    key: Hashable
    classes: tuple[RegisteredClass, ...]
    component: Any
    filename: str
    lineno: int
    unions: tuple[tuple[RegisteredClass, ...], ...]

    @property
    def keys(self) -> tuple[ClassKey, ...]:
        """The keys by which it is found, one for each class."""
        pairs = zip(self.classes, self.unions, strict=True)
        return tuple([UnionMember(cls, union) if union else cls for cls, union in pairs])

    @property
    def place(self) -> str:
        """File and line, as tools print and editors read them."""
        return f"{self.filename}:{self.lineno}"


class Position:
    """The abstract and named classes at one position, which an MRO may lack. Immutable.

    :param abstract: classes with virtual subclasses, in the order of registration.
    :param names: classes given by name, in the order of registration.
    :param unions: the keys of members of unions, in the order of registration.
    """

    __slots__ = ("abstract", "names", "unions")

    def __init__(
        self,
        abstract: tuple[type, ...] = (),
        names: tuple[NamedClass, ...] = (),
        unions: tuple[UnionMember, ...] = (),
    ) -> None:
        self.abstract = abstract
        self.names = names
        self.unions = unions

    def adding(self, key: ClassKey) -> Position:
        """Return a position that knows this key as well."""
        if isinstance(key, UnionMember):
            known = self.adding(key.cls)
            unions = known.unions if key in known.unions else (*known.unions, key)
            return Position(known.abstract, known.names, unions)
        if isinstance(key, NamedClass):
            if key not in self.names:
                return Position(self.abstract, (*self.names, key), self.unions)
        elif is_abstract(key) and not any(known is key for known in self.abstract):
            return Position((*self.abstract, key), self.names, self.unions)
        return self

    def joined(self, other: Position) -> Position:
        """Return a position that knows the keys of another one as well, behind its own."""
        joined = self
        keys: list[ClassKey] = [*other.abstract, *other.names, *other.unions]
        for key in keys:
            joined = joined.adding(key)
        return joined

    def keeping(self, keys: Collection[ClassKey]) -> Position:
        """Return a position without the keys that nothing is registered for any more.

        :param keys: all that something is registered for.
        """
        classes = {class_of(key) for key in keys}
        return Position(
            tuple([cls for cls in self.abstract if cls in classes]),
            tuple([name for name in self.names if name in classes]),
            tuple([member for member in self.unions if member in keys]),
        )

    def same_class(self, cls: RegisteredClass) -> list[ClassKey]:
        """List the keys for one class: the class itself, then as a member of unions."""
        return [cls, *(member for member in self.unions if member.cls == cls)]

    def ranked(self, cls: type) -> list[ClassKey]:
        """List the keys that apply to an argument of this class, most specific first.

        These are its MRO, with the abstract classes among its virtual bases, and with the
        names of all of them that classes were registered by. Behind each class are the unions
        that it is a member of.
        """
        if not self.unions:
            return list(self._ranked_classes(cls))
        members: dict[RegisteredClass, list[UnionMember]] = {}
        for member in self.unions:
            members.setdefault(member.cls, []).append(member)
        return [key for base in self._ranked_classes(cls) for key in (base, *members.get(base, ()))]

    def _ranked_classes(self, cls: type) -> list[RegisteredClass]:
        if not self.names:
            return list(virtual_mro(cls, self.abstract) if self.abstract else mro_of(cls))
        loaded = {name: loaded_class(name) for name in self.names}
        abstract = [*self.abstract, *(named for named in loaded.values() if named is not None)]
        ranked: list[RegisteredClass] = []
        for base in virtual_mro(cls, abstract):
            ranked.append(base)
            for name in [name for name in loaded if loaded[name] is base or _names(name, base)]:
                ranked.append(name)
                # A reloaded class may derive from the class that had its name before.
                del loaded[name]
        return ranked


def _names(name: NamedClass, cls: type) -> bool:
    if isinstance(name, ForwardName):
        return name.matches(cls)
    return name == f"{cls.__module__}:{cls.__qualname__}"


_PLAIN_POSITION: Final = Position()


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
        return [entry.value for entry in _trie.entries(self.node)]

    def exact(self, keys: tuple[ClassKey, ...]) -> Registration | None:
        entry = _trie.exact(self.node, keys)
        return None if entry is None else entry.value

    def same_classes(self, classes: tuple[RegisteredClass, ...]) -> Iterator[Registration]:
        """Find all registrations for exactly these classes; those by unions come later."""
        pairs = zip(self.positions, classes, strict=True)
        return self.descend([position.same_class(cls) for position, cls in pairs])

    def adding(self, registration: Registration, order: int) -> ClassTrie:
        """Return a trie with this registration, which replaces the one under its keys."""
        keys = registration.keys
        replaced = _trie.exact(self.node, keys)
        entry = Entry(keys, registration, order if replaced is None else replaced.order)
        positions = tuple(
            [position.adding(key) for position, key in zip(self.positions, keys, strict=True)]
        )
        return ClassTrie(positions, _trie.add(self.node, entry))

    def removing(self, registration: Registration) -> ClassTrie:
        """Return a trie without this registration, which is in it."""
        node = _trie.remove(self.node, registration.keys)
        positions = list(self.positions)
        for index, key in enumerate(registration.keys):
            position, cls = positions[index], class_of(key)
            if key in position.unions or cls in position.names or cls in position.abstract:
                keys = {entry.value.keys[index] for entry in _trie.entries(node)}
                positions[index] = position.keeping(keys)
        return ClassTrie(tuple(positions), node)

    def matching(self, classes: tuple[type, ...]) -> Iterator[Registration]:
        """Find all registrations for these classes or bases of them.

        :param classes: the classes of the arguments.
        :return: an iterator, in the lexicographic order of the Cartesian product of the MROs:
          the first class weighs most, as in the class precedence lists of the Common Lisp
          Object System.
        """
        pairs = zip(self.positions, classes, strict=True)
        return self.descend([position.ranked(cls) for position, cls in pairs])

    def descend(self, ranked: list[list[ClassKey]]) -> Iterator[Registration]:
        """Find the registrations for keys that are ranked for each position, in that order."""
        for entry in _trie.descend(self.node, ranked, [set(keys) for keys in ranked]):
            yield entry.value


def merged(
    stores: Sequence[Store], key: Hashable, classes: tuple[type, ...]
) -> Iterator[Registration]:
    """Find all registrations in several stores for these classes or bases of them.

    :return: an iterator, most specific first, in the order that they would have in one store;
      for the same classes in the order of the stores.
    """
    tries = [trie for store in stores if (trie := store.tries(key).get(len(classes)))]
    if len(tries) < 2:
        return iter(()) if not tries else tries[0].matching(classes)
    positions = [
        functools.reduce(Position.joined, known)
        for known in zip(*[trie.positions for trie in tries], strict=True)
    ]
    pairs = zip(positions, classes, strict=True)
    ranked = [position.ranked(cls) for position, cls in pairs]
    ranks = [{key: rank for rank, key in enumerate(keys)} for keys in ranked]

    def place(registration: Registration) -> list[int]:
        return [rank[key] for rank, key in zip(ranks, registration.keys, strict=True)]

    # Imported here, since only a merged lookup needs it.
    import heapq

    # Each trie gives its own in this order; of equal ones, the first trie's come first.
    return heapq.merge(*[trie.descend(ranked) for trie in tries], key=place)


def ranking(registered: Iterable[_Key]) -> Callable[[type], list[_Key]]:
    """Make the function that ranks these keys for the class of an argument.

    :param registered: the keys that something is registered for at one position.
    :return: gives, for a class, those of them that apply, most specific first.
    """
    position, keys = _PLAIN_POSITION, {key: key for key in registered}
    for key in keys:
        position = position.adding(key)
    return lambda cls: [keys[key] for key in position.ranked(cls) if key in keys]  # type: ignore[index]


def _now(classes: Mapping[ForwardName, type]) -> Callable[[RegisteredClass], RegisteredClass]:
    def now(cls: RegisteredClass) -> RegisteredClass:
        return classes.get(cls, cls) if isinstance(cls, ForwardName) else cls

    return now


_NO_TRIES: Final[dict[int, ClassTrie]] = {}


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
        trie = self.tries(key).get(len(keys))
        return None if trie is None else trie.exact(keys)

    def for_classes(self, key: Hashable, keys: tuple[ClassKey, ...]) -> Registration | None:
        """Get the registration under exactly these keys.

        Of classes alone, without unions, it is the first that was made for them by unions
        where there is no other; ``None`` if there is no registration.
        """
        trie = self.tries(key).get(len(keys))
        if trie is None:
            return None
        classes = [cls for cls in keys if not isinstance(cls, UnionMember)]
        if len(classes) < len(keys):
            return trie.exact(keys)
        return next(trie.same_classes(tuple(classes)), None)

    def matching(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Registration]:
        """Find all registrations for these classes or bases of them, most specific first."""
        trie = self.tries(key).get(len(classes))
        return iter(()) if trie is None else trie.matching(classes)

    def registrations(self) -> list[Registration]:
        """List all registrations, in the order in which they were made."""
        entries = [
            entry
            for tries in self._keys.values()
            for trie in tries.values()
            for entry in _trie.entries(trie.node)
        ]
        return [entry.value for entry in sorted(entries, key=lambda entry: entry.order)]

    def forward_names(self, key: Hashable) -> list[ForwardName]:
        """List the classes under a key that annotations named before they were defined."""
        return [
            name
            for trie in self.tries(key).values()
            for position in trie.positions
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
            )
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
            key, arity = registration.key, len(registration.classes)
            tries = keys.get(key, _NO_TRIES)
            trie = tries.get(arity) or ClassTrie((_PLAIN_POSITION,) * arity)
            trie = trie.adding(registration, order)
            keys = _trie.with_branch(keys, key, {**tries, arity: trie})
            order += 1
        return Store(keys, order)

    def removing(self, registrations: Iterable[Registration]) -> Store:
        """Return a store without these registrations, which are in it."""
        keys = self._keys
        for registration in registrations:
            key, arity = registration.key, len(registration.classes)
            tries = dict(keys[key])
            tries[arity] = tries[arity].removing(registration)
            if not tries[arity].node:
                del tries[arity]
            if tries:
                keys = _trie.with_branch(keys, key, tries)
                continue
            keys = _trie.without_branch(keys, key)
        return Store(keys, self._order)
