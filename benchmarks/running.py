"""Runs every subject in worker processes of its own, in both builds in turn.

Within a process the cases of a row are run alternately, one short measurement
of each after the other. So whatever else slows the machine down slows all of
them, and a ratio of two that were measured side by side stays what it is.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyperf

import backends
import calls
import memory
import scaling
from timing import Measurements, Timing, Value

__all__ = ["BUILDS", "measure", "work"]

BUILDS = ("compiled", "pure")

#: what a worker process measures; and whether it is worth doing more than once
SUBJECTS: dict[str, tuple[Callable[[bool], Measurements], bool]] = {
    "implicit calls": (calls.implicit_calls, True),
    "scoped calls": (calls.scoped_calls, True),
    "threaded calls": (calls.threaded_calls, True),
    "backend calls": (backends.backend_calls, True),
    "cold look-ups": (scaling.cold_look_ups, True),
    "predicate look-ups": (scaling.predicate_look_ups, True),
    "warm neighbours": (scaling.warm_neighbours, True),
    "registrations": (scaling.registrations, False),
    "memory of registrations": (memory.registered, False),
    "dropped classes": (memory.dropped_classes, False),
    "imports": (memory.imports, False),
}


def measure(quick: bool, only: list[str], report: Callable[[str], None]) -> pyperf.BenchmarkSuite:
    """Measure everything.

    :param quick: smaller sizes, shorter and fewer measurements.
    :param only: the subjects; all if there are none.
    :param report: is told what is being done.
    """
    runs: dict[str, list[pyperf.Run]] = {}
    # The same for all: a benchmark keeps only what its runs have in common.
    begun = datetime.now(UTC).isoformat(sep=" ", timespec="minutes")
    wanted = only or list(SUBJECTS)
    for repetition in range(1 if quick else 3):
        for subject in wanted:
            if repetition and not SUBJECTS[subject][1]:
                continue
            for build in BUILDS:
                report(f"{subject}, {build}" + (f", {repetition + 1}" if repetition else ""))
                for result in _worker(subject, build, quick):
                    run = _as_run(result, build, begun)
                    runs.setdefault(run.get_metadata()["name"], []).append(run)
    return pyperf.BenchmarkSuite([pyperf.Benchmark(of_name) for of_name in runs.values()])


def _worker(subject: str, build: str, quick: bool) -> Iterator[dict[str, Any]]:
    environment = {
        **os.environ,
        "REG_PURE_PYTHON": "1" if build == "pure" else "0",
        # Sets are in the same order in both builds.
        "PYTHONHASHSEED": "0",
    }
    command = [sys.executable, str(Path(__file__).parent), "--worker", subject]
    done = subprocess.run(
        [*command, "--quick"] if quick else command,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for line in done.stdout.splitlines():
        yield json.loads(line)


def _as_run(result: dict[str, Any], build: str, begun: str) -> pyperf.Run:
    metadata = {
        "name": f"{build} | {result['row']} | {result['case']} | {result['size']}",
        "build": build,
        "row": result["row"],
        "case": result["case"],
        "size": result["size"],
        "unit": result["unit"],
        "loops": result["loops"],
        "inner_loops": result["inner"],
        "date": begun,
        "python_version": platform.python_version(),
        "platform": platform.platform(),
        "cpu_model_name": _cpu(),
    }
    return pyperf.Run(result["values"], metadata=metadata, collect_metadata=False)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {os.cpu_count()} of them" if names else "unknown"


def work(subject: str, quick: bool) -> None:
    """Measure one subject in this process, and write a line of JSON for each result."""
    from reg import _calls

    wanted = os.environ.get("REG_PURE_PYTHON") != "1"
    if _calls.compiled != wanted:
        raise SystemExit(
            "reg._fastcall_c is not there to be measured: install reg where there is a C compiler"
            if wanted
            else "reg._fastcall_c is in use in spite of REG_PURE_PYTHON=1"
        )
    for measured in SUBJECTS[subject][0](quick):
        results = [_of_value(measured)] if isinstance(measured, Value) else _run(measured, quick)
        for result in results:
            print(json.dumps(result), flush=True)


def _of_value(value: Value) -> dict[str, Any]:
    return {
        "row": value.row,
        "case": value.case,
        "size": value.size,
        "unit": value.unit,
        "values": value.values,
        "loops": 1,
        "inner": 1,
    }


def _run(timings: list[Timing], quick: bool) -> list[dict[str, Any]]:
    """Run timings alternately; the values are for one call each."""
    for timing in timings:
        timing.check()
    least = 0.002 if quick else 0.005
    loops = [timing.times or _calibrated(timing, least) for timing in timings]
    values: list[list[float]] = [[] for _ in timings]
    rounds = 15 if quick else 31
    if any(timing.times and timing.times >= 10_000 for timing in timings):
        rounds = 3
    for round in range(rounds):
        # Another one is first each time.
        for index in range(len(timings)):
            index = (index + round) % len(timings)
            timing = timings[index]
            elapsed = timing.run(loops[index])
            values[index].append(elapsed / loops[index] / timing.inner)
    for timing in timings:
        timing.check()
    return [
        {
            "row": timing.row,
            "case": timing.case,
            "size": timing.size,
            "unit": "second",
            "values": values[index],
            "loops": loops[index],
            "inner": timing.inner,
        }
        for index, timing in enumerate(timings)
    ]


def _calibrated(timing: Timing, least: float) -> int:
    """How many times it takes to have something to measure; warms it up as well."""
    times = 1
    while timing.run(times) < least:
        times *= 2
    return times
