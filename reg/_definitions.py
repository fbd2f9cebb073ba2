"""The place in a file that a component comes from."""

from __future__ import annotations

import sys
import types

from .arginfo import wrapped_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["definition_of", "file_and_line"]


def definition_of(component: Any) -> tuple[str, int] | None:
    """Find the file and line where a function is defined.

    :param component: any component.
    :return: ``None`` if it is not a function.
    """
    function = component
    while (inner := wrapped_by(function)) is not None:
        function = inner
    function = getattr(function, "__func__", function)
    if isinstance(function, types.FunctionType):
        return function.__code__.co_filename, function.__code__.co_firstlineno
    return None


def file_and_line(component: Any) -> tuple[str, int]:
    """Find where a function is defined, or else where it is being registered."""
    if (defined := definition_of(component)) is not None:
        return defined
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
