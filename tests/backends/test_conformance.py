"""The check that a backend does what its host does."""

import unittest

import pytest

from reg.backends.testing import run_conformance


@pytest.fixture
def run(host, site):
    site.backend("accel", "def f(x): return x\ndef g(x): return -x")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x):
        return x

    @dispatcher.backend_dispatch
    def g(x):
        return x

    def check_f(backend_name):
        assert f(1, backend=backend_name) == 1

    def check_g(backend_name):
        assert g(1, backend=backend_name) == 1, "not the same"

    def check_nothing():
        raise AssertionError("never called")

    def check_skipping(backend_name):
        pytest.skip("not here")

    def run(tests=None, **options):
        tests = tests or {"f": check_f, "g": check_g, "h": check_nothing}
        options = {"backend_name": "accel", "get_backend": dispatcher.get_backend, **options}
        return run_conformance(tests=tests, **options)

    run.f, run.skipping = check_f, check_skipping
    return run


def test_all_results_are_reported(run):
    results = run(raise_on_failure=False)
    assert results.pop("g").startswith("FAILED: not the same")
    assert results == {"f": "PASSED", "h": "SKIPPED (not implemented)"}


def test_the_first_failure_is_raised(run):
    with pytest.raises(AssertionError, match="not the same"):
        run()


def test_functions_can_be_filtered(run):
    assert run(functions=["f", "h"]) == {
        "f": "PASSED",
        "h": "SKIPPED (not implemented)",
    }
    assert run(functions=[]) == {}


@pytest.mark.parametrize("functions", ["f", 3, ["unknown"], [3], b"f"])
def test_a_filter_that_will_not_do_is_a_value_error(run, functions):
    with pytest.raises(ValueError, match="functions"):
        run(functions=functions)


@pytest.mark.parametrize("name", ["cpu", "nonsense"])
def test_a_backend_that_does_not_resolve_is_a_value_error(run, name):
    with pytest.raises(ValueError, match=name):
        run(backend_name=name)


def test_so_is_one_that_does_not_load(run, site):
    site.backend("broken", "1 / 0")
    with pytest.raises(ValueError, match="ZeroDivisionError"):
        run(backend_name="broken")


def test_a_test_may_skip_itself_and_take_nothing(run):
    def skipping():
        raise unittest.SkipTest("not today")

    assert run({"f": skipping, "g": run.skipping}) == {
        "f": "SKIPPED (not today)",
        "g": "SKIPPED (not here)",
    }
