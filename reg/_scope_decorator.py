"""Context managers that also decorate functions of every kind.

``contextlib.ContextDecorator`` enters and leaves around the *call*. For a coroutine function or
a generator that is over before the body has run. Here the scope holds while the body runs, and
the decorated function keeps its kind.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, Self, TypeVar

__all__ = ["ScopeDecorator"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class ScopeDecorator(AbstractContextManager[Any]):
    """A context manager, and a decorator: the body of the function is inside of a scope.

    In a generator, the scope is entered at each step and left at each ``yield``, so that it
    does not reach the code that iterates.
    """

    def _another(self) -> Self:
        """Make a scope like this one for one call: several calls may run at a time."""
        raise NotImplementedError

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Decorate a function.

        :param function: any function: synchronous or asynchronous, a generator or not.
        :return: a function of the same kind.
        """
        call: Any = function
        wrapper: Any

        if inspect.isasyncgenfunction(function):

            async def wrapper(*args: Any, **keywords: Any) -> Any:
                step, argument = (generator := call(*args, **keywords)).asend, None
                while True:
                    with self._another():
                        try:
                            item = await step(argument)
                        except StopAsyncIteration:
                            return
                    try:
                        step, argument = generator.asend, (yield item)
                    except GeneratorExit:
                        with self._another():
                            await generator.aclose()
                        raise
                    except BaseException as error:
                        step, argument = generator.athrow, error

        elif inspect.iscoroutinefunction(function):

            async def wrapper(*args: Any, **keywords: Any) -> Any:
                with self._another():
                    return await call(*args, **keywords)

        elif inspect.isgeneratorfunction(function):

            def wrapper(*args: Any, **keywords: Any) -> Any:
                step, argument = (generator := call(*args, **keywords)).send, None
                while True:
                    with self._another():
                        try:
                            item = step(argument)
                        except StopIteration as stop:
                            return stop.value
                    try:
                        step, argument = generator.send, (yield item)
                    except GeneratorExit:
                        with self._another():
                            generator.close()
                        raise
                    except BaseException as error:
                        step, argument = generator.throw, error

        else:

            def wrapper(*args: Any, **keywords: Any) -> Any:
                with self._another():
                    return call(*args, **keywords)

        functools.update_wrapper(wrapper, function)
        return wrapper  # type: ignore[no-any-return]
