"""Which names a backend may have, of those that it gives itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .backend import Backend
from .labels import WHAT_A_LABEL_IS, Labels, is_label, plain
from .trust import Trust

__all__ = ["Naming"]


class Naming:
    """The rules for the names of the backends of one host.

    :param labels: the names that are taken from the start.
    :param trust: the names that are kept for those whom the host trusts.
    """

    def __init__(self, labels: Labels, trust: Trust) -> None:
        self._labels = labels
        self._trust = trust

    def why_not(self, name: Any, taken: Mapping[str, Backend]) -> str | None:
        """Why a backend may not be called so; ``None`` if it may.

        :param taken: the backends there are, by name and alias.
        """
        if name is None:
            return "it has no name"
        if not is_label(name):
            return f"it cannot be called {name!a}; {WHAT_A_LABEL_IS}"
        reserved = self._labels.why_reserved(name)
        if reserved is not None:
            return f"its name {name!r} is reserved: {reserved}"
        trusted = self._trust.named(name)
        if trusted is not None and trusted.name != name:
            return f"its name {name!r} is an alias of the trusted backend {trusted.name!r}"
        alike = self._alike(name) if trusted is None else None
        if alike is not None:
            return f"its name {name!r} can be mistaken for {alike}"
        other = taken.get(name)
        if other is not None and other.name != name:
            return f"its name {name!r} is an alias of {other!r}"
        if other is not None:
            return f"its name {name!r} is taken by {other!r}"
        return None

    def aliases(
        self, backend: Backend, taken: Mapping[str, Backend], complaints: list[str]
    ) -> list[str]:
        """The aliases that a backend may have of those that it declares.

        :param complaints: gets what is wrong with the others.
        """
        declared = getattr(backend.source, "aliases", ())
        if isinstance(declared, (str, bytes)) or not isinstance(declared, Iterable):
            complaints.append(f"its aliases must be a list of strings, not {declared!r}")
            return []
        aliases: list[str] = []
        for each in declared:
            alias = plain(each)
            if alias == backend.name or alias in backend.aliases or alias in aliases:
                continue
            reason = self._why_no_alias(backend, alias, taken)
            if reason is None:
                aliases.append(alias)
            else:
                complaints.append(f"its alias {alias!a} is dropped: {reason}")
        return aliases

    def _why_no_alias(
        self, backend: Backend, alias: Any, taken: Mapping[str, Backend]
    ) -> str | None:
        if not is_label(alias):
            return WHAT_A_LABEL_IS
        reserved = self._labels.why_reserved(alias)
        if reserved is not None:
            return f"it is reserved: {reserved}"
        trusted = self._trust.named(alias)
        if trusted is not None and trusted.name != backend.name:
            return f"it belongs to the trusted backend {trusted.name!r}"
        alike = self._alike(alias, backend.name) if trusted is None else None
        if alike is not None:
            return f"it can be mistaken for {alike}"
        other = taken.get(alias)
        return None if other is None else f"it is taken by {other!r}"

    def _alike(self, name: str, owner: str | None = None) -> str | None:
        """A name that only its owner may use in another spelling."""
        reserved = self._labels.reserved_like(name)
        if reserved is not None:
            return f"{reserved!r}, which is reserved"
        known = self._trust.like(name)
        trusted = None if known is None else self._trust.named(known)
        if trusted is None or trusted.name == owner:
            return None
        return f"{known!r}, by which the trusted backend {trusted.name!r} is chosen"
