"""Findings that are accepted: by a call of :func:`reg.check`, or by a project's settings."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .finding import KINDS, Finding

__all__ = ["Accepted", "accepted_by_project", "parse_accepted"]


class Accepted(NamedTuple):
    """A kind of findings that is accepted for some keys."""

    kind: str
    #: the full name of a key, in which ``*`` stands for anything
    name: str

    def covers(self, finding: Finding) -> bool:
        """Return whether a finding is of this kind, and about such a key."""
        return finding.kind == self.kind and fnmatch.fnmatchcase(finding.key, self.name)


def parse_accepted(entries: Iterable[str]) -> list[Accepted]:
    """Read the kinds that are accepted.

    :param entries: kinds, or ``"kind:name"`` for the keys of a name.
    :return: the same, taken apart.
    :raises TypeError: if this is a single string.
    :raises ValueError: if there is no such kind.
    """
    if isinstance(entries, str):
        raise TypeError(f"accept= takes a list of kinds; got the string {entries!r}")
    accepted = []
    for entry in entries:
        kind, _, name = entry.partition(":")
        if kind not in KINDS:
            raise ValueError(
                f"cannot accept {entry!r}: there is no such kind of finding; the kinds are"
                f" {', '.join(KINDS)}"
            )
        accepted.append(Accepted(kind, name or "*"))
    return accepted


def accepted_by_project() -> list[str]:
    """Read ``accept`` in ``[tool.reg]`` of the project's ``pyproject.toml``.

    It is looked for in the current directory, then in those above it.

    :return: the entries; an empty list without such a file or setting.
    :raises ValueError: if the file cannot be read, or the setting is not a list
      of strings.
    """
    directory = Path.cwd()
    path = next(
        (
            candidate
            for parent in (directory, *directory.parents)
            if (candidate := parent / "pyproject.toml").is_file()
        ),
        None,
    )
    if path is None:
        return []
    try:
        settings = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("reg", {})
        entries = settings.get("accept", [])
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise ValueError(f"accept in [tool.reg] of {path} must be a list of strings")
    return entries
