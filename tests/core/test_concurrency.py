"""Everything at once, in threads, tasks and forked processes, for as long as there is time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import faulthandler
import gc
import itertools
import multiprocessing
import os
import random
import signal
import sys
import sysconfig
import threading
import time
import warnings
from pathlib import Path

import pytest

import reg

from ..soak import PATIENCE, SOAK, for_a_while, scaled
from ..threads import run_all


class Animal: ...


class Cat(Animal): ...


@reg.generic
def size(thing, *others):
    return "fallback"


@pytest.fixture(autouse=True)
def size_was_never_called(monkeypatch):
    """Have no test begin with a function that looks elsewhere since it was called in a scope."""
    monkeypatch.setattr(sys.modules[__name__], "size", reg.generic(size.__wrapped__))


@pytest.fixture(autouse=True)
def watchdog():
    """Tell where all threads are, and end, if there is no end to a test."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    # Not pytest's standard error, which is captured and would be lost.
    with open(os.dup(2), "w") as errors:
        faulthandler.dump_traceback_later(PATIENCE + SOAK, exit=True, file=errors)
        yield
        faulthandler.cancel_dump_traceback_later()
    sys.setswitchinterval(interval)


class Log:
    """The versions in time: a reader asks before and after, and its answer lies between."""

    def __init__(self):
        self.begun = 0
        self.done = 0


def number(version):
    return lambda *things: version


def test_registering_replacing_clearing_dropping_and_collecting_while_calling():
    registry, behind = reg.ClassRegistry(), reg.ClassRegistry()
    parts = [registry, behind]
    lookups = [
        reg.Lookup(registry),
        reg.Lookup(reg.ListClassLookup(parts)),
        reg.Lookup(reg.ChainClassLookup(registry, behind)),
    ]
    registry.register(size, [Animal], number(0))
    behind.register(size, [Animal, int], number("int"))
    log = Log()
    calls = []

    def replace():
        for version, _ in enumerate(for_a_while(1.0), 1):
            log.begun = version
            registry.register(size, [Animal], number(version))
            log.done = version
        log.done = None

    def disturb():
        while log.done is not None:
            registry.register(size, [Cat, Cat], number("cats"))
            behind.register(size, [Animal, int], number("int"))
            registry.unregister(size, [Cat, Cat])
            other = reg.ClassRegistry()
            parts.append(other)
            other.register(size, [bytes], number("bytes"))
            parts.remove(other)
            other.clear()

    def collect():
        while log.done is not None:
            gc.collect()
            # A collection stops all threads, which have to get on in between.
            for _ in range(1_000):
                assert size(1, lookup=lookups[0]) == "fallback"

    def call():
        made = 0
        while (before := log.done) is not None:
            cls = type("Kitten", (Cat,), {})
            for lookup in lookups:
                for thing in (Cat(), cls(), Cat()):
                    before = log.done
                    found = size(thing, lookup=lookup)
                    begun = log.begun
                    assert before is None or before <= found <= begun
                assert size(thing, 1, lookup=lookup) == (
                    "int" if lookup is not lookups[0] else "fallback"
                )
                assert size(thing, cls(), lookup=lookup) in {"fallback", "cats"}
                assert size(1, lookup=lookup) == "fallback"
                made += 6
        calls.append(made)

    run_all(replace, disturb, collect, call, call, call)
    assert len(calls) == 3
    assert min(calls) > 0
    assert size(Cat(), lookup=lookups[1]) == log.begun
    print(f"calls: {sum(calls)}, replacements: {log.begun}")


