"""The entry points that installed distributions declare, read without importing anything."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Any

from .declarations import FIELDS, Declaration, declarations_of
from .names import normalized
from .trust import Origin

__all__ = ["EntryPoint", "entry_points", "installed_without_entry_point", "path_state"]


class EntryPoint:
    """An entry point of the host's group, perhaps not loaded.

    :param point: the entry point as ``importlib.metadata`` gives it.
    :param position: its index in the list of all entry points of the group.
    :param is_given: true if a test gives it: its name is that of the backend, which needs no
      trust.
    :param declared: its declarations in the metadata; ``None`` if there are none.
    """

    def __init__(
        self,
        point: Any,
        position: int,
        is_given: bool = False,
        declared: Declaration | None = None,
    ) -> None:
        self.declared = declared
        self.load: Callable[[], Any] = point.load
        self.is_given = is_given
        self.position = position
        distribution = getattr(point, "dist", None)
        name = _metadata(distribution, "Name")
        self.origin = Origin(
            entry_point=str(point.name),
            object_reference=str(getattr(point, "value", "")).partition("[")[0].replace(" ", ""),
            distribution=name,
            version=_metadata(distribution, "Version"),
            location=_location(distribution) if name is None else None,
        )


def entry_points(
    group: str, complain: Callable[[str | None, str, Exception], None]
) -> list[EntryPoint]:
    """List the entry points of a group.

    :param group: the name of the group.
    :param complain: called with each distribution that cannot be read: its
      name, how to refer to it, and the exception.
    :return: the entry points, in the order of ``sys.path``.
    """
    groups = (group, *(f"{group}.{field}" for field in FIELDS))
    try:
        everything = importlib.metadata.entry_points()
        listed = [list(everything.select(group=one)) for one in groups]
    except Exception:
        # One unreadable distribution prevents all others from being listed this way.
        everything_read = [*_by_distribution(groups, complain)]
        listed = [[point for point in everything_read if point.group == one] for one in groups]
    points, *fields = listed
    return [
        EntryPoint(point, position, declared=declarations_of(point.name, point.dist, *fields))
        for position, point in enumerate(points)
    ]


def path_state() -> tuple[tuple[str, int, int], ...]:
    """A value that changes when something is installed: the directories of ``sys.path``."""
    state = []
    for path in sys.path:
        try:
            status = os.stat(path or os.curdir)
        except (OSError, ValueError):
            continue
        state.append((path, status.st_mtime_ns, status.st_nlink))
    return tuple(state)


def installed_without_entry_point(names: Collection[str], group: str) -> str | None:
    """Say that a distribution is installed although it supplies no backend.

    :param names: normalized names of distributions.
    :param group: the group of entry points that it should have one in.
    :return: a clause for an error message, such as ``"the distribution x 1.0 is installed,
      but …"``; ``None`` if it is not installed.
    """
    for distribution in importlib.metadata.distributions():
        name = _metadata(distribution, "Name")
        if name is None:
            location = _location(distribution)
            folder = (location or "").replace("\\", "/").rpartition("/")[2].partition("-")[0]
            if folder and normalized(folder) in names:
                return (
                    f"the metadata in {location!a} are empty or broken, as an interrupted"
                    " uninstall leaves them, and hide other installations; delete that folder"
                )
        elif normalized(name) in names:
            version = _metadata(distribution, "Version") or "of an unknown version"
            return (
                f"the distribution {name!a} {version} is installed, but declares no entry point"
                f" for it in the group {group!r}; another version of it may"
            )
    return None


def _by_distribution(
    groups: Collection[str], complain: Callable[[str | None, str, Exception], None]
) -> Iterator[Any]:
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        name = _metadata(distribution, "Name")
        if name is not None:
            # Of a distribution that is installed twice, the first on the path counts.
            if normalized(name) in seen:
                continue
            seen.add(normalized(name))
        try:
            for group in groups:
                yield from _points_of(distribution, group)
        except Exception as error:
            subject = _location(distribution) if name is None else name
            complain(name, f"the distribution {subject!a}", error)


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
    """A field of the metadata; ``None`` if it is missing or cannot be read."""
    try:
        value = distribution.metadata.get(field)
    except MemoryError:
        raise
    except Exception:
        return None
    return value if isinstance(value, str) else None


def _location(distribution: Any) -> str | None:
    # Only the usual kind of distribution knows where it is installed.
    path = getattr(distribution, "_path", None)
    return None if path is None else str(path)
