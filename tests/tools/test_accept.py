"""Accepted findings, in the settings of a project."""

import subprocess
import sys

import pytest

import reg
from reg import Registry


@reg.generic
def size(item):
    return 0


@pytest.fixture
def registry():
    registry = Registry()
    registry.register(size, [int], 12)
    return registry


@pytest.fixture
def project(tmp_path, monkeypatch):
    def write(text):
        (tmp_path / "pyproject.toml").write_text(text)

    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path)
    return write


def test_the_settings_of_the_project_are_honoured(registry, project):
    assert len(reg.check(registry)) == 1
    project('[tool.reg]\naccept = ["arguments"]\n')
    assert reg.check(registry) == []


def test_the_settings_are_found_from_a_directory_below(registry, project, monkeypatch):
    project('[tool.reg]\naccept = ["arguments:*.size"]\n')
    monkeypatch.chdir("tests")
    assert reg.check(registry) == []


def test_settings_and_argument_add_up(registry, project):
    project('[tool.reg]\naccept = ["unreachable"]\n')
    registry.register(size, [], lambda: 1)
    assert [finding.kind for finding in reg.check(registry)] == ["arguments"]
    assert reg.check(registry, accept=["arguments"]) == []


@pytest.mark.parametrize("text", ["", "[tool.other]\naccept = 3\n", "[tool.reg]\n"])
def test_a_project_without_the_setting_accepts_nothing(registry, project, text):
    project(text)
    assert len(reg.check(registry)) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.reg", "cannot be read"),
        ("tool = 3\n", "cannot be read"),
        ("[tool.reg]\naccept = 'arguments'\n", "must be a list of strings"),
        ("[tool.reg]\naccept = [3]\n", "must be a list of strings"),
        ("[tool.reg]\naccept = ['argument']\n", "no such kind of finding"),
    ],
)
def test_wrong_settings_are_an_error_for_the_function_and_the_command(
    registry, project, text, message, tmp_path
):
    project(text)
    with pytest.raises(ValueError, match=message):
        reg.check(registry)
    (tmp_path / "shop.py").write_text("import reg\nregistry = reg.Registry()\n")
    command = [sys.executable, "-m", "reg", "check", "shop:registry"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (shown.returncode, len(shown.stderr.splitlines())) == (2, 1)
    assert message in shown.stderr
