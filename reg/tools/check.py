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
      each argument that dispatches, a class, which stands for itself and its
      loaded subclasses, or a list of classes.
    :return: the findings, sorted by key; those of one cause are one finding. An
      empty list if there are none.
    :raises TypeError: if ``lookup`` is not a lookup, or ``complete`` has
      something else than classes.
    :raises ValueError: if ``accept`` names an unknown kind, if the settings of
      the project cannot be read, or if the lookup is composed of itself.

    The kinds:

    * ``unreachable``: no call can reach the registration, because the generic
      function takes another number of arguments, or because a lookup asked
      earlier has something for a base class, which always comes first.
    * ``uncovered-call``: a valid call of the generic function, with an argument
      left out or passed by keyword, reaches no implementation.
    * ``arguments``: the component cannot take the arguments of the generic
      function, or cannot be called.
    * ``async``: the generic function is a coroutine function, or an async
      generator function, and the component is not; or the reverse.
    * ``first-argument``: for some classes two registrations apply, of which
      each is the more specific at another position.
    * ``registration-order``: for some class registrations for two abstract
      classes apply, and only the order of registration decides.
    * ``predicates``: two components for the same predicates in one matcher.
    * ``missing-class``: a class was given by a name that its package, which is
      installed, does not have. To find out, the package is imported.
    * ``redefined``: the class, or the generic function, was defined again after
      the registration, by a notebook cell or ``importlib.reload()``.
    * ``identical``: the same component is registered for the same classes in
      two registries of the composition.
    * ``incomplete``: a combination of classes of ``complete`` ends at the
      fallback, or at a registration for ``object``.
    """
    accepted = [*parse_accepted(accepted_by_project()), *parse_accepted(accept)]
    if not is_lookup(lookup):
        raise TypeError(
            f"can only check a lookup, a registry or a class lookup of reg; got {lookup!r}"
        )
    findings = [
        finding
        for key, registered in registered_by_key(lookup).items()
        for rules in (call_rules, registration_rules)
        for finding in rules(key, registered)
    ]
    findings += incomplete(lookup, complete or {})
    reported = (
        finding for finding in findings if not any(entry.covers(finding) for entry in accepted)
    )
    return sorted(grouped(reported), key=lambda finding: finding.key)
