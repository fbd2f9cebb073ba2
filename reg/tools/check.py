"""Finding mistakes in what is registered, before a call meets them.

For the tests of an application::

    def test_registrations():
        assert reg.check(registry) == []
"""

from __future__ import annotations

import fnmatch
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .._observers import Observable
from ..registry import ClassRegistry
from .provenance import Part, parts
from .resolution import full_name
from .rules import KINDS, Kind, Registered, Severity, problems

__all__ = ["KINDS", "Finding", "Kind", "Severity", "check"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake, or what looks like one."""

    #: which kind of mistake, one of those that :func:`reg.check` lists
    kind: Kind
    #: ``"error"`` where a call fails or a registration is of no use, else ``"warning"``
    severity: Severity
    #: the full name of what it was registered under
    key: str
    #: where, as file and line, the one to look at first coming first
    places: tuple[str, ...]
    #: what is wrong, in one sentence
    problem: str
    #: what to do, in one sentence
    advice: str

    def __str__(self) -> str:
        first, *others = self.places or ("?",)
        also = "".join(f"\n    also {place}" for place in others)
        return f"{first}: {self.severity}: {self.problem} [{self.kind}]{also}\n    {self.advice}"

    def as_dict(self) -> dict[str, Any]:
        """Everything, as what JSON can hold."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "key": self.key,
            "places": list(self.places),
            "problem": self.problem,
            "advice": self.advice,
        }


def check(lookup: Any, *, accept: Iterable[str] = ()) -> list[Finding]:
    """Look for mistakes in everything that is registered in a lookup.

    :param lookup: a lookup, a registry or a class lookup. What a stranger's
      class lookup would find is not known, and not checked.
    :param accept: the kinds not to report; ``"kind:name"`` for one key only, by
      its full name, in which ``*`` stands for anything.
    :return: what was found, by key; an empty list if all is well.
    :raises TypeError: if ``lookup`` is none.
    :raises ValueError: if ``accept`` names a kind that there is not.

    The kinds:

    * ``unreachable``: no call can reach the registration, because the generic
      function takes another number of arguments, or because a lookup asked
      earlier has something for a base class, which always comes first.
    * ``arguments``: the component cannot take what the generic function is
      called with.
    * ``coroutine``: either the generic function or the component is a coroutine
      function, but not both.
    * ``first-argument``: for some classes two registrations apply, of which
      each is the more specific at another position.
    * ``predicates``: two components for the same predicates in one matcher.
    * ``missing-class``: a class was given by a name that its package, which is
      installed, does not have. To find out, the package is imported.
    * ``identical``: the same component is registered for the same classes in
      two registries of the composition.
    """
    accepted = _accepted(accept)
    if not isinstance(lookup, Observable):
        raise TypeError(
            f"can only check a lookup, a registry or a class lookup of reg; got {lookup!r}"
        )
    registries = _registries(lookup)
    findings = [
        finding
        for key, found in _by_key(registries)
        for finding in _findings(key, found)
        if not _is_accepted(finding, accepted)
    ]
    return sorted(findings, key=lambda finding: finding.key)


def _findings(key: Hashable, registered: Registered) -> Iterator[Finding]:
    for kind, severity, places, problem, advice in problems(key, registered):
        yield Finding(kind, severity, full_name(key), tuple(dict.fromkeys(places)), problem, advice)


def _registries(lookup: Any) -> list[Part]:
    """The registries of a composition, each where it is asked first."""
    found: dict[int, Part] = {}
    for part in parts(lookup):
        if isinstance(part.class_lookup, ClassRegistry):
            found.setdefault(id(part.class_lookup), part)
    return list(found.values())


def _by_key(registries: list[Part]) -> Iterator[tuple[Hashable, Registered]]:
    by_key: dict[Hashable, Registered] = {}
    for part in registries:
        for registration in part.class_lookup.registrations():
            found = by_key.setdefault(registration.key, [])
            if not found or found[-1][0] is not part:
                found.append((part, []))
            found[-1][1].append(registration)
    yield from by_key.items()


def _accepted(accept: Iterable[str]) -> list[tuple[str, str]]:
    if isinstance(accept, str):
        raise TypeError(f"accept= takes a list of kinds; got the string {accept!r}")
    accepted = []
    for each in accept:
        kind, _, name = each.partition(":")
        if kind not in KINDS:
            raise ValueError(
                f"cannot accept {each!r}: there is no such kind of finding; the kinds are"
                f" {', '.join(KINDS)}"
            )
        accepted.append((kind, name or "*"))
    return accepted


def _is_accepted(finding: Finding, accepted: list[tuple[str, str]]) -> bool:
    return any(
        finding.kind == kind and fnmatch.fnmatchcase(finding.key, name) for kind, name in accepted
    )
