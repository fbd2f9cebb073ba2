"""Warnings that point at the caller's line, also those that come up under a lock."""

from __future__ import annotations

import sys
import warnings

__all__ = ["describe_error", "issue_warnings", "warn_caller"]

# Modules that are skipped, besides this package, when the caller's frame is looked for.
_SKIPPED = ("contextlib", "functools")


def warn_caller(message: str) -> None:
    """Warn at the line that called into this package.

    :param message: the text of the warning.
    :raises Warning: the warning itself, where the filters turn it into an error.
    """
    depth = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_skipped(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        depth += 1
    warnings.warn(message, stacklevel=depth)


def _is_skipped(module: str) -> bool:
    package = __name__.rpartition(".")[0]
    return module == package or module.startswith(f"{package}.") or module in _SKIPPED


def describe_error(error: BaseException) -> str:
    """The type of an exception and its message, unless the message itself raises."""
    name = type.__dict__["__name__"].__get__(type(error))
    try:
        return f"{name}: {error}"
    except Exception:
        return f"{name}, whose message cannot be had"


def issue_warnings(messages: list[str]) -> None:
    """Issue warnings that were collected while something was under way.

    With warnings as errors, one that was raised at once would have left the rest undone.

    :param messages: the texts of the warnings.
    :raises Warning: the first that the filters turn into an error, after all were issued.
    """
    raised: list[Warning] = []
    for message in messages:
        try:
            warn_caller(message)
        except Warning as error:
            raised.append(error)
    if raised:
        raise raised[0]
