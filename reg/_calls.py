"""Chooses how warm calls are made: in C if that was built, unless ``REG_PURE_PYTHON=1``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

__all__ = [
    "CallTables",
    "Entries",
    "ImplicitState",
    "Remembering",
    "compiled",
    "make_call",
    "new_instance",
]

#: whether the warm call is the one in C
compiled = False

if TYPE_CHECKING or os.environ.get("REG_PURE_PYTHON") == "1":
    from ._pure import CallTables, Entries, ImplicitState, Remembering, make_call, new_instance
else:
    try:
        from ._speedups import (
            CallTables,
            Entries,
            ImplicitState,
            Remembering,
            make_call,
            new_instance,
        )

        compiled = True
    except ImportError:
        from ._pure import CallTables, Entries, ImplicitState, Remembering, make_call, new_instance
