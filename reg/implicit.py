"""The lookup behind every call of a generic function that is given none."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager, suppress
from contextvars import Token

from ._fastcall import ImplicitState
from ._lock import registry_lock
from .lookup import Lookup, is_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Self

__all__ = ["Implicit", "NoImplicitLookupError", "implicit"]


class NoImplicitLookupError(Exception):
    """A generic function was called without a lookup, and there is no implicit one.

    Call ``reg.implicit.initialize(lookup)``, enter ``reg.implicit.using(lookup)``,
    or pass ``lookup=`` to the call.
    """


class _Asked:
    """Wraps what a warm call must not read answers from: anything but a plain lookup."""

    __slots__ = ("lookup",)

    def __init__(self, lookup: Any) -> None:
        self.lookup = lookup


# In place of a lookup: whatever is the base when it is asked for.
_BASE: Final = _Asked(None)

# Where a thread keeps what tells others of its own lookup.
_OWN: Final = "reg.implicit.own"


class _Own:
    """Lies beside what a thread assigned, to find it by, and dies with it.

    It does not know the dictionary that it lies in: a cycle would keep all that
    a dead thread had of its own, which is not ours, until it is collected.
    """

    reassigned: Callable[[], object] | None = None

    def __del__(self) -> None:
        # A call that is made while the rest of the thread dies has to look again.
        if self.reassigned is not None:
            self.reassigned()


class Using(ContextDecorator):
    """What :meth:`Implicit.using` returns: a context manager, and a decorator."""

    _token: Token[Any] | None = None

    def __init__(self, implicit: Implicit, lookup: Any) -> None:
        self._implicit = implicit
        self._lookup = lookup

    def __enter__(self) -> Any:
        implicit = self._implicit
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
            # Interrupted when it may have been set already.
            implicit._scope(before)
            raise
        return self._lookup

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._implicit._tell(error)
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
        # An interruption can prevent __exit__() from doing anything at all.
        if self._token is not None:
            with suppress(ValueError):  # in another context
                self.__exit__(None, None, None)

    def _recreate_cm(self) -> Self:
        # For each call of what is decorated, which may be under way already.
        return type(self)(self._implicit, self._lookup)


class Implicit(ImplicitState):
    """The implicit lookup: one for the process, one for a thread, one for a scope.

    The innermost there is counts: that of :meth:`using`, else what was assigned
    to :attr:`lookup` in this thread, else the base, which :meth:`initialize` sets.

    Any object can be installed. One that is no lookup is an error at the call
    that meets it.

    There is one instance, ``reg.implicit``.
    """

    def __init__(self) -> None:
        super().__init__(Lookup)
        self._base: Any = None
        self._base_only = True
        # Another one for each scope that is entered.
        self._last_scope: object = None
        # Is told of each exception that leaves a scope, and what counted there.
        self._observer: Callable[[BaseException, Any], None] | None = None
        # What threads that live have of their own, to be put back.
        self._own: weakref.WeakValueDictionary[int, _Own] = weakref.WeakValueDictionary()

    @property
    def base_lookup(self) -> Any:
        """The lookup that counts where no other was set; ``None`` if there is none."""
        return self._base

    def initialize(self, lookup: Any) -> None:
        """Set the base, and make this thread follow it.

        :param lookup: a lookup, or ``None`` for none. Other threads keep what
          they assigned themselves.
        """
        before = self._counting()
        with registry_lock:
            self._wholly(lambda: self._initialize(lookup))
        del before

    def clear(self) -> None:
        """Have no base any more, and make this thread follow that."""
        self.initialize(None)

    def reset(self) -> None:
        """Make this thread follow the base again.

        Inside :meth:`using`, that holds until its end.
        """
        before = self._counting()
        with registry_lock:
            self._wholly(self._reset)
        del before

    @property
    def lookup(self) -> Any:
        """The lookup that counts here and now; ``None`` if there is none.

        Assigning sets it for this thread, until :meth:`reset`; inside
        :meth:`using` for this scope, until its end. A new thread starts with
        the base.
        """
        found = self._get()
        if found is _BASE:
            return self._base
        return found.lookup if type(found) is _Asked else found

    @lookup.setter
    def lookup(self, lookup: Any) -> None:
        before = self._counting()
        with registry_lock:
            self._not_only_the_base()
            if self._scoped.get() is not None:
                self._scope(_stored(lookup))
            else:
                self._remember_this_thread()
                self._assign(_stored(lookup))
        del before

    @contextmanager
    def preserved(self) -> Iterator[None]:
        """Put back, at the end of a ``with`` block, all that is held at its beginning.

        That is the base, what threads assigned, and what counts in this scope:
        for tests, whatever they do in between. Threads started in the block
        that still run follow the base again. Contexts keep what was set in them
        by a block of :meth:`using`; and threads what they assigned, if they
        have run since before ``gc.freeze()``.
        """
        base, scoped = self._base, self._scoped.get()
        last_scope = self._last_scope
        own: weakref.WeakKeyDictionary[_Own, Any] = weakref.WeakKeyDictionary()
        for values in self._values_of_threads():
            own[values[_OWN]] = values.get(self._key, _BASE)
        # Last, since the handler of a signal may have assigned what is put back.
        base_only = self._base_only
        try:
            yield
        except BaseException as error:
            self._tell(error)
            raise
        finally:
            replaced: list[Any] = [self._counting()]
            with registry_lock:
                try:
                    found = self._values_of_threads()
                    # Whatever scope was entered, a task or a thread may keep its context;
                    # and a thread that is not found keeps what it assigned.
                    self._base_only = (
                        base_only
                        and self._last_scope is last_scope
                        and len(found) == len(self._own)
                    )
                    if len(found) != len(self._own):
                        # The handler of a signal has assigned after they were counted.
                        self._base_only = False
                    self._set_base(base, _stored(base))
                    # Kept until no thread takes what is replaced for its lookup any more.
                    replaced += [
                        _put_back(values, self._key, own.get(values[_OWN], _BASE))
                        for values in found
                    ]
                    self._reassigned()
                    if self._scoped.get() is not scoped:
                        self._scope(scoped)
                except BaseException:
                    # Some thread may have a lookup of its own still, or another one.
                    self._not_only_the_base()
                    self._reassigned()
                    raise
            del replaced

    def using(self, lookup: Any) -> Using:
        """Make a lookup the implicit one within a ``with`` block.

        :param lookup: a lookup, or ``None`` for none.
        :return: a context manager, which gives the lookup; or a decorator, for
          a function each call of which is such a block.

        It holds for the running context (see :mod:`!contextvars`): in what is
        called from the block, in asyncio tasks and in ``asyncio.to_thread()``
        started there, but in no other thread or task. Blocks can be nested;
        each puts back what was before it, also after an exception.
        """
        return Using(self, lookup)

    def __reduce__(self) -> str:
        # By reference: another process has its own.
        return "implicit"

    def _counting(self) -> tuple[Any, Any]:
        """What counts for this thread, to be kept until nothing is held any more.

        What a lookup does as it dies may wait for another thread.
        """
        return self._base, self._get()

    def _wholly(self, change: Callable[[], object]) -> None:
        """Change what counts for this thread, or leave all of it as it was."""
        base, scoped = self._base, self._scoped.get()
        own = self._values_of_thread().get(self._key, _BASE)
        try:
            change()
        except BaseException:
            if self._base is not base:
                self._set_base(base, _stored(base))
            if own is not _BASE:
                self._assign(own)
            if scoped is not None:
                self._scope(scoped)
            raise

    def _initialize(self, lookup: Any) -> None:
        self._set_base(lookup, _stored(lookup))
        self._reset()

    def _reset(self) -> None:
        self._unassign()
        if self._scoped.get() is not None:
            self._scope(_BASE)

    def _remember_this_thread(self) -> None:
        # In front of what it assigns, to die before that.
        values = self._values_of_thread()
        if _OWN not in values:
            own = _Own()
            own.reassigned = self._reassigned
            self._own[id(own)] = own
            values[_OWN] = own

    def _values_of_threads(self) -> list[dict[Any, Any]]:
        """What each thread that lives, and has assigned a lookup, has of its own."""
        alive = [own for reference in self._own.valuerefs() if (own := reference()) is not None]
        if not alive:
            return []
        found = [
            each
            for each in gc.get_referrers(*alive)
            if type(each) is dict and any(each.get(_OWN) is own for own in alive)
        ]
        # What was there before gc.freeze() is not among the referrers. That of another
        # thread cannot be found then.
        here = self._values_of_thread()
        if _OWN in here and not any(each is here for each in found):
            found.append(here)
        return found

    @contextmanager
    def _observed(self, observer: Callable[[BaseException, Any], None]) -> Iterator[None]:
        """Watch how scopes are left, for tools that explain what failed.

        :param observer: is called with each exception that leaves a block of
          :meth:`using` or :meth:`preserved`, in any thread, and with the
          lookup that counted there.
        """
        before = self._observer
        self._observer = observer
        try:
            yield
        finally:
            self._observer = before

    def _tell(self, error: BaseException) -> None:
        if self._observer is not None:
            self._observer(error, self.lookup)

    def _set_base(self, lookup: Any, stored: Any) -> None:
        while True:
            self._base = lookup
            self._assign_base(stored)
            base_only = self._base_only
            self._everywhere = lookup if base_only and stored is lookup else None
            # Again if the handler of a signal has changed a part of it meanwhile.
            if self._base is lookup and self._base_only is base_only:
                break

    def _not_only_the_base(self) -> None:
        # From now on, warm calls have to find out which one counts.
        if self._base_only or self._everywhere is not None:
            with registry_lock:
                # In this order: a signal handler in between, which sets a base,
                # does no harm.
                self._base_only = False
                self._everywhere = None


def _stored(lookup: Any) -> Any:
    return lookup if is_plain(lookup) else _Asked(lookup)


def _put_back(values: dict[Any, Any], key: object, lookup: Any) -> Any:
    """Give a thread its lookup back, and return the one it has instead."""
    if values.get(key, _BASE) is lookup:
        return lookup
    replaced = values.pop(key, None)
    if lookup is not _BASE:
        # What the thread assigns in between stays.
        values.setdefault(key, lookup)
    return replaced


#: The only instance.
implicit = Implicit()
