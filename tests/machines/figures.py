"""Running a machine, and telling how much it has tried."""

from __future__ import annotations

import os
import time
from collections import Counter

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ..soak import SOAK

#: the work of each machine by its name: ``examples``, ``steps``, ``comparisons``
DONE: dict[str, Counter[str]] = {}

# With REG_SHRINK=0, a failure is printed as it was drawn, at once and not minutes later.
_SHRINKS = os.environ.get("REG_SHRINK") != "0"
_PHASES = [Phase.generate, Phase.shrink] if _SHRINKS else [Phase.generate]


def explore(machine, examples, steps=30):
    """Run a state machine for a moment; under soak, for a tenth of its time.

    The work done is printed (``pytest -s``).

    :param examples: how many sequences of steps; under soak, in each round.
    :param steps: the length of the longest.
    """
    done = DONE.setdefault(machine.__name__, Counter())
    started = time.monotonic()
    rules = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=SOAK == 0,
        database=None,
        deadline=None,
        phases=_PHASES,
        suppress_health_check=list(HealthCheck),
    )
    try:
        while True:
            run_state_machine_as_test(machine, settings=rules)
            if time.monotonic() > started + SOAK * 0.1:
                break
    finally:
        figures = ", ".join(f"{done[what]} {what}" for what in ("examples", "steps", "comparisons"))
        print(f"{machine.__name__}: {figures} in {time.monotonic() - started:.0f} s")
