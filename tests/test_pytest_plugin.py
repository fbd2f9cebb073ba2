"""The pytest plugin, in test runs of its own."""

import pytest

pytest_plugins = ["pytester"]

_PRELUDE = """
import asyncio, threading
import pytest, reg
from reg import Registry

@reg.generic
def size(obj): return 0
"""


def _run(pytester, tests, *arguments):
    pytester.makepyfile(_PRELUDE + tests)
    return pytester.runpytest_subprocess("-p", "reg.pytest_plugin", "-p", "no:asyncio", *arguments)


@pytest.fixture(autouse=True)
def _without_installed_plugin(monkeypatch):
    # Named above, so that it is loaded once, whether reg is installed or not.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def test_all_that_is_implicit_is_put_back(pytester):
    result = _run(
        pytester,
        """
threads = []
go, seen = threading.Event(), []

def work():
    reg.implicit.lookup = Registry(name="of the thread")
    started.set()
    go.wait(10)
    seen.append(reg.implicit.lookup)

started = threading.Event()

def test_one(reg_implicit):
    reg.implicit.initialize(Registry())
    reg.implicit.lookup = Registry()
    reg.implicit.using(Registry()).__enter__()
    threads.append(threading.Thread(target=work))
    threads[0].start()
    assert started.wait(10)
    raise RuntimeError("fails")

def test_two():
    go.set()
    threads[0].join()
    assert seen == [None]
    assert reg.implicit.lookup is None
    assert reg.implicit.base_lookup is None
""",
    )
    result.assert_outcomes(passed=1, failed=1)


def test_a_fresh_registry_lies_over_the_present_lookup_for_one_test(pytester):
    tests = """
host = Registry()
host.register(size, [list], lambda obj: 1)
reg.implicit.initialize(host)

@pytest.mark.parametrize("number", range(4))
def test_over(reg_registry, number):
    assert (size([]), size("")) == (1, 0)
    reg_registry.register(size, [object], lambda obj: 2)
    assert (size([]), size("")) == (2, 2)

    async def call():
        return size([])

    assert asyncio.run(call()) == 2
    assert size([], lookup=reg_registry) == 2

def test_after():
    assert reg.implicit.lookup is host
    assert size([]) == 1
"""
    _run(pytester, tests).assert_outcomes(passed=5)


def test_it_works_with_xdist(pytester):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    tests = """
@pytest.mark.parametrize("number", range(6))
def test_over(reg_registry, number):
    reg_registry.register(size, [int], lambda obj: obj)
    assert size(number) == number
"""
    _run(pytester, tests, "-p", "xdist", "-n", "2").assert_outcomes(passed=6)


def test_a_failing_dispatch_test_shows_the_explanation(pytester):
    result = _run(
        pytester,
        """
class Document: pass

def test_size(reg_registry):
    @reg_registry.implements(size)
    def document_size(obj: Document): return 1
    document = Document()
    assert size(document) == 2
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*reg explains*", "size(Document) in Registry 'reg_registry' finds document_size"]
    )


def test_a_failing_test_without_dispatch_shows_nothing_more(pytester):
    result = _run(pytester, "def test_sum():\n    assert sum([1]) == 2\n")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*reg explains*")


def test_loading_it_imports_no_tools(pytester):
    tests = """
import sys
def test_light():
    assert not {"reg.explain", "reg.checking", "rich"} & set(sys.modules)
"""
    _run(pytester, tests).assert_outcomes(passed=1)
