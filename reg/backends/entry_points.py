"""What the installed distributions declare, read without importing anything."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from typing import Any

from .labels import normalized
from .trust import Origin

__all__ = ["EntryPoint", "entry_points"]


class EntryPoint:
    """An entry point of the host's group, not necessarily loaded.

    :param point: what the metadata are read by.
    :param position: its place among the others.
    """

    def __init__(self, point: Any, position: int) -> None:
        self.load: Callable[[], Any] = point.load
        self.position = position
        distribution = getattr(point, "dist", None)
        name = _metadata(distribution, "Name")
        self.origin = Origin(
            entry_point=str(point.name),
            object_reference=str(getattr(point, "value", "")).partition("[")[0].replace(" ", ""),
            distribution=name,
            version=_metadata(distribution, "Version"),
            place=_place(distribution) if name is None else None,
        )


def entry_points(
    group: str, complain: Callable[[str | None, str, Exception], None]
) -> list[EntryPoint]:
    """List the entry points of a group.

    :param complain: is called with each distribution that cannot be read: its
      name, how to refer to it, and what was raised.
    """
    try:
        points = list(importlib.metadata.entry_points(group=group))
    except Exception:
        # One that cannot be read keeps all others from being listed this way.
        points = list(_one_by_one(group, complain))
    return [EntryPoint(point, position) for position, point in enumerate(points)]


def _one_by_one(
    group: str, complain: Callable[[str | None, str, Exception], None]
) -> Iterator[Any]:
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        name = _metadata(distribution, "Name")
        if name is not None:
            # Of one that is installed twice, the first on the path counts.
            if normalized(name) in seen:
                continue
            seen.add(normalized(name))
        try:
            yield from _points_of(distribution, group)
        except Exception as error:
            described = _place(distribution) if name is None else name
            complain(name, f"the distribution {described!a}", error)


def _points_of(distribution: Any, group: str) -> list[Any]:
    try:
        return list(distribution.entry_points.select(group=group))
    except ValueError:
        # From Python 3.15 on, one malformed value hides all entry points beside it.
        return list(_line_by_line(distribution, group))


class _Point:
    """An entry point whose value is first read when it is loaded."""

    def __init__(self, name: str, value: str, group: str, dist: Any) -> None:
        self.name = name
        self.value = value
        self.group = group
        self.dist = dist

    def load(self) -> Any:
        return importlib.metadata.EntryPoint(self.name, self.value, self.group).load()


def _line_by_line(distribution: Any, group: str) -> Iterator[_Point]:
    section = None
    for line in map(str.strip, (distribution.read_text("entry_points.txt") or "").splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif line and not line.startswith("#") and section is not None:
            name, equals, value = map(str.strip, line.partition("="))
            if not equals:
                raise ValueError(f"{line!a} has no '='")
            if section == group:
                yield _Point(name, value, group, distribution)


def _metadata(distribution: Any, field: str) -> str | None:
    """A field of the metadata; ``None`` if there is none, or it cannot be read."""
    try:
        found = distribution.metadata.get(field)
    except MemoryError:
        raise
    except Exception:
        return None
    return found if isinstance(found, str) else None


def _place(distribution: Any) -> str | None:
    # Where it is installed is known to the usual kind of distribution alone.
    place = getattr(distribution, "_path", None)
    return None if place is None else str(place)
