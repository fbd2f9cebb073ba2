"""Which backend is chosen: by a call, by the settings, by default."""

from __future__ import annotations

import os
import types
from collections.abc import Hashable, Mapping
from contextvars import ContextVar, Token
from typing import Any, Final, NamedTuple, TypeAlias

from .backend import Backend
from .caller_warnings import describe_error, warn_caller
from .discovery import Discovery
from .inventory import assign_together
from .names import AUTO, HOST, ReservedNames
from .trust import Trust

__all__ = [
    "BackendName",
    "Choice",
    "Mode",
    "Options",
    "Particulars",
    "Selector",
    "State",
    "leave",
    "unusable",
]

#: What names a choice: a backend, ``"cpu"``, ``"auto"``, or several in order of preference.
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
        return Particulars(self.options) if self.options else _NO_PARTICULARS


_NO_PARTICULARS: Final = Particulars()

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
        self._modes: dict[tuple[bool, str, tuple[_Running, ...]], Mode] = {}

    @property
    def name(self) -> str | tuple[str, ...]:
        """The value of :attr:`Settings.backend`: a name, or a tuple of several."""
        return self.names[0] if len(self.names) == 1 else self.names

    def mode(self, strict: bool, why: str, running: tuple[_Running, ...] = ()) -> Mode:
        """Get the mode of this choice with these properties: always the same one."""
        key = strict, why, running
        mode = self._modes.get(key)
        return mode if mode is not None else self._modes.setdefault(key, Mode(self, *key))

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
        *("__weakref__", "calls", "choice", "chosen_by", "inside", "named_calls"),
        *("particulars", "running", "strict", "why"),
    )

    def __init__(
        self,
        choice: Choice | None,
        strict: bool,
        why: str,
        running: tuple[_Running, ...] = (),
        particulars: Particulars = _NO_PARTICULARS,
    ) -> None:
        self.choice = choice
        self.strict = strict
        self.why = why
        #: the same as a reason
        self.chosen_by = f"chosen by {why}"
        self.running = running
        self.particulars = particulars
        #: the cache: by what is decided, the state that the body of a call runs in
        self.inside: dict[object, State] = {}
        #: the cache: by function, how a call runs that follows the mode
        self.calls: dict[object, Any] = {}
        #: the cache: by the choice that a call names, and by function, how it runs
        self.named_calls: dict[Any, dict[object, Any]] = {}

    def like(self, records: tuple[list[Any], ...]) -> Mode:
        """Get a mode like this one, for a state with these lists of records."""
        choice, strict, why, running = self.choice, self.strict, self.why, self.running
        if records or self.particulars is not _NO_PARTICULARS or choice is None:
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
        self.is_host = (
            not records
            and mode.choice is not None
            and mode.choice.is_host
            and not mode.particulars.functions
        )

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
        if records or particulars is not _NO_PARTICULARS:
            return State(Mode(choice, strict, why, running, particulars), records, outer)
        return State(choice.mode(strict, why, running), (), outer)


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


