"""Combinations of classes for which a generic function has no implementation of its own."""

from __future__ import annotations

import itertools
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from .._dispatch_spec import dispatch_of
from .._errors import describe
from .._refinements import RefinedMatcher
from ..lookup import Lookup
from .finding import Report, report
from .loaded import is_concrete, loaded_subclasses
from .names import full_name, names_of, short_name
from .provenance import Located, for_classes, located
from .registration_rules import definition_places

__all__ = ["Completeness", "incomplete"]

#: For each generic function the classes of its arguments, as
#: :func:`reg.check` takes them.
Completeness: TypeAlias = "Mapping[Any, Sequence[type | types.UnionType | Iterable[type]]]"

# The number of combinations that a finding names.
_SHOWN = 10


def incomplete(lookup: Any, complete: Completeness) -> Iterator[Report]:
    """Find the combinations of classes that end at the fallback, or at ``object``.

    :param lookup: the lookup or class lookup of the calls.
    :param complete: for each generic function, and each argument that
      dispatches, a class, a union or a list: a class stands for itself and all
      its loaded subclasses that may have instances, a union for those of its
      members, a list for just the classes in it.
    :return: at most one finding for each generic function.
    :raises TypeError: if there is no such generic function, or something else
      than classes is given.
    """
    if not isinstance(complete, Mapping):
        raise TypeError(
            "complete= takes a dictionary of generic functions, each with the classes of its"
            f" arguments, as {{function: [Base, Other]}}; got {complete!r}"
        )
    lookup = lookup if isinstance(lookup, Lookup) else Lookup(lookup)
    for generic, arguments in complete.items():
        positions = [
            _classes(generic, position, argument)
            for position, argument in enumerate(_checked(generic, arguments))
        ]
        missing: dict[tuple[type, ...], Located | None] = {}
        for classes in itertools.product(*positions):
            # One that is registered for a refinement may not hold.
            certain = (
                candidate
                for candidate in located(lookup, generic, classes, None)
                if not isinstance(candidate.candidate, RefinedMatcher)
            )
            first = next(certain, None)
            if first is None or _ends_at_object(first, classes):
                missing[classes] = first
        if missing:
            yield _finding(generic, positions, missing)


def _checked(generic: Any, arguments: Any) -> Sequence[Any]:
    dispatch = dispatch_of(generic)
    if dispatch is None:
        raise TypeError(
            f"complete= takes generic functions, each with the classes of its arguments; got"
            f" {generic!r}, which is not a generic function"
        )
    count = len(dispatch.parameters)
    if isinstance(arguments, (str, type)) or not isinstance(arguments, Sequence):
        raise TypeError(
            f"complete= takes, for {describe(generic)}, a list with a class, or a list of classes,"
            f" for each argument that dispatches; got {arguments!r}"
        )
    if dispatch.names and len(arguments) != count:
        raise TypeError(
            f"complete= takes, for {describe(generic)}, classes for"
            f" {', '.join(dispatch.parameters)}; got {len(arguments)}"
        )
    return arguments


def _classes(generic: Any, position: int, argument: Any) -> list[type]:
    """The classes that are meant at one position."""
    if isinstance(argument, type):
        return sorted(filter(is_concrete, loaded_subclasses(argument)), key=full_name)
    if isinstance(argument, types.UnionType):
        return [cls for member in argument.__args__ for cls in _classes(generic, position, member)]
    classes = list(argument) if isinstance(argument, Iterable) else [argument]
    if not all(isinstance(cls, type) for cls in classes):
        raise TypeError(
            f"complete= takes, for {describe(generic)}, a class or a list of classes at position"
            f" {position}; got {argument!r}"
        )
    return classes


def _ends_at_object(first: Located, classes: tuple[type, ...]) -> bool:
    """Return whether a call ends at a registration for ``object`` in place of a class."""
    if first.registration is None:
        return False
    pairs = zip(for_classes(first.registration, classes).classes, classes, strict=True)
    return any(registered is object and cls is not object for registered, cls in pairs)


def _finding(
    generic: Any, positions: list[list[type]], missing: dict[tuple[type, ...], Located | None]
) -> Report:
    total = 1
    for classes in positions:
        total *= len(classes)
    patterns = list(_summarized(positions, list(missing)))
    names = [f"({', '.join(pattern)})" for pattern in patterns[:_SHOWN]]
    if len(patterns) > _SHOWN:
        names.append(f"{len(patterns) - _SHOWN} more")
    at_object = [first for first in missing.values() if first is not None]
    places = [first.registration.place for first in at_object if first.registration is not None]
    end = "at the fallback" if not at_object else "at the fallback or at object"
    if len(at_object) == len(missing):
        end = "at object"
    return report(
        "incomplete",
        "error",
        generic,
        places or definition_places(generic),
        f"{len(missing)} of {total} combinations of classes end {end} of {short_name(generic)}:"
        f" {', '.join(names)}",
        f"Register something for them, such as {names_of(next(iter(missing)))}, or for a base of"
        " each.",
    )


def _summarized(
    positions: list[list[type]], missing: list[tuple[type, ...]]
) -> Iterator[tuple[str, ...]]:
    """Name combinations; those that differ in one position, in all its classes, as one.

    :return: for each position the name of a class, or ``any``.
    """
    remaining = dict.fromkeys(missing)
    for position in reversed(range(len(positions))):
        others = [classes for index, classes in enumerate(positions) if index != position]
        if len(positions[position]) < 2:
            continue
        for rest in itertools.product(*others):
            row = [(*rest[:position], cls, *rest[position:]) for cls in positions[position]]
            if all(combination in remaining for combination in row):
                for combination in row:
                    del remaining[combination]
                names = list(map(short_name, rest))
                yield (*names[:position], "any", *names[position:])
    for combination in remaining:
        yield tuple(map(short_name, combination))
