"""Registrations for any number of arguments, as the rules of :func:`reg.check` read them."""

from __future__ import annotations

import sys
from collections.abc import Hashable

from .._dispatch_spec import dispatch_of
from .._store import Registration
from .call_rules import numbers_of_arguments
from .provenance import Registered

__all__ = ["for_fixed_numbers"]

# With a union, each further argument multiplies the combinations.
_MOST_FURTHER = 4


def for_fixed_numbers(key: Hashable, registered: Registered) -> Registered:
    """Replace registrations for any number of arguments by some for fixed numbers.

    :param key: the key.
    :param registered: everything that is registered under it.
    :return: the same, where all numbers of arguments are fixed: those that a call can have, if
      there are finitely many; else those that are registered, with one argument more.
    """
    registrations = [registration for _, group in registered for registration in group]
    if not any(registration.rest for registration in registrations):
        return registered
    numbers = _numbers(key, {len(registration.classes) for registration in registrations})
    return [
        (
            source,
            [fixed for registration in group for fixed in _fixed(registration, group, numbers)],
        )
        for source, group in registered
    ]


def _numbers(key: Hashable, registered: set[int]) -> list[int]:
    numbers = registered | {number + 1 for number in registered}
    if (dispatch := dispatch_of(key)) is not None:
        fewest, most = numbers_of_arguments(dispatch)
        numbers |= {fewest} if most == sys.maxsize else set(range(fewest, most + 1))
        numbers = {number for number in numbers if fewest <= number <= most}
    return sorted(numbers)


def _fixed(
    registration: Registration, group: list[Registration], numbers: list[int]
) -> list[Registration]:
    if not registration.rest:
        return [registration]
    known = {other.keys for other in group}
    most = len(registration.classes) + _MOST_FURTHER
    fixed = [one for number in numbers if number <= most for one in registration.for_number(number)]
    # With too many classes for every call, it stands for itself.
    fixed = fixed or registration.for_number(len(registration.classes))
    return [one for one in fixed if one.keys not in known]
