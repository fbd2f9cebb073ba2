"""The project of ``docs/project-layout.rst`` runs, with and without its plug-in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAYOUT = Path(__file__).parents[2] / "docs" / "examples" / "layout"


def run(*arguments, path=()):
    """Run Python with the project on its path; give the output."""
    folders = os.pathsep.join(map(str, [LAYOUT, *path]))
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": folders, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    ).stdout


@pytest.fixture
def plugin(tmp_path):
    """A folder in which the plug-in is installed."""
    metadata = tmp_path / "application_distances-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: application-distances\n")
    (metadata / "entry_points.txt").write_text(
        "[application.registries]\ndistances = application_distances:registry\n"
    )
    source = LAYOUT / "plugin" / "application_distances.py"
    (tmp_path / source.name).write_text(source.read_text())
    return tmp_path


def test_the_program_renders_its_own_models_and_falls_back():
    assert run("-m", "application") == "Bern → Basel\n2.5\n"


def test_an_installed_plugin_comes_between_application_and_framework(plugin):
    assert run("-m", "application", path=[plugin]) == "Bern → Basel\n2.5 km\n"


def test_the_entry_point_is_that_of_the_plugins_project():
    text = (LAYOUT / "plugin" / "pyproject.toml").read_text()
    assert '"application.registries"' in text
    assert 'distances = "application_distances:registry"' in text


def test_the_test_of_the_project_passes():
    test = LAYOUT / "tests" / "test_registrations.py"
    assert "1 passed" in run("-m", "pytest", "-q", "-p", "no:cacheprovider", test)
