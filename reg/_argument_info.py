"""The result of :func:`reg.arginfo`."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["ArgumentInfo"]


class ArgumentInfo(NamedTuple):
    """The result of :func:`reg.arginfo`, a named tuple.

    The four fields are those of the ``ArgSpec`` that ``inspect`` once had. Keyword-only parameters
    are in none of them.
    """

    #: names of the positional parameters, in order
    args: list[str]
    #: name of the ``*`` parameter, or ``None``
    varargs: str | None
    #: name of the ``**`` parameter, or ``None``
    keywords: str | None
    #: defaults of the last positional parameters, or ``None`` if none of them has one
    defaults: tuple[Any, ...] | None


# Under its public name, which pickles refer to.
ArgumentInfo.__module__ = "reg.arginfo"
