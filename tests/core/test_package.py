"""The package: its names, and what importing it costs."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reg


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
    assert type(given[0]) is reg.CallNext
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
