"""The package: its names, and what importing it costs."""

import importlib.metadata
import subprocess
import sys

import pytest

import reg


def _run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


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
    assert reg.__version__ == importlib.metadata.version("reg")


def test_the_version_is_read_when_it_is_asked_for():
    assert _run("import reg, sys; print('importlib.metadata' in sys.modules)") == "False"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'reg' has no attribute 'dispatch'"):
        reg.dispatch  # noqa: B018
