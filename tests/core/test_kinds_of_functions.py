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
