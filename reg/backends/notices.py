"""Warnings that point at the caller's line, also those that come up behind a lock."""

from __future__ import annotations

import sys
import warnings

__all__ = ["Notices", "told", "warn_caller"]

# What stands between the caller and the reason to warn.
_BETWEEN = ("contextlib", "functools")


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, with the line that called into this package as the place.

    :raises Warning: the warning itself, where the filters turn it into an error.
    """
    depth = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_between(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        depth += 1
    warnings.warn(message, category, stacklevel=depth)


def _is_between(module: str) -> bool:
    package = __name__.rpartition(".")[0]
    return module == package or module.startswith(f"{package}.") or module in _BETWEEN


def told(error: BaseException) -> str:
    """The type of an exception and its message, if it has one that can be had."""
    name = type.__dict__["__name__"].__get__(type(error))
    try:
        return f"{name}: {error}"
    except Exception:
        return f"{name}, whose message cannot be had"


class Notices:
    """Warnings that wait until what they came up in is complete.

    With warnings as errors, one that was raised at once would leave the rest
    undone.
    """

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def add(self, message: str) -> None:
        """Have a warning issued later."""
        self._waiting.append(message)

    def issue(self) -> None:
        """Issue all of them.

        :raises Warning: the first that the filters turn into an error, after
          the others have been issued too.
        """
        raised: list[Warning] = []
        while self._waiting:
            try:
                warn_caller(self._waiting.pop(0))
            except Warning as error:
                raised.append(error)
        if raised:
            raise raised[0]
