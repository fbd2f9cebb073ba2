"""How long tests may take: a moment, unless ``REG_SOAK`` gives them seconds."""

from __future__ import annotations

import os
import time

#: how many seconds the tests that can take long are to take all together; 0 for a moment
SOAK = float(os.environ.get("REG_SOAK", "0"))

#: after how many seconds a wait is taken for a deadlock
PATIENCE = 60.0


def scaled(number, at_most=10**6):
    """Scale a number of repetitions that takes a moment to the time there is."""
    return min(at_most, round(number * max(1.0, SOAK / 10)))


def for_a_while(seconds, share=0.1):
    """Go on for so many seconds; under soak for a share of its time."""
    end = time.monotonic() + max(seconds, SOAK * share)
    while time.monotonic() < end:
        yield
