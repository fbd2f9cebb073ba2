"""What was measured, read from the JSON, and what is asked of it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyperf

__all__ = ["REQUIREMENTS", "Requirement", "Results"]

_Place = tuple[str, str, str, int]


class Results:
    """The measurements of one file.

    :param path: as ``python benchmarks`` wrote it.

    What was not measured is ``None`` in all answers.
    """

    def __init__(self, path: Path) -> None:
        self._values: dict[_Place, list[float]] = {}
        #: date, Python, machine
        self.metadata: dict[str, str] = {}
        for benchmark in pyperf.BenchmarkSuite.load(str(path)):
            metadata = benchmark.get_metadata()
            self.metadata = {name: str(value) for name, value in metadata.items()}
            place = (metadata["build"], metadata["row"], metadata["case"], metadata["size"])
            self._values[place] = list(benchmark.get_values())

    def median(self, build: str, row: str, case: str, size: int = 0) -> float | None:
        """The middle of all values."""
        values = self._values.get((build, row, case, size))
        return statistics.median(values) if values else None

    def ratio(
        self, build: str, row: str, case: str = "reg", to: str = "direct", size: int = 0
    ) -> float | None:
        """The middle of the ratios of what was measured side by side."""
        values = self._values.get((build, row, case, size))
        others = self._values.get((build, row, to, size))
        if not values or not others:
            return None
        return statistics.median(a / b for a, b in zip(values, others, strict=True))

    def net_ratio(self, build: str, row: str, case: str = "reg") -> float | None:
        """The same to a direct call, without the loop that both were measured in."""
        medians = [self.median(build, row, each) for each in (case, "direct", "nothing")]
        whole, direct, loop = medians
        if whole is None or direct is None or loop is None:
            return None
        return (whole - loop) / (direct - loop)

    def cases(self, build: str, row: str) -> list[str]:
        """The cases of a row, in the order they were measured in."""
        return list(dict.fromkeys(p[2] for p in self._values if p[:2] == (build, row)))

    def curve(self, build: str, row: str, case: str = "reg") -> list[tuple[int, float]]:
        """The medians by size."""
        return sorted(
            (size, statistics.median(values))
            for (*place, size), values in self._values.items()
            if tuple(place) == (build, row, case)
        )

    def growth(self, build: str, row: str, case: str = "reg", since: int = 0) -> float | None:
        """The exponent by which it grows with its size, between the least and the largest.

        :param since: the least size that counts.
        """
        curve = [point for point in self.curve(build, row, case) if point[0] >= since]
        if len(curve) < 2:
            return None
        (least, first), (most, last) = curve[0], curve[-1]
        return math.log(last / first) / math.log(most / least)


@dataclass(frozen=True)
class Requirement:
    """A line of the table: what must be reached, and what is aimed at.

    :param title: what is measured.
    :param unit: of the number, and of the limits.
    :param measure: finds the number, or ``None``.
    :param must: by build, where there is one.
    :param aim: as well.
    """

    title: str
    unit: str
    measure: Callable[[Results, str], float | None]
    must: dict[str, float] = field(default_factory=dict)
    aim: dict[str, float] = field(default_factory=dict)


def _both(value: float) -> dict[str, float]:
    return {"compiled": value, "pure": value}


def _ratio(
    row: str, case: str = "reg", to: str = "direct", size: int = 0
) -> Callable[[Results, str], float | None]:
    return lambda results, build: results.ratio(build, row, case, to, size)


def _call(title: str, row: str, must: dict[str, float], aim: dict[str, float]) -> Requirement:
    return Requirement(title, "× direct", _ratio(row), must, aim)


_FAST_MUST, _FAST_AIM = {"compiled": 2.5, "pure": 7.0}, {"compiled": 1.8, "pure": 4.0}
_KEYWORD_MUST, _KEYWORD_AIM = {"compiled": 4.0}, {"compiled": 2.5}


def _calls() -> Iterator[Requirement]:
    for title, row in (
        ("call", "call"),
        ("call through two registries, class three levels below", "composed"),
        ("call, class three levels below", "deep call"),
        ("two lookups in turn, lookup=", "two lookups in turn"),
        ("two applications in turn, implicit", "two contexts in turn"),
        ("inside using()", "inside using()"),
    ):
        for arity in (1, 2):
            arguments = f"{arity} argument{'s' * (arity > 1)}"
            # With lookup= it is one thing more to do: the row below speaks of it.
            by_keyword = "lookup=" in title
            yield _call(
                f"{title}, {arguments}",
                f"{row}, {arity}",
                _KEYWORD_MUST if by_keyword else _FAST_MUST,
                _KEYWORD_AIM if by_keyword else _FAST_AIM,
            )
    yield Requirement(
        "two threads",
        "× direct",
        _ratio("threads", size=2),
        _FAST_MUST,
        _FAST_AIM,
    )
    row = "a lookup for each of two threads"
    yield _call(row, row, _FAST_MUST, _FAST_AIM)
    for title, row in (
        ("lookup=", "lookup="),
        ("lookup=, which the implementation takes", "lookup= taken"),
        ("a keyword argument", "keyword"),
        ("method", "method"),
        ("named dispatch by keyword", "named, by keyword"),
        ("named dispatch by position", "named, by position"),
    ):
        yield _call(title, row, _KEYWORD_MUST, _KEYWORD_AIM)


def _slowest_of(build: str) -> list[str]:
    return ["plum", "multipledispatch", "multimethod", "singledispatch"] + (
        ["ovld"] if build == "compiled" else []
    )


def _against_peers(row: str) -> Callable[[Results, str], float | None]:
    def measure(results: Results, build: str) -> float | None:
        """The worst ratio to any of those that must be slower."""
        ratios = [results.ratio(build, row, to=peer) for peer in _slowest_of(build)]
        return max((ratio for ratio in ratios if ratio is not None), default=None)

    return measure


def _peers() -> Iterator[Requirement]:
    for row in ("call, 1", "call, 2", "deep call, 1", "deep call, 2"):
        yield Requirement(
            f"{row}: against the fastest peer (pure: but ovld)",
            "× peer",
            _against_peers(row),
            _both(1.0),
            {"compiled": 0.5},
        )
        yield Requirement(
            f"{row}: against ovld",
            "× ovld",
            _ratio(row, to="ovld"),
            {"compiled": 1.0},
            {"compiled": 0.5, "pure": 1.0},
        )


def _median(
    row: str, case: str, size: int, scale: float = 1
) -> Callable[[Results, str], float | None]:
    def measure(results: Results, build: str) -> float | None:
        median = results.median(build, row, case, size)
        return None if median is None else median * scale

    return measure


def _growth(row: str, case: str = "reg", since: int = 0) -> Callable[[Results, str], float | None]:
    return lambda results, build: results.growth(build, row, case, since)


def _sizes() -> Iterator[Requirement]:
    exponent = "exponent"
    yield Requirement(
        "cold look-up, 4 arguments, 20 deep, 10 000 registrations",
        "µs",
        _median("cold, registrations", "reg", 10_000, 1e6),
        aim=_both(50),
    )
    yield Requirement(
        "… as registrations grow", exponent, _growth("cold, registrations"), _both(0.9)
    )
    yield Requirement(
        "… as depth grows (a full walk is 4)", exponent, _growth("cold, depth"), _both(2)
    )
    for case in ("PredicateRegistry.get", "generic.component"):
        yield Requirement(
            f"10 predicates, 100 000 entries, {case}",
            "µs",
            _median("predicates, entries", case, 100_000, 1e6),
            aim=_both(10),
        )
        yield Requirement(
            f"… as entries grow, {case}",
            exponent,
            _growth("predicates, entries", case),
            _both(0.1),
        )
        yield Requirement(
            f"… as predicates grow, {case}",
            exponent,
            _growth("predicates, number", case),
            _both(1.2),
        )
    yield Requirement(
        "next call of others after a registration, 1 000 generics warm",
        "× before",
        _ratio("warm neighbours", "after a registration", to="before"),
        _both(3),
        _both(1.1),
    )


def _since_the_least(row: str, case: str) -> Callable[[Results, str], float | None]:
    def measure(results: Results, build: str) -> float | None:
        """How many MiB there are more at the end than there were at the least.

        The first is no measure: a dictionary keeps its size for a while after
        what it had room for is gone.
        """
        amounts = [amount for _, amount in results.curve(build, row, case)]
        return (amounts[-1] - min(amounts)) / 2**20 if amounts else None

    return measure


def _costs() -> Iterator[Requirement]:
    for case in ("one key", "a key for each ten"):
        yield Requirement(
            f"registering, {case}, as registrations grow",
            "exponent",
            _growth("registration", case, 1_000),
            _both(0.2),
        )
    for arity in ("1 classes", "2 classes"):
        yield Requirement(
            f"memory per registration, {arity}, 10 000",
            "B",
            _median("memory of a registration", arity, 10_000),
            _both(1024),
            _both(300),
        )
    for case, must in (("peak", 2.0), ("traced", 0.25)):
        yield Requirement(
            f"calls with fresh classes, dropped: growth of memory, {case}",
            "MiB",
            _since_the_least("dropped classes", case),
            _both(must),
            _both(must / 4),
        )

    def importing(results: Results, build: str) -> float | None:
        whole = results.median(build, "import", "import reg")
        empty = results.median(build, "import", "pass")
        return None if whole is None or empty is None else 1e3 * (whole - empty)

    yield Requirement("import reg, over an empty interpreter", "ms", importing, _both(15), _both(5))
    for title, must, aim in (
        ("backend_dispatch, host", 6, 3),
        ("backend_dispatch, backend", 20, 8),
        ("… chosen by the setting", 20, 8),
        ("backend_class, host", 3, 1.5),
    ):
        yield _call(title, title, _both(must), _both(aim))
    # Nothing is required of these; they are what a user will want to know.
    for title in (
        "… with an option of its own",
        "… chosen from a list",
        "backend_class, backend",
        "use_backend, enter and leave",
    ):
        yield _call(title, title, {}, {})


#: the table, line by line
REQUIREMENTS: list[Requirement] = [*_calls(), *_peers(), *_sizes(), *_costs()]
