"""Text laid out in columns and lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

__all__ = ["WIDTH", "aligned", "shortened_path", "wrapped"]

#: The greatest length of a line of text.
WIDTH = 100


def aligned(rows: Iterable[tuple[str, ...]], widest: tuple[int, ...]) -> list[str]:
    """Lay out rows in columns.

    :param rows: the cells of each row.
    :param widest: the greatest width of each column; a longer cell is cut.
    :return: a line for each row.
    """
    cut = [
        [
            cell if len(cell) <= limit else f"{cell[: limit - 1]}…"
            for cell, limit in zip(row, widest, strict=True)
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cut
    ]


def wrapped(text: str, indent: str) -> list[str]:
    """Break a text into lines of at most :data:`WIDTH` columns.

    :param text: the text, without line breaks.
    :param indent: precedes each line; all but the first get two spaces more.
    :return: the lines.
    """
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
    )


def shortened_path(place: str, indent: str) -> str:
    """Fit a file and line into one line.

    :param place: the file and line; a long one loses its beginning.
    :param indent: precedes it.
    :return: the line, of at most :data:`WIDTH` columns.
    """
    room = WIDTH - len(indent)
    return f"{indent}{place if len(place) <= room else '…' + place[-room + 1 :]}"
