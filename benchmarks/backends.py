"""Dispatch to backends, with two backends installed in a folder for the time of it.

Beside it, where it is installed, ``scverse-backends``: a system of the same kind, with the same
host and the same backends.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

from reg.backends import BackendDispatcher

from timing import Measurements, Timing, call, process_time

__all__ = ["backend_calls"]

_QUICK = """
name = "quick"
array_types = ["reg_benchmark_quick:Array"]

class Array: ...

def scale(data, factor, offset=0, *, device=0):
    return "backend"

class Model:
    def __init__(self, data):
        self.made_by = "backend"
"""
_CHOOSY = """
name = "choosy"

def can_run(function_name, arguments):
    return True

def scale(data, factor, offset=0):
    return "backend"
"""
_GROUP = "reg_benchmark.backends"


def backend_calls(quick: bool) -> Measurements:
    """Calls and constructions on the host path and on the backend path."""
    with tempfile.TemporaryDirectory() as directory:
        for name, source in (("quick", _QUICK), ("choosy", _CHOOSY)):
            _install(Path(directory), name, source)
        sys.path.insert(0, directory)
        try:
            yield from _calls(_Host())
        finally:
            sys.path.remove(directory)


def _install(directory: Path, name: str, source: str) -> None:
    (directory / f"reg_benchmark_{name}.py").write_text(source)
    information = directory / f"reg_benchmark_{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: reg-benchmark-{name}\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text(f"[{_GROUP}]\n{name} = reg_benchmark_{name}\n")


class _System:
    """A host that one of the systems makes.

    :param name: the name of the system.
    :param dispatcher: its dispatcher.
    """

    def __init__(self, name: str, dispatcher: Any) -> None:
        self.name = name
        self.settings = dispatcher.settings
        self.decorate = dispatcher.backend_dispatch

        def scale(data: object, factor: object, offset: int = 0) -> str:
            return "host"

        class Model:
            def __init__(self, data: object) -> None:
                self.made_by = "host"

        self.scale = self.decorate(scale)
        make = getattr(dispatcher, "backend_class", None)
        self.model = None if make is None else make(Model)


class _Host:
    """A host with a function and a class, beside those that dispatch to nothing."""

    def __init__(self) -> None:
        options: dict[str, Any] = {
            "entrypoint_group": _GROUP,
            "host_name": "host",
            "trusted_backends": {
                name: {"aliases": [], "package": f"reg-benchmark-{name}"}
                for name in ("quick", "choosy")
            },
        }
        self.dispatcher = BackendDispatcher(**options)
        self.systems = [_System("reg", self.dispatcher)]
        if importlib.util.find_spec("scverse_backends") is not None:
            from scverse_backends import BackendDispatcher as Other

            self.systems.append(_System("scverse-backends", Other(**options)))

        def direct(data: object, factor: object, offset: int = 0, *, device: int = 0) -> str:
            return "direct"

        class Direct:
            def __init__(self, data: object) -> None:
                self.made_by = "direct"

        self._direct, self._direct_class = direct, Direct

    @contextmanager
    def using(self, backend: str) -> Iterator[None]:
        """Choose a backend in all systems."""
        with ExitStack() as stack:
            for system in self.systems:
                stack.enter_context(system.settings.use_backend(backend))
            yield

    def called(
        self,
        row: str,
        expected: str,
        arguments: str = "data, factor, 3",
        more: str = "",
        data: object = None,
        alone: bool = False,
    ) -> list[Timing]:
        """A call of the function beside a direct one.

        :param row: the name of the comparison.
        :param expected: the answer of the dispatched call.
        :param arguments: the arguments of both calls.
        :param more: those of the dispatched call besides.
        :param data: the value of ``data``.
        :param alone: true for what other systems do not have.
        """
        names = {"data": [1] if data is None else data, "factor": 2}
        timings = [call(row, "direct", f"f({arguments})", {**names, "f": self._direct}, "direct")]
        for system in self.systems[:1] if alone else self.systems:
            statement = f"f({arguments}{more})"
            timings.append(
                call(row, system.name, statement, {**names, "f": system.scale}, expected)
            )
        return timings

    def constructed(self, row: str, expected: str) -> list[Timing]:
        """A construction of an object beside a direct one.

        :param row: the name of the comparison.
        :param expected: by whom the object is to be made.
        """
        statement = "cls(data).made_by"
        timings = [
            call(row, "direct", statement, {"data": [1], "cls": self._direct_class}, "direct")
        ]
        for system in self.systems:
            if system.model is not None:
                names = {"data": [1], "cls": system.model}
                timings.append(call(row, system.name, statement, names, expected))
        return timings

    def entered(self, row: str) -> list[Timing]:
        """A ``use_backend`` block beside a direct call."""

        def entering(system: _System) -> Timing:
            settings = system.settings

            def run(times: int) -> float:
                begin = process_time()
                for _ in repeat(None, times):
                    with settings.use_backend("quick"):
                        pass
                return process_time() - begin

            def check() -> None:
                with settings.use_backend("quick"):
                    assert settings.backend == "quick"
                assert settings.backend == "cpu"

            return Timing(row, system.name, run, check)

        return [self.called(row, "host")[0], *map(entering, self.systems)]

    def decorated(self, row: str) -> list[Timing]:
        """The decoration of a function, beside a call of it."""

        def decorating(system: _System) -> Timing:
            def run(times: int) -> float:
                begin = process_time()
                for _ in repeat(None, times):
                    system.decorate(_documented)
                return process_time() - begin

            def check() -> None:
                assert system.decorate(_documented)([1], 2) == "host"

            return Timing(row, system.name, run, check, times=50)

        return [self.called(row, "host")[0], *map(decorating, self.systems)]

    def recorded(self, row: str) -> Iterator[Timing]:
        """A call under ``record()``, beside a direct one; each run begins a new record."""
        direct, dispatched = self.called(row, "backend", more=", backend='quick'", alone=True)
        record: Callable[[], Any] = self.dispatcher.record

        def run(times: int) -> float:
            with record():
                return dispatched.run(times)

        def check() -> None:
            with record() as records:
                dispatched.check()
            assert len(records) == 1

        yield direct
        yield Timing(row, "reg", run, check)


def _calls(host: _Host) -> Measurements:
    chosen = ", backend='quick'"
    yield host.called("backend_dispatch, host", "host")
    yield host.constructed("backend_class, host", "host")
    yield host.called("backend, chosen in the call", "backend", more=chosen)
    yield host.called(
        "backend, with an option of its own", "backend", "data, factor, 3, device=1", chosen
    )
    with host.using("quick"):
        yield host.called("backend, chosen by the setting", "backend")
        yield host.constructed("backend_class, backend", "backend")
    settings = host.dispatcher.settings
    with settings.use_backend(["quick", "cpu"]):
        yield host.called("backend, first of a list", "backend", alone=True)
    import reg_benchmark_quick

    with settings.use_backend("auto"):
        array = reg_benchmark_quick.Array()
        yield host.called("backend, auto", "backend", data=array, alone=True)
    with settings.use_backend("choosy"):
        yield host.called("backend, which can_run asks", "backend", alone=True)
    yield list(host.recorded("backend, under record()"))
    yield host.entered("use_backend, enter and leave")
    yield host.decorated("backend_dispatch, decoration")


def _documented(data: object, factor: object, offset: int = 0) -> str:
    """Scale data.

    Parameters
    ----------
    data : object
        The data.
    factor : object
        A factor.
    offset : int
        An offset.

    Returns
    -------
    str
        The name of the system that ran it.
    """
    return "host"
