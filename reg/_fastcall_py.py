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
import threading
import weakref
from contextvars import ContextVar, Token
from types import FunctionType

from ._call_code import NOT_GIVEN, code_of_call
from ._entries import Entries
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

    # The calls in the cache: in a slot, which is read in a fifth of the time of another attribute.
    __slots__ = ("_reg_calls",)
    _reg_cache: Any
    _reg_calls: dict[int, _Fast]

    def _reg_set_cache(self, cache: CallTables) -> None:
        """Cache in these tables from now on, and in no others."""
        with registry_lock:
            # Before, so that an interruption in between does no harm; and after, for tables
            # that a signal handler has published in between.
            _withdraw(_NOTHING)
            self._reg_cache = cache
            self._reg_calls = cache.calls
            _withdraw(_NOTHING)


#: Lists, their snapshots, and a guard or ``None``: plans are valid while the former two are equal,
#: and the guard says so.
_Check: TypeAlias = "tuple[list[Any] | None, list[Any] | None, Callable[[], bool] | None]"

#: The tables of one generic function in one lookup, see :class:`reg._entries.Entries`: functions
#: for calls by position, by classes; plans by classes; plans by identities of classes; the check
#: that they are still valid, ``None`` if they are until they are withdrawn; and the numbers of
#: arguments, as bits, that something is registered for. Where any number of arguments dispatches,
#: such tables by this number are in place of the plans by identities. Not a named tuple, of which
#: items are found in three times as long.
_Fast: TypeAlias = "tuple[dict[Any, Any], dict[Any, Any], dict[int, Any], _Check | None, int]"

#: Published where the slow path has to find the tables first.
_NOTHING: Final[_Fast] = ({}, {}, {}, None, -1)

#: Weak references to all generic functions, by their identities. Their global variables are those
#: in :func:`make_call`.
_generics: dict[int, weakref.ref[FunctionType]] = {}


def _variables_of(identity: int) -> dict[str, Any] | None:
    """The global variables of a generic function; ``None`` if it is dead, or of a third party."""
    reference = _generics.get(identity)
    generic = None if reference is None else reference()
    return None if generic is None else generic.__globals__


def _withdraw(tables: _Fast | None, *identities: int) -> None:
    """Publish other tables to generic functions, to all if no identities are given.

    :param tables: ``_NOTHING``; or ``None``, with which a call has to find its lookup.
    """
    # Without a function for each: there may be thousands of generic functions.
    for reference in [*map(_generics.get, identities)] if identities else [*_generics.values()]:
        generic = None if reference is None else reference()
        if generic is None:
            continue
        variables = generic.__globals__
        if tables is None or variables["fast"] is not None:
            variables["plain"] = variables["checked"] = variables["known"] = None
            variables["fast"] = tables
            variables["in_scopes"] = tables is None and variables["unchecked"]


def _publish(tables: _Fast, variables: dict[str, Any]) -> None:
    """Publish the tables of a generic function, and by themselves the calls that are valid."""
    variables["fast"], check = tables, tables[3]
    if tables is _NOTHING:
        return
    if check is None:
        variables["plain"], variables["known"] = tables[0] or None, tables[2]
    else:
        # First: a call that has read the former check takes the calls for valid.
        variables["check_of_checked"] = check
        if _holds(check):
            variables["checked"] = tables[0] or None


def _check_calls(identity: int) -> None:
    """Let the calls of a generic function read more than the first of its tables."""
    if (variables := _variables_of(identity)) is not None:
        variables["unchecked"] = variables["in_scopes"] = False


class CallTables:
    """The tables of one lookup that the fast path reads, by generic function."""

    def __init__(self) -> None:
        #: by the identity of a generic function
        self.calls: dict[int, _Fast] = {}
        self._lists: tuple[list[Any] | None, list[Any] | None] = (None, None)

    def watch(self, lists: list[tuple[list[Any], list[Any]]]) -> None:
        """Compare these lists with their snapshots at every call."""
        if len(lists) == 1:
            self._lists = lists[0]
        elif lists:
            self._lists = [pair[0] for pair in lists], [pair[1] for pair in lists]

    def lists_unchanged(self) -> bool:
        """Return whether the watched lists are as they were."""
        originals, snapshots = self._lists
        return originals == snapshots

    def open(self, identity: int, entries: Entries, collects: bool) -> None:
        """Make these entries the ones that the fast path of a generic function reads.

        :param identity: that of the generic function.
        :param entries: the entries.
        :param collects: whether any number of arguments dispatches. Then these entries are for
          one number of arguments, and those for the other numbers stay.
        """
        check: _Check | None = (*self._lists, entries.guard)
        if check == (None, None, None):
            check = None
        by_class: tuple[dict[Any, Any], dict[Any, Any]] = ({}, {})
        tables = (*by_class, entries.plans, check, entries.counts)
        if collects:
            by_number = self.calls.setdefault(identity, ({}, {}, {}, None, -1))
            by_number[2][entries.depth] = tables
        else:
            if (variables := _variables_of(identity)) is not None:
                if check is not None:
                    _check_calls(identity)
                check_calls = functools.partial(_check_calls, identity)
                entries.key_by_class(*by_class, variables["only_positions"], check_calls)
                # The object by which the call looks up: the same one is found sooner.
                identity = variables["own"]
            self.calls[identity] = tables

    def close(self, identity: int) -> None:
        """Make the fast path of a generic function read nothing any more."""
        self.calls.pop(identity, None)
        _withdraw(_NOTHING, identity)


