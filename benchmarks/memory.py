"""What is kept in memory, and what importing costs: measured in processes of their own."""

from __future__ import annotations

import gc
import itertools
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import reg

from timing import Measurements, Value

__all__ = ["dropped_classes", "imports", "registered"]


def registered(quick: bool) -> Measurements:
    """Memory for each registration, by tracemalloc, without the components themselves."""
    for count in (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 100_000):
        for arity in (1, 2):
            yield Value(
                "memory of a registration",
                f"{arity} classes",
                (_memory_of_registrations(count, arity) / count,),
                "byte",
                count,
            )


def _memory_of_registrations(count: int, arity: int) -> int:
    """All is there before but what the registry makes of it.

    Ten registrations under each key, as in an application with as many
    implementations of each of its generic functions.
    """
    classes = [type(f"Class{index}", (), {}) for index in range(10)]
    keys = [object() for _ in range(count // 10)]
    combinations = [(cls, *classes[: arity - 1]) for cls in classes]

    def component() -> None: ...

    registry = reg.Registry()
    gc.collect()
    tracemalloc.start()
    begin, _ = tracemalloc.get_traced_memory()
    for key in keys:
        for combination in combinations:
            registry.register(key, combination, component)
    gc.collect()
    end, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(registry.registrations()) == count
    return end - begin


def dropped_classes(quick: bool) -> Measurements:
    """Calls with classes that are made for one call: what stays of them.

    The peak is that of the process; what tracemalloc sees is measured in a
    shorter run, since it makes everything slower.
    """
    row, calls, steps = "dropped classes", 20_000 if quick else 1_000_000, 10
    call_with_fresh_classes = _calls_with_fresh_classes()
    call_with_fresh_classes(10_000)
    for step in range(1, steps + 1):
        call_with_fresh_classes(calls // steps)
        peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT_OF_PEAK)
        yield Value(row, "peak", (peak,), "byte", step * calls // steps)
    tracemalloc.start()
    # Another one, all of which is seen: what had been there before would be missed,
    # and found when it moves.
    call_with_fresh_classes = _calls_with_fresh_classes()
    call_with_fresh_classes(10_000)
    for step in range(1, steps + 1):
        call_with_fresh_classes(2_000)
        gc.collect()
        traced = float(tracemalloc.get_traced_memory()[0])
        yield Value(row, "traced", (traced,), "byte", step * 2_000)
    tracemalloc.stop()


def _calls_with_fresh_classes() -> Callable[[int], None]:
    """A new registry and generic function, called as often as one says."""
    registry = reg.Registry()

    class Base: ...

    @reg.generic
    def size(item: object) -> Any:
        raise NotImplementedError

    registry.register(size, [Base], lambda item: "Base")

    def call(count: int) -> None:
        for _ in range(count):
            assert size(type("Fresh", (Base,), {})(), lookup=registry) == "Base"

    return call


# Linux counts in kilobytes, macOS in bytes.
_UNIT_OF_PEAK = 1 if sys.platform == "darwin" else 1024


def imports(quick: bool) -> Measurements:
    """``import reg`` in a new interpreter, beside one that does nothing."""
    times: dict[str, list[float]] = {"pass": [], "import reg": []}
    directory = Path(reg.__file__).parent.parent
    for statement, _ in itertools.product(times, range(2)):
        _run(statement, directory)
    for _ in range(10 if quick else 40):
        for statement, elapsed in times.items():
            elapsed.append(_run(statement, directory))
    for statement, elapsed in times.items():
        yield Value("import", statement, tuple(elapsed), "second")


def _run(statement: str, directory: Path) -> float:
    begin = _time_of_children()
    subprocess.run([sys.executable, "-c", statement], cwd=directory, check=True)
    return _time_of_children() - begin


def _time_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
