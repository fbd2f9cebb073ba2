"""Findings: the mistakes that a check reports."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from .names import full_name

__all__ = ["KINDS", "Finding", "Kind", "Report", "Severity", "grouped", "report"]

#: The kinds of findings; see :class:`Finding`.
Kind: TypeAlias = Literal[
    "unreachable",
    "uncovered-call",
    "keyword-argument",
    "arguments",
    "async",
    "first-argument",
    "registration-order",
    "predicates",
    "missing-class",
    "redefined",
    "identical",
    "plain-function",
    "incomplete",
]

#: ``"error"``: a call fails, or a registration has no effect. ``"warning"``:
#: it may be meant, or may surprise.
Severity: TypeAlias = Literal["error", "warning"]

#: every kind of finding
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake, or a likely one.

    The kinds:

    * ``unreachable``: no call can reach the registration, because the generic
      function takes another number of arguments, or because a lookup asked
      earlier has something for a base class, which always comes first.
    * ``uncovered-call``: a valid call of the generic function, with an argument
      left out or passed by keyword, reaches no implementation.
    * ``keyword-argument``: two calls with the same arguments run different
      implementations, since one passes an argument by keyword.
    * ``arguments``: the component cannot take the arguments of the generic
      function, or cannot be called, or has its parameters in another order.
    * ``async``: the generic function is a coroutine function, or an async
      generator function, and the component is not; or the reverse.
    * ``first-argument``: for some classes two registrations apply, of which
      each is the more specific at another position.
    * ``registration-order``: for some class registrations for two abstract
      classes apply, and only the order of registration decides.
    * ``predicates``: two components for the same predicates in one matcher.
    * ``missing-class``: a class was given by a name that its package, which is
      installed, does not have. To find out, the package is imported.
    * ``redefined``: the class, the generic function, or the implementation was
      defined again after the registration, by a notebook cell or
      ``importlib.reload()``.
    * ``identical``: the same component is registered for the same classes in
      two registries of the composition.
    * ``plain-function``: something is registered under a function that is not generic,
      perhaps since ``@reg.generic`` was forgotten. Only calls through a lookup reach it.
    * ``incomplete``: a combination of classes of ``complete`` ends at the
      fallback, or at a registration for ``object``.
    """

    #: the kind of mistake, one of those above
    kind: Kind
    #: ``"error"`` where a call fails or a registration has no effect, else ``"warning"``
    severity: Severity
    #: the full name of the key of the registration
    key: str
    #: the places, as file and line, the most important one first
    places: tuple[str, ...]
    #: the problem, in one sentence
    problem: str
    #: the remedy, in one sentence
    advice: str
    #: the other findings that have the same cause, and the same remedy
    same_cause: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        first, *others = self.places or ("?",)
        lines = [f"{first}: {self.severity}: {self.problem} [{self.kind}]"]
        lines += [f"    also {place}" for place in others]
        lines.append(f"    {self.advice}")
        if self.same_cause:
            count = len(self.same_cause)
            lines.append(f"    the same cause has {count} more finding{'s' if count > 1 else ''}:")
            lines += [
                f"    {(other.places or ('?',))[0]}: {other.problem}" for other in self.same_cause
            ]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Convert it to data.

        :return: all fields by name, with values that JSON has.
        """
        return {
            "kind": self.kind,
            "severity": self.severity,
            "key": self.key,
            "places": list(self.places),
            "problem": self.problem,
            "advice": self.advice,
            "same_cause": [other.as_dict() for other in self.same_cause],
        }


class Report(NamedTuple):
    """A finding of a rule, with its cause."""

    finding: Finding
    #: findings of one kind with an equal cause are grouped; ``None`` for a
    #: finding that stays alone
    cause: Hashable


def report(
    kind: Kind,
    severity: Severity,
    key: Hashable,
    places: Iterable[str],
    problem: str,
    advice: str,
    cause: Hashable = None,
) -> Report:
    """Report a finding about a key.

    :param kind: as in :class:`Finding`, like the other parameters.
    :param severity: its severity.
    :param key: the key itself.
    :param places: files and lines; a repeated one is left out.
    :param problem: the problem, in one sentence.
    :param advice: the remedy, in one sentence.
    :param cause: as in :class:`Report`.
    :return: the finding with its cause.
    """
    distinct = tuple(dict.fromkeys(places))
    return Report(Finding(kind, severity, full_name(key), distinct, problem, advice), cause)


def grouped(reports: Iterable[Report]) -> list[Finding]:
    """Group the findings that have the same cause.

    :param reports: the findings of all rules.
    :return: one finding for each cause, with the others in its ``same_cause``.
    """
    groups: dict[Hashable, list[Finding]] = {}
    for number, (finding, cause) in enumerate(reports):
        group = number if cause is None else (finding.kind, finding.severity, cause)
        groups.setdefault(group, []).append(finding)
    return [replace(first, same_cause=tuple(others)) for first, *others in groups.values()]
