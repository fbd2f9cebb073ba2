"""Deciding which backend runs a call, from a choice, the backends, and the arguments."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from reg.sentinel import MISSING

from .arguments import BackendFallbackError, HostParameters, read_signature
from .backend import Backend
from .names import AUTO, HOST
from .reports import Record
from .selection import Selector
from .state import BackendName, Choice, Mode, State

__all__ = [
    "MOST_ELEMENTS",
    "Deciding",
    "Decision",
    "Dispatched",
    "put_on_record",
    "take_off_record",
]

logger: Final = logging.getLogger("reg.backends")
#: How many elements of a list decide for ``"auto"``: a long list is one of numbers.
MOST_ELEMENTS: Final = 100
_RUNNING: Final = "it is running this function already"

#: Which arguments decide for ``"auto"``: their names, or a function that picks values from the
#: arguments by name.
Deciding: TypeAlias = Iterable[str] | Callable[[dict[str, Any]], Iterable[Any]] | None


class Decision:
    """Which backend runs a call, and why."""

    __slots__ = (
        *("backend", "choice", "fell_back", "implementation", "is_fixed", "keywords"),
        *("passed_over", "strict", "why"),
    )

    def __init__(self, choice: Choice, strict: bool, why: str, keywords: dict[str, Any]) -> None:
        #: the choice that holds for the call
        self.choice = choice
        #: true if a fall back is an error
        self.strict = strict
        #: how the choice was made
        self.why = why
        #: the keyword arguments to call the implementation with
        self.keywords = keywords
        #: the backend that runs it; ``None`` for the host
        self.backend: Backend | None = None
        #: the function or class to call
        self.implementation: Any = None
        #: the backends that were considered before, with reasons
        self.passed_over: list[tuple[Backend, str]] = []
        #: true if the host runs because no backend can
        self.fell_back = False
        #: true if each call like this is decided alike, as long as the backend exports the same
        self.is_fixed = False

    @property
    def reason(self) -> str:
        """Why this backend, or why the host."""
        if not self.fell_back:
            return self.why
        reasons = "; ".join(f"{backend.name}: {reason}" for backend, reason in self.passed_over)
        return reasons or "no backend owns the class of an argument"

    def has_passed(self, backend: Backend) -> bool:
        """True if a backend was considered already."""
        return any(one is backend for one, _ in self.passed_over)


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
    #: the parameters of the host's own implementation
    parameters: HostParameters

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

    def takes(self, backend: Backend, implementation: Any, name: str) -> bool:
        """True if an implementation can be given an argument of this name."""
        return True

    def conversion_refusal(
        self, backend: Backend, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> str | None:
        """Say why the arguments of a call must not be converted; ``None`` if they may be."""
        return None

    def options(self, backend: Backend) -> Collection[str]:
        """The keywords that the implementation of a backend has besides those of the host."""
        return ()

    def decide(
        self,
        state: State,
        given: BackendName | None,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend | None, str] | None = None,
    ) -> Decision:
        """Decide which backend runs a call.

        :param state: the state that the call is made in.
        :param given: the choice of the call itself; ``None`` to follow the settings.
        :param args: its positional arguments.
        :param keywords: its keyword arguments, without the one that chooses.
        :param failed: the backends that tried to run it already, with reasons.
        :raises BackendFallbackError: if it would silently be the host, in strict mode.
        """
        mode = state.mode if given is not None else self.selector.mode(state)
        choice, why = self._choice(mode, given)
        decision = Decision(choice, mode.strict, why, keywords)
        strict = keywords.get("strict") if keywords else None
        if isinstance(strict, bool) and not self.parameters.has_own_strict:
            decision.strict = strict
            decision.keywords = {k: value for k, value in keywords.items() if k != "strict"}
        decision.implementation = self.function
        if given is None and mode.running and any(one is self for one, _ in mode.running):
            decision.why = "called from a backend that is running this function"
            decision.is_fixed = True
            return decision
        for name in choice.names:
            if name == HOST:
                decision.is_fixed = name == choice.names[0]
                return decision
            if name == AUTO:
                for backend, owned in self._owners(args, decision.keywords):
                    if not decision.has_passed(backend):
                        self.selector.warn_of(backend)
                        if self._consider(decision, backend, mode, args, failed, owned):
                            decision.is_fixed = decision.is_fixed and name == choice.names[0]
                            return self._with_keywords(decision, mode, keywords)
                continue
            backend = choice.backends[name]
            if decision.passed_over and decision.has_passed(backend):
                continue
            if self._consider(decision, backend, mode, args, failed):
                return self._with_keywords(decision, mode, keywords)
        decision.fell_back = True
        passed_over = decision.passed_over
        decision.is_fixed = not passed_over and AUTO in choice.names
        if decision.strict and not (passed_over and all(one[1] is _RUNNING for one in passed_over)):
            raise BackendFallbackError(
                f"{self.name}() would run the host's own code, which strict mode forbids:"
                f" {decision.reason}"
            )
        return decision

    def _choice(self, mode: Mode, given: BackendName | None) -> tuple[Choice, str]:
        """The choice that holds for a call, and how it was made."""
        if given is not None:
            return self.selector.resolve(given), f"chosen by {self.keyword}={given!r} in the call"
        if self.name in mode.particulars.functions:
            return mode.particulars.functions[self.name], f"chosen for {self.name} by {mode.why}"
        return mode.choice or self.selector.resolve(HOST), mode.chosen_by

    def _with_keywords(self, decision: Decision, mode: Mode, keywords: dict[str, Any]) -> Decision:
        """Pass on ``strict`` to an implementation that has it itself, and options of the mode."""
        if decision.keywords is not keywords and _takes_strict(decision.implementation):
            decision.keywords = keywords
        backend = decision.backend
        all_options = mode.particulars.options
        if all_options and backend is not None and backend.name in all_options:
            known = self.options(backend)
            options = {k: v for k, v in all_options[backend.name].items() if k in known}
            decision.keywords = {**options, **decision.keywords}
        return decision

    def _owners(
        self, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Iterator[tuple[Backend, list[Any]]]:
        """The backends that own arguments, in order of priority, with the names of these."""
        arguments = self.parameters.by_name(args, keywords)
        if arguments:
            arguments = self._deciding_arguments(arguments)
        discovery = self.selector.discovery
        discovery.load_undeclared()
        discovery.load_answering(self.name, arguments.values())
        for backend in self.selector.owners():
            owned = backend.owned.among(arguments)
            if owned:
                yield backend, owned

    def _deciding_arguments(self, arguments: dict[Any, Any]) -> dict[Any, Any]:
        """Pick the arguments that decide for ``"auto"``; the elements of lists with them.

        :param arguments: the arguments by name.
        :return: values by name, by name and index, or by index if they have no name.
        """
        deciding = self._deciding
        if callable(deciding):
            arguments = dict(enumerate(deciding(arguments)))
        elif deciding is not None:
            arguments = {name: arguments[name] for name in deciding if name in arguments}
        for name, value in list(arguments.items()):
            if isinstance(value, (list, tuple)):
                elements = enumerate(value[:MOST_ELEMENTS])
                arguments = {**arguments, **{(name, i): one for i, one in elements}}
        return arguments

    def _consider(
        self,
        decision: Decision,
        backend: Backend,
        mode: Mode,
        args: tuple[Any, ...],
        failed: Mapping[Backend | None, str] | None,
        owned: Iterable[Any] = (),
    ) -> bool:
        """Decide for a backend if it can run the call, or else note the reason.

        :param owned: the arguments of which it owns the class.
        :return: true if it runs the call.
        """
        if mode.running and (self, backend) in mode.running:
            decision.passed_over.append((backend, _RUNNING))
            return False
        if failed and backend in failed:
            decision.passed_over.append((backend, failed[backend]))
            return False
        leading = args
        if backend.lookup is not None:
            leading = self.parameters.leading(args, decision.keywords)
        implementation = backend.implementation(self.key, self.name, leading)
        reason = None
        if implementation is MISSING:
            reason = f"it does not implement {self.name}()"
        for name in owned:
            name = name[0] if isinstance(name, tuple) else name
            if reason or not isinstance(name, str):
                continue
            if not self.takes(backend, implementation, name):
                reason = f"its {self.name}() cannot be given {name!r}, whose class it owns"
        reason = reason or self.conversion_refusal(backend, args, decision.keywords)
        questions = () if reason else self.questions(backend, decision.choice)
        if questions:
            reason = self.declines(backend, questions, args, decision.keywords)
        if reason:
            decision.passed_over.append((backend, reason))
            return False
        decision.backend, decision.implementation = backend, implementation
        decision.is_fixed = not decision.passed_over and backend.lookup is None
        return True

    def questions(self, backend: Backend, choice: Choice) -> tuple[str, ...]:
        """The names of the functions by which a backend can decline a call.

        ``can_run`` says if it is able to. ``should_run`` says if it is worth it, and is asked
        where another one is next in line.
        """
        names = ("can_run", "should_run") if choice.is_list else ("can_run",)
        return tuple([name for name in names if backend.read(name, None) is not None])

    def declines(
        self,
        backend: Backend,
        questions: tuple[str, ...],
        args: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> str | None:
        """Ask a backend if it runs the call.

        :param backend: the backend.
        :param questions: the names of its functions to ask.
        :param args: the positional arguments of the call.
        :param keywords: the keyword arguments.
        :return: the reason if it does not.
        :raises TypeError: if it does not answer.
        """
        arguments = self.parameters.by_name(args, keywords)
        for question in questions:
            ask = backend.read(question, None)
            answer = True if ask is None else ask(self.name, arguments)
            if answer is True:
                continue
            if answer is False:
                return "it declined"
            if not isinstance(answer, str):
                raise TypeError(
                    f"{question}() of the backend {backend.name!r} must return True, or a reason"
                    f" not to run {self.name}(); it returned {answer!r}"
                )
            return f"it declined: {answer}"
        return None

    def record_of(self, decision: Decision) -> Record:
        """Make the record of a call."""
        if decision.backend is None:
            return Record(self.name, HOST, None, None, decision.reason)
        name, origin = decision.backend.name, decision.backend.origin
        return Record(self.name, name, origin.distribution, origin.version, decision.reason)

    def note(self, state: State, decision: Decision) -> Record | None:
        """Record a call in the lists of a state, and in the debug log, if either is wanted."""
        if not state.records and not logger.isEnabledFor(logging.DEBUG):
            return None
        record = self.record_of(decision)
        put_on_record(state, record)
        return record

    def inside(self, state: State, given: BackendName | None, decision: Decision) -> State:
        """The state that the body of a call runs in."""
        mode, backend, choice = state.mode, decision.backend, decision.choice
        if backend is None and given is None and decision.strict is mode.strict:
            return state
        key = self, backend, choice, decision.strict, given is None
        inside: State | None = mode.inside.get(key)
        if inside is None:
            why, particulars = mode.why, mode.particulars
            if given is not None:
                why = f"{self.keyword}={choice.name!r} in an outer call"
                particulars = particulars.without_functions()
            elif self.name in particulars.functions and mode.choice is not None:
                choice = mode.choice
            running = mode.running if backend is None else (*mode.running, (self, backend))
            inside = state.choosing(
                choice, why, decision.strict, running=running, particulars=particulars
            )
            mode.inside[key] = inside
        return inside


def put_on_record(state: State, record: Record) -> None:
    """Put a record into the lists of a state, and into the debug log."""
    for records in state.records:
        records.append(record)
    logger.debug("%s", record)


def take_off_record(state: State, record: Record | None) -> None:
    """Take a record out of the lists of a state: the backend has passed the call on."""
    for records in state.records if record is not None else ():
        for index in range(len(records) - 1, -1, -1):
            if records[index] is record:
                del records[index]
                break


def _takes_strict(implementation: Any) -> bool:
    """True if an implementation has a parameter of its own called ``strict``."""
    try:
        parameter = read_signature(implementation).parameters.get("strict")
    except (TypeError, ValueError):
        return False
    return parameter is not None and parameter.kind is not parameter.VAR_KEYWORD
