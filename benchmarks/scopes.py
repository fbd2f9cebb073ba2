"""Warm calls where the implicit lookup is not the same everywhere."""

from __future__ import annotations

import contextvars
from typing import Any

import reg

from functions import Document, Printer, generic_function, implementations, register
from timing import Measurements, Timing, call

__all__ = ["scoped_calls", "threaded_calls"]

# After so many calls, it is the other application's turn.
_CALLS_IN_TURN = 500


def scoped_calls(quick: bool) -> Measurements:
    """Calls by two lookups in turn, and inside ``using()``."""
    for arity in (1, 2):
        generic = generic_function(arity)
        app, other = reg.Registry(), reg.Registry()
        register(app, generic, implementations(arity))
        register(other, generic, implementations(arity))
        names = {"item": Document(), "printer": Printer()}
        arguments = ", ".join(list(names)[:arity])
        direct = {**names, "f": implementations(arity)[0][1]}
        called = {**names, "f": generic, "a": app, "b": other}
        statement = f"f({arguments})"

        reg.implicit.initialize(app)
        row = f"two lookups in turn, {arity}"
        with_lookups = f"f({arguments}, lookup=a); f({arguments}, lookup=b)"
        yield [
            call(row, "direct", f"{statement}; {statement}", direct, "Document"),
            call(row, "reg", with_lookups, called, "Document"),
        ]
        row = f"two contexts in turn, {arity}"
        timings = [
            call(row, "direct", statement, direct, "Document"),
            call(row, "reg", statement, called, "Document"),
        ]
        yield [_in_two_contexts(timing, [app, other]) for timing in timings]
        row = f"inside using(), {arity}"
        timing = call(row, "reg", statement, called, "Document")
        yield [
            call(row, "direct", statement, direct, "Document"),
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
    generic = generic_function(1)
    registry = reg.Registry()
    register(registry, generic, implementations(1))
    reg.implicit.initialize(registry)
    direct = {"item": Document(), "f": implementations(1)[0][1]}
    called = {"item": Document(), "f": generic}
    for threads in (1, 2) if quick else (1, 2, 4, 8):
        row = "threads"
        yield [
            call(row, "direct", "f(item)", direct, "Document", size=threads, threads=threads),
            call(row, "reg", "f(item)", called, "Document", size=threads, threads=threads),
        ]

    def prepare() -> None:
        reg.implicit.lookup = registry

    row = "a lookup for each of two threads"
    yield [
        call(row, "direct", "f(item)", direct, "Document", threads=2),
        call(row, "reg", "f(item)", called, "Document", threads=2, prepare=prepare),
    ]
