"""The tables of ``reg backends functions`` and ``reg backends verify``."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .formats import html_table, rich_table
from .tables import aligned, wrapped

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["FunctionTable", "VerifiedList", "html_page"]

_SHOWN = {"no": "-", "unknown": "?"}
_LEGEND = (
    "yes: loaded, and implements it; declared: by its metadata; ?: not loaded, nothing declared"
)


class _Implementations(Protocol):
    @property
    def host(self) -> str: ...
    @property
    def backends(self) -> Sequence[str]: ...
    @property
    def functions(self) -> Mapping[str, Sequence[str]]: ...
    def as_dict(self) -> dict[str, dict[str, str]]: ...


class _Verified(Protocol):
    @property
    def entry_point(self) -> str: ...
    @property
    def distribution(self) -> str | None: ...
    @property
    def declares(self) -> bool: ...
    @property
    def problems(self) -> Sequence[str]: ...
    def as_dict(self) -> dict[str, Any]: ...


class FunctionTable:
    """The functions of a host as rows, its backends as columns.

    :param implementations: which backend implements which function.
    :param left_out: a line about each backend that is not a column.
    """

    def __init__(self, implementations: _Implementations, left_out: Iterable[str]) -> None:
        self._implementations = implementations
        self._left_out = list(left_out)
        self._title = f"functions of {implementations.host}, and backends that implement them"
        self._headings = ("function", *implementations.backends)
        self._rows = [
            (name, *[_SHOWN.get(answer, answer) for answer in answers])
            for name, answers in implementations.functions.items()
        ]

    def __str__(self) -> str:
        widest = (40, *[20 for _ in self._headings[1:]])
        lines = aligned([self._headings, *self._rows], widest)
        for line in self._left_out:
            lines += wrapped(line, "")
        return "\n".join(lines)

    def as_table(self) -> Table:
        """Make a table for rich.

        :return: the table.
        :raises ImportError: if rich is not installed.
        """
        return rich_table(self._title, self._headings, self._rows)

    def as_data(self) -> dict[str, dict[str, str]]:
        """Convert it to data: by function and by backend, the answers."""
        return self._implementations.as_dict()

    def as_html(self) -> str:
        """Make a page of it, which needs no other file."""
        rows = [("", row) for row in self._rows]
        table = html_table(self._title, self._headings, rows)
        return html_page(self._title, table, [_LEGEND, *self._left_out])


class VerifiedList:
    """How the declarations of backends differ from the backends.

    :param rows: one for each entry point.
    """

    def __init__(self, rows: Iterable[_Verified]) -> None:
        self._rows = list(rows)

    @property
    def has_problems(self) -> bool:
        """True if there are differences."""
        return any(row.problems for row in self._rows)

    def __str__(self) -> str:
        lines = [] if self._rows else ["no backend is installed"]
        for row in self._rows:
            verdict = f"{len(row.problems)} wrong" if row.problems else "as declared"
            verdict = verdict if row.declares else "declares nothing"
            lines.append(f"{row.entry_point} ({row.distribution or 'unknown'}): {verdict}")
            for problem in row.problems:
                lines += wrapped(problem, " " * 4)
        return "\n".join(lines)

    def as_data(self) -> list[dict[str, Any]]:
        """Convert it to data: a dictionary for each entry point."""
        return [row.as_dict() for row in self._rows]


def html_page(title: str, body: str, notes: Iterable[str]) -> str:
    """Make a page that needs no other file.

    :param title: its title.
    :param body: HTML.
    :param notes: texts below it; they are escaped.
    """
    paragraphs = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>body {{ font-family: sans-serif }}"
        " td, th { padding: 0.2em 0.8em; border-bottom: 1px solid #ccc }</style></head>\n"
        f"<body>{body}{paragraphs}</body></html>"
    )
