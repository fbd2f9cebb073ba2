"""The values of the context variable: a choice, how calls are run by it, and their caches."""

from __future__ import annotations

import types
from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import Any, Final, NamedTuple, TypeAlias

from .backend import Backend
from .names import AUTO, HOST

__all__ = [
    "NO_PARTICULARS",
    "BackendName",
    "Choice",
    "Mode",
    "Options",
    "Particulars",
    "State",
    "leave",
]

#: The name of a choice: a backend, ``"cpu"``, ``"auto"``, or several in order of preference.
#: A name that ends in ``"?"`` is passed over if there is no such backend.
BackendName: TypeAlias = str | list[str] | tuple[str, ...]

#: By name of a backend, keyword arguments for its implementations.
Options: TypeAlias = Mapping[str, Mapping[str, Any]]
_EMPTY: Final[Mapping[str, Any]] = types.MappingProxyType({})


class Particulars(NamedTuple):
    """The wishes of a block besides its choice."""

    #: by name of a backend, keyword arguments for its implementations
    options: Options = _EMPTY
    #: by name of a function, the choice for it
    functions: Mapping[str, Choice] = _EMPTY

    def without_functions(self) -> Particulars:
        """The same for the body of a call that chose itself."""
        if not self.functions:
            return self
        return Particulars(self.options) if self.options else NO_PARTICULARS


NO_PARTICULARS: Final = Particulars()

# A function of the host that a backend is running, with that backend.
_Running: TypeAlias = tuple[object, Backend]


class Choice:
    """A choice that was resolved, with its modes, in which calls are cached.

    :param names: canonical names, in order of preference.
    :param backends: those of them that are backends, by name.
    """

    def __init__(self, names: tuple[str, ...], backends: dict[str, Backend]) -> None:
        self.names = names
        self.backends = backends
        self.is_host = names == (HOST,)
        #: true if another one is next in line where a backend cannot run a call
        self.is_list = len(names) > 1 or AUTO in names
        #: the cache: by strictness, reason and running functions, the modes
        self.modes: dict[tuple[bool, str, tuple[_Running, ...]], Mode] = {}

    @property
    def name(self) -> str | tuple[str, ...]:
        """The value of :attr:`Settings.backend`: a name, or a tuple of several."""
        return self.names[0] if len(self.names) == 1 else self.names

    def mode(self, strict: bool, why: str, running: tuple[_Running, ...] = ()) -> Mode:
        """Get the mode of this choice with these properties: always the same one."""
        key = strict, why, running
        mode = self.modes.get(key)
        return mode if mode is not None else self.modes.setdefault(key, Mode(self, *key))

    def __repr__(self) -> str:
        return f"<choice of {', '.join(self.names)}>"


class Mode:
    """How calls are run.

    :param choice: the choice; ``None`` to follow the default.
    :param strict: true if a fall back to the host is an error.
    :param why: how the choice was made.
    :param running: the functions that backends are running, with the backends.
    :param particulars: options of backends, and choices for single functions.
    """

    __slots__ = (
        *("__weakref__", "blocks", "calls", "choice", "chosen_by", "inside", "is_host"),
        *("named_calls", "particulars", "running", "strict", "why"),
    )

    def __init__(
        self,
        choice: Choice | None,
        strict: bool,
        why: str,
        running: tuple[_Running, ...] = (),
        particulars: Particulars = NO_PARTICULARS,
    ) -> None:
        self.choice = choice
        self.strict = strict
        self.why = why
        #: true if it is the host that runs all calls
        self.is_host = choice is not None and choice.is_host and not particulars.functions
        #: the choice as a reason
        self.chosen_by = f"chosen by {why}"
        self.running = running
        self.particulars = particulars
        #: the cache: by the decision, the state that the body of a call runs in
        self.inside: dict[object, State] = {}
        #: the cache: by the name that ``use_backend()`` is given in this mode, the mode of the
        #: block, with the state of discovery in which the name was resolved
        self.blocks: dict[Any, tuple[Any, Mode]] = {}
        #: the cache: by function, how a call runs that follows the mode
        self.calls: dict[object, Any] = {}
        #: the cache: by the choice that a call names, and by function, how it runs
        self.named_calls: dict[Any, dict[object, Any]] = {}

    def like(self, records: tuple[list[Any], ...]) -> Mode:
        """Get a mode like this one, for a state with these lists of records."""
        choice, strict, why, running = self.choice, self.strict, self.why, self.running
        if records or self.particulars is not NO_PARTICULARS or choice is None:
            return Mode(choice, strict, why, running, self.particulars)
        return choice.mode(strict, why, running)

    def forget_calls(self) -> None:
        """Drop the caches."""
        self.calls.clear()
        self.named_calls.clear()


class State:
    """The value of the context variable.

    :param mode: how calls are run. A state that records has a mode of its own, whose cache
      stays empty, so that no call is found there.
    :param records: the lists that calls are recorded in.
    :param outer: the state that holds again when the scope ends.
    :param token: the token by which the scope was entered.
    """

    __slots__ = ("is_host", "mode", "outer", "records", "token")

    def __init__(
        self,
        mode: Mode,
        records: tuple[list[Any], ...] = (),
        outer: State | None = None,
        token: Token[State] | None = None,
    ) -> None:
        self.mode = mode
        self.records = records
        self.outer = outer
        self.token = token
        #: true if a call has nothing to do but to call the host's function
        self.is_host = mode.is_host and not records

    def without_records(self, records: list[Any]) -> State:
        """Make a state like this one that does not record in one of the lists."""
        left = tuple(one for one in self.records if one is not records)
        return State(self.mode.like(left), left, self.outer, self.token)

    def choosing(
        self,
        choice: Choice,
        why: str,
        strict: bool | None = None,
        outer: State | None = None,
        running: tuple[_Running, ...] | None = None,
        particulars: Particulars | None = None,
    ) -> State:
        """Make a state like this one, in which another choice holds.

        :param choice: the choice.
        :param why: how it was made.
        :param strict: true or false to change the strictness.
        :param outer: the state that holds again when the scope ends.
        :param running: the functions that backends are running; as it was, if left out.
        :param particulars: the other wishes; as they were, if left out.
        """
        mode, records = self.mode, self.records
        strict = mode.strict if strict is None else strict
        running = mode.running if running is None else running
        particulars = mode.particulars if particulars is None else particulars
        if records or particulars is not NO_PARTICULARS:
            return State(Mode(choice, strict, why, running, particulars), records, outer)
        # Mostly it is known: that saves a call.
        known = choice.modes.get((strict, why, running))
        return State(known or choice.mode(strict, why, running), (), outer)


def leave(variable: ContextVar[State], token: Token[State] | None, state: State) -> None:
    """Go back to a state after the body of a call.

    :param variable: the context variable.
    :param token: the token of entering; ``None`` if that was interrupted, perhaps late.
    :param state: the state before.
    """
    if token is not None:
        try:
            # Faster than setting it, and a variable that was not set is not set again.
            variable.reset(token)
            return
        except ValueError:
            # It was entered in another context.
            pass
    variable.set(state)
