"""Runs every subject in worker processes of its own, in both builds in turn.

Within a process the cases of a row run alternately, in short turns. So anything else
that slows the machine down slows all of them, and the ratio of two cases that were
measured side by side stays the same.
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
import chains
import hierarchies
import imports
import keywords
import memory
import older
import predicates
import scaling
import scopes
from peers import versions
from timing import Measurements, Timing, Value

__all__ = ["BUILDS", "SUBJECTS", "environment", "measure", "require_build", "work"]

BUILDS = ("compiled", "pure")

#: by name: the measurements of a worker process, and whether they are made more than once
SUBJECTS: dict[str, tuple[Callable[[bool], Measurements], bool]] = {
    "positional calls": (calls.positional_calls, True),
    "keyword calls": (keywords.keyword_calls, True),
    "chained calls": (chains.chained_calls, True),
    "predicate calls": (predicates.predicate_calls, True),
    "declared predicates": (predicates.declared_calls, True),
    "value calls": (predicates.value_calls, True),
    "scoped calls": (scopes.scoped_calls, True),
    "threaded calls": (scopes.threaded_calls, True),
    "hierarchies": (hierarchies.hierarchies, True),
    "backend calls": (backends.backend_calls, True),
    "cold look-ups": (scaling.cold_look_ups, True),
    "predicate look-ups": (predicates.predicate_look_ups, True),
    "warm neighbours": (scaling.warm_neighbours, True),
    "registrations": (scaling.registrations, False),
    "memory of registrations": (memory.registered, False),
    "dropped classes": (memory.dropped_classes, False),
    "imports": (imports.imports, False),
}


def measure(quick: bool, only: list[str], report: Callable[[str], None]) -> pyperf.BenchmarkSuite:
    """Measure everything.

    :param quick: smaller sizes, shorter and fewer measurements.
    :param only: the subjects; all if it is empty.
    :param report: is called with the name of every step.
    :return: the results. A case with a wrong answer has no values, and says so in
      its metadata.
    """
    older.prepare()
    runs: dict[str, list[pyperf.Run]] = {}
    # The same for all: a benchmark keeps only the metadata that its runs have in common.
    begun = datetime.now(UTC).isoformat(sep=" ", timespec="minutes")
    for repetition in range(1 if quick else 3):
        for subject in only or list(SUBJECTS):
            if repetition and not SUBJECTS[subject][1]:
                continue
            for build in BUILDS:
                report(f"{subject}, {build}" + (f", {repetition + 1}" if repetition else ""))
                for result in _worker(subject, build, quick):
                    run = _as_run(result, build, begun)
                    runs.setdefault(run.get_metadata()["name"], []).append(run)
    return pyperf.BenchmarkSuite([pyperf.Benchmark(of_name) for of_name in runs.values()])


def environment(build: str) -> dict[str, str]:
    """The environment variables of a process with one build of the package.

    :param build: one of ``BUILDS``.
    """
    return {
        **os.environ,
        "REG_PURE_PYTHON": "1" if build == "pure" else "0",
        # Sets are in the same order in both builds.
        "PYTHONHASHSEED": "0",
    }


def _worker(subject: str, build: str, quick: bool) -> Iterator[dict[str, Any]]:
    command = [sys.executable, str(Path(__file__).parent), "--worker", subject]
    done = subprocess.run(
        [*command, "--quick"] if quick else command,
        env=environment(build),
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
        "date": begun,
        "python_version": platform.python_version(),
        "platform": platform.platform(),
        "cpu_model_name": _cpu(),
        "libraries": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    if result.get("wrong"):
        # pyperf has no runs without a number: this is one of which nothing counts.
        metadata["wrong"] = result["wrong"]
        return pyperf.Run([], warmups=[(1, 1.0)], metadata=metadata, collect_metadata=False)
    metadata.update(loops=result["loops"], inner_loops=result["inner"])
    return pyperf.Run(result["values"], metadata=metadata, collect_metadata=False)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {os.cpu_count()} of them" if names else "unknown"


def require_build() -> None:
    """Make sure that this process has the build that its environment asks for.

    :raises SystemExit: if it has the other one.
    """
    from reg import _fastcall

    if _fastcall.compiled == (os.environ.get("REG_PURE_PYTHON") == "1"):
        raise SystemExit(
            "the pure build is not in use in spite of REG_PURE_PYTHON=1"
            if _fastcall.compiled
            else "the compiled build of reg cannot be measured, since it is not installed;"
            " install reg where there is a C compiler"
        )


def work(subject: str, quick: bool) -> None:
    """Measure one subject in this process, and write a line of JSON for every result.

    :param subject: one of ``SUBJECTS``.
    :param quick: as for :func:`measure`.
    """
    require_build()
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
    """Run timings alternately, those with a right answer; the values are for one call."""
    wrong = {index: message for index, timing in enumerate(timings) if (message := _wrong(timing))}
    right = {index: timing for index, timing in enumerate(timings) if index not in wrong}
    values, loops = _alternately(right, quick)
    for index, timing in right.items():
        if message := _wrong(timing):
            wrong[index] = f"after it was measured: {message}"
    return [
        {
            "row": timing.row,
            "case": timing.case,
            "size": timing.size,
            "unit": "second",
            "values": values.get(index),
            "loops": loops.get(index),
            "inner": timing.inner,
            "wrong": wrong.get(index),
        }
        for index, timing in enumerate(timings)
    ]


def _wrong(timing: Timing) -> str:
    """Check the answer of a case.

    :return: the error; empty if the answer is right.
    """
    try:
        timing.check()
    except Exception as error:
        return f"{type(error).__name__}: {error}".partition("\n")[0]
    return ""


def _alternately(
    timings: dict[int, Timing], quick: bool
) -> tuple[dict[int, list[float]], dict[int, int]]:
    """Run timings in turn, beginning with another one in every round.

    :return: by the keys of the timings, the seconds of one call in every round, and
      the number of loops in a round.
    """
    least = 0.001 if quick else 0.005
    loops = {key: timing.times or _calibrated(timing, least) for key, timing in timings.items()}
    values: dict[int, list[float]] = {key: [] for key in timings}
    rounds = 9 if quick else 31
    if any(count >= 10_000 and timings[key].times for key, count in loops.items()):
        rounds = 3
    keys = list(timings)
    for _ in range(rounds):
        for key in keys:
            elapsed = timings[key].run(loops[key])
            values[key].append(elapsed / loops[key] / timings[key].inner)
        keys = keys[1:] + keys[:1]
    return values, loops


def _calibrated(timing: Timing, least: float) -> int:
    """Find how many times it takes to have something to measure; this warms it up as well."""
    times = 1
    while timing.run(times) < least:
        times *= 2
    return times
