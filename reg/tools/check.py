"""The check of everything that is registered, for mistakes, before a call meets them.

For the tests of an application::

    def test_registrations():
        assert reg.check(registry) == []
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .accept import accepted_by_project, parse_accepted
from .call_rules import call_rules
from .coverage import Completeness, incomplete
from .finding import KINDS, Finding, Kind, Severity, grouped
from .provenance import is_lookup, registered_by_key
from .registration_rules import registration_rules
from .rests import for_fixed_numbers
from .uncovered_calls import uncovered_calls

__all__ = ["KINDS", "Finding", "Kind", "Severity", "check"]


def check(
    lookup: Any, *, accept: Iterable[str] = (), complete: Completeness | None = None
) -> list[Finding]:
    """Look for mistakes in everything that is registered in a lookup.

    :param lookup: a lookup, a registry or a class lookup. The results of a
      third-party class lookup are not known, and not checked.
    :param accept: the kinds not to report; ``"kind:name"`` for one key only, by
      its full name, in which ``*`` stands for anything. Those that ``accept`` in
      ``[tool.reg]`` of the project's ``pyproject.toml`` lists are not reported
      either.
    :param complete: generic functions that have to have an implementation for
      all combinations of some classes: for each of them a list that has, for
      each argument that dispatches, a class or union, which stands for itself
      and its loaded subclasses, or a list of just the classes that are meant.
    :return: the findings, sorted by key, an empty list if there are none. Those
      of one cause are one finding. :class:`reg.tools.finding.Finding` lists the
      kinds.
    :raises TypeError: if ``lookup`` is not a lookup, or ``complete`` no dictionary, or
      one of something else than classes.
    :raises ValueError: if ``accept`` names an unknown kind, if the settings of
      the project cannot be read, or if the lookup is composed of itself.
    """
    accepted = [*parse_accepted(accepted_by_project()), *parse_accepted(accept)]
    if not is_lookup(lookup):
        raise TypeError(
            f"can only check a lookup, a registry or a class lookup of reg; got {lookup!r}"
        )
    reports = [
        report
        for key, registered in registered_by_key(lookup).items()
        for rules in (call_rules, uncovered_calls, registration_rules)
        for report in rules(key, for_fixed_numbers(key, registered))
    ]
    reports += incomplete(lookup, {} if complete is None else complete)
    reported = [
        report for report in reports if not any(entry.covers(report.finding) for entry in accepted)
    ]
    return sorted(grouped(reported), key=lambda finding: finding.key)
