"""Testing backends against their host."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from reg.arginfo import arginfo

from .dispatcher import BackendDispatcher
from .reports import Record

__all__ = ["HostSuite", "run_conformance"]


class HostSuite:
    """The tests of a host, as the pytest plugin runs them on backends.

    A host returns one from the hook ``pytest_reg_host`` in its ``conftest.py``.

    :param dispatcher: the host's dispatcher.
    :param tolerances: by name of a function, how far a backend may be off, for
      example ``{"rtol": 1e-6}``; given to tests by the fixture ``reg_tolerance``.
    :param expected_failures: by name of a backend, reasons by name of a test, or
      of a function that a test names with the marker ``backend_functions``.
    """

    def __init__(
        self,
        dispatcher: BackendDispatcher,
        *,
        tolerances: Mapping[str, Mapping[str, float]] | None = None,
        expected_failures: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.dispatcher = dispatcher
        self.tolerances = dict(tolerances or {})
        self.expected_failures = dict(expected_failures or {})

    def expected_failure(self, backend: str, names: Iterable[str]) -> str | None:
        """Why a test with one of these names is expected to fail on a backend.

        :param backend: the name of the backend.
        :param names: the names that the test goes by.
        :return: the reason; ``None`` if it is expected to pass.
        """
        reasons = self.expected_failures.get(backend, {})
        return next((reasons[name] for name in names if name in reasons), None)

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Begin a ``with`` block with no choice made and nothing discovered.

        Afterwards everything is as it was before; see ``dispatcher.testing``.

        :return: a context manager.
        """
        with self.dispatcher.testing.isolated():
            yield

    @contextmanager
    def running_on(self, backend: str) -> Iterator[list[Record]]:
        """Make a backend the default of the whole process, and record calls.

        :param backend: its name or alias.
        :return: a context manager, which gives the list of records.
        :raises ValueError: if there is no backend of that name.
        :raises ImportError: if it is not installed, or does not load.
        """
        with self.isolated():
            self.dispatcher.settings.default_backend = backend
            with self.dispatcher.record() as records:
                yield records


def run_conformance(
    *,
    backend_name: str,
    tests: Mapping[str, Callable[..., Any]],
    get_backend: Callable[[str], Any],
    functions: Iterable[str] | None = None,
    raise_on_failure: bool = True,
) -> dict[str, str]:
    """Run a host's tests of its functions on one backend.

    :param backend_name: name or alias of the backend.
    :param tests: by name of a function, a test of an implementation of it, which
      is called with ``backend_name``, or without arguments if it takes none.
    :param get_backend: finds the backend: that of the host's dispatcher.
    :param functions: the names of the functions to test; all, if left out.
    :param raise_on_failure: whether to raise the error of a failing test,
      instead of going on with the next.
    :return: by name ``"PASSED"``, ``"SKIPPED (…)"`` with the reason, or ``"FAILED: …"`` with
      the message. A function that the backend lacks is ``"SKIPPED (not implemented)"``.
    :raises ValueError: if there is no such backend, or no test of such a name.
    """
    names = _filtered(tests, functions)
    backend = _resolved(backend_name, get_backend)
    results: dict[str, str] = {}
    for name in names:
        if getattr(backend, name, None) is None:
            results[name] = "SKIPPED (not implemented)"
            continue
        test = tests[name]
        try:
            test(*(() if _takes_nothing(test) else (backend_name,)))
        except BaseException as error:
            reason = _skipped(error)
            if reason is not None:
                results[name] = f"SKIPPED ({reason})"
                continue
            if raise_on_failure or not _is_failure(error):
                error.add_note(f"in the conformance test of {name}() on {backend_name!r}")
                raise
            results[name] = f"FAILED: {error}" if str(error) else f"FAILED: {type(error).__name__}"
        else:
            results[name] = "PASSED"
    return results


def _filtered(
    tests: Mapping[str, Callable[..., Any]], functions: Iterable[str] | None
) -> list[str]:
    if functions is None:
        return list(tests)
    if isinstance(functions, (str, bytes)) or not isinstance(functions, Iterable):
        raise ValueError(f"functions must be a sequence of non-empty strings; got {functions!r}")
    names = list(functions)
    for name in names:
        if not isinstance(name, str) or name not in tests:
            raise ValueError(
                f"Unknown conformance functions: {[name]}; there are tests of"
                f" {', '.join(tests) or 'nothing'}"
            )
    return list(dict.fromkeys(names))


def _resolved(backend_name: str, get_backend: Callable[[str], Any]) -> Any:
    try:
        backend = get_backend(backend_name)
    except ImportError as error:
        raise ValueError(f"the backend {backend_name!r} cannot be tested: {error}") from error
    if backend is None:
        raise ValueError(f"Backend {backend_name!r} not found, so that it cannot be tested")
    return backend


def _takes_nothing(test: Callable[..., Any]) -> bool:
    try:
        taken = arginfo(test)
    except TypeError:
        return False
    return not taken.args and taken.varargs is None


def _is_failure(error: BaseException) -> bool:
    # The error of pytest.fail() is no Exception.
    return isinstance(error, Exception) or type(error).__qualname__ == "Failed"


def _skipped(error: BaseException) -> str | None:
    """Why a test skipped itself; ``None`` if it did not."""
    # pytest's exception by name: it need not be installed.
    if isinstance(error, unittest.SkipTest) or type(error).__qualname__ == "Skipped":
        return str(error)
    return None
