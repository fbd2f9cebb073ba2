"""The pytest plugin for applications: fixtures, and explanations of failed tests.

pytest imports it wherever reg is installed. So it is a module beside the package, and imports the
package only where a test uses it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from reg import Registry
    from reg.implicit import Implicit

_SECTION = "reg explains"

# The attribute of an exception with the implicit lookup of the scope it left.
_SCOPE = "__reg_scope__"


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Add ``--reg-backend`` where a ``conftest.py`` configures a host."""
    if hasattr(plugin, "pytest_reg_host"):
        manager.import_plugin("reg.testing.backends_plugin")


@pytest.fixture
def reg_implicit() -> Iterator[Implicit]:
    """``reg.implicit``, restored after the test, for all threads and this scope."""
    from reg import implicit

    with implicit.preserved():
        yield implicit


@pytest.fixture
def reg_registry(reg_implicit: Implicit) -> Iterator[Registry]:
    """A new registry in front of the implicit lookup, and in its place, for one test."""
    from reg import ChainClassLookup, Lookup, Registry

    registry = Registry(name="reg_registry")
    lookup = reg_implicit.lookup
    if isinstance(lookup, Lookup):
        registry.class_lookup = ChainClassLookup(registry.registry, lookup.class_lookup)
    elif lookup is not None:
        raise TypeError(
            f"reg_registry takes the place of a reg.Lookup only; the implicit lookup is {lookup!r}"
        )
    reg_implicit.initialize(registry)
    yield registry
    if not _is_asked(registry, reg_implicit.base_lookup):
        warnings.warn(
            "reg.implicit.initialize() was called after the fixture reg_registry was made, so that"
            " the calls since then did not ask this registry: call the application factory in a"
            " fixture, and name it before reg_registry, as in def test_it(app, reg_registry)",
            stacklevel=1,
        )


def _is_asked(registry: Registry, lookup: Any) -> bool:
    """Return whether a lookup asks a registry, or is no lookup, so that a call is an error."""
    if lookup is registry or lookup is None:
        return True
    from reg.tools.provenance import sources

    return any(source.class_lookup is registry.registry for source in sources(lookup))


class _Scope:
    """The implicit lookup of the scope that an exception left; an attribute of the exception."""

    def __init__(self, lookup: Any) -> None:
        self.lookup = lookup

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception may go to another process; the lookup stays in this one.
        return _Scope, (None,)


def _note(error: BaseException, lookup: Any) -> None:
    # An error here must not replace the exception. The first scope that it leaves is the
    # innermost one.
    with suppress(Exception):
        error.__dict__.setdefault(_SCOPE, _Scope(lookup))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show the findings where ``assert reg.check(lookup) == []`` fails."""
    check = sys.modules.get("reg.tools.check")
    if check is None or op != "==" or not (isinstance(left, list) and isinstance(right, list)):
        return None
    if right or not all(isinstance(item, check.Finding) for item in left):
        return None
    lines = [line for finding in left for line in str(finding).splitlines()]
    return [f"{len(left)} finding{'s' if len(left) > 1 else ''} of reg.check() == []", *lines]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Record, in exceptions, the lookups of the scopes that they leave."""
    module = sys.modules.get("reg.implicit")
    if module is None:
        return (yield)
    before = module.implicit._observe(_note)
    try:
        return (yield)
    finally:
        module.implicit._observe(before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the explanations of its calls to the report of a failed test."""
    report = yield
    if call.when == "call" and call.excinfo is not None and "reg" in sys.modules:
        report.sections += _sections(call.excinfo.value)
    return report


def _sections(failure: BaseException) -> list[tuple[str, str]]:
    from reg import implicit
    from reg.testing.failures import explanations

    def implicit_for(error: BaseException) -> Any:
        scope = error.__dict__.get(_SCOPE)
        return implicit.lookup if scope is None else scope.lookup

    try:
        return [(_SECTION, text) for text in explanations(failure, implicit_for)]
    except Exception as error:
        # The report is shown even if the tested program cannot be explained.
        return [(_SECTION, f"the calls of this test cannot be explained: {error!r}")]
