"""What is named as ``package.module:name``, on the command line and in documents."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import sys
import traceback
from typing import Any

__all__ = ["TargetError", "imported", "one_line"]

# So many of the names that there are instead are listed.
_SHOWN = 8


class TargetError(Exception):
    """A target names nothing; the message says what to write instead."""


def imported(target: str) -> Any:
    """Import what a target names.

    :param target: such as ``"package.module:name"``; behind the colon there may
      be dots as well.
    :return: the object of that name.
    :raises TargetError: if there is none. The message is one line.

    What a module prints while it is imported goes to the standard error: the
    standard output may be data.
    """
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        example = ":".join(target.rpartition(".")[::2]) if "." in target.strip(".:") else ""
        hint = f", such as {example}" if example and not colon else ""
        raise TargetError(f"{target!r} names nothing; type package.module:name{hint}")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            found: Any = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"cannot import {module!r} ({one_line(error)}{_place(error)}); modules are imported"
            " from the current directory, and of what is installed"
        ) from error
    for attribute in name.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise TargetError(
                f"{target!r} names nothing: there is no {attribute!r} among"
                f" {_names(found, attribute)}"
            ) from None
    return found


def one_line(error: BaseException) -> str:
    """Say in one line what was raised."""
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")


def _place(error: BaseException) -> str:
    """Where a module raised an error, unless it was import itself that did."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) or frames[-1].filename.startswith(("<frozen", __file__)):
        return ""
    if frames[-1].filename == importlib.__file__:
        return ""
    return f", at {frames[-1].filename}:{frames[-1].lineno}"


def _names(owner: Any, wanted: str) -> str:
    """The names that something has, the most similar first; not all, if they are many."""
    names = [each for each in dir(owner) if not each.startswith("_")]
    names.sort(key=lambda each: -difflib.SequenceMatcher(None, each, wanted).ratio())
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN]) or 'its names, of which there are none'}{more}"
