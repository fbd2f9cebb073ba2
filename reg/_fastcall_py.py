"""The fast path of a generic function in Python. Its twin in C is in ``_c/``.

A call reads one tuple: the table of plans for this generic function in the lookup that counts
everywhere, and the check that it is still valid. That tuple is *published* to the generic
function by the slow path, and withdrawn by each change that invalidates it: a registration, a
changed composition, another implicit lookup. Where threads or contexts have lookups of their own,
nothing is published, and the call finds its lookup first. Where a table needs no check, it is
published by itself as well, for the calls without keywords: these read nothing else.

Everything else goes to the slow path: a miss, a third-party lookup, a call that has to be bound
to the signature. ``_fastcall`` chooses between the twins; both have the same names.
"""

from __future__ import annotations

import functools
import operator
import threading
import weakref
from contextvars import ContextVar, Token
from types import FunctionType

from ._call_code import NOT_GIVEN, code_of_call
from ._entries import Entries, key_of
from ._functions import KINDS, code_of
from ._lock import registry_lock
from ._steps import CallNext, Deciding, Decision, Plan, Step
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeAlias

    from ._dispatch_spec import DispatchSpec

__all__ = [
    "CachedLookup",
    "CallNext",
    "CallTables",
    "Deciding",
    "Decision",
    "Entries",
    "ImplicitState",
    "Plan",
    "Step",
    "make_call",
    "make_questions",
]


class CachedLookup:
    """A lookup with a cache that the fast path reads."""

    _reg_cache: Any

    def _reg_set_cache(self, cache: CallTables) -> None:
        """Cache in these tables from now on, and in no others."""
        with registry_lock:
            # Before, so that an interruption in between does no harm; and after, for tables
            # that a signal handler has published in between.
            _withdraw(_NOTHING)
            self._reg_cache = cache
            _withdraw(_NOTHING)


#: The tables of one generic function in one lookup; where any number of arguments dispatches, they
#: are in place of the calls, by this number. They are: the calls by the identity of each class in
#: turn; the check that they are still valid, ``None`` if they are until they are withdrawn; the
#: plans by :func:`reg._entries.key_of`; and the numbers of arguments, as bits, that something is
#: registered for. Not a named tuple, of which items are found in three times as long.
_Fast: TypeAlias = "tuple[dict[int, Any], Callable[[], bool] | None, dict[Any, Plan], int]"

#: Published where the slow path has to find the tables first.
_NOTHING: Final[_Fast] = ({}, None, {}, -1)

#: Weak references to all generic functions, by their identities. Among their global variables is
#: ``fast``, where tables are published; ``None`` means that a call has to find its lookup. And
#: ``plain``, the calls of these tables if they are valid until they are withdrawn, else ``None``.
_generics: dict[int, weakref.ref[FunctionType]] = {}


def _withdraw(tables: _Fast | None, *identities: int) -> None:
    """Publish other tables to generic functions, to all if no identities are given."""
    for reference in [_generics.get(each) for each in identities] or list(_generics.values()):
        generic = None if reference is None else reference()
        if generic is not None and (tables is None or generic.__globals__["fast"] is not None):
            generic.__globals__["plain"] = None
            generic.__globals__["fast"] = tables


class CallTables:
    """The tables of one lookup that the fast path reads, by generic function."""

    def __init__(self) -> None:
        #: by the identity of a generic function
        self.calls: dict[int, _Fast] = {}
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

    def open(self, identity: int, entries: Entries, collects: bool) -> None:
        """Make these entries the ones that the fast path of a generic function reads.

        :param identity: that of the generic function.
        :param entries: the entries.
        :param collects: whether any number of arguments dispatches. Then these entries are for
          one number of arguments, and those for the other numbers stay.
        """
        is_valid = self._lists_unchanged
        if entries.guard is not None:
            is_valid = entries.guard if is_valid is None else _both(is_valid, entries.guard)
        tables = (entries.calls, is_valid, entries.plans, entries.counts)
        if collects:
            by_number = self.calls.setdefault(identity, ({}, None, {}, -1))
            by_number[0][entries.depth] = tables
        else:
            self.calls[identity] = tables

    def close(self, identity: int) -> None:
        """Make the fast path of a generic function read nothing any more."""
        self.calls.pop(identity, None)
        _withdraw(_NOTHING, identity)


