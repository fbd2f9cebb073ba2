"""What all tests share."""

from __future__ import annotations

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


@pytest.fixture(autouse=True)
def implicit_put_back() -> Iterator[None]:
    """Put back everything that ``reg.implicit`` holds, whatever a test leaves there."""
    before = dict(vars(reg.implicit))
    base = type(reg.implicit._assigned).lookup
    own = dict(vars(reg.implicit._assigned))
    scoped = reg.implicit._scoped.get()
    yield
    reg.implicit._scoped.set(scoped)
    vars(reg.implicit._assigned).clear()
    vars(reg.implicit._assigned).update(own)
    type(reg.implicit._assigned).lookup = base
    vars(reg.implicit).update(before)
