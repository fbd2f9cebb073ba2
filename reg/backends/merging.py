"""Showing in a host's functions what backends add to them."""

from __future__ import annotations

import contextlib
import inspect
import sys
import weakref
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

from reg.arginfo import wrapped_by
from reg.sentinel import MISSING

from .._signatures import signature_with_deferred
from .backend import Backend
from .dispatch import Function, signature_of
from .docstrings import Documentation, documentation_of, documented
from .notices import Notices, told
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
        # All parameters of backends that have ever been shown.
        self._additional: list[inspect.Parameter] = []
        # What outer decorators made of the docstring, as it was at first.
        self._outer: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        call.__doc__ = documented(self._text, self._own, {})

    def merge(self, backends: list[Backend], notices: Notices) -> None:
        """Show what these backends add. Doing it again changes nothing."""
        function = self._function
        parameters: dict[str, inspect.Parameter] = {}
        other: dict[str, Documentation] = {}
        for backend in backends:
            try:
                found, known = self._additions(backend, notices)
            except MemoryError:
                raise
            except Exception as error:
                # It must not keep the others from being shown, let alone from being found.
                self._complain(
                    f"{function.name}() of the backend {backend.name!r}, {backend.origin}: its"
                    f" parameters are not shown, since asking for them raised {told(error)}",
                    notices,
                )
                continue
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
        # An outer decorator shows what the function shows, by now.
        self._additional += parameters.values()
        if outer is not None:
            self._show(outer, parameters, self._outer_text(outer, before_text, other))

    def keep(self) -> Callable[[], None]:
        """Take note of what is shown, and get what puts it back."""
        subjects = [self._function.key]
        outer = self._outermost()
        if outer is not None:
            subjects.append(outer)
        before = [(each, dict(vars(each)), each.__doc__) for each in subjects]
        said, texts = set(self._said), dict(self._outer)

        def put_back() -> None:
            for subject, attributes, text in before:
                subject.__doc__ = text
                if "__signature__" in attributes:
                    subject.__signature__ = attributes["__signature__"]
                elif "__signature__" in vars(subject):
                    del subject.__signature__
            self._said = said
            self._outer = weakref.WeakKeyDictionary(texts)

        return put_back

    def _additions(
        self, backend: Backend, notices: Notices
    ) -> tuple[list[inspect.Parameter], dict[str, Documentation]]:
        """The parameters that a backend adds, and what its docstring says of them."""
        function = self._function
        implementation = getattr(backend.source, function.name, MISSING)
        if implementation is MISSING:
            return [], {}
        try:
            signature = signature_of(function.name, backend, implementation)
        except TypeError:
            # A call through this backend says so.
            return [], {}
        found, complaints = additional_parameters(
            function.name, function.signature, backend, signature
        )
        for complaint in complaints:
            self._complain(complaint, notices)
        return found, documentation_of(implementation) if found else {}

    def _complain(self, complaint: str, notices: Notices) -> None:
        if complaint not in self._said:
            self._said.add(complaint)
            notices.add(complaint)

    def _show(self, call: Any, parameters: dict[str, inspect.Parameter], text: str | None) -> None:
        # Without those of before: the order is not to depend on what was loaded first.
        signature = signature_with_deferred(call)
        own = [
            each
            for each in signature.parameters.values()
            if not any(each is known for known in self._additional)
        ]
        call.__signature__ = merged(
            signature.replace(parameters=own), self._function.keyword, parameters.values()
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
            signature_with_deferred(outer)
            return outer
        return None
