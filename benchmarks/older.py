"""Reg 0.12, which shares the import name, measured in an environment of its own.

The environment is made at the first need, beside the one that the benchmark runs in.
Its interpreter runs ``older_cases.py``, which is asked through a pipe, one measurement
after the other: so its cases run in turn with the others of their row.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

from timing import Timing

__all__ = ["CASE", "Process", "prepare"]

#: the name of the case in each row
CASE = "Reg 0.12"

_REQUIREMENT = "reg==0.12"


def prepare() -> Path | None:
    """Make the environment, unless it is there.

    :return: its interpreter; ``None`` if it could not be installed, with a
      message on standard error.
    """
    directory = Path(sys.prefix) / "older-reg"
    python = directory / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if (directory / "complete").exists():
        return python
    venv.create(directory, clear=True)
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", _REQUIREMENT],
        capture_output=True,
        text=True,
    )
    if installed.returncode:
        print(f"{CASE} is not measured: {installed.stderr.strip()}", file=sys.stderr, flush=True)
        return None
    (directory / "complete").touch()
    return python


class Process:
    """A running interpreter with Reg 0.12, for the time of a ``with`` block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Process:
        python = prepare()
        if python is not None:
            self._process = subprocess.Popen(
                # Without PYTHONPATH, which may lead to this package: it has the same name.
                [python, "-E", str(Path(__file__).with_name("older_cases.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.communicate()

    def timings(self, row: str, expected: object) -> Iterator[Timing]:
        """The timing of a row, if Reg 0.12 could be installed.

        :param row: a row that ``older_cases.py`` has, too.
        :param expected: the answer of its call.
        """
        if self._process is not None:
            yield Timing(
                row,
                CASE,
                functools.partial(self._run, row),
                functools.partial(self._check, row, expected),
            )

    def _run(self, row: str, times: int) -> float:
        return float(self._ask(f"{times}\t{row}"))

    def _check(self, row: str, expected: object) -> None:
        answer = self._ask(f"answer\t{row}")
        if answer != repr(expected):
            raise AssertionError(f"{CASE} returned {answer} instead of {expected!r}")

    def _ask(self, question: str) -> str:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{question}\n")
        process.stdin.flush()
        return process.stdout.readline().strip()
