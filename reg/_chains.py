"""Chains of candidates: the plan of a call whose arguments decide which implementation comes first.

Every call asks the matchers among the candidates; nothing of a matcher's answer is cached. With
predicates or refinements in front, a chain makes a quicker function for the calls.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from ._declared import DeclaredMatcher, answers, failing, values_of
from ._fastcall import CallNext, Decision, Step
from ._matching import Matcher, Query
from ._refinements import RefinedMatcher
from .arginfo import filled_in
from .predicate import calculations_of
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeAlias

__all__ = ["Adapt", "CandidateChain", "Dispatched", "ForeignChain", "PredicateChain", "end_step"]

#: Adapts a component before it is called.
Adapt: TypeAlias = "Callable[[Any], Callable[..., Any]]"

#: Picks the dispatch arguments from the positional and the keyword arguments of a call.
Dispatched: TypeAlias = "Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...]]"


def end_step(fallback: Callable[..., Any], lookup: Any, adapt: Adapt | None = None) -> Step:
    """Make the end of a chain.

    :param fallback: the decorated function, or one that raises the error.
    :param lookup: for a ``fallback`` with a parameter ``lookup``.
    :param adapt: adapts ``fallback`` before it is called.
    """
    function = fallback if adapt is None else adapt(fallback)
    return Step(function, lookup if filled_in(fallback)[0] else None, None, True)


# So many answers of matchers are known with their fill-ins at any time.
_MOST_ANSWERS: Final = 256

# The types of predicate values for which an answer is remembered.
_KEEP_NOTHING_ALIVE: Final = frozenset({str, int, bool, bytes, float, type(None)})


class CandidateChain:
    """Candidates in order, with matchers among them that every call asks.

    :param components: the components and matchers.
    :param lookup: for implementations with a parameter ``lookup``.
    :param end: the end of the chain.
    :param adapt: adapts a component before it is called.
    """

    __slots__ = ("_adapt", "_end", "_known", "_lookup", "components")

    def __init__(
        self,
        components: tuple[Any, ...],
        lookup: Any,
        end: Step,
        adapt: Adapt | None = None,
    ) -> None:
        self.components = components
        self._lookup = lookup
        self._end = end
        self._adapt = adapt
        # By identity: a component, how it is called, and which keywords are filled in.
        self._known: dict[int, tuple[Any, Callable[..., Any], bool, bool]] = {}

    def caller(self, dispatched: Dispatched | None) -> Callable[..., Any]:
        """Make the function that a call of the generic function calls."""
        first = self.components[0]
        if isinstance(first, Matcher) and dispatched is None:
            calculations = first._reg_calculations()
            if calculations is not None:
                return self._decision(first, calculations)

        if isinstance(first, RefinedMatcher) and dispatched is None:
            return self._refined_caller()
        return self._asking_caller(dispatched)

    def _asking_caller(self, dispatched: Dispatched | None) -> Callable[..., Any]:
        """Make the function of any call: it asks all matchers in turn."""

        def call_chain(*args: Any, **keywords: Any) -> Any:
            query = Query(args if dispatched is None else dispatched(args, keywords))
            return self.run(self.resolved(query, 0), query, args, keywords)

        return call_chain

    def _refined_caller(self) -> Callable[..., Any]:
        """Make the function of a call that begins with refinements: it asks one after another."""
        steps: list[tuple[Any, Any]] = []
        for component in self.components:
            holds = None
            if isinstance(component, RefinedMatcher):
                holds, component = component.question(), component.component
            if isinstance(component, Matcher) or (step := self._without_rest(component)) is None:
                break
            steps.append((holds, step))

        def call_refined(*args: Any, **keywords: Any) -> Any:
            for holds, step in steps:
                if holds is None or holds(args):
                    return step(*args, **keywords)
            query = Query(args)
            return self.run(self.resolved(query, len(steps)), query, args, keywords)

        return call_refined

    def _decision(self, matcher: Any, calculations: tuple[Callable[..., Any], ...]) -> Decision:
        registry = matcher.registry
        names = [predicate.name for predicate in registry.predicates]

        def slow(values: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
            query = Query(args)
            if matcher.registry is not registry:
                # It was assigned another one since, whose predicates are others.
                return self.run(self.resolved(query, 0), query, args, keywords)
            # Read first: if it is another one when the answer is known, that is not remembered.
            root = registry._root
            all_values = (values,) if len(calculations) == 1 else values
            query.predicates = dict(zip(names, all_values, strict=True))
            component, behind = resolved = self.resolved(query, 0)
            if not any(isinstance(asked, Matcher) for asked in self.components[1:behind]):
                function = self._end if component is MISSING else self._without_rest(component)
                if function is not None and _KEEP_NOTHING_ALIVE.issuperset(map(type, all_values)):
                    decision.learn(root, values, function, max(_MOST_ANSWERS, registry._order))
            return self.run(resolved, query, args, keywords)

        decision = Decision(calculations, matcher, slow)
        return decision

    def _without_rest(self, component: Any) -> Callable[..., Any] | None:
        """The function for a component that needs no ``call_next``, else ``None``."""
        _, function, wants_lookup, wants_call_next = self.prepared(component)
        if wants_call_next:
            return None
        return Step(function, self._lookup) if wants_lookup else function

    def run(
        self,
        resolved: tuple[Any, int],
        query: Query,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> Any:
        """Call an implementation.

        :param resolved: the component and the position behind it, see :meth:`resolved`.
        :param query: the look-up that it was found by.
        :param args: the positional arguments of the call.
        :param keywords: the keyword arguments of the call; may be changed.
        """
        component, behind = resolved
        if component is MISSING:
            return self._end(*args, **keywords)
        _, function, wants_lookup, wants_call_next = self.prepared(component)
        if wants_call_next and "call_next" not in keywords:
            rest = _Rest(self, query, behind)
            keywords["call_next"] = CallNext(rest, args, dict(keywords))
        if wants_lookup and "lookup" not in keywords:
            keywords["lookup"] = self._lookup
        return function(*args, **keywords)

    def resolved(self, query: Query, index: int) -> tuple[Any, int]:
        """Find the first component from a position on.

        :return: the component, ``MISSING`` at the end, and the position behind it.
        """
        for position in range(index, len(self.components)):
            component = self.components[position]
            if isinstance(component, Matcher):
                component = component._reg_ask(query)
            if component is not None:
                return component, position + 1
        return MISSING, len(self.components)

    def prepared(self, component: Any) -> tuple[Any, Callable[..., Any], bool, bool]:
        """Find out how a component is called; each is inspected once."""
        known = self._known.get(id(component))
        if known is None:
            function = component if self._adapt is None else self._adapt(component)
            known = (component, function, *filled_in(component))
            if len(self._known) >= _MOST_ANSWERS:
                self._known = {}
            self._known[id(component)] = known
        return known


class PredicateChain(CandidateChain):
    """Candidates of a generic function that declares predicates.

    Where the predicates leave nothing, the fallback of the first that does so is called.

    :param has_fallbacks: whether it is; the other parameters are those of a candidate chain.
    """

    __slots__ = ("_has_fallbacks",)

    def __init__(
        self,
        components: tuple[Any, ...],
        lookup: Any,
        end: Step,
        adapt: Adapt | None,
        has_fallbacks: bool,
    ) -> None:
        super().__init__(components, lookup, end, adapt)
        self._has_fallbacks = has_fallbacks

    def caller(self, dispatched: Dispatched | None) -> Callable[..., Any]:
        matchers = [one for one in self.components if isinstance(one, DeclaredMatcher)]
        if dispatched is not None or len(matchers) < len(self.components):
            return self._asking_caller(dispatched)
        registry = matchers[0].registry
        calculations = calculations_of(registry.predicates)

        def slow(values: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
            all_values = (values,) if len(calculations) == 1 else values
            query = Query(args)
            names = [predicate.name for predicate in registry.predicates]
            query.predicates = dict(zip(names, all_values, strict=True))
            component, _ = resolved = self.resolved(query, 0)
            is_found = component is not MISSING
            function = self._without_rest(component) if is_found else self._fallback(query)
            if function is not None and _KEEP_NOTHING_ALIVE.issuperset(map(type, all_values)):
                most = max(_MOST_ANSWERS, sum(one.registry._order for one in matchers))
                decision.learn(registry._root, values, function, most)
            return self.run(resolved, query, args, keywords)

        decision = Decision(calculations, matchers[0], slow)
        return decision

    def run(
        self,
        resolved: tuple[Any, int],
        query: Query,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> Any:
        if resolved == (MISSING, 0):
            return self._fallback(query)(*args, **keywords)
        return super().run(resolved, query, args, keywords)

    def resolved(self, query: Query, index: int) -> tuple[Any, int]:
        if query.answers is None:
            query.answers = [component for _, component, _ in answers(self.components, query)]
        if index < len(query.answers):
            return query.answers[index], index + 1
        return MISSING, index

    def _fallback(self, query: Query) -> Step:
        """The end of a call for which there is nothing: that of a predicate, if it has one."""
        predicate = failing(self.components, values_of(self.components, query))
        if predicate is None or predicate.fallback is None or not self._has_fallbacks:
            return self._end
        return end_step(predicate.fallback, self._lookup, self._adapt)


class ForeignChain(CandidateChain):
    """The components of a lookup that finds them in a way of its own.

    :param lookup: for implementations with a parameter ``lookup``.
    :param first: the component that the lookup found.
    :param all_components: gives all components of the lookup in order. The chain goes on
      behind the place of ``first``; they are found only when ``call_next`` needs them.
    :param end: the end of the chain.
    :param adapt: adapts a component before it is called.
    """

    __slots__ = ("_all_components", "_first", "_following", "_iterator")

    def __init__(
        self,
        lookup: Any,
        first: Any,
        all_components: Callable[[], Iterable[Any]],
        end: Step,
        adapt: Adapt | None = None,
    ) -> None:
        super().__init__((), lookup, end, adapt)
        self._first = first
        self._all_components = all_components
        self._iterator: Iterator[Any] | None = None
        self._following: list[Any] = []

    def resolved(self, query: Query, index: int) -> tuple[Any, int]:
        if index == 0:
            return self._first, 1
        if self._iterator is None:
            components = iter(self._all_components())
            after = itertools.dropwhile(lambda component: component is not self._first, components)
            self._iterator = itertools.islice(after, 1, None)
        while len(self._following) < index:
            component = next(self._iterator, MISSING)
            if component is MISSING:
                return MISSING, index
            self._following.append(component)
        return self._following[index - 1], index + 1


class _Rest:
    """The candidates from a position on, in one call: the callable for ``call_next``."""

    __slots__ = ("_chain", "_found", "_index", "_query")

    def __init__(self, chain: CandidateChain, query: Query, index: int) -> None:
        self._chain = chain
        self._query = query
        self._index = index
        self._found: tuple[Any, int] | None = None

    def _first(self) -> tuple[Any, int]:
        # Matchers are asked once, however often an implementation calls the next one.
        if self._found is None:
            self._found = self._chain.resolved(self._query, self._index)
        return self._found

    def __bool__(self) -> bool:
        return self._first()[0] is not MISSING

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        return self._chain.run(self._first(), self._query, args, keywords)
