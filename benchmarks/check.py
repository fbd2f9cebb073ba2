"""Lists the requirements that results miss, and the cases with a wrong answer.

``python benchmarks/check.py [results.json …]``; by default, all results that
``python benchmarks`` wrote. Exits with 1 if a *must* is missed.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from report import number
from requirements import REQUIREMENTS, missed
from results import Results
from running import BUILDS

__all__ = ["check"]


def check(path: Path) -> bool:
    """Print a line for every requirement that one file of results misses.

    :param path: the file.
    :return: whether every *must* is reached.
    """
    results = Results(path)
    reached = True
    for build in BUILDS:
        for requirement in REQUIREMENTS:
            name = f"Python {results.metadata['python_version']}, {build}: {requirement.title}"
            value = requirement.measure(results, build)
            miss = missed(requirement, results, build)
            if value is None:
                print(f"not measured  {name}")
            elif miss:
                limit = {"must": requirement.must, "aim": requirement.aim}[miss][build]
                unit = "" if value == math.inf else f" {requirement.unit}"
                print(f"misses {miss:6} {name}: {number(value)}{unit}, not {number(limit)}")
                reached = reached and miss != "must"
    for (build, row, case, size), error in results.wrong.items():
        place = f"{build}: {row}, {case}" + (f", {size}" if size else "")
        print(f"wrong         Python {results.metadata['python_version']}, {place}: {error}")
    return reached


def main() -> None:
    given = [Path(argument) for argument in sys.argv[1:]]
    paths = given or sorted(Path("build/benchmarks").glob("benchmark-*.json"))
    if not paths:
        raise SystemExit("there are no results; run tox -e bench first")
    reached = [check(path) for path in paths]
    if not all(reached):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
