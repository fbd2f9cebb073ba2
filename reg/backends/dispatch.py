"""A host's function, run by the backend that is chosen."""

from __future__ import annotations

import functools
import inspect
import logging
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar, overload

from reg.sentinel import MISSING

from .._signatures import signature_with_deferred
from .backend import Backend
from .decision import Decision, Dispatched
from .kinds import (
    ASYNC_GENERATOR,
    COROUTINE,
    DELEGATION,
    FUNCTION,
    GENERATOR,
    async_steps,
    kind_of,
    steps,
)
from .labels import HOST
from .routing import Layout, Route, compiled, route
from .selection import BackendName, Selection, State

__all__ = ["DispatchedFunction", "Function", "signature_of"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R", covariant=True)
_A = TypeVar("_A")
_B = TypeVar("_B")

logger: Final = logging.getLogger("reg.backends")
# What logger.isEnabledFor() told before, found at a fraction of its cost; nothing
# if it has not been asked since the configuration of logging has changed.
_logged: Final = getattr(logger, "_cache", {logging.DEBUG: True})


class DispatchedFunction(Protocol[_P, _R]):
    """What ``@backend_dispatch`` returns: the function, with one more keyword argument.

    Types can express that one besides the others only by naming the first two
    arguments; with ``backend`` or ``strict``, those that follow are not
    checked, since some may be for a backend alone. They know ``backend`` by
    this name only, whatever keyword the host has chosen.
    """

    @property
    def __wrapped__(self) -> Callable[_P, _R]:
        """The host's own function."""
        ...

    # It is a key; mypy would not take it for hashable otherwise.
    def __hash__(self) -> int: ...

    @overload
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...

    @overload
    def __call__(
        self, /, *, backend: BackendName | None, strict: bool = ..., **kwargs: Any
    ) -> _R: ...

    @overload
    def __call__(
        self: DispatchedFunction[Concatenate[_A, _Q], _R],
        first: _A,
        /,
        *,
        backend: BackendName | None,
        strict: bool = ...,
        **kwargs: Any,
    ) -> _R: ...

    @overload
    def __call__(
        self: DispatchedFunction[Concatenate[_A, _B, _Q], _R],
        first: _A,
        second: _B,
        /,
        *args: Any,
        backend: BackendName | None,
        strict: bool = ...,
        **kwargs: Any,
    ) -> _R: ...

    @overload
    def __call__(self, /, *, strict: bool, **kwargs: Any) -> _R: ...

    @overload
    def __call__(
        self: DispatchedFunction[Concatenate[_A, _Q], _R],
        first: _A,
        /,
        *,
        strict: bool,
        **kwargs: Any,
    ) -> _R: ...

    @overload
    def __call__(
        self: DispatchedFunction[Concatenate[_A, _B, _Q], _R],
        first: _A,
        second: _B,
        /,
        *args: Any,
        strict: bool,
        **kwargs: Any,
    ) -> _R: ...


class Function(Dispatched):
    """A function of a host that dispatches to backends.

    :param signature: of the host's function.
    """

    def __init__(
        self,
        selection: Selection,
        name: str,
        keyword: str,
        function: Callable[..., Any],
        signature: inspect.Signature,
    ) -> None:
        super().__init__(selection, name, keyword, function, Layout.of(signature))
        self.signature = signature
        self.kind = kind_of(function)
        self._routes: weakref.WeakKeyDictionary[Any, Route] = weakref.WeakKeyDictionary()
        self._host_route = route(name, signature, HOST, signature)
        self.key = self._make_call()

    def route(self, backend: Backend, implementation: Any) -> Route:
        """How the arguments of a call reach an implementation.

        :raises TypeError: if it is not something that can be called with them.
        """
        subject = implementation
        if type(implementation) is MethodType:
            subject = implementation.__func__
        try:
            known = self._routes.get(subject)
        except TypeError:
            known = None
        if known is not None:
            return known
        found = route(
            self.name,
            self.signature,
            backend.name,
            signature_of(self.name, backend, implementation),
        )
        try:
            self._routes[subject] = found
        except TypeError:
            # It cannot be referred to weakly, and must not be kept alive.
            logger.debug("%r is inspected at each call", implementation)
        return found

    def bind(
        self, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort the arguments of a call: a value for each parameter, and the others.

        :raises TypeError: if they do not fit the host's signature.
        """
        names = self.layout.names
        by_position = names[: self.layout.positional_only]
        own = {n: v for n, v in keywords.items() if n in names and n not in by_position}
        bound = self.signature.bind(*args, **own).arguments
        values = tuple(bound.get(name, MISSING) for name in names)
        return values, {n: v for n, v in keywords.items() if n not in own}

    # Calls

    def _make_call(self) -> Callable[..., Any]:
        """The function that the host's users call."""
        cold = {
            FUNCTION: self._run,
            COROUTINE: self._run_coroutine,
            GENERATOR: self._generate,
            ASYNC_GENERATOR: self._generate_async,
        }[self.kind]
        names = {
            **self._host_route.names,
            "_reg_function": self.function,
            "_reg_state": self.selection.state.get,
            "_reg_choices": self.selection.choices,
            "_reg_cold": cold,
            "_reg_unknown": (AttributeError, KeyError, TypeError),
        }
        arguments = self.layout.values
        if self.kind == GENERATOR:
            body = [f"return (yield from _reg_cold(_reg_state(), {self.keyword}, {arguments}))"]
        elif self.kind == ASYNC_GENERATOR:
            start = f"_reg_cold(_reg_state(), {self.keyword}, {arguments})"
            body = [line.replace("_reg_start()", start) for line in DELEGATION]
        else:
            awaited = "await " if self.kind == COROUTINE else ""
            body = [
                "_reg_now = _reg_state()",
                f"if {self.keyword} is None and _reg_now.host:",
                *(
                    f"    {line.replace('return ', f'return {awaited}')}"
                    for line in self._host_route.text
                ),
                "try:",
                f"    _reg_run = (_reg_now.choice if {self.keyword} is None"
                f" else _reg_choices[{self.keyword}])"
                ".lookup._reg_answers.find(_reg_identity)",
                "except _reg_unknown:",
                "    _reg_run = _reg_cold",
                f"return {awaited}_reg_run(_reg_now, {self.keyword}, {arguments})",
            ]
        before = "async " if self.kind in (COROUTINE, ASYNC_GENERATOR) else ""
        call = compiled("call", self._parameters(), body, names, before)
        return functools.update_wrapper(call, self.function)

    def _parameters(self) -> list[str]:
        """The parameters of the function that the host's users call."""
        written = [
            name if required else f"{name}=_reg_missing" for name, required in self.layout.required
        ]
        positional_only, positional = self.layout.positional_only, self.layout.positional
        return [
            *written[:positional_only],
            *(["/"] if positional_only else []),
            *written[positional_only:positional],
            "*",
            *written[positional:],
            f"{self.keyword}=None",
            "**_reg_extra",
        ]

    def _prepare(
        self, state: State, given: BackendName | None, *arguments: Any
    ) -> tuple[State, Callable[[], Any]]:
        """Decide, and remember what follows for calls like this one.

        :return: the state to run in, and what to run.
        """
        values, extra = arguments[:-1], arguments[-1]
        decision = self.decide(state, given, values, extra)
        self.note(state, decision)
        backend = decision.backend
        found = self._host_route
        if backend is not None:
            found = self.route(backend, decision.implementation)
        inside = self.inside(state, given, decision)
        self._remember(state, inside, decision, found)
        call = functools.partial(found.call, decision.implementation, *values, decision.extra)
        return inside, call

    def _run(self, state: State, given: BackendName | None, *arguments: Any) -> Any:
        inside, call = self._prepare(state, given, *arguments)
        variable, token = self.selection.state, None
        try:
            token = variable.set(inside)
            return call()
        finally:
            if token is None:
                # Interrupted when it may have been set already.
                variable.set(state)
            else:
                variable.reset(token)

    async def _run_coroutine(self, state: State, given: BackendName | None, *arguments: Any) -> Any:
        inside, call = self._prepare(state, given, *arguments)
        variable = self.selection.state
        try:
            variable.set(inside)
            result = call()
            return await result if inspect.isawaitable(result) else result
        finally:
            variable.set(state)

    def _generate(self, state: State, given: BackendName | None, *arguments: Any) -> Any:
        return steps(self.selection.state, *self._prepare(state, given, *arguments))

    def _generate_async(self, state: State, given: BackendName | None, *arguments: Any) -> Any:
        return async_steps(self.selection.state, *self._prepare(state, given, *arguments))

    # Warm calls

    def _remember(self, state: State, inside: State, decision: Decision, found: Route) -> None:
        """Let calls like this one skip the decision, if it cannot but be the same.

        It is the same as long as the backend exports the same object, does not
        decide by the arguments, and nothing else is registered. That last part
        is known to the answers of the core's lookup, which is where this is kept.
        """
        backend = decision.backend
        choice = decision.choice
        if state.records or self.kind not in (FUNCTION, COROUTINE):
            return
        # Where it was not the first of the choice, the reason may be another next time.
        if choice.names[0] != (HOST if backend is None else backend.name):
            return
        if backend is not None and (backend.registry is not None or backend.can_run is not None):
            return
        step = choice.calls.setdefault((self, backend), object())
        if state.strict == decision.strict:
            state.within[step] = inside
        answers = choice.lookup._reg_current_answers()
        if answers is None:
            return
        # Taken before anything is looked up; see reg._cache.
        table = answers.call_table(self.key, 0, True)
        if backend is None:
            run = self._warm(self, "function", self.function, found, step)
        else:
            if choice.lookup.component(self.key, ()) is not decision.implementation:
                return
            run = self._warm(backend.source, self.name, decision.implementation, found, step)
        if run is not None:
            table.store((), run)

    def _warm(
        self, source: Any, name: str, implementation: Any, found: Route, step: object
    ) -> Callable[..., Any] | None:
        """Make what runs a warm call of one implementation."""
        method = type(implementation) is MethodType
        subject = implementation.__func__ if method else implementation
        try:
            known = weakref.ref(subject)
        except TypeError:
            return None
        same = "_reg_getattr(_reg_function, '__func__', None)" if method else "_reg_function"
        cold = self._run if self.kind == FUNCTION else self._run_coroutine
        names = {
            **found.names,
            "_reg_source": source,
            "_reg_known": known,
            "_reg_step": step,
            "_reg_cold": cold,
            "_reg_logged": _logged,
            "_reg_set": self.selection.state.set,
            "_reg_reset": self.selection.state.reset,
            "_reg_call": found.call,
            "_reg_awaitable": inspect.isawaitable,
            "_reg_getattr": getattr,
            "_reg_unknown": (AttributeError, KeyError),
        }
        arguments = self.layout.values
        call = ["_reg_token = _reg_set(_reg_inside)", *found.text]
        awaited = ""
        at_the_end = ["if _reg_token is None: _reg_set(_reg_now)", "else: _reg_reset(_reg_token)"]
        if self.kind == COROUTINE:
            awaited = "await "
            call = [
                "_reg_set(_reg_inside)",
                f"_reg_result = _reg_call(_reg_function, {arguments})",
                "return await _reg_result if _reg_awaitable(_reg_result) else _reg_result",
            ]
            # It may go on in another context than it began in.
            at_the_end = ["_reg_set(_reg_now)"]
        asked = f"_reg_cold(_reg_now, _reg_given, {arguments})"
        body = [
            "try:",
            f"    _reg_function = _reg_source.{name}",
            "    _reg_inside = _reg_now.within[_reg_step]",
            f"    _reg_told = _reg_logged[{logging.DEBUG}]",
            "except _reg_unknown:",
            f"    return {awaited}{asked}",
            f"if {same} is _reg_known() and not _reg_told"
            " and not (_reg_extra and 'strict' in _reg_extra):",
            "    _reg_token = None",
            "    try:",
            *(f"        {line}" for line in call),
            "    finally:",
            *(f"        {line}" for line in at_the_end),
            f"return {awaited}{asked}",
        ]
        parameters = ("_reg_now", "_reg_given", arguments)
        return compiled("run", parameters, body, names, "async " if awaited else "")


def signature_of(name: str, backend: Backend, implementation: Any) -> inspect.Signature:
    """The signature of what a backend exports.

    :raises TypeError: if it cannot be called, or does not say with what.
    """
    what = f"{name!r} of the backend {backend.name!r}, {backend.origin},"
    if not callable(implementation):
        raise TypeError(f"{what} is not callable: {implementation!r}")
    try:
        return signature_with_deferred(implementation)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what} does not say which arguments it takes: {error}") from error
