"""What has a size: look-ups never seen before, predicates, registrations."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import reg
from pyperf import perf_counter

from peers import annotated
from timing import Measurements, Timing

__all__ = ["cold_look_ups", "predicate_look_ups", "registrations", "warm_neighbours"]

# What the table of requirements asks for, from where each sweep goes out.
ARITY, DEPTH, REGISTRATIONS = 4, 20, 10_000
PREDICATES, ENTRIES = 10, 100_000


def _chain(depth: int) -> list[type]:
    """Classes each of which inherits from the one before it."""
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
    for each argument; one of them is for ``object`` alone, so that none fails.
    """
    choose = random.Random(count + depth + arity)
    hierarchies = [[_chain(depth) for _ in range(10)] for _ in range(arity)]
    registry = reg.Registry()
    size_of = reg.generic(annotated((object,) * arity, "not found"))
    # So few of the combinations of short hierarchies are there to be had.
    wanted = min(count, (10 * (depth - 1) + 1) ** arity)
    combinations: set[tuple[type, ...]] = {(object,) * arity}
    while len(combinations) < wanted:
        combinations.add(
            tuple(choose.choice(choose.choice(of_argument)) for of_argument in hierarchies)
        )
    for classes in combinations:
        registry.register(size_of, classes, lambda *items: "found")

    def items() -> list[Any]:
        return [
            type("Fresh", (choose.choice(of_argument)[-1],), {})() for of_argument in hierarchies
        ]

    def run(times: int) -> float:
        fresh = [items() for _ in range(times)]
        begin = perf_counter()
        for arguments in fresh:
            size_of(*arguments, lookup=registry)
        return perf_counter() - begin

    def check() -> None:
        assert size_of(*items(), lookup=registry) == "found"

    return Timing(row, "reg", run, check, size=size, times=50)


def predicate_look_ups(quick: bool) -> Measurements:
    """Look-ups by predicates, through a registry of them and through a generic function."""
    entries = (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 100_000)
    for count in entries:
        yield _by_predicates("predicates, entries", count, PREDICATES, count)
    for predicates in (1, 5, 10, 20):
        yield _by_predicates("predicates, number", predicates, predicates, 1_000)


def _by_predicates(row: str, size: int, number: int, entries: int) -> list[Timing]:
    """Entries that name the first predicates, as views of a web application do.

    A third of them names all, a third the first half, and a third one only;
    found is one of the last, which is what takes longest.
    """
    names = [f"predicate_{index}" for index in range(number)]
    predicates = [
        reg.Predicate(name, reg.KeyIndex, lambda item, index=index: item.values[index])
        for index, name in enumerate(names)
    ]
    matcher = reg.PredicateMatcher(predicates)
    for entry in range(entries):
        named = (number, max(number // 2, 1), 1)[entry % 3]
        matcher.register(dict.fromkeys(names[:named], entry), entry)

    class Item:
        def __init__(self, value: int) -> None:
            self.values = [value] + ["anything"] * (number - 1)

    registry = reg.Registry()

    @reg.generic
    def view(item: Item) -> Any:
        raise NotImplementedError

    registry.register(view, [Item], matcher)
    last = next(entry for entry in range(entries - 1, -1, -1) if entry % 3 == 2)
    values = dict(zip(names, Item(last).values, strict=True))
    item, get = Item(last), matcher.registry.get

    def run_get(times: int) -> float:
        begin = perf_counter()
        for _ in range(times):
            get(values)
        return perf_counter() - begin

    def run_component(times: int) -> float:
        component = view.component
        begin = perf_counter()
        for _ in range(times):
            component(item, lookup=registry)
        return perf_counter() - begin

    def check() -> None:
        assert get(values) == view.component(item, lookup=registry) == last

    return [
        Timing(row, "PredicateRegistry.get", run_get, check, size=size),
        Timing(row, "generic.component", run_component, check, size=size),
    ]


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
        begin = perf_counter()
        for index, (classes, component) in enumerate(zip(combinations, components, strict=True)):
            registry.register(keys[index // 10 if per_key > 1 else 0], classes, component)
        elapsed = perf_counter() - begin
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
                begin = perf_counter()
                for generic in generics:
                    generic(item)
                elapsed += perf_counter() - begin
            return elapsed

        return run

    def registering(times: int) -> float:
        elapsed = 0.0
        for _ in range(times):
            classes = [type("Fresh", (), {})]
            begin = perf_counter()
            registry.register(busy, classes, item)
            elapsed += perf_counter() - begin
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
