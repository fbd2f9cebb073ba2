"""The pytest plugin, in test runs of its own."""

import itertools
import textwrap

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
    return pytester.runpytest_subprocess("-p", "reg_pytest", *arguments)


def _explained(result):
    """The first lines of the explanations in the report of a test run."""
    lines = result.stdout.lines
    return [
        after.partition(" in ")[0] + after.partition("Registry")[2].lstrip("-0123456789")
        for line, after in itertools.pairwise(lines)
        if "reg explains" in line
    ]


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


_FACTORY = """
real = Registry(name="real")
real.register(size, [list], lambda obj: 1)

def create_app():
    reg.implicit.initialize(real)

@pytest.fixture
def app(reg_implicit):
    create_app()
"""


@pytest.mark.parametrize("arguments", ["reg_registry, app", "reg_registry, request"])
def test_a_lookup_installed_after_the_fresh_registry_is_a_warning(pytester, arguments):
    tests = f"""
def test_it({arguments}):
    reg_registry.register(size, [list], lambda obj: 2)
    if "request" in locals():
        create_app()
    assert size([]) == 1

def test_after():
    assert reg.implicit.base_lookup is None
"""
    result = _run(pytester, _FACTORY + tests)
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*test_it*",
            "*initialize() was called after the fixture reg_registry*(app, reg_registry)",
        ]
    )


@pytest.mark.parametrize(
    "last",
    [
        "pass",
        "reg.implicit.clear()",
        "reg.implicit.initialize(reg_registry)",
        "reg.implicit.initialize(reg.Lookup(reg.ListClassLookup([real, reg_registry])))",
        "reg.implicit.using(real).__enter__()",
    ],
)
def test_a_fresh_registry_that_the_calls_still_ask_is_no_warning(pytester, last):
    tests = f"""
def test_it(app, reg_registry):
    reg_registry.register(size, [list], lambda obj: 2)
    assert size([]) == 2
    {last}
"""
    _run(pytester, _FACTORY + tests).assert_outcomes(passed=1, warnings=0)


