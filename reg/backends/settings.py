"""The settings of one host: which backend its functions run on."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, ParamSpec, TypeVar, cast

from .generators import drive_async_generator, drive_generator, kind_of, of_kind
from .selection import Selector, unusable
from .state import NO_PARTICULARS, BackendName, Choice, Options, Particulars, State, leave

__all__ = ["Settings", "UseBackend"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_F = TypeVar("_F", bound=Callable[..., Any])
_WHY: Final = "use_backend()"
# Up to how many blocks are kept to be entered again.
_MOST_BLOCKS: Final = 64


class Settings:
    """Which backend the functions of one host run on.

    It is kept in a context variable: asyncio tasks and ``asyncio.to_thread()``
    inherit it and do not change each other's; a new thread begins with the
    default. :meth:`bind` takes it along to anywhere.

    Not made directly: it is :attr:`BackendDispatcher.settings`.
    """

    # A misspelt ``backend`` is an error.
    __slots__ = ("__weakref__", "_blocks", "_host_name", "_reduced", "_selector")

    def __init__(self, host_name: str, selector: Selector, reduced: Callable[[], Any]) -> None:
        self._host_name = host_name
        self._selector = selector
        self._reduced = reduced
        # The cache: by name of a backend, the block that uses it and wishes nothing else.
        self._blocks: dict[str, UseBackend] = {}

    @property
    def backend(self) -> str | tuple[str, ...]:
        """The canonical name of the backend in use; ``"cpu"`` for the host's own code.

        A tuple of names, if there are several in order of preference. Assigning
        validates first: the errors are those of :meth:`use_backend`.
        """
        selector = self._selector
        choice = selector.mode(selector.state.get()).choice
        return "cpu" if choice is None else choice.name

    @backend.setter
    def backend(self, name: BackendName) -> None:
        selector = self._selector
        choice = selector.resolve(name)
        state = selector.state.get()
        inside = state.choosing(choice, "settings.backend", outer=state.outer)
        inside.token = state.token
        selector.state.set(inside)

    @property
    def default_backend(self) -> str | tuple[str, ...]:
        """The backend of all threads and tasks that chose none, in the whole process.

        A new thread begins with it. Assigning validates first, and takes effect at the next
        call of each thread that made no choice of its own.
        """
        choice = self._selector.mode(self._selector.base).choice
        return "cpu" if choice is None else choice.name

    @default_backend.setter
    def default_backend(self, name: BackendName) -> None:
        choice = self._selector.resolve(name)
        self._selector.set_default(choice, "settings.default_backend")

    def use_backend(
        self,
        name: BackendName,
        *,
        strict: bool | None = None,
        options: Options | None = None,
        functions: Mapping[str, BackendName] | None = None,
    ) -> UseBackend:
        """Use a backend in a ``with`` block, or in a function that this decorates.

        :param name: its name or alias; ``"cpu"`` for the host's own code;
          ``"auto"`` for the backend that owns the class of an argument; or a
          list of them, in order of preference. In a list, a name that ends in
          ``"?"`` is passed over if there is no such backend.
        :param strict: true if a fall back to the host's own code is an error;
          as it was, if left out.
        :param options: by name of a backend, keyword arguments for those of its
          implementations that have them, such as ``{"turbo": {"digits": 3}}``. A
          call that gives the argument itself is not affected. Left out, they are as they
          were; an empty mapping ends them.
        :param functions: by name of a function, another choice for it, such as
          ``{"area": ["turbo", "cpu"]}``. A call that chooses itself is not affected,
          nor are the calls inside it.
        :return: a context manager, which is a decorator too.
        :raises ValueError: on entry, if there is no backend of that name.
        :raises ImportError: on entry, if it is not installed, or does not load.
        :raises TypeError: on entry, if no implementation of a backend has an option, or the
          host has no such function.
        """
        if strict is None and options is None and functions is None and type(name) is str:
            # One object can be entered many times, also at the same time.
            try:
                return self._blocks[name]
            except KeyError:
                if len(self._blocks) >= _MOST_BLOCKS:
                    self._blocks.clear()
                return self._blocks.setdefault(name, UseBackend(self._selector, name))
        return UseBackend(self._selector, name, strict, options, functions)

    def available_backends(self) -> list[str]:
        """List all backends that are installed and load.

        :return: a new list of their canonical names, sorted.
        """
        return sorted(backend.name for backend in self._selector.discovery.all())

    def get_backend(self, name: str) -> Any | None:
        """Get a backend by name or alias.

        :param name: its name or one of its aliases.
        :return: the module or object; ``None`` for ``"cpu"`` and unknown names.
        :raises ImportError: if there is one of that name that does not load.
        """
        discovery = self._selector.discovery
        if not isinstance(name, str):
            return None
        backend = discovery.find(name)
        if backend is not None:
            return backend.source
        failure = discovery.failure(name)
        if failure is not None and failure.error is not None:
            raise unusable(self._host_name, name, failure.reason, failure.error)
        return None

    def bind(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Make a function that takes the present choice along.

        :param function: the function. It is pickled with the result, so for
          another process it has to be one that can be.
        :return: a callable that runs it under the backend, and the strictness,
          that are chosen now, in any thread, process or cluster.
        """
        mode = self._selector.mode(self._selector.state.get())
        names = ("cpu",) if mode.choice is None else mode.choice.names
        # Copies that can be pickled.
        options = {name: dict(values) for name, values in mode.particulars.options.items()}
        functions = {name: one.names for name, one in mode.particulars.functions.items()}
        bound = _Bound(self, function, names, mode.strict, options, functions)
        return cast("Callable[_P, _R]", bound)

    def __repr__(self) -> str:
        return f"<settings of {self._host_name}>"

    def __reduce__(self) -> Any:
        return self._reduced()


