"""Which backend is chosen: by the call, by the setting, by default."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from reg import ClassRegistry, ListClassLookup, Lookup

from .backend import OWNER, Backend
from .discovery import Discovery
from .labels import AUTO, HOST, Labels
from .notices import told, warn_caller
from .trust import Trust

__all__ = ["BackendName", "Choice", "Selection", "State"]

#: What names a choice: a backend, ``"cpu"``, ``"auto"``, or several in order of preference.
BackendName: TypeAlias = str | list[str] | tuple[str, ...]


class Choice:
    """What was chosen, with the lookup that goes with it.

    :param names: canonical names, in order of preference.
    :param backends: those of them that are backends, by name.
    :param host: the lookup of the host's own functions, which comes last.
    """

    def __init__(
        self, names: tuple[str, ...], backends: dict[str, Backend], host: ClassRegistry
    ) -> None:
        self.names = names
        self.backends = backends
        #: implementations under the host's functions as keys, the preferred backend's first
        self.lookup = Lookup(
            ListClassLookup((*(each.class_lookup for each in backends.values()), host))
        )
        #: what calls are told apart by in :attr:`State.within`
        self.calls: dict[tuple[object, Backend | None], object] = {}
        #: what states that differ in nothing share; see :attr:`State.within`
        self.within: dict[tuple[bool, str], dict[object, State]] = {}

    @property
    def is_host(self) -> bool:
        return self.names == (HOST,)

    @property
    def asks_for_arguments(self) -> bool:
        """Whether what runs a call may depend on its arguments."""
        return AUTO in self.names or any(
            each.registry is not None or each.can_run is not None for each in self.backends.values()
        )

    @property
    def name(self) -> str | tuple[str, ...]:
        """What :attr:`Settings.backend` gives."""
        return self.names[0] if len(self.names) == 1 else self.names

    def __repr__(self) -> str:
        return f"<choice of {', '.join(self.names)}>"


class State:
    """What holds in one context.

    :param choice: ``None`` for the default that has not been asked for yet.
    :param strict: whether falling back to the host is an error.
    :param why: how the choice was made.
    :param running: the functions that backends are running, with the backends.
    :param records: the lists that calls are recorded in.
    :param outer: what holds again when the scope ends.
    """

    __slots__ = ("choice", "host", "outer", "records", "running", "strict", "why", "within")

    def __init__(
        self,
        choice: Choice | None,
        strict: bool,
        why: str,
        *,
        running: tuple[tuple[object, Backend], ...] = (),
        records: tuple[list[Any], ...] = (),
        outer: State | None = None,
    ) -> None:
        self.choice = choice
        self.strict = strict
        self.why = why
        self.running = running
        self.records = records
        self.outer = outer
        #: whether a call has nothing to do but to call the host's function
        self.host = choice is not None and choice.is_host and not records
        #: the states of calls made from here, by what is called
        self.within: dict[object, State] = {}
        if choice is not None and not running and not records:
            # The same for each scope of such a choice, so that its calls stay warm.
            self.within = choice.within.setdefault((strict, why), self.within)

    def but(
        self,
        choice: Choice | None,
        why: str,
        *,
        strict: bool | None = None,
        running: tuple[tuple[object, Backend], ...] = (),
        records: tuple[list[Any], ...] = (),
        outer: State | None = None,
    ) -> State:
        """Another state like this one."""
        return State(
            choice,
            self.strict if strict is None else strict,
            why,
            running=self.running + running,
            records=self.records + records,
            outer=outer,
        )


class Selection:
    """The choices of one host.

    :param default: the choice where none was made.
    :param variable: an environment variable that may say otherwise.
    """

    def __init__(
        self,
        labels: Labels,
        trust: Trust,
        discovery: Discovery,
        *,
        default: BackendName,
        variable: str | None,
        strict: bool,
    ) -> None:
        self._labels = labels
        self._trust = trust
        self.discovery = discovery
        self._default = default
        self._variable = variable
        self._warned: set[str] = set()
        #: the host's functions, as the last class lookup of every choice
        self.host = ClassRegistry(name=labels.host)
        self.host_choice = Choice((HOST,), {}, self.host)
        #: choices by what names them, canonical or not
        self.choices: dict[Any, Choice] = {HOST: self.host_choice}
        self._owners: tuple[list[Backend], Lookup] | None = None
        known = self.host_choice if default == HOST and variable is None else None
        self.base: Final = State(known, strict, "the default")
        self.state: ContextVar[State] = ContextVar(f"{labels.host} backend", default=self.base)

    def keep(self) -> Callable[[], None]:
        """Take note of the choices that are known, and get what forgets all others."""
        known, owners = dict(self.choices), self._owners

        def put_back() -> None:
            for name in set(self.choices) - known.keys():
                # Another thread may have forgotten it meanwhile.
                self.choices.pop(name, None)
            self._owners = owners

        return put_back

    def forget(self) -> None:
        """Forget all choices, since other backends count from now on."""
        # In place: the calls hold it.
        self.choices.clear()
        self.choices[HOST] = self.host_choice
        self._owners = None
        self._warned.clear()

    # What holds now

    def choice(self, state: State) -> Choice:
        """What is chosen in a state.

        :raises ValueError: as :meth:`resolve`, if that is the default and wrong.
        :raises ImportError: likewise.
        """
        if state.choice is not None:
            return state.choice
        base = self.base
        if base.choice is None:
            self.set_default(self._default_choice())
        if base.choice is None:
            raise AssertionError("the default has just been set")
        return base.choice

    def set_default(self, choice: Choice | None) -> None:
        """Have another choice where none was made, in the whole process."""
        base = self.base
        base.choice = choice
        base.within = {}
        base.host = choice is not None and choice.is_host

    def _default_choice(self) -> Choice:
        value = os.environ.get(self._variable, "") if self._variable is not None else ""
        if not value.strip():
            return self.resolve(self._default)
        names = [name.strip() for name in value.split(",")]
        try:
            choice = self.resolve(names)
        except (ValueError, ImportError) as error:
            message = f"the environment variable {self._variable} is {value!r}: {error}"
            raise type(error)(message) from error
        self.base.why = f"the environment variable {self._variable}"
        return choice

    # Finding what was named

    def resolve(self, name: BackendName) -> Choice:
        """Find out what is chosen by a name, or by several.

        :raises ValueError: if it names nothing that is known, or nothing at all.
        :raises ImportError: if it names a backend that cannot be had.
        """
        # Not the list itself, which has no hash, and is anybody's to change.
        key: Any = tuple(name) if isinstance(name, (list, tuple)) else name
        for label in key if isinstance(key, tuple) else (key,):
            if not isinstance(label, str) or not label.strip():
                raise ValueError(
                    f"a backend of {self._labels.host} is chosen by its name, a non-empty string;"
                    f" got {label!r}"
                )
        known = self.choices.get(key)
        return known if known is not None else self._resolve(key)

    def _resolve(self, name: Any) -> Choice:
        labels = name if isinstance(name, tuple) else (name,)
        if not labels:
            raise ValueError(
                f"a choice of {self._labels.host} backends must name one; got {name!r}"
            )
        backends: dict[str, Backend] = {}
        names: dict[str, None] = {}
        for label in labels:
            if label == HOST:
                names[HOST] = None
            elif label == AUTO:
                self.discovery.all()
                names[AUTO] = None
            else:
                backend = self._backend(label)
                backends[backend.name] = backend
                names[backend.name] = None
        canonical = tuple(names)
        choice = self.choices.get(canonical)
        if choice is None:
            if canonical == (HOST,):
                choice = self.host_choice
            else:
                choice = Choice(canonical, self._in_order(canonical, backends), self.host)
            if AUTO in names and not self.discovery.complete:
                # Asked for by a backend while it is loaded, and so without it.
                return choice
            choice = self.choices.setdefault(canonical, choice)
        self.choices[name] = choice
        return choice

    def _in_order(self, names: tuple[str, ...], backends: dict[str, Backend]) -> dict[str, Backend]:
        """The backends of a choice, with all that ``"auto"`` stands for in its place."""
        found: dict[str, Backend] = {}
        for name in names:
            if name == AUTO:
                for each in self.discovery.in_order_of_priority():
                    found.setdefault(each.name, each)
            elif name != HOST:
                found.setdefault(name, backends[name])
        return found

    def _backend(self, label: str) -> Backend:
        host = self._labels.host
        reason = self._labels.why_reserved(label)
        if reason is not None:
            raise ValueError(f"{label!r} is reserved by {host}: {reason}")
        backend = self.discovery.find(label)
        if backend is None:
            raise self._absence(label)
        self._warn_of(backend)
        return backend

    def _warn_of(self, backend: Backend) -> None:
        if backend.trusted or self._trust.untrusted != "warn" or backend.name in self._warned:
            return
        with self.discovery.lock:
            if backend.name not in self._warned:
                warn_caller(
                    f"the backend {backend.name!r}, {backend.origin}, is not one that"
                    f" {self._labels.host} knows; use it if you trust it"
                )
                # Only now: where the warning is an error, it is one each time.
                self._warned.add(backend.name)

    def _absence(self, label: str) -> Exception:
        """What to raise when there is no backend of this name."""
        host = self._labels.host
        failure = self.discovery.failure(label)
        if failure is not None and (failure.error is not None or failure.refused):
            return failed(host, label, failure.reason, failure.error)
        trusted = self._trust.named(label)
        if trusted is not None:
            return ImportError(
                f"the backend {label!r} of {host} is not installed; install it with:"
                f" pip install {trusted.package}"
            )
        message = f"{host} has no backend {label!r}"
        if failure is not None:
            return ValueError(
                f"{message}: an entry point of that name is ignored: {failure.reason}"
            )
        closest = self.discovery.closest(label)
        if closest is not None:
            message += f"; did you mean {closest!r}?"
        names = self.discovery.names()
        available = f"available: {', '.join(names)}" if names else "no backends are installed"
        return ValueError(f"{message}{'' if closest else ';'} {available}")

    # Choice by the classes of arguments

    def owners(self, args: list[Any]) -> Iterable[Backend]:
        """The backends that own the class of an argument, in order of priority.

        There is a warning of one that is not trusted when its turn comes.
        """
        if self._owners is None:
            backends = self.discovery.in_order_of_priority()
            lookup = Lookup(ListClassLookup([each.owned for each in backends]))
            if self.discovery.complete:
                self._owners = backends, lookup
        else:
            backends, lookup = self._owners
        found: dict[int, Backend] = {}
        for arg in args:
            for backend in lookup.all(OWNER, [arg]):
                found[id(backend)] = backend
        for backend in backends:
            if id(backend) in found:
                self._warn_of(backend)
                yield backend


def failed(host: str, label: str, reason: str, error: BaseException | None) -> ImportError:
    """The error for a backend that is there and cannot be had."""
    raised = ImportError(
        f"the backend {label!r} of {host} cannot be used: {reason}"
        + (f": {told(error)}" if error is not None else "")
    )
    raised.__cause__ = error
    return raised
