"""Several interpreters in one process dispatch side by side, and share nothing."""

from __future__ import annotations

import os
import sys

import pytest

import reg

from ..interpreters import HAS_OTHERS, another_interpreter
from ..threads import run_all

if not HAS_OTHERS:
    pytest.skip("only CPython has other interpreters", allow_module_level=True)

PROGRAM = """
import collections.abc
import reg

class Animal:
    pass

class Cat(Animal):
    pass

@reg.generic
def kind(item):
    return "default"

@reg.generic
def pair(first, second):
    return "default"

registry = reg.Registry()
registry.register(kind, [int], lambda item: "integer")
registry.register(kind, [collections.abc.Sized], lambda item: "sized")
registry.register(kind, [Animal], lambda item: "animal")
registry.register(kind, [Cat], lambda item, call_next: "cat, " + call_next())
registry.register(pair, [Animal, int], lambda first, second: "animal, integer")
matcher = reg.PredicateMatcher([reg.Predicate("size", reg.KeyIndex, len)])
matcher.register({"size": 1}, lambda item: "of one")
registry.register(kind, [str], matcher)
reg.implicit.initialize(registry)

def check():
    things = [1, [], Animal(), Cat(), object(), "a"]
    expected = ["integer", "sized", "animal", "cat, animal", "default", "of one"]
    for _ in range(3):
        assert [kind(thing) for thing in things] == expected
        assert [kind(item=thing, lookup=registry) for thing in things] == expected
        assert pair(Cat(), 1) == "animal, integer"
        with reg.implicit.using(reg.Registry()):
            assert kind(1) == "default"
        assert kind.component(Animal())(None) == "animal"

check()
"""


def test_another_interpreter_dispatches_in_the_build_of_the_main_one():
    with another_interpreter() as run:
        run(PROGRAM + f"assert tuple(reg.build) == {tuple(reg.build)!r}, reg.build")


def test_each_interpreter_has_its_own_registries_and_classes():
    namespace = {}
    exec(PROGRAM, namespace)
    with another_interpreter() as run, another_interpreter() as run_elsewhere:
        run(PROGRAM + "registry.register(kind, [float], lambda item: 'first')")
        run_elsewhere(PROGRAM + "registry.register(kind, [float], lambda item: 'second')")
        # Of a class that all interpreters share, and of one of which each has its own.
        for _ in range(3):
            run("assert kind(1.0) == 'first'; check()")
            run_elsewhere("assert kind(1.0) == 'second'; check()")
            assert namespace["kind"](1.0) == "default"
            namespace["check"]()
            run("registry.register(kind, [Animal], lambda item: 'animal')")
        run("collections.abc.Sized.register(float)")
        run("registry.unregister(kind, [float]); assert kind(1.0) == 'sized'")
        run_elsewhere("assert kind(1.0) == 'second'")
    namespace["check"]()
    reg.implicit.initialize(None)


def test_each_interpreter_has_an_implicit_lookup_of_its_own():
    registry = reg.Registry()
    with reg.implicit.using(registry), another_interpreter() as run:
        run("import reg; assert reg.implicit.lookup is None")
        run("reg.implicit.initialize(reg.Registry())")
        assert reg.implicit.lookup is registry


CHANGES = """
import threading

def work():
    for number in range(200):
        cls = type("Kitten", (Cat,), {})
        assert kind(cls()) == "cat, animal"
        registry.register(kind, [cls], lambda item, number=number: number)
        assert kind(cls()) == number
        registry.unregister(kind, [cls])
        assert kind(cls()) == "cat, animal"
        check()

thread = threading.Thread(target=work)
thread.start()
work()
thread.join()
check()
"""


def test_interpreters_call_and_register_at_once_in_threads_of_their_own():
    def in_another_interpreter() -> None:
        for _ in range(2):
            with another_interpreter() as run:
                run(PROGRAM)
                run(CHANGES)

    def in_the_main_one() -> None:
        namespace = {}
        exec(PROGRAM, namespace)
        exec(CHANGES, namespace)

    run_all(in_another_interpreter, in_another_interpreter, in_the_main_one)
    reg.implicit.initialize(None)


def test_all_that_was_registered_dies_with_its_interpreter_and_the_main_one_goes_on():
    namespace = {}
    exec(PROGRAM, namespace)
    read, write = os.pipe()
    os.set_blocking(read, False)
    program = f"""
import os

class Implementation:
    def __call__(self, item):
        return "noted"

    def __del__(self, write=os.write):
        write({write}, b"died ")

registry.register(kind, [float], Implementation())
assert kind(1.0) == "noted"
"""
    try:
        for _ in range(3):
            with another_interpreter() as run:
                run(PROGRAM + program)
                with pytest.raises(BlockingIOError):
                    os.read(read, 100)
            assert os.read(read, 100) == b"died "
            namespace["check"]()
    finally:
        os.close(read)
        os.close(write)
        reg.implicit.initialize(None)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="such pools are new in Python 3.14")
def test_a_pool_of_interpreters_dispatches_in_the_build_of_the_main_one():
    from concurrent.futures import InterpreterPoolExecutor

    with InterpreterPoolExecutor(2) as pool:
        futures = [pool.submit(exec, PROGRAM, {}) for _ in range(4)]
        assert [future.result() for future in futures] == [None] * 4
        assert pool.submit(eval, "__import__('reg').build.name").result() == reg.build.name
