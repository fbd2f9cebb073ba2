"""Running functions of all kinds in a state that does not leak to their callers."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from typing import Any, Final

__all__ = ["GENERATORS", "KINDS", "drive_async_generator", "drive_generator", "kind_of", "of_kind"]

#: The flags of the kinds that run while they are iterated.
GENERATORS: Final = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
#: The flags of code by which ``inspect`` tells the kinds of functions apart.
KINDS: Final = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def kind_of(function: Callable[..., Any]) -> int:
    """The kind of a function: one of the flags in :data:`KINDS`, or 0 for a plain one."""
    code = getattr(function, "__code__", None)
    if type(code) is types.CodeType and "__wrapped__" not in vars(function):
        return code.co_flags & KINDS
    if inspect.iscoroutinefunction(function):
        return inspect.CO_COROUTINE
    if inspect.isgeneratorfunction(function):
        return inspect.CO_GENERATOR
    return inspect.CO_ASYNC_GENERATOR if inspect.isasyncgenfunction(function) else 0


def of_kind(call: Any, kind: int) -> Any:
    """Make a function that ``inspect`` takes for one of another kind.

    Only the flags that ``inspect`` reads differ: the function still runs when it is called, and
    returns a coroutine or a generator.

    :param call: a plain function.
    :param kind: a flag in :data:`KINDS`, or 0.
    :return: a function with the same body; ``call`` itself if the kind is 0.
    """
    # PyPy runs a function by its flags, so that they cannot be added there.
    if not kind or sys.implementation.name == "pypy":
        return call
    code = call.__code__.replace(co_flags=call.__code__.co_flags | kind)
    # A new one: functions must not change their kind.
    made = types.FunctionType(code, call.__globals__, call.__name__, None, call.__closure__)
    made.__kwdefaults__ = call.__kwdefaults__
    return made


def drive_generator(
    variable: ContextVar[Any], inside: Any, make: Callable[[], Any]
) -> Generator[Any, Any, Any]:
    """Run a generator in a state: its steps, and not its caller's code between them.

    :param variable: the context variable that holds the state.
    :param inside: the state to run in.
    :param make: makes the generator, or another iterable.
    """

    def step(function: Callable[..., Any], *args: Any) -> Any:
        nonlocal inside
        outer = variable.get()
        try:
            variable.set(inside)
            return function(*args)
        finally:
            inside = variable.get()
            variable.set(outer)

    generator = step(make)
    if not isinstance(generator, Generator):
        generator = step(iter, generator)
    try:
        item = step(next, generator)
        while True:
            try:
                sent = yield item
            except GeneratorExit:
                if hasattr(generator, "close"):
                    step(generator.close)
                raise
            except BaseException as error:
                if not isinstance(generator, Generator):
                    raise
                item = step(generator.throw, error)
            else:
                item = step(next, generator) if sent is None else step(generator.send, sent)
    except StopIteration as stop:
        return stop.value


async def drive_async_generator(
    variable: ContextVar[Any], inside: Any, make: Callable[[], Any]
) -> AsyncGenerator[Any, Any]:
    """Run an async generator in a state, as :func:`drive_generator` does."""

    async def step(function: Callable[..., Any], *args: Any) -> Any:
        nonlocal inside
        outer = variable.get()
        try:
            variable.set(inside)
            result = function(*args)
            return await result if inspect.isawaitable(result) else result
        finally:
            inside = variable.get()
            variable.set(outer)

    generator = await step(make)
    if not isinstance(generator, AsyncGenerator):
        generator = _as_generator(generator)
    try:
        item = await step(generator.__anext__)
        while True:
            try:
                sent = yield item
            except GeneratorExit:
                await step(generator.aclose)
                raise
            except BaseException as error:
                item = await step(generator.athrow, error)
            else:
                item = await step(generator.asend, sent)
    except StopAsyncIteration:
        return


async def _as_generator(iterable: Any) -> AsyncGenerator[Any, Any]:
    if hasattr(iterable, "__aiter__"):
        async for item in iterable:
            yield item
    else:
        for item in iterable:
            yield item
