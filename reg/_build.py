"""Which build runs the calls of generic functions, and why it is not the one in C."""

from __future__ import annotations

import sys
import sysconfig
from typing import Final, NamedTuple

from . import _fastcall

__all__ = ["Build", "build"]


class Build(NamedTuple):
    """The build of the calls of generic functions.

    :param name: ``"C"`` or ``"Python"``.
    :param reason: why it is the one in Python, such as ``"REG_PURE_PYTHON=1"``, ``"not built"``,
      ``"free-threaded"``, the name of an interpreter such as ``"PyPy"``, or the error with which
      the one in C is not imported; ``""`` for C.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} build" + (f": {self.reason}" if self.reason else "")


def _reason(failure: ImportError | None) -> str:
    if failure is None:
        return "REG_PURE_PYTHON=1"
    if sys.implementation.name != "cpython":
        return "PyPy" if sys.implementation.name == "pypy" else sys.implementation.name
    if isinstance(failure, ModuleNotFoundError) and sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "free-threaded"
    if isinstance(failure, ModuleNotFoundError):
        return "not built"
    return str(failure)


#: The build of this interpreter, chosen when the package was imported.
build: Final = Build("C", "") if _fastcall.compiled else Build("Python", _reason(_fastcall.failure))
