"""The requirements: by row of the benchmark, the number that must not be exceeded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import older
from peers import PEERS
from results import Results

__all__ = ["REQUIREMENTS", "Requirement", "missed"]

_Measure: TypeAlias = "Callable[[Results, str], float | None]"


@dataclass(frozen=True)
class Requirement:
    """A number that must be reached, and the one that is aimed at.

    :param title: the case in words.
    :param unit: the unit of the number.
    :param measure: reads the number of a build from results; ``None`` if it was not measured.
    :param must: by build, the limit, where there is one.
    :param aim: by build, the aim, where there is one.
    """

    title: str
    unit: str
    measure: _Measure
    must: dict[str, float] = field(default_factory=dict)
    aim: dict[str, float] = field(default_factory=dict)


def missed(requirement: Requirement, results: Results, build: str) -> str:
    """Compare results with a requirement.

    :return: ``"must"`` or ``"aim"``, the more important one that is missed; empty
      if both are reached, or if there is no number.
    """
    value = requirement.measure(results, build)
    if value is None:
        return ""
    for name, limits in (("must", requirement.must), ("aim", requirement.aim)):
        if build in limits and value > limits[build]:
            return name
    return ""


def _by_build(compiled: float, pure: float | None = None) -> dict[str, float]:
    """Limits for both builds, the same if there is one number."""
    return {"compiled": compiled, "pure": compiled if pure is None else pure}


def _ratio(row: str, case: str = "reg", to: str = "direct", size: int = 0) -> _Measure:
    return lambda results, build: results.ratio(build, row, case, to, size)


def _median(row: str, case: str, size: int, scale: float) -> _Measure:
    def measure(results: Results, build: str) -> float | None:
        median = results.median(build, row, case, size)
        return None if median is None else median * scale

    return measure


def _growth(row: str, case: str = "reg", since: int = 0) -> _Measure:
    return lambda results, build: results.growth(build, row, case, since)


def _difference(row: str) -> _Measure:
    def measure(results: Results, build: str) -> float | None:
        """The milliseconds that a program takes more than the one before it."""
        whole, before = (results.median(build, row, case) for case in ("reg", "before"))
        return None if whole is None or before is None else 1e3 * (whole - before)

    return measure


def _growth_of_memory(row: str, case: str) -> _Measure:
    def measure(results: Results, build: str) -> float | None:
        """The MiB at the end over the least in between.

        The first number is no measure: a dictionary keeps its size for a while after
        its items are gone.
        """
        amounts = [amount for _, amount in results.curve(build, row, case)]
        return (amounts[-1] - min(amounts)) / 2**20 if amounts else None

    return measure


def _call(row: str, must: dict[str, float], aim: dict[str, float]) -> Requirement:
    return Requirement(row, "× direct", _ratio(row), must, aim)


def _positional_calls() -> Iterator[Requirement]:
    for arity in (1, 2):
        yield _call(f"call, {arity}", _by_build(2.2, 5.5), _by_build(1.6, 4))
        for row in (f"deep call, {arity}", f"composed, {arity}"):
            yield _call(row, _by_build(2.5, 7), _by_build(1.8, 4))
        yield _call(f"local class, {arity}", _by_build(2.5, 9), _by_build(2))
    for row in ("merged, 1", "union"):
        yield _call(row, _by_build(2.5, 7), _by_build(1.8, 4))
    yield _call("method", _by_build(2.2, 5.5), _by_build(1.6, 4))
    for number in (1, 2, 4):
        yield _call(f"any number, {number}", _by_build(2.5, 9), _by_build(2))
    for arity in (1, 2):
        # Two calls with lookup=.
        yield _call(f"two lookups in turn, {arity}", _by_build(2.5, 8), _by_build(2))
        for row in (f"two contexts in turn, {arity}", f"inside using(), {arity}"):
            yield _call(row, _by_build(2.4, 6), _by_build(2))
    yield _call("a lookup for each of two threads", _by_build(2.4, 6), _by_build(2))
    threads = _ratio("threads", size=2)
    yield Requirement("two threads", "× direct", threads, _by_build(2.5, 7), _by_build(1.8, 4))


def _other_calls() -> Iterator[Requirement]:
    yield _call("lookup=", _by_build(2.5, 8), _by_build(2))
    yield _call("default=", _by_build(4, 12), _by_build(2.5))
    yield _call("default=, without implementation", {}, {})
    for row in (
        "keyword",
        "named, by keyword",
        "named, by position",
        "by keyword",
        "second by keyword",
        "default left out",
        "by keyword, default left out",
    ):
        yield _call(row, _by_build(3, 12), _by_build(2))
    for row in ("value", "no value", "subclass", "condition"):
        yield _call(row, _by_build(10, 14), _by_build(5))
    for row in ("lookup taken", "lookup= and taken"):
        yield _call(row, _by_build(4, 8), _by_build(2.5))
    yield _call("call_next taken, not called", _by_build(4, 12), _by_build(2.5))
    for row in (
        "call_next(item)",
        "call_next()",
        "call_next(item), across two",
        "call_next(), across two",
    ):
        yield Requirement(
            f"{row}, beside two direct calls",
            "× direct",
            _ratio(row),
            _by_build(4, 9),
            _by_build(3),
        )
        yield Requirement(
            f"{row}, against ovld", "× ovld", _ratio(row, to="ovld"), _by_build(1, 1.8)
        )
    for number in (1, 3):
        row = f"predicates, {number}"
        yield Requirement(
            f"{row}, beside a dictionary and a direct call",
            "× direct",
            _ratio(row),
            _by_build(5, 12),
            _by_build(3),
        )
        against_older = _ratio(row, to=older.CASE)
        yield Requirement(f"{row}, against {older.CASE}", f"× {older.CASE}", against_older)
        yield _call(f"declared {row}", _by_build(5, 12), _by_build(3))
    yield _call("component()", _by_build(8, 25), _by_build(5))
    yield _call("all()", _by_build(12, 40), _by_build(5))
    for row in (
        "virtual subclass, 1 ABC",
        "virtual subclass, 100 ABCs",
        "class without version tag",
    ):
        yield _call(row, {}, {})


def _against_peers(row: str) -> _Measure:
    def measure(results: Results, build: str) -> float | None:
        """The worst ratio to the peers, of which ovld does not count in the pure build."""
        peers = [peer for peer in PEERS if peer != "ovld" or build == "compiled"]
        ratios = [results.ratio(build, row, to=peer) for peer in peers]
        return max((ratio for ratio in ratios if ratio is not None), default=None)

    return measure


def _peers() -> Iterator[Requirement]:
    for row in ("call, 1", "call, 2", "deep call, 1", "deep call, 2"):
        yield Requirement(
            f"{row}, against the fastest peer (pure: but ovld)",
            "× peer",
            _against_peers(row),
            _by_build(1),
            {"compiled": 0.5},
        )
        yield Requirement(
            f"{row}, against ovld",
            "× ovld",
            _ratio(row, to="ovld"),
            {"compiled": 1},
            _by_build(0.5, 1),
        )


def _look_ups() -> Iterator[Requirement]:
    yield Requirement(
        "cold look-up, 4 arguments, 20 deep, 10 000 registrations",
        "µs",
        _median("cold, registrations", "reg", 10_000, 1e6),
        _by_build(50),
        _by_build(20),
    )
    for row, title, most in (
        ("cold, registrations", "registrations", 0.9),
        ("cold, depth", "depth (a full walk has 4)", 2),
    ):
        yield Requirement(f"cold look-up, by {title}", "exponent", _growth(row), _by_build(most))
    for case in ("entries", "random values"):
        yield Requirement(
            f"10 predicates, 16 000 entries that name six of them at random, look-up of {case}",
            "µs",
            _median("random predicates, entries", case, 16_000, 1e6),
            _by_build(10),
            _by_build(3),
        )
    for size in ("entries", "combinations"):
        yield Requirement(
            f"look-up of entries that name six at random, by {size}",
            "exponent",
            _growth(f"random predicates, {size}", "entries"),
            _by_build(0.1),
        )
    for case in ("PredicateRegistry.get", "generic.component"):
        yield Requirement(
            f"10 predicates, 100 000 entries that name the first, {case}",
            "µs",
            _median("predicates, entries", case, 100_000, 1e6),
            aim=_by_build(10),
        )
        for size, most in (("entries", 0.1), ("number", 1.2)):
            yield Requirement(
                f"the same, by {size}, {case}",
                "exponent",
                _growth(f"predicates, {size}", case),
                _by_build(most),
            )


def _costs() -> Iterator[Requirement]:
    yield Requirement(
        "next call of others after a registration, 1 000 generics warm",
        "× before",
        _ratio("warm neighbours", "after a registration", to="before"),
        _by_build(3),
        _by_build(1.1),
    )
    for case in ("one key", "a key for each ten"):
        yield Requirement(
            f"registering, {case}, by registrations",
            "exponent",
            _growth("registration", case, 1_000),
            _by_build(0.2),
        )
    for arity in ("1 classes", "2 classes"):
        yield Requirement(
            f"memory per registration, {arity}, 10 000",
            "B",
            _median("memory of a registration", arity, 10_000, 1),
            _by_build(1024),
            _by_build(300),
        )
    for case, must in (("peak", 2.0), ("traced", 0.25)):
        yield Requirement(
            f"growth of memory by calls with fresh classes, {case}",
            "MiB",
            _growth_of_memory("dropped classes", case),
            _by_build(must),
            _by_build(must / 4),
        )
    yield Requirement(
        "import reg, over an empty interpreter",
        "ms",
        _difference("import"),
        _by_build(15),
        _by_build(5),
    )
    yield Requirement(
        "import reg and the first @reg.generic, after the usual modules",
        "ms",
        _difference("first generic"),
        _by_build(6),
        _by_build(3),
    )


def _backends() -> Iterator[Requirement]:
    yield _call("backend_dispatch, host", _by_build(6), _by_build(3))
    yield _call("backend_class, host", _by_build(3), _by_build(1.5))
    for row, must, aim in (
        ("backend, chosen in the call", 10, 6),
        ("backend, chosen by the setting", 10, 6),
        ("backend, with an option of its own", 14, 8),
        ("backend, first of a list", 10, 6),
        ("backend, auto", 40, 20),
        ("backend, which can_run asks", 40, 20),
        ("backend, under record()", 40, 20),
        ("use_backend, enter and leave", 25, 15),
        ("backend_class, backend", 40, 20),
    ):
        yield _call(row, _by_build(must, 2 * must), _by_build(aim, 2 * aim))


#: all requirements, in the order in which they are reported
REQUIREMENTS: list[Requirement] = [
    *_positional_calls(),
    *_other_calls(),
    *_peers(),
    *_look_ups(),
    *_costs(),
    *_backends(),
]
