"""Measures everything, and writes the results: JSON, tables and charts.

``python benchmarks`` measures; ``--quick`` in less than a minute. ``--instructions``
counts the instructions of some calls by valgrind instead, which takes a minute.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import chart
import instructions
import report
import running
from results import Results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, for every day")
    parser.add_argument(
        "--instructions", action="store_true", help="count instructions by valgrind"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("build/benchmarks"), help="where to write the results"
    )
    parser.add_argument(
        "--only", action="append", default=[], choices=running.SUBJECTS, help="a subject to measure"
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        if options.instructions:
            instructions.work()
        else:
            running.work(options.worker, options.quick)
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    output: Path = options.output
    output.mkdir(parents=True, exist_ok=True)
    if options.instructions:
        counts = instructions.count()
        (output / f"instructions-{version}.txt").write_text(counts)
        print(counts)
        return
    path = output / f"benchmark-{version}.json"
    suite = running.measure(
        options.quick, options.only, lambda step: print(step, file=sys.stderr, flush=True)
    )
    suite.dump(str(path), replace=True)
    results = Results(path)
    tables = report.tables(results)
    path.with_suffix(".txt").write_text(tables)
    path.with_suffix(".svg").write_text(chart.calls(results))
    (output / f"scaling-{version}.svg").write_text(chart.curves(results))
    print(tables)


if __name__ == "__main__":
    main()
