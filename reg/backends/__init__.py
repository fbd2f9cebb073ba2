"""A host's functions and classes, run by installed backends.

This package needs ``pip install 'reg[backends]'``.
"""

from importlib.util import find_spec as _find_spec

for _needed in ("docstring_parser", "packaging"):
    if _find_spec(_needed) is None:
        raise ImportError(
            f"reg.backends needs the package {_needed}; install it with:"
            " pip install 'reg[backends]'",
            name=_needed,
        )

from .decision import BackendFallbackError  # noqa: E402
from .dispatch import DispatchedFunction  # noqa: E402
from .dispatcher import BackendDispatcher  # noqa: E402
from .explanation import Explanation  # noqa: E402
from .installed import Installed  # noqa: E402
from .records import Record  # noqa: E402
from .selection import BackendName  # noqa: E402
from .settings import Settings  # noqa: E402

__all__ = [
    "BackendDispatcher",
    "BackendFallbackError",
    "BackendName",
    "DispatchedFunction",
    "Explanation",
    "Installed",
    "Record",
    "Settings",
]
