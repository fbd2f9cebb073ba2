"""Which build runs the calls, and why, is public."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import reg

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
PYPY = sys.implementation.name == "pypy"

PROGRAM = """
import reg

@reg.generic
def kind(item):
    return "default"

registry = reg.Registry()
registry.register(kind, [int], lambda item: "integer")
reg.implicit.initialize(registry)
assert [kind(1), kind(1), kind(""), kind(2, lookup=registry)] == [
    "integer", "integer", "default", "integer"
]
"""


def run(program, *options, cwd=None, **environment):
    """Run a program in a new process, and return its output."""
    inherited = {name: value for name, value in os.environ.items() if name != "REG_PURE_PYTHON"}
    return subprocess.run(
        [sys.executable, *options, "-c", program],
        cwd=cwd,
        env={**inherited, **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_the_version_is_that_of_the_distribution():
    assert reg.__version__ == importlib.metadata.version("reg-dispatch")


def test_the_build_in_c_needs_no_reason():
    assert (reg.build.name == "C") == (type(reg.generic(len)).__module__ == "reg._fastcall_c")
    assert (reg.build.name == "C") == (reg.build.reason == "")


def test_a_python_build_that_was_asked_for_says_so():
    shown = run("import reg; print(reg.build)", REG_PURE_PYTHON="1")
    assert shown == "Python build: REG_PURE_PYTHON=1"


def test_a_python_build_says_that_none_in_c_was_built(tmp_path):
    shutil.copytree(
        Path(reg.__file__).parent,
        tmp_path / "reg",
        ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"),
    )
    reason = "free-threaded" if FREE_THREADED else "PyPy" if PYPY else "not built"
    assert run("import reg; print(reg.build.reason)", cwd=tmp_path) == reason


@pytest.mark.skipif(not FREE_THREADED, reason="this interpreter has one lock")
def test_a_free_threaded_interpreter_stays_without_its_lock():
    assert run("import reg, sys; print(sys._is_gil_enabled())") == "False"


def test_the_package_can_be_removed_and_imported_again_in_the_same_build():
    program = """
import sys
import reg
build = reg.build
former, former_registry = kind, registry
for name in [name for name in sys.modules if name.partition(".")[0] == "reg"]:
    del sys.modules[name]
"""
    check = """
assert tuple(reg.build) == tuple(build)
assert former is not kind
registry.register(kind, [str], lambda item: "string")
print(former(1), former(""), former("", lookup=former_registry), kind(1), kind(""))
"""
    shown = run(PROGRAM + program + PROGRAM + check)
    assert shown == "integer default default integer string"


@pytest.mark.skipif(reg.build.name != "C", reason="the Python build has no extension")
@pytest.mark.skipif(FREE_THREADED, reason="a thread keeps what it called until it ends")
def test_an_extension_that_was_imported_before_is_freed_with_its_last_generic_function():
    program = """
import gc
import weakref
extension = weakref.ref(sys.modules["reg._fastcall_c"])
for name in [name for name in sys.modules if name.partition(".")[0] == "reg"]:
    del sys.modules[name]
del reg, registry
gc.collect()
assert extension() is not None and kind(1) == "integer"
del kind
gc.collect()
print(extension())
"""
    assert run("import sys" + PROGRAM + program) == "None"


@pytest.mark.skipif(
    not hasattr(sys.flags, "thread_inherit_context"), reason="the flag is new in Python 3.14"
)
@pytest.mark.parametrize("flag", [0, 1])
def test_using_reaches_threads_that_are_started_in_it_if_they_inherit_the_context(flag):
    program = """
import threading
import reg

scope, seen = reg.Registry(), []
with reg.implicit.using(scope):
    thread = threading.Thread(target=lambda: seen.append(reg.implicit.lookup is scope))
    thread.start()
    thread.join()
print(*seen)
"""
    assert run(program, "-X", f"thread_inherit_context={flag}") == str(bool(flag))
