"""Leaves out the extension in C where it is not wanted: all else is in ``pyproject.toml``.

``REG_NO_EXTENSION=1`` builds the wheel for every interpreter, ``py3-none-any``. Other interpreters
than CPython get it as well, without the attempt to compile.
"""

import os
import sys

from setuptools import Distribution, setup


class PureDistribution(Distribution):
    """A distribution without extensions."""

    def has_ext_modules(self) -> bool:
        return False


is_pure = os.environ.get("REG_NO_EXTENSION") == "1" or sys.implementation.name != "cpython"
setup(distclass=PureDistribution if is_pure else Distribution)
