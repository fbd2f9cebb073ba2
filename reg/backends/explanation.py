"""Which backend would run a call, and why."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Considered", "Explanation"]


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
    """What :meth:`BackendDispatcher.explain` finds out. It prints as text."""

    #: the name that backends export their implementations under
    function: str
    #: what is chosen: names in order of preference
    choice: tuple[str, ...]
    #: what would run the call, ``"cpu"`` for the host itself
    backend: str
    #: why
    reason: str
    #: the backends that were considered, in order
    candidates: tuple[Considered, ...]
    #: the arguments that would be passed on, by name
    forwarded: tuple[str, ...]
    #: the arguments that would not be, since the implementation has no such parameter
    dropped: tuple[str, ...]
    #: what would be called
    implementation: Callable[..., Any]

    def __str__(self) -> str:
        lines = [
            f"{self.function}() runs on {self.backend}: {self.reason}",
            f"  choice:    {', '.join(self.choice)}",
        ]
        for index, (name, distribution, verdict) in enumerate(self._rows()):
            title = "" if index else "candidate:"
            lines.append(f"  {title:10} {name} ({distribution}): {verdict}")
        lines.append(f"  forwarded: {', '.join(self.forwarded) or 'nothing'}")
        if self.dropped:
            lines.append(f"  dropped:   {', '.join(self.dropped)}")
        return "\n".join(lines)

    def _rows(self) -> list[tuple[str, str, str]]:
        return [
            (
                each.name,
                "unknown distribution"
                if each.distribution is None
                else f"{each.distribution} {each.version or ''}".strip(),
                each.reason or "runs the call",
            )
            for each in self.candidates
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
        caption = html.escape(f"{self.function}() runs on {self.backend}: {self.reason}")
        arguments = html.escape(
            f"forwarded: {', '.join(self.forwarded) or 'nothing'};"
            f" dropped: {', '.join(self.dropped) or 'nothing'}"
        )
        return f"<table><caption>{caption}</caption>{''.join(cells)}</table><p>{arguments}</p>"
