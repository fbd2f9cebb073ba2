"""Locks and forks."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading

__all__ = ["hold_while_forking"]


def hold_while_forking(lock: threading.RLock) -> None:
    """Have every fork wait for a lock, and begin without it.

    A child that is forked while another thread holds the lock would wait for
    it for ever: it does not have that thread.

    :param lock: one that lives as long as the process.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
