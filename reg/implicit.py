"""The lookup behind every call of a generic function that is given none."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from ._calls import ImplicitState
from .lookup import Lookup, is_plain

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
    """What one thread assigned; it lives as long as the thread does."""

    def __init__(self, values: dict[Any, Any], key: object) -> None:
        self._values = values
        self._key = key

    def lookup(self) -> Any:
        return self._values.get(self._key, _BASE)

    def put_back(self, lookup: Any) -> None:
        if lookup is _BASE:
            self._values.pop(self._key, None)
        else:
            self._values[self._key] = lookup


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
        # Held to change these two, so that none of them is decided by what the
        # other was before.
        self._deciding = threading.RLock()
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
        stored = _stored(lookup)
        with self._deciding:
            before = self._base
            try:
                self._set_base(lookup, stored)
            except BaseException:
                self._set_base(before, _stored(before))
                raise
        self.reset()

    def clear(self) -> None:
        """Have no base any more, and make this thread follow that."""
        self.initialize(None)

    def reset(self) -> None:
        """Make this thread follow the base again.

        Inside :meth:`using`, that holds until its end.
        """
        self._unassign()
        if self._scoped.get() is not None:
            self._scope(_BASE)

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
        self._not_only_the_base()
        if self._scoped.get() is not None:
            self._scope(_stored(lookup))
        else:
            self._assign(_stored(lookup))
            self._remember_this_thread()

    @contextmanager
    def preserved(self) -> Iterator[None]:
        """Put back, at the end of a ``with`` block, all that is held at its beginning.

        That is the base, what threads assigned, and what counts in this scope:
        for tests, whatever they do in between. Threads started in the block
        that still run follow the base again.
        """
        base, scoped = self._base, self._scoped.get()
        flags = self._everywhere, self._base_only
        own = {identity: each.lookup() for identity, each in self._own.items()}
        try:
            yield
        except BaseException as error:
            self._tell(error)
            raise
        finally:
            with self._deciding:
                self._base = base
                self._assign_base(_stored(base))
                for identity, each in list(self._own.items()):
                    each.put_back(own.get(identity, _BASE))
                self._reassigned()
                self._scope(scoped)
                self._everywhere, self._base_only = flags

    def _remember_this_thread(self) -> None:
        values = self._values_of_thread()
        if _OWN not in values:
            values[_OWN] = own = _Own(values, self._key)
            self._own[id(own)] = own

    @contextmanager
    def using(self, lookup: Any) -> Iterator[Any]:
        """Make a lookup the implicit one within a ``with`` block.

        :param lookup: a lookup, or ``None`` for none.
        :return: a context manager, which gives the lookup.

        It holds for the running context (see :mod:`!contextvars`): in what is
        called from the block, in asyncio tasks and in ``asyncio.to_thread()``
        started there, but in no other thread or task. Blocks can be nested;
        each puts back what was before it, also after an exception.
        """
        self._not_only_the_base()
        stored, before, token = _stored(lookup), self._scoped.get(), None
        try:
            token = self._scope(stored)
            yield lookup
        except BaseException as error:
            self._tell(error)
            raise
        finally:
            if token is None:
                # Interrupted when it may have been set already.
                self._scope(before)
            else:
                self._scoped.reset(token)

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
        self._base = lookup
        self._assign_base(stored)
        self._everywhere = lookup if self._base_only and stored is lookup else None

    def _not_only_the_base(self) -> None:
        # From now on, warm calls have to find out which one counts.
        if self._base_only:
            with self._deciding:
                # In this order: an interruption in between does no harm.
                self._everywhere = None
                self._base_only = False


def _stored(lookup: Any) -> Any:
    return lookup if is_plain(lookup) else _Asked(lookup)


#: The only instance.
implicit = Implicit()

if hasattr(os, "register_at_fork"):
    # A child must not inherit the lock from a thread that it does not have.
    os.register_at_fork(
        before=implicit._deciding.acquire,
        after_in_parent=implicit._deciding.release,
        after_in_child=implicit._deciding.release,
    )
