"""The tables, as reStructuredText for the docs' performance page."""

from __future__ import annotations

from peers import PEERS, versions
from results import REQUIREMENTS, Requirement, Results
from running import BUILDS

__all__ = ["missed", "number", "tables"]

_SWEEPS = (
    ("cold, registrations", "Cold look-up, by registrations"),
    ("cold, depth", "Cold look-up, by depth of the hierarchies"),
    ("cold, arity", "Cold look-up, by arguments"),
    ("predicates, entries", "Predicate look-up, by entries"),
    ("predicates, number", "Predicate look-up, by predicates"),
    ("registration", "One registration, by how many there are"),
    ("memory of a registration", "Memory of one registration, by how many there are"),
    ("threads", "A call, by threads"),
    ("dropped classes", "Memory after calls with fresh classes"),
)


def number(value: float | None) -> str:
    """A number with as many digits as say something."""
    if value is None:
        return "–"
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 100 else f"{value:.3g}"


def missed(requirement: Requirement, results: Results, build: str) -> str:
    """``"must"`` or ``"aim"``, the more important that is not reached; else nothing."""
    value = requirement.measure(results, build)
    if value is None:
        return ""
    for name, limits in (("must", requirement.must), ("aim", requirement.aim)):
        if build in limits and value > limits[build]:
            return name
    return ""


def tables(results: Results) -> str:
    """All tables of one file of results."""
    metadata = results.metadata
    installed = ", ".join(f"{name} {version}" for name, version in versions().items())
    return "\n".join(
        [
            f"Python {metadata['python_version']} on {metadata['platform']},"
            f" {metadata['cpu_model_name']}; {metadata['date']} (UTC);"
            f" {installed}.",
            "",
            *_requirements(results),
            *_calls(results),
            *(line for row, title in _SWEEPS for line in _sweep(results, row, title)),
        ]
    )


def _requirements(results: Results) -> list[str]:
    rows = []
    for requirement in REQUIREMENTS:
        line = [requirement.title, requirement.unit]
        for build in BUILDS:
            value = number(requirement.measure(results, build))
            miss = missed(requirement, results, build)
            limits = [
                number(limit[build]) if build in limit else "–"
                for limit in (requirement.must, requirement.aim)
            ]
            line += [f"**{value}**" if miss == "must" else value, " / ".join(limits)]
        rows.append(line)
    heading = ["", "", "compiled", "must / aim", "pure", "must / aim"]
    return _table("What must be reached, and what is aimed at", heading, rows)


def _calls(results: Results) -> list[str]:
    rows = []
    for row in ("call, 1", "call, 2", "deep call, 1", "deep call, 2"):
        for build in BUILDS:
            ratios = [results.ratio(build, row, peer) for peer in PEERS]
            own = [results.ratio(build, row), results.net_ratio(build, row)]
            rows.append([row, build, *(number(ratio) for ratio in own + ratios)])
    title = "Calls, as multiples of a direct call of the implementation"
    heading = ["arguments", "build of reg", "reg", "reg, loop taken off", *PEERS]
    return _table(title, heading, rows)


def _sweep(results: Results, row: str, title: str) -> list[str]:
    rows = []
    cases = results.cases(BUILDS[0], row)
    sizes = sorted({size for case in cases for size, _ in results.curve(BUILDS[0], row, case)})
    if not sizes:
        return []
    memory = row in ("memory of a registration", "dropped classes")
    scale, unit = (1.0, "B") if memory else (1e6, "µs")
    if row == "dropped classes":
        scale, unit = 2.0**-20, "MiB"
    for case in cases:
        for build in BUILDS:
            curve = dict(results.curve(build, row, case))
            values = [number(curve[size] * scale) if size in curve else "–" for size in sizes]
            rows.append([f"{case}, {build}", *values])
    return _table(f"{title}, in {unit}", ["", *(number(float(size)) for size in sizes)], rows)


def _table(title: str, heading: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["", f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in [heading, *rows]:
        for index, cell in enumerate(row):
            lines.append(f"   {'* -' if index == 0 else '  -'} {cell}".rstrip())
    return [*lines, ""]