def test_it_works_with_xdist(pytester):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    tests = """
@pytest.mark.parametrize("number", range(6))
def test_over(reg_registry, number):
    reg_registry.register(size, [int], lambda obj: obj)
    assert size(number) == number

def test_fails(reg_registry):
    assert size(1) == 1
"""
    result = _run(pytester, tests, "-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=6, failed=1)
    assert _explained(result) == [
        "size(int) 'reg_registry' finds nothing, so that size itself runs"
    ]


_ASYNCIO_TESTS = """
host = Registry(name="host")

@host.register(size, [list])
def list_size(obj): return 1

reg.implicit.initialize(host)

{mark}
@pytest.mark.parametrize("number", range(3))
async def test_over(reg_registry, number):
    assert (size([]), size(number)) == (1, 0)
    reg_registry.register(size, [int], lambda obj: obj)

    async def call():
        await asyncio.sleep(0)
        return size(number)

    assert await asyncio.gather(call(), call(), asyncio.to_thread(size, number)) == [number] * 3

{mark}
async def test_scopes(reg_implicit, reg_registry):
    async def scope(number):
        registry = Registry()
        registry.register(size, [str], lambda obj: number)
        with reg_implicit.using(registry):
            await asyncio.sleep(0)
            return size("")

    assert await asyncio.gather(*map(scope, range(3))) == [0, 1, 2]
    assert reg.implicit.lookup is reg_registry
    reg_implicit.lookup = Registry()
    reg_implicit.using(Registry()).__enter__()

def test_after():
    assert reg.implicit.lookup is reg.implicit.base_lookup is host

{mark}
async def test_fails(reg_registry):
    async def call():
        with reg.implicit.using(host):
            assert size([]) == 2

    async with asyncio.TaskGroup() as group:
        group.create_task(call())
"""


@pytest.mark.parametrize(
    ("plugin", "mark", "options"),
    [
        ("pytest_asyncio", "@pytest.mark.asyncio", []),
        ("pytest_asyncio", "", ["-o", "asyncio_mode=auto"]),
        ("pytest_asyncio", "@pytest.mark.asyncio(loop_scope='module')", []),
        ("anyio", "@pytest.mark.anyio", []),
    ],
)
def test_it_works_with_asyncio(pytester, plugin, mark, options):
    pytest.importorskip(plugin, reason=f"{plugin} is not installed")
    module = {"pytest_asyncio": "pytest_asyncio.plugin", "anyio": "anyio.pytest_plugin"}[plugin]
    tests = _ASYNCIO_TESTS.format(mark=mark)
    if plugin == "anyio":
        tests += "@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
    else:
        options = [*options, "-o", "asyncio_default_fixture_loop_scope=function"]
    result = _run(pytester, tests, "-p", module, *options)
    result.assert_outcomes(passed=5, failed=1)
    assert _explained(result) == ["size(list) 'host' finds list_size"]


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


_SHOP = """
class Document: pass
class Invoice(Document): pass

shop = Registry(name="shop")

@shop.implements(size)
def document_size(obj: Document): return 1

@reg.generic("item")
def price(number, item, unit="EUR"): return 0

@shop.implements(price)
def document_price(number, item: Document, unit="EUR"): return 1

class Till:
    @reg.generic
    def sum(self, item): return 0

@shop.register(Till.sum, [Till, Document])
def document_sum(till, item): return 1

@reg.classgeneric
def make(cls): return None

@shop.register(make, [Document])
def make_document(cls): return Document()

@reg.generic
async def fetch(obj): return 0

@shop.register(fetch, [Document])
async def fetch_document(obj): return 1

document, till = Document(), Till()
"""


_ASSERTIONS = [
    ("assert size(document) == 2", "size(Document) 'shop' finds document_size"),
    ("assert size(Invoice()) == 2", "size(Invoice) 'shop' finds document_size"),
    ("found = size(document)\nassert found == 2", "size(Document) 'shop' finds document_size"),
    (
        "found: int = size(3)\nassert found",
        "size(int) 'shop' finds nothing, so that size itself runs",
    ),
    ("assert size(-1)", "size(int) 'shop' finds nothing, so that size itself runs"),
    ("assert size([document])", "size(list) 'shop' finds nothing, so that size itself runs"),
    ("case.assertEqual(size(document), 2)", "size(Document) 'shop' finds document_size"),
    ("assert price(3, item=document) == 2", "price(Document) 'shop' finds document_price"),
    ("assert price(len(''), document) == 2", "price(Document) 'shop' finds document_price"),
    ("assert till.sum(document) == 2", "Till.sum(Till, Document) 'shop' finds document_sum"),
    ("assert Till().sum(document) == 2", "Till.sum(Till, Document) 'shop' finds document_sum"),
    ("assert make(Document) is None", "make(Document) 'shop' finds make_document"),
    ("assert size.component(document) is None", "size(Document) 'shop' finds document_size"),
    ("assert size(document, default=None) == 2", "size(Document) 'shop' finds document_size"),
    (
        "assert not [\n    size(document),\n]",
        "size(Document) 'shop' finds document_size",
    ),
    ("assert asyncio.run(fetch(document)) == 2", "fetch(Document) 'shop' finds fetch_document"),
    ("check(size(document))", "size(Document) 'shop' finds document_size"),
]


def test_the_call_in_a_failed_assertion_is_explained(pytester):
    tests = "import unittest\ncase = unittest.TestCase()\ndef check(size): assert size == 2\n"
    for number, (statement, _) in enumerate(_ASSERTIONS):
        directly, in_a_scope = (textwrap.indent(statement, " " * each) for each in (4, 8))
        tests += f"""
def test_{number}_directly(reg_implicit):
    reg_implicit.initialize(shop)
{directly}

def test_{number}_in_a_scope():
    with reg.implicit.using(shop):
{in_a_scope}
"""
    result = _run(pytester, _SHOP + tests)
    result.assert_outcomes(failed=2 * len(_ASSERTIONS))
    assert _explained(result) == [found for _, found in _ASSERTIONS for _ in range(2)]


def test_the_lookup_of_the_scope_that_failed_is_asked(pytester):
    tests = """
from contextlib import contextmanager

@contextmanager
def in_the_shop():
    with reg.implicit.using(Registry(name="outer")), reg.implicit.preserved():
        reg.implicit.initialize(Registry())
        with reg.implicit.using(Registry()):
            reg.implicit.lookup = shop
            yield

def test_it(reg_registry):
    with pytest.raises(AssertionError), reg.implicit.using(reg_registry):
        assert size(document) == 2
    with in_the_shop():
        assert size(document) == 2
"""
    assert _explained(_run(pytester, _SHOP + tests)) == [
        "size(Document) 'shop' finds document_size"
    ]


def test_a_caught_error_is_not_kept_alive(pytester):
    tests = """
import gc, pickle, weakref

def test_it():
    registry, thing = Registry(), Document()
    seen = weakref.ref(registry), weakref.ref(thing)
    try:
        with reg.implicit.using(registry):
            raise ValueError("of a scope", 3)
    except ValueError as error:
        copied = pickle.loads(pickle.dumps(error))
        assert copied.args == error.args
    del registry, thing
    gc.collect()
    assert [each() for each in seen] == [None, None]
"""
    _run(pytester, _SHOP + tests).assert_outcomes(passed=1)


def test_a_component_that_is_not_found_is_explained(pytester):
    tests = """
def test_component():
    with reg.implicit.using(shop):
        size.component("text")

def test_call():
    shop.call("key", [3])
"""
    result = _run(pytester, _SHOP + tests)
    result.assert_outcomes(failed=2)
    assert _explained(result) == [
        "size(str) 'shop' finds nothing, so that size itself runs",
        "'key'(int) 'shop' finds nothing",
    ]


def test_an_assertion_in_an_implementation_is_explained_where_it_was_called(pytester):
    tests = """
@shop.register(size, [int])
def int_size(obj):
    assert obj > 3
    return obj

def test_it():
    assert size(3, lookup=shop)
"""
    assert _explained(_run(pytester, _SHOP + tests)) == ["size(int) 'shop' finds int_size"]


def test_a_call_whose_arguments_would_have_to_be_computed_is_not_explained(pytester):
    tests = """
called = []

def argument():
    called.append(1)
    return document

def test_it():
    with reg.implicit.using(shop):
        assert size(argument()) == 2

def test_after():
    assert called == [1]
"""
    result = _run(pytester, _SHOP + tests)
    result.assert_outcomes(failed=1, passed=1)
    assert _explained(result) == []


def test_a_failed_explanation_does_not_stop_the_test_run(pytester):
    tests = """
class Broken(reg.Registry):
    def explain_classes(self, key, classes): raise RuntimeError("broken on purpose")

broken = Broken()

def test_it():
    assert size(document, lookup=broken) == 2

def test_after(): pass
"""
    result = _run(pytester, _SHOP + tests)
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["the calls of this test cannot be explained: *broken on purpose*"])


