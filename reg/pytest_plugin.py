"""Fixtures for the tests of applications, and help where these fail; found by pytest on its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from .compose import ChainClassLookup
from .implicit import Implicit, implicit
from .lookup import Lookup
from .registry import Registry

_SECTION = "reg explains"

_LEFT = pytest.StashKey[list[tuple[BaseException, Any]]]()


@pytest.fixture
def reg_implicit() -> Iterator[Implicit]:
    """``reg.implicit``, put back after the test as it was, for all threads and this scope."""
    with implicit.preserved():
        yield implicit


@pytest.fixture
def reg_registry(reg_implicit: Implicit) -> Registry:
    """A fresh registry over the present implicit lookup, in its place for one test."""
    registry = Registry(name="reg_registry")
    present = reg_implicit.lookup
    if isinstance(present, Lookup):
        registry.class_lookup = ChainClassLookup(registry.registry, present.class_lookup)
    elif present is not None:
        raise TypeError(
            f"reg_registry can be laid over a reg.Lookup only; the implicit lookup is {present!r}"
        )
    reg_implicit.initialize(registry)
    return registry


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Note the lookups of the scopes that the test leaves with an exception."""
    left: list[tuple[BaseException, Any]] = []
    item.stash[_LEFT] = left
    with implicit._observed(lambda error, lookup: left.append((error, lookup))):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, with a failed test, what was found in the calls that it is about."""
    report = yield
    if call.when == "call":
        left = item.stash.get(_LEFT, [])
        if call.excinfo is not None:
            report.sections += _sections(call.excinfo.value, left)
        # An exception keeps alive what the test had.
        left.clear()
    return report


def _sections(
    failure: BaseException, left: list[tuple[BaseException, Any]]
) -> list[tuple[str, str]]:
    from .failures import explanations

    def implicit_for(raised: BaseException) -> Any:
        # What is left first is the innermost.
        return next((lookup for error, lookup in left if error is raised), implicit.lookup)

    try:
        return [(_SECTION, text) for text in explanations(failure, implicit_for)]
    except Exception as error:
        # Whatever is wrong with what is tested, pytest is to go on.
        return [(_SECTION, f"what was found cannot be explained: {error!r}")]
