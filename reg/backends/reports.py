"""Reports for users: which backend ran or would run a call, and which are installed."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any, Literal, NamedTuple, TypeAlias

from .backend import Backend
from .discovery import Discovery
from .entry_points import EntryPoint
from .inventory import Failure
from .trust import Trust

__all__ = [
    "Considered",
    "Explanation",
    "Implementers",
    "Installed",
    "Record",
    "list_installed",
]


class Record(NamedTuple):
    """One call of a function, or one construction of a class, that dispatches to backends."""

    #: the name of the exports of backends
    function: str
    #: the canonical name of the backend that ran it, ``"cpu"`` for the host itself
    backend: str
    #: the distribution that the backend came from; ``None`` for the host itself
    distribution: str | None
    #: the version of that
    version: str | None
    #: why this backend, or why not another
    reason: str

    def __str__(self) -> str:
        version = "" if self.version is None else f" {self.version}"
        origin = "" if self.distribution is None else f" ({self.distribution}{version})"
        return f"{self.function}: {self.backend}{origin}: {self.reason}"


class Considered(NamedTuple):
    """A backend that was considered for a call."""

    #: its canonical name
    name: str
    #: the distribution that it came from; ``None`` if that is not known
    distribution: str | None
    #: the version of that
    version: str | None
    #: why it was passed over; ``None`` if it would run the call
    reason: str | None


class Explanation(NamedTuple):
    """The result of :meth:`BackendDispatcher.explain`. It prints as text."""

    #: the name of the exports of backends
    function: str
    #: the choice: names in order of preference
    choice: tuple[str, ...]
    #: the backend that would run the call, ``"cpu"`` for the host itself
    backend: str
    #: why
    reason: str
    #: the backends that were considered, in order
    candidates: tuple[Considered, ...]
    #: the arguments that would be passed on, by name
    forwarded: tuple[str, ...]
    #: the arguments that would be dropped: the implementation has no such parameter
    dropped: tuple[str, ...]
    #: the implementation that would be called
    implementation: Callable[..., Any]
    #: why the call would be a ``TypeError``; ``None`` if it would not
    error: str | None = None
    #: the arguments that would be converted for the backend
    converted: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [self._heading(), f"  choice:    {', '.join(self.choice)}"]
        for index, (name, distribution, verdict) in enumerate(self._rows()):
            title = "" if index else "candidate:"
            lines.append(f"  {title:10} {name} ({distribution}): {verdict}")
        lines.append(f"  forwarded: {', '.join(self.forwarded) or 'nothing'}")
        if self.converted:
            lines.append(f"  converted: {', '.join(self.converted)}")
        if self.dropped:
            lines.append(f"  dropped:   {', '.join(self.dropped)}")
        return "\n".join(lines)

    def _heading(self) -> str:
        if self.error is not None:
            return f"{self.function}() on {self.backend} would be a TypeError: {self.error}"
        return f"{self.function}() runs on {self.backend}: {self.reason}"

    def _rows(self) -> list[tuple[str, str, str]]:
        chosen = "runs the call" if self.error is None else f"cannot take it: {self.error}"
        return [
            (
                candidate.name,
                "unknown distribution"
                if candidate.distribution is None
                else f"{candidate.distribution} {candidate.version or ''}".strip(),
                candidate.reason or chosen,
            )
            for candidate in self.candidates
        ]

    def _repr_html_(self) -> str:
        """The same as a table, for notebooks."""
        rows = [("backend", "distribution", ""), *self._rows()]
        if self.backend == "cpu":
            rows.append(("cpu", "", self.reason))
        cells = [
            "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
            for tag, row in (("th", rows[0]), *(("td", row) for row in rows[1:]))
        ]
        caption = html.escape(self._heading())
        arguments = html.escape(
            f"forwarded: {', '.join(self.forwarded) or 'nothing'};"
            f" dropped: {', '.join(self.dropped) or 'nothing'}"
        )
        return f"<table><caption>{caption}</caption>{''.join(cells)}</table><p>{arguments}</p>"


#: The state of an entry point. ``"failed"``: it did not load, or could not be registered.
#: ``"refused"``: it is not trusted, or blocked, and not used. ``"ignored"``: the name of its
#: backend cannot be used, or is taken.
Outcome: TypeAlias = Literal["loaded", "not loaded", "failed", "refused", "ignored"]


class Installed(NamedTuple):
    """One entry point of a host's group."""

    #: the name that the backend gives itself; ``None`` if it is not loaded
    name: str | None
    #: its other names
    aliases: tuple[str, ...]
    #: the name of the entry point
    entry_point: str
    #: the object that the entry point refers to, ``"package.module:name"``
    object_reference: str
    #: the name of its distribution; ``None`` if that is not known
    distribution: str | None
    #: the version of that
    version: str | None
    #: true if the host trusts it; ``None`` if that is not known before it is loaded
    trusted: bool | None
    #: the outcome so far
    outcome: Outcome
    #: why it is not loaded, or which of its declarations are left out
    reasons: tuple[str, ...]
    #: the functions that it implements, as the metadata declare them; empty if they do not
    declared_functions: tuple[str, ...] = ()
    #: the classes that it owns, likewise
    declared_array_types: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Convert it to data.

        :return: all fields by name, with values that JSON has.
        """
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self._asdict().items()}


class Implementers(Set[str]):
    """The backends that implement a function of the host, as a set of their names.

    It is always up to date. Reading it loads all backends that are installed.

    :param discovery: the installed backends.
    :param name: the name of their exports.
    :param key: the function.
    """

    def __init__(self, discovery: Discovery, name: str, key: Callable[[], Any]) -> None:
        self._discovery = discovery
        self._name = name
        self._key = key

    def __iter__(self) -> Iterator[str]:
        """The canonical names, in order of priority."""
        for backend in self._discovery.by_priority():
            if backend.implements(self._key(), self._name):
                yield backend.name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """True if a backend of this name or alias implements the function."""
        backend = self._discovery.find(name) if isinstance(name, str) else None
        return backend is not None and backend.implements(self._key(), self._name)

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return set(it)

    def __repr__(self) -> str:
        return f"<implemented by {', '.join(self) or 'no installed backend'}>"


def list_installed(discovery: Discovery, trust: Trust) -> list[Installed]:
    """List the entry points of a host's group, importing nothing.

    :param discovery: the entry points, with the outcome of each.
    :param trust: the host's trust configuration.
    :return: one row for each entry point, in their order.
    """
    return [_row(entry, trust, outcome) for entry, outcome in discovery.outcomes()]


def _row(entry: EntryPoint, trust: Trust, outcome: Backend | Failure | None) -> Installed:
    origin, declared = entry.origin, entry.declared
    row = Installed(None, (), *origin[:4], trust.expected_trust(origin), "not loaded", ())
    if declared is not None:
        row = row._replace(
            declared_functions=tuple(declared.functions), declared_array_types=declared.array_types
        )
    if isinstance(outcome, Backend):
        return row._replace(
            name=outcome.name,
            aliases=tuple(outcome.aliases),
            trusted=outcome.trusted,
            outcome="loaded",
            reasons=tuple(outcome.complaints),
        )
    if outcome is None:
        refusal = trust.refusal_before_import(origin)
        if refusal is None:
            return row
        return row._replace(trusted=False, outcome="refused", reasons=(refusal,))
    # The entry point stands beside it already.
    reason = outcome.reason.removeprefix(f"{origin} ").removeprefix("is refused: ")
    if outcome.refused:
        return row._replace(trusted=False, outcome="refused", reasons=(reason,))
    if outcome.error is None:
        return row._replace(outcome="ignored", reasons=(reason,))
    reason = f"{reason}: {type(outcome.error).__name__}: {outcome.error}"
    return row._replace(outcome="failed", reasons=(reason,))
