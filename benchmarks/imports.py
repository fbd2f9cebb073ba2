"""The time of importing, measured in interpreters of their own, one after the other."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import reg

from timing import Measurements, Value

__all__ = ["imports"]

# The environment variable by which Python is told not to write compiled modules.
_NOT_KEPT = "PYTHONDONTWRITEBYTECODE"

_USUAL = "import argparse, json, logging, dataclasses, pathlib\n"
_FIRST = """
import reg
@reg.generic
def size(item): ...
"""

#: by row: the program to compare with, and the one that is measured
_PROGRAMS = {
    "import": {"before": "", "reg": "import reg\n"},
    "first generic": {"before": _USUAL, "reg": _USUAL + _FIRST},
}


def imports(quick: bool) -> Measurements:
    """``import reg`` and the first generic function, beside programs without them."""
    for row, programs in _PROGRAMS.items():
        times: dict[str, list[float]] = {case: [] for case in programs}
        for repetition in range(-2, 12 if quick else 60):
            for case, program in programs.items():
                elapsed = _run(program)
                # The first two fill the machine's caches of files.
                if repetition >= 0:
                    times[case].append(elapsed)
        for case, values in times.items():
            yield Value(row, case, tuple(values), "second")


def _run(program: str) -> float:
    """Run a program, in the folder that this package is imported from.

    :return: the seconds of the processor that it took.
    """
    begin = _time_of_children()
    directory = Path(reg.__file__).parent.parent
    # Importing is fast where the compiled modules are kept, as installation does.
    variables = {name: value for name, value in os.environ.items() if name != _NOT_KEPT}
    subprocess.run([sys.executable, "-c", program], cwd=directory, env=variables, check=True)
    return _time_of_children() - begin


def _time_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
