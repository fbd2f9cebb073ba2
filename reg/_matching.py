"""Matchers: components that decide, at each call, which component they stand for."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from typing import Any

__all__ = ["Matcher", "Query", "resolve_matchers"]


class Query:
    """The dispatch arguments of one look-up, and the values of their predicates.

    :param args: the dispatch arguments.
    :param predicates: the values that the caller gave; ``None`` to compute them.
    """

    __slots__ = ("answers", "args", "computed", "given", "predicates")

    def __init__(self, args: tuple[Any, ...], predicates: Mapping[str, Any] | None = None) -> None:
        if predicates is not None and not isinstance(predicates, Mapping):
            raise TypeError(f"predicates= takes a dictionary of values by name; got {predicates!r}")
        self.args = args
        #: all components in order, once they are known
        self.answers: list[Any] | None = None
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
        :param predicates: the result of :meth:`predicates` of the first matcher in this
          look-up, or the values that the caller gave instead.
        :return: the component, which is used as it is; ``None`` to continue with the
          next, less specific registration.
        :raises NotImplementedError: if a subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__()")

    def predicates(self, *args: Any) -> Mapping[str, Any]:
        """Compute the predicates by which this matcher and the later ones decide.

        It is called once in a look-up, for the first matcher, and not at all if the caller
        gave ``predicates``.

        :param args: the dispatch arguments.
        :return: keyword arguments for the matchers; an empty mapping unless a subclass
          defines it.
        """
        return {}

    def _reg_ask(self, query: Query) -> Any:
        """Ask for the component of one look-up.

        :param query: the look-up.
        :return: the component, or ``None``.
        """
        if query.predicates is None:
            query.predicates = self.predicates(*query.args)
        return self(*query.args, **self._reg_keywords(query, query.predicates))

    def _reg_check(self, key: Hashable, count: int) -> None:
        """Refuse to be registered for this number of classes, if no call could ask it."""

    def _reg_calculations(self) -> tuple[Callable[..., Any], ...] | None:
        """The functions whose values alone decide, by an attribute ``registry`` of this matcher.

        :return: for :class:`reg._steps.Decision`; ``None`` if it decides otherwise.
        """
        return None

    def _reg_keywords(self, query: Query, predicates: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the keywords to call this matcher with.

        :param query: the look-up.
        :param predicates: the values from the first matcher, or from the caller.
        :return: the keyword arguments; not to be changed.
        """
        return predicates


def resolve_matchers(
    candidates: Iterable[Any], args: tuple[Any, ...], predicates: Mapping[str, Any] | None
) -> Iterator[Any]:
    """Replace the matchers among candidates by their answers, lazily and in order.

    :param candidates: components and matchers.
    :param args: the dispatch arguments.
    :param predicates: the values that the caller gave; ``None`` to compute them.
    :return: an iterator of components; a matcher that answers ``None`` is left out.
    """
    query = Query(args, predicates)
    for candidate in candidates:
        answer = candidate._reg_ask(query) if isinstance(candidate, Matcher) else candidate
        if answer is not None:
            yield answer
