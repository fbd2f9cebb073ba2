"""Chooses the fast path of calls: the one in C if it was built, unless ``REG_PURE_PYTHON=1``."""

from __future__ import annotations

import os

TYPE_CHECKING = False

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
    "compiled",
    "make_call",
]

#: whether the fast path is the one in C
compiled = False
#: why the one in C could not be imported; ``None`` if it was, or was not tried
failure: ImportError | None = None

if not TYPE_CHECKING and os.environ.get("REG_PURE_PYTHON") != "1":
    try:
        from ._fastcall_c import (
            CachedLookup,
            CallNext,
            CallTables,
            Deciding,
            Decision,
            Entries,
            ImplicitState,
            Plan,
            Step,
            make_call,
        )

        compiled = True
    except ImportError as error:
        # Without the frames, whose variables would live as long as the module.
        failure = error.with_traceback(None)

if not compiled:
    from ._fastcall_py import (
        CachedLookup,
        CallNext,
        CallTables,
        Deciding,
        Decision,
        Entries,
        ImplicitState,
        Plan,
        Step,
        make_call,
    )
