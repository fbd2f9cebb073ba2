"""The fast path of functions and classes that dispatch: calls by the cache of their mode."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from reg._fastcall import compiled

from .arguments import MOST_SHAPES, UNKNOWN
from .call_cache import CallsByOwner, Entry, backend_entry, host_entry
from .caller_warnings import describe_error
from .decision import Decision, Dispatched, put_on_record, take_off_record
from .names import AUTO
from .state import BackendName, Mode, State, leave

__all__ = ["FastPath", "failure_reason"]

_DEBUG: Final = logging.DEBUG
# The cache of the logger: for each level whether it is on. A change of any level clears it. A level
# that is not in it is taken for on; the logger itself is asked then, which takes longer.
_LEVELS: Final[dict[int, bool]] = getattr(logging.getLogger("reg.backends"), "_cache", {})
_NO_ENTRY: Any = None
_BackendCall: Any = None
if not TYPE_CHECKING and compiled:
    # Free-threaded builds, where all of the core may be compiled, do without it.
    with suppress(ImportError):
        from ._call_c import BackendCall as _BackendCall
        from ._call_c import prepare

        prepare(State, Mode, Entry)


class FastPath(Dispatched):
    """A function, or a class, of a host whose calls are cached."""

    #: the exceptions by which a backend passes a call on to the next in line
    moves_on: tuple[type[BaseException], ...] = ()

    def make_call(
        self, host: Callable[..., Any], slow_path: Callable[..., Any], is_plain: bool = True
    ) -> Callable[..., Any]:
        """Make the function that runs calls, by the cache where it has them.

        :param host: the host's own implementation.
        :param slow_path: decides a call and runs it: ``slow_path(state, given, args, keywords,
          failed)``.
        :param is_plain: true if calls on the host path have nothing to do but to call ``host``.
        """
        # The cache: the shapes of calls that are passed on as they are.
        self._plain_shapes: dict[Any, None] = {}
        self._host, self._slow_path, self._is_plain = host, slow_path, is_plain
        keyword, current = self.keyword, self.selector.state.get
        if keyword == "backend" and _BackendCall is None:
            return self._twin
        cached: Callable[..., Any] = self.missed
        if _BackendCall is not None:
            variable, discovery = self.selector.state, self.selector.discovery
            cached = _BackendCall(self, self.name, variable, discovery, _LEVELS, put_on_record)

        def call(*args: Any, backend: BackendName | None = None, **keywords: Any) -> Any:
            if backend is None and is_plain and current().is_host:
                return host(*args, **keywords) if keywords else host(*args)
            return cached(backend, args, keywords)

        def call_by_another_keyword(*args: Any, **keywords: Any) -> Any:
            given = keywords.pop(keyword, None)
            if given is None and is_plain and current().is_host:
                return host(*args, **keywords) if keywords else host(*args)
            return cached(given, args, keywords)

        return call if keyword == "backend" else call_by_another_keyword

    @functools.cached_property
    def _twin(self) -> Callable[..., Any]:
        """The same function in Python, the twin of the call in C."""
        host, slow_path, is_plain = self._host, self._slow_path, self._is_plain
        name, dispatched = self.name, self
        discovery, variable = self.selector.discovery, self.selector.state
        current, enter, reset, is_logged = variable.get, variable.set, variable.reset, _LEVELS.get

        def call(*args: Any, backend: BackendName | None = None, **keywords: Any) -> Any:
            state = current()
            if backend is None and state.is_host and is_plain:
                return host(*args, **keywords) if keywords else host(*args)
            try:
                calls = state.mode.calls if backend is None else state.mode.named_calls[backend]
                entry = calls[dispatched]
                if entry.is_by_owner:
                    entry = entry.by_owner(args, keywords)
                # Read at each call: an export can be replaced.
                export, known, passing = entry.exports[name], entry.known, None
                # Looked up only if it is not the shape of the first call.
                if keywords or len(args) != entry.count:
                    shape: Any = len(args)
                    options = entry.options
                    for keyword in keywords:
                        if keyword not in options:
                            shape = (shape, *keywords)
                            break
                    passing = entry.shapes[shape]
            except (KeyError, TypeError):
                # Not called like this before; or the choice is a list, which has no hash.
                entry = export = known = passing = _NO_ENTRY
            if (
                entry is None
                or (export is not known() and not entry.is_method_of(export))
                or export is None
                or (backend is not None and entry.inventory is not discovery.inventory)
            ):
                return slow_path(state, backend, args, keywords)
            if entry.asks:
                reason = dispatched.declines(entry.ran, entry.asks, args, keywords)
                if reason is not None:
                    return dispatched.declined(backend, args, keywords, entry, reason)
            if entry.is_recorded or is_logged(_DEBUG, True):
                put_on_record(state, entry.record)
            token = None
            try:
                token = enter(entry.inside)
                if passing is not None:
                    return passing(export, args, keywords, state.mode.strict)
                return export(*args, **keywords) if keywords else export(*args)
            except entry.moves_on as error:
                # Without its traceback, which would keep the arguments alive.
                failure = error.with_traceback(None)
            finally:
                if token is not None:
                    reset(token)
                else:
                    leave(variable, token, state)
            return dispatched.moved_on(backend, args, keywords, entry, failure)

        return call

    # The rest of a call that its entry does not finish

    def missed(self, given: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Run a call that is not in the cache."""
        if "backend" not in keywords:
            return self._twin(*args, backend=given, **keywords)
        # An argument of a host with another keyword, which the twin would take for the choice.
        return self._slow_path(self.selector.state.get(), given, args, keywords)

    def declined(self, given: Any, args: Any, keywords: Any, entry: Entry, reason: str) -> Any:
        """Run a call by the next in line: the backend has declined it."""
        state = self.selector.state.get()
        return self._slow_path(state, given, args, keywords, {entry.ran: reason})

    def moved_on(
        self, given: Any, args: Any, keywords: Any, entry: Entry, error: BaseException
    ) -> Any:
        """Run a call by the next in line: the backend has passed it on by an exception."""
        state = self.selector.state.get()
        take_off_record(state, entry.record)
        failed = {entry.ran: failure_reason(error)}
        return self._slow_path(state, given, args, keywords, failed)

    # The cache

    def cached_shapes(self, decision: Decision) -> tuple[frozenset[str], Mapping[Any, Any]]:
        """The shapes of the calls that a decision is cached for.

        :param decision: the decision.
        :return: the keywords that do not count in a shape; by shape, how the arguments are
          passed, ``None`` for as they are.
        """
        return frozenset(), self._plain_shapes

    def remember(
        self, state: State, inside: State, given: BackendName | None, decision: Decision, shape: Any
    ) -> None:
        """Let calls like this one skip the decision, which would be the same.

        :param state: the state that it was made in.
        :param inside: the state that its body runs in.
        :param given: the choice of the call itself; ``None`` to follow the settings.
        :param decision: the decision.
        :param shape: the shape of the call.
        """
        mode, backend, inventory = state.mode, decision.backend, self.selector.discovery.inventory
        is_auto = decision.choice.names[0] == AUTO
        if is_auto and self._deciding is not None:
            # The function that picks the deciding arguments is asked in every call.
            return
        if given is None:
            if mode.choice is None:
                # It follows the default, which can change.
                return
            calls = mode.calls
        elif isinstance(given, list) or inventory.cache.get(given) is not decision.choice:
            return
        else:
            calls = mode.named_calls.setdefault(given, {})
        options, shapes = self.cached_shapes(decision)
        # Each call with ``strict=`` is decided.
        if shapes is self._plain_shapes and "strict" not in decision.keywords:
            if len(self._plain_shapes) >= MOST_SHAPES:
                self._plain_shapes.clear()
            self._plain_shapes[shape] = None
        record = self.record_of(decision)
        if backend is None:
            entry: Entry | None = host_entry(
                self.name, self._host, inside, shapes, inventory, record
            )
        else:
            asks = self.questions(backend, decision.choice)
            moves_on = self.moves_on if decision.choice.is_list else ()
            entry = backend_entry(
                *(self.name, decision, options, shapes, asks, moves_on, inside, inventory, record)
            )
        if entry is not None and type(shape) is int and shapes.get(shape, UNKNOWN) is None:
            entry.count = shape
        if is_auto:
            by_owner = calls.get(self)
            if by_owner is None or by_owner.inventory is not inventory:
                by_owner = calls[self] = CallsByOwner(self.selector, self.name, inventory)
            by_owner.calls[backend] = entry
        elif entry is not None:
            calls[self] = entry
        if backend is not None:
            backend.remembered_in(mode)


def failure_reason(error: BaseException) -> str:
    """The reason on record where a backend passed a call on by an exception."""
    return f"it raised {describe_error(error)}"
