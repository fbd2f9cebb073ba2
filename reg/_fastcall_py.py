"""The fast path of a generic function in Python. Its twin in C is in ``_c/``.

A call reads one tuple: the table of plans for this generic function in the lookup that counts
everywhere, and the check that it is still valid. That tuple is *published* to the generic
function by the slow path, and withdrawn by whatever invalidates it: a registration, a changed
composition, another implicit lookup. Where threads or contexts have lookups of their own,
nothing is published, and the call finds its lookup first.

Everything else goes to the slow path: a miss, a third-party lookup, a call that has to be bound
to the signature. ``_fastcall`` chooses between the twins; both have the same names.
"""

from __future__ import annotations

import functools
import linecache
import operator
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from ._entries import Entries, Plan
from ._functions import KINDS, code_of
from ._lock import registry_lock
from .sentinel import MISSING

if TYPE_CHECKING:
    from ._dispatch_spec import DispatchSpec

__all__ = [
    "CachedLookup",
    "CallNext",
    "CallTables",
    "Entries",
    "ImplicitState",
    "Plan",
    "Step",
    "make_call",
]


class CallNext:
    """The next implementation of a call, given to one with a parameter ``call_next``.

    Called with arguments, it calls the next implementation for the classes of the *original*
    call with them; called without any, with those of the original call. The last one is the
    decorated function. Its truth value says whether an implementation is left before that.

    The idea is ``call-next-method`` of the Common Lisp Object System.
    """

    __slots__ = ("_args", "_keywords", "_next")

    def __init__(
        self, next: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> None:
        self._next = next
        self._args = args
        self._keywords = keywords

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        if args or keywords:
            return self._next(*args, **keywords)
        return self._next(*self._args, **self._keywords)

    def __bool__(self) -> bool:
        return bool(self._next)


class Step:
    """An implementation with the keywords that a call fills in.

    :param function: the implementation.
    :param lookup: filled in as ``lookup``; ``None`` if it takes none.
    :param next: what ``call_next`` calls; ``None`` if it takes none.
    :param is_end: whether it is the decorated function, at the end of the chain.
    """

    __slots__ = ("function", "is_end", "lookup", "next")

    def __init__(
        self,
        function: Callable[..., Any],
        lookup: Any = None,
        next: Any = None,
        is_end: bool = False,
    ) -> None:
        self.function = function
        self.lookup = lookup
        self.next = next
        self.is_end = is_end

    def __bool__(self) -> bool:
        return not self.is_end

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        if self.lookup is not None and "lookup" not in keywords:
            if self.next is None or "call_next" in keywords:
                return self.function(*args, lookup=self.lookup, **keywords)
            call_next = CallNext(self.next, args, keywords)
            return self.function(*args, lookup=self.lookup, call_next=call_next, **keywords)
        if self.next is None or "call_next" in keywords:
            return self.function(*args, **keywords)
        call_next = CallNext(self.next, args, keywords)
        return self.function(*args, call_next=call_next, **keywords)


class CachedLookup:
    """A lookup with a cache that the fast path reads."""

    _reg_cache: Any

    def _reg_set_cache(self, cache: CallTables) -> None:
        """Cache in these tables from now on, and in no others."""
        with registry_lock:
            # Before, so that an interruption in between does no harm; and after, for what a
            # signal handler has published in between.
            _withdraw_all()
            self._reg_cache = cache
            _withdraw_all()


#: A table of plans, and the check that they are valid; ``None`` if they are.
_Fast = tuple[dict[Any, Any], "Callable[[], bool] | None"]

#: Published where the table has to be found by the slow path first.
_NOTHING: Final[_Fast] = ({}, None)


class _Target:
    """Where the table of one generic function is published.

    ``None`` is published where threads or contexts have lookups of their own.
    """

    __slots__ = ("fast", "reference")

    def __init__(self) -> None:
        self.fast: _Fast | None = None
        #: a weak reference to the generic function, which removes the target
        self.reference: weakref.ref[Any] | None = None


#: the targets of all generic functions, by their identities
_targets: dict[int, _Target] = {}


class CallTables:
    """The tables of one lookup that the fast path reads, by generic function."""

    def __init__(self) -> None:
        #: by the identity of a generic function
        self.calls: dict[int, _Fast] = {}
        self._entries: dict[int, Entries] = {}
        self._lists_unchanged: Callable[[], bool] | None = None

    def watch(self, lists: list[tuple[list[Any], list[Any]]]) -> None:
        """Compare these lists with their snapshots at every call."""
        if lists:
            originals, snapshots = [pair[0] for pair in lists], [pair[1] for pair in lists]
            if len(lists) == 1:
                originals, snapshots = lists[0]
            self._lists_unchanged = functools.partial(operator.eq, originals, snapshots)

    def lists_unchanged(self) -> bool:
        """Return whether the watched lists are as they were."""
        return self._lists_unchanged is None or self._lists_unchanged()

    def open(self, identity: int, entries: Entries) -> None:
        """Make these entries the ones that the fast path of a generic function reads."""
        is_valid = self._lists_unchanged
        if entries.guard is not None:
            is_valid = entries.guard if is_valid is None else _both(is_valid, entries.guard)
        self._entries[identity] = entries
        self.calls[identity] = (entries.table, is_valid)

    def close(self, identity: int) -> None:
        """Make the fast path of a generic function read nothing any more."""
        self.calls.pop(identity, None)
        self._entries.pop(identity, None)
        target = _targets.get(identity)
        if target is not None and target.fast is not None:
            target.fast = _NOTHING


def _both(first: Callable[[], bool], second: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: first() and second()


class _BaseSlot:
    """The lookup of all threads that have not assigned one."""

    __slots__ = ("lookup",)

    def __init__(self) -> None:
        self.lookup: Any = None


class ImplicitState:
    """Where the fast path finds the implicit lookup.

    :param lookup_class: not used here; the twin in C compares methods with its own.

    A lookup is stored as it is only if the fast path may read its tables.
    """

    def __init__(self, lookup_class: type) -> None:
        self._lookup_everywhere: Any = None
        self._scoped: ContextVar[Any] = ContextVar("reg.implicit.using", default=None)
        # Ends a scope. Only C code, which no signal handler can interrupt.
        self._unscope: Callable[[Token[Any]], None] = self._scoped.reset
        self._base_slot = _BaseSlot()
        # The attribute of the class is for threads without a slot of their own.
        self._assigned: Any = type("_Assigned", (threading.local,), {"slot": self._base_slot})()

    @property
    def _everywhere(self) -> Any:
        """The lookup, if it is the same for all threads and contexts, else ``None``."""
        return self._lookup_everywhere

    @_everywhere.setter
    def _everywhere(self, lookup: Any) -> None:
        before = self._lookup_everywhere
        with registry_lock:
            # First None: if an exception comes in between, each call finds its lookup.
            self._lookup_everywhere = None
            for target in list(_targets.values()):
                target.fast = None
            if lookup is not None:
                self._lookup_everywhere = lookup
                for target in list(_targets.values()):
                    target.fast = _NOTHING
        # Dropped without the lock: what a lookup does as it dies may wait for another thread.
        del before

    def _reassigned(self) -> None:
        """Notice that the lookup of some thread was changed; only the twin in C has to."""

    def _assign_base(self, stored: Any) -> None:
        self._base_slot.lookup = stored

    def _scope(self, stored: Any) -> Token[Any]:
        """Store for the running context; the token restores the lookup before it."""
        return self._scoped.set(stored)

    def _get(self) -> Any:
        """The lookup stored in the running context, else for this thread, else as the base."""
        scoped = self._scoped.get()
        return self._assigned.slot.lookup if scoped is None else scoped

    def _publish(self, identity: int, target: _Target) -> None:
        """Publish the table of a generic function, if one lookup counts everywhere."""
        with registry_lock:
            lookup = self._lookup_everywhere
            if lookup is not None:
                target.fast = lookup._reg_cache.calls.get(identity, _NOTHING)


def _withdraw_all() -> None:
    for target in list(_targets.values()):
        if target.fast is not None:
            target.fast = _NOTHING


_TEMPLATE: Final = """\
def call({parameters}*more, **keywords):
    if {ordinary}:
        try:
            if not keywords:
                fast = target.fast
                if fast is None:
                    lookup = scoped()
                    if lookup is None:
                        lookup = assigned.slot.lookup
                    fast = lookup._reg_cache.calls[own]
            elif len(keywords) == 1 and type(keywords["lookup"]) in own_lookups:
                fast = keywords["lookup"]._reg_cache.calls[own]
            else:
                fast = NOTHING
            table, is_valid = fast
            plan = table[{key}]
        except Exception:
            pass
        else:
            if is_valid is None or is_valid():
                return plan.call({arguments})
    return slow({given}, keywords)
"""


class _NotGiven:
    """The default of each parameter."""


_NOT_GIVEN: Final = _NotGiven()


def make_call(spec: DispatchSpec, slow_path: Any, implicit: Any) -> Callable[..., Any]:
    """Make a generic function.

    :param spec: the arguments that dispatch.
    :param slow_path: has methods ``call``, ``component`` and ``all`` that are called with the
      positional and the keyword arguments the fast path does not know.
    :param implicit: where to find the lookup.
    """
    target = _Target()
    own_lookups = implicit._own_lookups
    keyword_call = _keyword_call(spec, implicit)

    def slow(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        while args and args[-1] is _NOT_GIVEN:
            args = args[:-1]
        if keywords or len(args) != arity:
            plan, call_args, call_keywords = keyword_call(own, args, keywords)
            if plan is not None:
                return plan.call(*call_args, **call_keywords)
        try:
            return slow_path.call(args, keywords)
        finally:
            if implicit._lookup_everywhere is not None and (target.fast or _NOTHING) is _NOTHING:
                implicit._publish(own, target)

    positions, arity = spec.positions, len(spec.positions)
    namespace = {
        "__name__": __name__,
        "target": target,
        "scoped": implicit._scoped.get,
        "assigned": implicit._assigned,
        "own_lookups": own_lookups,
        "slow": slow,
        "NOTHING": _NOTHING,
        "NOT_GIVEN": _NOT_GIVEN,
    }
    template = _code(positions if -1 not in positions else None, not spec.names, spec.class_first)
    kind = code_of(spec.function).co_flags & KINDS
    template = template.replace(co_flags=template.co_flags | kind)
    made = FunctionType(template, namespace, None, (_NOT_GIVEN,) * template.co_argcount)
    own = namespace["own"] = id(made)
    _targets[own] = target
    # Only C code runs when it dies, before another one can have the same identity.
    target.reference = weakref.ref(made, functools.partial(_targets.pop, own))
    return made


def _keyword_call(
    spec: DispatchSpec, implicit: Any
) -> Callable[[int, tuple[Any, ...], dict[str, Any]], tuple[Any, Any, Any]]:
    """Make the function that finds the cached plan of a call with keywords, or with defaults.

    It returns the plan, ``None`` if it is not cached, and the arguments for it.
    """
    arity, own_lookups = len(spec.parameters), implicit._own_lookups

    def find(
        own: int, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        if "default" in keywords:
            return None, args, keywords
        lookup = keywords.get("lookup", MISSING)
        if lookup is MISSING:
            lookup = implicit._get()
            passed = keywords
        else:
            passed = {name: value for name, value in keywords.items() if name != "lookup"}
        if type(lookup) not in own_lookups:
            return None, args, keywords
        try:
            tables = lookup._reg_cache
            table, is_valid = tables.calls[own]
            counts = tables._entries[own].counts
            call_args, passed, dispatched = spec.bound(args, passed, counts)
            if len(dispatched) != arity:
                return None, args, keywords
            classes = [argument.__class__ for argument in dispatched]
            if spec.class_first and dispatched:
                classes[0] = dispatched[0]
            plan = table[id(classes[0]) if arity == 1 else tuple(map(id, classes))]
        except Exception:
            return None, args, keywords
        if is_valid is None or is_valid():
            return plan, call_args, passed
        return None, args, keywords

    return find


@functools.cache
def _code(positions: tuple[int, ...] | None, only_these: bool, class_first: bool) -> CodeType:
    """The code of a call, shared by all generic functions that dispatch alike.

    :param positions: the positions of the arguments that dispatch; ``None`` if one of them can
      be passed by keyword only, so that there is no fast path.
    :param only_these: whether there is no fast path for more positional arguments.
    :param class_first: whether the first argument is itself the class.
    """
    count = max(positions or (), default=-1) + 1
    names = [f"argument_{index}" for index in range(count)]
    classes = [f"{names[position]}.__class__" for position in positions or ()]
    if class_first and classes:
        classes[0] = names[(positions or ())[0]]
    conditions = ["not more"] if only_these else ["True"]
    if names:
        conditions.append(f"{names[-1]} is not NOT_GIVEN")
    if positions is None:
        conditions = ["False"]
    source = _TEMPLATE.format(
        parameters="".join(f"{name}, " for name in names) + ("/, " if names else ""),
        ordinary=" and ".join(conditions),
        key=", ".join(f"id({cls})" for cls in classes) or "()",
        arguments=", ".join(names if only_these else [*names, "*more"]),
        given=f"({''.join(name + ', ' for name in names)}*more,)",
    )
    filename = f"<reg call: {', '.join(classes) or 'no arguments'}>"
    # For tracebacks through the call, which show its lines.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    code: CodeType = compile(source, filename, "exec").co_consts[0]
    return code
