"""Calls with classes out of the ordinary: abstract base classes, and classes that change."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import Any

import reg

from functions import Document, generic_function
from peers import annotated
from timing import Measurements, Timing, call, process_time

__all__ = ["hierarchies"]

# More changes than the interpreter has version tags for one class.
_CHANGES = 2_000


def hierarchies(quick: bool) -> Measurements:
    """Calls where abstract base classes are registered, and of a class without version tag."""
    for count in (1, 100):
        yield list(_abstract_classes(count))
    for count in (1, 10, 100):
        yield [_abstract_classes_cold(count)]
    yield list(_changed_class())


def _registry_with_abstract_classes(count: int) -> tuple[Any, Any, list[type]]:
    """Register a generic function for so many abstract base classes, and for ``object``.

    :return: registry, generic function, and the abstract classes.
    """
    registry, generic = reg.Registry(), generic_function(1)
    registry.register(generic, [object], annotated((object,), "object"))
    classes: list[type] = [abc.ABCMeta(f"Abstract{index}", (), {}) for index in range(count)]
    for cls in classes:
        registry.register(generic, [cls], annotated((cls,), cls.__name__))
    return registry, generic, classes


def _abstract_classes(count: int) -> Iterator[Timing]:
    """A warm call with an instance of a virtual subclass of the last abstract class."""
    row = f"virtual subclass, {count} ABC{'s' * (count > 1)}"
    registry, generic, classes = _registry_with_abstract_classes(count)
    reg.implicit.initialize(registry)

    class Item: ...

    last: Any = classes[-1]
    last.register(Item)
    expected = last.__name__
    direct = annotated((last,), expected)
    yield call(row, "direct", "f(item)", {"item": Item(), "f": direct}, expected)
    yield call(row, "reg", "f(item)", {"item": Item(), "f": generic}, expected)


def _abstract_classes_cold(count: int) -> Timing:
    """Calls with instances of fresh classes, which are subclasses of none of them."""
    registry, generic, _ = _registry_with_abstract_classes(count)

    def run(times: int) -> float:
        items: list[Any] = [type("Fresh", (), {})() for _ in range(times)]
        begin = process_time()
        for item in items:
            generic(item, lookup=registry)
        return process_time() - begin

    def check() -> None:
        assert generic(type("Fresh", (), {})(), lookup=registry) == "object"

    return Timing("cold, ABCs", "reg", run, check, size=count, times=50)


def _changed_class() -> Iterator[Timing]:
    """A warm call with an instance of a class that was changed and read in turn."""
    row = "class without version tag"

    class Changed(Document):
        state = 0

    for state in range(_CHANGES):
        Changed.state = state
        assert Changed.state == state

    registry, generic = reg.Registry(), generic_function(1)
    registry.register(generic, [Document], annotated((Document,), "Document"))
    reg.implicit.initialize(registry)
    direct = annotated((Document,), "Document")
    yield call(row, "direct", "f(item)", {"item": Changed(), "f": direct}, "Document")
    yield call(row, "reg", "f(item)", {"item": Changed(), "f": generic}, "Document")
