"""The components of one registry: where they are kept, and found in order.

Those under one key and for one number of classes form a trie: a level of
dictionaries for each class. A look-up descends only where something is
registered, so that its cost follows from what there is to find and not from
the Cartesian product of the MROs, whose order it keeps.
"""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Callable, Hashable, Iterable, Iterator

from ._classes import NamedClass, is_abstract, loaded_class
from ._lock import registry_lock
from ._mro import mro_of, virtual_mro

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

    from ._classes import RegisteredClass

    _T = TypeVar("_T")

__all__ = ["Components", "Registration", "ranking", "read_consistently"]

if TYPE_CHECKING:

    class _Registration(NamedTuple):
        key: Hashable
        classes: tuple[RegisteredClass, ...]
        component: Any
        filename: str
        lineno: int

else:
    _Registration = namedtuple(
        "_Registration", ["key", "classes", "component", "filename", "lineno"]
    )


class Registration(_Registration):
    """A component with what it is registered under, and from where: a named tuple.

    :param key: what it is registered under, often a generic function.
    :param classes: for which classes, one for each argument.
    :param component: what is registered.
    :param filename: the file that the component is defined in, if it is a
      function, or that the call to ``register()`` is in.
    :param lineno: the line there.
    """

    __slots__ = ()

    @property
    def place(self) -> str:
        """File and line, as tools print and editors read them."""
        return f"{self.filename}:{self.lineno}"


# A branch holds further branches; or, where only one registration is below it,
# that one. Most combinations of classes are alone from the first on, and a
# dictionary for each further class would cost more than all the rest.
_Branches: TypeAlias = "dict[RegisteredClass, _Branches | Registration]"


# What takes the steps of a change back, in the order they were made. Each is
# noted before its step, so that none is missed whatever interrupts it; and each
# can be taken back twice, for when that is interrupted as well.
_Undo: TypeAlias = "list[Callable[[], object]]"


def _set(items: dict[Any, Any], key: Hashable, value: object, undo: _Undo) -> None:
    if key in items:
        undo.append(functools.partial(items.__setitem__, key, items[key]))
    else:
        undo.append(functools.partial(items.pop, key, None))
    items[key] = value


def _delete(items: dict[Any, Any], key: Hashable, undo: _Undo) -> None:
    undo.append(functools.partial(items.__setitem__, key, items[key]))
    del items[key]


# One for all positions without such classes, which are nearly all.
_EMPTY: Final[dict[Any, None]] = {}


class _Position:
    """Which classes are registered at one position, and how often."""

    __slots__ = ("abstract", "counts", "names")

    def __init__(self) -> None:
        self.counts: dict[RegisteredClass, int] = {}
        # Both are subsets of counts, as dictionaries to keep the order. They are
        # replaced, never changed, so that a step back keeps the order as well.
        self.abstract: dict[type, None] = _EMPTY
        self.names: dict[NamedClass, None] = _EMPTY

    def add(self, cls: RegisteredClass, undo: _Undo) -> None:
        count = self.counts.get(cls, 0)
        _set(self.counts, cls, count + 1, undo)
        if count:
            return
        if isinstance(cls, NamedClass):
            undo.append(functools.partial(setattr, self, "names", self.names))
            self.names = {**self.names, cls: None}
        elif is_abstract(cls):
            undo.append(functools.partial(setattr, self, "abstract", self.abstract))
            self.abstract = {**self.abstract, cls: None}

    def remove(self, cls: RegisteredClass, undo: _Undo) -> None:
        count = self.counts[cls]
        if count > 1:
            _set(self.counts, cls, count - 1, undo)
            return
        _delete(self.counts, cls, undo)
        if cls in self.names:
            undo.append(functools.partial(setattr, self, "names", self.names))
            self.names = {name: None for name in self.names if name != cls}
        elif cls in self.abstract:
            undo.append(functools.partial(setattr, self, "abstract", self.abstract))
            self.abstract = {each: None for each in self.abstract if each is not cls}

    def put_in_order(self, classes: list[RegisteredClass]) -> None:
        names = [each for each in classes if isinstance(each, NamedClass)]
        abstract = [each for each in classes if not isinstance(each, NamedClass)]
        self.names = {name: None for name in names if name in self.names}
        self.abstract = {cls: None for cls in abstract if cls in self.abstract}

    def ranked(self, cls: type) -> list[RegisteredClass]:
        """What is registered at this position and applies to a class, most specific first."""
        counts = self.counts
        if not self.names:
            mro = virtual_mro(cls, list(self.abstract)) if self.abstract else mro_of(cls)
            return [base for base in mro if base in counts]
        loaded = {name: loaded_class(name) for name in list(self.names)}
        abstract = [*self.abstract, *(found for found in loaded.values() if found is not None)]
        ranked: list[RegisteredClass] = []
        for base in virtual_mro(cls, abstract):
            if base in counts:
                ranked.append(base)
            own_name = f"{base.__module__}:{base.__qualname__}"
            for name in [each for each in loaded if base is loaded[each] or each == own_name]:
                ranked.append(name)
                # A class that is loaded again may derive from the one that had its name.
                del loaded[name]
        return ranked


