"""The result of :func:`reg.arginfo`."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["ArgumentInfo"]


class ArgumentInfo(NamedTuple):
    """The result of :func:`reg.arginfo`, a named tuple.

    :param args: the names of the positional parameters, in order.
    :param varargs: the name of the ``*`` parameter, or ``None``.
    :param keywords: the name of the ``**`` parameter, or ``None``.
    :param defaults: the defaults of the last positional parameters, or ``None`` if none of them
      has one.

    The four fields are those of the ``ArgSpec`` that ``inspect`` once had. Keyword-only parameters
    are in none of them.
    """

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


# Under its public name, which pickles refer to.
ArgumentInfo.__module__ = "reg.arginfo"
