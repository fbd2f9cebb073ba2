"""What is measured: timings that run side by side, and values that are read off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeAlias

from pyperf import perf_counter

__all__ = ["Measurements", "Timing", "Value", "call", "together"]


@dataclass(frozen=True)
class Timing:
    """Something that takes time, as pyperf would have it from ``bench_time_func()``.

    :param row: what it is compared within; those of a row are run alternately.
    :param case: its name in the row.
    :param run: does it so many times; the seconds that took.
    :param inner: how many calls each time has.
    :param check: raises ``AssertionError`` if the answer is wrong.
    :param size: the size of the problem, where that is swept.
    :param times: how many times ``run`` does it; ``None`` for as many as
      take long enough to be measured.
    """

    row: str
    case: str
    run: Callable[[int], float]
    check: Callable[[], None]
    inner: int = 1
    size: int = 0
    times: int | None = None


@dataclass(frozen=True)
class Value:
    """Something measured otherwise than by the clock of this process.

    :param unit: one that pyperf knows: ``second``, ``byte`` or ``integer``.
    """

    row: str
    case: str
    values: tuple[float, ...]
    unit: str
    size: int = 0


#: Lists of timings, each to be interleaved; and values.
Measurements: TypeAlias = "Iterator[list[Timing] | Value]"


def call(
    row: str,
    case: str,
    statement: str,
    names: dict[str, Any],
    expected: object,
    size: int = 0,
    threads: int = 1,
    prepare: Callable[[], object] = lambda: None,
) -> Timing:
    """Time a statement, such as ``size(document)``, in the loop that pyperf would time.

    The loop is in every time; the case ``nothing`` is the loop alone.

    :param statement: an expression, or several with semicolons between them.
    :param names: what it refers to. They are local variables in the loop.
    :param expected: what each expression must give.
    :param threads: in how many threads it runs at the same time.
    :param prepare: is called in each of these threads before.
    """
    parameters = ", ".join(f"{name}={name}" for name in names)
    source = (
        f"def run(times, /, {parameters}):\n"
        "    begin = perf_counter()\n"
        "    for _ in repeat(None, times):\n"
        f"        {statement}\n"
        "    return perf_counter() - begin\n"
    )
    namespace: dict[str, Any] = {**names, "perf_counter": perf_counter, "repeat": repeat}
    exec(compile(source, f"<{row}, {case}>", "exec"), namespace)
    run: Callable[[int], float] = namespace["run"]

    def check() -> None:
        for expression in statement.split("; "):
            answer = eval(expression, dict(names))
            if answer != expected:
                raise AssertionError(f"{row}, {case}: expected {expected!r}, got {answer!r}")

    if threads > 1:
        run = together(run, threads, prepare)
    return Timing(row, case, run, check, threads, size)


def together(
    run: Callable[[int], float], threads: int, prepare: Callable[[], object]
) -> Callable[[int], float]:
    """Run something in several threads at the same time.

    :param prepare: is called in each thread before.
    :return: tells the time from the first beginning to the last end.
    """

    def run_all(times: int) -> float:
        barrier = threading.Barrier(threads + 1)

        def work() -> None:
            prepare()
            barrier.wait()
            run(times)

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        barrier.wait()
        begin = perf_counter()
        for worker in workers:
            worker.join()
        return perf_counter() - begin

    return run_all
