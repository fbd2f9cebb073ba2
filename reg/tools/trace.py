"""A record of the calls that run in a block: ``with reg.trace() as calls``.

While a trace is open anywhere in the process, plans are made of implementations with a wrapper,
which records the call if the trace is that of its own context. Without one, nothing of this is
in any call: to open the first trace, and to close the last one, drops all plans.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Coroutine, Hashable, Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .. import _plan
from .._cache import invalidate_all_caches
from .._definitions import definition_of
from .._dispatch_spec import dispatch_of
from .._lock import registry_lock
from .formats import html_table
from .names import full_name, names_of, short_name, shown_place
from .provenance import located

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["Trace", "TracedCall", "trace"]

_HEADINGS = ("call", "implementation", "in", "place", "ms", "error")


class TracedCall:
    """One implementation that ran, with those that ran inside it.

    :param key: the generic function, or the key of ``lookup.call()``.
    :param classes: the classes of the dispatch arguments.
    :param implementation: the function that ran; the decorated function for a fallback.
    :param registry: the name of its registry, or of the way to it; ``None`` for a fallback, and
      for the answer of a matcher.
    :param place: its file and line; empty if that is not known.
    """

    __slots__ = (
        "calls",
        "classes",
        "error",
        "implementation",
        "is_fallback",
        "key",
        "place",
        "registry",
        "seconds",
        "started",
    )

    def __init__(
        self,
        key: Hashable,
        classes: tuple[type, ...],
        implementation: Any,
        registry: str | None,
        place: str,
    ) -> None:
        self.key = key
        self.classes = classes
        self.implementation = implementation
        self.registry = registry
        self.place = place
        #: whether the decorated function ran, since nothing else was left
        dispatch = dispatch_of(key)
        self.is_fallback = dispatch is not None and dispatch.function is implementation
        #: the calls that ran inside this one, in the order in which they began
        self.calls: list[TracedCall] = []
        #: when it began, in nanoseconds since the epoch
        self.started = time.time_ns()
        #: how long it took, those inside it included; ``None`` while it runs
        self.seconds: float | None = None
        #: the ``repr()`` of the exception that left it; ``None`` if there was none
        self.error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Convert it to data.

        :return: all fields by name, with values that JSON has; under ``"calls"`` the data of the
          calls inside it.
        """
        return {
            "key": full_name(self.key),
            "classes": list(map(full_name, self.classes)),
            "implementation": full_name(self.implementation),
            "is_fallback": self.is_fallback,
            "registry": self.registry,
            "place": self.place,
            "started": self.started,
            "seconds": self.seconds,
            "error": self.error,
            "calls": [call.as_dict() for call in self.calls],
        }

    def _cells(self) -> tuple[str, str, str, str, str, str]:
        return (
            f"{short_name(self.key)}{names_of(self.classes)}",
            "the fallback" if self.is_fallback else short_name(self.implementation),
            self.registry or "",
            shown_place(self.place),
            "" if self.seconds is None else f"{1e3 * self.seconds:.3f}",
            self.error or "",
        )

    def __repr__(self) -> str:
        name, implementation, registry, place, took, error = self._cells()
        parts = [f"{name} -> {implementation}"]
        parts += [f"in {registry}"] if registry else []
        parts += [f"at {place}"] if place else []
        parts += [f"{took} ms" if took else "still running"]
        parts += [f"raised {error}"] if error else []
        return ", ".join(parts)


