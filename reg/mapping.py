"""A dictionary by class that finds the values of base classes.

Older frameworks import these two names. In new code, register under a key in a
:class:`reg.ClassRegistry`, which does the same for any number of classes.
"""

from __future__ import annotations

from typing import Any

from ._mro import mro_of

__all__ = ["ClassMapKey", "Map"]


class ClassMapKey:
    """A class as a key of a :class:`Map`; equal to another for the same class.

    :param key: the class.
    """

    __slots__ = ("key",)

    def __init__(self, key: type) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClassMapKey) and self.key is other.key

    def __hash__(self) -> int:
        return object.__hash__(self.key)

    def __repr__(self) -> str:
        return f"<ClassMapKey: {self.key!r}>"


class Map(dict[ClassMapKey, Any]):
    """A dictionary by class; a value counts for the subclasses of its key as well.

    Only reading by key and :meth:`get` consider base classes; all other methods are those of a
    dictionary.
    """

    def __getitem__(self, key: ClassMapKey) -> Any:
        """Get the value of the class, or of the first class in its MRO with a value.

        :param key: the class.
        :raises KeyError: without such a class.
        """
        for cls in mro_of(key.key):
            base = ClassMapKey(cls)
            if base in self:
                return super().__getitem__(base)
        raise KeyError(key)

    def get(self, key: ClassMapKey, default: Any = None) -> Any:
        """Get the value as by ``[key]``.

        :param key: the class.
        :param default: returned if no class in the MRO has a value.
        :return: the value of the class, or of the first of its bases that has one.
        """
        try:
            return self[key]
        except KeyError:
            return default
