"""Generic functions and lookups in other processes."""

from __future__ import annotations

import concurrent.futures
import importlib
import multiprocessing
import os
import subprocess
import sys
import textwrap

import pytest

import reg

SOURCE = """
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


def test_importing_the_package_needs_nothing_else():
    code = "import sys, reg; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    printed = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    ).stdout
    names = set(eval(printed)) - {"reg", "site", "sitecustomize", "usercustomize"}
    assert {name for name in names if not name.startswith("_")} <= {
        *sys.stdlib_module_names,
        "distutils-precedence",
    }


def test_the_tests_run_against_the_installed_package():
    assert "site-packages" in reg.__file__
