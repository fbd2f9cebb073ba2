"""From the key and the classes that a user gives to the registrations that a store has."""

from __future__ import annotations

from types import FunctionType

from ._classes import ClassKey, NamedClass, RestKey, UnionMember, class_of
from ._declared import declared_by
from ._dispatch_spec import canonical_key, generic_in_partial
from ._errors import describe
from ._refinements import Refinement
from ._specifications import ClassSpecification, registered_classes, split_predicates
from ._store import Registration
from .arginfo import is_bound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from typing import Any

__all__ = [
    "checked_key",
    "key_names",
    "read_classes",
    "refuse_namesake",
    "registration_for",
]


def checked_key(key: Any) -> Hashable:
    """Refuse an object that cannot be a key.

    :param key: the object.
    :return: the key; the generic function, for a copy that a decorator made of it.
    :raises TypeError: if it cannot be hashed, or is a bound generic function.
    """
    try:
        hash(key)
    except TypeError as error:
        raise TypeError(
            f"a component is registered under a hashable key, often a generic function;"
            f" {key!r} cannot be hashed: {error}"
        ) from error
    if is_bound(key) and "__reg_dispatch__" in getattr(key.__func__, "__dict__", ()):
        raise TypeError(
            f"{key!r} is a generic function bound to an object or a class, under which no call"
            f" looks; give the generic function {describe(key.__func__)} itself, its __func__"
        )
    if (inside := generic_in_partial(key)) is not None:
        raise TypeError(
            f"{key!r} has some arguments of the generic function {describe(inside)} already, and no"
            " call looks under it; give the generic function itself"
        )
    canonical: Hashable = canonical_key(key)
    return canonical


def refuse_namesake(key: Hashable, function: Any) -> None:
    """Refuse to decorate a function that takes the name of the generic function.

    :param key: the key that it is about to be registered under.
    :param function: the decorated function, which the name would stand for from now on.
    :raises TypeError: if both have the same name in one module, or in one class.
    """
    spec = getattr(key, "__reg_dispatch__", None)
    if spec is None or not isinstance(function, FunctionType) or function is spec.function:
        return
    if describe(function) == describe(key):
        name = function.__name__
        raise TypeError(
            f"an implementation of the generic function {describe(key)} has the same name, which"
            f" would stand for it from now on: calls of {name}() would run it with any arguments;"
            f" give it a name of its own, such as {name}_of_something"
        )


def read_classes(
    key: Hashable, classes: Iterable[ClassSpecification]
) -> tuple[list[tuple[ClassKey, ...]], Mapping[str, Any] | None]:
    """Split the classes that a user gives, with a :class:`reg.By` behind them.

    :return: the combinations of classes, and the values of predicates; ``None`` under a key that
      declares no predicates.
    """
    if isinstance(classes, (set, frozenset)) and len(classes) > 1:
        raise TypeError(
            f"the classes registered under {describe(key)} must come in the order of the arguments,"
            f" as in a list; got {classes!r}"
        )
    classes, by = split_predicates(classes)
    combinations = registered_classes(key, classes)
    return combinations, by if declared_by(key, by) else None


def registration_for(
    key: Hashable, combination: tuple[ClassKey, ...], component: Any, filename: str, lineno: int
) -> Registration:
    """Make the registration of a component for one combination of classes."""
    keys = [cls for cls in combination if not isinstance(cls, RestKey)]
    classes = tuple(map(class_of, keys))
    unions = tuple([cls.union if isinstance(cls, UnionMember) else () for cls in keys])
    further = [cls for cls in combination if isinstance(cls, RestKey)]
    rest = tuple([class_of(member) for cls in further for member in cls.members])
    return Registration(
        key, classes, component, filename, lineno, unions, rest, component
    ).with_candidate()


def key_names(keys: tuple[ClassKey, ...]) -> str:
    """Name the classes of a registration in full, in parentheses, for an error."""
    return f"({', '.join(map(_name, keys))})"


def _name(key: ClassKey) -> str:
    if isinstance(key, RestKey):
        return "*" + " | ".join([_name(class_of(member)) for member in key.members])
    if isinstance(key, UnionMember):
        return " | ".join(map(_name, key.union))
    if isinstance(key, (NamedClass, Refinement)):
        return str(key)
    return f"{key.__module__}.{key.__qualname__}"
