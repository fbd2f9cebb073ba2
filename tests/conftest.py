"""Fixtures and settings of all tests."""

from __future__ import annotations

import gc
import os
import sys
import sysconfig
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none

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


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "needs_refcounts: counts on objects that die as soon as nothing refers to them, or on"
        " addresses that stay; skipped where the interpreter counts no references",
    )
    config.addinivalue_line(
        "markers",
        "needs_mortal_classes: has classes or functions die; skipped where they are immortal as"
        " soon as there has been a second thread",
    )
    config.addinivalue_line(
        "markers",
        "xdist_group(name): all of one group are run by one worker, with --dist loadgroup; its"
        " environment is made once",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    is_free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    reasons = {}
    if sys.implementation.name != "cpython":
        reasons["needs_refcounts"] = "the interpreter counts no references"
    if is_free_threaded and sys.version_info < (3, 14):
        reasons["needs_mortal_classes"] = "classes and functions are immortal in threads"
    for name, reason in reasons.items():
        for item in items:
            if item.get_closest_marker(name) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish() -> None:
    """Let the tests that collect garbage pass over the objects of all tests."""
    # The first test makes hypothesis look for referrers, which are not found once frozen.
    given(none())(lambda nothing: None)()
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Keep the exceptions that Python 3.12 loses count of from other tests.

    If an exception is raised by a trace function at the wrong moment, Python takes
    another one for being handled from then on; but in a generator for no longer
    than that runs.
    """
    test = pyfuncitem.obj

    def contained(**arguments: object) -> None:
        def run() -> Iterator[None]:
            yield test(**arguments)

        next(run())

    if pyfuncitem.module.__name__.endswith("test_faults"):
        pyfuncitem.obj = contained
    return (yield)


@pytest.fixture(autouse=True, scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Leave the folder of the sources, which programs that tests run would import from."""
    os.chdir(tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(autouse=True)
def implicit_put_back() -> Iterator[None]:
    """Put back everything that ``reg.implicit`` holds."""
    implicit = reg.implicit
    base, base_only, scoped = implicit.base_lookup, implicit._base_only, implicit._scoped.get()
    assert scoped is None, "a test begins inside of using()"
    own = implicit.lookup
    yield
    if implicit._scoped.get() is not None:
        implicit._scope(None)
    implicit._base_only = base_only
    implicit.initialize(base)
    if own is not base:
        implicit.lookup = own
