"""Every call gets an answer that was right at some moment of it."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import weakref

import pytest

import reg

from ..threads import run_all


class Animal: ...


class Cat(Animal): ...


@pytest.fixture(autouse=True)
def threads_that_change_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def compositions():
    return {
        "registry": lambda registry: reg.Lookup(registry),
        "list": lambda registry: reg.Lookup(reg.ListClassLookup([reg.ClassRegistry(), registry])),
        "chain": lambda registry: reg.Lookup(reg.ChainClassLookup(registry, reg.ClassRegistry())),
    }


@pytest.fixture(params=list(compositions()))
def compose(request):
    return compositions()[request.param]


class Versions:
    """The versions of a registry: a writer announces a version before readers can see it."""

    def __init__(self):
        self.started = 0
        self.finished = 0


def test_every_answer_was_right_at_some_moment_of_the_call(compose):
    @reg.generic
    def version(thing):
        return "fallback"

    registry = reg.ClassRegistry()
    lookup = compose(registry)
    versions = Versions()
    registry.register(version, [Animal], lambda thing: 0)

    def write():
        for number in range(1, 400):
            versions.started = number
            registry.register(version, [Animal], lambda thing, number=number: number)
            versions.finished = number
        versions.finished = 10**6

    def read():
        reg.implicit.lookup = lookup
        asks = [
            lambda: version(Cat()),
            lambda: version(Cat(), lookup=lookup),
            lambda: lookup.call(version, [Cat()]),
            lambda: lookup.component(version, [Cat()])(Cat()),
            lambda: lookup.all(version, [Cat()])[0](Cat()),
            lambda: lookup.class_lookup.get(version, [Cat])(Cat()),
        ]
        while versions.finished < 10**6:
            for ask in asks:
                before = min(versions.finished, 399)
                found = ask()
                assert before <= found <= versions.started

    run_all(write, read, read, read)


def test_no_reader_sees_half_of_a_union_replaced(compose):
    @reg.generic
    def version(thing): ...

    registry = reg.ClassRegistry()
    lookup = compose(registry)
    registry.register(version, [Cat | Animal | object], 0)
    done = threading.Event()

    def write():
        for number in range(1, 400):
            registry.register(version, [Cat | Animal | object], number)
        done.set()

    def read():
        while not done.is_set():
            assert len(set(lookup.all(version, [Cat()]))) == 1
            assert len(set(lookup.class_lookup.all(version, [Cat]))) == 1
            assert len({each.component for each in registry.registrations()}) == 1

    run_all(write, read, read)


def test_clearing_and_filling_is_seen_as_nothing_or_something(compose):
    @reg.generic
    def size(first, second):
        return "fallback"

    registry = reg.ClassRegistry()
    lookup = compose(registry)
    done = threading.Event()

    def write():
        for _ in range(200):
            registry.register(size, [Animal, Animal], lambda first, second: "animals")
            registry.register(size, [Cat, Animal], lambda first, second: "cat")
            registry.unregister(size, [Cat, Animal])
            registry.clear()
        done.set()

    def read():
        while not done.is_set():
            assert size(Cat(), Cat(), lookup=lookup) in {"fallback", "animals", "cat"}
            assert size(Cat(), 1, lookup=lookup) == "fallback"

    run_all(write, read, read)
    assert size(Cat(), Cat(), lookup=lookup) == "fallback"


def test_a_changing_composition_is_seen_as_before_or_after():
    @reg.generic
    def who(thing):
        return "fallback"

    registries = []
    for name in ("one", "two"):
        registry = reg.ClassRegistry()
        registry.register(who, [Animal], lambda thing, name=name: name)
        registries.append(registry)
    lookups = list(registries)
    composed = reg.ListClassLookup(lookups)
    chain = reg.ChainClassLookup(*registries)
    by_list, by_chain = reg.Lookup(composed), reg.Lookup(chain)
    done = threading.Event()

    def write():
        for number in range(400):
            lookups[:] = registries[:: 1 - 2 * (number % 2)]
            chain.lookup, chain.next = chain.next, chain.lookup
            composed.lookups = lookups
        lookups[:] = [registries[1]]
        chain.lookup = registries[1]
        done.set()

    def read():
        while not done.is_set():
            assert who(Cat(), lookup=by_list) in {"one", "two"}
            assert who(Cat(), lookup=by_chain) in {"one", "two"}

    run_all(write, read, read)
    assert who(Cat(), lookup=by_list) == "two"
    assert who(Cat(), lookup=by_chain) == "two"


def test_many_threads_register_at_once():
    registry = reg.Registry()
    registries = [reg.ClassRegistry() for _ in range(4)]

    def write(number):
        def run():
            for index in range(200):
                registry.register((number, index), [int, Animal], number)
                registry.register("shared", [Cat] * (index % 4), number)
                registries[number].register("key", [int], index)

        return run

    run_all(*(write(number) for number in range(4)))
    assert len(registry.registrations()) == 4 * 200 + 4
    for number in range(4):
        assert registry.component((number, 199), [1, Cat()]) == number
        assert registries[number].get("key", [int]) == 199


def test_without_replace_one_of_many_threads_succeeds():
    for _ in range(50):
        registry = reg.Registry(replace=False)
        outcomes = []

        def register(name, registry=registry, outcomes=outcomes):
            try:
                registry.register("key", [int | str], name)
            except reg.RegistrationError:
                outcomes.append("refused")
            else:
                outcomes.append(name)

        run_all(*(lambda name=name: register(name) for name in ("a", "b", "c")))
        assert sorted(outcomes)[1:] == ["refused"] * 2
        assert registry.component("key", [1]) == sorted(outcomes)[0]


def test_classes_come_and_go_in_many_threads():
    @reg.generic
    def size(first, second=None):
        return "fallback"

    registry = reg.Registry()
    registry.register(size, [Animal], lambda first: "animal")
    registry.register(size, [object, Animal], lambda first, second: "second")
    reg.implicit.initialize(registry)

    def use():
        for number in range(400):
            cls = type("Thing", (Animal,) if number % 2 else (), {})
            assert size(cls()) == ("animal" if number % 2 else "fallback")
            assert size(1, cls()) == ("second" if number % 2 else "fallback")

    run_all(use, use, use)


def test_caching_asks_a_question_of_many_threads_once():
    class Counting:
        asked = 0

        def all(self, key, classes):
            self.asked += 1
            return ["component"]

    for _ in range(30):
        counting = Counting()
        caching = reg.CachingClassLookup(counting)
        run_all(*[functools.partial(caching.all, "key", [int])] * 4)
        assert counting.asked == 1


def test_threads_that_assign_a_lookup_of_their_own_never_meet_another():
    @reg.generic
    def who():
        return "fallback"

    def answering(answer):
        registry = reg.Registry()
        registry.register(who, [], lambda: answer)
        return registry

    bases = [answering("base"), answering("base")]
    reg.implicit.initialize(bases[0])

    def use(name):
        def run():
            own = answering(name)
            for _ in range(200):
                reg.implicit.lookup = own
                assert who() == name
                with reg.implicit.using(bases[1]):
                    assert who() == "base"
                reg.implicit.reset()
                assert who() == "base"

        return run

    def change_the_base():
        for number in range(400):
            reg.implicit.initialize(bases[number % 2])
            assert who() == "base"

    run_all(use("a"), use("b"), change_the_base)


def test_a_first_assignment_beside_initialize_is_not_overrun():
    @reg.generic
    def who():
        return "fallback"

    base, own = reg.Registry(), reg.Registry()
    base.register(who, [], lambda: "base")
    own.register(who, [], lambda: "own")
    for _ in range(200):
        implicit = type(reg.implicit)()

        def initialize(implicit=implicit):
            implicit.initialize(base)

        def assign(implicit=implicit):
            implicit.lookup = own

        run_all(initialize, assign)
        # The base alone must not count any more once a thread has a lookup of its own.
        assert implicit._everywhere is None


@pytest.mark.needs_refcounts
def test_a_thread_lets_go_of_an_unregistered_implementation_at_its_next_call_after_a_collection():
    class Implementation:
        def __call__(self, thing):
            return "registered"

    @reg.generic
    def name_of(thing):
        return "fallback"

    registry = reg.Registry()
    implementation = Implementation()
    registry.register(name_of, [Animal], implementation)
    seen = []
    called, collected = threading.Event(), threading.Event()

    def call():
        seen.extend(name_of(Cat(), lookup=registry) for _ in range(3))
        called.set()
        collected.wait(10)
        seen.append(name_of(Cat(), lookup=registry))
        seen.append(reference())

    thread = threading.Thread(target=call)
    thread.start()
    called.wait(10)
    registry.unregister(name_of, [Animal])
    reference = weakref.ref(implementation)
    del implementation
    gc.collect()
    collected.set()
    thread.join(60)
    assert seen == ["registered"] * 3 + ["fallback", None]


def test_calls_with_a_class_whose_attributes_change_in_another_thread_are_right():
    @reg.generic
    def name_of(thing):
        return "fallback"

    class Changing(Animal):
        number = 0

    registry = reg.Registry()
    registry.register(name_of, [Animal], lambda thing: "animal")
    registry.register(name_of, [Cat], lambda thing: "cat")

    def change():
        for number in range(2_000):
            Changing.number = number
            assert Changing.number == number

    def call():
        for _ in range(2_000):
            assert name_of(Changing(), lookup=registry) == "animal"
            assert name_of(Cat(), lookup=registry) == "cat"

    run_all(change, call, call)
