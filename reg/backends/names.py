"""The names of backends: their form, those that are taken, and who may use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from packaging.utils import canonicalize_name

__all__ = [
    "AUTO",
    "HOST",
    "NAME_RULE",
    "NameRules",
    "ReservedNames",
    "exact_str",
    "is_name",
    "normalized",
]

#: The host's own code.
HOST: Final = "cpu"
#: The backend that owns the class of an argument.
AUTO: Final = "auto"

_ALWAYS_RESERVED: Final = {
    HOST: "it means the host's own code",
    AUTO: "it means the backend that owns the class of an argument",
}
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_LONGEST = 128

NAME_RULE: Final = (
    f"a name has 1 to {_LONGEST} ASCII characters, begins with a letter or digit, goes on with"
    ' letters, digits, ".", "_" and "-", and does not end in "." or "-"'
)


def is_name(value: object) -> bool:
    """True if a value can be the name or alias of a backend."""
    return isinstance(value, str) and len(value) <= _LONGEST and _NAME.fullmatch(value) is not None


def exact_str(value: Any) -> Any:
    """Convert an instance of a subclass of ``str`` to ``str``; return other values as they are.

    The methods of a subclass can answer one thing in a check and another thing later.
    """
    return str.__str__(value) if issubclass(type(value), str) else value


def normalized(name: str) -> str:
    """Normalize a name for comparison: after PEP 503 if it is ASCII, else unchanged.

    Lower case turns some other characters into ASCII: the Kelvin sign is not the letter k.
    """
    return str(canonicalize_name(name)) if name.isascii() else name


class ReservedNames:
    """The names that no backend of a host may have.

    :param host: the name of the host, for errors.
    :param reserved: reasons by name, as the host gave them; copied.
    :raises ValueError: if it is not a mapping of names to reasons.
    """

    def __init__(self, host: str, reserved: Mapping[str, str] | None) -> None:
        self.host = host
        self._reasons = dict(_ALWAYS_RESERVED)
        if reserved is not None and not isinstance(reserved, Mapping):
            raise ValueError(f"reserved_backends must be a mapping by name; got {reserved!r}")
        for given, reason in (reserved or {}).items():
            name = exact_str(given)
            if not is_name(name):
                raise ValueError(f"reserved_backends: {name!r} cannot be a name; {NAME_RULE}")
            if name in _ALWAYS_RESERVED:
                raise ValueError(f"reserved_backends: {name!r} is taken: {_ALWAYS_RESERVED[name]}")
            if not isinstance(reason, str) or not reason.strip():
                raise ValueError(
                    f"reserved_backends: {name!r} needs a reason, which is shown to users who ask"
                    f" for it; got {reason!r}"
                )
            self._reasons[name] = exact_str(reason)
        self._by_spelling: dict[str, str] = {}
        for name in self._reasons:
            self._by_spelling.setdefault(normalized(name), name)

    def reason(self, name: str) -> str | None:
        """Why no backend may have a name; ``None`` if the name is free."""
        return self._reasons.get(name)

    def confusable_with(self, name: str) -> str | None:
        """The reserved name that differs from a name in its spelling only, if there is one."""
        return self._by_spelling.get(normalized(name))


class _Named(Protocol):
    name: str


class NameRules:
    """The rules for the names that backends give themselves.

    :param reserved: the names that no backend may have.
    :param owners: by each name or alias of a trusted backend, the name of that backend.
    """

    def __init__(self, reserved: ReservedNames, owners: Mapping[str, str]) -> None:
        self._reserved = reserved
        self._owners = owners
        self._by_spelling: dict[str, str] = {}
        for name in owners:
            self._by_spelling.setdefault(normalized(name), name)

    def rejection_reason(self, name: Any, taken: Mapping[str, _Named]) -> str | None:
        """Why a backend cannot be called so.

        :param name: the name that the backend gives itself.
        :param taken: the registered backends by name and alias.
        :return: the reason; ``None`` if the name can be used.
        """
        if name is None:
            return "it has no name"
        if not is_name(name):
            return f"it cannot be called {name!a}; {NAME_RULE}"
        reserved = self._reserved.reason(name)
        if reserved is not None:
            return f"its name {name!r} is reserved: {reserved}"
        owner = self._owners.get(name)
        if owner is not None and owner != name:
            return f"its name {name!r} is an alias of the trusted backend {owner!r}"
        confusable = self._confusable_with(name) if owner is None else None
        if confusable is not None:
            return f"its name {name!r} can be mistaken for {confusable}"
        other = taken.get(name)
        if other is None:
            return None
        how = "taken by" if other.name == name else "an alias of"
        return f"its name {name!r} is {how} {other!r}"

    def usable_aliases(
        self, name: str, configured: Iterable[str], declared: Any, taken: Mapping[str, _Named]
    ) -> tuple[list[str], list[str]]:
        """Choose the aliases of a backend.

        :param name: the name of the backend.
        :param configured: the aliases that the host gives it.
        :param declared: the aliases that it declares.
        :param taken: the registered backends by name and alias.
        :return: its aliases, the configured ones first; and a complaint about each other one.
        """
        aliases = list(configured)
        if isinstance(declared, (str, bytes)) or not isinstance(declared, Iterable):
            return aliases, [f"its aliases must be a list of strings, not {declared!r}"]
        complaints = []
        for given in declared:
            alias = exact_str(given)
            if alias == name or alias in aliases:
                continue
            reason = self._alias_rejection_reason(name, alias, taken)
            if reason is None:
                aliases.append(alias)
            else:
                complaints.append(f"its alias {alias!a} is dropped: {reason}")
        return aliases, complaints

    def _alias_rejection_reason(
        self, name: str, alias: Any, taken: Mapping[str, _Named]
    ) -> str | None:
        if not is_name(alias):
            return NAME_RULE
        reserved = self._reserved.reason(alias)
        if reserved is not None:
            return f"it is reserved: {reserved}"
        owner = self._owners.get(alias)
        if owner is not None and owner != name:
            return f"it belongs to the trusted backend {owner!r}"
        confusable = self._confusable_with(alias, name) if owner is None else None
        if confusable is not None:
            return f"it can be mistaken for {confusable}"
        other = taken.get(alias)
        return None if other is None else f"it is taken by {other!r}"

    def _confusable_with(self, name: str, backend: str | None = None) -> str | None:
        """The taken name that differs in spelling only, unless it belongs to ``backend``."""
        reserved = self._reserved.confusable_with(name)
        if reserved is not None:
            return f"{reserved!r}, which is reserved"
        known = self._by_spelling.get(normalized(name))
        if known is None or self._owners[known] == backend:
            return None
        return f"{known!r}, by which the trusted backend {self._owners[known]!r} is chosen"
