"""The types of generic functions, for annotations and type checkers.

They are protocols: a generic function is a Python function, or one made in C, and not an instance
of these classes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
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
_S = TypeVar("_S")
_T = TypeVar("_T")
_Y = TypeVar("_Y")


class _Signature(Protocol[_P, _R]):
    """The part of a generic function's type that its overloads infer their parameters from.

    To infer them from the whole type, with its overloads, takes a type checker time that grows
    exponentially with their number: some checks, such as ``isinstance(generic, FunctionType)``,
    did not end.
    """

    # Not there at runtime, so that no other class has it by chance.
    @property
    def _reg_signature(self) -> Callable[_P, _R]: ...


class GenericCall(_Signature[_P, _R], Protocol[_P, _R]):
    """A call of a generic function: with its own parameters, and ``lookup`` and ``default``.

    Type checkers check the first two arguments beside ``lookup`` or ``default``, and not the
    later ones: Python's types cannot express more.
    """

    # Keys are hashable, and mypy takes no protocol for hashable that does not say so.
    def __hash__(self) -> int: ...

    @overload
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...

    # The result of a coroutine function is awaited, and so is its default.
    @overload
    def __call__(
        self: _Signature[_Q, Coroutine[_Y, _S, _T]],
        /,
        *,
        default: _D,
        lookup: object = ...,
        **kwargs: Any,
    ) -> Coroutine[_Y, _S, _T | _D]: ...

    @overload
    def __call__(
        self: _Signature[Concatenate[_A, _Q], Coroutine[_Y, _S, _T]],
        first: _A,
        /,
        *,
        default: _D,
        lookup: object = ...,
        **kwargs: Any,
    ) -> Coroutine[_Y, _S, _T | _D]: ...

    @overload
    def __call__(
        self: _Signature[Concatenate[_A, _B, _Q], Coroutine[_Y, _S, _T]],
        first: _A,
        second: _B,
        /,
        *args: Any,
        default: _D,
        lookup: object = ...,
        **kwargs: Any,
    ) -> Coroutine[_Y, _S, _T | _D]: ...

    @overload
    def __call__(self, /, *, default: _D, lookup: object = ..., **kwargs: Any) -> _R | _D: ...

    @overload
    def __call__(
        self: _Signature[Concatenate[_A, _Q], _R],
        first: _A,
        /,
        *,
        default: _D,
        lookup: object = ...,
        **kwargs: Any,
    ) -> _R | _D: ...

    @overload
    def __call__(
        self: _Signature[Concatenate[_A, _B, _Q], _R],
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
        self: _Signature[Concatenate[_A, _Q], _R], first: _A, /, *, lookup: object, **kwargs: Any
    ) -> _R: ...

    @overload
    def __call__(
        self: _Signature[Concatenate[_A, _B, _Q], _R],
        first: _A,
        second: _B,
        /,
        *args: Any,
        lookup: object,
        **kwargs: Any,
    ) -> _R: ...


class GenericFunction(GenericCall[_P, _R], Protocol[_P, _R]):
    """The result of :func:`reg.generic`: a function with three more methods."""

    # A protocol has no attribute that it does not declare.
    __name__: str
    __qualname__: str

    @property
    def __wrapped__(self) -> Callable[_P, _R]:
        """The function that was made generic."""
        ...

    def __hash__(self) -> int: ...

    @overload
    def __get__(self, instance: None, owner: type, /) -> GenericFunction[_P, _R]: ...

    @overload
    def __get__(
        self: _Signature[Concatenate[_A, _Q], _R], instance: _A, owner: type | None = ..., /
    ) -> GenericCall[_Q, _R]: ...

    def component(
        self, *args: Any, lookup: Any = ..., default: Any = ..., predicates: Any = ...
    ) -> Any:
        """Find the component that a call with these arguments would call.

        :param args: the dispatch arguments, passed as in a call. The parameters named in
          ``@generic("name", …)`` can be passed by keyword too, though type checkers do not
          know that.
        :param lookup: asked instead of the implicit lookup.
        :param default: returned if no component is found; ``None`` is a default too.
        :param predicates: given to matchers instead of the values they would compute.
        :return: the registered component, or a matcher's answer; never the decorated function.
        :raises reg.ComponentLookupError: if no component is found, and no default was given.
        :raises reg.NoImplicitLookupError: if there is no lookup.
        """
        ...

    def all(self, *args: Any, lookup: Any = ..., predicates: Any = ...) -> Iterable[Any]:
        """Find all components for these arguments, in the order of ``call_next``.

        :param args: the dispatch arguments, passed as in a call.
        :param lookup: asked instead of the implicit lookup.
        :param predicates: given to matchers instead of the values they would compute.
        :return: a new list, as of :meth:`reg.Lookup.all`; a third-party lookup may return
          another iterable.
        :raises reg.NoImplicitLookupError: if there is no lookup.
        """
        ...

    def explain(
        self, *args: Any, lookup: Any = ..., predicates: Any = ..., **kwargs: Any
    ) -> Resolution:
        """Explain which component a call with these arguments would call; nothing is called.

        :param args: the positional arguments of the call.
        :param lookup: asked instead of the implicit lookup.
        :param predicates: given to matchers instead of the values they would compute.
        :param kwargs: the keyword arguments of the call.
        :return: the candidates in order, to be printed or read; see :meth:`reg.Lookup.explain`.
        :raises reg.NoImplicitLookupError: if there is no lookup.
        """
        ...
