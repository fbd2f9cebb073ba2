"""The public entry: a host makes one dispatcher, and decorates its functions with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, overload

from reg import ClassRegistry, ListClassLookup, Lookup
from reg.arginfo import wrapped_by

from .caller_warnings import issue_warnings
from .checks import check_text, checked_name, checked_names, checked_signature, is_exception_class
from .conversion import Changing, Conversions
from .decision import Deciding, Dispatched
from .discovery import Discovery
from .docs.published import PublishedFunction
from .function import HostFunction
from .function_type import DispatchedFunction
from .generators import GENERATORS
from .host_class import DispatchedClass, dispatched_class
from .implementations import (
    Implementations,
    Verified,
    list_implementations,
    verify_declarations,
)
from .isolation import Isolation
from .names import AUTO, HOST, ReservedNames
from .pickling import reduce_dispatcher, register_dispatcher
from .reports import Considered, Explanation, Implementers, Installed, Record, list_installed
from .selection import Selector
from .settings import Settings
from .state import BackendName, Mode, State
from .trust import Trust, Untrusted

__all__ = ["BackendDispatcher"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_C = TypeVar("_C", bound=type)


class BackendDispatcher:
    """Runs a host's functions and classes on installed backends.

    :param entrypoint_group: the group of entry points of backends, such as
      ``"example_host.backends"``. An entry point names a module, an object, or
      a class, which is called without arguments.
    :param host_name: the name of the host in messages.
    :param trusted_backends: by name, ``{"aliases": […], "package": "pip-name"}``
      and optionally ``distributions``, ``entrypoints``, ``object_refs`` and
      ``module_prefixes``: who may supply the backend of that name.
    :param reserved_backends: names that no backend may have, with reasons.
    :param untrusted: how backends that are not among the trusted are treated:
      ``"warn"`` when one is first chosen; ``"refuse"`` to import it; ``"allow"``.
    :param default: the choice where none is made: ``"cpu"``, ``"auto"``, a
      backend, or a list of them in order of preference. In a list, a name that
      ends in ``"?"`` is passed over if there is no such backend.
    :param environment_variable: the name of an environment variable that
      overrides it; names in it are separated by commas.
    :param blocking_variable: the name of an environment variable with the
      names of backends, or of their distributions, that are never imported.
    :param keyword: the keyword argument that chooses in a call.
    :param strict: true if a fall back to the host's own code is an error.
    :param moves_on: the exceptions by which a backend passes a call on to the
      next one in line, where there is a list or ``"auto"``.
    :param convert: true to have arguments converted for the backends that declare it.
    :param version_of: a function that gives a value for an argument, which is another
      one after each change of it. With it, the cache keeps converted arguments.
    :raises ValueError: if one of these is malformed; it is named.

    Several hosts in one process are independent. Nothing is discovered, let
    alone imported, before a backend is chosen or asked for.
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
        blocking_variable: str | None = None,
        keyword: str = "backend",
        strict: bool = False,
        moves_on: tuple[type[BaseException], ...] = (NotImplementedError,),
        convert: bool = False,
        version_of: Callable[[Any], Hashable] | None = None,
    ) -> None:
        check_text("entrypoint_group", entrypoint_group)
        check_text("host_name", host_name)
        if environment_variable is not None:
            check_text("environment_variable", environment_variable)
        if blocking_variable is not None:
            check_text("blocking_variable", blocking_variable)
        if not isinstance(keyword, str) or not keyword.isidentifier():
            raise ValueError(f"keyword must be the name of a keyword argument; got {keyword!r}")
        if not isinstance(moves_on, tuple) or not all(map(is_exception_class, moves_on)):
            raise ValueError(f"moves_on must be a tuple of exception classes; got {moves_on!r}")
        if version_of is not None and not (convert and callable(version_of)):
            raise ValueError(
                "version_of must be a function, and goes with convert=True; got"
                f" {version_of!r} and convert={convert!r}"
            )
        self.entrypoint_group = entrypoint_group
        self.host_name = host_name
        self._keyword = keyword
        self._moves_on = moves_on
        reserved = ReservedNames(host_name, reserved_backends)
        self._trust = Trust(reserved, trusted_backends, untrusted, blocking_variable)
        self._discovery = Discovery(entrypoint_group, reserved, self._trust)
        self._selector = Selector(
            reserved,
            self._trust,
            self._discovery,
            default=default,
            variable=environment_variable,
            strict=strict,
            conversions=Conversions(version_of) if convert else None,
        )
        self._settings = Settings(host_name, self._selector, lambda: (getattr, (self, "settings")))
        self._dispatched: list[HostFunction | DispatchedClass] = self._selector.dispatched
        self._host_lookup = ClassRegistry(name=host_name)
        self._module = sys._getframe(1).f_globals.get("__name__", "")
        register_dispatcher(self)

    # Public names of a host

    @overload
    def backend_dispatch(self, function: Callable[_P, _R], /) -> DispatchedFunction[_P, _R]: ...

    @overload
    def backend_dispatch(
        self,
        /,
        *,
        name: str | None = None,
        deciding: Deciding = None,
        mutates_input: Changing = None,
    ) -> Callable[[Callable[_P, _R]], DispatchedFunction[_P, _R]]: ...

    def backend_dispatch(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        deciding: Deciding = None,
        mutates_input: Changing = None,
    ) -> Any:
        """Decorate a module-level function, so that it runs on the backend that is chosen.

        :param function: the function.
        :param name: the name of the backends' exports, if it is not the name of
          the function.
        :param deciding: which arguments decide for ``"auto"``: their names, or
          a function that takes the arguments by name, and returns the values
          that decide. All, if left out.
        :param mutates_input: the names of the arguments that it changes in
          place, or a function that takes the arguments by name, and returns
          these names. Such an argument is never converted for a backend.
        :return: the function, with the keyword argument ``backend`` in addition.
        :raises TypeError: if it is not a module-level function of named
          parameters, or has a parameter ``backend`` already.
        """
        if function is None:
            return lambda one: self._dispatch_function(one, name, deciding, mutates_input)
        return self._dispatch_function(function, name, deciding, mutates_input)

    def _dispatch_function(
        self, function: Any, name: str | None, deciding: Deciding, mutates_input: Changing
    ) -> Any:
        signature = checked_signature(function, self._keyword)
        dispatched = HostFunction(
            self._selector,
            checked_name(function.__name__ if name is None else name),
            self._keyword,
            function,
            signature,
            checked_names("deciding", deciding, signature, function.__qualname__),
            self._moves_on,
            checked_names("mutates_input", mutates_input, signature, function.__qualname__),
        )
        if mutates_input is not None and dispatched.kind & GENERATORS:
            raise TypeError(
                f"{function.__qualname__} is a generator function, of which mutates_input cannot be"
                " said: it changes its arguments when it is iterated"
            )
        call = dispatched.key
        call.__reg_dispatched__ = dispatched
        call.backends = Implementers(self._discovery, dispatched.name, lambda: call)
        publication = PublishedFunction(dispatched)
        warnings: list[str] = []
        with self._discovery.lock:
            self._dispatched.append(dispatched)
            self._discovery.publish_also(publication, warnings)
        if warnings:
            issue_warnings(warnings)
        return call

    @overload
    def backend_class(self, cls: _C, /) -> _C: ...

    @overload
    def backend_class(
        self, /, *, name: str | None = None, deciding: Deciding = None
    ) -> Callable[[_C], _C]: ...

    def backend_class(
        self, cls: Any = None, /, *, name: str | None = None, deciding: Deciding = None
    ) -> Any:
        """Decorate a class, so that the backend that is chosen constructs it.

        It must be the outermost decorator.

        :param cls: the class.
        :param name: the name of the backends' exports, if it is not the name of
          the class.
        :param deciding: which arguments decide for ``"auto"``, as for
          :meth:`backend_dispatch`.
        :return: a subclass that stands for it. Called, it returns an instance
          of the chosen backend's class; its own subclasses are not affected.
        :raises TypeError: if it is no class, dispatches already, cannot be
          subclassed, or has a constructor with a parameter ``backend``.
        """
        if cls is None:
            return lambda cls: self._dispatch_class(cls, name, deciding)
        return self._dispatch_class(cls, name, deciding)

    def _dispatch_class(self, cls: Any, name: str | None, deciding: Deciding) -> Any:
        if not isinstance(cls, type):
            raise TypeError(f"backend_class takes a class; got {cls!r}")
        if dispatched_class(cls) is not None:
            raise TypeError(f"{cls.__qualname__} dispatches to backends already")
        dispatched = DispatchedClass(
            self._selector,
            checked_name(cls.__name__ if name is None else name),
            self._keyword,
            cls,
            deciding,
        )
        checked_names("deciding", deciding, dispatched.signature, cls.__qualname__)
        self._dispatched.append(dispatched)
        return dispatched.key

    @property
    def settings(self) -> Settings:
        """The settings: which backend is chosen, to be read and set."""
        return self._settings

    @property
    def testing(self) -> Isolation:
        """Context managers for tests: ``isolated()``, and ``installed({name: backend})``."""
        return Isolation(self._selector)

    def get_backend(self, name: str) -> Any | None:
        """Get a backend by name or alias.

        :param name: its name or one of its aliases.
        :return: the module or object; ``None`` for ``"cpu"`` and unknown names.
        :raises ImportError: if there is one of that name that does not load.
        """
        return self._settings.get_backend(name)

    def available_backend_names(self) -> list[str]:
        """List the names of all backends that are installed and load.

        :return: a new list, sorted, with the aliases.
        """
        return self._discovery.labels()

    def discover(self) -> None:
        """Load all backends now, and show their parameters in the host's functions.

        For documentation tools, and all others that read signatures. Backends that
        were installed since the last time are found; nothing is loaded twice.
        """
        self._discovery.discover()

    def installed(self) -> list[Installed]:
        """List the entry points of the host's group, with the outcome of each so far.

        Nothing is imported for it. Call :meth:`discover` first to load all.

        :return: a new list, one row for each entry point.
        """
        return list_installed(self._discovery, self._trust)

    def implementations(self) -> Implementations:
        """List the functions of the host, and for each the backends that implement it.

        Nothing is imported for it: of backends that are not loaded, it gives the declarations
        in their metadata. Call :meth:`discover` first to load all.

        :return: a table, with a row for each function.
        """
        return list_implementations(self.host_name, self._discovery, self._dispatched)

    def verify(self) -> list[Verified]:
        """Compare the declarations in the metadata of all backends with the backends.

        All are loaded for it. For authors of backends; ``reg backends verify`` shows it.

        :return: one row for each entry point of the group, with the differences.
        """
        return verify_declarations(self._discovery, self._dispatched)

    # Which one ran, and why

    def explain(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Explanation:
        """Find out which backend a call would run on, and why; nothing is run.

        :param function: a function or class that dispatches to backends.
        :param args: the positional arguments of the call.
        :param kwargs: its keyword arguments, with ``backend`` among them.
        :return: the explanation, which prints as text.
        :raises TypeError: if ``function`` is not one of this host, or the
          arguments do not fit it.
        """
        dispatched = self._dispatched_of(function)
        state = self._selector.state.get()
        given = kwargs.pop(self._keyword, None)
        dropped: tuple[str, ...] = ()
        error = None
        parameters = dispatched.parameters
        if isinstance(dispatched, DispatchedClass):
            decision = dispatched.decide_class(state, given, args, kwargs)
        else:
            parameters.check(args, kwargs, dispatched.name)
            decision = dispatched.decide(state, given, args, kwargs)
            error = dispatched.type_error(decision, args)
            dropped = dispatched.dropped(decision, args)
        passed = parameters.by_name(args, decision.keywords)
        candidates = [Considered(*_origin(one), reason) for one, reason in decision.passed_over]
        is_function = not isinstance(dispatched, DispatchedClass)
        converter = self._selector.converter(decision.backend) if is_function else None
        if decision.backend is not None:
            candidates.append(Considered(*_origin(decision.backend), None))
        return Explanation(
            dispatched.name,
            decision.choice.names,
            HOST if decision.backend is None else decision.backend.name,
            decision.reason,
            tuple(candidates),
            tuple(name for name in passed if name not in dropped),
            dropped,
            dispatched.function if decision.backend is None else decision.implementation,
            error,
            tuple(
                name
                for name, value in passed.items()
                if converter is not None and name not in dropped and converter.converts(value)
            ),
        )

    @contextmanager
    def record(self) -> Iterator[list[Record]]:
        """Collect, in a ``with`` block, one :class:`Record` for each dispatched call.

        It holds for the running context, as a choice does: for tasks and
        ``asyncio.to_thread()`` too, but not for a plain thread that is started
        in the block. A choice that is made in the block holds after it.

        :return: a context manager, which gives the list that the records are put into.
        """
        variable = self._selector.state
        state = variable.get()
        records: list[Record] = []
        mode, all_records = state.mode, (*state.records, records)
        # Where no choice was made, the default still counts, which can change meanwhile.
        follows = state is self._selector.base
        own = Mode(None, mode.strict, mode.why) if follows else mode.like(all_records)
        variable.set(State(own, all_records, state.outer, state.token))
        try:
            yield records
        finally:
            after = variable.get()
            variable.set(state if after.mode is own else after.without_records(records))

    def lookup(self, name: BackendName | None = None) -> Lookup:
        """Get the lookup that goes with a choice, for the tools of the core.

        :param name: the choice; the present one, if left out.
        :return: a :class:`reg.Lookup` that asks the chosen backends, then the
          host. The keys in it are the host's public functions.
        :raises ValueError: if there is no backend of that name.
        :raises ImportError: if it is not installed, or does not load.
        """
        selector = self._selector
        choice = selector.mode(selector.state.get()).choice if name is None else None
        if choice is None:
            choice = selector.resolve(HOST if name is None else name)
        backends = dict(choice.backends)
        if AUTO in choice.names:
            for backend in self._discovery.by_priority():
                backends.setdefault(backend.name, backend)
        with self._discovery.lock:
            functions = [(dispatched.key, dispatched.name) for dispatched in self._dispatched]
            known = {registration.key for registration in self._host_lookup.registrations()}
            for dispatched in self._dispatched:
                if dispatched.key not in known:
                    self._host_lookup.register(dispatched.key, (), dispatched.function)
            parts = [backend.class_lookup(functions) for backend in backends.values()]
        return Lookup(ListClassLookup([*parts, self._host_lookup]))

    # Parts

    def _dispatched_of(self, function: Any) -> HostFunction | DispatchedClass:
        dispatched: Dispatched | None = dispatched_class(function)
        wrapped = function
        while dispatched is None and wrapped is not None:
            dispatched = getattr(wrapped, "__dict__", {}).get("__reg_dispatched__")
            wrapped = wrapped_by(wrapped)
        for one in self._dispatched:
            if one is dispatched:
                return one
        raise TypeError(
            f"{function!r} does not dispatch to backends of {self.host_name}; give a function"
            " or class of it that is decorated with backend_dispatch or backend_class"
        )

    def __repr__(self) -> str:
        return f"<backend dispatcher of {self.host_name}>"

    def __reduce__(self) -> Any:
        functions = [dispatched.function for dispatched in self._dispatched]
        return reduce_dispatcher(self, self._settings, self._module, functions)


def _origin(backend: Any) -> tuple[str, str | None, str | None]:
    return backend.name, backend.origin.distribution, backend.origin.version
