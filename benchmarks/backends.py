"""Dispatch to backends, where ``reg.backends`` is there to be measured."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

from timing import Measurements, call

__all__ = ["backend_calls"]

_BACKEND = """
name = "quick"
def scale(data, factor, *, offset=0):
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


def _calls(dispatcher: Any) -> Measurements:
    def direct(data: object, factor: object, *, offset: int = 0) -> str:
        return "host"

    @dispatcher.backend_dispatch
    def scale(data: object, factor: object, *, offset: int = 0) -> str:
        return "host"

    class Direct:
        def __init__(self, data: object) -> None:
            self.made_by = "host"

    @dispatcher.backend_class
    class Model:
        def __init__(self, data: object) -> None:
            self.made_by = "host"

    names = {"data": [1], "factor": 2}
    statement = "f(data, factor, offset=3)"
    row = "backend_dispatch, host"
    yield [
        call(row, "direct", statement, {**names, "f": direct}, "host"),
        call(row, "reg", statement, {**names, "f": scale}, "host"),
    ]
    row, statement_of_class = "backend_class, host", "cls(data).made_by"
    yield [
        call(row, "direct", statement_of_class, {**names, "cls": Direct}, "host"),
        call(row, "reg", statement_of_class, {**names, "cls": Model}, "host"),
    ]
    with dispatcher.settings.use_backend("quick"):
        row = "backend_dispatch, backend"
        yield [
            call(row, "direct", statement, {**names, "f": direct}, "host"),
            call(row, "reg", statement, {**names, "f": scale}, "backend"),
        ]
