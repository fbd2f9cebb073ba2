"""What all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import reg

settings.register_profile(
    "default",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", settings.get_profile("default"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("REG_HYPOTHESIS_PROFILE", "default"))


def pytest_collection_finish() -> None:
    """Have the many tests that collect garbage not look through all tests each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def implicit_put_back() -> Iterator[None]:
    """Put back everything that ``reg.implicit`` holds, whatever a test leaves there."""
    implicit = reg.implicit
    base, base_only, scoped = implicit.base_lookup, implicit._base_only, implicit._scoped.get()
    implicit._scoped.set(None)
    own = implicit.lookup
    implicit._scoped.set(scoped)
    yield
    implicit._scoped.set(None)
    implicit._base_only = base_only
    implicit.initialize(base)
    if own is not base:
        implicit.lookup = own
    implicit._scoped.set(scoped)
