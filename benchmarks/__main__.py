"""Measures everything, and writes what was found: JSON, a table and a chart.

``python benchmarks`` does it; ``--quick`` in less than a minute.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import chart
import report
import running
from results import Results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, for every day")
    parser.add_argument("--output", type=Path, default=None, help="where to write the results")
    parser.add_argument(
        "--only", action="append", default=[], choices=running.SUBJECTS, help="a subject to measure"
    )
    parser.add_argument("--worker", choices=running.SUBJECTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        running.work(options.worker, options.quick)
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    output: Path = options.output or Path("build") / "benchmarks"
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"benchmark-{version}.json"
    suite = running.measure(
        options.quick, options.only, lambda what: print(what, file=sys.stderr, flush=True)
    )
    suite.dump(str(path), replace=True)
    results = Results(path)
    table = report.tables(results)
    path.with_suffix(".rst").write_text(table)
    path.with_suffix(".svg").write_text(chart.calls(results))
    (output / f"scaling-{version}.svg").write_text(chart.curves(results))
    print(table)


if __name__ == "__main__":
    main()
