"""Memory of registrations, and after calls with classes that are gone."""

from __future__ import annotations

import gc
import resource
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import reg

from timing import Measurements, Value

__all__ = ["dropped_classes", "registered"]


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
    """Measure the memory that a registry takes for so many registrations.

    Classes, keys and components are made before. There are ten registrations under
    every key, as in an application with ten implementations of its generic functions.

    :return: bytes.
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
    """Memory after calls with classes that are made for one call.

    The peak is that of the process. The memory that tracemalloc sees is measured in
    a shorter run, since tracing makes everything slower.
    """
    row, calls, steps = "dropped classes", 20_000 if quick else 1_000_000, 10
    call_with_fresh_classes = _calls_with_fresh_classes()
    # Until the oldest generation of objects was collected once, memory grows.
    call_with_fresh_classes(50_000)
    for step in range(1, steps + 1):
        call_with_fresh_classes(calls // steps)
        peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT_OF_PEAK)
        yield Value(row, "peak", (peak,), "byte", step * calls // steps)
    tracemalloc.start()
    # A new one, of which tracemalloc sees everything: memory allocated before would
    # be counted only when it moves.
    call_with_fresh_classes = _calls_with_fresh_classes()
    call_with_fresh_classes(10_000)
    for step in range(1, steps + 1):
        call_with_fresh_classes(2_000)
        gc.collect()
        traced = float(tracemalloc.get_traced_memory()[0])
        yield Value(row, "traced", (traced,), "byte", step * 2_000)
    tracemalloc.stop()


def _calls_with_fresh_classes() -> Callable[[int], None]:
    """Make a registry and a generic function, and a function that calls it so many times."""
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
