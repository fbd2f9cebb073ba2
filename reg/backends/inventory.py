"""The state of the discovery of one host: one immutable value, and the values that follow."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from packaging.utils import canonicalize_name

from .backend import Backend
from .entry_points import EntryPoint

__all__ = ["Assignment", "Failure", "Inventory", "Publication", "assign_together"]

#: An assignment to an attribute: the object, the name, and the value.
Assignment = tuple[Any, str, Any]


def assign_together(assignments: Iterable[Assignment]) -> None:
    """Assign attributes in one call of a function in C: no signal is handled in between."""
    objects, names, values = [*zip(*assignments, strict=True)] or ((), (), ())
    collections.deque(map(setattr, objects, names, values), maxlen=0)


class Failure(NamedTuple):
    """Why an entry point gave no backend."""

    #: the names under which users may ask for it
    names: tuple[str, ...]
    reason: str
    #: the exception; ``None`` if the entry point was refused or ignored
    error: BaseException | None
    refused: bool
    #: the entry point; ``None`` if its distribution cannot be read
    entry: EntryPoint | None = None

    def is_about(self, label: str) -> bool:
        """True if a user who asks for ``label`` may mean this entry point."""
        wanted = canonicalize_name(label)
        return any(canonicalize_name(name) == wanted for name in self.names)


class Inventory(NamedTuple):
    """All that is known of the installed backends. Another state is another value."""

    #: all entry points; ``None`` if they are not listed yet
    entries: tuple[EntryPoint, ...] | None = None
    #: the directories that they were listed in, as they were then
    path: tuple[tuple[str, int, int], ...] = ()
    #: entry points that are not loaded yet
    pending: tuple[EntryPoint, ...] = ()
    #: entry points that are being loaded, whose modules may ask for others
    loading: tuple[EntryPoint, ...] = ()
    #: by canonical name, in the order of the entry points
    backends: dict[str, Backend] = {}  # noqa: RUF012
    #: by name and by alias
    labels: dict[str, Backend] = {}  # noqa: RUF012
    failures: tuple[Failure, ...] = ()
    #: true if a test gave the backends, and no others are looked for
    closed: bool = False
    #: values that others computed from this state; another state begins without
    cache: dict[Any, Any] = {}  # noqa: RUF012

    def but(self, **changes: Any) -> Inventory:
        """Make another state, which differs in these fields."""
        return self._replace(cache={}, **changes)

    def without(self, entry: EntryPoint) -> Inventory:
        """Make a state in which nothing is known of an entry point but that it is there."""
        position = entry.position
        return self.but(
            backends={k: v for k, v in self.backends.items() if v.position != position},
            labels={k: v for k, v in self.labels.items() if v.position != position},
            failures=tuple([failure for failure in self.failures if failure.entry is not entry]),
        )

    @property
    def settled(self) -> bool:
        """True if nothing is left to be loaded but entry points with declarations."""
        return (
            self.entries is not None
            and not self.loading
            and not any(entry.declared is None for entry in self.pending)
        )

    @property
    def complete(self) -> bool:
        """True if nothing is left to be loaded."""
        return self.entries is not None and not self.pending and not self.loading


class Publication(Protocol):
    """Something that follows from the loaded backends, such as a signature."""

    def assignments(self, backends: Iterable[Backend], warnings: list[str]) -> Iterable[Assignment]:
        """Compute the assignments that publish it."""
        ...
