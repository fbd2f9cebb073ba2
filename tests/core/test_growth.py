"""Objects that are made and dropped for ever leave nothing behind."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import threading

import pytest

import reg

from ..growth import assert_leaves_nothing
from ..soak import scaled


class Animal: ...


class Kitten(Animal): ...


@reg.generic
def size(thing, *others):
    return "fallback"


def animal_size(thing):
    return "animal"


COMPONENT = animal_size
REGISTRY = reg.ClassRegistry()
REGISTRY.register(size, [Animal], COMPONENT)
PICKLED = pickle.dumps(reg.Lookup(REGISTRY))
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


@pytest.mark.needs_refcounts
@pytest.mark.parametrize(
    "make",
    [
        a_class,
        a_registered_class,
        a_generic_function,
        a_registry,
        a_lookup,
        a_composition,
        a_thread,
    ],
    ids=lambda make: make.__name__,
)
@pytest.mark.needs_mortal_classes
def test_short_lived_things_leave_nothing(make):
    assert_leaves_nothing(make, 1_500)


DROPPED = """
import gc, weakref
import reg

class Animal: ...

@reg.generic
def size(thing, *others):
    return "fallback"

registry = reg.Registry()
registry.register(size, [Animal], lambda thing: "animal")

def a_class():
    cls = type("Kitten", (Animal,), {})
    assert size(cls(), lookup=registry) == "animal"
    assert size(cls(), cls(), lookup=registry) == "fallback"
    return weakref.ref(cls)

references = [a_class() for _ in range(20_000)]
print(sum(reference() is not None for reference in references))
gc.collect()
print(sum(reference() is not None for reference in references))
"""


def test_dropped_classes_die_at_automatic_collections():
    # In a process of its own: where classes become immortal, it is by a second thread.
    ran = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, check=True)
    automatically, at_all = map(int, ran.stdout.split())
    assert automatically < 10_000
    # An interpreter that counts no references may still have some in its registers.
    assert at_all < 20


def an_error():
    try:
        size.component([], lookup=LOOKUPS[0])
    except reg.ComponentLookupError as error:
        str(error)


def a_call_of_the_next():
    registry = reg.Registry()
    registry.register(size, [Kitten], lambda thing, call_next: call_next())
    lookup = reg.Lookup(reg.ListClassLookup([registry, REGISTRY]))
    assert size(Kitten(), lookup=lookup) == "animal"


def a_pickle():
    assert size(Animal(), lookup=pickle.loads(PICKLED)) == "animal"


EVERYTHING = [
    a_class,
    a_registered_class,
    a_generic_function,
    a_registry,
    a_lookup,
    a_composition,
    an_error,
    a_call_of_the_next,
    a_pickle,
]


@pytest.mark.needs_refcounts
@pytest.mark.parametrize("make", EVERYTHING, ids=lambda each: each.__name__)
@pytest.mark.needs_mortal_classes
def test_reference_counts_are_where_they_were(make):
    lasting = [Animal, Kitten, size, COMPONENT, REGISTRY, reg.implicit, *LOOKUPS]
    for _ in range(100):
        make()
    gc.collect()
    before = [sys.getrefcount(each) for each in lasting]
    for _ in range(scaled(1_000, 10**5)):
        make()
    gc.collect()
    after = [sys.getrefcount(each) for each in lasting]
    # Where one of a kind is remembered, it need not be the same as before.
    assert all(abs(new - old) < 10 for new, old in zip(after, before, strict=True))
