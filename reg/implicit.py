"""The implicit lookup: the one of a call of a generic function without ``lookup=``."""

from __future__ import annotations

import sys
import weakref
from types import FunctionType, ModuleType

from ._errors import NoImplicitLookupError
from ._fastcall import CachedLookup, ImplicitState
from ._lock import registry_lock
from ._scope_decorator import ScopeDecorator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from typing import Any, Final, Self

__all__ = ["Implicit", "NoImplicitLookupError", "implicit"]


class _Uncacheable:
    """Wraps an implicit lookup that is not cached, so that the fast path misses."""

    __slots__ = ("lookup",)

    def __init__(self, lookup: Any) -> None:
        self.lookup = lookup


# Stored in place of a lookup: the base lookup at the time of the call.
_FOLLOW_BASE: Final = _Uncacheable(None)


class _ThreadSlot:
    """Holds the lookup that was assigned in one thread; it dies with the thread."""

    __slots__ = ("__weakref__", "_on_death", "lookup")

    def __init__(self, lookup: Any, on_death: Callable[[], object]) -> None:
        self.lookup = lookup
        self._on_death = on_death

    def __del__(self) -> None:
        # A call that is made while the rest of the thread dies has to look again.
        self._on_death()


class LookupScope(ScopeDecorator):
    """The scope of :meth:`Implicit.using`: a context manager, and a decorator."""

    _token: Token[Any] | None = None

    def __init__(self, implicit: Implicit, lookup: Any) -> None:
        self._implicit = implicit
        self._lookup = lookup

    def __enter__(self) -> Any:
        implicit, self._is_used = self._implicit, True
        if self._token is not None:
            raise RuntimeError(
                "this block of reg.implicit.using() has been entered already;"
                " call using() for each block"
            )
        with registry_lock:
            implicit._last_scope = object()
            implicit._not_only_the_base()
        stored, before = _stored(self._lookup), implicit._scoped.get()
        try:
            self._token = implicit._scope(stored)
        except BaseException:
            # The interruption may have come after it was set.
            implicit._scope(before)
            raise
        return self._lookup

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._implicit._notify(error)
        token, self._token = self._token, None
        if token is None:
            return
        try:
            self._implicit._unscope(token)
        except ValueError as error:
            error.add_note(
                "This block of reg.implicit.using() is left in another context than that in which"
                " it was entered, as in an asynchronous generator that was not finished: have it"
                " around what the generator calls, and not around a yield."
            )
            raise

    def __del__(self) -> None:
        if not self._is_used:
            import warnings

            warnings.warn(
                "reg.implicit.using() has no effect by itself: enter it, with"
                " reg.implicit.using(lookup):, or decorate a function with it",
                RuntimeWarning,
                stacklevel=2,
            )
        # An interruption can prevent __exit__() from doing anything at all.
        if self._token is not None:
            try:  # noqa: SIM105 (contextlib is not loaded for it)
                self.__exit__(None, None, None)
            except ValueError:
                # It is left in another context.
                pass

    def _another(self) -> Self:
        return type(self)(self._implicit, self._lookup)


class Preserved(ScopeDecorator):
    """The scope of :meth:`Implicit.preserved`: a context manager, and a decorator."""

    def __init__(self, implicit: Implicit) -> None:
        self._implicit = implicit

    def __enter__(self) -> None:
        implicit = self._implicit
        implicit._blocks.add(self)
        self._base, self._scoped = implicit._base, implicit._scoped.get()
        self._last_scope = implicit._last_scope
        self._assigned: weakref.WeakKeyDictionary[_ThreadSlot, Any] = weakref.WeakKeyDictionary(
            {slot: slot.lookup for slot in implicit._slots()}
        )
        # Last: a signal handler may have assigned a lookup while the others were read.
        self._base_only = implicit._base_only

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        implicit = self._implicit
        if error is not None:
            implicit._notify(error)
        # The replaced lookups die without the lock: a finalizer may wait for another thread.
        replaced: list[Any] = [implicit._current()]
        with registry_lock:
            try:
                changes, slots = implicit._changes, implicit._slots()
                replaced += [slot.lookup for slot in slots]
                for slot in slots:
                    slot.lookup = self._assigned.get(slot, _FOLLOW_BASE)
                implicit._reassigned()
                # A context that a task or a thread has kept may hold any scope entered since.
                same_scope = implicit._last_scope is self._last_scope
                implicit._base_only = self._base_only and same_scope
                implicit._set_base(self._base)
                if implicit._scoped.get() is not self._scoped:
                    implicit._scope(self._scoped)
                if implicit._changes != changes:
                    # A signal handler has assigned a lookup meanwhile.
                    implicit._not_only_the_base()
            except BaseException:
                # A thread may still have another lookup.
                implicit._not_only_the_base()
                implicit._reassigned()
                raise
            finally:
                implicit._blocks.discard(self)
        del replaced

    def _another(self) -> Self:
        return type(self)(self._implicit)


