"""The page of an application: HTML that needs nothing else, no file and no network.

Every text of the application is escaped where it is put in. The script has all explanations as
JSON, and shows them as text only; the page's policy lets no other script run.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

from ... import __version__
from .catalogue import Implementation, Registry
from .dispatch_table import Cell, Slice, Step, Table
from .drawing import composition, tint
from .model import Application, Generic, Placed

__all__ = ["page"]

# No file and no address is loaded, and no script runs but the one of this digest.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'"


def page(application: Application) -> str:
    """Write the page.

    :param application: the model.
    :return: an HTML document.
    """
    folder = files("reg.tools.browse")
    style, script = (folder.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    writer = _Writer(application)
    body = writer.body()
    # "<" could end the element.
    data = json.dumps(writer.data(), separators=(",", ":")).replace("<", "\\u003c")
    return (
        '<!DOCTYPE html>\n<html lang="en" class="still">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(digest)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta name="generator" content="reg {__version__}">\n'
        f"<title>{escape(application.title)} · reg browse</title>\n<style>\n{style}</style>\n"
        f'</head>\n<body>\n{body}\n<script type="application/json" id="data">{data}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


class _Writer:
    """Writes the parts of the page, and collects the explanations of all cells.

    :param application: the model.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.registries = {registry.number: registry for registry in application.registries}
        self._strings: dict[str, int] = {}
        self._explanations: list[list[Any]] = []

    def data(self) -> dict[str, Any]:
        """The explanations, in which numbers stand for strings."""
        return {
            "registries": {
                number: [registry.name, tint(number)]
                for number, registry in self.registries.items()
            },
            "strings": list(self._strings),
            "explanations": self._explanations,
        }

    def body(self) -> str:
        """Write the content of the page."""
        application = self.application
        sections = "\n".join(map(self._generic, application.generics))
        return (
            f'<a class="skip" href="#main">Skip to the content</a>\n{self._header()}\n'
            f'<div class="frame">\n{self._navigation()}\n<main id="main" tabindex="-1">\n'
            f"{self._overview()}\n{self._findings()}\n{sections}\n"
            '<p class="no-match" hidden>Nothing has these words in its name, its classes or its'
            " file.</p>\n</main>\n</div>\n"
            f"<footer>Made by <code>reg browse</code>, reg {__version__}. Keys: <kbd>/</kbd>"
            " search, <kbd>Esc</kbd> end of the search, arrow keys in a table.</footer>"
        )

    def _header(self) -> str:
        application = self.application
        return (
            f'<header><div class="title"><h1>{escape(application.title)}</h1>'
            f"<p>{escape(application.summary)}</p></div>"
            '<form role="search" class="live"><output id="matches" for="search"></output>'
            '<label for="search">Search</label>'
            '<input id="search" type="search" autocomplete="off" spellcheck="false"'
            ' placeholder="name, class or file" aria-describedby="matches" aria-keyshortcuts="/">'
            '<kbd aria-hidden="true">/</kbd></form></header>'
        )

    def _navigation(self) -> str:
        items = []
        for generic in self.application.generics:
            severest = _severest(generic.findings)
            sign = f' <span class="sign {severest}">{severest}</span>'
            items.append(
                f'<li data-of="g{generic.number}"><a href="#g{generic.number}">'
                f"<code>{escape(generic.name)}</code>{sign if generic.findings else ''}"
                f'<span class="count">{len(generic.implementations)}</span></a></li>'
            )
        return (
            '<nav aria-label="Contents"><ul><li><a href="#overview">Overview</a></li>'
            '<li><a href="#findings">Findings'
            f'<span class="count">{len(self.application.findings)}</span></a></li></ul>'
            f"<h2>Generic functions</h2><ul>{''.join(items)}</ul></nav>"
        )

    def _overview(self) -> str:
        heads = "".join(
            f'<th scope="col">{_badge(registry)}</th>' for registry in self.application.registries
        )
        rows = "".join(map(self._overview_row, self.application.generics))
        return (
            '<section id="overview" aria-labelledby="overview-title">'
            '<h2 id="overview-title">Overview</h2><div class="beside">'
            f"<figure><figcaption>The way of a call</figcaption>{composition(self.application)}"
            '</figure><div class="scroll"><table class="matrix"><caption>Implementations by generic'
            ' function and registry</caption><thead><tr><th scope="col">Generic function</th>'
            f"{heads}</tr></thead><tbody>{rows}</tbody></table></div></div></section>"
        )

    def _overview_row(self, generic: Generic) -> str:
        cells = ""
        for registry in self.application.registries:
            count = sum(one.registry == registry.number for one in generic.implementations)
            unknown = "unknown" if not registry.known else "none"
            shown = f'<span class="tile {tint(registry.number)}">{count}</span>'
            cells += f"<td>{shown if count else f'<span class=faint>{unknown}</span>'}</td>"
        return (
            f'<tr data-of="g{generic.number}"><th scope="row"><a href="#g{generic.number}">'
            f"<code>{escape(generic.name)}</code></a>"
            f"<small>{escape(generic.summary)}</small></th>{cells}</tr>"
        )

    def _findings(self) -> str:
        items = "".join(
            f'<li>{_severity(placed)} <a href="#f{placed.number}">{escape(placed.finding.problem)}'
            "</a></li>"
            for placed in self.application.findings
        )
        shown = f"<ol>{items}</ol>" if items else "<p>reg.check has no findings.</p>"
        return (
            '<section id="findings" aria-labelledby="findings-title">'
            f'<h2 id="findings-title">Findings</h2>{shown}</section>'
        )

    def _generic(self, generic: Generic) -> str:
        name = f"g{generic.number}"
        loose = [placed for placed in generic.findings if not placed.implementations]
        tables = "\n".join(self._table(generic, table) for table in generic.tables)
        groups = [
            list(group)
            for _, group in itertools.groupby(
                generic.implementations, key=lambda one: (one.full, one.classes, one.registry)
            )
        ]
        rows = "".join(self._implementation(group, generic.findings) for group in groups)
        text = " ".join((generic.full, generic.place)).lower()
        place = f' <span class="place">{escape(generic.place)}</span>' if generic.place else ""
        return (
            f'<section class="generic" id="{name}" aria-labelledby="{name}-title"'
            f' data-text="{escape(text)}">'
            f'<h2 id="{name}-title"><code>{escape(generic.name)}</code><code class="signature">'
            f"{escape(generic.signature)}</code></h2>"
            f'<p class="about">{escape(generic.summary)} <code>{escape(generic.full)}</code>{place}'
            f"</p>{''.join(_finding(placed) for placed in loose)}{tables}"
            f'<h3 id="{name}-list">Implementations</h3><p class="faint">In the order in which they'
            f' are asked.</p><div class="scroll"><table class="implementations"'
            f' aria-labelledby="{name}-list"><thead><tr>'
            '<th scope="col">Registry</th><th scope="col">Implementation</th>'
            '<th scope="col">Registered for</th><th scope="col">Place</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div></section>"
        )

    def _implementation(self, group: list[Implementation], findings: tuple[Placed, ...]) -> str:
        """A row for implementations that differ only in their predicates."""
        first = group[0]
        registry = self.registries[first.registry]
        words = {registry.name} | {
            word
            for one in group
            for word in (one.full, *one.full_classes, one.predicates, one.place)
        }
        chips = "".join(
            f'<li id="i{one.number}"><code>{escape(one.predicates)}</code></li>' for one in group
        )
        has_predicates = any(one.predicates for one in group)
        name = "" if has_predicates else f' id="i{first.number}"'
        next_one = (
            ' <small title="takes call_next">call_next</small>' if first.takes_call_next else ""
        )
        numbers = {one.number for one in group}
        notes = "".join(
            _finding(placed) if placed.implementations[0] in numbers else _reference(placed)
            for placed in findings
            if numbers.intersection(placed.implementations)
        )
        return (
            f'<tr{name} data-text="{escape(" ".join(sorted(words)).lower())}">'
            f"<td>{_badge(registry)}</td>"
            f'<td><code title="{escape(first.full)}">{escape(first.name)}</code>{next_one}{notes}'
            f"</td><td><code>{escape(first.classes)}</code>"
            f"{f'<ul class=chips>{chips}</ul>' if has_predicates else ''}</td>"
            f'<td class="place">{escape(first.place)}</td></tr>'
        )

    def _table(self, generic: Generic, table: Table) -> str:
        count = (
            ""
            if len(generic.tables) == 1
            else f", {table.count} class{'' if table.count == 1 else 'es'}"
        )
        group = f"g{generic.number}-{table.count}"
        choices = "".join(
            f'<label><input type="radio" name="{group}" value="{index}"'
            f"{' checked' if index == 0 else ''}><code>{escape(part.label)}</code></label>"
            for index, part in enumerate(table.slices)
        )
        fieldset = (
            f'<fieldset class="slices live"><legend>Where</legend>{choices}</fieldset>'
            if len(table.slices) > 1
            else ""
        )
        grids = "".join(
            self._grid(generic, table, part, index) for index, part in enumerate(table.slices)
        )
        left_out = (
            f"<p>{table.left_out} more classes or predicates are left out.</p>"
            if table.left_out
            else ""
        )
        return (
            f'<div class="dispatch"><h3>Who answers{count}</h3>{fieldset}<div class="split"><div>'
            f"{grids}{left_out}{_LEGEND}</div>"
            '<section class="why live" aria-label="Why" tabindex="-1"></section></div></div>'
        )

    def _grid(self, generic: Generic, table: Table, part: Slice, index: int) -> str:
        rows, columns = table.rows, table.columns
        heads = "".join(
            f'<th scope="col" title="{escape(heading.full)}" style="--depth: {heading.depth}">'
            f"{escape(heading.label) or 'answer'}</th>"
            for heading in columns.headings
        )
        body = ""
        for heading, cells in zip(rows.headings, part.cells, strict=True):
            tiles = "".join(map(self._cell, cells))
            body += (
                f'<tr><th scope="row" title="{escape(heading.full)}"'
                f' style="--depth: {heading.depth}">{escape(heading.label)}</th>{tiles}</tr>'
            )
        given = f", {part.label}" if part.label else ""
        across = f" <span>{escape(columns.title)} →</span>" if columns.title else ""
        caption = f"<caption>{escape(part.label)}</caption>" if part.label else ""
        return (
            f'<div class="scroll" data-slice="{index}"><table role="grid" class="answers"'
            f' aria-label="{escape(f"Who answers for {generic.name}{given}")}">{caption}'
            f'<thead><tr><td class="corner"><span>{escape(rows.title)} ↓</span>{across}</td>{heads}'
            f"</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _cell(self, cell: Cell) -> str:
        self._explanations.append(
            [*map(self._string, (cell.call, cell.answer, cell.fate)), *map(self._step, cell.steps)]
        )
        registry = cell.registry
        colour = "" if registry is None else f" {tint(registry)}"
        badge = "" if registry is None else f"<i>{registry}</i>"
        shown, spoken = _SHOWN.get(cell.fate, (escape(cell.answer), ""))
        spoken = ", inherited" if cell.fate == "inherited" else spoken
        spoken = spoken and f'<span class="spoken">{spoken}</span>'
        return (
            f'<td role="gridcell" class="{cell.fate}{colour}"'
            f' data-why="{len(self._explanations) - 1}">{badge}<b>{shown}</b>{spoken}</td>'
        )

    def _step(self, step: Step) -> list[int]:
        row, column = step.at or (-1, -1)
        texts = (step.name, step.classes, step.place, step.outcome, step.reason, step.call_next)
        numbers = (step.rank, step.implementation or 0, step.registry or 0, row, column)
        return [*map(self._string, texts), *numbers]

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))


