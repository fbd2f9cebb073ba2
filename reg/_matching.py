"""Matchers: components that decide, at each call, which component they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

__all__ = ["Matcher", "Query", "resolve_matchers"]


class Query:
    """The arguments of one look-up, and the predicates known of them.

    :param args: the arguments that dispatch.
    :param predicates: those that the caller gave; ``None`` to compute them.
    """

    __slots__ = ("args", "computed", "given", "predicates")

    def __init__(self, args: tuple[Any, ...], predicates: Mapping[str, Any] | None = None) -> None:
        self.args = args
        self.given = predicates is not None
        #: the predicates that matchers are called with; ``None`` until they are needed
        self.predicates = predicates
        #: a cache of predicates that only later matchers need
        self.computed: dict[Any, Any] = {}


class Matcher:
    """A component that decides from the arguments, at each look-up, which one it stands for.

    Register an *instance* of a subclass that defines :meth:`__call__`.
    """

    def __call__(self, *args: Any, **predicates: Any) -> Any:
        """Find the component for these arguments.

        :param args: the dispatch arguments.
        :param predicates: what :meth:`predicates` of the first matcher of this
          look-up returned, or what the caller gave instead.
        :return: the component, which is taken as it is; ``None`` to have the
          next, less specific registration considered.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__()")

    def predicates(self, *args: Any) -> Mapping[str, Any]:
        """Compute the predicates by which this matcher and the ones after it decide.

        It is called once in a look-up, on the first matcher met, and not at all
        if the caller gave ``predicates``.

        :param args: the dispatch arguments.
        :return: keyword arguments for the matchers.
        """
        return {}

    def _reg_ask(self, query: Query) -> Any:
        """Return the answer for a look-up, or ``None``."""
        if query.predicates is None:
            query.predicates = self.predicates(*query.args)
        return self(*query.args, **self._reg_keywords(query, query.predicates))

    def _reg_first(self) -> Callable[[tuple[Any, ...]], tuple[Any, list[Any]]] | None:
        """The function that asks this matcher as the first one of a look-up, without a query.

        :return: ``None`` if there is none. It returns the answer, and the values of the
          predicates, from which :meth:`_reg_named` makes those for the matchers after it.
        """
        return None

    def _reg_named(self, values: list[Any]) -> Mapping[str, Any]:
        """Return predicates by name."""
        raise NotImplementedError

    def _reg_keywords(self, query: Query, predicates: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the keywords to call this matcher with.

        :param predicates: those of the first matcher, or of the caller.
        """
        return predicates


def resolve_matchers(
    candidates: Iterable[Any], args: tuple[Any, ...], predicates: Mapping[str, Any] | None
) -> Iterator[Any]:
    """Go through candidates in order, and ask the matchers among them.

    :param candidates: components and matchers; a matcher stands for its answer,
      or for nothing if that is ``None``.
    :param args: the dispatch arguments.
    :param predicates: those that the caller gave; ``None`` to compute them.
    """
    query = Query(args, predicates)
    for candidate in candidates:
        answer = candidate._reg_ask(query) if isinstance(candidate, Matcher) else candidate
        if answer is not None:
            yield answer
