"""The forms in which a resolution is shown: text, a table, HTML, a graph."""

from __future__ import annotations

import html
import os
import textwrap
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from .resolution import Candidate, Resolution, short_name, short_names

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

__all__ = ["aligned", "as_dot", "as_html", "as_table", "as_text", "table", "together", "wrapped"]

#: No line of text is longer.
WIDTH = 100

# So many of what does not fit are shown.
_SHOWN = 5

_HEADINGS = ("", "component", "registered for", "in", "place", "why")

# Notebooks put what is in tables at the right. The colours stay those of the page.
_CELL_STYLE = 'style="text-align: left; vertical-align: top"'


def as_text(resolution: Resolution) -> str:
    """Show a resolution as aligned text, at most 100 columns wide."""
    lines = wrapped(_headline(resolution), "")
    rows = [
        (_mark(index, candidate), candidate.name, _classes(candidate), candidate.lookup)
        for index, candidate in enumerate(resolution.candidates, 1)
    ]
    misfits = resolution.misfits[:_SHOWN]
    rows += [("-", each.name, _classes(each), each.lookup) for each in misfits]
    shown = aligned(rows, (6, 34, 34, 20))
    for candidate, line in zip([*resolution.candidates, *misfits], shown, strict=True):
        if misfits and candidate is misfits[0]:
            lines += ["", "registered, but for other classes:"]
        lines.append(line)
        for detail in _details(candidate):
            lines += wrapped(detail, " " * 8)
        if place := _shown_place(candidate):
            lines.append(_at_most(place, " " * 8))
    if len(resolution.misfits) > _SHOWN:
        lines.append(f"and {len(resolution.misfits) - _SHOWN} more that do not fit")
    return "\n".join(line.rstrip() for line in lines)


def as_table(resolution: Resolution) -> Table:
    """Make a table for rich.

    :raises ImportError: if rich is not installed.
    """
    rows = list(_rows(resolution))
    chosen = [index for index, (_, each) in enumerate(rows) if each.outcome == "chosen"]
    return table(_headline(resolution), _HEADINGS, [row for row, _ in rows], bold=chosen)


def as_html(resolution: Resolution) -> str:
    """Make the HTML that a notebook shows."""
    headings = "".join(f"<th {_CELL_STYLE}>{html.escape(heading)}</th>" for heading in _HEADINGS)
    rows = "".join(
        f'<tr class="reg-{candidate.outcome}">{_cells(row, candidate)}</tr>'
        for row, candidate in _rows(resolution)
    )
    return (
        f'<table class="reg-resolution"><caption style="text-align: left">'
        f"{html.escape(_headline(resolution))}</caption>"
        f"<thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>"
    )


def as_dot(resolution: Resolution) -> str:
    """Write a graph for Graphviz: the call, the candidates in order, the fallback."""
    lines = ["digraph resolution {", "  rankdir=LR;", "  node [shape=box];"]
    lines.append(f"  call [label={_quoted(_call(resolution))}, shape=oval];")
    previous = "call"
    for index, candidate in enumerate(resolution.candidates, 1):
        label = [candidate.name, f"for {_classes(candidate)}", f"in {candidate.lookup}"]
        styles = {"chosen": ", style=bold", "beaten": "", "undecided": ", style=dashed"}
        style = styles.get(candidate.outcome, ", style=dotted")
        lines.append(f"  candidate{index} [label={_quoted(*label)}{style}];")
        lines.append(f"  {previous} -> candidate{index} [label={_quoted(candidate.outcome)}];")
        previous = f"candidate{index}"
    if resolution.fallback is not None:
        label = [short_name(resolution.fallback), "the fallback"]
        style = ", style=bold" if resolution.implementation is resolution.fallback else ""
        lines.append(f"  fallback [label={_quoted(*label)}{style}];")
        lines.append(f"  {previous} -> fallback;")
    return "\n".join([*lines, "}"])