# The answers that are no implementation: as they are shown, and as they are spoken.
_SHOWN = {
    "fallback": ('<span aria-hidden="true">&ndash;</span>', "fallback"),
    "nothing": ('<span aria-hidden="true">∅</span>', "nothing"),
    "undecided": ("?", "by the arguments"),
    "failed": ("!", "error"),
}

_LEGEND = (
    '<p class="legend"><span><b class="key own"></b> registered for just these classes</span>'
    '<span><b class="key inherited"></b> inherited from base classes</span>'
    "<span><b>&ndash;</b> the fallback</span></p>"
)


def _badge(registry: Registry) -> str:
    return (
        f'<span class="badge {tint(registry.number)}" title="{escape(registry.name)}">'
        f"<i>{registry.number}</i><span>{escape(registry.name)}</span></span>"
    )


def _severest(findings: Iterable[Placed]) -> str:
    severities = {placed.finding.severity for placed in findings}
    return "error" if "error" in severities else "warning"


def _severity(placed: Placed) -> str:
    severity = placed.finding.severity
    return f'<strong class="{severity}">{severity}</strong>'


def _reference(placed: Placed) -> str:
    return (
        f'<p class="finding">{_severity(placed)} see <a href="#f{placed.number}">finding'
        f" {placed.number}</a>: {escape(placed.finding.kind)}</p>"
    )


def _finding(placed: Placed) -> str:
    finding = placed.finding
    cause = (
        ""
        if placed.cause is None
        else f' The same cause as <a href="#f{placed.cause}">finding {placed.cause}</a>.'
    )
    places = "".join(f'<li class="place">{escape(place)}</li>' for place in placed.places)
    return (
        f'<div class="finding {finding.severity}" id="f{placed.number}"><p>{_severity(placed)}'
        f" <code>{escape(finding.kind)}</code> {escape(finding.problem)}.</p>"
        f"<p>{escape(finding.advice)}{cause}</p><ul>{places}</ul></div>"
    )
