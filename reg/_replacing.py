"""Registrations for the same classes: the second one replaces the first, joins it, or is refused.

It joins the first by the predicates that a generic function declares: all of its components for the
same classes are in one registration, of a :class:`reg._declared.DeclaredMatcher`.
"""

from __future__ import annotations

from ._declared import DeclaredMatcher
from ._errors import RegistrationError, describe
from ._registering import key_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._store import Registration, Store

__all__ = [
    "has_component",
    "joined_by_predicates",
    "predicate_names",
    "refuse_to_replace",
    "without_component",
]


def refuse_to_replace(store: Store, registration: Registration) -> None:
    """Refuse a registration if there is one for the same key and classes."""
    known = store.exact(registration.key, registration.keys)
    if known is not None:
        raise RegistrationError(
            f"{describe(registration.key)} has a component for"
            f" {key_names(registration.keys)} already: {known.component!r} at"
            f" {known.place}, so {registration.component!r} at {registration.place}"
            " is not registered; unregister the first, or use replace=True"
        )


def joined_by_predicates(
    store: Store, registration: Registration, predicates: Mapping[str, Any], replaces: bool
) -> Registration:
    """Put a component to those that are registered for the same classes, by its predicates.

    :param store: the registrations so far.
    :param registration: of the component alone.
    :param predicates: their values by name.
    :param replaces: whether it replaces a component for the same predicates.
    :return: the registration of all of them.
    :raises RegistrationError: if there is one for the same predicates, and is to stay.
    """
    known = store.exact(registration.key, registration.keys)
    matcher = None if known is None else known.component
    if known is None or not isinstance(matcher, DeclaredMatcher):
        if not replaces:
            refuse_to_replace(store, registration)
        matcher, known = DeclaredMatcher(registration.key), registration
    elif not replaces and (former := matcher.exact(predicates)) is not None:
        raise RegistrationError(
            f"{describe(registration.key)} has a component for {key_names(registration.keys)} and"
            f" {predicate_names(predicates)} already: {former!r}, so {registration.component!r} at"
            f" {registration.place} is not registered; unregister the first, or use replace=True"
        )
    return known._replace(
        component=matcher.adding(predicates, registration.component)
    ).with_candidate()


def has_component(registration: Registration, predicates: Mapping[str, Any] | None) -> bool:
    """Return whether a registration has a component for these predicates."""
    matcher = registration.component
    if predicates is None or not isinstance(matcher, DeclaredMatcher):
        return True
    return matcher.exact(predicates) is not None


def without_component(
    registration: Registration, predicates: Mapping[str, Any] | None
) -> list[Registration]:
    """Take one component out of those for the same classes.

    :return: the registration with the others, in a list; an empty list if there are no others.
    """
    matcher = registration.component
    if predicates is None or not isinstance(matcher, DeclaredMatcher):
        return []
    left = matcher.removing(predicates)
    return [] if left is None else [registration._replace(component=left).with_candidate()]


def predicate_names(predicates: Mapping[str, Any]) -> str:
    """Name predicates with their values, for an error."""
    names = ", ".join(f"{name}={value!r}" for name, value in predicates.items())
    return names or "any predicates"
