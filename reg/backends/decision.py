"""Deciding which backend runs a call, from a choice, the backends, and the arguments."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from reg.sentinel import MISSING

from .arguments import BackendFallbackError, HostParameters, read_signature
from .backend import Backend
from .names import AUTO, HOST
from .reports import Record
from .selection import BackendName, Choice, Selector, State

__all__ = ["Deciding", "Decision", "Dispatched"]

logger: Final = logging.getLogger("reg.backends")
_RUNNING: Final = "it is running this function already"

#: Which arguments decide for ``"auto"``: their names, or a function that picks values from the
#: arguments by name.
Deciding: TypeAlias = Iterable[str] | Callable[[dict[str, Any]], Iterable[Any]] | None


class Decision:
    """Which backend runs a call, and why.

    :param choice: what was chosen.
    :param strict: true if a fall back is an error.
    :param why: how the choice was made.
    :param backend: the backend; ``None`` for the host.
    :param implementation: what is called.
    :param keywords: the keyword arguments to call it with.
    :param passed_over: the backends that were considered before, with reasons.
    :param fell_back: true if the host runs because no backend can.
    """

    __slots__ = (
        *("backend", "choice", "fell_back", "implementation", "keywords"),
        *("passed_over", "strict", "why"),
    )

    def __init__(
        self,
        choice: Choice,
        strict: bool,
        why: str,
        backend: Backend | None,
        implementation: Any,
        keywords: dict[str, Any],
        passed_over: list[tuple[Backend, str]],
        fell_back: bool = False,
    ) -> None:
        self.choice = choice
        self.strict = strict
        self.why = why
        self.backend = backend
        self.implementation = implementation
        self.keywords = keywords
        self.passed_over = passed_over
        self.fell_back = fell_back

    @property
    def reason(self) -> str:
        """Why this backend, or why the host."""
        if not self.fell_back:
            return self.why
        reasons = "; ".join(f"{backend.name}: {reason}" for backend, reason in self.passed_over)
        return reasons or "no backend owns the class of an argument"


class Dispatched:
    """A function, or a class, of a host that dispatches to backends.

    :param selector: the choices of its host.
    :param name: the name of the exports of backends.
    :param keyword: the keyword argument that chooses.
    :param function: the host's own implementation.
    :param deciding: which arguments decide for ``"auto"``; all, if ``None``.
    """

    #: the object that the host's users call, under which implementations are registered
    key: Any

    def __init__(
        self,
        selector: Selector,
        name: str,
        keyword: str,
        function: Any,
        deciding: Deciding = None,
    ) -> None:
        self.selector = selector
        self.name = name
        self.keyword = keyword
        self.function = function
        self._deciding = deciding if deciding is None or callable(deciding) else tuple(deciding)

    @property
    def parameters(self) -> HostParameters:
        """The parameters of the host's own implementation."""
        raise NotImplementedError

    def takes(self, backend: Backend, implementation: Any, name: str) -> bool:
        """True if an implementation can be given an argument of this name."""
        return True

    def decide(
        self,
        state: State,
        given: BackendName | None,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend, str] | None = None,
    ) -> Decision:
        """Decide which backend runs a call.

        :param state: the state that the call is made in.
        :param given: the choice of the call itself; ``None`` to follow the settings.
        :param args: its positional arguments.
        :param keywords: its keyword arguments, without the one that chooses.
        :param failed: the backends that tried to run it already, with reasons.
        :raises BackendFallbackError: if it would silently be the host, in strict mode.
        """
        selector = self.selector
        if given is None:
            mode = selector.mode(state)
            choice = mode.choice or selector.resolve(HOST)
            why = f"chosen by {mode.why}"
        else:
            mode = state.mode
            choice = selector.resolve(given)
            why = f"chosen by {self.keyword}={given!r} in the call"
        strict, other = mode.strict, keywords
        if isinstance(keywords.get("strict"), bool) and not self.parameters.has_own_strict:
            strict = keywords["strict"]
            other = {name: value for name, value in keywords.items() if name != "strict"}
        passed_over: list[tuple[Backend, str]] = []
        if given is None and any(function is self for function, _ in mode.running):
            why = "called from a backend that is running this function"
            return Decision(choice, strict, why, None, self.function, other, passed_over)
        for backend, owned in self._candidates(choice, args, other):
            if backend is None:
                return Decision(choice, strict, why, None, self.function, other, passed_over)
            implementation, reason = self._consider(backend, owned, state, args, other, failed)
            if reason is not None:
                passed_over.append((backend, reason))
                continue
            passed = other
            if other is not keywords and _takes_strict(implementation):
                passed = keywords
            return Decision(choice, strict, why, backend, implementation, passed, passed_over)
        decision = Decision(choice, strict, why, None, self.function, other, passed_over, True)
        if strict and not (passed_over and all(why is _RUNNING for _, why in passed_over)):
            raise BackendFallbackError(
                f"{self.name}() would run the host's own code, which strict mode forbids:"
                f" {decision.reason}"
            )
        return decision

    def _candidates(
        self, choice: Choice, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Iterator[tuple[Backend | None, list[str]]]:
        """The backends to ask, in order, with the arguments they own; ``None`` for the host."""
        asked: list[Backend] = []
        for name in choice.names:
            if name == HOST:
                yield None, []
                return
            if name != AUTO:
                backend = choice.backends[name]
                if backend not in asked:
                    asked.append(backend)
                    yield backend, []
                continue
            arguments = self._deciding_arguments(self.parameters.by_name(args, keywords))
            for backend in self.selector.by_priority():
                if backend not in asked:
                    owned = backend.owned_among(arguments)
                    if owned:
                        asked.append(backend)
                        self.selector.warn_of(backend)
                        yield backend, owned

    def _deciding_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Pick the arguments that decide for ``"auto"``; the elements of lists with them."""
        deciding = self._deciding
        if callable(deciding):
            # They have no names that an implementation could lack.
            picked: dict[str, Any] = dict(enumerate(deciding(arguments)))  # type: ignore[arg-type]
        elif deciding is not None:
            picked = {name: arguments[name] for name in deciding if name in arguments}
        else:
            picked = arguments
        for name, value in list(picked.items()):
            if isinstance(value, (list, tuple)):
                picked = {**picked, **{(name, i): one for i, one in enumerate(value)}}  # type: ignore[misc]
        return picked

    def _consider(
        self,
        backend: Backend,
        owned: list[Any],
        state: State,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend, str] | None,
    ) -> tuple[Any, str | None]:
        """Find the implementation of a backend, and the reason if it does not run the call."""
        for function, running in state.mode.running:
            if running is backend and function is self:
                return MISSING, _RUNNING
        if failed and backend in failed:
            return MISSING, failed[backend]
        leading = args
        if backend.lookup is not None:
            leading = self.parameters.leading(args, keywords)
        implementation = backend.implementation(self.key, self.name, leading)
        if implementation is MISSING:
            return MISSING, f"it does not implement {self.name}()"
        for owned_name in owned:
            name = owned_name[0] if isinstance(owned_name, tuple) else owned_name
            if isinstance(name, str) and not self.takes(backend, implementation, name):
                return MISSING, f"its {self.name}() cannot be given {name!r}, whose class it owns"
        can_run = backend.can_run
        if can_run is None:
            return implementation, None
        answer = can_run(self.name, self.parameters.by_name(args, keywords))
        if answer is True:
            return implementation, None
        if answer is False:
            return MISSING, "it declined"
        if not isinstance(answer, str):
            raise TypeError(
                f"can_run() of the backend {backend.name!r} must return True, or a reason not to"
                f" run {self.name}(); it returned {answer!r}"
            )
        return MISSING, f"it declined: {answer}"

    def note(self, state: State, decision: Decision) -> None:
        """Record a call in the lists of a state, and in the debug log."""
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
        """The state that the body of a call runs in."""
        mode, backend = state.mode, decision.backend
        if backend is None and given is None and decision.strict is mode.strict:
            return state
        why = mode.why
        if given is not None:
            why = f"{self.keyword}={decision.choice.name!r} in an outer call"
        running = mode.running if backend is None else (*mode.running, (self, backend))
        return state.choosing(decision.choice, why, decision.strict, running=running)


def _takes_strict(implementation: Any) -> bool:
    """True if an implementation has a parameter of its own called ``strict``."""
    try:
        parameter = read_signature(implementation).parameters.get("strict")
    except (TypeError, ValueError):
        return False
    return parameter is not None and parameter.kind is not parameter.VAR_KEYWORD
