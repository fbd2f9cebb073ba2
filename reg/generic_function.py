"""What :func:`reg.generic` returns, as type checkers see it.

Nothing is made from these classes. They are in a module of their own so that
``import reg`` need not import ``typing``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from .tools.resolution import Resolution

__all__ = ["GenericCall", "GenericFunction"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R", covariant=True)
_A = TypeVar("_A")
_B = TypeVar("_B")
_D = TypeVar("_D")


class GenericCall(Protocol[_P, _R]):
    """A call of a generic function: with its own parameters, and ``lookup`` and ``default``.

    Types can express the two besides the others only by naming the first two
    arguments; with ``lookup`` or ``default``, those that follow are not checked.
    """

    # It is a key; mypy would not take it for hashable otherwise.
    def __hash__(self) -> int: ...

    @overload
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...

    @overload
    def __call__(self, /, *, default: _D, lookup: object = ..., **kwargs: Any) -> _R | _D: ...

    @overload
    def __call__(
        self: GenericCall[Concatenate[_A, _Q], _R],
        first: _A,
        /,
        *,
        default: _D,
        lookup: object = ...,
        **kwargs: Any,
    ) -> _R | _D: ...

    @overload
    def __call__(
        self: GenericCall[Concatenate[_A, _B, _Q], _R],
        first: _A,
        second: _B,
        /,
        *args: Any,
        default: _D,
        lookup: object = ...,
        **kwargs: Any,
    ) -> _R | _D: ...

    @overload
    def __call__(self, /, *, lookup: object, **kwargs: Any) -> _R: ...

    @overload
    def __call__(
        self: GenericCall[Concatenate[_A, _Q], _R], first: _A, /, *, lookup: object, **kwargs: Any
    ) -> _R: ...

    @overload
    def __call__(
        self: GenericCall[Concatenate[_A, _B, _Q], _R],
        first: _A,
        second: _B,
        /,
        *args: Any,
        lookup: object,
        **kwargs: Any,
    ) -> _R: ...


class GenericFunction(GenericCall[_P, _R], Protocol[_P, _R]):
    """What :func:`reg.generic` returns: a function, with three more ways to ask."""

    # As every function has them; a protocol has only what it says.
    __name__: str
    __qualname__: str

    @property
    def __wrapped__(self) -> Callable[_P, _R]:
        """The function that was made generic."""
        ...

    # Type checkers take no protocol for hashable that does not say so.
    def __hash__(self) -> int: ...

    @overload
    def __get__(self, instance: None, owner: type, /) -> GenericFunction[_P, _R]: ...

    @overload
    def __get__(
        self: GenericFunction[Concatenate[_A, _Q], _R], instance: _A, owner: type | None = ..., /
    ) -> GenericCall[_Q, _R]: ...

    def component(
        self, *args: Any, lookup: Any = ..., default: Any = ..., predicates: Any = ...
    ) -> Any:
        """Find the component that a call with these arguments would call.

        :param args: the arguments that dispatch, passed as in a call: those that
          are named in ``@generic("name", …)`` by keyword too, though type checkers,
          which look for misspelt keywords, do not know that.
        :param lookup: where to look, if not in the implicit lookup.
        :param default: returned if there is none; ``None`` is a default too.
        :param predicates: given to matchers instead of what they would compute.
        :return: what is registered, or what a matcher answers; never the
          function that was made generic.
        :raises reg.ComponentLookupError: if there is none, and no default.
        :raises reg.NoImplicitLookupError: if there is no lookup.
        """
        ...

    def all(self, *args: Any, lookup: Any = ..., predicates: Any = ...) -> Iterable[Any]:
        """Find all components for these arguments, in the order of ``call_next``.

        The parameters are those of :meth:`component`.

        :return: what :meth:`reg.Lookup.all` returns.
        :raises reg.NoImplicitLookupError: if there is no lookup.
        """
        ...

    def explain(
        self, *args: Any, lookup: Any = ..., predicates: Any = ..., **kwargs: Any
    ) -> Resolution:
        """Tell what a call with these arguments would call, and why; nothing is called.

        :param args: the arguments of the call, and those by keyword.
        :param lookup: where to look, if not in the implicit lookup.
        :param predicates: given to matchers instead of what they would compute.
        :return: what :meth:`reg.Lookup.explain` returns.
        :raises reg.NoImplicitLookupError: if there is no lookup.
        """
        ...
