"""The order of the keys that apply to an argument: its MRO, and the keys that no MRO contains."""

from __future__ import annotations

import functools

from ._classes import (
    ClassKey,
    ForwardName,
    NamedClass,
    RegisteredClass,
    RestKey,
    SingleKey,
    UnionMember,
    class_of,
    is_abstract,
    loaded_class,
    members_of,
)
from ._mro import mro_of, virtual_mro
from ._refinements import Refinement, names_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any, Final, TypeVar

    _Key = TypeVar("_Key", bound=SingleKey)

__all__ = ["PLAIN_POSITION", "Position", "ranking"]


class Position:
    """The keys at one position that an MRO lacks. Immutable.

    :param abstract: classes with virtual subclasses, in the order of registration.
    :param names: classes given by name, in the order of registration.
    :param unions: the keys of members of unions, in the order of registration.
    :param rests: the keys for any number of arguments, in the order of registration.
    :param refinements: the refinements, each before those that it is narrower than; else in the
      order of registration.
    """

    __slots__ = ("abstract", "names", "refinements", "rests", "unions")

    def __init__(
        self,
        abstract: tuple[type, ...] = (),
        names: tuple[NamedClass, ...] = (),
        unions: tuple[UnionMember, ...] = (),
        rests: tuple[RestKey, ...] = (),
        refinements: tuple[Refinement, ...] = (),
    ) -> None:
        self.abstract = abstract
        self.names = names
        self.unions = unions
        self.rests = rests
        self.refinements = refinements

    def adding(self, key: ClassKey) -> Position:
        """Return a position that knows this key as well."""
        if isinstance(key, RestKey):
            known = functools.reduce(Position.adding, key.members, self)
            return known if key in known.rests else known._with(rests=(*known.rests, key))
        if isinstance(key, UnionMember):
            known = self.adding(key.cls)
            return known if key in known.unions else known._with(unions=(*known.unions, key))
        if isinstance(key, Refinement):
            known = functools.reduce(Position.adding, (key.base, *names_in(key)), self)
            return known if key in known.refinements else known._refined_by(key)
        if isinstance(key, NamedClass):
            if key not in self.names:
                return self._with(names=(*self.names, key))
        elif is_abstract(key) and not any(known is key for known in self.abstract):
            return self._with(abstract=(*self.abstract, key))
        return self

    def _with(self, **changed: Any) -> Position:
        return Position(**{name: getattr(self, name) for name in self.__slots__} | changed)

    def _refined_by(self, key: Refinement) -> Position:
        known = self.refinements
        wider = (index for index, other in enumerate(known) if key.is_narrower_than(other))
        index = next(wider, len(known))
        return self._with(refinements=(*known[:index], key, *known[index:]))

    def knows(self, key: ClassKey) -> bool:
        """Return whether a key is one that no MRO contains."""
        if isinstance(key, RestKey):
            return key in self.rests
        cls = class_of(key)
        is_abstract_or_named = cls in self.names or cls in self.abstract
        return is_abstract_or_named or key in self.unions or cls in self.refinements

    def joined(self, other: Position) -> Position:
        """Return a position that knows the keys of another one as well, behind its own."""
        joined = self
        keys: list[ClassKey] = [
            *other.abstract,
            *other.names,
            *other.refinements,
            *other.unions,
            *other.rests,
        ]
        for key in keys:
            joined = joined.adding(key)
        return joined

    def keeping(self, keys: Collection[ClassKey]) -> Position:
        """Return a position without the keys that nothing is registered for any more.

        :param keys: all that something is registered for.
        """
        members = {member for key in keys for member in members_of(key)}
        classes = set(map(class_of, members))
        refinements = [refinement for refinement in self.refinements if refinement in classes]
        for refinement in refinements:
            classes |= {refinement.base, *names_in(refinement)}
        return Position(
            tuple([cls for cls in self.abstract if cls in classes]),
            tuple([name for name in self.names if name in classes]),
            tuple([member for member in self.unions if member in members]),
            tuple([rest for rest in self.rests if rest in keys]),
            tuple(refinements),
        )

    def same_class(self, cls: ClassKey) -> list[ClassKey]:
        """List the keys for one class: the class itself, then as a member of unions."""
        return [cls, *(member for member in self.unions if member.cls == cls)]

    def ranked(self, cls: type) -> list[ClassKey]:
        """List the keys that apply to an argument of this class, most specific first.

        These are its MRO, with the abstract classes among its virtual bases, and with the
        names of all of them that classes were registered by. In front of each class are its
        refinements, and behind each the unions that it is a member of.
        """
        ranked = self._ranked_classes(cls)
        if self.refinements:
            ranked = self._with_refinements(ranked)
        if not self.unions:
            return list(ranked)
        members: dict[RegisteredClass, list[UnionMember]] = {}
        for member in self.unions:
            members.setdefault(member.cls, []).append(member)
        return [key for base in ranked for key in (base, *members.get(base, ()))]

    def _with_refinements(self, classes: list[RegisteredClass]) -> list[RegisteredClass]:
        """Put the refinements of each class in front of it, and of its names."""
        ranked: list[RegisteredClass] = []
        names: list[RegisteredClass] = []
        for cls in reversed(classes):
            # The names of a class come behind it.
            names.append(cls)
            if not isinstance(cls, NamedClass):
                refined = [
                    refinement for refinement in self.refinements if refinement.base in names
                ]
                ranked[:0] = [*refined, *reversed(names)]
                names = []
        return ranked

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


PLAIN_POSITION: Final = Position()


def ranking(registered: Iterable[_Key]) -> Callable[[type], list[_Key]]:
    """Make the function that ranks these keys for the class of an argument.

    :param registered: the keys that something is registered for at one position.
    :return: gives, for a class, those of them that apply, most specific first.
    """
    position = PLAIN_POSITION
    keys: dict[Any, _Key] = {key: key for key in registered}
    for key in keys:
        position = position.adding(key)
    return lambda cls: [keys[key] for key in position.ranked(cls) if key in keys]
