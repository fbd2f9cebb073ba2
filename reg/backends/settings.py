"""The settings of one host: which backend its functions run on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from .kinds import ASYNC_GENERATOR, COROUTINE, DELEGATION, GENERATOR, async_steps, kind_of, steps
from .routing import compiled
from .selection import BackendName, Selection, State, failed

if TYPE_CHECKING:
    from .dispatcher import BackendDispatcher

__all__ = ["Settings", "UseBackend"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_F = TypeVar("_F", bound=Callable[..., Any])


class Settings:
    """Which backend the functions of one host run on.

    It is kept in a context variable: asyncio tasks and ``asyncio.to_thread()``
    inherit it and do not change each other's; a new thread begins with the
    default. :meth:`bind` takes it along to anywhere.

    Not made directly: it is :attr:`BackendDispatcher.settings`.
    """

    # A misspelt ``backend`` is an error.
    __slots__ = ("__weakref__", "_dispatcher", "_selection")

    def __init__(self, dispatcher: BackendDispatcher, selection: Selection) -> None:
        self._dispatcher = dispatcher
        self._selection = selection

    @property
    def backend(self) -> str | tuple[str, ...]:
        """The canonical name of the backend in use; ``"cpu"`` for the host's own code.

        A tuple of names, if there are several in order of preference. Assigning
        validates first: it raises what :meth:`use_backend` raises.
        """
        selection = self._selection
        return selection.choice(selection.state.get()).name

    @backend.setter
    def backend(self, name: BackendName) -> None:
        selection = self._selection
        choice = selection.resolve(name)
        state = selection.state.get()
        selection.state.set(state.but(choice, "settings.backend", outer=state.outer))

    def use_backend(self, name: BackendName, *, strict: bool | None = None) -> UseBackend:
        """Use a backend in a ``with`` block, or in a function that this decorates.

        :param name: its name or alias; ``"cpu"`` for the host's own code;
          ``"auto"`` for the backend that owns the class of an argument; or a
          list of them, in order of preference.
        :param strict: whether it is an error where the host's own code would
          run instead; as it was, if left out.
        :return: a context manager, which is a decorator too.
        :raises ValueError: on entry, if there is no backend of that name.
        :raises ImportError: on entry, if it is not installed, or does not load.
        """
        return UseBackend(self._selection, name, strict)

    def available_backends(self) -> list[str]:
        """List the canonical names of all backends that are installed and load."""
        return sorted(each.name for each in self._selection.discovery.all())

    def get_backend(self, name: str) -> Any | None:
        """Get a backend by name or alias.

        :param name: its name or one of its aliases.
        :return: the module or object; ``None`` for ``"cpu"`` and unknown names.
        :raises ImportError: if there is one of that name that does not load.
        """
        discovery = self._selection.discovery
        if not isinstance(name, str):
            return None
        backend = discovery.find(name)
        if backend is not None:
            return backend.source
        failure = discovery.failure(name)
        if failure is not None and failure.error is not None:
            host = self._dispatcher.host_name
            raise failed(host, name, failure.reason, failure.error)
        return None

    def bind(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Make a function take the present choice along.

        :param function: what is to run. It is pickled with the result, so for
          another process it has to be one that can be.
        :return: a callable that runs it under the backend, and the strictness,
          that are chosen now, in whatever thread, process or cluster.
        """
        state = self._selection.state.get()
        choice = self._selection.choice(state)
        bound = _Bound(self._dispatcher, choice.names, state.strict, function)
        return cast("Callable[_P, _R]", bound)

    def __repr__(self) -> str:
        return f"<settings of {self._dispatcher.host_name}>"

    def __reduce__(self) -> Any:
        return getattr, (self._dispatcher, "settings")


class UseBackend:
    """What :meth:`Settings.use_backend` returns: a context manager, and a decorator."""

    def __init__(self, selection: Selection, name: BackendName, strict: bool | None) -> None:
        self._selection = selection
        self._name = name
        self._strict = strict

    def __enter__(self) -> None:
        variable = self._selection.state
        outer, inside = variable.get(), self.inside()
        try:
            variable.set(inside)
        except BaseException:
            # Interrupted when it was set already.
            variable.set(outer)
            raise

    def inside(self) -> State:
        """The state that holds in the block."""
        choice = self._selection.resolve(self._name)
        outer = self._selection.state.get()
        return outer.but(choice, "use_backend()", strict=self._strict, outer=outer)

    def __exit__(self, *error: object) -> None:
        # Not by a token of this object's: it may be entered twice, and anywhere.
        variable = self._selection.state
        outer = variable.get().outer
        variable.set(self._selection.base if outer is None else outer)

    def __call__(self, function: _F) -> _F:
        """Decorate a function: each call runs in a block of its own."""
        return cast("_F", _within(self._selection, lambda: self, function))


class _Bound:
    """A function and the choice that it runs under."""

    def __init__(
        self,
        dispatcher: BackendDispatcher,
        names: tuple[str, ...],
        strict: bool,
        function: Callable[..., Any],
    ) -> None:
        self._state = dispatcher, names, strict, function
        self.__wrapped__ = function
        settings = dispatcher.settings
        self._call = _within(
            settings._selection, lambda: settings.use_backend(names, strict=strict), function
        )

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        return self._call(*args, **keywords)

    def __repr__(self) -> str:
        _, names, _, function = self._state
        return f"<{function!r} bound to {', '.join(names)}>"

    def __reduce__(self) -> Any:
        return _Bound, self._state


def _within(
    selection: Selection, use: Callable[[], UseBackend], function: Callable[..., Any]
) -> Callable[..., Any]:
    """Wrap a function, of whatever kind, so that its body runs in a block."""
    wrap = {
        COROUTINE: _coroutine_within,
        GENERATOR: _generator_within,
        ASYNC_GENERATOR: _async_generator_within,
    }.get(kind_of(function), _function_within)
    return functools.update_wrapper(wrap(selection, use, function), function)


def _function_within(
    selection: Selection, use: Callable[[], UseBackend], function: Callable[..., Any]
) -> Callable[..., Any]:
    def call(*args: Any, **keywords: Any) -> Any:
        with use():
            return function(*args, **keywords)

    return call


def _coroutine_within(
    selection: Selection, use: Callable[[], UseBackend], function: Callable[..., Any]
) -> Callable[..., Any]:
    async def call(*args: Any, **keywords: Any) -> Any:
        with use():
            return await function(*args, **keywords)

    return call


def _generator_within(
    selection: Selection, use: Callable[[], UseBackend], function: Callable[..., Any]
) -> Callable[..., Any]:
    def call(*args: Any, **keywords: Any) -> Any:
        make = functools.partial(function, *args, **keywords)
        return (yield from steps(selection.state, use().inside(), make))

    return call


def _async_generator_within(
    selection: Selection, use: Callable[[], UseBackend], function: Callable[..., Any]
) -> Callable[..., Any]:
    def start(*args: Any, **keywords: Any) -> Any:
        make = functools.partial(function, *args, **keywords)
        return async_steps(selection.state, use().inside(), make)

    body = [line.replace("_reg_start()", "start(*args, **keywords)") for line in DELEGATION]
    return compiled("call", ("*args", "**keywords"), body, {"start": start}, before="async ")
