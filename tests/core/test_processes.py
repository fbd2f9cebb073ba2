"""Generic functions and lookups in other processes."""

from __future__ import annotations

import ast
import concurrent.futures
import importlib
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import pytest

import reg

try:
    import cloudpickle
except (ImportError, AttributeError):
    # An AttributeError, with the pickler of PyPy.
    cloudpickle = None

PICKLERS = [pickle] if cloudpickle is None else [pickle, cloudpickle]
STARTS = set(multiprocessing.get_all_start_methods())

SOURCE = """
from collections.abc import Sized
from fractions import Fraction

import reg

class Document: ...

class Report(Document): ...

@reg.generic
def size(thing):
    return "fallback"

@reg.generic("thing")
def named(thing, unit="m"):
    return "fallback"

def document_size(thing, lookup):
    return ("document", lookup.component(size, [thing]) is document_size)

def named_size(thing, unit="m"):
    return ("named", unit)

def make():
    app, framework = reg.ClassRegistry(), reg.ClassRegistry()
    framework.register(size, [Document], document_size)
    app.register(named, [Document], named_size)
    return reg.Lookup(reg.ListClassLookup([app, framework]))

class Choosing(reg.Matcher):
    def __call__(self, thing):
        return document_size if isinstance(thing, Report) else None

def a_registry():
    registry = reg.Registry(name="sent", replace=False)
    registry.register(size, [Document], document_size)
    registry.register(size, ["fractions:Fraction"], str)
    registry.register(size, [int | None], repr)
    registry.register(size, [Sized], len)
    return registry

def a_chain():
    first, second = reg.ClassRegistry(), reg.ClassRegistry()
    first.register(Document, [Report], "under a class")
    second.register(size, [Document], document_size)
    return reg.Lookup(reg.ChainClassLookup(first, reg.CachingClassLookup(second)))

def a_matcher():
    registry = reg.Registry()
    registry.register(size, [Document], Choosing())
    return registry

def kind_of(thing):
    return type(thing).__name__

def predicates():
    matcher = reg.PredicateMatcher([reg.Predicate("kind", reg.KeyIndex, calc=kind_of)])
    matcher.register({"kind": "Report"}, document_size)
    matcher.register({"kind": reg.ANY}, str)
    registry = reg.Registry()
    registry.register(size, [object], matcher)
    return registry

MAKE = {"registry": a_registry, "chain": a_chain, "matcher": a_matcher, "predicates": predicates}

def answers(lookup):
    things = [Report(), Document(), 1, None, "text", Fraction(1, 2)]
    found = [lookup.component(size, [thing], None) for thing in things]
    return [size.all(thing, lookup=lookup) for thing in things], found, [
        lookup.component(Document, [thing], None) for thing in things
    ]

def failing(thing):
    raise reg.ComponentLookupError(key=size, classes=(int,))
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A module that processes can import, as a program has it."""
    (tmp_path / "a_module_to_work_in.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("a_module_to_work_in")
    del sys.modules["a_module_to_work_in"]


def test_an_explicit_lookup_is_all_that_a_worker_needs(work):
    lookup = work.make()
    report = work.Report()
    assert work.size(report, lookup=lookup) == ("document", True)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        sizes = [pool.submit(work.size, report, lookup=lookup) for _ in range(4)]
        others = pool.submit(work.size, 1, lookup=lookup)
        named = pool.submit(work.named, thing=report, unit="km", lookup=lookup)
        error = pool.submit(work.failing, 1).exception()
        without = pool.submit(work.size, report).exception()
    assert [each.result() for each in sizes] == [("document", True)] * 4
    assert others.result() == "fallback"
    assert named.result() == ("named", "km")
    assert isinstance(error, reg.ComponentLookupError)
    assert error.key is work.size
    assert isinstance(without, reg.NoImplicitLookupError)


@pytest.mark.parametrize("pickler", PICKLERS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", ["registry", "chain", "matcher", "predicates"])
def test_a_lookup_that_was_sent_gives_the_answers_it_gave(work, name, pickler):
    lookup = work.MAKE[name]()
    expected = work.answers(lookup)
    asked = f"work.answers(pickle.loads({pickler.dumps(lookup)!r}))"
    program = "import sys, pickle, a_module_to_work_in as work\n" + (
        f"sys.stdout.buffer.write(pickle.dumps({asked}))"
    )
    printed = in_a_program(program, work)
    # Functions come back by reference.
    assert pickle.loads(printed) == expected


def in_a_program(program, work):
    path = os.path.dirname(work.__file__)
    return subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path},
    ).stdout


