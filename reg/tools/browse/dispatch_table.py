"""Dispatch tables: for each combination of classes the implementation that runs, and why.

Each cell is an explanation of :mod:`reg.tools.explain`, so that the table says the same as a call.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..._store import Registration
from ...lookup import Lookup
from ..explain import resolve_classes
from ..inapplicable import argument_name
from ..listing import matcher_entries
from ..loaded import loaded_classes
from ..names import names_of, short_name, shown_place
from ..resolution import Candidate, Resolution
from ..targets import describe_error
from .axes import Axis, cases_of, class_axis
from .catalogue import Catalogue, place_of

__all__ = ["Cell", "Fate", "Slice", "Step", "Table", "make_table"]

# The number of classes of one argument that a table shows.
_LONGEST = 50

# The number of entries of a matcher without an answer that are named.
_NAMES = 3

#: The end of a call. ``"own"``: an implementation for just these classes runs. ``"inherited"``: one
#: for base classes. ``"fallback"``: the decorated function. ``"undecided"``: it depends on the
#: arguments. ``"failed"``: a matcher raises an error. ``"nothing"``: there is no component.
Fate: TypeAlias = Literal["own", "inherited", "fallback", "undecided", "failed", "nothing"]


@dataclass(frozen=True, slots=True)
class Step:
    """A candidate of a call, or the fallback at its end."""

    name: str
    #: the classes it is registered for, in parentheses
    classes: str
    place: str
    #: its outcome, as in :class:`reg.tools.resolution.Candidate`, or ``"fallback"``
    outcome: str
    reason: str
    call_next: str
    #: its place in the order of the call; 0 if the call does not come to it
    rank: int
    #: the number of the implementation on the page; ``None`` if it is not known there
    implementation: int | None = None
    #: the number of its registry; ``None`` if it is not known
    registry: int | None = None
    #: the row and the column of its classes, if they are in the table
    at: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """The answer for one combination of classes."""

    call: str
    answer: str
    fate: Fate
    steps: tuple[Step, ...]

    @property
    def registry(self) -> int | None:
        """The number of the registry whose implementation runs."""
        chosen = self.fate in ("own", "inherited")
        return next((s.registry for s in self.steps if chosen and s.outcome == "chosen"), None)


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a table: the classes of further arguments, or predicates, are given."""

    #: the given classes and predicates; empty for a table of one page
    label: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The answers of a key for a number of classes."""

    #: the number of classes
    count: int
    rows: Axis
    columns: Axis
    slices: tuple[Slice, ...]
    #: the number of classes and slices that there is no room for
    left_out: int

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.slices) * len(self.rows.values) * len(self.columns.values)


def make_table(
    lookup: Lookup,
    key: Hashable,
    registrations: list[Registration],
    catalogue: Catalogue,
    limit: int,
) -> Table:
    """Explain a call for each combination of classes.

    :param lookup: the lookup of the calls.
    :param key: the key.
    :param registrations: all those under the key, for the same number of at least one class.
    :param catalogue: everything that is registered in the lookup.
    :param limit: about the number of cells there may be.
    :return: the table. Its rows and columns are the classes of the first two arguments; for one
      argument, its classes and the predicates, the longer list as rows.
    """
    count = len(registrations[0].classes)
    longest = _LONGEST if count == 1 else min(_LONGEST, math.isqrt(limit))
    classes = [
        class_axis(argument_name(key, position), position, registrations, key, longest)
        for position in range(count)
    ]
    cases = cases_of(registrations)
    across = classes[1] if count > 1 else cases
    further = [*classes[2:], cases] if count > 1 else []
    upright = len(classes[0].values) >= len(across.values) or count > 1
    rows, columns = (classes[0], across) if upright else (across, classes[0])
    given = list(itertools.product(*(range(len(axis.values)) for axis in further)))
    room = max(1, limit // (len(rows.values) * len(columns.values)))
    cells = _Cells(lookup, key, count, rows, columns, catalogue)
    return Table(
        count,
        rows,
        columns,
        tuple(
            Slice(
                ", ".join(filter(None, [axis.headings[i].label for axis, i in chosen])),
                cells.of([axis.values[i] for axis, i in chosen]),
            )
            for chosen in (list(zip(further, indexes, strict=True)) for indexes in given[:room])
        ),
        sum(axis.left_out for axis in classes) + max(0, len(given) - room),
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Makes the cells of a table."""

    lookup: Lookup
    key: Hashable
    #: the number of classes
    count: int
    rows: Axis
    columns: Axis
    catalogue: Catalogue

    def of(self, further: list[Any]) -> tuple[tuple[Cell, ...], ...]:
        """The cells for given further values."""
        return tuple(
            tuple(self._cell((row, column), further) for column in range(len(self.columns.values)))
            for row in range(len(self.rows.values))
        )

    def _cell(self, at: tuple[int, int], further: list[Any]) -> Cell:
        values = [self.rows.values[at[0]], self.columns.values[at[1]], *further]
        classes = tuple(value for value in values if isinstance(value, type))
        predicates = next((value for value in values if not isinstance(value, type)), None)
        call = f"{short_name(self.key)}{names_of(classes)}"
        try:
            resolution = resolve_classes(self.lookup, self.key, classes, predicates)
        except Exception as error:  # of a third-party class lookup
            return Cell(call, describe_error(error), "failed", ())
        return Cell(call, *_answer(resolution), tuple(self._steps(resolution, at)))

    def _steps(self, resolution: Resolution, at: tuple[int, int]) -> Iterator[Step]:
        rank = 0
        for candidate in resolution.candidates:
            runs = candidate.outcome in ("chosen", "shadowed", "undecided")
            rank += runs
            known = self.catalogue.implementation_of(self.key, candidate)
            name, place = _name_and_place(candidate)
            yield Step(
                name=name,
                classes=""
                if candidate.classes is None
                else names_of(candidate.classes, candidate.unions),
                place=shown_place(place) if known is None else known.place,
                outcome=candidate.outcome,
                reason=candidate.reason,
                call_next=candidate.call_next or "",
                rank=rank if runs else 0,
                implementation=None if known is None else known.number,
                registry=self.catalogue.registry_of(candidate) if known is None else known.registry,
                at=self._position(candidate, at),
            )
        if (function := resolution.fallback) is not None:
            reason = "the decorated function itself"
            yield Step(short_name(function), "", "", "fallback", reason, "", rank + 1)

    def _position(self, candidate: Candidate, at: tuple[int, int]) -> tuple[int, int] | None:
        """The row and column of the classes that a candidate is registered for."""
        classes = None if candidate.classes is None else loaded_classes(candidate.classes)
        if classes is None:
            return None
        remaining = list(classes)
        position = []
        for axis, index in zip((self.rows, self.columns), at, strict=True):
            if isinstance(axis.values[index], type):
                cls = remaining.pop(0)
                index = next((i for i, value in enumerate(axis.values) if value is cls), -1)
            position.append(index)
        row, column = position
        return None if -1 in position else (row, column)


