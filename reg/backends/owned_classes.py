"""The classes of arguments that a backend lists, since it owns or converts them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reg import ClassRegistry, Lookup, RegistrationError, generic

__all__ = ["OwnedClasses"]


@generic
def is_listed(argument: object) -> bool:
    """True for an argument whose class, or a base of it, is registered as listed."""
    return False


def _yes(argument: object) -> bool:
    return True


class OwnedClasses:
    """Classes that one backend lists, in a class lookup of the core.

    :param backend: the name of the backend.
    :param classes: classes, or names such as ``"package.module:Class"``, for which nothing is
      imported.
    :param attribute: the attribute of the backend that lists them, for complaints.
    """

    def __init__(self, backend: str, classes: Any, attribute: str = "array_types") -> None:
        #: a line about each declaration that cannot be used, and is left out
        self.complaints: list[str] = []
        self._lookup: Lookup | None = None
        if isinstance(classes, str) or not isinstance(classes, Iterable):
            self.complaints.append(
                f"its {attribute} must be a list of classes or names, not {classes!r}"
            )
            return
        registry = ClassRegistry(name=f"{attribute} of {backend}")
        for cls in list(classes):
            try:
                registry.register(is_listed, [cls], _yes)
            except (TypeError, RegistrationError) as error:
                self.complaints.append(f"{cls!r} in its {attribute} is no class: {error}")
        if registry.registrations():
            self._lookup = Lookup(registry)

    def __bool__(self) -> bool:
        """True if there are any."""
        return self._lookup is not None

    def one_of(self, values: Iterable[Any]) -> bool:
        """True if the class of one of several arguments, or a base of it, is listed."""
        lookup = self._lookup
        if lookup is None:
            return False
        for value in values:  # noqa: SIM110 (a generator takes twice as long)
            if is_listed(value, lookup=lookup):
                return True
        return False

    def among(self, arguments: dict[Any, Any]) -> list[Any]:
        """Find the arguments of a call whose class is listed.

        :param arguments: the arguments by name.
        :return: their names, in the order of the arguments.
        """
        lookup = self._lookup
        if lookup is None:
            return []
        return [name for name, value in arguments.items() if is_listed(value, lookup=lookup)]
