"""What runs a call, and why: decided from a choice, the backends and the arguments."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from reg.sentinel import MISSING

from .._signatures import signature_with_deferred
from .backend import Backend
from .labels import AUTO, HOST
from .records import Record
from .routing import Layout
from .selection import BackendName, Choice, Selection, State

__all__ = ["BackendFallbackError", "Candidate", "Decision", "Dispatched"]

logger: Final = logging.getLogger("reg.backends")
_RUNNING: Final = "it is running this function already"


class BackendFallbackError(RuntimeError):
    """The host's own code would have run in place of a backend, and strict mode is on."""


class Candidate(NamedTuple):
    """A backend that was considered for a call.

    :param reason: why it was passed over; ``None`` if it was chosen.
    """

    backend: Backend
    reason: str | None


class Decision(NamedTuple):
    """What runs a call, and why.

    :param backend: ``None`` for the host.
    :param extra: the keyword arguments that are no parameters of the host.
    """

    choice: Choice
    strict: bool
    backend: Backend | None
    implementation: Any
    extra: dict[str, Any]
    candidates: list[Candidate]
    reason: str


class Dispatched:
    """What is known of one function, or class, that dispatches to backends.

    :param selection: the choices of its host.
    :param name: what backends export their implementations as.
    :param keyword: the keyword argument that chooses.
    :param key: what implementations are registered under, which is what the
      host's users call.
    :param function: the host's own implementation.
    """

    key: Any

    def __init__(
        self, selection: Selection, name: str, keyword: str, function: Any, layout: Layout
    ) -> None:
        self.selection = selection
        self.name = name
        self.keyword = keyword
        self.function = function
        self.layout = layout

    def decide(
        self,
        state: State,
        given: BackendName | None,
        values: tuple[Any, ...],
        extra: dict[str, Any],
    ) -> Decision:
        """Find out what runs a call.

        :param given: what the call chooses; ``None`` to have the setting count.
        :param values: a value for each parameter, ``MISSING`` where none was given.
        :raises BackendFallbackError: if it would silently be the host, in strict mode.
        """
        choice = self.selection.choice(state) if given is None else self.selection.resolve(given)
        # Only now: finding the default may say where it is from.
        why = state.why if given is None else f"{self.keyword}={given!r} in the call"
        strict = state.strict
        other = extra
        if isinstance(extra.get("strict"), bool) and not self.layout.variadic:
            strict = extra["strict"]
            other = {name: value for name, value in extra.items() if name != "strict"}
        candidates: list[Candidate] = []
        if given is None and any(function is self for function, _ in state.running):
            reason = "called from a backend that is running this function"
            return Decision(choice, strict, None, self.function, other, candidates, reason)
        reason = f"chosen by {why}"
        for backend in self._candidates(choice, values, extra):
            if backend is None:
                return Decision(choice, strict, None, self.function, other, candidates, reason)
            implementation, refusal = self._consider(state, backend, values, other)
            candidates.append(Candidate(backend, refusal))
            if refusal is None:
                reason = f"chosen by {why}"
                passed = extra if other is extra or _takes_strict(implementation) else other
                return Decision(choice, strict, backend, implementation, passed, candidates, reason)
        reason = "; ".join(f"{each.backend.name}: {each.reason}" for each in candidates)
        if strict and any(each.reason != _RUNNING for each in candidates):
            raise BackendFallbackError(
                f"{self.name}() would run the host's own code, which strict mode forbids: {reason}"
            )
        reason = reason or "no backend owns the class of an argument"
        return Decision(choice, strict, None, self.function, other, candidates, reason)

    def _candidates(
        self, choice: Choice, values: tuple[Any, ...], extra: dict[str, Any]
    ) -> Iterator[Backend | None]:
        """The backends to ask, in order; ``None`` for the host."""
        seen: list[Backend] = []
        for name in choice.names:
            if name == HOST:
                yield None
                return
            if name == AUTO:
                args = [value for value in (*values, *extra.values()) if value is not MISSING]
                found = self.selection.owners(args)
            else:
                found = [choice.backends[name]]
            for backend in found:
                if backend not in seen:
                    seen.append(backend)
                    yield backend

    def _consider(
        self, state: State, backend: Backend, values: tuple[Any, ...], extra: dict[str, Any]
    ) -> tuple[Any, str | None]:
        """What a backend would run, and why it does not."""
        if any(each is backend and function is self for function, each in state.running):
            return MISSING, _RUNNING
        positional = values[: self.layout.positional]
        positional = tuple(itertools.takewhile(lambda each: each is not MISSING, positional))
        implementation = backend.implementation(self.key, self.name, positional)
        if implementation is MISSING:
            return MISSING, f"it does not implement {self.name}()"
        can_run = backend.can_run
        if can_run is not None:
            arguments = {
                name: value
                for name, value in zip(self.layout.names, values, strict=True)
                if value is not MISSING
            }
            answer = can_run(self.name, {**arguments, **extra})
            if answer is not True:
                if answer is False:
                    return MISSING, "it declined"
                if not isinstance(answer, str):
                    raise TypeError(
                        f"can_run() of the backend {backend.name!r} must return True, or a reason"
                        f" not to run {self.name}(); it returned {answer!r}"
                    )
                return MISSING, f"it declined: {answer}"
        return implementation, None

    def note(self, state: State, decision: Decision) -> None:
        """Put a call on record, where anybody wants to know."""
        if not state.records and not logger.isEnabledFor(logging.DEBUG):
            return
        backend = decision.backend
        origin = None if backend is None else backend.origin
        record = Record(
            self.name,
            HOST if backend is None else backend.name,
            None if origin is None else origin.distribution,
            None if origin is None else origin.version,
            decision.reason,
        )
        for records in state.records:
            records.append(record)
        logger.debug("%s", record)

    def inside(self, state: State, given: BackendName | None, decision: Decision) -> State:
        """The state that a call runs in."""
        why = state.why if given is None else f"{self.keyword}={given!r} in an outer call"
        running = () if decision.backend is None else ((self, decision.backend),)
        return state.but(decision.choice, why, strict=decision.strict, running=running)


def _takes_strict(implementation: Any) -> bool:
    """Tell whether an implementation has a parameter of its own called ``strict``."""
    try:
        parameter = signature_with_deferred(implementation).parameters.get("strict")
    except (TypeError, ValueError):
        return False
    return parameter is not None and parameter.kind is not parameter.VAR_KEYWORD
