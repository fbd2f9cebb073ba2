"""What ran, put on record."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Record"]


class Record(NamedTuple):
    """One call of a function, or one construction of a class, that dispatches to backends."""

    #: the name that backends export their implementations under
    function: str
    #: the canonical name of the backend that ran it, ``"cpu"`` for the host itself
    backend: str
    #: the distribution that the backend came from; ``None`` for the host itself
    distribution: str | None
    #: the version of that
    version: str | None
    #: why this backend, or why not another
    reason: str

    def __str__(self) -> str:
        version = "" if self.version is None else f" {self.version}"
        origin = "" if self.distribution is None else f" ({self.distribution}{version})"
        return f"{self.function}: {self.backend}{origin}: {self.reason}"
