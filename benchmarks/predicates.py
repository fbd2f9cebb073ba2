"""Calls and look-ups by more than classes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any, Literal

import reg

import older
from older_cases import ATTRIBUTES, CALCULATIONS, Page
from timing import Measurements, Timing, call, process_time

__all__ = [
    "declared_calls",
    "predicate_call",
    "predicate_calls",
    "predicate_look_ups",
    "value_calls",
]

# The size that the requirements name, from which each sweep goes out.
PREDICATES, ENTRIES, NAMED = 10, 16_000, 6


def predicate_calls(quick: bool) -> Measurements:
    """Calls by one predicate and by three, beside a dictionary and Reg 0.12."""
    with older.Process() as process:
        for number in (1, 3):
            yield list(predicate_call(number, process))


def declared_calls(quick: bool) -> Measurements:
    """Calls by predicates that the generic function declares."""
    for number in (1, 3):
        yield list(_declared_call(number))


def _declared_call(number: int) -> Iterator[Timing]:
    """The call of :func:`predicate_call` with predicates that are declared, and a fallback."""
    row = f"declared predicates, {number}"
    attributes = list(ATTRIBUTES)[:number]
    expected = " ".join(ATTRIBUTES[name] for name in attributes)

    def missing(page: Page) -> str:
        return "missing"

    @reg.generic(
        predicates=[
            reg.Predicate(name, calc=CALCULATIONS[name], fallback=missing) for name in attributes
        ]
    )
    def view(page: Page) -> Any:
        raise NotImplementedError

    registry = reg.Registry()
    reg.implicit.initialize(registry)
    views: dict[Any, Callable[[Page], str]] = {}
    for values in itertools.product(*((ATTRIBUTES[name], "other") for name in attributes)):
        views[values if number > 1 else values[0]] = _view(" ".join(values))
        by_name = dict(zip(attributes, values, strict=True))
        registry.register(view, [Page, reg.By(**by_name)], _view(" ".join(values)))
    calculations = {f"calc_{name}": CALCULATIONS[name] for name in attributes}
    key = ", ".join(f"{name}(page)" for name in calculations)
    names: dict[str, Any] = {"page": Page(), **calculations, "views": views}
    yield call(row, "direct", f"views[{key}](page)", names, expected)
    yield call(row, "reg", "f(page)", {**names, "f": view}, expected)


def value_calls(quick: bool) -> Measurements:
    """Calls that a value among a hundred, a class as the argument, or a condition decides."""
    names = [f"name {index}" for index in range(100)]
    views: dict[Any, Callable[[Any], str]] = {name: _view(name) for name in names}
    registry = reg.Registry()
    reg.implicit.initialize(registry)

    @reg.generic
    def view(name: object) -> Any:
        raise NotImplementedError

    for name in names:
        registry.register(view, [Literal[name]], views[name])
    registry.register(view, [str], _view("str"))
    registry.register(view, [type[Page]], _view("class"))
    registry.register(view, [reg.Where(int, _is_large)], _view("large"))
    registry.register(view, [int], _view("int"))
    shared = {"page": Page, "views": views, "is_large": _is_large, "f": view}
    for row, argument, direct, expected in (
        ("value", "'name 17'", "views['name 17']('name 17')", "name 17"),
        ("no value", "'none'", "views.get('none', views['name 1'])('none')", "str"),
        ("subclass", "page", "issubclass(page, page) and views['name 1'](page)", "class"),
        ("condition", "7", "views['name 1'](7) if is_large(7) else views['name 1'](7)", "int"),
    ):
        direct_views = {**views, "name 1": _view(expected)}
        yield [
            call(row, "direct", direct, {**shared, "views": direct_views}, expected),
            call(row, "reg", f"f({argument})", shared, expected),
        ]


def _is_large(number: int) -> bool:
    return number > 1000


def predicate_call(number: int, process: older.Process | None = None) -> Iterator[Timing]:
    """A call that predicates decide, beside the same decision by a dictionary.

    :param number: how many predicates there are, 1 to 3.
    :param process: an interpreter with Reg 0.12, to be measured too.
    """
    row = f"predicates, {number}"
    attributes = list(ATTRIBUTES)[:number]
    calculations = [CALCULATIONS[attribute] for attribute in attributes]
    matcher = reg.PredicateMatcher(
        reg.Predicate(attribute, reg.KeyIndex, calc)
        for attribute, calc in zip(attributes, calculations, strict=True)
    )
    views: dict[Any, Callable[[Page], str]] = {}
    # All combinations of the values of the page and one other value.
    for values in itertools.product(*((ATTRIBUTES[name], "other") for name in attributes)):
        matcher.register(dict(zip(attributes, values, strict=True)), _view(" ".join(values)))
        views[values if number > 1 else values[0]] = _view(" ".join(values))

    @reg.generic
    def view(page: Page) -> Any:
        raise NotImplementedError

    registry = reg.Registry()
    registry.register(view, [Page], matcher)
    reg.implicit.initialize(registry)
    expected = " ".join(ATTRIBUTES[name] for name in attributes)
    names: dict[str, Any] = {"page": Page()}
    by_name = {f"calc_{index}": calc for index, calc in enumerate(calculations)}
    key = ", ".join(f"{name}(page)" for name in by_name)
    direct = {**names, **by_name, "views": views}
    yield call(row, "direct", f"views[{key}](page)", direct, expected)
    yield call(row, "reg", "f(page)", {**names, "f": view}, expected)
    if process is not None:
        yield from process.timings(row, expected)


def _view(answer: str) -> Callable[[Page], str]:
    def view(page: Page) -> str:
        return answer

    return view


def predicate_look_ups(quick: bool) -> Measurements:
    """Look-ups by ten predicates, in a registry of them and through a generic function."""
    for count in (1_000, 4_000, ENTRIES) if quick else (1_000, 4_000, ENTRIES, 64_000):
        yield _random_look_up("random predicates, entries", count, count, None)
    for combinations in (5, 50, 210):
        row = "random predicates, combinations"
        yield _random_look_up(row, combinations, ENTRIES, combinations)
    for count in (100, 100_000) if quick else (100, 1_000, 10_000, 100_000):
        yield _ordered_look_up("predicates, entries", count, PREDICATES, count)
    for number in (1, 10, 20) if quick else (1, 5, 10, 20):
        yield _ordered_look_up("predicates, number", number, number, 1_000)


def _random_look_up(row: str, size: int, entries: int, combinations: int | None) -> list[Timing]:
    """Look-ups among entries that name six of ten predicates at random.

    Every predicate has ten values. A hundred look-ups are for entries, with a value that
    no entry has for the predicates that the entry does not name; and a hundred are
    for random values of all predicates, which few entries have.

    :param row: the name of the comparison.
    :param size: the size that is swept.
    :param entries: how many entries there are.
    :param combinations: how many combinations of names there are; ``None`` for all 210.
    """
    choose = random.Random(entries)
    names = [f"predicate_{index}" for index in range(PREDICATES)]
    # In the order of weight: entries that name earlier predicates come first.
    named = list(itertools.combinations(names, NAMED))
    if combinations is not None:
        named = sorted(choose.sample(named, combinations), key=named.index)
    registry = reg.PredicateRegistry([reg.Predicate(name, reg.KeyIndex) for name in names])
    registered: dict[tuple[tuple[str, Any], ...], int] = {}
    while len(registered) < entries:
        key = tuple((name, choose.randrange(10)) for name in choose.choice(named))
        if key not in registered:
            registered[key] = len(registered)
            registry.register(dict(key), registered[key])

    def expected(values: dict[str, Any]) -> int | None:
        keys = (tuple((name, values[name]) for name in combination) for combination in named)
        return next((registered[key] for key in keys if key in registered), None)

    of_entries = [
        {**dict.fromkeys(names, "other"), **dict(key)}
        for key in choose.sample(list(registered), 100)
    ]
    at_random = [{name: choose.randrange(10) for name in names} for _ in range(100)]
    return [
        _look_ups(row, case, size, registry.get, [(values, expected(values)) for values in asked])
        for case, asked in (("entries", of_entries), ("random values", at_random))
    ]


def _look_ups(
    row: str,
    case: str,
    size: int,
    get: Callable[[dict[str, Any]], Any],
    asked: list[tuple[dict[str, Any], int | None]],
) -> Timing:
    """Time look-ups by predicates, one after the other.

    :param asked: pairs of the values of the predicates and the expected answer.
    """

    def run(times: int) -> float:
        begin = process_time()
        for _ in range(times):
            for values, _answer in asked:
                get(values)
        return process_time() - begin

    def check() -> None:
        for values, answer in asked:
            if get(values) != answer:
                raise AssertionError(f"{get(values)} was found instead of {answer} for {values}")

    return Timing(row, case, run, check, inner=len(asked), size=size)


def _ordered_look_up(row: str, size: int, number: int, entries: int) -> list[Timing]:
    """Look-ups among entries that name the first predicates, as views of a web site do.

    A third of them names all, a third the first half, and a third one only. One of
    the last is looked up, which takes longest.
    """
    names = [f"predicate_{index}" for index in range(number)]
    matcher = reg.PredicateMatcher(
        reg.Predicate(name, reg.KeyIndex, lambda item, index=index: item.values[index])
        for index, name in enumerate(names)
    )
    for entry in range(entries):
        named = (number, max(number // 2, 1), 1)[entry % 3]
        matcher.register(dict.fromkeys(names[:named], entry), entry)

    class Item:
        def __init__(self, value: int) -> None:
            self.values = [value] + ["anything"] * (number - 1)

    @reg.generic
    def view(item: Item) -> Any:
        raise NotImplementedError

    registry = reg.Registry()
    registry.register(view, [Item], matcher)
    last = next(entry for entry in range(entries - 1, -1, -1) if entry % 3 == 2)
    values = dict(zip(names, Item(last).values, strict=True))
    item, get = Item(last), matcher.registry.get

    def run_get(times: int) -> float:
        begin = process_time()
        for _ in range(times):
            get(values)
        return process_time() - begin

    def run_component(times: int) -> float:
        component = view.component
        begin = process_time()
        for _ in range(times):
            component(item, lookup=registry)
        return process_time() - begin

    def check_get() -> None:
        assert get(values) == last

    def check_component() -> None:
        assert view.component(item, lookup=registry) == last

    return [
        Timing(row, "PredicateRegistry.get", run_get, check_get, size=size),
        Timing(row, "generic.component", run_component, check_component, size=size),
    ]
