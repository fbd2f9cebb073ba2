"""Warm calls with more than positional arguments, and the other ways to ask."""

from __future__ import annotations

from typing import Any

import reg

import peers
from functions import Document, Image, Printer
from timing import Measurements, call

__all__ = ["keyword_calls"]


def keyword_calls(quick: bool) -> Measurements:
    """Calls with keywords, with defaults left out, with ``lookup=`` and ``default=``."""
    yield from _calls_with_options()
    yield from _calls_by_keyword()
    yield from _named_dispatch()
    yield from _implementations_that_ask()
    yield from _any_number()


def _calls_with_options() -> Measurements:
    registry, names = _registry_and_names()

    def size(item: Document, *, unit: str = "") -> str:
        return unit

    def other(item: object) -> str:
        return ""

    generic = _generic(registry, size)
    direct, called = {**names, "f": size}, {**names, "f": generic}
    yield [
        call("lookup=", "direct", "f(item)", direct, ""),
        call("lookup=", "reg", "f(item, lookup=registry)", called, ""),
    ]
    yield [
        call("keyword", "direct", "f(item, unit=unit)", direct, "byte"),
        call("keyword", "reg", "f(item, unit=unit)", called, "byte"),
        *(
            call("keyword", peer, "f(item, unit=unit)", {**names, "f": function}, "byte")
            for peer, function in peers.with_keyword(Document).items()
        ),
    ]
    yield [
        call("default=", "direct", "f(item)", direct, ""),
        call("default=", "reg", "f(item, default=None)", called, ""),
    ]
    row = "default=, without implementation"
    yield [
        call(row, "direct", "f(image)", {**names, "f": other}, ""),
        call(row, "reg", "f(image, default='')", called, ""),
    ]
    yield [
        call("component()", "direct", "f(item)", direct, ""),
        call("component()", "reg", "f.component(item)", called, size),
    ]
    yield [
        call("all()", "direct", "f(item)", direct, ""),
        call("all()", "reg", "f.all(item)", called, [size]),
    ]


def _calls_by_keyword() -> Measurements:
    """Calls that dispatch on parameters passed by keyword, or left out.

    The implementation is registered for both parameters.
    """
    registry, names = _registry_and_names()

    @reg.generic
    def head(page: object, indent: object = " ") -> Any:
        return "the function itself"

    def head_of_page(page: Document, indent: str = " ") -> str:
        return indent

    registry.register(head, [Document, str], head_of_page)
    for row, statement, expected in (
        ("by keyword", "f(page=item, indent=indent)", "\t"),
        ("second by keyword", "f(item, indent=indent)", "\t"),
        ("default left out", "f(item)", " "),
        ("by keyword, default left out", "f(page=item)", " "),
    ):
        yield [
            call(row, "direct", statement, {**names, "f": head_of_page}, expected),
            call(row, "reg", statement, {**names, "f": head}, expected),
            *(
                call(row, peer, statement, {**names, "f": function}, expected)
                for peer, function in peers.by_keyword(Document, statement == "f(item)").items()
            ),
        ]


def _named_dispatch() -> Measurements:
    registry, names = _registry_and_names()

    @reg.generic("item", "device")
    def size(item: object, unit: str, device: object) -> Any:
        raise NotImplementedError

    def size_on_printer(item: Document, unit: str, device: Printer) -> str:
        return unit

    registry.register(size, [Document, Printer], size_on_printer)
    for row, statement in (
        ("named, by keyword", "f(item=item, unit=unit, device=printer)"),
        ("named, by position", "f(item, unit, printer)"),
    ):
        by_keyword = row == "named, by keyword"
        others = peers.by_name(Document, Printer) if by_keyword else {}
        yield [
            call(row, "direct", statement, {**names, "f": size_on_printer}, "byte"),
            call(row, "reg", statement, {**names, "f": size}, "byte"),
            *(
                call(row, peer, statement, {**names, "f": function}, "byte")
                for peer, function in others.items()
            ),
        ]


def _implementations_that_ask() -> Measurements:
    """Implementations with a parameter that the call fills in."""
    registry, names = _registry_and_names()

    def taking_lookup(item: Document, *, lookup: Any = None) -> Any:
        return lookup

    def taking_call_next(item: Document, *, call_next: Any = None) -> str:
        return "Document"

    row, generic = "lookup taken", _generic(registry, taking_lookup)
    yield [
        call(row, "direct", "f(item, lookup=registry)", {**names, "f": taking_lookup}, registry),
        call(row, "reg", "f(item)", {**names, "f": generic}, registry),
    ]
    row = "lookup= and taken"
    yield [
        call(row, "direct", "f(item, lookup=registry)", {**names, "f": taking_lookup}, registry),
        call(row, "reg", "f(item, lookup=registry)", {**names, "f": generic}, registry),
    ]
    row, generic = "call_next taken, not called", _generic(registry, taking_call_next)
    yield [
        call(row, "direct", "f(item)", {**names, "f": taking_call_next}, "Document"),
        call(row, "reg", "f(item)", {**names, "f": generic}, "Document"),
    ]


def _any_number() -> Measurements:
    """Calls of a function of any number of arguments; the implementation takes any, too."""
    registry, names = _registry_and_names()

    @reg.generic
    def join(*items: object) -> Any:
        raise NotImplementedError

    def join_documents(first: Document, *rest: Document) -> str:
        return "Document"

    registry.register(join, [Document, reg.Rest(Document)], join_documents)
    peers_of_join = peers.any_number(Document)
    for number in (1, 2, 4):
        row, statement = f"any number, {number}", f"f({', '.join(['item'] * number)})"
        yield [
            call(row, "direct", statement, {**names, "f": join_documents}, "Document"),
            call(row, "reg", statement, {**names, "f": join}, "Document"),
            *(
                call(row, peer, statement, {**names, "f": function}, "Document")
                for peer, function in peers_of_join.items()
            ),
        ]


def _registry_and_names() -> tuple[Any, dict[str, Any]]:
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    names = {
        "item": Document(),
        "image": Image(),
        "printer": Printer(),
        "registry": registry,
        "unit": "byte",
        "indent": "\t",
    }
    return registry, names


def _generic(registry: Any, implementation: Any) -> Any:
    @reg.generic
    def size(item: object) -> Any:
        raise NotImplementedError

    registry.register(size, [Document], implementation)
    return size
