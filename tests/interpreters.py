"""In which ways interpreters differ, for tests that depend on it; and further ones in a process."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Whether a new thread starts in a copy of its parent's context: by default in free-threaded
#: builds since Python 3.14, and with ``-X thread_inherit_context=1``.
THREADS_INHERIT_CONTEXT = bool(getattr(sys.flags, "thread_inherit_context", False))

#: Whether there can be several interpreters in one process.
HAS_OTHERS = sys.implementation.name == "cpython"


@contextmanager
def another_interpreter() -> Iterator[Callable[[str], None]]:
    """Open an interpreter in this process, and close it at the end.

    From Python 3.12 on, it is isolated, with a lock of its own.

    :return: runs a program in it, in the running thread.
    """
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    interpreters = importlib.import_module(name)
    if sys.version_info < (3, 12):
        identity = interpreters.create(isolated=False)  # an isolated one has no threads
    else:
        identity = interpreters.create()

    def run(program: str) -> None:
        # Of a failure, older versions raise an error, and newer ones return it.
        failure = interpreters.run_string(identity, program)
        if failure is not None:
            raise AssertionError(failure.errdisplay)

    try:
        yield run
    finally:
        interpreters.destroy(identity)
