"""Which backend is chosen: by a call, by the settings, by default."""

from __future__ import annotations

import os
from collections.abc import Hashable
from contextvars import ContextVar
from typing import Any, Final

from .backend import Backend
from .caller_warnings import describe_error, warn_caller
from .conversion import Conversions, Converter
from .discovery import Discovery
from .inventory import assign_together
from .names import AUTO, HOST, ReservedNames
from .state import BackendName, Choice, Mode, State
from .trust import Trust

__all__ = ["Selector", "unusable"]


class Selector:
    """Resolves the choices of the users of one host.

    :param reserved: the names that no backend may have.
    :param trust: the host's trust configuration.
    :param discovery: the installed backends.
    :param default: the choice where none was made.
    :param variable: an environment variable that overrides it.
    :param strict: true if a fall back to the host is an error by default.
    :param conversions: how arguments are converted; ``None`` if they are not.
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
        conversions: Conversions | None,
    ) -> None:
        #: how arguments are converted; ``None`` if they are not
        self.conversions = conversions
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

    def converter(self, backend: Backend | None) -> Converter | None:
        """Get the converter of a backend; ``None`` if no arguments are converted for it."""
        if backend is None or self.conversions is None:
            return None
        return self.conversions.of(backend)

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
