"""Classes and implementations that the cases have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reg

from peers import Implementations, annotated

__all__ = [
    "AuditedReport",
    "Content",
    "Document",
    "Image",
    "Printer",
    "Report",
    "Screen",
    "generic_function",
    "implementations",
    "register",
]


class Content: ...


class Document(Content): ...


class Image(Content): ...


class Report(Document): ...


class AnnualReport(Report): ...


class AuditedReport(AnnualReport): ...


class Printer: ...


class Screen: ...


def implementations(arity: int) -> Implementations:
    """Write implementations for a document on a printer and for an image on a screen.

    :param arity: the number of arguments, 1 or 2; with one there is no device.
    :return: pairs of classes and function; the functions return ``"Document"`` and ``"Image"``.
    """
    return [
        (classes, annotated(classes, cls.__name__))
        for cls, device in ((Document, Printer), (Image, Screen))
        for classes in [(cls, device)[:arity]]
    ]


def generic_function(arity: int) -> Any:
    """Make a generic function without implementations.

    :param arity: the number of its parameters, 1 or 2.
    """

    def size(item: object) -> Any:
        raise NotImplementedError

    def size_on(item: object, device: object) -> Any:
        raise NotImplementedError

    functions: list[Callable[..., Any]] = [size, size_on]
    return reg.generic(functions[arity - 1])


def register(registry: Any, generic: Any, pairs: Implementations) -> None:
    """Register several implementations.

    :param registry: the registry.
    :param generic: the generic function.
    :param pairs: pairs of classes and function.
    """
    for classes, implementation in pairs:
        registry.register(generic, classes, implementation)