class Implicit(ImplicitState):
    """The implicit lookup: one for the process, one for a thread, one for a scope.

    The innermost one counts: that of :meth:`using`, else the one assigned
    to :attr:`lookup` in this thread, else the process-wide default, which :meth:`initialize`
    sets.

    A container, a class and a module are refused. Any other object can be installed; one that
    is not a lookup is an error at the call that meets it.

    There is one instance, ``reg.implicit``.
    """

    # So that another attribute, such as a misspelt one, is refused.
    __slots__ = (
        "_all_slots",
        "_base",
        "_base_only",
        "_blocks",
        "_changes",
        "_last_scope",
        "_observer",
    )

    def __init__(self) -> None:
        super().__init__()
        self._base: Any = None
        self._base_only = True
        # Counts the scopes and assignments, to notice one in the middle of another change.
        self._changes = 0
        # A new object for every scope that is entered.
        self._last_scope: object = None
        # Notified of each exception that leaves a scope, and of the lookup there.
        self._observer: Callable[[BaseException, Any], None] | None = None
        # The slots of all threads that have assigned a lookup.
        self._all_slots: weakref.WeakSet[_ThreadSlot] = weakref.WeakSet()
        # The blocks of preserved() that were entered and not left.
        self._blocks: weakref.WeakSet[Preserved] = weakref.WeakSet()

    @property
    def base_lookup(self) -> Any:
        """The process-wide default, or ``None``."""
        return self._base

    def initialize(self, lookup: Any) -> None:
        """Set the process-wide default, and make this thread follow it.

        :param lookup: a lookup, or ``None`` to remove it. Other threads keep the lookups
          that they assigned themselves.
        :raises TypeError: if it is a list, a class or another object that can never be a lookup.
        """
        _refuse_others(lookup, "initialize()")
        before = self._current()
        with registry_lock:
            self._wholly(lambda: self._initialize(lookup))
        del before

    def clear(self) -> None:
        """Remove the process-wide default, and the lookup of this thread."""
        self.initialize(None)

    def reset(self) -> None:
        """Make this thread follow the process-wide default again.

        Inside :meth:`using`, that holds until its end.
        """
        before = self._current()
        with registry_lock:
            self._wholly(self._reset)
        del before

    @property
    def lookup(self) -> Any:
        """The lookup of a call made now, in this context and thread; or ``None``.

        Assigning sets it for this thread, until :meth:`reset`; inside
        :meth:`using` for this scope, until its end. A new thread follows the process-wide
        default. In asynchronous code, all tasks of a thread share the assigned
        lookup: use :meth:`using`. Assigning while an event loop runs in this thread warns
        (:exc:`RuntimeWarning`).
        """
        stored = self._get()
        if stored is _FOLLOW_BASE:
            return self._base
        return stored.lookup if type(stored) is _Uncacheable else stored

    @lookup.setter
    def lookup(self, lookup: Any) -> None:
        if self._scoped.get() is None and _in_event_loop():
            import warnings

            warnings.warn(
                "reg.implicit.lookup is assigned while an event loop runs in this thread, so all"
                " tasks in it get this lookup from now on; enter reg.implicit.using(lookup)"
                " instead, which holds for one task",
                RuntimeWarning,
                stacklevel=2,
            )
        _refuse_others(lookup, "lookup")
        before = self._current()
        with registry_lock:
            self._not_only_the_base()
            if self._scoped.get() is not None:
                self._scope(_stored(lookup))
            else:
                self._assign(_stored(lookup))
        del before

    def preserved(self) -> Preserved:
        """Restore, at the end of a ``with`` block, the lookups from its beginning; for tests.

        These are the process-wide default, the lookups that threads assigned, and the one of
        this scope. Threads started in the block that still run follow the default again.
        Contexts keep the lookups that blocks of :meth:`using` set in them.

        :return: a context manager, or a decorator for a function of any kind.
        """
        return Preserved(self)

    def using(self, lookup: Any) -> LookupScope:
        """Make a lookup the implicit one within a ``with`` block.

        :param lookup: a lookup; or ``None``, with which calls raise
          :exc:`reg.NoImplicitLookupError`.
        :return: a context manager, which gives the lookup; or a decorator, for
          a function of any kind whose body is such a block.
        :raises TypeError: as :meth:`initialize`.

        It holds for the running context (see :mod:`!contextvars`): in code that is
        called from the block, in asyncio tasks and in ``asyncio.to_thread()``
        started there, but in no other task, and in other threads only where Python
        passes the context on. Blocks can be nested; each restores the lookup before it,
        also after an exception. Do not ``yield`` inside one: a generator has no context of its
        own, so the lookup would hold for the code that consumes it. Decorate the generator
        function.
        """
        _refuse_others(lookup, "using()")
        return LookupScope(self, lookup)

    def __reduce__(self) -> str:
        # By reference: another process has its own.
        return "implicit"

    def _current(self) -> tuple[Any, Any]:
        """Get the lookups of this thread, which the caller keeps alive while it holds the lock."""
        return self._base, self._get()

    def _wholly(self, change: Callable[[], object]) -> None:
        """Change the lookups of this thread, or leave all of them as they were."""
        base, scoped = self._base, self._scoped.get()
        slot = self._slot()
        own = None if slot is None else slot.lookup
        try:
            change()
        except BaseException:
            if self._base is not base:
                self._set_base(base)
            if slot is not None:
                self._assign(own)
            if scoped is not None:
                self._scope(scoped)
            raise

    def _initialize(self, lookup: Any) -> None:
        self._set_base(lookup)
        self._reset()

    def _reset(self) -> None:
        self._unassign()
        if self._scoped.get() is not None:
            self._scope(_FOLLOW_BASE)

    def _slot(self) -> Any:
        """Get the slot of this thread; ``None`` if it has never assigned a lookup."""
        return self._assigned.__dict__.get("slot")

    def _slots(self) -> list[_ThreadSlot]:
        return list(self._all_slots)

    def _assign(self, stored: Any) -> None:
        slot = self._slot()
        if slot is None:
            slot = _ThreadSlot(stored, self._reassigned)
            self._all_slots.add(slot)
            self._assigned.slot = slot
        slot.lookup = stored
        self._reassigned()

    def _unassign(self) -> None:
        slot = self._slot()
        if slot is not None and self._blocks:
            # The end of the block restores the slot, which another thread could not put back.
            slot.lookup = _FOLLOW_BASE
        else:
            self._assigned.__dict__.pop("slot", None)
        self._reassigned()

    def _observe(
        self, observer: Callable[[BaseException, Any], None] | None
    ) -> Callable[[BaseException, Any], None] | None:
        """Observe how scopes are left, for tools that explain failures.

        :param observer: is called with each exception that leaves a block of
          :meth:`using` or :meth:`preserved`, in any thread, and with the
          lookup that counted there; ``None`` to observe nothing.
        :return: the former observer.
        """
        before, self._observer = self._observer, observer
        return before

    def _notify(self, error: BaseException) -> None:
        if self._observer is not None:
            self._observer(error, self.lookup)

    def _set_base(self, lookup: Any) -> None:
        stored = _stored(lookup)
        while True:
            self._base = lookup
            self._assign_base(stored)
            base_only = self._base_only
            self._everywhere = lookup if base_only and stored is lookup else None
            # Again if a signal handler has changed a part of it meanwhile.
            if self._base is lookup and self._base_only is base_only:
                break

    def _not_only_the_base(self) -> None:
        # From now on, each call has to find its lookup.
        self._changes += 1
        if self._base_only or self._everywhere is not None:
            with registry_lock:
                # In this order: a signal handler in between that sets a base does no harm.
                self._base_only = False
                self._everywhere = None