class Trace:
    """The calls that ran in a block, as a tree; made by :func:`reg.trace`.

    Iterated, it gives the outermost calls, in the order in which they began. ``str()`` shows the
    tree as text; notebooks show it as a table.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        #: the outermost calls, in the order in which they began
        self.calls: list[TracedCall] = []
        #: the number of calls that were not recorded, since there were too many
        self.dropped = 0
        self._recorded = 0
        self._outer: tuple[Trace, list[TracedCall]] | None = None

    def __enter__(self) -> Self:
        if self._recorded or _is_open(self):
            raise RuntimeError("this trace was entered before; make another one, reg.trace()")
        self._outer = _inside.get()
        try:
            _opened(self)
            _inside.set((self, self.calls))
        except BaseException:
            # The block does not begin, and so does not end.
            _closed(self)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        inside = _inside.get()
        if inside is not None and inside[0] is self:
            _inside.set(self._outer)
        _closed(self)
        if self._outer is not None:
            outer, calls = self._outer
            outer._recorded += self._recorded
            outer.dropped += self.dropped
            calls += self.calls

    def __iter__(self) -> Iterator[TracedCall]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)

    def _walk(self) -> Iterator[tuple[int, TracedCall]]:
        """All calls, each before those inside it, with their depths."""
        pending = [(0, call) for call in reversed(self.calls)]
        while pending:
            depth, call = pending.pop()
            yield depth, call
            pending += [(depth + 1, inner) for inner in reversed(call.calls)]

    def as_dicts(self) -> list[dict[str, Any]]:
        """Convert the outermost calls to data.

        :return: a new list of the results of :meth:`TracedCall.as_dict`.
        """
        return [call.as_dict() for call in self.calls]

    def to_opentelemetry(self, tracer: Tracer | None = None) -> None:
        """Send the calls as spans, with the times at which they ran.

        :param tracer: an OpenTelemetry tracer; left out, the one named ``"reg"`` of the
          application's provider.
        :raises ImportError: if OpenTelemetry is not installed.
        """
        try:
            from opentelemetry import trace as telemetry
        except ImportError as error:
            raise ImportError(
                "to_opentelemetry() needs OpenTelemetry, which is not installed: pip install"
                " 'reg-dispatch[opentelemetry]'"
            ) from error
        spans = telemetry.get_tracer("reg") if tracer is None else tracer
        contexts: list[Any] = [None]
        for depth, call in self._walk():
            del contexts[depth + 1 :]
            span = spans.start_span(
                f"{short_name(call.key)}{names_of(call.classes)}",
                context=contexts[depth],
                start_time=call.started,
                attributes={
                    "code.function.name": full_name(call.implementation),
                    "reg.key": full_name(call.key),
                    "reg.registry": call.registry or "",
                    "reg.place": call.place,
                    "reg.fallback": call.is_fallback,
                },
            )
            if call.error is not None:
                span.set_status(telemetry.StatusCode.ERROR, call.error)
            span.end(call.started + int(1e9 * (call.seconds or 0)))
            contexts.append(telemetry.set_span_in_context(span))

    def __str__(self) -> str:
        lines = [f"{'  ' * depth}{call!r}" for depth, call in self._walk()]
        if self.dropped:
            lines.append(f"… and {self.dropped} more, which were not recorded")
        return "\n".join(lines) or "no calls"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._recorded} calls>"

    def _repr_html_(self) -> str:
        rows = []
        for depth, call in self._walk():
            name, *cells = call._cells()
            rows.append(("fallback" if call.is_fallback else "call", ["· " * depth + name, *cells]))
        return html_table(f"{self._recorded} calls", _HEADINGS, rows)


def trace(most: int = 10_000) -> Trace:
    """Record which implementations run in a block, and in the tasks that it starts.

    ``with reg.trace() as calls: ...``, then ``print(calls)``. Each call has its classes, its
    implementation with registry and place, its time, and the calls inside it; an implementation
    that runs by ``call_next`` is inside the one that called it. Of a coroutine, the time ends when
    it is done; of a generator, only the call that creates it is recorded.

    Other threads are not recorded, but their calls, too, are slower while a trace is open; without
    one, no call is.

    :param most: the number of calls that are recorded; later ones are counted only.
    :return: a context manager that gives itself, to be entered once.
    :raises TypeError: if ``most`` is no number.
    :raises ValueError: if ``most`` is less than 1.
    """
    if not isinstance(most, int):
        raise TypeError(f"most is the number of calls that are recorded; got {most!r}")
    if most < 1:
        raise ValueError(f"most is to be at least 1; got {most!r}")
    return Trace(most)


# In this context, the trace and the list that the next call is added to.
_inside: ContextVar[tuple[Trace, list[TracedCall]] | None] = ContextVar(
    "reg.trace.inside", default=None
)

# The traces that are open, in any context; one entry for each.
_open: list[Trace] = []


def _is_open(wanted: Trace) -> bool:
    return any(trace is wanted for trace in _open)


def _opened(trace: Trace) -> None:
    with registry_lock:
        _open.append(trace)
        if _plan.tracing is None:
            _plan.tracing = _tracing
            invalidate_all_caches()


def _closed(trace: Trace) -> None:
    with registry_lock:
        _open[:] = [other for other in _open if other is not trace]
        if not _open:
            _plan.tracing = None
            invalidate_all_caches()


def _tracing(
    key: Hashable, lookup: Any, classes: tuple[type, ...]
) -> Callable[[Any, Any], Callable[..., Any]]:
    """Make the function that wraps the implementations of one combination of classes."""
    registries: list[tuple[Any, str]] | None = None

    def registry_of(component: Any) -> str | None:
        nonlocal registries
        if registries is None:
            candidates = located(lookup, key, classes, None)
            # With a refinement among its classes, the registered component is not the candidate.
            registries = [
                (
                    one.component if one.registration is None else one.registration.component,
                    one.source.name,
                )
                for one in candidates
            ]
        return next((name for known, name in registries if known is component), None)

    def wrap(component: Any, function: Any) -> Callable[..., Any]:
        def begin() -> TracedCall:
            definition = definition_of(component)
            place = "" if definition is None else f"{definition[0]}:{definition[1]}"
            return TracedCall(key, classes, component, registry_of(component), place)

        return _recording(function, begin)

    return wrap


def _recording(function: Callable[..., Any], begin: Callable[[], TracedCall]) -> Callable[..., Any]:
    """Wrap a function so that its calls are recorded in the trace of the context."""

    def run(*args: Any, **keywords: Any) -> Any:
        inside = _inside.get()
        # A task that a block started may go on after it.
        if inside is None or not _is_open(inside[0]):
            return function(*args, **keywords)
        trace, calls = inside
        if trace._recorded >= trace._most:
            trace.dropped += 1
            return function(*args, **keywords)
        trace._recorded += 1
        call = begin()
        calls.append(call)
        started = time.perf_counter()
        is_done = True
        _inside.set((trace, call.calls))
        try:
            result = function(*args, **keywords)
            if inspect.iscoroutine(result):
                is_done = False
                return _awaited(result, trace, call, started)
            return result
        except BaseException as error:
            call.error = repr(error)
            raise
        finally:
            _inside.set(inside)
            if is_done:
                call.seconds = time.perf_counter() - started

    return run


async def _awaited(
    coroutine: Coroutine[Any, Any, Any], trace: Trace, call: TracedCall, started: float
) -> Any:
    """Await a coroutine; the calls that it makes are inside its own."""
    outside = _inside.get()
    _inside.set((trace, call.calls))
    try:
        return await coroutine
    except BaseException as error:
        call.error = repr(error)
        raise
    finally:
        _inside.set(outside)
        call.seconds = time.perf_counter() - started
