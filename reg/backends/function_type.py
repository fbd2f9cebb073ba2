"""The type of a host's function that dispatches to backends, for type checkers."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from .state import BackendName

__all__ = ["DispatchedFunction"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R", covariant=True)
_A = TypeVar("_A")
_B = TypeVar("_B")


class DispatchedFunction(Protocol[_P, _R]):
    """The type of a function under ``@backend_dispatch``: it has one more keyword argument.

    Types can express that one besides the others only by naming the first two
    arguments; with ``backend`` or ``strict``, those that follow are not
    checked, since some may be for a backend alone. They know ``backend`` by
    this name only, although a host can choose another keyword.
    """

    # A protocol has no attribute that it does not declare.
    __name__: str
    __qualname__: str

    @property
    def __wrapped__(self) -> Callable[_P, _R]:
        """The host's own function."""
        ...

    @property
    def backends(self) -> Set[str]:
        """The names of the installed backends that implement it; reading them loads all."""
        ...

    # It is a key; mypy would not take it for hashable otherwise.
    def __hash__(self) -> int: ...

    @overload
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...

    @overload
    def __call__(
        self, /, *, backend: BackendName | None, strict: bool = ..., **kwargs: Any
    ) -> _R: ...

    @overload
    def __call__(
        self: DispatchedFunction[Concatenate[_A, _Q], _R],
        first: _A,
        /,
        *,
        backend: BackendName | None,
        strict: bool = ...,
        **kwargs: Any,
    ) -> _R: ...

    @overload
    def __call__(
        self: DispatchedFunction[Concatenate[_A, _B, _Q], _R],
        first: _A,
        second: _B,
        /,
        *args: Any,
        backend: BackendName | None,
        strict: bool = ...,
        **kwargs: Any,
    ) -> _R: ...

    @overload
    def __call__(self, /, *, strict: bool, **kwargs: Any) -> _R: ...

    @overload
    def __call__(
        self: DispatchedFunction[Concatenate[_A, _Q], _R],
        first: _A,
        /,
        *,
        strict: bool,
        **kwargs: Any,
    ) -> _R: ...

    @overload
    def __call__(
        self: DispatchedFunction[Concatenate[_A, _B, _Q], _R],
        first: _A,
        second: _B,
        /,
        *args: Any,
        strict: bool,
        **kwargs: Any,
    ) -> _R: ...
