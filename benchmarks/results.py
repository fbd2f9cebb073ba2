"""Results, read from the JSON that ``python benchmarks`` writes."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import pyperf

__all__ = ["Results"]

_Key = tuple[str, str, str, int]


class Results:
    """The measurements of one file.

    :param path: the file, as ``python benchmarks`` wrote it.

    All answers are ``None`` for a case that was not measured, and infinite for one
    that gave a wrong answer: a wrong answer is not fast.
    """

    def __init__(self, path: Path) -> None:
        self._values: dict[_Key, list[float]] = {}
        #: the error by build, row, case and size, for cases with a wrong answer
        self.wrong: dict[_Key, str] = {}
        #: date, Python and machine
        self.metadata: dict[str, str] = {}
        for benchmark in pyperf.BenchmarkSuite.load(str(path)):
            metadata = benchmark.get_metadata()
            self.metadata = {name: str(value) for name, value in metadata.items()}
            key = (metadata["build"], metadata["row"], metadata["case"], metadata["size"])
            errors = [run.get_metadata().get("wrong") for run in benchmark.get_runs()]
            self.wrong.update((key, error) for error in errors if error)
            self._values[key] = [] if key in self.wrong else list(benchmark.get_values())

    def median(self, build: str, row: str, case: str, size: int = 0) -> float | None:
        """The median of all values of a case."""
        key = (build, row, case, size)
        if key in self.wrong:
            return math.inf
        values = self._values.get(key)
        return statistics.median(values) if values else None

    def ratio(
        self, build: str, row: str, case: str = "reg", to: str = "direct", size: int = 0
    ) -> float | None:
        """The median of the ratios of values that were measured side by side.

        :param build: compiled or pure.
        :param row: the comparison.
        :param case: the case in it.
        :param to: the case to divide by. If that one is wrong, there is no ratio.
        :param size: the size of the problem, where that is swept.
        """
        if (build, row, case, size) in self.wrong:
            return math.inf
        values = self._values.get((build, row, case, size))
        others = self._values.get((build, row, to, size))
        if not values or not others:
            return None
        return statistics.median(a / b for a, b in zip(values, others, strict=True))

    def net_ratio(self, build: str, row: str) -> float | None:
        """The ratio to a direct call, without the loop that both were measured in."""
        medians = [self.median(build, row, name) for name in ("reg", "direct", "nothing")]
        whole, direct, loop = medians
        if whole is None or direct is None or loop is None:
            return None
        return (whole - loop) / (direct - loop)

    def rows(self, build: str) -> list[str]:
        """The rows that were measured with a build, in their order."""
        return list(dict.fromkeys(row for of_build, row, _, _ in self._values if of_build == build))

    def cases(self, build: str, row: str) -> list[str]:
        """The cases of a row, in their order."""
        return list(dict.fromkeys(key[2] for key in self._values if key[:2] == (build, row)))

    def curve(self, build: str, row: str, case: str = "reg") -> list[tuple[int, float]]:
        """Pairs of size and median, in the order of size."""
        return sorted(
            (size, statistics.median(values) if values else math.inf)
            for (*place, size), values in self._values.items()
            if tuple(place) == (build, row, case)
        )

    def growth(self, build: str, row: str, case: str = "reg", since: int = 0) -> float | None:
        """The exponent by which a case grows with its size, from the least to the largest.

        :param build: compiled or pure.
        :param row: the comparison.
        :param case: the case in it.
        :param since: the least size that counts.
        """
        curve = [point for point in self.curve(build, row, case) if point[0] >= since]
        if len(curve) < 2:
            return None
        if math.inf in [value for _, value in curve]:
            return math.inf
        (least, first), (most, last) = curve[0], curve[-1]
        return math.log(last / first) / math.log(most / least)
