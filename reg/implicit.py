"""The lookup behind every call of a generic function that is given none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
            self._base = lookup
            self._assign_base(stored)
            self._everywhere = lookup if self._base_only and stored is lookup else None
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

    @contextmanager
    def using(self, lookup: Any) -> Iterator[Any]:
        """Make a lookup the implicit one within a ``with`` block.

        :param lookup: a lookup, or ``None`` for none.
        :return: a context manager, which gives the lookup.

        It holds for the running context (see :mod:`contextvars`): in what is
        called from the block, in asyncio tasks and in ``asyncio.to_thread()``
        started there, but in no other thread or task. Blocks can be nested;
        each puts back what was before it, also after an exception.
        """
        self._not_only_the_base()
        token = self._scope(_stored(lookup))
        try:
            yield lookup
        finally:
            self._scoped.reset(token)

    def _not_only_the_base(self) -> None:
        # From now on, warm calls have to find out which one counts.
        if self._base_only:
            with self._deciding:
                self._base_only = False
                self._everywhere = None


def _stored(lookup: Any) -> Any:
    return lookup if is_plain(lookup) else _Asked(lookup)


#: The only instance.
implicit = Implicit()
