"""Running a function of any kind in a state, which does not leak out of it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from typing import Any, Final

__all__ = [
    "ASYNC_GENERATOR",
    "COROUTINE",
    "DELEGATION",
    "FUNCTION",
    "GENERATOR",
    "async_steps",
    "kind_of",
    "steps",
]

#: The body of an async generator function that hands on to ``_reg_start()`` all that it is sent.
DELEGATION: Final = (
    "_reg_generator = _reg_start()",
    "try:",
    "    _reg_item = await _reg_generator.__anext__()",
    "    while True:",
    "        try:",
    "            _reg_sent = yield _reg_item",
    "        except GeneratorExit:",
    "            await _reg_generator.aclose()",
    "            raise",
    "        except BaseException as _reg_error:",
    "            _reg_item = await _reg_generator.athrow(_reg_error)",
    "        else:",
    "            _reg_item = await _reg_generator.asend(_reg_sent)",
    "except StopAsyncIteration:",
    "    return",
)

FUNCTION: Final = "function"
COROUTINE: Final = "coroutine function"
GENERATOR: Final = "generator function"
ASYNC_GENERATOR: Final = "async generator function"


def kind_of(function: Callable[..., Any]) -> str:
    """Tell what calling a function gives."""
    if inspect.iscoroutinefunction(function):
        return COROUTINE
    if inspect.isgeneratorfunction(function):
        return GENERATOR
    return ASYNC_GENERATOR if inspect.isasyncgenfunction(function) else FUNCTION


def steps(
    variable: ContextVar[Any], inside: Any, make: Callable[[], Any]
) -> Generator[Any, Any, Any]:
    """Run a generator in a state: each step of it, but not what is done between them.

    :param variable: holds the state.
    :param inside: the state to run in.
    :param make: makes the generator; another iterable will do.
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
                step(getattr(generator, "close", _nothing))
                raise
            except BaseException as error:
                if not isinstance(generator, Generator):
                    raise
                item = step(generator.throw, error)
            else:
                item = step(next, generator) if sent is None else step(generator.send, sent)
    except StopIteration as stop:
        return stop.value


async def async_steps(
    variable: ContextVar[Any], inside: Any, make: Callable[[], Any]
) -> AsyncGenerator[Any, Any]:
    """Run an async generator in a state; see :func:`steps`."""

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
        async for each in iterable:
            yield each
    else:
        for each in iterable:
            yield each


def _nothing() -> None:
    return None
