"""Refinements: classes of which only some objects count.

A refinement stands just before its class in the order of a position. Of several for one class, a
narrower one comes first, if that is certain; else they are in the order of registration. Whether
one holds for an argument is asked in every call, and never remembered.

The idea is that of predicate types, and of ``eql`` specializers in the Common Lisp Object System.
"""

from __future__ import annotations

from ._classes import ForwardName, NamedClass, RegisteredClass, loaded_class
from ._matching import Matcher, Query
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

__all__ = [
    "ItemsOf",
    "RefinedMatcher",
    "Refinement",
    "SubclassOf",
    "base_of",
    "loaded_base",
    "names_in",
]

#: A class itself, or its name.
_Base: TypeAlias = "type | NamedClass"


class Refinement:
    """A class of which only some objects count.

    :param base: the class, or its name.
    :param conditions: called with an argument; all of them have to return something true.
    :param value: the value that an argument has to be; ``MISSING`` for any value.
    """

    __slots__ = ("_identity", "base", "conditions", "value")

    def __init__(
        self, base: _Base, conditions: tuple[Callable[[Any], object], ...], value: Any = MISSING
    ) -> None:
        self.base = base
        self.conditions = conditions
        self.value = value
        # True and 1 are equal, and so are a member of an enumeration and its value.
        self._identity = (base, frozenset(conditions), type(value), value)

    def holds(self, argument: Any) -> bool:
        """Return whether an argument of the class counts."""
        value = self.value
        if value is not MISSING and (argument.__class__ is not type(value) or argument != value):
            return False
        return all(condition(argument) for condition in self.conditions)

    def is_narrower_than(self, other: Refinement) -> bool:
        """Return whether it is certain that fewer objects of the same class count."""
        if self == other or self.base != other.base:
            return False
        if other.value is not MISSING and self._identity[2:] != other._identity[2:]:
            return False
        return all(
            any(condition == wider or _implies(condition, wider) for condition in self.conditions)
            for wider in other.conditions
        )

    def renamed(self, now: Callable[[Any], Any]) -> Refinement:
        """Return the same with other classes.

        :param now: gives for a class, or the name of one, the class to put in its place.
        """
        conditions: list[Callable[[Any], object]] = []
        for condition in self.conditions:
            if isinstance(condition, SubclassOf):
                condition = SubclassOf(now(condition.cls))
            conditions.append(condition)
        return Refinement(now(self.base), tuple(conditions), self.value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Refinement):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has other hashes, and other objects for the same classes.
        value = () if self.value is MISSING else (self.value,)
        return Refinement, (self.base, self.conditions, *value)

    def __repr__(self) -> str:
        name = _short(self.base) if self.value is MISSING else f"Literal[{self.value!r}]"
        conditions = list(self.conditions)
        if conditions and isinstance(conditions[0], SubclassOf):
            name = f"type[{_short(conditions[0].cls)}]"
            del conditions[0]
        elif len(conditions) == 1 and isinstance(conditions[0], ItemsOf):
            return f"Items({name}, {', '.join(map(_short, conditions[0].kinds))})"
        return f"Where({', '.join([name, *map(_short, conditions)])})" if conditions else name


class SubclassOf:
    """The condition of ``type[X]``: the argument is a class, and a subclass of another.

    :param cls: the other class, or its name.
    """

    __slots__ = ("cls",)

    def __init__(self, cls: _Base) -> None:
        self.cls = cls

    def __call__(self, argument: Any) -> bool:
        # list[int] claims to be a class, and is not.
        if not issubclass(type(argument), type):
            return False
        cls = self.cls
        if not isinstance(cls, NamedClass):
            return issubclass(argument, cls)
        if (loaded := loaded_class(cls)) is not None:
            return issubclass(argument, loaded)
        return isinstance(cls, ForwardName) and any(map(cls.matches, argument.__mro__))

    def __eq__(self, other: object) -> bool:
        return self.cls == other.cls if isinstance(other, SubclassOf) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.cls)

    def __repr__(self) -> str:
        return f"subclass of {_short(self.cls)}"


class ItemsOf:
    """The condition that all items of a collection are of a class.

    :param kinds: one class or union; of a mapping, one for its keys and one for its values.
    """

    __slots__ = ("kinds",)

    def __init__(self, kinds: tuple[type | types.UnionType, ...]) -> None:
        self.kinds = kinds

    def __call__(self, argument: Any) -> bool:
        if len(self.kinds) == 1:
            return all(isinstance(item, self.kinds[0]) for item in argument)
        keys, values = self.kinds
        return all(
            isinstance(key, keys) and isinstance(value, values) for key, value in argument.items()
        )

    def __eq__(self, other: object) -> bool:
        return self.kinds == other.kinds if isinstance(other, ItemsOf) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.kinds)

    def __repr__(self) -> str:
        return f"items of {', '.join(map(_short, self.kinds))}"