def _name_and_place(candidate: Candidate) -> tuple[str, str]:
    """The name and the place of a candidate; of a matcher without an answer, of its entries."""
    if candidate.component is not None:
        return short_name(candidate.component), candidate.place
    entries = [value for _, value, _ in matcher_entries(candidate.registered)]
    names = list(dict.fromkeys(map(short_name, entries)))
    more = ", …" if len(names) > _NAMES else ""
    name = ", ".join(names[:_NAMES]) + more or short_name(candidate.registered)
    return name, place_of(entries[0]) if len(entries) == 1 else candidate.place


def _answer(resolution: Resolution) -> tuple[str, Fate]:
    """The implementation that runs, and how the call ends."""
    if resolution.error is not None:
        return describe_error(resolution.error), "failed"
    if (chosen := resolution.chosen) is not None:
        classes = None if chosen.classes is None else loaded_classes(chosen.classes)
        pairs = zip(classes or (), resolution.classes, strict=False)
        own = classes is not None and all(cls is given for cls, given in pairs)
        return short_name(resolution.component), "own" if own else "inherited"
    if any(candidate.outcome == "undecided" for candidate in resolution.candidates):
        return "by the arguments", "undecided"
    if resolution.fallback is None:
        return "nothing", "nothing"
    return short_name(resolution.fallback), "fallback"