def _both(first: Callable[[], bool], second: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: first() and second()


class _BaseSlot:
    """The lookup of all threads that have not assigned one."""

    __slots__ = ("lookup",)

    def __init__(self) -> None:
        self.lookup: Any = None


class ImplicitState:
    """Where the fast path finds the implicit lookup.

    A lookup is stored as it is only if the fast path may read its tables.
    """

    def __init__(self) -> None:
        # The classes of lookups with the default behaviour, which the fast path knows.
        self._own_lookups: set[type] = set()
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
            _withdraw(None)
            if lookup is not None:
                self._lookup_everywhere = lookup
                for reference in list(_generics.values()):
                    if (generic := reference()) is not None:
                        generic.__globals__["fast"] = _NOTHING
        # Dropped without the lock: the finalizer of a lookup may wait for another thread.
        del before

    def _add_own_lookup(self, cls: type) -> None:
        """Let the fast path read the caches of the instances of a class.

        :param cls: the class, whose methods ``call``, ``component`` and ``all`` are the default.
          The twin in C knows its subclasses by these methods.
        """
        self._own_lookups.add(cls)

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

    def _publish(self, identity: int, namespace: dict[str, Any]) -> None:
        """Publish the tables of a generic function, if one lookup counts everywhere."""
        with registry_lock:
            lookup = self._lookup_everywhere
            if lookup is not None:
                tables = namespace["fast"] = lookup._reg_cache.calls.get(identity, _NOTHING)
                if tables is not _NOTHING and tables[1] is None:
                    namespace["plain"] = tables[0]


def make_call(spec: DispatchSpec, slow_path: Any, implicit: Any) -> Callable[..., Any]:
    """Make a generic function.

    :param spec: the arguments that dispatch.
    :param slow_path: its ``call`` is called with the positional and the keyword arguments of a
      call that the fast path does not know.
    :param implicit: where to find the lookup.
    """
    template = code_of_call(spec)
    kind = code_of(spec.function).co_flags & KINDS
    template = template.replace(co_flags=template.co_flags | kind)
    namespace: dict[str, Any] = {
        "__name__": __name__,
        "NOTHING": _NOTHING,
        "NOT_GIVEN": NOT_GIVEN,
        "assigned": implicit._assigned,
        "fast": None,
        "plain": None,
        "own_lookups": implicit._own_lookups,
        "scoped": implicit._scoped.get,
    }
    for index, (keyword, default) in enumerate(_optional(spec)):
        # Without a name of its own, a parameter is not among the keywords of any call.
        namespace[f"keyword_{index}"] = keyword or NOT_GIVEN
        namespace[f"default_{index}"] = default
    made = FunctionType(template, namespace, None, (NOT_GIVEN,) * template.co_argcount)
    own = namespace["own"] = id(made)
    find = namespace["find"] = _finder(own, spec, implicit)

    def or_default(implementation: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if spec.awaits:
            return slow_path.call(args, keywords)
        if type(implementation) is Step:
            # The end of the chain: nothing is registered.
            return keywords["default"]
        if hasattr(implementation, "_reg_asks_matchers"):
            # Only the matchers can say whether there is something to call.
            return slow_path.call(args, keywords)
        default = keywords.pop("default")
        keywords.pop("lookup", None)
        result = implementation(*args, **keywords)
        return default if result is None else result

    def slow(args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if any(argument is NOT_GIVEN for argument in args):
            args, keywords = _as_given(spec, args, keywords)
        try:
            plan, call_args, passed = _NOT_FOUND
            if "default" not in keywords:
                plan, call_args, passed = find(args, keywords)
            if plan is None:
                return slow_path.call(args, keywords)
        finally:
            if (namespace["fast"] or _NOTHING) is _NOTHING:
                implicit._publish(own, namespace)
        return plan.call(*call_args, **passed)

    namespace["or_default"] = or_default
    namespace["slow"] = slow
    # Only C code runs when it dies, before another one can have the same identity.
    _generics[own] = weakref.ref(made, functools.partial(_generics.pop, own))
    return made


def _optional(spec: DispatchSpec) -> list[tuple[str, Any]]:
    """Name and default of each positional parameter up to the last one that dispatches."""
    known = dict(zip(spec.parameters, zip(spec.keywords, spec.defaults, strict=True), strict=True))
    optional = []
    for name in spec.order[: max(spec.positions, default=-1) + 1]:
        keyword, default = known.get(name, (name, MISSING))
        optional.append((keyword, NOT_GIVEN if default is MISSING else default))
    return optional


def _as_given(
    spec: DispatchSpec, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Leave out the arguments that were not given, and pass those behind them by keyword."""
    first = next(index for index, value in enumerate(args) if value is NOT_GIVEN)
    behind = zip(spec.order[first:], args[first:], strict=False)
    by_keyword = {name: value for name, value in behind if value is not NOT_GIVEN}
    return args[:first], {**keywords, **by_keyword}


def make_questions(generic: FunctionType, slow_path: Any) -> dict[str, Callable[..., Any]]:
    """Make the functions ``component`` and ``all`` of a generic function.

    :param generic: the generic function.
    :param slow_path: its methods of these names are called with the positional and the keyword
      arguments if the plan is not cached, or does not know.
    """
    find = generic.__globals__["find"]
    options = {"lookup"}

    def component(*args: Any, **keywords: Any) -> Any:
        if keywords.keys() <= options:
            plan = find(args, keywords)[0]
            if plan is not None and plan.chain is None and plan.first is not MISSING:
                return plan.first
        return slow_path.component(args, keywords)

    def all(*args: Any, **keywords: Any) -> Any:
        if keywords.keys() <= options:
            plan = find(args, keywords)[0]
            # Where there is nothing, the slow path knows whether the question is a mistake.
            if plan is not None and plan.all:
                return list(plan.all)
        return slow_path.all(args, keywords)

    return {"component": component, "all": all}


_Found: TypeAlias = "tuple[Any, tuple[Any, ...], dict[str, Any]]"
_NOT_FOUND: Final[_Found] = (None, (), {})


def _finder(
    own: int, spec: DispatchSpec, implicit: Any
) -> Callable[[tuple[Any, ...], dict[str, Any]], _Found]:
    """Make the function that finds the cached plan of any call.

    It returns the plan, ``None`` if it is not cached, and the arguments for it.
    """
    arity, own_lookups = len(spec.parameters), implicit._own_lookups
    by_position, class_first, collects = not spec.names, spec.class_first, spec.collects

    def find(args: tuple[Any, ...], keywords: dict[str, Any]) -> _Found:
        passed = keywords
        if "lookup" in keywords:
            lookup = keywords["lookup"]
            passed = {name: value for name, value in keywords.items() if name != "lookup"}
        else:
            lookup = implicit._get()
        if type(lookup) not in own_lookups:
            return _NOT_FOUND
        try:
            tables = lookup._reg_cache.calls[own]
            _, is_valid, plans, counts = tables[0][len(args)] if collects else tables
        except (AttributeError, KeyError):
            return _NOT_FOUND
        dispatched = args
        if (len(args) != arity and not collects) or not by_position:
            args, passed, dispatched = spec.bound(args, passed, counts)
            if len(dispatched) != arity:
                return _NOT_FOUND
        if len(dispatched) == 1 and not class_first:
            key: Any = id(dispatched[0].__class__)
        else:
            classes = [argument.__class__ for argument in dispatched]
            if class_first and classes:
                classes[0] = dispatched[0]
            key = key_of(classes)
        plan = plans.get(key)
        if plan is None or not (is_valid is None or is_valid()):
            return _NOT_FOUND
        return plan, args, passed

    return find