class RefinedMatcher(Matcher):
    """A component that is registered for refinements, as class lookups give it.

    :param component: the component, perhaps a matcher.
    :param classes: the classes of its registration.
    :param rest: the same for further arguments.
    """

    def __init__(
        self,
        component: Any,
        classes: tuple[RegisteredClass, ...],
        rest: tuple[RegisteredClass, ...],
    ) -> None:
        self.component = component
        self.refinements = {
            position: cls for position, cls in enumerate(classes) if isinstance(cls, Refinement)
        }
        #: by position, the value that the argument has to be, with its class
        self.values = {
            position: (type(refinement.value), refinement.value)
            for position, refinement in self.refinements.items()
            if refinement.value is not MISSING
        }
        self._fewest = len(classes)
        self._rest = rest if any(isinstance(cls, Refinement) for cls in rest) else ()

    def __call__(self, *args: Any, **predicates: Any) -> Any:
        """Give the component if all refinements hold, or the answer of a matcher."""
        if self.failing(args) is not None:
            return None
        component = self.component
        return component(*args, **predicates) if isinstance(component, Matcher) else component

    def predicates(self, *args: Any) -> Mapping[str, Any]:
        """Compute the predicates of a matcher."""
        component = self.component
        return component.predicates(*args) if isinstance(component, Matcher) else {}

    def _reg_ask(self, query: Query) -> Any:
        if self.failing(query.args) is not None:
            return None
        component = self.component
        return component._reg_ask(query) if isinstance(component, Matcher) else component

    def failing(self, args: tuple[Any, ...]) -> int | None:
        """Find the first argument for which a refinement does not hold.

        :return: its position; ``None`` if all of them hold.
        """
        for position, refinement in self.refinements.items():
            if not refinement.holds(args[position]):
                return position
        if self._rest:
            for position, argument in enumerate(args[self._fewest :], self._fewest):
                if not any(_applies(cls, argument) for cls in self._rest):
                    return position
        return None

    def question(self) -> Callable[[tuple[Any, ...]], object]:
        """Make the function that asks whether all refinements hold, in the least time."""
        if len(self.refinements) == 1 and not self.values and not self._rest:
            ((position, refinement),) = self.refinements.items()
            if len(refinement.conditions) == 1:
                condition = refinement.conditions[0]
                return lambda args: condition(args[position])
        return lambda args: self.failing(args) is None

    def without_values(self) -> Any:
        """Return the component as it is where the values are known to be the right ones."""
        left = {
            position: Refinement(refinement.base, refinement.conditions)
            for position, refinement in self.refinements.items()
            if refinement.conditions
        }
        if not left and not self._rest:
            return self.component
        matcher = RefinedMatcher(self.component, (), self._rest)
        matcher._fewest, matcher.refinements = self._fewest, left
        return matcher


def base_of(cls: RegisteredClass) -> type | NamedClass:
    """Return the class itself, of a refinement its class."""
    return cls.base if isinstance(cls, Refinement) else cls


def names_in(cls: RegisteredClass) -> tuple[NamedClass, ...]:
    """List the classes that are given by name, of a refinement those in its conditions too."""
    classes: list[RegisteredClass] = [base_of(cls)]
    for condition in cls.conditions if isinstance(cls, Refinement) else ():
        if isinstance(condition, SubclassOf):
            classes.append(condition.cls)
    return tuple([name for name in classes if isinstance(name, NamedClass)])


def loaded_base(cls: RegisteredClass) -> type | None:
    """Find the class of a registered class if it is loaded, and import nothing."""
    base = base_of(cls)
    return loaded_class(base) if isinstance(base, NamedClass) else base


def _applies(cls: RegisteredClass, argument: Any) -> bool:
    """Return whether a class, or a refinement, applies to an argument."""
    loaded = loaded_base(cls)
    if loaded is None or not issubclass(argument.__class__, loaded):
        return False
    return not isinstance(cls, Refinement) or cls.holds(argument)


def _implies(condition: Any, wider: Any) -> bool:
    if not isinstance(condition, SubclassOf) or not isinstance(wider, SubclassOf):
        return False
    cls, base = condition.cls, wider.cls
    return isinstance(cls, type) and isinstance(base, type) and issubclass(cls, base)


def _short(value: Any) -> str:
    if isinstance(value, NamedClass):
        return str(value)
    name = getattr(value, "__qualname__", None)
    return name.rpartition("<locals>.")[2] if isinstance(name, str) else repr(value)