@pytest.mark.parametrize("changed", ["the base", "its class lookup", "a list in it"])
def test_another_implicit_lookup_while_calling(changed):
    registries = [answering(index) for index in range(8)]
    lookups = [reg.Lookup(each) for each in registries]
    parts = [registries[0]]
    composed = reg.Lookup(reg.ListClassLookup(parts))

    def change(index):
        if changed == "the base":
            reg.implicit.initialize(lookups[index])
        elif changed == "its class lookup":
            composed.class_lookup = registries[index]
        else:
            parts[0] = registries[index]

    reg.implicit.initialize(lookups[0] if changed == "the base" else composed)
    log = Log()
    calls = []

    def replace():
        try:
            for version, _ in enumerate(for_a_while(0.5, 0.02), 1):
                log.begun = version
                change(version % 8)
                log.done = version
                for _ in range(random.randrange(50)):
                    assert size(Cat()) == version % 8
        finally:
            log.done = None

    def call():
        made = 0
        while (before := log.done) is not None:
            found = size(Cat())
            assert any(version % 8 == found for version in range(before, log.begun + 1))
            made += 1
        calls.append(made)

    run_all(replace, call, call, call)
    assert len(calls) == 3
    assert min(calls) > 0
    print(f"calls: {sum(calls)}, replacements of {changed}: {log.begun}")


def test_a_list_changed_beside_a_call_invalidates_the_plan_of_another_thread():
    one, two = answering(1), answering(2)
    parts = [one]

    class Slow(reg.ListClassLookup):
        """While one thread reads the parts, another is faster, and the list is changed."""

        asked = False

        def _reg_parts(self):
            if not self.asked:
                self.asked = True
                assert size(Cat(), lookup=lookup) == 1
                parts[0] = two
            return super()._reg_parts()

    lookup = reg.Lookup(Slow(parts))
    assert size(Cat(), lookup=lookup) == 2


def test_clearing_is_seen_as_before_or_after():
    registry = reg.ClassRegistry()
    lookup = reg.Lookup(reg.ListClassLookup([registry]))
    done = threading.Event()

    def clear():
        for _ in for_a_while(0.5, 0.05):
            registry.register(size, [Cat | int], number("both"))
            registry.clear()
        done.set()

    def call():
        while not done.is_set():
            assert size(Cat(), lookup=lookup) in {"both", "fallback"}
            assert len(registry.registrations()) in {0, 2}

    run_all(clear, call, call)
    assert size(Cat(), lookup=lookup) == size(1, lookup=lookup) == "fallback"


@pytest.mark.needs_refcounts
@pytest.mark.parametrize("change", ["replace", "unregister", "clear"])
def test_the_finalizer_of_a_replaced_component_may_wait_for_another_thread(change):
    registry = reg.Registry()
    waited = []

    class Dying:
        def __del__(self):
            register = threading.Thread(
                target=registry.register, args=("key", [str], 1), daemon=True
            )
            register.start()
            register.join(10)
            waited.append(register.is_alive())

    registry.register("key", [int], Dying())
    assert type(registry.component("key", [1])) is Dying
    {
        "replace": lambda: registry.register("key", [int], "another"),
        "unregister": lambda: registry.unregister("key", [int]),
        "clear": registry.clear,
    }[change]()
    assert waited == [False]


def test_first_calls_of_several_threads_agree():
    for _ in range(scaled(60)):
        generic = reg.generic(lambda thing, *others: "fallback")
        registry = reg.ClassRegistry()
        registry.register(generic, [Animal], number("animal"))
        registry.register(generic, [Animal, Animal], number("animals"))
        lookup = reg.Lookup(reg.ListClassLookup([registry]))
        implicit = type(reg.implicit)()

        def call(generic=generic, lookup=lookup, implicit=implicit):
            implicit.lookup = lookup
            assert generic(Cat(), lookup=lookup) == "animal"
            assert generic(Cat(), Cat(), lookup=lookup) == "animals"
            assert generic(1, lookup=lookup) == "fallback"
            assert implicit.lookup is lookup

        run_all(call, call, call, call)


