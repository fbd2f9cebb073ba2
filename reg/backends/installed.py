"""What is installed for a host: its entry points, and what became of each."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from .backend import Backend
from .discovery import Discovery, Failure
from .trust import Origin, Trust

__all__ = ["Installed", "installed"]

#: What became of an entry point. ``"failed"``: it did not load, or could not be
#: registered. ``"refused"``: it is not trusted, and not used; whether it was
#: imported to find that out, depends. ``"ignored"``: it supplies no backend
#: that there can be, or one whose name is taken.
Outcome: TypeAlias = Literal["loaded", "not loaded", "failed", "refused", "ignored"]


class Installed(NamedTuple):
    """One entry point of a host's group."""

    #: what the backend calls itself; ``None`` if it is not loaded
    name: str | None
    #: its other names
    aliases: tuple[str, ...]
    #: the name of the entry point
    entry_point: str
    #: what the entry point refers to, ``"package.module:name"``
    object_reference: str
    #: the name of its distribution; ``None`` if that is not known
    distribution: str | None
    version: str | None
    #: whether the host trusts it; ``None`` if that is not known before it is loaded
    trusted: bool | None
    outcome: Outcome
    #: why it is not loaded, or what of it is left out
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything, as what JSON can hold."""
        return {**self._asdict(), "aliases": list(self.aliases), "reasons": list(self.reasons)}


def installed(discovery: Discovery, trust: Trust) -> list[Installed]:
    """List the entry points of a host's group, importing nothing."""
    return [_of(origin, trust, outcome) for origin, outcome in discovery.outcomes()]


def _of(origin: Origin, trust: Trust, outcome: Backend | Failure | None) -> Installed:
    point, reference, distribution, version, _ = origin
    foreseen = trust.foresees(origin)
    known = Installed(None, (), point, reference, distribution, version, foreseen, "not loaded", ())
    if isinstance(outcome, Backend):
        return known._replace(
            name=outcome.name,
            aliases=tuple(outcome.aliases),
            trusted=outcome.trusted,
            outcome="loaded",
            reasons=tuple(outcome.complaints),
        )
    if outcome is None:
        refusal = trust.refusal_before_import(origin)
        if refusal is None:
            return known
        return known._replace(trusted=False, outcome="refused", reasons=(refusal,))
    # Where it happened stands beside it.
    reason = outcome.reason.removeprefix(f"{origin} ").removeprefix("is refused: ")
    if outcome.refused:
        return known._replace(trusted=False, outcome="refused", reasons=(reason,))
    if outcome.error is None:
        return known._replace(outcome="ignored", reasons=(reason,))
    reason = f"{reason}: {type(outcome.error).__name__}: {outcome.error}"
    return known._replace(outcome="failed", reasons=(reason,))
