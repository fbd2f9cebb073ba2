"""Context managers that also decorate functions of every kind.

``contextlib.ContextDecorator`` enters and leaves around the *call*. For a coroutine function or
a generator that is over before the body has run. Here the scope holds while the body runs, and
the decorated function keeps its kind.
"""

from __future__ import annotations

import functools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, Self, TypeAlias, TypeVar

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

__all__ = ["ScopeDecorator"]


class ScopeDecorator:
    """A context manager, and a decorator: the body of the function is inside of a scope.

    In a generator, the scope is entered at each step and left at each ``yield``, so that it
    does not reach the code that iterates.
    """

    #: whether it was entered, or decorates a function
    _is_used = False

    def __enter__(self) -> Any:
        """Enter the scope; defined by each kind of scope."""
        raise NotImplementedError

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Leave the scope; defined by each kind of scope."""
        raise NotImplementedError

    def _another(self) -> Self:
        """Make a scope like this one for one call: several calls may run at a time."""
        raise NotImplementedError

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Decorate a function.

        :param function: any function: synchronous or asynchronous, a generator or not.
        :return: a function of the same kind.
        """
        import inspect

        self._is_used = True
        wrapper: Callable[_P, _R]
        if inspect.isasyncgenfunction(function):
            wrapper = _async_generator(function, self._another)
        elif inspect.iscoroutinefunction(function):
            wrapper = _coroutine(function, self._another)
        elif inspect.isgeneratorfunction(function):
            wrapper = _generator(function, self._another)
        else:
            wrapper = _plain(function, self._another)
        functools.update_wrapper(wrapper, function)
        return wrapper


_Scope: TypeAlias = "Callable[[], ScopeDecorator]"


def _plain(function: Any, scope: _Scope) -> Any:
    def wrapper(*args: Any, **keywords: Any) -> Any:
        with scope():
            return function(*args, **keywords)

    return wrapper


def _coroutine(function: Any, scope: _Scope) -> Any:
    async def wrapper(*args: Any, **keywords: Any) -> Any:
        with scope():
            return await function(*args, **keywords)

    return wrapper


def _generator(function: Any, scope: _Scope) -> Any:
    def wrapper(*args: Any, **keywords: Any) -> Any:
        step, argument = (generator := function(*args, **keywords)).send, None
        while True:
            with scope():
                try:
                    item = step(argument)
                except StopIteration as stop:
                    return stop.value
            try:
                step, argument = generator.send, (yield item)
            except GeneratorExit:
                with scope():
                    generator.close()
                raise
            except BaseException as error:
                step, argument = generator.throw, error

    return wrapper


def _async_generator(function: Any, scope: _Scope) -> Any:
    async def wrapper(*args: Any, **keywords: Any) -> Any:
        step, argument = (generator := function(*args, **keywords)).asend, None
        while True:
            with scope():
                try:
                    item = await step(argument)
                except StopAsyncIteration:
                    return
            try:
                step, argument = generator.asend, (yield item)
            except GeneratorExit:
                with scope():
                    await generator.aclose()
                raise
            except BaseException as error:
                step, argument = generator.athrow, error

    return wrapper
