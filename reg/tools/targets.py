"""Targets: objects named as ``package.module:name``, on the command line and in documents."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import sys
import traceback
from typing import Any

__all__ = ["TargetError", "describe_error", "import_target"]

# The number of existing names that an error lists.
_SHOWN = 8


class TargetError(Exception):
    """A target names nothing; the message gives the form or the names that exist."""


def import_target(target: str) -> Any:
    """Import the object that a target names.

    :param target: such as ``"package.module:name"``; the name may have dots.
    :return: the object of that name.
    :raises TargetError: if there is no such object. The message is one line.

    Output of the module during its import goes to the standard error, since
    the standard output may be data.
    """
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        example = ":".join(target.rpartition(".")[::2]) if "." in target.strip(".:") else ""
        hint = f", such as {example}" if example and not colon else ""
        raise TargetError(f"{target!r} names nothing; type package.module:name{hint}")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            value: Any = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"cannot import {module!r} ({describe_error(error)}{_place(error)}); modules are"
            " imported from the current directory, and from installed distributions"
        ) from error
    for attribute in name.split("."):
        try:
            value = getattr(value, attribute)
        except AttributeError:
            raise TargetError(
                f"{target!r} names nothing: there is no {attribute!r} among"
                f" {_names(value, attribute)}"
            ) from None
    return value


def describe_error(error: BaseException) -> str:
    """Describe an error in one line.

    :param error: the error.
    :return: its class and message.
    """
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")


def _place(error: BaseException) -> str:
    """The place where a module raised an error; empty if the import system did."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) or frames[-1].filename.startswith(("<frozen", __file__)):
        return ""
    if frames[-1].filename == importlib.__file__:
        return ""
    return f", at {frames[-1].filename}:{frames[-1].lineno}"


def _names(owner: Any, wanted: str) -> str:
    """The public names of an object, the most similar first; of many, the first few."""
    names = [name for name in dir(owner) if not name.startswith("_")]
    names.sort(key=lambda name: -difflib.SequenceMatcher(None, name, wanted).ratio())
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN]) or 'its names, of which it has none'}{more}"
