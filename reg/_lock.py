"""The lock that every change holds: of a registry, of a composition, of the implicit lookup.

One lock for the whole package. A signal handler that registers something in the middle of
another change takes the same reentrant lock again, and so never waits for a thread that waits
for it. Readers take no lock.
"""

from __future__ import annotations

import os
import sys
import threading
from _thread import RLock as _RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["ReentrantLock", "registry_lock"]

#: The class of all locks that a ``with`` statement holds.
ReentrantLock = threading.RLock

if not TYPE_CHECKING and sys.version_info[:2] == (3, 14) and isinstance(ReentrantLock(), _RLock):

    class ReentrantLock(_RLock):
        """A lock that a ``with`` statement releases even if a signal handler raises.

        Python 3.14 handles signals between the call of ``__enter__`` and the protected
        block (python/cpython#148874). A call of a method in Python is not followed by
        that check. ``__exit__`` stays the one in C, which nothing can interrupt.
        """

        def __enter__(self) -> bool:
            before = self._recursion_count()
            try:
                return self.acquire()
            except BaseException:
                if self._is_owned() and self._recursion_count() > before:
                    self.release()
                raise


registry_lock: Final = ReentrantLock()

if hasattr(os, "register_at_fork"):
    # A child process must not inherit the lock from a thread that it does not have.
    os.register_at_fork(
        before=registry_lock.acquire,
        after_in_parent=registry_lock.release,
        after_in_child=registry_lock.release,
    )
