"""The package: its names, and the cost of importing it."""

import ast
import importlib
import importlib.metadata
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reg
from reg._fastcall import compiled


def _run(program, folder=None):
    """The output and the errors of a program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_dir_shows_the_public_names_and_no_modules():
    assert dir(reg) == sorted(reg.__all__)


@pytest.mark.parametrize("name", reg.__all__)
def test_each_public_name_can_be_imported(name):
    assert getattr(reg, name) is not None


def test_the_types_for_annotations_are_those_of_real_objects():
    given = []

    @reg.generic
    def size(obj):
        return 0

    registry = reg.Registry()

    @registry.implements(size)
    def text_size(obj: str, call_next: reg.CallNext):
        given.append(call_next)
        return len(obj)

    size("abc", lookup=registry)
    assert isinstance(given[0], reg.CallNext)
    assert reg.GenericFunction[[object], int]


def test_the_version_is_that_of_the_installed_distribution():
    assert reg.__version__ == importlib.metadata.version("reg-dispatch")


def test_a_citation_names_the_version():
    citation = Path(__file__).parents[2].joinpath("CITATION.cff").read_text()
    assert re.findall("^version: (.+)$", citation, re.MULTILINE) == [reg.__version__]


def test_the_description_on_the_index_has_no_links_that_lead_nowhere():
    description = importlib.metadata.metadata("reg-dispatch").json["description"]
    assert "One lookup per thread, task or request" in description
    assert re.findall(r"<(?!https?:)[^>\s]+>`_", description) == []


@pytest.mark.parametrize("name", reg.__all__)
def test_each_public_name_can_be_the_first_one_that_a_program_uses(name):
    assert _run(f"import reg; assert reg.{name} is reg.{name}; from reg import {name}")[1] == ""


def test_all_public_names_can_be_imported_by_a_star():
    assert _run("from reg import *; print(Registry, Where, check)")[1] == ""


def _types_by_module():
    """The names of the package by module, as type checkers read them."""
    for node in ast.walk(ast.parse(Path(reg.__file__).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.module, [alias.name for alias in node.names]


def test_type_checkers_and_programs_find_each_name_in_the_same_module():
    for_checkers = {}
    for module, names in _types_by_module():
        for name in names:
            for_checkers[name] = f"reg.{module}"
    assert sorted(for_checkers) == sorted(reg.__all__)
    for name, module in for_checkers.items():
        assert getattr(importlib.import_module(module), name) is getattr(reg, name)


def test_no_name_is_loaded_twice():
    late = [name for names in reg._MODULES.values() for name in names]
    at_once = [name for module, names in _types_by_module() for name in names if name not in late]
    assert sorted(late + at_once) == sorted(reg.__all__)


@pytest.mark.parametrize("name", ["lookup", "registry", "compose", "predicate", "interfaces"])
def test_a_module_is_an_attribute_of_the_package_without_being_imported(name):
    assert _run(f"import reg; print(reg.{name}.__name__)")[0] == f"reg.{name}\n"


def test_a_name_stays_what_it_is_when_the_module_of_that_name_is_imported():
    program = """
