"""Collects garbage on any interpreter."""

from __future__ import annotations

import gc
import sys

# Without reference counts, of a chain of objects with finalizers one dies at each collection.
_ROUNDS = 1 if sys.implementation.name == "cpython" else 5


def collect() -> None:
    """Let all objects die that nothing refers to."""
    for _ in range(_ROUNDS):
        gc.collect()
