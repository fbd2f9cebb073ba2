"""Chooses how warm calls are made: in C if that was built, unless ``REG_PURE_PYTHON=1``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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

if TYPE_CHECKING or os.environ.get("REG_PURE_PYTHON") == "1":
    from ._pure import (
        CallTables,
        Constructing,
        Entries,
        ImplicitState,
        Remembering,
        make_call,
    )
else:
    try:
        from ._speedups import (
            CallTables,
            Constructing,
            Entries,
            ImplicitState,
            Remembering,
            make_call,
        )

        compiled = True
    except ImportError:
        from ._pure import (
            CallTables,
            Constructing,
            Entries,
            ImplicitState,
            Remembering,
            make_call,
        )