class Selector:
    """Resolves what users of one host choose.

    :param reserved: the names that no backend may have.
    :param trust: the host's trust configuration.
    :param discovery: the installed backends.
    :param default: the choice where none was made.
    :param variable: an environment variable that overrides it.
    :param strict: true if a fall back to the host is an error by default.
    """

    def __init__(
        self,
        reserved: ReservedNames,
        trust: Trust,
        discovery: Discovery,
        *,
        default: BackendName,
        variable: str | None,
        strict: bool,
    ) -> None:
        self._reserved = reserved
        self._trust = trust
        self.discovery = discovery
        self._default = default
        self._variable = variable
        self._host_choice = Choice((HOST,), {})
        self._strict = strict
        #: the functions and classes of the host that dispatch to backends
        self.dispatched: list[Any] = []
        #: the state of all contexts in which no choice was made
        self.base: Final = State(Mode(None, strict, "the default"))
        self.forget_default()
        self.state: ContextVar[State] = ContextVar(f"{reserved.host} backend", default=self.base)

    # The present choice

    def mode(self, state: State) -> Mode:
        """The mode that holds in a state.

        :param state: the state.
        :return: a mode with a choice.
        :raises ValueError: as :meth:`resolve`, if that is the default and wrong.
        :raises ImportError: likewise.
        """
        if state.mode.choice is not None:
            return state.mode
        base = self.base
        if base.mode.choice is None:
            self._resolve_default()
        return base.mode

    def set_default(self, choice: Choice | None, why: str, strict: bool | None = None) -> None:
        """Change the choice of all contexts in which none was made.

        :param choice: the choice; ``None`` to have it resolved anew.
        :param why: how it was made.
        :param strict: true or false to change the strictness.
        """
        base = self.base
        strict = base.mode.strict if strict is None else strict
        mode = Mode(None, strict, why) if choice is None else choice.mode(strict, why)
        is_host = choice is not None and choice.is_host
        assign_together([(base, "mode", mode), (base, "is_host", is_host)])

    def forget_default(self) -> None:
        """Go back to the default of the host, which is resolved when it is needed."""
        known = self._host_choice if self._default == HOST and self._variable is None else None
        self.set_default(known, "the default", self._strict)

    def _resolve_default(self) -> None:
        value = os.environ.get(self._variable, "") if self._variable is not None else ""
        if not value.strip():
            self.set_default(self.resolve(self._default), "the default")
            return
        names = [name.strip() for name in value.split(",")]
        try:
            choice = self.resolve(names)
        except (ValueError, ImportError) as error:
            message = f"the environment variable {self._variable} is {value!r}: {error}"
            raise type(error)(message) from error
        self.set_default(choice, f"the environment variable {self._variable}")

    # Resolving names

    def resolve(self, name: BackendName) -> Choice:
        """Find the choice that a name stands for, or several names.

        :param name: a name, or a list of names in order of preference.
        :return: the choice.
        :raises ValueError: if a name is unknown or malformed, or there is none.
        :raises ImportError: if a backend cannot be used.
        """
        if type(name) is str:
            choice: Choice | None = self.discovery.inventory.cache.get(name)
            if choice is not None:
                return choice
        # A list has no hash, and can be changed by its owner.
        key: Hashable = tuple(name) if isinstance(name, (list, tuple)) else name
        labels = key if isinstance(key, tuple) else (key,)
        for label in labels:
            if not isinstance(label, str) or not label.removesuffix("?").strip():
                raise ValueError(
                    f"a backend of {self._reserved.host} is chosen by its name, a non-empty"
                    f" string; got {label!r}"
                )
        known: Choice | None = self.discovery.inventory.cache.get(key)
        return known if known is not None else self._resolve(key, labels)

    def _resolve(self, key: Hashable, labels: tuple[str, ...]) -> Choice:
        if not labels:
            raise ValueError(
                f"a choice of {self._reserved.host} backends must name one; got {key!r}"
            )
        backends: dict[str, Backend] = {}
        names: dict[str, None] = {}
        for label in labels:
            if label == HOST:
                names[HOST] = None
            elif label == AUTO:
                self.discovery.load_undeclared()
                names[AUTO] = None
            else:
                backend = self._backend(label)
                if backend is not None:
                    backends[backend.name] = backend
                    names[backend.name] = None
        canonical = tuple(names) or (HOST,)
        inventory = self.discovery.inventory
        choice = inventory.cache.get(canonical)
        if choice is None:
            is_host = canonical == (HOST,)
            choice = self._host_choice if is_host else Choice(canonical, backends)
        # While backends are loaded, some are not published yet: then it is not cached.
        published = all(inventory.backends.get(name) is one for name, one in backends.items())
        if published and (AUTO not in names or inventory.settled):
            choice = inventory.cache.setdefault(canonical, choice)
            inventory.cache[key] = choice
        return choice

    def _backend(self, label: str) -> Backend | None:
        """Get the backend of a label; ``None`` for an optional one that is not there."""
        optional = label.endswith("?")
        label = label.removesuffix("?")
        reason = self._reserved.reason(label)
        if reason is not None:
            raise ValueError(f"{label!r} is reserved by {self._reserved.host}: {reason}")
        backend = self.discovery.find(label)
        if backend is not None:
            self.warn_of(backend)
            return backend
        error, is_there = self._absence(label)
        if not optional:
            raise error
        if is_there:
            warn_caller(f"{error}; the next choice is used")
        return None

    def warn_of(self, backend: Backend) -> None:
        """Warn, once, that the host does not list a backend."""
        if backend.trusted or backend.warned_of or self._trust.untrusted != "warn":
            return
        with self.discovery.lock:
            if not backend.warned_of:
                warn_caller(
                    f"the backend {backend.name!r}, {backend.origin}, is not one that"
                    f" {self._reserved.host} knows; use it if you trust it"
                )
                # Only now: where the warning is an error, it is one each time.
                backend.warned_of = True

    def _absence(self, label: str) -> tuple[Exception, bool]:
        """The error where there is no backend of this name, and true if one is installed."""
        host, discovery = self._reserved.host, self.discovery
        failure = discovery.failure(label)
        trusted = self._trust.named(label)
        if failure is not None and (failure.error is not None or failure.refused or trusted):
            return unusable(host, label, failure.reason, failure.error), True
        if trusted is not None:
            installed = discovery.without_entry_point(label)
            if installed is not None:
                return unusable(host, label, installed, None), True
            install = f"install it with: pip install {trusted.package}"
            return ImportError(
                f"the backend {label!r} of {host} is not installed; {install}"
            ), False
        message = f"{host} has no backend {label!r}"
        if failure is not None:
            reason = f"an entry point of that name is ignored: {failure.reason}"
            return ValueError(f"{message}: {reason}"), True
        closest = discovery.closest(label)
        if closest is not None:
            message += f"; did you mean {closest!r}?"
        names = discovery.labels()
        available = f"available: {', '.join(names)}" if names else "no backends are installed"
        return ValueError(f"{message}{'' if closest else ';'} {available}"), False

    def owners(self) -> list[Backend]:
        """List the backends that own classes, in the order in which ``"auto"`` asks them."""
        inventory = self.discovery.inventory
        owners: list[Backend] | None = inventory.cache.get(_OWNERS)
        if owners is None:
            self.discovery.load_undeclared()
            loaded = self.discovery.by_priority(load=False)
            owners = [backend for backend in loaded if backend.owned]
            if self.discovery.inventory is inventory and inventory.settled:
                inventory.cache[_OWNERS] = owners
        return owners


# The key of the owners in the cache: no name, and no tuple of names.
_OWNERS: Final = frozenset({AUTO})


def unusable(host: str, label: str, reason: str, error: BaseException | None) -> ImportError:
    """Make the error for a backend that is installed and cannot be used.

    :param host: the name of the host.
    :param label: the name that was asked for.
    :param reason: why it cannot be used.
    :param error: the cause, if it was an exception.
    """
    cause = "" if error is None else f": {describe_error(error)}"
    raised = ImportError(f"the backend {label!r} of {host} cannot be used: {reason}{cause}")
    raised.__cause__ = error
    return raised
