"""Adds to ``pyproject.toml`` the facts that depend on where the distribution is built.

These are the extension in C, the addresses of the project, and the README for a package index.

``REG_NO_EXTENSION=1`` builds the wheel for every interpreter, ``py3-none-any``. Free-threaded
builds and other interpreters than CPython get it as well, without the attempt to compile;
``REG_EXTENSION=1`` compiles the extension for a free-threaded build, where it is an experiment.
"""

import os
import re
import subprocess
import sys
import sysconfig
from email import message_from_string
from pathlib import Path

from setuptools import Distribution, setup

HERE = Path(__file__).parent


class PureDistribution(Distribution):
    """A distribution without extensions."""

    def has_ext_modules(self) -> bool:
        return False


def repository() -> str | None:
    """The public address of the repository that this is a clone of, without credentials."""
    if not HERE.joinpath(".git").exists():
        return None
    command = ["git", "remote", "get-url", "origin"]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    except OSError:
        return None
    host = r"(?:[^@/]+@)?([\w-]+(?:\.[\w-]+)+"
    path = r"((?:[\w.~-]+/)+[\w.~-]+?)(?:\.git)?/?"
    for form in (rf"https://{host}(?::\d+)?)/", rf"ssh://{host})(?::\d+)?/", rf"{host}):"):
        if address := re.fullmatch(form + path, done.stdout.strip()):
            return f"https://{address[1]}/{address[2]}"
    return None


def addresses() -> dict[str, str]:
    """The addresses of the project by their labels: none that is not known where this is built.

    A source distribution has them from where it was made. A clone knows its ``origin``, and the
    documentation's address from ``REG_DOCUMENTATION_URL`` or from Read the Docs.
    """
    information = HERE / "PKG-INFO"
    if information.is_file():
        header = message_from_string(information.read_text(encoding="utf-8"))
        return dict(url.split(", ", 1) for url in header.get_all("Project-URL", []))
    urls = {}
    for variable in ("READTHEDOCS_CANONICAL_URL", "REG_DOCUMENTATION_URL"):
        if documentation := os.environ.get(variable):
            urls["Documentation"] = documentation.rstrip("/") + "/"
    if source := repository():
        urls["Source"] = source
        urls["Issues"] = f"{source}/issues"
        urls["Changelog"] = f"{source}/blob/HEAD/CHANGES.rst"
    return urls


def readme(source: str | None) -> str:
    """The README for a package index, where links to files need the repository's address."""

    def whole(link: re.Match[str]) -> str:
        text, target = link[1], link[2]
        return f"`{text} <{source}/blob/HEAD/{target}>`_" if source else text

    text = HERE.joinpath("README.rst").read_text(encoding="utf-8")
    return re.sub(r"`([^`<]+?)\s+<(?!https?:)([^>]+)>`_", whole, text)


is_free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
is_pure = (
    os.environ.get("REG_NO_EXTENSION") == "1"
    or (is_free_threaded and os.environ.get("REG_EXTENSION") != "1")
    or sys.implementation.name != "cpython"
)
urls = addresses()
setup(
    distclass=PureDistribution if is_pure else Distribution,
    long_description=readme(urls.get("Source")),
    long_description_content_type="text/x-rst",
    project_urls=urls,
)
