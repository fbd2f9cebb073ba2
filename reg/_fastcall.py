"""Chooses how warm calls are made: in C if that was built, unless ``REG_PURE_PYTHON=1``."""

from __future__ import annotations

import os

TYPE_CHECKING = False

__all__ = [
    "CallTables",
    "Constructing",
    "Entries",
    "ImplicitState",
    "Remembering",
    "compiled",
    "make_call",
]

#: whether the warm call is the one in C
compiled = False

if not TYPE_CHECKING and os.environ.get("REG_PURE_PYTHON") != "1":
    try:
        from ._fastcall_c import (
            CallTables,
            Constructing,
            Entries,
            ImplicitState,
            Remembering,
            make_call,
        )

        compiled = True
    except ImportError:
        pass

if not compiled:
    from ._fastcall_py import (
        CallTables,
        Constructing,
        Entries,
        ImplicitState,
        Remembering,
        make_call,
    )
