"""The declarations of a backend in the metadata of its distribution, known without an import.

Beside the group of a host, such as ``shapes.backends``, there are two more groups: in
``shapes.backends.functions`` an entry point ``turbo.area`` says that the entry point ``turbo``
implements ``area``; in ``shapes.backends.array_types``, ``turbo.Array`` says that it owns a class.
Python's own format and reader of entry points do for it, in any kind of installation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from .owned_classes import OwnedClasses

__all__ = ["FIELDS", "Declaration", "declarations_of"]

#: The groups of declarations, below the group of the host.
FIELDS = ("functions", "array_types")


class Declaration:
    """The functions that a backend implements, and the classes that it owns, as it declares them.

    These are words, not trusted code: they decide only which entry points are left alone.

    :param functions: by name, the object that implements it, as ``"package.module:name"``.
    :param array_types: the classes that it owns, likewise.
    """

    def __init__(self, functions: dict[str, str], array_types: tuple[str, ...]) -> None:
        self.functions = functions
        self.array_types = array_types
        self._owned = OwnedClasses("", array_types)

    @property
    def complaints(self) -> list[str]:
        """A line about each declared class that cannot be one."""
        return self._owned.complaints

    def may_answer(self, function: str, values: Collection[Any]) -> bool:
        """True if the backend may run a call by ``"auto"``; where nothing is declared, it may.

        :param function: the name of the host's function.
        :param values: the arguments that decide.
        """
        if self.functions and function not in self.functions:
            return False
        return not self._owned or self._owned.one_of(values)


def declarations_of(
    name: str, distribution: object, functions: Iterable[Any], array_types: Iterable[Any]
) -> Declaration | None:
    """Read the declarations of one entry point.

    :param name: the name of the entry point.
    :param distribution: its distribution: others cannot declare anything for it.
    :param functions: the entry points of the group of functions.
    :param array_types: those of the group of classes.
    :return: the declarations; ``None`` if there are none.
    """
    declared_functions, declared_types = (
        {
            point.name.rpartition(".")[2]: str(point.value).replace(" ", "")
            for point in points
            if point.name.rpartition(".")[0] == name and point.dist is distribution
        }
        for points in (functions, array_types)
    )
    if not declared_functions and not declared_types:
        return None
    return Declaration(declared_functions, tuple(declared_types.values()))
