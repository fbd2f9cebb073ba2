"""Publishing the additions of backends in the signature and docstring of a host's function."""

from __future__ import annotations

import contextlib
import inspect
import sys
import weakref
from collections.abc import Iterable
from types import FunctionType
from typing import Any, Final

from reg.sentinel import MISSING

from ..arguments import read_signature
from ..backend import Backend
from ..caller_warnings import describe_error
from ..function import HostFunction, implementation_signature
from ..inventory import Assignment
from .docstrings import Documentation, documentation_of, documented
from .signatures import additional_parameters, merged, with_keyword

__all__ = ["PublishedFunction"]

_KEYWORD: Final = Documentation(
    "str, list of str or None",
    "Backend that runs this call, or several in order of preference; by default, the\n"
    'one of the settings. ``"cpu"`` is the code of this library itself.',
)


class _Text:
    """The docstring of one function, before backends add to it.

    An outer decorator can change a docstring in place at any time. So the text that was
    published last is remembered: any other text is a new original.
    """

    def __init__(self, original: str | None, included: Iterable[str] = ()) -> None:
        self.original = original
        self.published = original
        # Parameters of backends that the original documents already.
        self._included = set(included)
        #: parameters of backends that were added last
        self.added: set[str] = set()

    def update(self, present: str | None) -> None:
        """Take note of the present docstring."""
        if present != self.published:
            self.original = self.published = present
            self._included |= self.added

    def with_additions(
        self, own: dict[str, Documentation], other: dict[str, Documentation]
    ) -> str | None:
        """Make the docstring with the documentation of parameters added."""
        self.added = set(other)
        new = {name: one for name, one in other.items() if name not in self._included}
        return documented(self.original, own, new)


class PublishedFunction:
    """The signature and the docstring of one function of a host.

    :param function: the function; the host's keyword is added to both now.
    """

    def __init__(self, function: HostFunction) -> None:
        self._function = function
        self._own = {function.keyword: _KEYWORD}
        call = function.key
        call.__signature__ = with_keyword(function.signature, function.keyword)
        call.__doc__ = documented(function.function.__doc__, self._own, {})
        self._text = _Text(call.__doc__)
        self._outer_texts: weakref.WeakKeyDictionary[Any, _Text] = weakref.WeakKeyDictionary()
        self._complaints: set[str] = set()
        # All parameters of backends that have ever been published.
        self._published: list[inspect.Parameter] = []

    def assignments(self, backends: Iterable[Backend], warnings: list[str]) -> list[Assignment]:
        """Compute the signature and the docstring with the additions of backends.

        :param backends: the loaded backends, in the order of their entry points.
        :param warnings: gets a message about each parameter that is left out.
        :return: the assignments that publish them. Doing it again changes nothing.
        """
        parameters: dict[str, inspect.Parameter] = {}
        other: dict[str, Documentation] = {}
        complaints: list[str] = []
        for backend in backends:
            additional, documentation = self._additions(backend, complaints)
            for parameter in additional:
                name = parameter.name
                parameters.setdefault(name, parameter)
                known = documentation.get(name, Documentation())
                known = known._replace(backends=(backend.name,))
                other[name] = other[name].joined(known) if name in other else known
        new = [one for one in dict.fromkeys(complaints) if one not in self._complaints]
        warnings += new
        if not parameters and not self._published and not new:
            return []
        call, outer = self._function.key, self._outermost()
        before, added = self._text.published, self._text.added
        self._text.update(call.__doc__)
        text = self._text.with_additions({}, other)
        assignments: list[Assignment] = [
            (call, "__signature__", self._signature(call, parameters)),
            (call, "__doc__", text),
            (self._text, "published", text),
            (self, "_complaints", {*self._complaints, *new}),
        ]
        if outer is not None:
            assignments.append((outer, "__signature__", self._signature(outer, parameters)))
            assignments += self._outer_docstring(outer, (before, text), added, other)
        self._published += parameters.values()
        return assignments

    def _additions(
        self, backend: Backend, complaints: list[str]
    ) -> tuple[list[inspect.Parameter], dict[str, Documentation]]:
        """The parameters that a backend adds, and their documentation.

        :param complaints: gets a line about each parameter that is left out.
        """
        function = self._function
        try:
            implementation = getattr(backend.source, function.name, MISSING)
            if implementation is MISSING:
                return [], {}
            try:
                signature = implementation_signature(function.name, backend, implementation)
            except TypeError:
                # A call through this backend says so.
                return [], {}
            if signature.parameters.keys() <= function.signature.parameters.keys():
                return [], {}
            additional, left_out = additional_parameters(
                function.name, function.signature, backend, signature
            )
            complaints += left_out
            additional = [p for p in additional if p.name != function.keyword]
            documentation = documentation_of(implementation) if additional else {}
        except MemoryError:
            raise
        except Exception as error:
            # It must not keep the others from being published, let alone from being found.
            additional, documentation = [], {}
            complaints.append(
                f"{function.name}() of the backend {backend.name!r}, {backend.origin}: its"
                f" parameters are not shown, since asking for them raised {describe_error(error)}"
            )
        return additional, documentation

    def _signature(self, call: Any, parameters: dict[str, inspect.Parameter]) -> inspect.Signature:
        # Without the parameters published before: the order is that of the entry points.
        signature = read_signature(call)
        own = [
            parameter
            for parameter in signature.parameters.values()
            if not any(parameter is one for one in self._published)
        ]
        signature = signature.replace(parameters=own)
        return merged(signature, self._function.keyword, parameters.values())

    def _outer_docstring(
        self,
        outer: Any,
        texts: tuple[str | None, str | None],
        added: set[str],
        other: dict[str, Documentation],
    ) -> list[Assignment]:
        """Publish the additions in the docstring of an outer decorator, if it has one.

        :param outer: the function that the decorator made.
        :param texts: the docstring of the dispatching function, before and after.
        :param added: the names of the parameters that were published before.
        :param other: the parameters of backends.
        """
        present = outer.__doc__
        if not present:
            return []
        before, text = texts
        outer_text = self._outer_texts.get(outer)
        if outer_text is None and before and text and before in present:
            return [(outer, "__doc__", present.replace(before, text))]
        if outer_text is None:
            outer_text = self._outer_texts.setdefault(outer, _Text(present, added))
        outer_text.update(present)
        own = {} if self._function.keyword in (outer_text.original or "") else self._own
        shown = outer_text.with_additions(own, other)
        return [(outer, "__doc__", shown), (outer_text, "published", shown)]

    def _outermost(self) -> Any:
        """The function of that name in the host's module, if it wraps the dispatching one."""
        function = self._function.function
        module = sys.modules.get(function.__module__)
        outer = getattr(module, "__dict__", {}).get(function.__name__)
        call = self._function.key
        if outer is call or not isinstance(outer, FunctionType):
            return None
        with contextlib.suppress(ValueError):
            # An error if they wrap each other.
            if inspect.unwrap(outer, stop=lambda one: one is call) is not call:
                return None
        with contextlib.suppress(TypeError, ValueError):
            read_signature(outer)
            return outer
        return None