def _stored(lookup: Any) -> Any:
    # Asked itself, and not by a function of its module, which no program has to load for this.
    if issubclass(type(lookup), CachedLookup) and lookup._reg_has_default_behaviour():
        return lookup
    return _Uncacheable(lookup)


def _refuse_others(lookup: Any, taker: str) -> None:
    """Refuse an object that can never be a lookup."""
    kind = type(lookup)
    if issubclass(kind, (list, tuple, set, frozenset, dict)):
        advice = ": compose its parts with reg.Lookup(reg.ListClassLookup([...]))"
    elif issubclass(kind, ModuleType) and not callable(getattr(lookup, "call", None)):
        advice = ", which is a module: pass a lookup in it"
    elif issubclass(kind, type) and not _is_asked_itself(lookup):
        advice = ", which is a class: pass an instance of it"
    elif issubclass(kind, FunctionType):
        advice = ", which is a function: pass a lookup, as in @reg.implicit.using(lookup)"
    else:
        return
    raise TypeError(f"reg.implicit.{taker} takes a lookup; got {lookup!r}{advice}")


def _is_asked_itself(cls: type) -> bool:
    from .interfaces import is_asked_without_instance

    return callable(getattr(cls, "call", None)) and is_asked_without_instance(cls, "call")


def _in_event_loop() -> bool:
    # Without importing asyncio: a program that has not, runs no event loop.
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None


#: The only instance.
implicit = Implicit()