def _holds(check: _Check) -> bool:
    originals, snapshots, guard = check
    return originals == snapshots and (guard is None or guard())


class _BaseSlot:
    """The lookup of all threads that have not assigned one."""

    __slots__ = ("_is_alone", "alone", "lookup")

    def __init__(self) -> None:
        self._is_alone = True
        self.lookup: Any = None
        #: the same until a thread has assigned one, then ``None``
        self.alone: Any = None

    def assign(self, stored: Any) -> None:
        self.lookup = self.alone = stored
        if not self._is_alone:
            self.alone = None

    def end_alone(self) -> None:
        self._is_alone = False
        self.alone = None


def _assigned(base: _BaseSlot) -> threading.local:
    """Make the object whose attribute ``slot`` each thread may have for itself."""

    class Assigned(threading.local):
        # For threads without their own.
        slot = base

        def __setattr__(self, name: str, value: Any) -> None:
            base.end_alone()
            super().__setattr__(name, value)

    return Assigned()


class ImplicitState:
    """Where the fast path finds the implicit lookup.

    A lookup is stored as it is only if the fast path may read its tables.
    """

    __slots__ = (
        "_assigned",
        "_base_slot",
        "_lookup_everywhere",
        "_own_lookups",
        "_scoped",
        "_unscope",
    )

    def __init__(self) -> None:
        # The classes of lookups with the default behaviour, which the fast path knows.
        self._own_lookups: set[type] = set()
        self._lookup_everywhere: Any = None
        self._scoped: ContextVar[Any] = ContextVar("reg.implicit.using", default=None)
        # Ends a scope. Only C code, which no signal handler can interrupt.
        self._unscope: Callable[[Token[Any]], None] = self._scoped.reset
        self._base_slot = _BaseSlot()
        self._assigned: Any = _assigned(self._base_slot)

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
                        variables = generic.__globals__
                        variables["fast"], variables["in_scopes"] = _NOTHING, False
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
        self._base_slot.assign(stored)

    def _scope(self, stored: Any) -> Token[Any]:
        """Store for the running context; the token restores the lookup before it."""
        return self._scoped.set(stored)

    def _get(self) -> Any:
        """The lookup stored in the running context, else for this thread, else as the base."""
        scoped = self._scoped.get()
        return self._assigned.slot.lookup if scoped is None else scoped

    def _publish(self, variables: dict[str, Any]) -> None:
        """Publish the tables of a generic function, if one lookup counts everywhere."""
        own = variables["own"]
        with registry_lock:
            lookup = self._lookup_everywhere
            if lookup is None:
                return
            calls = lookup._reg_cache.calls
            tables = calls.get(own, _NOTHING)
            _publish(tables, variables)
            # A signal handler may have withdrawn them meanwhile.
            if self._lookup_everywhere is not lookup:
                _withdraw(_NOTHING if self._lookup_everywhere is not None else None, own)
            elif lookup._reg_cache.calls is not calls or calls.get(own, _NOTHING) is not tables:
                _withdraw(_NOTHING, own)


