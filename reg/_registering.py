"""From the key and the classes that a user gives to the registrations that a store has."""

from __future__ import annotations

from ._classes import ClassKey, NamedClass, RestKey, UnionMember, class_of
from ._declared import declared_by
from ._dispatch_spec import canonical_key
from ._errors import describe
from ._refinements import Refinement
from ._specifications import ClassSpecification, registered_classes, split_predicates
from ._store import Registration
from .arginfo import is_bound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from typing import Any

__all__ = ["checked_key", "key_names", "read_classes", "registration_for"]


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
    return canonical_key(key)  # type: ignore[no-any-return]


def read_classes(
    key: Hashable, classes: Iterable[ClassSpecification]
) -> tuple[list[tuple[ClassKey, ...]], Mapping[str, Any] | None]:
    """Split the classes that a user gives, with a :class:`reg.By` behind them.

    :return: the combinations of classes, and the values of predicates; ``None`` under a key that
      declares no predicates.
    """
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
