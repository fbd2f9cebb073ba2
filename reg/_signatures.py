"""Signatures whose annotations may name a class that is not defined yet."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["signature_with_deferred", "takes"]


def signature_with_deferred(callable: Any, **options: Any) -> inspect.Signature:
    """Call ``inspect.signature()``; an annotation that cannot be evaluated is a ``ForwardRef``.

    Python evaluates annotations when they are read, from 3.14 on.

    :param callable: as for ``inspect.signature()``.
    :param options: as for ``inspect.signature()``.
    :return: the signature.
    :raises TypeError: if it cannot be called.
    :raises ValueError: if it has no signature, as some built-in functions.
    """
    if sys.version_info >= (3, 14):
        import annotationlib

        options.setdefault("annotation_format", annotationlib.Format.FORWARDREF)
    return inspect.signature(callable, **options)


def takes(function: Callable[..., Any], count: int) -> bool:
    """Return whether a function can be called with so many positional arguments."""
    try:
        signature_with_deferred(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        # A built-in function without a signature.
        return True
    return True