def test_implementations_register_in_many_threads():
    registry = reg.Registry()

    def learn(thing, lookup):
        # The first call for a class makes its own implementation.
        lookup.register(size, [type(thing)], number(type(thing).__name__))
        return size(thing, lookup=lookup)

    registry.register(size, [Animal], learn)

    def call(name):
        def run():
            for count in range(scaled(100, 5000)):
                cls = type(f"{name}{count}", (Animal,), {})
                for _ in range(3):
                    assert size(cls(), lookup=registry) == cls.__name__
                registry.unregister(size, [cls])
                assert size(cls(), lookup=registry) == cls.__name__

        return run

    run_all(*(call(name) for name in "abcd"))
    assert len(registry.registrations()) == 1 + 4 * scaled(100, 5000)


def answering(answer):
    registry = reg.Registry()
    registry.register(size, [Animal], number(answer))
    return registry


def test_tasks_keep_to_the_lookups_they_use():
    lookups = [answering(name) for name in range(5)]
    reg.implicit.initialize(answering("base"))

    async def work(own, left):
        lookup = lookups[own]
        with reg.implicit.using(lookup):
            for _ in range(20):
                assert size(Cat()) == own
                await asyncio.sleep(0)
                if left:
                    await asyncio.gather(work((own + left) % 5, left - 1))
                    left = 0
                assert await asyncio.to_thread(size, Cat()) == own
                assert reg.implicit.lookup is lookup
        assert size(Cat()) in {"base", *range(5)}

    async def main():
        await asyncio.gather(*(work(each % 5, 2) for each in range(scaled(20, 200))))
        assert size(Cat()) == "base"

    asyncio.run(main())


def test_lookups_assigned_in_threads_that_die_are_met_by_no_other():
    reg.implicit.initialize(answering("base"))
    names = itertools.count()

    def live_and_die():
        name = next(names)
        assert size(Cat()) == "base"
        reg.implicit.lookup = answering(name)
        assert size(Cat()) == name

    def many():
        for _ in range(scaled(40, 5000)):
            thread = threading.Thread(target=live_and_die)
            thread.start()
            assert size(Cat()) == "base"
            thread.join()

    run_all(many, many, many)
    assert size(Cat()) == "base"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    reason="the child waits for ever for the lock of any dictionary that a thread was changing",
)
def test_a_child_forked_while_others_register_works_on():
    registry = answering("animal")
    caching = reg.Lookup(reg.CachingClassLookup(registry.registry))
    done = threading.Event()

    def disturb():
        while not done.is_set():
            registry.register(size, [int | str], number("either"))
            caching.class_lookup.clear()
            caching.component(size, [Cat()])
            reg.implicit.initialize(registry)

    def child():
        signal.alarm(8)  # The watchdog's thread is not in the child.
        registry.register(size, [Cat], number("cat"))
        reg.implicit.initialize(registry)
        caching.class_lookup.clear()
        type("Late", (Cat,), {})
        right = (
            size(Cat()) == size(Cat(), lookup=caching) == "cat"
            and size(Animal(), lookup=registry) == "animal"
            and size(1, lookup=registry) in {"either", "fallback"}
        )
        return 0 if right else 1

    def fork():
        try:
            for _ in range(scaled(10, 2000)):
                with warnings.catch_warnings():
                    # From Python 3.12 on, forking beside threads warns.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    process = os.fork()
                if not process:
                    status = 2
                    try:
                        status = child()
                    finally:
                        os._exit(status)
                _, status = os.waitpid(process, 0)
                assert os.waitstatus_to_exitcode(status) == 0
        finally:
            done.set()

    run_all(disturb, disturb, fork)


