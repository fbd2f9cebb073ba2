"""Converting arguments of the host's kind to those of a backend, and results back.

A backend that has ``converts``, a list of classes of the host, and ``convert_from_host()`` gets
arguments of these classes converted, if the host turns it on. The rules:

- If an argument of a call was converted, the result passes through ``convert_to_host()``.
- A converted argument is used again if the host says how to recognize that an argument is
  unchanged, by a function of its version. The cache refers to the argument weakly.
- An argument that a function changes is never converted: a copy would be changed in its place.
  After such a call, the cache forgets the argument, even if its version is the same.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeAlias

from .backend import Backend

__all__ = ["Changing", "Conversions", "Converter", "forgetting"]

#: Which arguments a function changes in place: their names, or a function that picks names from
#: the arguments by name.
Changing: TypeAlias = Iterable[str] | Callable[[dict[str, Any]], Iterable[str]] | None


class Conversions:
    """The conversions of one host.

    :param version_of: gives a value that is another one after each change of an argument;
      ``None`` to convert for each call.
    """

    def __init__(self, version_of: Callable[[Any], Hashable] | None) -> None:
        self._version_of = version_of
        self._converters: weakref.WeakKeyDictionary[Backend, Converter] = (
            weakref.WeakKeyDictionary()
        )

    def of(self, backend: Backend) -> Converter | None:
        """Get the converter of a backend; ``None`` if it converts nothing."""
        if not backend.converts:
            return None
        converter = self._converters.get(backend)
        if converter is None:
            converter = Converter(backend, self._version_of)
            converter = self._converters.setdefault(backend, converter)
        return converter

    def forget(self, values: Iterable[Any]) -> None:
        """Forget all that was converted from these arguments, which may have been changed."""
        for converter in list(self._converters.values()):
            for value in values:
                converter.forget(value)


class Converter:
    """The conversions for one backend.

    :param backend: the backend.
    :param version_of: as for :class:`Conversions`.
    """

    def __init__(self, backend: Backend, version_of: Callable[[Any], Hashable] | None) -> None:
        self._backend = backend
        self._version_of = version_of
        # The cache: by identity the argument, its version, and the converted one.
        self._known: dict[int, tuple[weakref.ref[Any], Hashable, Any]] = {}

    def converts(self, value: Any) -> bool:
        """True if an argument is of a class that the backend converts."""
        return self._backend.converts.one_of((value,))

    def around(self, implementation: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function that converts the arguments, calls, and converts the result.

        :param implementation: a function of the backend.
        """

        def run(*args: Any, **keywords: Any) -> Any:
            own_args = [self._own(value) for value in args]
            own_keywords = {name: self._own(value) for name, value in keywords.items()}
            result = implementation(*own_args, **own_keywords)
            given = (*args, *keywords.values())
            own = (*own_args, *own_keywords.values())
            if all(one is other for one, other in zip(given, own, strict=True)):
                return result
            return self._awaited(result) if inspect.iscoroutine(result) else self._back(result)

        return run

    def forget(self, value: Any) -> None:
        """Forget the conversion of an argument."""
        self._known.pop(id(value), None)

    def _own(self, value: Any) -> Any:
        if not self.converts(value):
            return value
        if self._version_of is None:
            return self._backend.read("convert_from_host", None)(value)
        version = self._version_of(value)
        reference, known_version, converted = self._known.get(id(value), (None, None, None))
        if reference is not None and reference() is value and known_version == version:
            return converted
        converted = self._backend.read("convert_from_host", None)(value)
        # Changed meanwhile by another thread, it may be of neither version.
        if converted is not value and self._version_of(value) == version:
            self._remember(value, version, converted)
        return converted

    def _remember(self, value: Any, version: Hashable, converted: Any) -> None:
        identity, known = id(value), self._known

        def forget(reference: weakref.ref[Any]) -> None:
            # Another object may have that identity by now.
            if identity in known and known[identity][0] is reference:
                del known[identity]

        try:
            known[identity] = weakref.ref(value, forget), version, converted
        except TypeError:
            # It cannot be referred to weakly, and must not be kept alive.
            known.pop(identity, None)

    def _back(self, result: Any) -> Any:
        convert = self._backend.read("convert_to_host", None)
        return result if convert is None else convert(result)

    async def _awaited(self, result: Any) -> Any:
        return self._back(await result)


def forgetting(
    call: Callable[..., Any],
    conversions: Conversions,
    changed: Callable[[tuple[Any, ...], dict[str, Any]], list[Any]],
    is_coroutine: bool,
) -> Callable[..., Any]:
    """Wrap a function that changes arguments, so that their conversions are forgotten after it.

    :param call: the function.
    :param conversions: the conversions of the host.
    :param changed: gives the values that a call with these arguments changes.
    :param is_coroutine: true if it is a coroutine function.
    """

    def call_and_forget(*args: Any, **keywords: Any) -> Any:
        values = changed(args, keywords)
        if is_coroutine:
            return _await_and_forget(call(*args, **keywords), conversions, values)
        try:
            return call(*args, **keywords)
        finally:
            conversions.forget(values)

    return functools.update_wrapper(call_and_forget, call)


async def _await_and_forget(result: Any, conversions: Conversions, values: list[Any]) -> Any:
    try:
        return await result
    finally:
        conversions.forget(values)
