"""A function of a host, run by the backend that is chosen."""

from __future__ import annotations

import functools
import inspect
import logging
import weakref
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from .arguments import UNKNOWN, HostParameters, Passing, Route, read_signature
from .backend import Backend
from .call_cache import subject_of
from .conversion import Changing, forgetting
from .decision import Deciding, Decision, take_off_record
from .fast_path import FastPath, failure_reason
from .generators import drive_async_generator, drive_generator, kind_of, of_kind
from .names import AUTO
from .reports import Record
from .selection import Selector
from .state import BackendName, State, leave

__all__ = ["HostFunction", "implementation_signature"]


logger: Final = logging.getLogger("reg.backends")


class HostFunction(FastPath):
    """A function of a host that dispatches to backends.

    :param signature: the signature of the host's function.
    :param moves_on: the exceptions by which a backend passes a call on to the next in line.
    :param mutates_input: which arguments it changes in place.
    """

    def __init__(
        self,
        selector: Selector,
        name: str,
        keyword: str,
        function: Callable[..., Any],
        signature: inspect.Signature,
        deciding: Deciding,
        moves_on: tuple[type[BaseException], ...],
        mutates_input: Changing,
    ) -> None:
        super().__init__(selector, name, keyword, function, deciding)
        self._mutates_input = mutates_input
        self.signature = signature
        self.kind = kind_of(function)
        self.moves_on = moves_on
        # The cache: by implementation, how arguments reach it.
        self._routes: weakref.WeakKeyDictionary[Any, Route] = weakref.WeakKeyDictionary()
        # The cache: by backend, its last export and how arguments reach that one.
        self._export_routes: dict[Backend, tuple[weakref.ref[Any], Route]] = {}
        slow_path = self._start if self.kind else self._run
        self.key = self._made_public(self.make_call(function, slow_path, not self.kind))

    @functools.cached_property
    def parameters(self) -> HostParameters:  # type: ignore[override]
        """The parameters of the host's function, read at the first call of a backend."""
        return HostParameters(self.function, self.signature)

    def takes(self, backend: Backend, implementation: Any, name: str) -> bool:
        return self.route(backend, implementation).takes(name)

    def options(self, backend: Backend) -> Collection[str]:
        implementation = backend.read(self.name, None)
        if not callable(implementation):
            return ()
        try:
            return self.route(backend, implementation).options
        except TypeError:
            # A call says so.
            return ()

    def route(self, backend: Backend, implementation: Any) -> Route:
        """Find out how the arguments of a call reach an implementation.

        :raises TypeError: if it cannot be called, or has no signature.
        """
        subject = subject_of(implementation)
        known = self._export_routes.get(backend)
        if known is not None and known[0]() is subject:
            return known[1]
        try:
            route = self._routes.get(subject)
        except TypeError:
            route = None
        if route is None:
            signature = implementation_signature(self.name, backend, implementation)
            route = Route(self.name, self.parameters, backend.name, signature)
        try:
            self._routes[subject] = route
            self._export_routes[backend] = (weakref.ref(subject), route)
        except TypeError:
            # It cannot be referred to weakly, and must not be kept alive.
            logger.debug("%r is inspected at each call", implementation)
        return route

    # Arguments that are changed in place

    def _changed(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call that the function changes, by name."""
        arguments = self.parameters.by_name(args, keywords)
        names = self._mutates_input or ()
        names = names(arguments) if callable(names) else names
        return {name: arguments[name] for name in names if name in arguments}

    def conversion_refusal(
        self, backend: Backend, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> str | None:
        converter = self.selector.converter(backend)
        if self._mutates_input is not None and converter is not None:
            for name, value in self._changed(args, keywords).items():
                if converter.converts(value):
                    return f"{self.name}() changes {name!r}, and would change a converted copy"
        return None

    # For explanations

    def type_error(self, decision: Decision, args: tuple[Any, ...]) -> str | None:
        """Say why a call would be a ``TypeError``; ``None`` if it would not be.

        :param decision: which backend would run it.
        :param args: its positional arguments.
        """
        names = tuple(decision.keywords)
        if decision.backend is not None:
            route = self.route(decision.backend, decision.implementation)
            return route.check(len(args), names)
        try:
            self.signature.bind(*args, **decision.keywords)
        except TypeError as error:
            return str(error)
        return None

    def dropped(self, decision: Decision, args: tuple[Any, ...]) -> tuple[str, ...]:
        """List the arguments that the implementation cannot be given."""
        if decision.backend is None:
            return ()
        route = self.route(decision.backend, decision.implementation)
        given = self.parameters.by_name(args, decision.keywords)
        own = self.parameters.defaults
        return tuple(name for name in given if name in own and not route.takes(name))

    def _made_public(self, call: Any) -> Callable[..., Any]:
        conversions = self.selector.conversions
        if self._mutates_input is not None and conversions is not None:
            is_coroutine = self.kind == inspect.CO_COROUTINE
            call = forgetting(
                call, conversions, lambda *given: [*self._changed(*given).values()], is_coroutine
            )
        made: Callable[..., Any] = of_kind(call, self.kind)
        return functools.update_wrapper(made, self.function)

    # Running

    def _run(
        self,
        state: State,
        given: BackendName | None,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend | None, str] | None = None,
    ) -> Any:
        """Decide, and run a plain function."""
        shape = (len(args), *keywords) if keywords else len(args)
        if shape not in self.parameters.fitting:
            self.parameters.check(args, keywords, self.name)
        decision = self.decide(state, given, args, keywords, failed)
        record = self.note(state, decision)
        backend, implementation = decision.backend, decision.implementation
        passing: Passing | None = None
        moves_on: tuple[type[BaseException], ...] = ()
        if backend is not None:
            route = self.route(backend, implementation)
            passing = route.shapes.get(shape, UNKNOWN)
            if passing is UNKNOWN:
                passing = route.passing(args, decision.keywords)
            moves_on = self.moves_on if decision.choice.is_list else ()
        inside = self.inside(state, given, decision)
        converter = self.selector.converter(backend)
        if converter is not None:
            implementation = converter.around(implementation)
        elif decision.is_fixed and decision.keywords is keywords:
            self.remember(state, inside, given, decision, shape)
        variable, token = self.selector.state, None
        try:
            token = variable.set(inside)
            if passing is None:
                return implementation(*args, **decision.keywords)
            return passing(implementation, args, decision.keywords, decision.strict)
        except moves_on as error:
            failed = {**(failed or {}), backend: failure_reason(error)}
        except BaseException as error:
            self._say_why(decision, error)
            raise
        finally:
            if token is not None:
                variable.reset(token)
            else:
                leave(variable, token, state)
        take_off_record(state, record)
        return self._run(state, given, args, keywords, failed)

    def _start(
        self,
        state: State,
        given: BackendName | None,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend | None, str] | None = None,
    ) -> Any:
        """Decide, and make the coroutine or generator that runs a function of another kind."""
        self.parameters.check(args, keywords, self.name)
        decision = self.decide(state, given, args, keywords, failed)
        record = self.note(state, decision)
        backend, implementation = decision.backend, decision.implementation
        passing = None
        if backend is not None:
            passing = self.route(backend, implementation).passing(args, decision.keywords)
        inside = self.inside(state, given, decision)
        converter = self.selector.converter(backend)
        if converter is not None:
            implementation = converter.around(implementation)

        def make() -> Any:
            if passing is None:
                return implementation(*args, **decision.keywords)
            return passing(implementation, args, decision.keywords, decision.strict)

        if self.kind == inspect.CO_COROUTINE:
            again = functools.partial(self._start, state, given, args, keywords)
            return self._await(inside, make, decision, failed, again, record)
        drive = drive_generator if self.kind == inspect.CO_GENERATOR else drive_async_generator
        return drive(self.selector.state, inside, make)

    async def _await(
        self,
        inside: State,
        make: Callable[[], Any],
        decision: Decision,
        failed: Mapping[Backend | None, str] | None,
        again: Callable[..., Any],
        record: Record | None,
    ) -> Any:
        moves_on = self.moves_on if decision.backend and decision.choice.is_list else ()
        variable = self.selector.state
        outer = variable.get()
        try:
            variable.set(inside)
            result = make()
            return await result if inspect.isawaitable(result) else result
        except moves_on as error:
            failed = {**(failed or {}), decision.backend: failure_reason(error)}
        except BaseException as error:
            self._say_why(decision, error)
            raise
        finally:
            variable.set(outer)
        take_off_record(inside, record)
        return await again(failed)

    def _say_why(self, decision: Decision, error: BaseException) -> None:
        """Add to an error of the host's code why it ran in place of a backend."""
        if decision.fell_back and decision.passed_over:
            error.add_note(f"{self.name}() ran on the host's own code: {decision.reason}")

    # The cache

    def cached_shapes(self, decision: Decision) -> tuple[frozenset[str], Mapping[Any, Any]]:
        if decision.backend is None:
            return super().cached_shapes(decision)
        route = self.route(decision.backend, decision.implementation)
        # By "auto", an argument that decides must not be dropped.
        is_auto = decision.choice.names[0] == AUTO
        return route.options, route.in_place if is_auto else route.shapes


def implementation_signature(name: str, backend: Backend, implementation: Any) -> inspect.Signature:
    """Read the signature of an export.

    :param name: the name of the export.
    :param backend: the backend that exports it.
    :param implementation: the export.
    :raises TypeError: if it cannot be called, or has no signature.
    """
    try:
        if callable(implementation):
            return read_signature(implementation)
        reason = f"is not callable: {implementation!r}"
    except (TypeError, ValueError) as error:
        reason = f"does not say which arguments it takes: {error}"
    raise TypeError(f"{name!r} of the backend {backend.name!r}, {backend.origin}, {reason}")