def test_a_slow_question_to_a_cache_does_not_stop_a_forked_child():
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    asked, go_on = threading.Event(), threading.Event()

    class Slow:
        def all(self, key, classes):
            if threading.current_thread() is not threading.main_thread():
                asked.set()
                go_on.wait(PATIENCE)
            return ["component"]

    caching = reg.CachingClassLookup(Slow())
    thread = threading.Thread(target=caching.all, args=("key", [int]))
    thread.start()
    asked.wait(PATIENCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if not process:
        signal.alarm(8)  # The watchdog's thread is not in the child.
        os._exit(caching.all("key", [int]) != ["component"])
    _, status = os.waitpid(process, 0)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_initializing_and_following_the_base_while_calling():
    lookups = [answering(name) for name in range(3)]
    own = answering("own")
    reg.implicit.initialize(lookups[0])
    done = threading.Event()
    calls = []

    def initialize():
        for number, _ in enumerate(for_a_while(0.5, 0.05)):
            reg.implicit.initialize(lookups[number % 3])
        done.set()

    def call():
        made = 0
        while not done.is_set():
            assert size(Cat()) in {0, 1, 2}
            reg.implicit.lookup = own
            assert size(Cat()) == "own"
            with reg.implicit.using(lookups[1]):
                assert size(Cat()) == 1
                reg.implicit.lookup = own
                assert size(Cat()) == "own"
            assert size(Cat()) == "own"
            reg.implicit.reset()
            made += 5
        calls.append(made)

    run_all(initialize, call, call, call)
    assert len(calls) == 3
    print(f"calls: {sum(calls)}")


def test_the_lookup_restored_in_another_thread_is_alive():
    base, other = answering("base"), answering("other")
    reg.implicit.initialize(base)
    done, ready = threading.Event(), threading.Barrier(4)

    def preserve():
        ready.wait(PATIENCE)
        for _ in for_a_while(0.5, 0.05):
            with reg.implicit.preserved():
                reg.implicit.initialize(other)
        done.set()

    def call():
        ready.wait(PATIENCE)
        while not done.is_set():
            # Another each time, which dies as soon as it is replaced.
            reg.implicit.lookup = answering("own")
            for _ in range(10):
                assert size(Cat()) in {"own", "base", "other"}

    run_all(preserve, call, call, call)
    assert reg.implicit.base_lookup is base


def ask_many(lookup, number):
    """Register and call in threads of one process of a pool."""
    reg.implicit.initialize(lookup)
    wrong = []

    def call():
        for count in range(number):
            cls = type(f"Kitten{count}", (Cat,), {})
            lookup.register(size, [cls], number_of_legs)
            wrong.extend([size(cls()) != 4, size(Animal()) != 4, size(1) != "fallback"])

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(wrong), sum(wrong)


def number_of_legs(*things):
    return 4


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_pool_of_processes_that_register_for_themselves(start, monkeypatch):
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {start}")
    registry = reg.Registry()
    registry.register(size, [Animal], number_of_legs)
    # A spawned process imports this module by its name.
    root = Path(__file__).parents[2]
    monkeypatch.syspath_prepend(str(root))
    number = scaled(100, 10_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = multiprocessing.get_context(start)
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            tasks = [pool.submit(ask_many, registry, number) for _ in range(4)]
            found = [task.result() for task in tasks]
    assert found == [(9 * number, 0)] * 4
    assert len(registry.registrations()) == 1
    print(f"calls: {36 * number}, {start}")


@pytest.mark.skipif(not hasattr(gc, "set_threshold"), reason="this collector has no thresholds")
def test_collecting_garbage_at_any_moment():
    registry = answering("animal")
    lookup = reg.Lookup(reg.ListClassLookup([registry]))
    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    end = time.monotonic() + max(0.5, SOAK / 20)

    def call():
        while time.monotonic() < end:
            cls = type("Fleeting", (Animal,) if random.random() < 0.5 else (), {})
            cls.cycle = cls()
            expected = "animal" if issubclass(cls, Animal) else "fallback"
            assert size(cls.cycle, lookup=lookup) == expected
            assert size(cls(), cls(), lookup=lookup) == "fallback"

    try:
        run_all(call, call, call)
    finally:
        gc.set_threshold(*thresholds)
