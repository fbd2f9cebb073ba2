"""Dispatch to backends, where ``reg.backends`` is there to be measured."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from timing import Measurements, Timing, call, process_time

if TYPE_CHECKING:
    from reg.backends import BackendDispatcher

__all__ = ["backend_calls"]

_BACKEND = """
name = "quick"
def scale(data, factor, offset=0, *, device=0):
    return "backend"
class Model:
    def __init__(self, data):
        self.made_by = "backend"
"""
_GROUP = "reg_benchmark.backends"


def backend_calls(quick: bool) -> Measurements:
    """Calls and constructions on the host path and on the backend path."""
    if importlib.util.find_spec("reg.backends") is None:
        return
    from reg.backends import BackendDispatcher

    with tempfile.TemporaryDirectory() as directory:
        _install(Path(directory))
        sys.path.insert(0, directory)
        try:
            dispatcher = BackendDispatcher(
                entrypoint_group=_GROUP,
                host_name="host",
                trusted_backends={"quick": {"package": "reg-benchmark-backend"}},
            )
            yield from _calls(dispatcher)
        finally:
            sys.path.remove(directory)


def _install(directory: Path) -> None:
    (directory / "reg_benchmark_backend.py").write_text(_BACKEND)
    information = directory / "reg_benchmark_backend-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: reg-benchmark-backend\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text(f"[{_GROUP}]\nquick = reg_benchmark_backend\n")


def _calls(dispatcher: BackendDispatcher) -> Measurements:
    def direct(data: object, factor: object, offset: int = 0, *, device: int = 0) -> str:
        return "direct"

    @dispatcher.backend_dispatch
    def scale(data: object, factor: object, offset: int = 0) -> str:
        return "host"

    class Direct:
        def __init__(self, data: object) -> None:
            self.made_by = "direct"

    @dispatcher.backend_class
    class Model:
        def __init__(self, data: object) -> None:
            self.made_by = "host"

    names = {"data": [1], "factor": 2}

    def compared(row: str, arguments: str, expected: str, more: str = "") -> list[Timing]:
        return [
            call(row, "direct", f"f({arguments})", {**names, "f": direct}, "direct"),
            call(row, "reg", f"f({arguments}{more})", {**names, "f": scale}, expected),
        ]

    def constructed(row: str, expected: str) -> list[Timing]:
        statement = "cls(data).made_by"
        return [
            call(row, "direct", statement, {**names, "cls": Direct}, "direct"),
            call(row, "reg", statement, {**names, "cls": Model}, expected),
        ]

    yield compared("backend_dispatch, host", "data, factor, 3", "host")
    yield constructed("backend_class, host", "host")
    chosen = ", backend='quick'"
    yield compared("backend_dispatch, backend", "data, factor, 3", "backend", chosen)
    yield compared("… with an option of its own", "data, factor, 3, device=1", "backend", chosen)
    settings = dispatcher.settings
    with settings.use_backend("quick"):
        yield compared("… chosen by the setting", "data, factor, 3", "backend")
        yield constructed("backend_class, backend", "backend")
    with settings.use_backend(["quick", "cpu"]):
        yield compared("… chosen from a list", "data, factor, 3", "backend")

    def enter_and_leave(times: int) -> float:
        begin = process_time()
        for _ in repeat(None, times):
            with settings.use_backend("quick"):
                pass
        return process_time() - begin

    def check() -> None:
        with settings.use_backend("quick"):
            if settings.backend != "quick":
                raise AssertionError(f"use_backend: the backend is {settings.backend}")
        if settings.backend != "cpu":
            raise AssertionError(f"use_backend: the backend is still {settings.backend}")

    row = "use_backend, enter and leave"
    yield [
        call(row, "direct", "f(data, factor, 3)", {**names, "f": direct}, "direct"),
        Timing(row, "reg", enter_and_leave, check),
    ]
