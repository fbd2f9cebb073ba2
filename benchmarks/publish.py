"""Writes the documentation's figures from results.

``python benchmarks/publish.py [folder]`` reads the results of all Pythons in a folder,
by default the one that ``python benchmarks`` writes to. It writes to ``docs/performance``:
the table of ten rows, that of backends, the charts, and the page of all measurements.
"""

from __future__ import annotations

import sys
from pathlib import Path

import chart
from report import number, table, tables
from results import Results
from running import BUILDS

__all__ = ["publish"]

_DOCUMENTATION = Path(__file__).parent.parent / "docs" / "performance"

#: by row of the benchmark, the words for it on the pages
_TEN = {
    "call, 1": "``size(document)``",
    "call, 2": "``size(document, printer)``",
    "method": "``archive.size(document)``, a generic method",
    "keyword": "``size(document, unit=unit)``, a keyword that is passed on",
    "lookup=": "``size(document, lookup=registry)``",
    "default=": "``size(document, default=None)``",
    "inside using(), 1": "``size(document)`` inside ``reg.implicit.using()``",
    "call_next(item)": "an implementation that calls ``call_next`` [1]_",
    "predicates, 1": "``view(page)``, decided by a predicate [2]_",
    "backend, chosen by the setting": "a function that runs on a chosen backend",
}

_BACKENDS = {
    "backend_dispatch, host": "the host's own code",
    "backend, chosen in the call": "a backend, chosen in the call",
    "backend, chosen by the setting": "a backend, chosen by the setting",
    "backend, first of a list": "the first of a list, chosen by the setting",
    "backend, auto": 'the owner of an argument\'s class, chosen by ``"auto"``',
    "backend, with an option of its own": "with an option of its own",
    "backend, which can_run asks": "a backend that has ``can_run``",
    "backend, under record()": "a backend, under ``record()``",
    "use_backend, enter and leave": "``use_backend``, enter and leave",
    "backend_class, host": "construction of the host's class",
    "backend_class, backend": "construction of a backend's class",
}

_PAGE = """\
All measurements
================

Written by the benchmark; see :doc:`/performance` for how it measures. A number with
"×" is a multiple of the direct call, "wrong" a case whose answer was not right.

.. image:: scaling.svg
   :alt: Curves of look-ups, registrations and memory by size, on logarithmic axes.
"""


def publish(source: Path, target: Path) -> None:
    """Write the documentation's figures.

    :param source: the folder with the results of one or more Pythons.
    :param target: the folder to write to.
    :raises SystemExit: if there are no results.
    """
    paths = sorted(source.glob("benchmark-*.json"), key=_version)
    if not paths:
        raise SystemExit(f"there are no results in {source}; run tox -e bench first")
    all_results = {path: Results(path) for path in paths}
    newest = all_results[paths[-1]]
    target.mkdir(parents=True, exist_ok=True)
    (target / "calls.txt").write_text(_ten_rows(list(all_results.values())))
    (target / "backends.txt").write_text(_backends(list(all_results.values())))
    (target / "calls.svg").write_text(chart.calls(newest))
    (target / "scaling.svg").write_text(chart.curves(newest))
    parts = [_PAGE]
    for path, results in reversed(all_results.items()):
        title = f"Python {_minor(results)}"
        parts.append(f"{title}\n{'-' * len(title)}\n\n{tables(results)}")
        counts = path.with_name(path.stem.replace("benchmark", "instructions") + ".txt")
        if counts.exists():
            parts.append(_literal(counts.read_text()))
    (target / "measurements.rst").write_text("\n".join(part.strip("\n") + "\n" for part in parts))


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(digits) for digits in path.stem.partition("-")[2].split("."))


def _minor(results: Results) -> str:
    return ".".join(results.metadata["python_version"].split(".")[:2])


def _ten_rows(all_results: list[Results]) -> str:
    """The table of the page: both builds on every Python, and the fastest other library."""
    newest = all_results[-1]
    columns = [(build, results) for build in BUILDS for results in all_results]
    rows = _rows(_TEN, columns)
    for cells, row in zip(rows, _TEN, strict=True):
        cells.append(_fastest_other(newest, row))
    heading = [
        "call",
        *(f"{build}, {_minor(results)}" for build, results in columns),
        f"fastest other library, {_minor(newest)}",
    ]
    pythons = " and ".join(map(_minor, all_results))
    title = f"Cached calls, as multiples of the direct call, on Python {pythons}"
    return "\n".join(table(title, heading, rows))


def _backends(all_results: list[Results]) -> str:
    columns = [(BUILDS[0], results) for results in all_results]
    heading = ["case", *(f"Python {_minor(results)}" for results in all_results)]
    title = "Multiples of the direct call or construction"
    return "\n".join(table(title, heading, _rows(_BACKENDS, columns)))


def _rows(words: dict[str, str], columns: list[tuple[str, Results]]) -> list[list[str]]:
    return [
        [text, *(number(results.ratio(build, row)) for build, results in columns)]
        for row, text in words.items()
    ]


def _fastest_other(results: Results, row: str) -> str:
    ratios = {
        name: ratio
        for name in results.cases(BUILDS[0], row)
        if name not in ("nothing", "direct", "reg")
        and (ratio := results.ratio(BUILDS[0], row, name)) is not None
    }
    if not ratios:
        return "–"
    name = min(ratios, key=ratios.__getitem__)
    return f"{name}: {number(ratios[name])}"


def _literal(text: str) -> str:
    heading, _, lines = text.partition("\n")
    return f"{heading}, by callgrind::\n\n" + "".join(
        f"    {line}\n" for line in lines.strip().splitlines()
    )


def main() -> None:
    publish(Path(*sys.argv[1:2] or ["build/benchmarks"]), _DOCUMENTATION)


if __name__ == "__main__":
    main()
