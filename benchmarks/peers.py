"""The same generic function in other libraries, to compare with.

Each peer is given the implementations that reg is given, in the way its own
documentation shows. They are pinned in ``requirements.txt``.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

__all__ = ["PEERS", "Implementations", "annotated", "versions"]

#: for a tuple of classes, the function that implements
Implementations: TypeAlias = "Sequence[tuple[tuple[type, ...], Callable[..., Any]]]"


def _ovld(implementations: Implementations) -> Callable[..., Any]:
    from ovld import Ovld

    function = Ovld(name="size")
    for _, implementation in implementations:
        function.register(implementation)
    called: Callable[..., Any] = function.dispatch
    return called


def _plum(implementations: Implementations) -> Callable[..., Any]:
    from plum import Dispatcher

    dispatcher = Dispatcher()
    function: Any = None
    for _, implementation in implementations:
        function = dispatcher(implementation)
    return function  # type: ignore[no-any-return]


def _multipledispatch(implementations: Implementations) -> Callable[..., Any]:
    from multipledispatch import Dispatcher

    function: Callable[..., Any] = Dispatcher("size")
    for classes, implementation in implementations:
        function.add(classes, implementation)  # type: ignore[attr-defined]
    return function


def _multimethod(implementations: Implementations) -> Callable[..., Any]:
    from multimethod import multimethod

    (_, first), *others = implementations
    function: Any = multimethod(first)
    for _, implementation in others:
        function.register(implementation)
    return function  # type: ignore[no-any-return]


def _singledispatch(implementations: Implementations) -> Callable[..., Any]:
    def size(item: object) -> object:
        raise NotImplementedError

    function = functools.singledispatch(size)
    for (cls,), implementation in implementations:
        function.register(cls, implementation)
    return function


#: how to make a generic function with each peer, and for how many arguments it can dispatch
PEERS: dict[str, tuple[Callable[[Implementations], Callable[..., Any]], int]] = {
    "ovld": (_ovld, 9),
    "plum": (_plum, 9),
    "multipledispatch": (_multipledispatch, 9),
    "multimethod": (_multimethod, 9),
    "singledispatch": (_singledispatch, 1),
}


def annotated(classes: tuple[type, ...], result: object) -> Callable[..., Any]:
    """Write an implementation: annotated parameters, and a constant to return.

    All that peers need to know of it is in the annotations; and since each is
    a function with code of its own, none profits from what Python specialized
    for another.
    """
    names = [f"argument_{index}" for index in range(len(classes))]
    parameters = ", ".join(f"{name}: class_{name}" for name in names)
    namespace: dict[str, Any] = {
        f"class_{name}": cls for name, cls in zip(names, classes, strict=True)
    }
    namespace["result"] = result
    exec(f"def size({parameters}):\n    return {result!r}\n", namespace)
    function: Callable[..., Any] = namespace["size"]
    function.__module__ = __name__
    return function


def versions() -> dict[str, str]:
    """The versions of the peers that are installed."""
    found = {}
    for distribution in ("ovld", "plum-dispatch", "multipledispatch", "multimethod", "pyperf"):
        found[distribution] = importlib.metadata.version(distribution)
    return found
