"""Markers that no value of a caller can be confused with; the idea is that of :pep:`661`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["MISSING", "UNDECIDED", "Sentinel"]


class Sentinel:
    """A named marker, compared by identity.

    :param name: the variable it is assigned to; ``repr()`` shows it in angle brackets.

    A copy or a deep copy of a sentinel is the sentinel itself, since its identity is all it has.
    It pickles by reference, to the variable of its name in the module that made it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.__module__ = sys._getframe(1).f_globals.get("__name__", __name__)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __reduce__(self) -> str:
        return self.name

    def __copy__(self) -> Sentinel:
        return self

    def __deepcopy__(self, memo: object) -> Sentinel:
        return self


#: Stands for "not given" wherever ``None`` is a value like any other.
MISSING: Final = Sentinel("MISSING")

#: The first component of a plan in which a matcher comes first.
UNDECIDED: Final = Sentinel("UNDECIDED")
