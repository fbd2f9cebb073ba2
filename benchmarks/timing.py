"""The two kinds of measurement: timings that run side by side, and values that are read off.

The clock is that of the process, which stands still while the machine works for others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from time import process_time
from typing import Any, TypeAlias

__all__ = ["Measurements", "Timing", "Value", "call", "process_time", "together"]


@dataclass(frozen=True)
class Timing:
    """A piece of work whose time is measured, like that of ``pyperf``'s ``bench_time_func()``.

    :param row: the comparison that it belongs to; the cases of a row run alternately.
    :param case: its name in the row.
    :param run: does the work as many times as it is told; returns the seconds that took.
    :param check: raises an exception if the answer is wrong.
    :param inner: the number of calls in each time.
    :param size: the size of the problem, where that is swept.
    :param times: how many times ``run`` does the work; ``None`` for as many as
      take long enough to be measured.
    """

    row: str
    case: str
    run: Callable[[int], float]
    check: Callable[[], object]
    inner: int = 1
    size: int = 0
    times: int | None = None


@dataclass(frozen=True)
class Value:
    """A number measured otherwise than by the clock of this process.

    :param row: the comparison that it belongs to.
    :param case: its name in the row.
    :param values: the numbers, one of each repetition.
    :param unit: one that pyperf knows: ``second``, ``byte`` or ``integer``.
    :param size: the size of the problem, where that is swept.
    """

    row: str
    case: str
    values: tuple[float, ...]
    unit: str
    size: int = 0


#: lists of timings, each list to be interleaved; and values
Measurements: TypeAlias = "Iterator[list[Timing] | Value]"


def call(
    row: str,
    case: str,
    statement: str,
    names: dict[str, Any],
    expected: object,
    *,
    size: int = 0,
    threads: int = 1,
    prepare: Callable[[], object] = lambda: None,
) -> Timing:
    """Time a statement, such as ``size(document)``, in the loop that pyperf would time.

    The loop is part of every time; the case ``nothing`` is the loop alone.

    :param row: the comparison that it belongs to.
    :param case: its name in the row.
    :param statement: an expression, or several with semicolons between them.
    :param names: the variables in it. They are local variables in the loop.
    :param expected: the value of every expression.
    :param size: the size of the problem, where that is swept.
    :param threads: in how many threads it runs at the same time.
    :param prepare: is called in each of these threads before.
    :return: the timing.
    """
    parameters = ", ".join(f"{name}={name}" for name in names)
    source = (
        f"def run(times, /, {parameters}):\n"
        "    begin = process_time()\n"
        "    for _ in repeat(None, times):\n"
        f"        {statement}\n"
        "    return process_time() - begin\n"
    )
    namespace: dict[str, Any] = {**names, "process_time": process_time, "repeat": repeat}
    exec(compile(source, f"<{row}, {case}>", "exec"), namespace)
    run: Callable[[int], float] = namespace["run"]

    def check() -> None:
        for expression in statement.split("; "):
            answer = eval(expression, dict(names))
            if answer != expected:
                raise AssertionError(f"{expression} returned {answer!r} instead of {expected!r}")

    if threads > 1:
        run = together(run, threads, prepare)
    return Timing(row, case, run, check, threads, size)


def together(
    run: Callable[[int], float], threads: int, prepare: Callable[[], object]
) -> Callable[[int], float]:
    """Run something in several threads at the same time.

    :param run: the work, with the number of times as its argument.
    :param threads: how many threads there are.
    :param prepare: is called in each thread before.
    :return: a function like ``run``, which returns the time from the first beginning
      to the last end.
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
        begin = process_time()
        for worker in workers:
            worker.join()
        return process_time() - begin

    return run_all