class UseBackend:
    """The result of :meth:`Settings.use_backend`: a context manager, and a decorator."""

    __slots__ = ("_functions", "_is_plain", "_name", "_options", "_selector", "_strict")

    def __init__(
        self,
        selector: Selector,
        name: BackendName,
        strict: bool | None = None,
        options: Options | None = None,
        functions: Mapping[str, BackendName] | None = None,
    ) -> None:
        self._functions = functions
        self._selector = selector
        self._name = name
        self._strict = strict
        self._options = options
        # It wishes nothing but a backend.
        self._is_plain = (type(name), strict, options, functions) == (str, None, None, None)

    def __enter__(self) -> None:
        selector = self._selector
        variable = selector.state
        outer = variable.get()
        mode, name, discovery = outer.mode, self._name, selector.discovery
        known = mode.blocks.get(name) if self._is_plain else None
        if known is not None and known[0] is discovery.inventory:
            inside = State(known[1], (), outer)
        else:
            inside = self.inside()
            inventory = discovery.inventory
            if (
                self._is_plain
                and not outer.records
                and mode.particulars is NO_PARTICULARS
                and inventory.cache.get(name) is inside.mode.choice
            ):
                mode.blocks[name] = inventory, inside.mode
        try:
            inside.token = variable.set(inside)
        except BaseException:
            # Interrupted when it was set already.
            variable.set(outer)
            raise

    def inside(self) -> State:
        """Make the state that holds in the block."""
        selector = self._selector
        outer = selector.state.get()
        choice, particulars = selector.resolve(self._name), None
        if self._options is not None or self._functions is not None:
            options, functions = outer.mode.particulars
            if self._options is not None:
                options = _checked_options(selector, self._options)
            if self._functions is not None:
                functions = _checked_functions(selector, self._functions)
            particulars = NO_PARTICULARS
            if options or functions:
                particulars = Particulars(options, functions)
        return outer.choosing(choice, _WHY, self._strict, outer, None, particulars)

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        # The outer state is kept in the context, not here: one object can be entered twice.
        variable = self._selector.state
        state = variable.get()
        token = state.token
        if token is not None:
            try:
                variable.reset(token)
                return
            except ValueError:
                pass
        leave(variable, None, state.outer or self._selector.base)

    def __call__(self, function: _F) -> _F:
        """Decorate a function: each call runs in a block of its own."""
        return cast("_F", _within(self._selector, lambda: self, function))


