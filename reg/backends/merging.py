"""Showing in a host's functions what backends add to them."""

from __future__ import annotations

import contextlib
import inspect
import sys
import weakref
from types import FunctionType
from typing import Any, Final

from reg.arginfo import wrapped_by
from reg.sentinel import MISSING

from .backend import Backend
from .dispatch import Function, signature_of
from .docstrings import Documentation, documentation_of, documented
from .notices import Notices
from .signatures import additional_parameters, merged, with_keyword

__all__ = ["Shown"]

_KEYWORD: Final = Documentation(
    "str, list of str or None",
    "Backend that runs this call, or several in order of preference; by default, the\n"
    'one of the settings. ``"cpu"`` is the code of this library itself.',
)


class Shown:
    """What the users of one host's function see of it.

    :param function: the function; its signature and docstring are changed.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        call = function.key
        call.__signature__ = with_keyword(function.signature, function.keyword)
        self._own = {function.keyword: _KEYWORD}
        self._text = function.function.__doc__
        self._said: set[str] = set()
        # What outer decorators made of the docstring, as it was at first.
        self._outer: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        call.__doc__ = documented(self._text, self._own, {})

    def merge(self, backends: list[Backend], notices: Notices) -> None:
        """Show what these backends add. Doing it again changes nothing."""
        function = self._function
        parameters: dict[str, inspect.Parameter] = {}
        other: dict[str, Documentation] = {}
        for backend in backends:
            implementation = getattr(backend.source, function.name, MISSING)
            if implementation is MISSING:
                continue
            try:
                signature = signature_of(function.name, backend, implementation)
            except TypeError:
                # A call through this backend says so.
                continue
            found, complaints = additional_parameters(
                function.name, function.signature, backend, signature
            )
            for complaint in complaints:
                if complaint not in self._said:
                    self._said.add(complaint)
                    notices.add(complaint)
            known = documentation_of(implementation) if found else {}
            for parameter in found:
                if parameter.name == function.keyword:
                    continue
                parameters.setdefault(parameter.name, parameter)
                documentation = known.get(parameter.name, Documentation())
                documentation = documentation._replace(backends=(backend.name,))
                before = other.get(parameter.name)
                other[parameter.name] = (
                    documentation if before is None else before.joined(documentation)
                )
        call = function.key
        before_text = call.__doc__
        self._show(call, parameters, documented(self._text, self._own, other))
        outer = self._outermost()
        if outer is not None:
            self._show(outer, parameters, self._outer_text(outer, before_text, other))

    def _show(self, call: Any, parameters: dict[str, inspect.Parameter], text: str | None) -> None:
        call.__signature__ = merged(
            inspect.signature(call), self._function.keyword, parameters.values()
        )
        call.__doc__ = text

    def _outer_text(
        self, outer: Any, before: str | None, other: dict[str, Documentation]
    ) -> str | None:
        text = outer.__doc__
        if text and before and before in text and outer not in self._outer:
            return str(text.replace(before, self._function.key.__doc__))
        if not text:
            return None
        original = self._outer.setdefault(outer, text)
        own = {} if self._function.keyword in original else self._own
        return documented(original, own, other)

    def _outermost(self) -> Any:
        """What the module has under the function's name, if that leads to it."""
        function = self._function.function
        module = sys.modules.get(function.__module__)
        outer = getattr(module, "__dict__", {}).get(function.__name__)
        inner = outer
        while inner is not None and inner is not self._function.key:
            inner = wrapped_by(inner)
        if inner is None or outer is inner or not isinstance(outer, FunctionType):
            return None
        with contextlib.suppress(TypeError, ValueError):
            inspect.signature(outer)
            return outer
        return None
