"""The addresses in the distribution's metadata come from where it is built."""

import os
import re
import shutil
import subprocess
import sys
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "from setuptools import build_meta; print(build_meta.prepare_metadata_for_build_wheel('.'))"
SOURCE = "https://forge.example/owner/name"

if shutil.which("git") is None:
    pytest.skip("git is not installed", allow_module_level=True)


@pytest.fixture
def clone(tmp_path):
    """A folder with the files of the distribution, in a repository without a remote."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in ("pyproject.toml", "setup.py", "README.rst", "LICENSE", "reg_pytest.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "reg", tmp_path / "reg", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _set_origin(clone, url):
    subprocess.run(["git", "remote", "add", "origin", url], cwd=clone, check=True)


def _metadata(folder, **environment):
    """The metadata of a build in the folder: the addresses by their labels, and the description."""
    known = {"REG_DOCUMENTATION_URL", "READTHEDOCS_CANONICAL_URL"}
    environment |= {name: value for name, value in os.environ.items() if name not in known}
    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    built = folder / done.stdout.split()[-1] / "METADATA"
    metadata = message_from_string(built.read_text(encoding="utf-8"))
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL", []))
    return urls, metadata.get_payload()


@pytest.mark.parametrize(
    "origin",
    [
        "https://forge.example/owner/name",
        "https://forge.example/owner/name.git",
        "https://user:secret@forge.example/owner/name.git",
        "git@forge.example:owner/name.git",
        "ssh://git@forge.example:2222/owner/name.git",
    ],
)
def test_a_clone_of_a_public_repository_has_its_addresses(clone, origin):
    _set_origin(clone, origin)
    urls, description = _metadata(clone)
    assert urls == {
        "Source": SOURCE,
        "Issues": f"{SOURCE}/issues",
        "Changelog": f"{SOURCE}/blob/HEAD/CHANGES.rst",
    }
    targets = re.findall(r"<([^>\s]+)>`_", description)
    assert f"{SOURCE}/blob/HEAD/docs/faq.rst" in targets
    assert all(target.startswith("https://") for target in targets)


@pytest.mark.parametrize("origin", ["/srv/name", "../name", "file:///srv/name", "alias:owner/name"])
def test_a_clone_of_another_folder_has_no_addresses(clone, origin):
    _set_origin(clone, origin)
    urls, description = _metadata(clone)
    assert urls == {}
    assert not re.search(r"<(?!https:)[^>\s]+>`_", description)


def test_a_clone_without_a_remote_has_no_addresses(clone):
    assert _metadata(clone)[0] == {}


def test_a_folder_inside_another_repository_does_not_have_its_addresses(clone):
    _set_origin(clone, SOURCE)
    folder = clone / "vendored"
    folder.mkdir()
    for path in set(clone.iterdir()) - {clone / ".git", folder}:
        shutil.move(path, folder)
    assert _metadata(folder)[0] == {}


@pytest.mark.parametrize("variable", ["REG_DOCUMENTATION_URL", "READTHEDOCS_CANONICAL_URL"])
def test_the_environment_has_the_address_of_the_documentation(clone, variable):
    urls, _ = _metadata(clone, **{variable: "https://docs.example/reg"})
    assert urls == {"Documentation": "https://docs.example/reg/"}


def test_a_source_distribution_keeps_the_addresses_that_it_was_made_with(clone):
    _set_origin(clone, SOURCE)
    made, _ = _metadata(clone, REG_DOCUMENTATION_URL="https://docs.example/reg")
    (built,) = clone.glob("*.dist-info/METADATA")
    shutil.copy(built, clone / "PKG-INFO")
    subprocess.run(["git", "remote", "set-url", "origin", f"{SOURCE}-fork"], cwd=clone, check=True)
    kept, description = _metadata(clone, READTHEDOCS_CANONICAL_URL="https://docs.example/other")
    assert kept == made
    assert f"<{SOURCE}/blob/HEAD/docs/faq.rst>" in description
