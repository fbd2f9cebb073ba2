"""Running the functions and classes of a host library on installed backends.

This package needs ``pip install 'reg-dispatch[backends]'``.
"""

from importlib.util import find_spec as _find_spec

for _requirement in ("docstring_parser", "packaging"):
    if _find_spec(_requirement) is None:
        raise ImportError(
            f"reg.backends needs the package {_requirement}; install it with:"
            " pip install 'reg-dispatch[backends]'",
            name=_requirement,
        )

from .arguments import BackendFallbackError  # noqa: E402
from .dispatcher import BackendDispatcher  # noqa: E402
from .function_type import DispatchedFunction  # noqa: E402
from .implementations import Implementations, Verified  # noqa: E402
from .reports import Explanation, Installed, Record  # noqa: E402
from .settings import Settings  # noqa: E402
from .state import BackendName  # noqa: E402

__all__ = [
    "BackendDispatcher",
    "BackendFallbackError",
    "BackendName",
    "DispatchedFunction",
    "Explanation",
    "Implementations",
    "Installed",
    "Record",
    "Settings",
    "Verified",
]