def table(
    title: str,
    headings: Iterable[str],
    rows: Iterable[Iterable[str]],
    bold: Container[int] = (),
) -> Table:
    """Make a table for rich of texts.

    :param bold: the numbers of the rows that stand out.
    :raises ImportError: if rich is not installed.
    """
    try:
        from rich.table import Table
        from rich.text import Text
    except ImportError as error:
        raise ImportError(
            "a table needs rich, which is not installed: pip install 'reg[cli]'"
        ) from error
    # As Text, since a repr in brackets would be taken for a style.
    made = Table(title=Text(title), title_justify="left")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for index, row in enumerate(rows):
        made.add_row(*map(Text, row), style="bold" if index in bold else None)
    return made


def together(tables: Iterable[Table]) -> RenderableType:
    """Put tables below each other."""
    made = list(tables)
    from rich.console import Group

    return Group(*made)


def aligned(rows: Iterable[tuple[str, ...]], widest: tuple[int, ...]) -> list[str]:
    """Lay out rows in columns.

    :param widest: how wide each column may become; what is longer is cut.
    """
    cut = [
        [cell if len(cell) <= limit else f"{cell[: limit - 1]}…" for cell, limit in each]
        for each in (list(zip(row, widest, strict=True)) for row in rows)
    ]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cut
    ]


def wrapped(text: str, indent: str) -> list[str]:
    """Break a text into lines of at most :data:`WIDTH` columns, all of them indented."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
    )


def _headline(resolution: Resolution) -> str:
    call = f"{_call(resolution)} in {resolution.lookup}"
    if resolution.error is not None:
        return f"{call} raises {resolution.error!r}"
    if resolution.chosen is not None:
        return f"{call} finds {short_name(resolution.component)}"
    if any(each.outcome == "undecided" for each in resolution.candidates):
        return f"{call} depends on the arguments, which a matcher is asked about"
    if resolution.fallback is None:
        return f"{call} finds nothing"
    return f"{call} finds nothing, so that {short_name(resolution.fallback)} itself runs"


def _call(resolution: Resolution) -> str:
    return f"{short_name(resolution.key)}({', '.join(short_names(resolution.classes))})"


def _mark(index: int, candidate: Candidate) -> str:
    return f"{'->' if candidate.outcome == 'chosen' else '  '} {index}"


def _classes(candidate: Candidate) -> str:
    if candidate.classes is None:
        return "?"
    return f"({', '.join(short_names(candidate.classes))})"


def _details(candidate: Candidate) -> Iterable[str]:
    misfit = candidate.outcome == "misfit"
    yield candidate.reason if misfit else f"{candidate.outcome}: {candidate.reason}"
    if candidate.predicates is not None and candidate.error is None:
        asked = ", ".join(f"{name}={value!r}" for name, value in candidate.predicates.items())
        answer = "None" if candidate.component is None else short_name(candidate.component)
        yield f"asked with {asked or 'no predicates'}: answered {answer}"
    if candidate.call_next is not None:
        yield f"call_next goes to {candidate.call_next}"


def _rows(resolution: Resolution) -> Iterable[tuple[list[str], Candidate]]:
    listed = [*enumerate(resolution.candidates, 1), *((0, m) for m in resolution.misfits[:_SHOWN])]
    for index, candidate in listed:
        row = [
            str(index or "-"),
            candidate.name,
            _classes(candidate),
            candidate.lookup,
            _shown_place(candidate),
            "\n".join(_details(candidate)),
        ]
        yield row, candidate


def _cells(row: list[str], candidate: Candidate) -> str:
    cells = [html.escape(cell).replace("\n", "<br>") for cell in row]
    if candidate.outcome == "chosen":
        cells = [f"<strong>{cell}</strong>" for cell in cells]
    return "".join(f"<td {_CELL_STYLE}>{cell}</td>" for cell in cells)


def _shown_place(candidate: Candidate) -> str:
    """File and line, from the current directory if they are below it."""
    if candidate.filename is None:
        return ""
    directory = os.path.join(os.getcwd(), "")
    return candidate.place.removeprefix(directory)


def _at_most(place: str, indent: str) -> str:
    """A place on one line: what is too long loses its beginning."""
    room = WIDTH - len(indent)
    return f"{indent}{place if len(place) <= room else '…' + place[-room + 1 :]}"


def _quoted(*lines: str) -> str:
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(escaped) + '"'
