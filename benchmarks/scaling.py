"""Costs that depend on a size: look-ups never seen before, registrations."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import reg

from peers import annotated
from timing import Measurements, Timing, process_time

__all__ = ["cold_look_ups", "registrations", "warm_neighbours"]

# The size that the requirements name, from which each sweep goes out.
ARITY, DEPTH = 4, 20


def _chain(depth: int) -> list[type]:
    """Make classes of which each inherits from the one before it."""
    classes: list[type] = [object]
    for level in range(depth - 1):
        classes.append(type(f"Level{level}", (classes[-1],), {}))
    return classes


def cold_look_ups(quick: bool) -> Measurements:
    """Look-ups for four classes that were never looked up before."""
    counts = (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 100_000)
    for count in counts:
        yield [_cold("cold, registrations", count, ARITY, DEPTH, count)]
    for depth in (5, 10, 20) if quick else (5, 10, 20, 40):
        yield [_cold("cold, depth", depth, ARITY, depth, 1_000)]
    for arity in (1, 2, 4) if quick else (1, 2, 3, 4, 5, 6):
        yield [_cold("cold, arity", arity, arity, DEPTH, 1_000)]


def _cold(row: str, size: int, arity: int, depth: int, count: int) -> Timing:
    """Calls with instances of fresh classes, at the ends of long hierarchies.

    Registrations are for combinations drawn from all levels of ten hierarchies
    for every argument; one of them is for ``object`` alone, so that every call succeeds.
    """
    choose = random.Random(count + depth + arity)
    hierarchies = [[_chain(depth) for _ in range(10)] for _ in range(arity)]
    registry = reg.Registry()
    size_of = reg.generic(annotated((object,) * arity, "the last"))
    # So few of the combinations of short hierarchies are there to be had.
    wanted = min(count, (10 * (depth - 1) + 1) ** arity)
    combinations: set[tuple[type, ...]] = {(object,) * arity}
    while len(combinations) < wanted:
        combinations.add(
            tuple(choose.choice(choose.choice(of_argument)) for of_argument in hierarchies)
        )
    for classes in combinations:
        registry.register(size_of, classes, lambda *items: "an earlier one")

    def items() -> list[Any]:
        return [
            type("Fresh", (choose.choice(of_argument)[-1],), {})() for of_argument in hierarchies
        ]

    def run(times: int) -> float:
        fresh = [items() for _ in range(times)]
        begin = process_time()
        for arguments in fresh:
            size_of(*arguments, lookup=registry)
        return process_time() - begin

    def check() -> None:
        assert size_of(*items(), lookup=registry) == "an earlier one"

    return Timing(row, "reg", run, check, size=size, times=50)


def registrations(quick: bool) -> Measurements:
    """Registering many components, under one key and under many."""
    counts = (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 100_000)
    for count in counts:
        yield [
            Timing("registration", case, _registering(keys), lambda: None, size=count, times=count)
            for case, keys in (("one key", 1), ("a key for each ten", 10))
        ]


def _registering(per_key: int) -> Callable[[int], float]:
    def run(times: int) -> float:
        chain = _chain(DEPTH)
        combinations = list(itertools.islice(itertools.product(chain, repeat=4), times))
        components = [object() for _ in range(times)]
        keys: list[object] = [object() for _ in range(times // 10)]
        registry = reg.Registry()
        begin = process_time()
        for index, (classes, component) in enumerate(zip(combinations, components, strict=True)):
            registry.register(keys[index // 10 if per_key > 1 else 0], classes, component)
        elapsed = process_time() - begin
        assert len(registry.registrations()) == times
        return elapsed

    return run


def warm_neighbours(quick: bool) -> Measurements:
    """The next call of other generic functions, after a registration and without one."""
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    generics = list(itertools.islice(_warm_generics(registry), 1_000))
    item = _Item()
    busy = generics.pop()

    def register() -> None:
        registry.register(busy, [type("Fresh", (), {})], annotated((object,), "fresh"))

    def calls(prepare: Callable[[], None]) -> Callable[[int], float]:
        def run(times: int) -> float:
            elapsed = 0.0
            for _ in range(times):
                prepare()
                begin = process_time()
                for generic in generics:
                    generic(item)
                elapsed += process_time() - begin
            return elapsed

        return run

    def registering(times: int) -> float:
        elapsed = 0.0
        for _ in range(times):
            classes = [type("Fresh", (), {})]
            begin = process_time()
            registry.register(busy, classes, item)
            elapsed += process_time() - begin
        return elapsed

    def check() -> None:
        assert all(generic(item) == "item" for generic in generics)

    row = "warm neighbours"
    yield [
        Timing(row, "before", calls(lambda: None), check, inner=len(generics)),
        Timing(row, "after a registration", calls(register), check, inner=len(generics)),
    ]
    yield [Timing("registration, 1000 warm", "reg", registering, check, times=20)]


class _Item: ...


def _warm_generics(registry: Any) -> Iterator[Any]:
    while True:

        @reg.generic
        def size(item: object) -> Any:
            raise NotImplementedError

        registry.register(size, [_Item], annotated((_Item,), "item"))
        size(_Item())
        yield size