@pytest.mark.skipif(cloudpickle is None, reason="cloudpickle cannot be imported")
def test_implementations_without_a_name_travel_with_a_pickler_that_takes_functions(work):
    class Own: ...

    registry = reg.Registry()
    registry.register(work.size, [Own], lambda thing, lookup: (7, lookup.exact(work.size, [Own])))
    with pytest.raises((pickle.PicklingError, AttributeError), match="local"):
        pickle.dumps(registry)
    program = f"""
import pickle, a_module_to_work_in as work
thing, registry = pickle.loads({cloudpickle.dumps((Own(), registry))!r})
number, component = work.size(thing, lookup=registry)
print(number, component is registry.exact(work.size, [type(thing)]), work.size(1, lookup=registry))
"""
    assert in_a_program(program, work).split() == [b"7", b"True", b"fallback"]


@pytest.mark.parametrize("pickler", PICKLERS, ids=lambda each: each.__name__)
def test_a_generic_function_without_a_name_to_find_it_by_is_not_pickled(pickler):
    @reg.generic
    def nowhere(thing):
        return "fallback"

    registry = reg.Registry()
    registry.register(nowhere, [int], "component")
    for value in (nowhere, registry):
        with pytest.raises((pickle.PicklingError, AttributeError), match="nowhere"):
            pickler.dumps(value)


@pytest.mark.parametrize("start", sorted({"spawn", "fork"} & STARTS))
def test_a_pool_initialized_with_the_lookup_calls_without_it(work, start):
    lookup = work.make()
    context = multiprocessing.get_context(start)
    with warnings.catch_warnings():
        # From Python 3.12 on, of forking where there are threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        with concurrent.futures.ProcessPoolExecutor(
            2, mp_context=context, initializer=reg.implicit.initialize, initargs=(lookup,)
        ) as pool:
            found = list(pool.map(work.size, [work.Report(), work.Document(), 1] * 20))
    assert found == [("document", True), ("document", True), "fallback"] * 20


@pytest.mark.skipif("fork" not in STARTS, reason="this system cannot fork")
def test_a_forked_process_has_the_lookups_of_the_thread_that_forked_it(work):
    lookup, base = work.make(), reg.Registry()
    reg.implicit.initialize(base)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    with warnings.catch_warnings(), reg.implicit.using(lookup):
        warnings.simplefilter("ignore", DeprecationWarning)
        process = context.Process(target=lambda: queue.put(work.size(work.Report())))
        process.start()
    found = queue.get()
    process.join()
    assert found == ("document", True)


def test_counting_in_a_pool_equals_counting_in_one_process():
    example = Path(__file__).parents[2] / "docs" / "examples" / "processes" / "pool.py"
    printed = subprocess.run(
        [sys.executable, str(example)], check=True, capture_output=True, text=True
    ).stdout
    assert "the same as in one process: True" in printed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_is_not_stopped_by_a_thread_that_registers(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import os, threading, warnings
            import reg

            warnings.simplefilter("ignore")
            registry = reg.Registry()
            done = threading.Event()

            def write():
                while not done.is_set():
                    registry.register("key", [int], "component")

            thread = threading.Thread(target=write)
            thread.start()
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    registry.register("other", [str], "child")
                    os._exit(0 if registry.component("other", ["a"]) == "child" else 1)
                _, status = os.waitpid(child, 0)
                assert status == 0
            done.set()
            thread.join()
            """
        )
    )
    subprocess.run([sys.executable, str(program)], check=True, timeout=60)


def test_importing_the_package_imports_no_tools():
    where = str(Path(reg.__file__).parent.parent)
    code = f"import sys; sys.path.append({where!r}); import reg; print(sorted(sys.modules))"
    printed = subprocess.run(
        # Without site, which may import installed modules.
        [sys.executable, "-I", "-S", "-c", code],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    imported = set(ast.literal_eval(printed))
    assert not {"asyncio", "dataclasses", "logging", "importlib.metadata"} & imported
    assert not [name for name in imported if name.startswith(("reg.tools", "reg.backends"))]


def test_importing_the_package_needs_nothing_else():
    code = "import sys, reg; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    printed = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    ).stdout
    names = set(ast.literal_eval(printed)) - {"reg", "site", "sitecustomize", "usercustomize"}
    assert {name for name in names if not name.startswith("_")} <= {
        *sys.stdlib_module_names,
        "distutils-precedence",
    }


def test_the_tests_run_against_the_installed_package():
    assert "site-packages" in reg.__file__