def ranking(registered: Iterable[RegisteredClass]) -> Callable[[type], list[RegisteredClass]]:
    """Make the order in which what is registered at one position is found for a class.

    :param registered: the classes that something is registered for.
    :return: gives, for a class, those of them that apply, most specific first.
    """
    position = _Position()
    for cls in registered:
        position.add(cls, [])
    return position.ranked


class _Trie:
    """The components under one key, for one number of classes."""

    __slots__ = ("branches", "positions")

    def __init__(self, arity: int) -> None:
        self.positions = tuple(_Position() for _ in range(arity))
        self.branches: _Branches = {}

    def exact(self, classes: tuple[RegisteredClass, ...]) -> Registration | None:
        found: _Branches | Registration | None = self.branches
        for cls in classes or (object,):
            found = found.get(cls) if isinstance(found, dict) else found
        if isinstance(found, Registration) and found.classes == classes:
            return found
        return None

    def add(self, registration: Registration, undo: _Undo) -> None:
        known = self.exact(registration.classes)
        branches, path = self.branches, registration.classes or (object,)
        for depth, cls in enumerate(path):
            below = branches.get(cls)
            if isinstance(below, dict):
                branches = below
                continue
            if below is None or below is known:
                _set(branches, cls, registration, undo)
            else:
                _set(branches, cls, _fork(below, registration, depth + 1), undo)
            break
        if known is None:
            for position, cls in zip(self.positions, registration.classes, strict=True):
                position.add(cls, undo)

    def remove(self, registration: Registration, undo: _Undo) -> None:
        trail = []
        branches, path = self.branches, registration.classes or (object,)
        for cls in path:
            trail.append((branches, cls))
            below = branches[cls]
            if not isinstance(below, dict):
                break
            branches = below
        for branches, cls in reversed(trail):
            _delete(branches, cls, undo)
            if branches:
                break
        for position, cls in zip(self.positions, registration.classes, strict=True):
            position.remove(cls, undo)

    def matching(self, classes: tuple[type, ...]) -> Iterator[Registration]:
        """Everything that applies to the classes, in the order of the product of their MROs."""
        if not classes:
            yield from self.registrations()
            return
        ranked = [
            position.ranked(cls) for position, cls in zip(self.positions, classes, strict=True)
        ]
        if all(ranked):
            yield from _descend(self.branches, ranked, [set(each) for each in ranked], 0)

    def registrations(self) -> Iterator[Registration]:
        below: list[_Branches | Registration] = [self.branches]
        while below:
            found = below.pop()
            if isinstance(found, dict):
                below += reversed(list(found.values()))
            else:
                yield found


def _fork(first: Registration, second: Registration, depth: int) -> _Branches:
    """The branches that hold two registrations which are alike up to ``depth``."""
    if first.classes[depth] == second.classes[depth]:
        return {first.classes[depth]: _fork(first, second, depth + 1)}
    return {first.classes[depth]: first, second.classes[depth]: second}


def _descend(
    branches: _Branches,
    ranked: list[list[RegisteredClass]],
    applicable: list[set[RegisteredClass]],
    depth: int,
) -> Iterator[Registration]:
    """What applies, in order.

    :param ranked: for each position the classes that apply, most specific first.
    :param applicable: the same classes, where it is only asked whether they do.
    """
    classes = ranked[depth]
    if len(branches) < len(classes):
        # Copied at once, since others may add to it.
        classes = [cls for cls in list(branches) if cls in applicable[depth]]
        if len(classes) > 1:
            classes.sort(key=ranked[depth].index)
    for cls in classes:
        below = branches.get(cls)
        if below is None:
            continue
        if isinstance(below, dict):
            yield from _descend(below, ranked, applicable, depth + 1)
            continue
        for position in range(depth + 1, len(ranked)):
            if below.classes[position] not in applicable[position]:
                break
        else:
            yield below


# A key and a number of classes, with classes at each position in their order.
_Order: TypeAlias = "tuple[Hashable, int, list[list[RegisteredClass]]]"


