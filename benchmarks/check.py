"""Lists what is not reached of what is required; exits with 1 if a *must* is not.

``python benchmarks/check.py [results.json …]``; by default, all that
``python benchmarks`` wrote.
"""

from __future__ import annotations

import sys
from pathlib import Path

from report import missed, number
from results import REQUIREMENTS, Results
from running import BUILDS


def check(path: Path) -> bool:
    """List what one file of results misses; tell whether each *must* is reached."""
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
                print(
                    f"misses {miss:6} {name}: {number(value)} {requirement.unit},"
                    f" not {number(limit)}"
                )
                reached = reached and miss != "must"
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