def test_a_failing_test_without_dispatch_shows_nothing_more(pytester):
    result = _run(pytester, "def test_sum():\n    assert sum([1]) == 2\n")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*reg explains*")


def test_the_findings_of_a_failed_check_are_shown_in_full(pytester):
    result = _run(
        pytester,
        """
def test_check():
    registry = Registry()
    registry.register(size, [list], lambda obj, unit: 1)
    assert reg.check(registry) == []

def test_other_lists():
    assert [1] == []
""",
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E * assert 1 finding of reg.check() == []",
            "E *.py:*: error: <lambda> cannot take the arguments of size: missing a required*",
            "E * Give it the parameters of size(obj).",
            "E * assert [[]1[]] == []",
        ]
    )


def test_loading_it_imports_no_tools(pytester):
    tests = """
import sys
def test_light():
    tools = {"reg.tools.explain", "reg.tools.check", "reg.testing.failures", "rich"}
    assert not tools & set(sys.modules)
"""
    _run(pytester, tests).assert_outcomes(passed=1)


def test_a_project_that_does_not_use_reg_does_not_import_it(pytester):
    pytester.makepyfile("import sys\ndef test_one(): assert 'reg' not in sys.modules")
    result = pytester.runpytest_subprocess("-p", "reg_pytest")
    result.assert_outcomes(passed=1)


def test_a_project_without_a_host_has_no_option_for_backends(pytester):
    pytester.makepyfile("def test_one(): pass")
    assert (
        "--reg-backend" not in pytester.runpytest_subprocess("-p", "reg_pytest", "-h").stdout.str()
    )
    result = pytester.runpytest_subprocess("-p", "reg_pytest", "--reg-backend=dask")
    result.stderr.fnmatch_lines("*unrecognized arguments: --reg-backend=dask")


def test_a_project_with_a_host_has_the_option_for_backends(pytester):
    pytester.makeconftest("def pytest_reg_host(): return None")
    pytester.makepyfile("def test_one(): pass")
    assert "--reg-backend" in pytester.runpytest_subprocess("-p", "reg_pytest", "-h").stdout.str()
    pytester.runpytest_subprocess("-p", "reg_pytest").assert_outcomes(passed=1)
