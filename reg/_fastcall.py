"""Chooses the fast path of calls: the one in C if it was built, unless ``REG_PURE_PYTHON=1``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

__all__ = [
    "CachedLookup",
    "CallNext",
    "CallTables",
    "Entries",
    "ImplicitState",
    "Plan",
    "Step",
    "compiled",
    "make_call",
]

#: whether the fast path is the one in C
compiled = False

if not TYPE_CHECKING and os.environ.get("REG_PURE_PYTHON") != "1":
    try:
        from ._fastcall_c import (
            CachedLookup,
            CallNext,
            CallTables,
            Entries,
            ImplicitState,
            Plan,
            Step,
            make_call,
        )

        compiled = True
    except ImportError:
        pass

if not compiled:
    from ._fastcall_py import (
        CachedLookup,
        CallNext,
        CallTables,
        Entries,
        ImplicitState,
        Plan,
        Step,
        make_call,
    )
