"""What a backend may be called, and which names are taken from the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from packaging.utils import canonicalize_name

__all__ = ["AUTO", "HOST", "Labels", "is_label", "normalized", "plain"]

#: The host's own code.
HOST: Final = "cpu"
#: Whatever backend owns the class of an argument.
AUTO: Final = "auto"

_RESERVED: Final = {
    HOST: "it means the host's own code",
    AUTO: "it means the backend that owns the class of an argument",
}
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_LONGEST = 128

WHAT_A_LABEL_IS: Final = (
    f"a name has 1 to {_LONGEST} ASCII characters, begins with a letter or digit, goes on with"
    ' letters, digits, ".", "_" and "-", and does not end in "." or "-"'
)


def is_label(value: object) -> bool:
    """Tell whether something may be the name or alias of a backend."""
    return isinstance(value, str) and len(value) <= _LONGEST and _LABEL.fullmatch(value) is not None


def plain(value: Any) -> Any:
    """Make a string proper of an instance of a subclass; anything else stays what it is.

    A subclass may say one thing when it is checked and another when it is kept.
    """
    return str.__str__(value) if issubclass(type(value), str) else value


def normalized(name: str) -> str:
    """A name as it is compared with others: after PEP 503, if it is ASCII.

    Otherwise it is like itself alone. Lower case makes ASCII of some other
    characters: the Kelvin sign is not the letter k.
    """
    return str(canonicalize_name(name)) if name.isascii() else name


class Labels:
    """The names that no backend of a host may have.

    :param host: the name of the host, for the errors.
    :param reserved: reasons by name, as the host gave them; copied.
    :raises ValueError: if that is no mapping of names to reasons.
    """

    def __init__(self, host: str, reserved: Mapping[str, str] | None) -> None:
        self.host = host
        self.reserved: dict[str, str] = {}
        for each, reason in _mapping("reserved_backends", reserved).items():
            name = plain(each)
            if not is_label(name):
                raise ValueError(f"reserved_backends: {name!r} is no name; {WHAT_A_LABEL_IS}")
            if name in _RESERVED:
                raise ValueError(f"reserved_backends: {name!r} is taken: {_RESERVED[name]}")
            if not isinstance(reason, str) or not reason.strip():
                raise ValueError(
                    f"reserved_backends: {name!r} needs a reason, which those are told who ask"
                    f" for it; got {reason!r}"
                )
            self.reserved[name] = plain(reason)

    def why_reserved(self, label: str) -> str | None:
        """Why no backend may have this name; ``None`` if one may."""
        return _RESERVED.get(label) or self.reserved.get(label)

    def reserved_like(self, label: str) -> str | None:
        """The reserved name that is this one but for its spelling."""
        wanted = normalized(label)
        names = (*_RESERVED, *self.reserved)
        return next((name for name in names if normalized(name) == wanted), None)


def _mapping(argument: str, value: Any) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{argument} must be a mapping by name; got {value!r}")
    return value
