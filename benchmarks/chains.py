"""Warm calls whose implementation calls the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import reg

import peers
from functions import Document, Report, generic_function
from timing import Measurements, Timing, call

__all__ = ["chained_call", "chained_calls"]


def chained_calls(quick: bool) -> Measurements:
    """``call_next`` once, in one registry and across two, beside two direct calls."""
    for across in (False, True):
        for with_arguments in (True, False):
            yield list(chained_call(with_arguments, across))


def chained_call(with_arguments: bool, across: bool, with_peers: bool = True) -> Iterator[Timing]:
    """A call of an implementation that calls the next one, beside two direct calls.

    :param with_arguments: whether ``call_next`` is given the argument.
    :param across: whether the two implementations are in two registries.
    :param with_peers: whether other libraries are measured too.
    """

    def last(item: Document) -> str:
        return "Document"

    def direct(item: Report) -> str:
        return last(item)

    def with_item(item: Report, call_next: Any) -> Any:
        return call_next(item)

    def without_item(item: Report, call_next: Any) -> Any:
        return call_next()

    row = "call_next(item)" if with_arguments else "call_next()"
    first = with_item if with_arguments else without_item
    app, framework = reg.ClassRegistry(), reg.ClassRegistry()
    generic = generic_function(1)
    framework.register(generic, [Document], last)
    if across:
        row += ", across two"
        app.register(generic, [Report], first)
    else:
        framework.register(generic, [Report], first)
    composed = reg.ListClassLookup([app, framework])
    reg.implicit.initialize(reg.Lookup(composed if across else framework))
    names = {"item": Report()}
    yield call(row, "direct", "f(item)", {**names, "f": direct}, "Document")
    yield call(row, "reg", "f(item)", {**names, "f": generic}, "Document")
    if with_peers:
        function = peers.calling_next(Report, Document)
        yield call(row, "ovld", "f(item)", {**names, "f": function}, "Document")