class Components:
    """All components of one registry, by key and number of classes.

    Each change is made wholly or not at all; ``tell`` is called as its last part.
    It gives what it has replaced, to be kept for as long as a lock is held: what a
    component does as it dies may wait for another thread.
    """

    def __init__(self) -> None:
        self._keys: dict[Hashable, dict[int, _Trie]] = {}
        #: odd while a change is under way, or has yet to be taken back
        self.version = 0
        # What is left to take back of a change, when that was interrupted too,
        # and the version to have then. Who reads does it first.
        self._left: _Undo = []
        self._version_then = 0

    def add(self, registrations: list[Registration], tell: Callable[[], object]) -> object:
        def change(undo: _Undo) -> None:
            for registration in registrations:
                arity = len(registration.classes)
                tries = self._keys.get(registration.key)
                if tries is None:
                    tries = {}
                    _set(self._keys, registration.key, tries, undo)
                trie = tries.get(arity)
                if trie is None:
                    trie = _Trie(arity)
                    _set(tries, arity, trie, undo)
                trie.add(registration, undo)

        return self._make(change, tell)

    def remove(self, registrations: list[Registration], tell: Callable[[], object]) -> object:
        def change(undo: _Undo) -> None:
            for registration in registrations:
                tries = self._keys[registration.key]
                trie = tries[len(registration.classes)]
                trie.remove(registration, undo)
                if not trie.branches:
                    _delete(tries, len(registration.classes), undo)
                if not tries:
                    _delete(self._keys, registration.key, undo)

        return self._make(change, tell)

    def clear(self, tell: Callable[[], object]) -> object:
        def change(undo: _Undo) -> None:
            _set(self.__dict__, "_keys", {}, undo)

        return self._make(change, tell)

    def __contains__(self, key: Hashable) -> bool:
        if self._left:
            self._take_back()
        return key in self._keys

    def exact(self, key: Hashable, classes: tuple[RegisteredClass, ...]) -> Registration | None:
        trie = self._trie(key, len(classes))
        return None if trie is None else trie.exact(classes)

    def matching(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Registration]:
        trie = self._trie(key, len(classes))
        return iter(()) if trie is None else trie.matching(classes)

    def registrations(self) -> list[Registration]:
        if self._left:
            self._take_back()
        return [
            registration
            for tries in list(self._keys.values())
            for trie in list(tries.values())
            for registration in trie.registrations()
        ]

    def orders(self) -> list[_Order]:
        """In which order those classes were registered of which it decides what comes first."""
        return [
            (key, arity, [[*position.abstract, *position.names] for position in trie.positions])
            for key, tries in list(self._keys.items())
            for arity, trie in list(tries.items())
            if any(position.abstract or position.names for position in trie.positions)
        ]

    def put_in_order(self, orders: list[_Order]) -> None:
        """Have the classes in the order that they have in another, with the same registrations."""
        for key, arity, positions in orders:
            for position, classes in zip(self._keys[key][arity].positions, positions, strict=True):
                position.put_in_order(classes)

    def abstract_classes(self, key: Hashable, arity: int) -> list[type]:
        """The abstract classes registered, whose virtual subclasses may change."""
        trie = self._trie(key, arity)
        if trie is None:
            return []
        return [cls for position in trie.positions for cls in list(position.abstract)]

    def names(self, key: Hashable, arity: int) -> list[NamedClass]:
        """The classes registered by name, whose answers depend on what is loaded."""
        trie = self._trie(key, arity)
        if trie is None:
            return []
        return [name for position in trie.positions for name in list(position.names)]

    def _trie(self, key: Hashable, arity: int) -> _Trie | None:
        if self._left:
            self._take_back()
        tries = self._keys.get(key)
        return None if tries is None else tries.get(arity)

    def _make(self, change: Callable[[_Undo], object], tell: Callable[[], object]) -> object:
        """Make a change wholly or not at all, whatever is raised on the way.

        Those who read without a lock see from the version that it is under way.

        :param change: notes how to take back each of its steps.
        :param tell: tells those who remember answers. Until it is done nobody
          else sees the change, so that none of them learns what is taken back.
        """
        undo: _Undo = []
        with registry_lock:
            self._take_back()
            version = self.version
            # Worked out before: there may be no memory left when it is needed.
            # The change may be one within another, made by a key's own __eq__.
            during, after = (version, version) if version % 2 else (version + 1, version + 2)
            try:
                self.version = during
                change(undo)
                tell()
                # With this, it is made.
                made, undo = undo, []
            finally:
                # No signal is handled before all is noted: nothing is called here.
                self._version_then = after
                self._left = undo + self._left
                self.version = during if self._left else after
                if self._left:
                    self._take_back()
        return made

    def _take_back(self) -> None:
        with registry_lock:
            while self._left:
                self._left[-1]()
                if len(self._left) == 1:
                    self.version = self._version_then
                self._left.pop()


def read_consistently(all_components: list[Components], read: Callable[[], _T]) -> _T:
    """Read from registries so that no half of a change is seen.

    :param all_components: what ``read`` reads from.
    :param read: may be called several times, the last time undisturbed.
    """
    for _ in range(3):
        before = [components.version for components in all_components]
        if any(version % 2 for version in before):
            break
        result = read()
        if [components.version for components in all_components] == before:
            return result
    with registry_lock:
        return read()
