"""What dispatch to a backend costs, beside the direct call.

Run it with ``python benchmarks/backends.py``. All cases are measured in turn,
over and over, and the medians are compared.
"""

from __future__ import annotations

import importlib.metadata
import statistics
import sys
import timeit
from types import ModuleType, SimpleNamespace
from typing import Any

from reg.backends import BackendDispatcher

ROUNDS = 41
NUMBER = 20_000


def accelerated(a: int, b: int, c: int, *, device: int = 0) -> int:
    return a + b + c + device


def make_backend() -> ModuleType:
    module = ModuleType("accel")
    vars(module).update(name="accel", add=accelerated, Point=AcceleratedPoint)
    return module


class AcceleratedPoint:
    def __init__(self, a: int, b: int, c: int) -> None:
        self.a = a
        self.b = b
        self.c = c


class DirectPoint(AcceleratedPoint):
    pass


point = SimpleNamespace(name="accel", value="accel", dist=None, load=make_backend)
importlib.metadata.entry_points = lambda **_: [point]  # type: ignore[assignment]
host = BackendDispatcher(entrypoint_group="host.backends", host_name="host", untrusted="allow")
settings = host.settings


def direct(a: int, b: int, c: int) -> int:
    return a + b + c


@host.backend_dispatch
def add(a: int, b: int, c: int) -> int:
    return a + b + c


class OwnPoint:
    def __init__(self, a: int, b: int, c: int) -> None:
        self.a = a
        self.b = b
        self.c = c


Point = host.backend_class(name="Point")(OwnPoint)


def enter_and_exit() -> None:
    with settings.use_backend("accel"):
        pass


def measure() -> dict[str, float]:
    """The median time of each case, in nanoseconds."""
    names: dict[str, Any] = globals()
    cases = {
        "direct call": "direct(1, 2, 3)",
        "host path": "add(1, 2, 3)",
        "backend path, by keyword": "add(1, 2, 3, backend='accel')",
        "backend path, own option": "add(1, 2, 3, backend='accel', device=0)",
        "backend path, by setting": "add(1, 2, 3)",
        "use_backend, enter and exit": "enter_and_exit()",
        "direct construction": "DirectPoint(1, 2, 3)",
        "construction, host path": "Point(1, 2, 3)",
        "construction, backend path": "Point(1, 2, 3)",
    }
    times: dict[str, list[float]] = {case: [] for case in cases}
    timers = {case: timeit.Timer(statement, globals=names) for case, statement in cases.items()}
    assert add(1, 2, 3) == add(1, 2, 3, backend="accel") == direct(1, 2, 3) == 6
    for _ in range(ROUNDS):
        for case, timer in timers.items():
            by_setting = case in ("backend path, by setting", "construction, backend path")
            settings.backend = "accel" if by_setting else "cpu"
            number = NUMBER // 10 if case == "construction, backend path" else NUMBER
            times[case].append(timer.timeit(number) / number * 1e9)
    return {case: statistics.median(found) for case, found in times.items()}


def main() -> None:
    medians = measure()
    print(f"Python {sys.version.split()[0]}")
    for case, median in medians.items():
        of = "direct construction" if case.startswith("constr") else "direct call"
        print(f"{case:30} {median:9.0f} ns {median / medians[of]:7.1f} x {of}")


if __name__ == "__main__":
    main()
