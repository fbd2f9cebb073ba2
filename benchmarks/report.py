"""The results as tables, in reStructuredText."""

from __future__ import annotations

import math

import older
from peers import PEERS
from results import Results
from running import BUILDS

__all__ = ["number", "table", "tables"]

#: by row that has a size: title, unit, and the factor from seconds or bytes to it
_SWEEPS = {
    "cold, registrations": ("Cold look-up, by registrations", "µs", 1e6),
    "cold, depth": ("Cold look-up, by depth of the hierarchies", "µs", 1e6),
    "cold, arity": ("Cold look-up, by arguments", "µs", 1e6),
    "cold, ABCs": ("Cold look-up, by registered abstract base classes", "µs", 1e6),
    "random predicates, entries": ("Random predicates, by entries", "µs", 1e6),
    "random predicates, combinations": ("Random predicates, by combinations of names", "µs", 1e6),
    "predicates, entries": ("Predicates in order, by entries", "µs", 1e6),
    "predicates, number": ("Predicates in order, by predicates", "µs", 1e6),
    "registration": ("One registration, by how many there are", "µs", 1e6),
    "memory of a registration": ("Memory of one registration, by how many there are", "B", 1.0),
    "threads": ("A call, by threads", "µs", 1e6),
    "dropped classes": ("Memory after calls with fresh classes", "MiB", 2.0**-20),
}

#: by row: the title of a difference between two programs
_PROGRAMS = {
    "import": "``import reg``",
    "first generic": "``import reg`` and the first ``@reg.generic``, after the usual modules",
}


def number(value: float | None) -> str:
    """Write a number with three digits.

    :param value: the number; infinite for a wrong answer.
    """
    if value is None:
        return "–"
    if value == math.inf:
        return "wrong"
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 100 else f"{value:.3g}"


def tables(results: Results) -> str:
    """Write all tables of one file of results."""
    metadata = results.metadata
    return "\n".join(
        [
            f"Python {metadata['python_version']} on {metadata['platform']},"
            f" {metadata['cpu_model_name']}; {metadata['date']} (UTC);"
            f" {metadata['libraries']}.",
            "",
            *_ratios(results),
            *_libraries(results),
            *_programs(results),
            *(line for row in _SWEEPS for line in _sweep(results, row)),
        ]
    )


def table(title: str, heading: list[str], rows: list[list[str]]) -> list[str]:
    """Write one table.

    :param title: its caption.
    :param heading: the cells of its first row.
    :param rows: the cells of the others.
    :return: the lines; none if there is nothing but the heading.
    """
    if not rows:
        return []
    lines = ["", f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in [heading, *rows]:
        for index, cell in enumerate(row):
            lines.append(f"   {'* -' if index == 0 else '  -'} {cell}".rstrip())
    return [*lines, ""]


def _ratios(results: Results) -> list[str]:
    names = [
        row
        for row in results.rows(BUILDS[0])
        if row not in _SWEEPS and "direct" in results.cases(BUILDS[0], row)
    ]
    rows = [[row, *(number(results.ratio(build, row)) for build in BUILDS)] for row in names]
    lines = table("Calls, as multiples of the direct call", ["call", *BUILDS], rows)
    neighbours = [
        number(results.ratio(build, "warm neighbours", "after a registration", "before"))
        for build in BUILDS
    ]
    title = "The next call of other generic functions, as multiples of those before"
    row = "after a registration, with 1 000 of them cached"
    return lines + table(title, ["", *BUILDS], [[row, *neighbours]])


def _libraries(results: Results) -> list[str]:
    """The calls that other libraries have too, with the ratios of the compiled build."""
    peers = [*PEERS, older.CASE]
    rows = []
    for row in results.rows(BUILDS[0]):
        ratios = [results.ratio(BUILDS[0], row, peer) for peer in peers]
        if any(ratio is not None for ratio in ratios):
            own = [results.ratio(build, row) for build in BUILDS]
            rows.append([row, *(number(ratio) for ratio in own + ratios)])
    heading = ["call", "reg, compiled", "reg, pure", *peers]
    lines = table("Other libraries, as multiples of the direct call", heading, rows)
    plain = [
        [row, *(number(results.net_ratio(build, row)) for build in BUILDS)]
        for row in ("call, 1", "call, 2", "deep call, 1", "deep call, 2")
        if row in results.rows(BUILDS[0])
    ]
    title = "Calls, as multiples of the direct call, both without the loop around them"
    return lines + table(title, ["call", *BUILDS], plain)


def _programs(results: Results) -> list[str]:
    rows = []
    for row, title in _PROGRAMS.items():
        cells = [title]
        for build in BUILDS:
            whole, before = (results.median(build, row, case) for case in ("reg", "before"))
            if whole is not None and before is not None:
                cells.append(number(1e3 * (whole - before)))
        if len(cells) > 1:
            rows.append(cells)
    return table("Time of imports, in ms", ["program", *BUILDS], rows)


def _sweep(results: Results, row: str) -> list[str]:
    title, unit, scale = _SWEEPS[row]
    rows = []
    cases = results.cases(BUILDS[0], row)
    curves = {
        (case, build): dict(results.curve(build, row, case)) for case in cases for build in BUILDS
    }
    sizes = sorted({size for curve in curves.values() for size in curve})
    if len(sizes) > 10:
        # Too many for a table: the first and the last of all cases.
        sizes = sorted({edge for curve in curves.values() if curve for edge in _edges(curve)})
    for (case, build), curve in curves.items():
        values = [number(curve[size] * scale) if size in curve else "–" for size in sizes]
        rows.append([f"{case}, {build}", *values])
    return table(f"{title}, in {unit}", ["", *(number(float(size)) for size in sizes)], rows)


def _edges(curve: dict[int, float]) -> tuple[int, int]:
    return min(curve), max(curve)
