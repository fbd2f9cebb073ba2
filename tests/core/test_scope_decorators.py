"""``using()`` and ``preserved()`` decorate functions of every kind."""

from __future__ import annotations

import asyncio
import inspect

import pytest

import reg
from reg import implicit


@reg.generic
def place():
    return "nowhere"


def answering(answer):
    registry = reg.Registry()
    registry.register(place, [], lambda: answer)
    return registry


@pytest.fixture
def inner():
    implicit.initialize(answering("outer"))
    return answering("inner")


@pytest.fixture(params=["using", "preserved"])
def scope(request, inner):
    return implicit.using(inner) if request.param == "using" else implicit.preserved()


def test_a_decorated_function_keeps_its_kind_and_its_name(scope):
    @scope
    def plain():
        """A plain function."""

    @scope
    def generator():
        yield

    @scope
    async def coroutine(): ...

    @scope
    async def asynchronous_generator():
        yield

    assert not inspect.isgeneratorfunction(plain)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isasyncgenfunction(asynchronous_generator)
    assert (plain.__name__, plain.__doc__) == ("plain", "A plain function.")


def test_the_body_of_a_function_is_in_the_scope_and_its_caller_is_not(inner):
    @implicit.using(inner)
    def body():
        return place()

    assert [body(), place()] == ["inner", "outer"]


def test_the_body_of_a_coroutine_is_in_the_scope_and_other_tasks_are_not(inner):
    async def main():
        inside, outside = asyncio.Event(), asyncio.Event()

        @implicit.using(inner)
        async def body():
            before = place()
            inside.set()
            await outside.wait()
            return before, place()

        task = asyncio.create_task(body())
        await inside.wait()
        seen = place()
        outside.set()
        return await task, seen, await body(), place()

    assert asyncio.run(main()) == (("inner", "inner"), "outer", ("inner", "inner"), "outer")


def test_the_body_of_a_generator_is_in_the_scope_and_code_between_its_steps_is_not(inner):
    ended = []

    @implicit.using(inner)
    def steps(start):
        try:
            received = yield place(), start
            assert received == "sent"
            try:
                yield place()
            except ZeroDivisionError:
                yield f"{place()} after an error"
            return place()
        finally:
            ended.append(place())

    generator = steps(1)
    assert place() == "outer"
    assert next(generator) == ("inner", 1)
    assert place() == "outer"
    assert generator.send("sent") == "inner"
    assert generator.throw(ZeroDivisionError()) == "inner after an error"
    assert place() == "outer"
    with pytest.raises(StopIteration) as stopped:
        next(generator)
    assert stopped.value.value == "inner"
    closed = steps(2)
    next(closed)
    closed.close()
    assert ended == ["inner", "inner"]
    assert place() == "outer"


def test_the_body_of_an_asynchronous_generator_is_in_the_scope_and_its_caller_is_not(inner):
    ended = []

    @implicit.using(inner)
    async def steps():
        try:
            assert (yield place()) == "sent"
            await asyncio.sleep(0)
            try:
                yield place()
            except ZeroDivisionError:
                yield f"{place()} after an error"
        finally:
            ended.append(place())

    async def main():
        generator = steps()
        seen = [await anext(generator), place()]
        seen += [await generator.asend("sent"), place()]
        seen += [await generator.athrow(ZeroDivisionError()), place()]
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        closed = steps()
        await anext(closed)
        await closed.aclose()
        return [*seen, place()]

    inner_and_outer = ["inner", "outer"]
    expected = [*inner_and_outer * 2, "inner after an error", "outer", "outer"]
    assert asyncio.run(main()) == expected
    assert ended == ["inner", "inner"]


def test_two_generators_of_one_decorated_function_take_turns(inner):
    @implicit.using(inner)
    def steps():
        while True:
            yield place()

    one, two = steps(), steps()
    assert [next(one), next(two), place(), next(one), next(two)] == [
        *["inner"] * 2,
        "outer",
        *["inner"] * 2,
    ]
    two.close()
    assert [next(one), place()] == ["inner", "outer"]


def test_an_error_of_a_decorated_function_comes_out_and_the_scope_ends(inner):
    error = ZeroDivisionError("from the body")

    @implicit.using(inner)
    async def failing():
        raise error

    async def main():
        with pytest.raises(ZeroDivisionError) as raised:
            await failing()
        assert raised.value is error
        return place()

    assert asyncio.run(main()) == "outer"


def test_preserved_restores_the_base_after_a_coroutine_and_each_step_of_a_generator(inner):
    @implicit.preserved()
    async def coroutine():
        implicit.initialize(inner)
        await asyncio.sleep(0)
        return place()

    @implicit.preserved()
    def generator():
        implicit.initialize(inner)
        yield place()

    assert [asyncio.run(coroutine()), place()] == ["inner", "outer"]
    assert [next(generator()), place()] == ["inner", "outer"]


def test_an_assignment_in_a_running_event_loop_warns():
    registry = answering("assigned")

    async def assign():
        with pytest.warns(RuntimeWarning, match=r"enter reg\.implicit\.using\(lookup\)") as caught:
            implicit.lookup = registry
        assert caught[0].filename == __file__
        return place()

    assert asyncio.run(assign()) == "assigned"


def test_an_assignment_in_a_scope_or_beside_an_event_loop_does_not_warn(inner):
    async def assign():
        with implicit.using(None):
            implicit.lookup = inner
            await asyncio.to_thread(lambda: setattr(implicit, "lookup", inner))
            return place()

    assert asyncio.run(assign()) == "inner"
    implicit.lookup = inner
    assert place() == "inner"
