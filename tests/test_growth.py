"""What is made and dropped for ever leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref

import pytest

import reg

from .soak import SOAK


class Animal: ...


@reg.generic
def size(*things):
    return "fallback"


REGISTRY = reg.ClassRegistry()
REGISTRY.register(size, [Animal], lambda thing: "animal")
LOOKUPS = [
    reg.Lookup(REGISTRY),
    reg.Lookup(reg.ListClassLookup([reg.ClassRegistry(), REGISTRY])),
    reg.Lookup(reg.CachingClassLookup(REGISTRY)),
]


def a_class():
    cls = type("Kitten", (Animal,), {})
    for lookup in LOOKUPS:
        assert size(cls(), lookup=lookup) == "animal"
        assert size(cls(), cls(), lookup=lookup) == "fallback"
    return cls


def a_registered_class():
    cls = type("Known", (), {})
    REGISTRY.register(size, [cls], lambda thing: "known")
    assert size(cls(), lookup=LOOKUPS[0]) == size(cls(), lookup=LOOKUPS[1]) == "known"
    REGISTRY.unregister(size, [cls])
    return cls


def a_generic_function():
    generic = reg.generic(lambda thing: "fallback")
    REGISTRY.register(generic, [Animal], lambda thing: "animal")
    for lookup in LOOKUPS[:2]:
        assert generic(Animal(), lookup=lookup) == "animal"
    REGISTRY.unregister(generic, [Animal])
    assert generic(Animal(), lookup=LOOKUPS[0]) == "fallback"
    return generic


def a_registry():
    registry = reg.Registry()
    registry.register(size, [Animal], lambda thing: "animal")
    assert size(Animal(), lookup=registry) == "animal"
    with reg.implicit.using(registry):
        assert size(Animal()) == "animal"
    return registry


def a_lookup():
    lookup = reg.Lookup(REGISTRY)
    assert size(Animal(), lookup=lookup) == "animal"
    return lookup


def a_composition():
    inner = reg.ChainClassLookup(reg.ClassRegistry(), REGISTRY)
    composed = reg.ListClassLookup([inner, reg.CachingClassLookup(REGISTRY)])
    assert size(Animal(), lookup=reg.Lookup(composed)) == "animal"
    return composed


def a_thread():
    registry = reg.Registry()

    def run():
        reg.implicit.lookup = registry
        assert size(Animal()) == "fallback"

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return registry


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (a_class, 10_000),
        (a_registered_class, 10_000),
        (a_generic_function, 3_000),
        (a_registry, 10_000),
        (a_lookup, 10_000),
        (a_composition, 10_000),
        (a_thread, 2_000),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_short_lived_things_leave_nothing(make, count):
    if SOAK:
        # All of them, if an hour is given.
        count = min(10**6, int(count * max(1, SOAK / 36)))
    for _ in range(300):
        make()
    gc.collect()
    objects = len(gc.get_objects())
    for _ in range(count):
        make()
    references = [weakref.ref(make()) for _ in range(10)]
    gc.collect()
    grown = len(gc.get_objects()) - objects
    assert [reference() for reference in references] == [None] * 10
    del references
    assert grown < 100
    # Bytes as well, of which objects outside the collector take their part.
    tracemalloc.start()
    try:
        # Until every table is as large as it will ever be between collections.
        for _ in range(max(2_000, count // 10)):
            make()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(max(500, count // 10)):
            make()
        gc.collect()
        bytes_grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    print(f"{make.__name__}: {count} made, {grown} objects and {bytes_grown} bytes left")
    # A table may just have doubled its size.
    assert bytes_grown < 64_000
