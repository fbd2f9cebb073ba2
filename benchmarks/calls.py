"""Warm positional calls: plain, inherited, composed, and as a method."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import reg

from functions import (
    AuditedReport,
    Document,
    Printer,
    generic_function,
    implementations,
    register,
)
from peers import PEERS
from timing import Measurements, Timing, call

__all__ = ["composed_call", "plain_call", "positional_calls", "union_call"]


def positional_calls(quick: bool) -> Measurements:
    """Calls by the one implicit lookup."""
    for arity in (1, 2):
        yield list(plain_call(arity, f"call, {arity}", Document()))
        yield list(plain_call(arity, f"deep call, {arity}", AuditedReport()))
        yield list(local_class_call(arity))
        yield list(composed_call(arity))
    yield list(composed_call(1, "merged", reg.MergedClassLookup))
    yield list(union_call())
    yield list(method_call())


def plain_call(arity: int, row: str, item: Document, with_peers: bool = True) -> Iterator[Timing]:
    """A call beside the direct one, the loop alone, and other libraries.

    :param arity: the number of arguments, 1 or 2.
    :param row: the name of the comparison.
    :param item: the first argument.
    :param with_peers: whether other libraries are measured too.
    """
    registry = reg.Registry()
    generic = generic_function(arity)
    register(registry, generic, implementations(arity))
    reg.implicit.initialize(registry)
    names = {"item": item, "printer": Printer()}
    arguments = ", ".join(list(names)[:arity])
    statement = f"f({arguments})"
    # Each library has functions of its own, so that none warms up the code of another.
    direct = implementations(arity)[0][1]
    yield call(row, "nothing", "None", {}, None)
    yield call(row, "direct", statement, {**names, "f": direct}, "Document")
    yield call(row, "reg", statement, {**names, "f": generic}, "Document")
    for peer, (make, most) in PEERS.items() if with_peers else ():
        if arity <= most:
            function = make(implementations(arity))
            yield call(row, peer, statement, {**names, "f": function}, "Document")


def composed_call(
    arity: int, row: str = "composed", compose: Callable[[Any], Any] = reg.ListClassLookup
) -> Iterator[Timing]:
    """A call through an application's registry before a framework's, for an inherited class.

    :param arity: the number of arguments, 1 or 2.
    :param row: the name of the comparison, without the number.
    :param compose: composes the two registries.
    """
    row = f"{row}, {arity}"
    app, framework = reg.ClassRegistry(), reg.ClassRegistry()
    generic = generic_function(arity)
    pairs = implementations(arity)
    register(framework, generic, pairs)
    register(app, generic, pairs[1:])
    reg.implicit.initialize(reg.Lookup(compose([app, framework])))
    names = {"item": AuditedReport(), "printer": Printer()}
    statement = f"f({', '.join(list(names)[:arity])})"
    direct = implementations(arity)[0][1]
    yield call(row, "direct", statement, {**names, "f": direct}, "Document")
    yield call(row, "reg", statement, {**names, "f": generic}, "Document")


def union_call() -> Iterator[Timing]:
    """A call of an implementation that is registered for a union."""
    row = "union"
    registry = reg.Registry()
    generic = generic_function(1)
    implementation = implementations(1)[0][1]
    registry.register(generic, [Document | Printer], implementation)
    reg.implicit.initialize(registry)
    names = {"item": AuditedReport()}
    yield call(row, "direct", "f(item)", {**names, "f": implementations(1)[0][1]}, "Document")
    yield call(row, "reg", "f(item)", {**names, "f": generic}, "Document")


class DirectShelf:
    def size(self, item: Document) -> str:
        return "Document"


class GenericShelf:
    @reg.generic
    def size(self, item: object) -> Any:
        raise NotImplementedError


def method_call() -> Iterator[Timing]:
    """A generic method beside a method."""

    def size(self: GenericShelf, item: Document) -> str:
        return "Document"

    registry = reg.Registry()
    registry.register(GenericShelf.size, [GenericShelf, Document], size)
    reg.implicit.initialize(registry)
    item = Document()
    yield call("method", "direct", "o.size(item)", {"o": DirectShelf(), "item": item}, "Document")
    yield call("method", "reg", "o.size(item)", {"o": GenericShelf(), "item": item}, "Document")


def local_class_call(arity: int) -> Iterator[Timing]:
    """A call with an instance of a class that is no attribute of a module."""

    class LocalDocument(Document): ...

    return plain_call(arity, f"local class, {arity}", LocalDocument(), with_peers=False)
