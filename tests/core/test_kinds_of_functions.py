"""A generic function is the kind of function that it was made of."""

import asyncio
import functools
import inspect
import sys

import pytest

import reg
from reg import Registry


@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy runs functions by the flags of their kind"
)
def test_a_coroutine_function_stays_one():
    @reg.generic
    async def fetch(obj):
        return "fallback"

    async def fetch_list(obj):
        await asyncio.sleep(0)
        return "list"

    registry = Registry()
    registry.register(fetch, [list], fetch_list)

    async def several():
        return [await fetch(each) for each in ([], (), [], ())]

    assert inspect.iscoroutinefunction(fetch)
    with reg.implicit.using(registry):
        assert asyncio.run(several()) == ["list", "fallback", "list", "fallback"]


def test_an_error_in_a_coroutine_comes_out_when_it_is_awaited():
    @reg.generic
    async def fetch(obj):
        raise StopIteration

    coroutine = fetch(1, lookup=Registry())
    assert inspect.iscoroutine(coroutine)
    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(coroutine)


@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy runs functions by the flags of their kind"
)
def test_generators_keep_their_kind():
    @reg.generic
    def items(obj):
        yield 1

    @reg.generic
    async def later(obj):
        yield 1

    async def collect():
        return [each async for each in later(0, lookup=Registry())]

    assert inspect.isgeneratorfunction(items)
    assert list(items(0, lookup=Registry())) == [1]
    assert inspect.isasyncgenfunction(later)
    assert asyncio.run(collect()) == [1]


@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy runs functions by the flags of their kind"
)
def test_named_dispatch_and_partial_functions_keep_their_kind():
    async def fetch(request, model):
        return model

    assert inspect.iscoroutinefunction(reg.generic("model")(fetch))
    assert inspect.iscoroutinefunction(reg.generic(functools.partial(fetch, 1)))


def test_a_plain_function_stays_plain():
    @reg.generic
    def size(obj):
        return 0

    assert not inspect.iscoroutinefunction(size)
    assert not inspect.isgeneratorfunction(size)


@reg.generic
async def ask(thing, *, call=None):
    return "fallback"


class Lenient(reg.Lookup):
    """Finds components by a method of its own."""

    def component(self, *args, **keywords):
        return super().component(*args, **keywords)


class Third:
    """A third-party lookup."""

    def __init__(self, lookup):
        self.component, self.all, self.call = lookup.component, lookup.all, lookup.call


@pytest.mark.parametrize("kind", [reg.Lookup, Lenient, lambda registry: Third(registry)])
def test_the_default_of_a_coroutine_function_is_awaited_as_its_result_is(kind):
    registry = reg.Registry()
    lookup = kind(registry)

    async def answers(default):
        return [await ask(thing, default=default, lookup=lookup) for thing in (1, "x", 1.5) * 2]

    assert asyncio.run(answers("default")) == ["default"] * 6
    assert asyncio.run(answers(None)) == [None] * 6

    @registry.implements(ask)
    async def of_int(thing: int, *, call=None):
        return "int"

    @registry.implements(ask)
    async def of_str(thing: str, *, call=None):
        await asyncio.sleep(0)
        return thing and None

    assert asyncio.run(answers("default")) == ["int", "default", "default"] * 2
    assert asyncio.run(answers(None)) == ["int", None, None] * 2


def test_the_default_of_an_async_generator_is_returned_as_it_is():
    @reg.generic
    async def lines(thing):
        yield thing

    assert lines(1, default=(), lookup=reg.Registry()) == ()


def test_a_call_with_a_default_finds_the_implementation_when_it_is_called():
    registry = reg.Registry()
    waiting = ask(1, default="default", lookup=registry)

    @registry.implements(ask)
    async def of_int(thing: int, *, call=None):
        return "int"

    assert inspect.iscoroutine(waiting)
    assert asyncio.run(waiting) == "default"
    assert asyncio.run(ask(1, default="default", lookup=registry)) == "int"


@reg.generic
async def fetch(source):
    return "fallback"


@reg.generic
async def stream(source):
    yield "fallback"


async def listed(source):
    return [item async for item in stream(source)]


def test_an_ordinary_implementation_may_return_something_to_await():
    registry = Registry()

    @registry.implements(fetch)
    def of_int(source: int):
        return asyncio.sleep(0, "awaited")

    @registry.implements(stream)
    def of_str(source: str):
        return stream(1)

    with reg.implicit.using(registry):
        assert asyncio.run(fetch(1)) == "awaited"
        assert asyncio.run(listed("x")) == ["fallback"]


def test_a_result_that_cannot_be_awaited_is_refused_with_its_implementation():
    registry = Registry()

    @registry.implements(fetch)
    def of_int(source: int):
        return "text"

    @registry.implements(fetch)
    def of_str(source: str, call_next):
        return [call_next]

    for source, name in [(1, "of_int"), ("x", "of_str")]:
        for _ in range(2):
            with pytest.raises(TypeError, match=rf"{name} of .*fetch returned .*async def"):
                fetch(source, lookup=registry)


def test_a_result_without_asynchronous_iteration_is_refused_with_its_implementation():
    registry = Registry()

    @registry.implements(stream)
    def of_int(source: int):
        return ["a list"]

    with pytest.raises(TypeError, match=r"of_int of .*stream returned \['a list'\].*and yield"):
        stream(1, lookup=registry)
