"""Warm calls: the rows that compare with a direct call of the implementation."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from typing import Any

import reg

from peers import PEERS, Implementations, annotated
from timing import Measurements, Timing, call

__all__ = ["implicit_calls", "scoped_calls", "threaded_calls"]


# After so many calls, it is the other application's turn.
_CALLS_IN_TURN = 500


class Content: ...


class Document(Content): ...


class Image(Content): ...


class Report(Document): ...


class AnnualReport(Report): ...


class AuditedReport(AnnualReport): ...


class Printer: ...


class Screen: ...


def _implementations(arity: int) -> Implementations:
    second = (Printer, Screen)
    return [
        (classes, annotated(classes, f"{cls.__name__}{index}"))
        for index, cls in enumerate((Document, Image))
        for classes in [(cls, second[index])[:arity]]
    ]


def _generic(arity: int) -> Any:
    if arity == 1:

        @reg.generic
        def size(item: object) -> Any:
            raise NotImplementedError

        return size

    @reg.generic
    def size_on(item: object, device: object) -> Any:
        raise NotImplementedError

    return size_on


def _registered(registry: Any, generic: Any, implementations: Implementations) -> None:
    for classes, implementation in implementations:
        registry.register(generic, classes, implementation)


def implicit_calls(quick: bool) -> Measurements:
    """Calls by the one implicit lookup; with ``lookup=``, keywords and names; methods."""
    yield from _plain_calls()
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    for arity in (1, 2):
        yield list(_composed_calls(arity))
    reg.implicit.initialize(registry)
    yield from _calls_with_keywords(registry)
    yield _method_calls(registry)
    yield from _named_calls(registry)


def _plain_calls() -> Measurements:
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    for arity in (1, 2):
        for row, item in (("call", Document()), ("deep call", AuditedReport())):
            yield list(_with_peers(registry, f"{row}, {arity}", item, arity))


def _with_peers(registry: Any, row: str, item: Document, arity: int) -> Iterator[Timing]:
    implementations = _implementations(arity)
    names = {"item": item, "printer": Printer()}
    arguments = ", ".join(list(names)[:arity])
    expected = "Document0"
    generic = _generic(arity)
    _registered(registry, generic, implementations)
    # Each has implementations of its own, so that none warms up those of others.
    direct = _implementations(arity)[0][1]
    yield call(row, "nothing", "None", {}, None)
    yield call(row, "direct", f"f({arguments})", {**names, "f": direct}, expected)
    yield call(row, "reg", f"f({arguments})", {**names, "f": generic}, expected)
    for peer, (make, most) in PEERS.items():
        if arity <= most:
            function = make(_implementations(arity))
            yield call(row, peer, f"f({arguments})", {**names, "f": function}, expected)


def _composed_calls(arity: int) -> Iterator[Timing]:
    row = f"composed, {arity}"
    app, framework = reg.ClassRegistry(), reg.ClassRegistry()
    lookup = reg.Lookup(reg.ListClassLookup([app, framework]))
    generic = _generic(arity)
    implementations = _implementations(arity)
    _registered(framework, generic, implementations)
    _registered(app, generic, implementations[1:])
    reg.implicit.initialize(lookup)
    names = {"item": AuditedReport(), "printer": Printer()}
    arguments = ", ".join(list(names)[:arity])
    direct = _implementations(arity)[0][1]
    yield call(row, "direct", f"f({arguments})", {**names, "f": direct}, "Document0")
    yield call(row, "reg", f"f({arguments})", {**names, "f": generic}, "Document0")


def _calls_with_keywords(registry: Any) -> Measurements:
    generic = _generic(1)

    def taking(item: Document, *, unit: str = "", lookup: Any = None) -> Any:
        return unit, lookup is None

    def taking_not(item: Document, *, unit: str = "") -> Any:
        return unit

    registry.register(generic, [Document], taking)
    plain = _generic(1)
    registry.register(plain, [Document], taking_not)
    names = {"item": Document(), "registry": registry, "unit": "byte"}

    yield [
        call("lookup=", "direct", "f(item)", {**names, "f": taking_not}, ""),
        call("lookup=", "reg", "f(item, lookup=registry)", {**names, "f": plain}, ""),
    ]
    direct = {**names, "f": taking}
    yield [
        call("lookup= taken", "direct", "f(item, lookup=registry)", direct, ("", False)),
        call(
            "lookup= taken",
            "reg",
            "f(item, lookup=registry)",
            {**names, "f": generic},
            ("", False),
        ),
    ]
    yield [
        call("keyword", "direct", "f(item, unit=unit)", {**names, "f": taking_not}, "byte"),
        call("keyword", "reg", "f(item, unit=unit)", {**names, "f": plain}, "byte"),
    ]
    default = "f(item, default=None)"
    yield [
        call("default=", "direct", "f(item)", {**names, "f": taking_not}, ""),
        call("default=", "reg", default, {**names, "f": plain}, ""),
    ]
    component = "f.component(item)"
    yield [
        call("component", "direct", "f(item)", {**names, "f": taking_not}, ""),
        call("component", "reg", component, {**names, "f": plain}, taking_not),
    ]


def _method_calls(registry: Any) -> list[Timing]:
    class Direct:
        def size(self, item: Document) -> str:
            return "Document"

    class Generic:
        @reg.generic
        def size(self, item: object) -> Any:
            raise NotImplementedError

    def size(self: Generic, item: Document) -> str:
        return "Document"

    registry.register(Generic.size, [Generic, Document], size)
    item = Document()
    return [
        call("method", "direct", "o.size(item)", {"o": Direct(), "item": item}, "Document"),
        call("method", "reg", "o.size(item)", {"o": Generic(), "item": item}, "Document"),
    ]


def _named_calls(registry: Any) -> Measurements:
    @reg.generic("item", "device")
    def size(item: object, unit: str, device: object) -> Any:
        raise NotImplementedError

    def size_on_printer(item: Document, unit: str, device: Printer) -> str:
        return unit

    registry.register(size, [Document, Printer], size_on_printer)
    names = {"item": Document(), "printer": Printer(), "unit": "byte"}
    for row, statement in (
        ("named, by keyword", "f(item=item, unit=unit, device=printer)"),
        ("named, by position", "f(item, unit, printer)"),
    ):
        yield [
            call(row, "direct", statement, {**names, "f": size_on_printer}, "byte"),
            call(row, "reg", statement, {**names, "f": size}, "byte"),
        ]


def scoped_calls(quick: bool) -> Measurements:
    """Calls where the implicit lookup is not the same everywhere."""
    for arity in (1, 2):
        generic = _generic(arity)
        app, other = reg.Registry(), reg.Registry()
        _registered(app, generic, _implementations(arity))
        _registered(other, generic, _implementations(arity))
        names = {"item": Document(), "printer": Printer()}
        arguments = ", ".join(list(names)[:arity])
        direct = {**names, "f": _implementations(arity)[0][1]}
        called = {**names, "f": generic, "a": app, "b": other}
        statement = f"f({arguments})"

        reg.implicit.initialize(app)
        row = f"two lookups in turn, {arity}"
        with_lookups = f"f({arguments}, lookup=a); f({arguments}, lookup=b)"
        yield [
            call(row, "direct", f"{statement}; {statement}", direct, "Document0"),
            call(row, "reg", with_lookups, called, "Document0"),
        ]
        row = f"two contexts in turn, {arity}"
        timings = [
            call(row, "direct", statement, direct, "Document0"),
            call(row, "reg", statement, called, "Document0"),
        ]
        yield [_in_two_contexts(timing, [app, other]) for timing in timings]
        row = f"inside using(), {arity}"
        timing = call(row, "reg", statement, called, "Document0")
        yield [
            call(row, "direct", statement, direct, "Document0"),
            _in_context(timing, app),
        ]


def _context(lookup: Any) -> contextvars.Context:
    """The context inside of ``using()``."""
    with reg.implicit.using(lookup):
        return contextvars.copy_context()


def _in_context(timing: Timing, lookup: Any) -> Timing:
    context = _context(lookup)
    return Timing(
        timing.row,
        timing.case,
        lambda times: context.run(timing.run, times),
        lambda: context.run(_check, timing, lookup),
        timing.inner,
    )


def _check(timing: Timing, lookup: Any) -> None:
    if reg.implicit.lookup is not lookup:
        raise AssertionError(f"{timing.row}: the implicit lookup is {reg.implicit.lookup}")
    timing.check()


def _in_two_contexts(timing: Timing, lookups: list[Any]) -> Timing:
    """Two applications that take turns after some calls each, as requests come in."""
    first, second = (_context(lookup) for lookup in lookups)

    def run(times: int) -> float:
        return sum(
            first.run(timing.run, _CALLS_IN_TURN) + second.run(timing.run, _CALLS_IN_TURN)
            for _ in range(times)
        )

    def check() -> None:
        first.run(_check, timing, lookups[0])
        second.run(_check, timing, lookups[1])

    return Timing(timing.row, timing.case, run, check, 2 * _CALLS_IN_TURN)


def threaded_calls(quick: bool) -> Measurements:
    """Calls from several threads at the same time, and with a lookup for each."""
    generic = _generic(1)
    registry = reg.Registry()
    implementations = _implementations(1)
    _registered(registry, generic, implementations)
    reg.implicit.initialize(registry)
    direct = {"item": Document(), "f": _implementations(1)[0][1]}
    called = {"item": Document(), "f": generic}
    for threads in (1, 2) if quick else (1, 2, 4, 8):
        row = "threads"
        yield [
            call(row, "direct", "f(item)", direct, "Document0", threads, threads),
            call(row, "reg", "f(item)", called, "Document0", threads, threads),
        ]

    def prepare() -> None:
        reg.implicit.lookup = registry

    row = "a lookup for each of two threads"
    yield [
        call(row, "direct", "f(item)", direct, "Document0", threads=2),
        call(row, "reg", "f(item)", called, "Document0", threads=2, prepare=prepare),
    ]
