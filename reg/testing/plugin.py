"""Fixtures for the tests of applications, and help where these fail; found by pytest on its own."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any

import pytest

from ..compose import ChainClassLookup
from ..implicit import Implicit, implicit
from ..lookup import Lookup
from ..registry import Registry

_SECTION = "reg explains"

# The attribute of an exception that keeps its implicit lookup.
_LEFT = "__reg_left__"


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


class _Left:
    """The implicit lookup of the scope that an exception left; kept by the exception itself."""

    def __init__(self, lookup: Any) -> None:
        self.lookup = lookup

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception may go to another process, and the lookup may not.
        return _Left, (None,)


def _note(error: BaseException, lookup: Any) -> None:
    # Nothing here may hide the exception. The scope that it leaves first is the innermost.
    with suppress(Exception):
        error.__dict__.setdefault(_LEFT, _Left(lookup))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show the findings where ``assert reg.check(lookup) == []`` fails."""
    checking = sys.modules.get("reg.tools.check")
    if checking is None or op != "==" or not (isinstance(left, list) and isinstance(right, list)):
        return None
    if right or not all(isinstance(item, checking.Finding) for item in left):
        return None
    lines = [line for finding in left for line in str(finding).splitlines()]
    return [f"{len(left)} finding{'s' if len(left) > 1 else ''} of reg.check() == []", *lines]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Note, in exceptions, the lookups of the scopes that a test leaves with them."""
    with implicit._observed(_note):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, with a failed test, the explanations of the calls that it is about."""
    report = yield
    if call.when == "call" and call.excinfo is not None:
        report.sections += _sections(call.excinfo.value)
    return report


def _sections(failure: BaseException) -> list[tuple[str, str]]:
    from .failures import explanations

    def implicit_for(error: BaseException) -> Any:
        left = error.__dict__.get(_LEFT)
        return implicit.lookup if left is None else left.lookup

    try:
        return [(_SECTION, text) for text in explanations(failure, implicit_for)]
    except Exception as error:
        # The test run goes on, even if the tested program is broken.
        return [(_SECTION, f"the calls of this test cannot be explained: {error!r}")]