class _Bound:
    """A function and the choice that it runs under."""

    def __init__(
        self,
        settings: Settings,
        function: Callable[..., Any],
        names: tuple[str, ...],
        strict: bool,
        options: Options,
        functions: Mapping[str, BackendName],
    ) -> None:
        self._state = settings, function, names, strict, options, functions
        self.__wrapped__ = function
        self._call = _within(
            settings._selector,
            lambda: settings.use_backend(
                names, strict=strict, options=options, functions=functions
            ),
            function,
        )

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        return self._call(*args, **keywords)

    def __repr__(self) -> str:
        _, function, names, *_ = self._state
        return f"<{function!r} bound to {', '.join(names)}>"

    def __reduce__(self) -> Any:
        return _Bound, self._state


def _checked_options(selector: Selector, options: Any) -> Options:
    """Check options for backends, and find the canonical names of these.

    :raises TypeError: if an option is not a keyword of any implementation.
    """
    checked: dict[str, dict[str, Any]] = {}
    if not isinstance(options, Mapping) or not all(
        isinstance(values, Mapping) for values in options.values()
    ):
        raise TypeError(
            'options are keyword arguments by name of a backend, such as {"turbo": {"digits": 3}};'
            f" got {options!r}"
        )
    for label, values in options.items():
        for name, backend in selector.resolve(label).backends.items():
            known: set[str] = set()
            for dispatched in selector.dispatched:
                known.update(dispatched.options(backend))
            for option in values:
                if option not in known:
                    raise TypeError(
                        f"no implementation of the backend {name!r} has the option {option!r};"
                        f" there are {', '.join(sorted(known)) or 'none'}"
                    )
            checked[name] = dict(values)
    return checked


def _checked_functions(selector: Selector, functions: Any) -> dict[str, Choice]:
    """Resolve the choices for single functions.

    :raises TypeError: if the host has no function of such a name.
    """
    if not isinstance(functions, Mapping):
        raise TypeError(
            'functions are choices by name of a function, such as {"area": ["turbo", "cpu"]};'
            f" got {functions!r}"
        )
    known = {dispatched.name for dispatched in selector.dispatched}
    for name in functions:
        if name not in known:
            closest = difflib.get_close_matches(str(name), known, 1)
            hint = f"; did you mean {closest[0]!r}?" if closest else ""
            raise TypeError(f"functions: no function {name!r} dispatches to backends{hint}")
    return {name: selector.resolve(choice) for name, choice in functions.items()}


def _within(
    selector: Selector, use: Callable[[], UseBackend], function: Callable[..., Any]
) -> Callable[..., Any]:
    """Wrap a function of any kind, so that its body runs in a block.

    The choice is resolved when the function is called, also for coroutines and generators.
    """
    kind = kind_of(function)

    def call(*args: Any, **keywords: Any) -> Any:
        if not kind:
            with use():
                return function(*args, **keywords)
        inside = use().inside()
        make = functools.partial(function, *args, **keywords)
        if kind == inspect.CO_COROUTINE:
            return _await_within(selector, inside, make)
        drive = drive_generator if kind == inspect.CO_GENERATOR else drive_async_generator
        return drive(selector.state, inside, make)

    made: Callable[..., Any] = of_kind(call, kind)
    return functools.update_wrapper(made, function)


async def _await_within(selector: Selector, inside: State, make: Callable[[], Any]) -> Any:
    variable = selector.state
    outer = variable.get()
    try:
        variable.set(inside)
        return await make()
    finally:
        variable.set(outer)
