"""Reads signatures whose annotations may name what is not there yet."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from typing import Any


def signature_with_deferred(callable: Any, **options: Any) -> inspect.Signature:
    """Like ``inspect.signature()``; what an annotation cannot find is a ``ForwardRef``."""
    import inspect

    if sys.version_info >= (3, 14):
        import annotationlib

        options.setdefault("annotation_format", annotationlib.Format.FORWARDREF)
    return inspect.signature(callable, **options)
