"""Counts the instructions of a call by callgrind, which no other process can blur.

An interpreter runs under valgrind and makes every call a number of times, and then three
times as many. The difference leaves out everything around the calls. Callgrind counts
only inside of the C function behind the operator ``@``, which nothing else uses, and
writes a file whenever that is left.
"""

from __future__ import annotations

import gc
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import calls
import chains
import predicates
from functions import Document
from report import number
from running import BUILDS, environment, require_build
from timing import Timing

__all__ = ["count", "work"]

_TIMES = 1_000
_COUNTED = "PyNumber_MatrixMultiply"
_CASES = ("direct", "reg")


def count() -> str:
    """Count the instructions of some calls in both builds.

    :return: a table as text.
    :raises SystemExit: if there is no valgrind.
    """
    if shutil.which("valgrind") is None:
        raise SystemExit("instructions are counted by valgrind, which is not installed")
    lines = [
        f"Instructions of a call, Python {sys.version.split()[0]}",
        "",
        f"{'call':26}{'build':10}{'direct':>8}{'reg':>8}{'ratio':>7}",
    ]
    by_build = {build: _counted(build) for build in BUILDS}
    for row in by_build[BUILDS[0]]:
        for build in BUILDS:
            direct, own = (by_build[build][row][case] for case in _CASES)
            ratio = number(own / direct)
            lines.append(f"{row:26}{build:10}{direct:8.0f}{own:8.0f}{ratio:>7}")
    return "\n".join(lines) + "\n"


def _counted(build: str) -> dict[str, dict[str, float]]:
    """The instructions of a call, by row and case."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                f"--toggle-collect={_COUNTED}",
                f"--dump-after={_COUNTED}",
                f"--callgrind-out-file={directory}/counts",
                sys.executable,
                str(Path(__file__).parent),
                "--instructions",
                "--worker",
                "instructions",
            ],
            env=environment(build),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        names = [line.split("\t") for line in done.stdout.splitlines()]
        totals = [
            _total(Path(directory) / f"counts.{index + 1}") for index in range(2 * len(names))
        ]
    counted: dict[str, dict[str, float]] = {}
    for index, (row, case) in enumerate(names):
        few, many = totals[2 * index : 2 * index + 2]
        counted.setdefault(row, {})[case] = (many - few) / (2 * _TIMES)
    return counted


def _total(path: Path) -> int:
    """Read the sum out of a file of callgrind."""
    match = re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE)
    if match is None:
        raise SystemExit(f"{path} has no sum; is this a callgrind that is not known yet?")
    return int(match[1])


def work() -> None:
    """Make the calls in this process, and write row and case of each in their order."""
    require_build()
    for timing in _timings():
        if timing.case not in _CASES:
            continue
        timing.check()
        counted = _Counted(timing.run)
        # So that Python has specialized the code, and nothing is collected meanwhile.
        timing.run(_TIMES)
        gc.collect()
        gc.disable()
        counted @ _TIMES
        counted @ (3 * _TIMES)
        gc.enable()
        print(timing.row, timing.case, sep="\t")


def _timings() -> Iterator[Timing]:
    for arity in (1, 2):
        yield from calls.plain_call(arity, f"call, {arity}", Document(), with_peers=False)
    for with_arguments in (True, False):
        yield from chains.chained_call(with_arguments, across=False, with_peers=False)
    for predicate_count in (1, 3):
        yield from predicates.predicate_call(predicate_count)


class _Counted:
    """``counted @ times`` calls a function so that callgrind counts inside of it."""

    def __init__(self, run: Callable[[int], object]) -> None:
        self._run = run

    def __matmul__(self, times: int) -> None:
        self._run(times)
