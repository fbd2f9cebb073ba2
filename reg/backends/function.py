"""A function of a host, run by the backend that is chosen."""

from __future__ import annotations

import functools
import inspect
import logging
import types
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from .arguments import UNKNOWN, HostParameters, Passing, Route, read_signature
from .backend import Backend
from .caller_warnings import describe_error
from .decision import (
    MOST_ELEMENTS,
    Deciding,
    Decision,
    Dispatched,
    put_on_record,
    take_off_record,
)
from .discovery import Found
from .generators import drive_async_generator, drive_generator, kind_of, show_kind
from .names import AUTO
from .reports import Record
from .selection import BackendName, Selector, State, leave

__all__ = ["DispatchedFunction", "HostFunction", "implementation_signature"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R", covariant=True)
_A = TypeVar("_A")
_B = TypeVar("_B")

logger: Final = logging.getLogger("reg.backends")
_DEBUG: Final = logging.DEBUG


class DispatchedFunction(Protocol[_P, _R]):
    """The type of a function under ``@backend_dispatch``: it has one more keyword argument.

    Types can express that one besides the others only by naming the first two
    arguments; with ``backend`` or ``strict``, those that follow are not
    checked, since some may be for a backend alone. They know ``backend`` by
    this name only, although a host can choose another keyword.
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


class HostFunction(Dispatched):
    """A function of a host that dispatches to backends.

    :param signature: the signature of the host's function.
    :param moves_on: the exceptions by which a backend passes a call on to the next in line.
    """

    def __init__(
        self,
        selector: Selector,
        name: str,
        keyword: str,
        function: Callable[..., Any],
        signature: inspect.Signature,
        deciding: Deciding = None,
        moves_on: tuple[type[BaseException], ...] = (NotImplementedError,),
    ) -> None:
        super().__init__(selector, name, keyword, function, deciding)
        self.signature = signature
        self.kind = kind_of(function)
        self._moves_on = moves_on
        # The cache: by implementation, how arguments reach it.
        self._routes: weakref.WeakKeyDictionary[Any, Route] = weakref.WeakKeyDictionary()
        # The cache: by backend, its last export and how arguments reach that one.
        self._export_routes: dict[Backend, tuple[weakref.ref[Any], Route]] = {}
        usual = keyword == "backend"
        self.key = self._make_call() if usual else self._make_call_by_another_keyword()

    @functools.cached_property
    def parameters(self) -> HostParameters:  # type: ignore[override]
        """The parameters of the host's function, read at the first call of a backend."""
        return HostParameters(self.function, self.signature)

    def takes(self, backend: Backend, implementation: Any, name: str) -> bool:
        return self.route(backend, implementation).takes(name)

    def route(self, backend: Backend, implementation: Any) -> Route:
        """Find out how the arguments of a call reach an implementation.

        :raises TypeError: if it cannot be called, or has no signature.
        """
        subject = _subject(implementation)
        known = self._export_routes.get(backend)
        if known is not None and known[0]() is subject:
            return known[1]
        try:
            route = self._routes.get(subject)
        except TypeError:
            route = None
        if route is None:
            signature = implementation_signature(self.name, backend, implementation)
            route = Route(self.name, self.parameters, backend.name, signature)
        try:
            self._routes[subject] = route
            self._export_routes[backend] = (weakref.ref(subject), route)
        except TypeError:
            # It cannot be referred to weakly, and must not be kept alive.
            logger.debug("%r is inspected at each call", implementation)
        return route

    # For explanations

    def type_error(self, decision: Decision, args: tuple[Any, ...]) -> str | None:
        """Say why a call would be a ``TypeError``; ``None`` if it would not be.

        :param decision: which backend would run it.
        :param args: its positional arguments.
        """
        names = tuple(decision.keywords)
        if decision.backend is not None:
            route = self.route(decision.backend, decision.implementation)
            return route.check(len(args), names)
        try:
            self.signature.bind(*args, **decision.keywords)
        except TypeError as error:
            return str(error)
        return None

    def dropped(self, decision: Decision, args: tuple[Any, ...]) -> tuple[str, ...]:
        """List the arguments that the implementation cannot be given."""
        if decision.backend is None:
            return ()
        route = self.route(decision.backend, decision.implementation)
        given = self.parameters.by_name(args, decision.keywords)
        own = self.parameters.defaults
        return tuple(name for name in given if name in own and not route.takes(name))

    # The function that the host's users call

    def _make_call(self) -> Callable[..., Any]:
        """Make the function that the host's users call.

        Its fast path is one look-up in the cache of the present mode, which gives a remembered
        call, and the checks that this still holds.
        """
        function, name, me = self.function, self.name, self
        variable, discovery = self.selector.state, self.selector.discovery
        current, enter, reset = variable.get, variable.set, variable.reset
        is_logged = logger.isEnabledFor
        decide_and_run = self._start if self.kind else self._run
        is_plain = not self.kind

        def call(*args: Any, backend: BackendName | None = None, **keywords: Any) -> Any:
            state = current()
            if backend is None and state.is_host and is_plain:
                return function(*args, **keywords)
            mode = state.mode
            try:
                calls = mode.calls if backend is None else mode.named_calls[backend]
                remembered = calls[me]
                if type(remembered) is not tuple:
                    remembered = remembered.by_owner(args, keywords)
                (inside, exports, known, is_method, options, shapes, moves_on, found, ran, asks,
                 record) = remembered  # fmt: skip
                # Read at each call: an export can be replaced.
                export = exports[name]
                can_run = exports["can_run"] if asks else None
                shape: Any = len(args)
                if keywords:
                    for keyword in keywords:
                        if keyword not in options:
                            shape = (shape, *keywords)
                            break
                passing = shapes[shape]
            except (KeyError, TypeError):
                # Not called like this before; or the choice is a list, which has no hash.
                return decide_and_run(state, backend, args, keywords)
            if (
                (export.__func__ if is_method else export) is not known()
                or export is None
                or (backend is not None and found is not discovery.found)
            ):
                return decide_and_run(state, backend, args, keywords)
            if asks:
                reason = me.declines(ran, can_run, args, keywords)
                if reason is not None:
                    return decide_and_run(state, backend, args, keywords, {ran: reason})
            if state.records or is_logged(_DEBUG):
                put_on_record(state, record)
            token = None
            try:
                token = enter(inside)
                if passing is not None:
                    return passing(export, args, keywords, mode.strict)
                if keywords:
                    return export(*args, **keywords)
                return export(*args)
            except moves_on as error:
                failed = _with_failure(None, ran, error)
            finally:
                if token is not None:
                    reset(token)
                else:
                    leave(variable, token, state)
            take_off_record(state, record)
            return decide_and_run(state, backend, args, keywords, failed)

        return self._made_public(call)

    def _make_call_by_another_keyword(self) -> Callable[..., Any]:
        """Make that function for a host whose functions use the word ``backend`` themselves.

        It decides each call.
        """
        function, keyword, current = self.function, self.keyword, self.selector.state.get
        decide_and_run = self._start if self.kind else self._run
        is_plain = not self.kind

        def call(*args: Any, **keywords: Any) -> Any:
            state = current()
            given = keywords.pop(keyword, None)
            if given is None and state.is_host and is_plain:
                return function(*args, **keywords)
            return decide_and_run(state, given, args, keywords)

        return self._made_public(call)

    def _made_public(self, call: Any) -> Callable[..., Any]:
        return functools.update_wrapper(show_kind(call, self.kind), self.function)

    # Running

    def _run(
        self,
        state: State,
        given: BackendName | None,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend, str] | None = None,
    ) -> Any:
        """Decide, and run a plain function."""
        shape = (len(args), *keywords) if keywords else len(args)
        if shape not in self.parameters.fitting:
            self.parameters.check(args, keywords, self.name)
        decision = self.decide(state, given, args, keywords, failed)
        record = self.note(state, decision)
        backend, implementation = decision.backend, decision.implementation
        passing: Passing | None = None
        moves_on: tuple[type[BaseException], ...] = ()
        if backend is not None:
            route = self.route(backend, implementation)
            passing = route.shapes.get(shape, UNKNOWN)
            if passing is UNKNOWN:
                passing = route.passing(args, decision.keywords)
            moves_on = self._moves_on if decision.choice.is_list else ()
        inside = self.inside(state, given, decision)
        if decision.is_fixed and decision.keywords is keywords:
            self._remember(state, inside, given, decision, record)
        variable, token = self.selector.state, None
        try:
            token = variable.set(inside)
            if passing is None:
                return implementation(*args, **decision.keywords)
            return passing(implementation, args, decision.keywords, decision.strict)
        except moves_on as error:
            failed = _with_failure(failed, backend, error)
        except BaseException as error:
            self._say_why(decision, error)
            raise
        finally:
            if token is not None:
                variable.reset(token)
            else:
                leave(variable, token, state)
        take_off_record(state, record)
        return self._run(state, given, args, keywords, failed)

    def _start(
        self,
        state: State,
        given: BackendName | None,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        failed: Mapping[Backend, str] | None = None,
    ) -> Any:
        """Decide, and make the coroutine or generator that runs a function of another kind."""
        self.parameters.check(args, keywords, self.name)
        decision = self.decide(state, given, args, keywords, failed)
        record = self.note(state, decision)
        backend, implementation = decision.backend, decision.implementation
        passing = None
        if backend is not None:
            passing = self.route(backend, implementation).passing(args, decision.keywords)
        inside = self.inside(state, given, decision)

        def make() -> Any:
            if passing is None:
                return implementation(*args, **decision.keywords)
            return passing(implementation, args, decision.keywords, decision.strict)

        if self.kind == inspect.CO_COROUTINE:
            again = functools.partial(self._start, state, given, args, keywords)
            return self._await(inside, make, decision, failed, again, record)
        drive = drive_generator if self.kind == inspect.CO_GENERATOR else drive_async_generator
        return drive(self.selector.state, inside, make)

    async def _await(
        self,
        inside: State,
        make: Callable[[], Any],
        decision: Decision,
        failed: Mapping[Backend, str] | None,
        again: Callable[..., Any],
        record: Record | None,
    ) -> Any:
        moves_on = self._moves_on if decision.backend and decision.choice.is_list else ()
        variable = self.selector.state
        outer = variable.get()
        try:
            variable.set(inside)
            result = make()
            return await result if inspect.isawaitable(result) else result
        except moves_on as error:
            failed = _with_failure(failed, decision.backend, error)
        except BaseException as error:
            self._say_why(decision, error)
            raise
        finally:
            variable.set(outer)
        take_off_record(inside, record)
        return await again(failed)

    def _say_why(self, decision: Decision, error: BaseException) -> None:
        """Add to an error of the host's code why it ran in place of a backend."""
        if decision.fell_back and decision.passed_over:
            error.add_note(f"{self.name}() ran on the host's own code: {decision.reason}")

    # The cache

    def _remember(
        self,
        state: State,
        inside: State,
        given: BackendName | None,
        decision: Decision,
        record: Record | None,
    ) -> None:
        """Let calls like this one skip the decision, which would be the same."""
        mode, backend, found = state.mode, decision.backend, self.selector.discovery.found
        if given is None:
            calls = mode.calls
        elif isinstance(given, list) or found.cache.get(given) is not decision.choice:
            return
        else:
            calls = mode.named_calls.setdefault(given, {})
        remembered = self._remembered(inside, decision, found, record or self.record_of(decision))
        if decision.choice.names[0] == AUTO:
            by_class = calls.get(self)
            if by_class is None or by_class.found is not found:
                by_class = calls[self] = CallsByOwner(self.selector, found, self._deciding is None)
            by_class.calls[backend] = remembered
        elif remembered is not None:
            calls[self] = remembered
        if backend is not None:
            backend.remembered_in(mode)

    def _remembered(
        self, inside: State, decision: Decision, found: Found, record: Record
    ) -> _Remembered | None:
        """Make the entry of the cache for a call; ``None`` if there can be none."""
        backend, implementation = decision.backend, decision.implementation
        if backend is None:
            # The host takes its arguments as they are.
            own: Any = {self.name: self.function}
            known, any_shape = weakref.ref(self.function), _AnyShape()
            none: frozenset[str] = frozenset()
            return inside, own, known, False, none, any_shape, (), found, None, False, record
        source = backend.source
        is_module = type(source) is types.ModuleType and self.name in vars(source)
        exports: Any = vars(source) if is_module else _Exports(source)
        try:
            known = weakref.ref(_subject(implementation))
        except TypeError:
            # It cannot be referred to weakly, and must not be kept alive.
            return None
        is_method = type(implementation) is types.MethodType
        route = self.route(backend, implementation)
        moves_on = self._moves_on if decision.choice.is_list else ()
        shapes: Any = route.shapes
        if decision.choice.names[0] == AUTO:
            # An argument that decides must not be dropped.
            shapes = _AsTheyAre(route)
        asks = backend.read("can_run", None) is not None
        options = route.options
        return (
            *(inside, exports, known, is_method, options, shapes),
            *(moves_on, found, backend, asks, record),
        )