import reg.arginfo, reg.generic, reg.implicit
from reg.arginfo import ArgumentInfo
import reg.registry
print(reg.arginfo(len), callable(reg.generic), reg.implicit.lookup)
"""
    assert _run(program)[0] == (
        "ArgumentInfo(args=['obj'], varargs=None, keywords=None, defaults=None) True None\n"
    )


def test_the_result_of_arginfo_is_pickled_under_its_public_name():
    info = reg.arginfo(_run)
    data = pickle.dumps(info)
    assert b"_argument_info" not in data
    assert pickle.loads(data) == info


def test_help_describes_the_names_that_are_not_loaded_yet():
    shown = _run("import reg, pydoc; print(pydoc.plain(pydoc.render_doc(reg)))")[0]
    assert "class PredicateRegistry(" in shown
    assert "class Where(" in shown


# What the definition of a generic function takes, beside the fast path.
_FOR_DEFINITION = [
    *["reg", "reg._dispatch_spec", "reg._errors", "reg._fastcall", "reg._functions", "reg._lock"],
    *["reg._scope_decorator", "reg._signatures", "reg.arginfo", "reg.generic", "reg.implicit"],
    "reg.sentinel",
]
_FAST_PATHS = {
    True: ["reg._fastcall_c"],
    False: ["reg._call_code", "reg._entries", "reg._fastcall_py", "reg._steps"],
}
_DEFINING = """
import sys
before = set(sys.modules)
import reg
@reg.generic
def size(item): return 0
@reg.generic("item")
def weight(item, *, unit="g"): return 0
print(*sorted(set(sys.modules) - before))
"""


def test_the_definition_of_generic_functions_loads_no_more_modules_than_it_takes():
    loaded = _run(_DEFINING)[0].split()
    own = [name for name in loaded if name.partition(".")[0] == "reg"]
    assert own == sorted(_FOR_DEFINITION + _FAST_PATHS[compiled])


@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy's own modules load some of these"
)
def test_the_definition_of_generic_functions_loads_no_slow_module():
    slow = {"typing", "inspect", "annotationlib", "dis", "enum", "re", "contextlib", "dataclasses"}
    if not compiled:
        # It shows the lines of the calls it makes, by linecache.
        slow -= {"enum", "re"}
    assert not slow & set(_run(_DEFINING)[0].split())


def test_the_first_call_loads_the_rest():
    program = """
import sys, reg
@reg.generic
def size(item): return 0
assert "reg.registry" not in sys.modules
try:
    size(1)
except reg.NoImplicitLookupError:
    print("reg.lookup" in sys.modules)
registry = reg.Registry()
registry.register(size, [int], lambda item: 1)
print(size(1, lookup=registry), size.component("", lookup=registry, default=None))
"""
    assert _run(program)[0] == "True\n1 None\n"


@pytest.mark.parametrize("question", ["component", "all", "explain"])
def test_a_question_can_be_the_first_use_of_a_generic_function(question):
    program = f"""
import reg
@reg.generic
def size(item): return 0
registry = reg.Registry()
registry.register(size, [int], 5)
print(size.{question}(1, lookup=registry))
"""
    assert "5" in _run(program)[0]


def test_a_lookup_can_be_entered_before_anything_is_called():
    program = """
import reg
@reg.generic
def size(item): return 0
with reg.implicit.using(None):
    pass
reg.implicit.initialize(reg.Registry())
print(size(1))
"""
    assert _run(program)[0] == "0\n"


def test_the_version_is_read_when_it_is_asked_for():
    assert _run("import reg, sys; print('importlib.metadata' in sys.modules)")[0] == "False\n"


def test_a_warning_names_both_distributions_where_the_older_library_is_installed_too(tmp_path):
    package = tmp_path / "reg"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(reg.__file__).parent, package, ignore=ignored)
    program = "import reg; print(reg.__file__)"
    assert _run(program, tmp_path) == (f"{package / '__init__.py'}\n", "")
    package.joinpath("dispatch.py").touch()
    _, shown = _run(program, tmp_path)
    assert "RuntimeWarning: the distributions reg and reg-dispatch are both installed" in shown
    assert "pip uninstall reg reg-dispatch" in shown


def test_the_command_says_so_where_the_older_library_was_installed_over_this_one(tmp_path):
    package = tmp_path / "reg"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(reg.__file__).parent, package, ignore=ignored)
    package.joinpath("__init__.py").write_text("from reg.dispatch import dispatch\n")
    package.joinpath("dispatch.py").write_text("dispatch = print\n")
    command = [sys.executable, "-m", "reg", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "reg: the distribution reg, another library, has overwritten files of reg-dispatch:"
        " run 'pip uninstall reg reg-dispatch', and install the one that you use\n"
    )


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'reg' has no attribute 'dispatch'"):
        reg.dispatch  # noqa: B018
