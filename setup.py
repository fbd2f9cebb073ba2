"""Leaves out the extension in C where it is not wanted, and the README's links to files.

All else is in ``pyproject.toml``. ``REG_NO_EXTENSION=1`` builds the wheel for every interpreter,
``py3-none-any``. Free-threaded builds and other interpreters than CPython get it as well, without
the attempt to compile; ``REG_EXTENSION=1`` compiles the extension for a free-threaded build, where
it is an experiment.
"""

import os
import re
import sys
import sysconfig
from pathlib import Path

from setuptools import Distribution, setup


class PureDistribution(Distribution):
    """A distribution without extensions."""

    def has_ext_modules(self) -> bool:
        return False


def readme() -> str:
    """The README for a package index, where links to files of the repository lead nowhere."""
    text = Path(__file__).with_name("README.rst").read_text(encoding="utf-8")
    return re.sub(r"`([^`<]+?)\s+<(?!https?:)[^>]+>`_", r"\1", text)


is_free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
is_pure = (
    os.environ.get("REG_NO_EXTENSION") == "1"
    or (is_free_threaded and os.environ.get("REG_EXTENSION") != "1")
    or sys.implementation.name != "cpython"
)
setup(
    distclass=PureDistribution if is_pure else Distribution,
    long_description=readme(),
    long_description_content_type="text/x-rst",
)
