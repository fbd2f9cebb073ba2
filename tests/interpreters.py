"""In which ways interpreters differ, for tests that depend on it."""

from __future__ import annotations

import sys

#: Whether a new thread starts in a copy of its parent's context: by default in free-threaded
#: builds since Python 3.14, and with ``-X thread_inherit_context=1``.
THREADS_INHERIT_CONTEXT = bool(getattr(sys.flags, "thread_inherit_context", False))
