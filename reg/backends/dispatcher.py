"""What a host makes one of, and wires its functions with."""

from __future__ import annotations

import importlib
import inspect
import operator
import pickle
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, overload

from reg import Lookup
from reg.arginfo import wrapped_by
from reg.sentinel import MISSING

from .._signatures import signature_with_deferred
from .backend import Backend
from .construction import Class, dispatched_class
from .discovery import Discovery
from .dispatch import DispatchedFunction, Function
from .explanation import Considered, Explanation
from .installed import Installed, installed
from .labels import HOST, Labels
from .merging import Shown
from .notices import Notices
from .records import Record
from .routing import PREFIX
from .selection import BackendName, Selection
from .settings import Settings
from .trust import Trust, Untrusted

__all__ = ["BackendDispatcher"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_C = TypeVar("_C", bound=type)


class BackendDispatcher:
    """Runs a host's functions and classes on installed backends.

    :param entrypoint_group: the group of entry points that backends are found
      in, such as ``"example_host.backends"``. An entry point names a module, an
      object, or a class, which is called without arguments.
    :param host_name: what messages call the host.
    :param trusted_backends: by name, ``{"aliases": […], "package": "pip-name"}``
      and optionally ``distributions``, ``entrypoints``, ``object_refs`` and
      ``module_prefixes``: who may supply the backend of that name.
    :param reserved_backends: names that no backend may have, with reasons.
    :param untrusted: what happens to backends that are not among the trusted:
      ``"warn"`` when one is first chosen; ``"refuse"`` to import it; ``"allow"``.
    :param default: what is chosen where nothing is: ``"cpu"``, ``"auto"``, a
      backend, or a list of them in order of preference.
    :param environment_variable: the name of an environment variable that says
      so instead; names in it are separated by commas.
    :param keyword: the keyword argument that chooses in a call.
    :param strict: whether it is an error where the host's own code would run
      because the chosen backend does not.
    :raises ValueError: if one of these will not do; it is named.

    Several hosts in one process have nothing to do with each other. Nothing is
    discovered, let alone imported, before a backend is chosen or asked for.
    """

    def __init__(
        self,
        *,
        entrypoint_group: str,
        host_name: str,
        trusted_backends: Mapping[str, Mapping[str, Any]] | None = None,
        reserved_backends: Mapping[str, str] | None = None,
        untrusted: Untrusted = "warn",
        default: BackendName = HOST,
        environment_variable: str | None = None,
        keyword: str = "backend",
        strict: bool = False,
    ) -> None:
        _check_text("entrypoint_group", entrypoint_group)
        _check_text("host_name", host_name)
        if environment_variable is not None:
            _check_text("environment_variable", environment_variable)
        if not isinstance(keyword, str) or not keyword.isidentifier():
            raise ValueError(f"keyword must be the name of a keyword argument; got {keyword!r}")
        self.entrypoint_group = entrypoint_group
        self.host_name = host_name
        self._keyword = keyword
        labels = Labels(host_name, reserved_backends)
        trust = Trust(labels, trusted_backends, untrusted)
        self._trust = trust
        self._dispatched: list[Function | Class] = []
        self._shown: list[Shown] = []
        self._discovery = Discovery(entrypoint_group, labels, trust, self._use, self._keep)
        self._selection = Selection(
            labels,
            trust,
            self._discovery,
            default=default,
            variable=environment_variable,
            strict=strict,
        )
        self._settings = Settings(self, self._selection)
        self._module = sys._getframe(1).f_globals.get("__name__", "")

    # What a host re-exports

    @overload
    def backend_dispatch(self, function: Callable[_P, _R], /) -> DispatchedFunction[_P, _R]: ...

    @overload
    def backend_dispatch(
        self, /, *, name: str | None = None
    ) -> Callable[[Callable[_P, _R]], DispatchedFunction[_P, _R]]: ...

    def backend_dispatch(self, function: Any = None, /, *, name: str | None = None) -> Any:
        """Have a module-level function run on the backend that is chosen; a decorator.

        :param name: what backends export their implementations as, if it is
          not the name of the function.
        :return: the function, with the keyword argument ``backend`` in addition.
        :raises TypeError: if it is not a module-level function of named
          parameters, or has a parameter ``backend`` already.
        """
        if function is None:
            return lambda function: self._dispatch_function(function, name)
        return self._dispatch_function(function, name)

    def _dispatch_function(self, function: Any, name: str | None) -> Any:
        signature = _checked_signature(function, self._keyword)
        dispatched = Function(
            self._selection,
            _checked_name(function.__name__ if name is None else name),
            self._keyword,
            function,
            signature,
        )
        call = dispatched.key
        call.__reg_dispatched__ = dispatched
        with self._discovery.lock:
            self._add(dispatched)
            shown = Shown(dispatched)
            self._shown.append(shown)
            notices = Notices()
            if self._discovery.loaded():
                shown.merge(self._discovery.loaded(), notices)
        notices.issue()
        return call

    @overload
    def backend_class(self, cls: _C, /) -> _C: ...

    @overload
    def backend_class(self, /, *, name: str | None = None) -> Callable[[_C], _C]: ...

    def backend_class(self, cls: Any = None, /, *, name: str | None = None) -> Any:
        """Have a class constructed by the backend that is chosen; the outermost decorator.

        :param name: what backends export their classes as, if it is not the
          name of the class.
        :return: a subclass that stands for it. Called, it returns an instance
          of the chosen backend's class; its own subclasses are not affected.
        :raises TypeError: if it is no class, dispatches already, cannot be
          subclassed, or has a constructor with a parameter ``backend``.
        """
        if cls is None:
            return lambda cls: self._dispatch_class(cls, name)
        return self._dispatch_class(cls, name)

    def _dispatch_class(self, cls: Any, name: str | None) -> Any:
        if not isinstance(cls, type):
            raise TypeError(f"backend_class takes a class; got {cls!r}")
        if dispatched_class(cls) is not None:
            raise TypeError(f"{cls.__qualname__} dispatches to backends already")
        dispatched = Class(
            self._selection,
            _checked_name(cls.__name__ if name is None else name),
            self._keyword,
            cls,
        )
        with self._discovery.lock:
            self._add(dispatched)
        return dispatched.key

    @property
    def settings(self) -> Settings:
        """Which backend is chosen, to be read and set."""
        return self._settings

    def get_backend(self, name: str) -> Any | None:
        """Get a backend by name or alias.

        The parameter, the result and the errors are those of :meth:`Settings.get_backend`.
        """
        return self._settings.get_backend(name)

    def available_backend_names(self) -> list[str]:
        """List the names and aliases of all backends that are installed and load, sorted."""
        return self._discovery.names()

    def discover(self) -> None:
        """Load all backends now, and show their parameters in the host's functions.

        For documentation tools, and whoever else reads signatures. Nothing is
        done twice.
        """
        self._discovery.all()

    def installed(self) -> list[Installed]:
        """List the entry points of the host's group, with what became of each so far.

        Nothing is imported for it. Call :meth:`discover` first to have all loaded.
        """
        return installed(self._discovery, self._trust)

    # Which one ran, and why

    def explain(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Explanation:
        """Tell which backend a call would run on, and why; nothing is run.

        :param function: a function or class that dispatches to backends.
        :param args: the arguments of the call, and those by keyword, with
          ``backend`` among them.
        :return: the explanation, which prints as text.
        :raises TypeError: if ``function`` is none of this host's, or the
          arguments do not fit.
        """
        dispatched = self._dispatched_of(function)
        selection = self._selection
        state = selection.state.get()
        given = kwargs.pop(self._keyword, None)
        if isinstance(dispatched, Class):
            values = dispatched.values(args, kwargs)
            decision, keywords = dispatched.decided(state, given, values, kwargs)
            forwarded = tuple(keywords)
            dropped: tuple[str, ...] = ()
            names = dispatched.layout.names
        else:
            values, extra = dispatched.bind(args, kwargs)
            decision = dispatched.decide(state, given, values, extra)
            names = dispatched.layout.names
            forwarded, dropped = tuple(decision.extra), ()
        passed = tuple(
            name for name, value in zip(names, values, strict=True) if value is not MISSING
        )
        if isinstance(dispatched, Function) and decision.backend is not None:
            found = dispatched.route(decision.backend, decision.implementation)
            dropped = tuple(name for name in passed if name not in found.forwarded)
        forwarded = tuple(
            dict.fromkeys((*(name for name in passed if name not in dropped), *forwarded))
        )
        return Explanation(
            dispatched.name,
            decision.choice.names,
            HOST if decision.backend is None else decision.backend.name,
            decision.reason,
            tuple(
                Considered(
                    each.backend.name,
                    each.backend.origin.distribution,
                    each.backend.origin.version,
                    each.reason,
                )
                for each in decision.candidates
            ),
            forwarded,
            dropped,
            decision.implementation,
        )

    @contextmanager
    def record(self) -> Iterator[list[Record]]:
        """Collect what runs in a ``with`` block: one :class:`Record` for each dispatched call.

        It holds for the running context, as a choice does: for tasks and
        ``asyncio.to_thread()`` too, but not for a plain thread that is started
        in the block.

        :return: a context manager, which gives the list that the records are put into.
        """
        selection = self._selection
        state = selection.state.get()
        records: list[Record] = []
        why = selection.base.why if state.choice is None else state.why
        inside = state.but(selection.choice(state), why, records=(records,), outer=state)
        selection.state.set(inside)
        try:
            yield records
        finally:
            selection.state.set(state)

    def lookup(self, name: BackendName | None = None) -> Lookup:
        """Get the lookup that goes with a choice, for the tools of the core.

        :param name: the choice; the present one, if left out.
        :return: a :class:`reg.Lookup` that asks the chosen backends, then the
          host. The keys in it are the host's public functions.
        :raises ValueError: if there is no backend of that name.
        :raises ImportError: if it is not installed, or does not load.
        """
        selection = self._selection
        if name is None:
            return selection.choice(selection.state.get()).lookup
        return selection.resolve(name).lookup

    # Parts

    def _add(self, dispatched: Function | Class) -> None:
        self._dispatched.append(dispatched)
        self._selection.host.register(dispatched.key, (), dispatched.function)
        for backend in self._discovery.loaded():
            backend.offer(dispatched.key, dispatched.name)

    def _use(self, backends: list[Backend], notices: Notices) -> None:
        """Make newly loaded backends known to the host's functions."""
        for backend in backends:
            if not backend.exports.registrations():
                for dispatched in self._dispatched:
                    backend.offer(dispatched.key, dispatched.name)
        for shown in self._shown:
            shown.merge(backends, notices)

    def _keep(self) -> Callable[[], None]:
        """Take note of what :meth:`_use` changes, and get what puts it back."""
        parts = [self._selection.keep(), *(shown.keep() for shown in self._shown)]

        def put_back() -> None:
            for part in parts:
                part()

        return put_back

    def _dispatched_of(self, function: Any) -> Function | Class:
        found: Any = dispatched_class(function)
        wrapped = function
        while found is None and wrapped is not None:
            found = getattr(wrapped, "__dict__", {}).get("__reg_dispatched__")
            wrapped = wrapped_by(wrapped)
        if found is None or found not in self._dispatched:
            raise TypeError(
                f"{function!r} does not dispatch to backends of {self.host_name}; give a function"
                " or class of it that is decorated with backend_dispatch or backend_class"
            )
        dispatched: Function | Class = found
        return dispatched

    def __repr__(self) -> str:
        return f"<backend dispatcher of {self.host_name}>"

    def __reduce__(self) -> Any:
        module = sys.modules.get(self._module)
        for name, value in list(vars(module).items()) if module is not None else ():
            if value is self:
                return _find, (self._module, name)
            if value is self._settings:
                return _find, (self._module, f"{name}._dispatcher")
        raise pickle.PicklingError(
            f"{self!r} is found in another process by its name, and it has none in the module"
            f" {self._module!r} that made it: keep it there in a global variable"
        )


def _find(module: str, name: str) -> Any:
    return operator.attrgetter(name)(importlib.import_module(module))


def _check_text(argument: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{argument} must be a non-empty string; got {value!r}")


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"backends export their implementations by a name; got {name!r}")
    return name


def _checked_signature(function: Any, keyword: str) -> inspect.Signature:
    """The signature of a function that can dispatch to backends."""
    name = getattr(function, "__qualname__", repr(function))
    if isinstance(function, type):
        raise TypeError(f"{name} is a class; use backend_class for it")
    if not callable(function):
        raise TypeError(f"{name} is not callable; backend_dispatch takes a function")
    if isinstance(function, types.MethodType):
        raise TypeError(f"{name} is a bound method; backend_dispatch takes module-level functions")
    try:
        signature = signature_with_deferred(function)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} does not say which arguments it takes: {error}") from error
    if not isinstance(getattr(function, "__name__", None), str):
        raise TypeError(f"{name} has no name, by which backends could export theirs")
    for index, parameter in enumerate(signature.parameters.values()):
        if parameter.name == keyword:
            raise TypeError(f"{name} has a parameter {keyword!r} already, which chooses a backend")
        if index == 0 and parameter.name in ("self", "cls"):
            raise TypeError(
                f"{name} is a method, by its first parameter {parameter.name!r};"
                " backend_dispatch takes module-level functions"
            )
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise TypeError(
                f"{name} takes *{parameter.name}, which cannot be passed on by name; "
                "backend_dispatch takes functions of named parameters"
            )
        if parameter.name.startswith(PREFIX):
            raise TypeError(
                f"{name} has a parameter {parameter.name!r}; names that begin with {PREFIX!r} are"
                " used in calls to backends"
            )
    return signature