def make_call(spec: DispatchSpec, slow_path: Any, implicit: Any) -> Callable[..., Any]:
    """Make a generic function.

    :param spec: the arguments that dispatch.
    :param slow_path: its ``call`` is called with the positional and the keyword arguments of a
      call that the fast path does not know.
    :param implicit: where to find the lookup.
    """
    code = code_of_call(spec)
    if kind := code_of(spec.function).co_flags & KINDS:
        code = code.replace(co_flags=code.co_flags | kind)
    variables: dict[str, Any] = {
        "__name__": __name__,
        "NOT_GIVEN": NOT_GIVEN,
        "NOTHING": _NOTHING,
        "own_lookups": implicit._own_lookups,
        "assigned": implicit._assigned,
        "base": implicit._base_slot,
        "scoped": implicit._scoped.get,
        # Whether most calls pass the arguments that dispatch, by position, and no others.
        "only_positions": not spec.names,
        # The tables of the lookup that counts everywhere; None if a call has to find its lookup.
        "fast": None,
        # The calls of these tables, by classes and by their identities, if they need no check.
        "plain": None,
        "known": None,
        # Those by classes, if they need one, and the check.
        "checked": None,
        "check_of_checked": None,
        # Whether the functions by classes are all that calls without keywords need of any tables:
        # so far, none need a check, and none are for classes that can be keyed by identity only.
        "unchecked": True,
        # The same, and all calls so far that had to find their lookup were inside of scopes.
        "in_scopes": True,
    }
    for index, (keyword, default) in enumerate(_optional(spec)):
        variables[f"keyword_{index}"], variables[f"default_{index}"] = keyword, default
    made = FunctionType(code, variables, None, (NOT_GIVEN,) * code.co_argcount)
    made.__kwdefaults__ = {"lookup": NOT_GIVEN}
    own = variables["own"] = id(made)
    find = variables["find"] = _finder(own, spec, implicit)

    def or_default(plan: Plan, args: tuple[Any, ...], lookup: Any, keywords: dict[str, Any]) -> Any:
        if plan.first is MISSING and not spec.awaits:
            return keywords["default"]
        if spec.awaits or plan.chain is not None:
            # Only the matchers can say whether there is something to call.
            if lookup is not NOT_GIVEN:
                keywords["lookup"] = lookup
            return slow_path.call(args, keywords)
        default = keywords.pop("default")
        result = plan.call(*args, **keywords)
        return default if result is None else result

    positions = code.co_argcount

    def slow(args: tuple[Any, ...], lookup: Any, keywords: dict[str, Any]) -> Any:
        if lookup is NOT_GIVEN and implicit._scoped.get() is None:
            variables["in_scopes"] = False
        # A call by position alone has read the tables already, unless none were published.
        has_read = lookup is not NOT_GIVEN or variables["fast"] is not _NOTHING
        is_miss = has_read and bool(args) and len(args) == positions and not keywords
        if lookup is not NOT_GIVEN:
            keywords["lookup"] = lookup
        if any(argument is NOT_GIVEN for argument in args):
            args, keywords = _as_given(spec, args, keywords)
            is_miss = False
        try:
            plan, call_args, passed = _NOT_FOUND
            if not is_miss and "default" not in keywords:
                plan, call_args, passed = find(args, keywords)
            if plan is None:
                return slow_path.call(args, keywords)
        finally:
            # Also where the table that was published has been emptied.
            if (variables["fast"] or _NOTHING) is _NOTHING or {} in (
                variables["plain"],
                variables["checked"],
            ):
                implicit._publish(variables)
        return plan.call(*call_args, **passed)

    variables["or_default"], variables["slow"] = or_default, slow
    # Only C code runs when it dies, before another one can have the same identity.
    _generics[own] = weakref.ref(made, functools.partial(_generics.pop, own))
    return made


def _optional(spec: DispatchSpec) -> list[tuple[Any, Any]]:
    """Keyword and default of each positional parameter up to the last one that dispatches."""
    known = dict(zip(spec.parameters, zip(spec.keywords, spec.defaults, strict=True), strict=True))
    optional = []
    for name in spec.order[: max(spec.positions, default=-1) + 1]:
        keyword, default = known.get(name, (name, MISSING))
        # Without a name of its own, a parameter is not among the keywords of any call.
        optional.append((keyword or NOT_GIVEN, NOT_GIVEN if default is MISSING else default))
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
            _, _, plan, check, counts = tables[2][len(args)] if collects else tables
        except (AttributeError, KeyError):
            return _NOT_FOUND
        dispatched = args
        if (len(args) != arity and not collects) or not by_position:
            args, passed, dispatched = spec.bound(args, passed, counts)
            if len(dispatched) != arity:
                return _NOT_FOUND
        classes = [argument.__class__ for argument in dispatched]
        if class_first and classes:
            classes[0] = dispatched[0]
        try:
            for identity in map(id, classes) if classes else (0,):
                plan = plan[identity]
        except KeyError:
            return _NOT_FOUND
        if check is not None and not _holds(check):
            return _NOT_FOUND
        return plan, args, passed

    return find