class CallsByOwner:
    """The remembered calls of a function by ``"auto"``, for each owner of arguments.

    :param selector: the choices of the host.
    :param found: the state of discovery that they belong to.
    :param is_plain: true if all arguments decide.
    """

    def __init__(self, selector: Selector, found: Found, is_plain: bool) -> None:
        self.found = found
        self.calls: dict[Backend | None, _Remembered | None] = {}
        self._discovery = selector.discovery
        self._owners = selector.owners()
        self._is_plain = is_plain

    def by_owner(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> _Remembered:
        """Get the remembered call of the first backend that owns an argument.

        :raises KeyError: if it has to be decided.
        """
        values = (*args, *keywords.values()) if keywords else args
        for value in values:
            if isinstance(value, (list, tuple)):
                values = (*values, *value[:MOST_ELEMENTS])
        if not self._is_plain or self.found is not self._discovery.found:
            raise KeyError(self)
        remembered = None
        for backend in self._owners:
            if backend.owns_one_of(values):
                remembered = self.calls[backend]
                break
        else:
            remembered = self.calls[None]
        if remembered is None:
            raise KeyError(self)
        return remembered


#: A call whose decision is remembered, as a plain tuple, which Python unpacks fast:
#:
#: - the state that its body runs in
#: - the exports of the backend by name, as they are now
#: - a weak reference to the export that the rest is about
#: - true if that export is a bound method; then the reference is to its function
#: - the keywords that only the backend knows, which change nothing for the other arguments
#: - by shape, how the arguments are passed; see :attr:`Route.shapes`
#: - the exceptions after which the next in line runs
#: - the state of discovery in which the name of the choice was resolved
#: - the backend; ``None`` for the host
#: - true if its ``can_run`` has to be asked
#: - the entry for the lists of records
_Remembered: TypeAlias = tuple[
    State,
    Any,
    Callable[[], Any],
    bool,
    frozenset[str],
    Any,
    tuple[type[BaseException], ...],
    Found,
    Backend | None,
    bool,
    Record,
]


class _AnyShape:
    """Stands for the shapes of the host's own calls: all arguments are passed as they are."""

    def __getitem__(self, shape: Any) -> None:
        if isinstance(shape, tuple) and "strict" in shape:
            raise KeyError(shape)


class _AsTheyAre:
    """The shapes of calls whose arguments an implementation takes as they are."""

    def __init__(self, route: Route) -> None:
        self._shapes = route.shapes

    def __getitem__(self, shape: Any) -> None:
        if self._shapes[shape] is not None:
            raise KeyError(shape)


class _Exports:
    """The exports of an object, by name."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __getitem__(self, name: str) -> Any:
        return getattr(self._source, name, None)


def _subject(implementation: Any) -> Any:
    """The object that stands for an implementation in a cache: not a bound method, which dies."""
    if type(implementation) is types.MethodType:
        return implementation.__func__
    return implementation


def _with_failure(
    failed: Mapping[Backend, str] | None, backend: Backend | None, error: BaseException
) -> dict[Backend, str]:
    reason = f"it raised {describe_error(error)}"
    return {**(failed or {}), **({} if backend is None else {backend: reason})}


def implementation_signature(name: str, backend: Backend, implementation: Any) -> inspect.Signature:
    """Read the signature of an export.

    :param name: the name of the export.
    :param backend: the backend that exports it.
    :param implementation: the export.
    :raises TypeError: if it cannot be called, or has no signature.
    """
    try:
        if callable(implementation):
            return read_signature(implementation)
        reason = f"is not callable: {implementation!r}"
    except (TypeError, ValueError) as error:
        reason = f"does not say which arguments it takes: {error}"
    raise TypeError(f"{name!r} of the backend {backend.name!r}, {backend.origin}, {reason}")
