"""Usage errors of the command line, and the output that all commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["UsageError", "show", "such_as"]


class UsageError(Exception):
    """A command that cannot be run as it was typed; the message says how to type it."""


def such_as(target: str, value: object, is_wanted: Callable[[object], bool]) -> str:
    """Suggest another target.

    :param target: the target that was typed.
    :param value: the object that it names.
    :param is_wanted: whether an object is of the kind that is needed.
    :return: the end of a sentence with the name of such an object in ``value``,
      or beside it in its module; an empty string if there is none.
    """
    module = target.partition(":")[0]
    owners = [(f"{target}.", value), (f"{module}:", sys.modules.get(module))]
    for prefix, owner in owners:
        for name, attribute in getattr(owner, "__dict__", {}).items():
            if is_wanted(attribute) and not name.startswith("_"):
                return f", such as {prefix}{name}"
    return ""


def show(format: str | None, **makers: Callable[[], Any]) -> None:
    """Print a result in the format that was asked for.

    :param format: the name of a format; ``None`` for a table on a terminal, if
      rich is installed, and for text elsewhere.
    :param makers: for each format, a function that makes the result.
    :raises UsageError: if a table was asked for and rich is not installed.
    """
    if format == "table" or (format is None and "table" in makers and sys.stdout.isatty()):
        try:
            table = makers["table"]()
            from rich.console import Console
        except ImportError as error:
            if format is not None:
                raise UsageError(f"{error}; or type --format text") from error
        else:
            Console().print(table)
            return
    result = makers[format or "text"]()
    print(result if isinstance(result, str) else json.dumps(result, indent=2))
