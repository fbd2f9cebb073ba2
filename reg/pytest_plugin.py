"""Fixtures for the tests of applications, found by pytest on its own."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Generator, Iterator
from types import FrameType
from typing import Any

import pytest

from .compose import ChainClassLookup
from .implicit import Implicit, implicit
from .lookup import Lookup
from .registry import Registry

_SECTION = "reg explains"


@pytest.fixture
def reg_implicit() -> Iterator[Implicit]:
    """``reg.implicit``, put back after the test as it was, for all threads and this scope."""
    with implicit.preserved():
        yield implicit


@pytest.fixture
def reg_registry(reg_implicit: Implicit) -> Registry:
    """A fresh registry over the present implicit lookup, in its place for one test."""
    registry = Registry(name="reg_registry")
    present = reg_implicit.lookup
    if isinstance(present, Lookup):
        registry.class_lookup = ChainClassLookup(registry.registry, present.class_lookup)
    elif present is not None:
        raise TypeError(
            f"reg_registry can be laid over a reg.Lookup only; the implicit lookup is {present!r}"
        )
    reg_implicit.initialize(registry)
    return registry


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if (
        call.when == "call"
        and call.excinfo is not None
        and call.excinfo.errisinstance(AssertionError)
    ):
        frame = call.excinfo.traceback[-1]
        report.sections += [
            (_SECTION, text) for text in _explanations(frame._rawentry.tb_frame, frame.lineno + 1)
        ]
    return report


def _explanations(frame: FrameType, lineno: int) -> list[str]:
    """Explain the calls of generic functions in the statement that failed.

    Nothing is called for it: only arguments that are names or constants are
    known, and of a call its class, if it is one of a class.
    """
    source = "".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals))
    try:
        module = ast.parse(source)
    except SyntaxError:
        return []
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Assert) and node.lineno <= lineno <= (node.end_lineno or 0):
            for each in ast.walk(node.test):
                text = _explained(each, frame) if isinstance(each, ast.Call) else None
                if text is not None and text not in found:
                    found.append(text)
    return found


def _explained(node: ast.Call, frame: FrameType) -> str | None:
    generic = _value(node.func, frame)
    if not hasattr(generic, "__reg_dispatch__") or node.keywords or not node.args:
        lookups = [each for each in node.keywords if each.arg == "lookup"]
        if not hasattr(generic, "__reg_dispatch__") or len(lookups) != len(node.keywords):
            return None
        lookup = _value(lookups[0].value, frame) if lookups else implicit.lookup
    else:
        lookup = implicit.lookup
    if not isinstance(lookup, Lookup):
        return None
    classes = []
    for argument in node.args:
        if isinstance(argument, ast.Call):
            cls = _value(argument.func, frame)
            if not isinstance(cls, type):
                return None
        elif (value := _value(argument, frame)) is _UNKNOWN:
            return None
        else:
            cls = value.__class__
        classes.append(cls)
    return str(lookup.explain_classes(generic, classes))


_UNKNOWN: Any = object()


def _value(node: ast.expr, frame: FrameType) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return {**frame.f_globals, **frame.f_locals}.get(node.id, _UNKNOWN)
    if isinstance(node, ast.Attribute) and node.attr not in ("component", "all"):
        return (
            vars(owner).get(node.attr, _UNKNOWN)
            if hasattr(owner := _value(node.value, frame), "__dict__")
            else _UNKNOWN
        )
    if isinstance(node, ast.Attribute):
        return _value(node.value, frame)
    return _UNKNOWN
