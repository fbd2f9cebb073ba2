"""The predicates that a generic function declares: they decide beside the classes.

All components for the same classes are in one :class:`DeclaredMatcher`, by predicates. Those of
all classes that apply are put in one order: the classes weigh more than the predicates, or less,
as the generic function says. A matcher is never changed, but replaced, as all of a store is.
"""

from __future__ import annotations

from ._errors import describe
from ._matching import Matcher, Query, resolve_matchers
from ._refinements import RefinedMatcher
from .predicate import Predicate, PredicateMatcher, PredicateRegistry, PredicateRegistryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
    from typing import Any, TypeVar

    _T = TypeVar("_T")

__all__ = [
    "DeclaredMatcher",
    "answers",
    "components_by",
    "declared_by",
    "failing",
    "found_components",
    "has_declared",
    "values_of",
]


class DeclaredMatcher(PredicateMatcher):
    """The components under a generic function for the same classes, by the declared predicates.

    :param generic: the generic function.
    :param registry: the components by predicates; those of another matcher, or none.
    """

    def __init__(self, generic: Any, registry: PredicateRegistry | None = None) -> None:
        super().__init__(generic.__reg_dispatch__.predicates)
        self.generic = generic
        if registry is not None:
            self.registry = registry

    def adding(self, predicates: Mapping[str, Any], component: Any) -> DeclaredMatcher:
        """Return a matcher with one component more, which replaces that for the same predicates."""
        return DeclaredMatcher(self.generic, self.registry._reg_with(predicates, (component,)))

    def removing(self, predicates: Mapping[str, Any]) -> DeclaredMatcher | None:
        """Return a matcher without the component for these predicates; ``None`` if none is left."""
        registry = self.registry._reg_with(predicates, ())
        return DeclaredMatcher(self.generic, registry) if registry._root else None

    def exact(self, predicates: Mapping[str, Any]) -> Any:
        """Get the component for exactly these predicates; ``None`` if there is none."""
        return self.registry._reg_exact(predicates)

    def _reg_register(self, predicates: Mapping[str, Any], value: Any) -> Any:
        raise TypeError(
            f"register implementations of {describe(self.generic)} in a registry:"
            f" registry.implements({self.generic.__name__}, predicate=value)"
        )

    def _reg_calculations(self) -> tuple[Callable[..., Any], ...] | None:
        # The components behind its first one count as well, which a chain knows.
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the predicates, whose functions need not be found in another process.
        return _matcher_of, (self.generic, self.registry.entries())

    def __repr__(self) -> str:
        names = ", ".join(predicate.name for predicate in self.registry.predicates)
        return f"<by {names}>"


def _matcher_of(generic: Any, entries: list[tuple[dict[str, Any], Any]]) -> DeclaredMatcher:
    matcher = DeclaredMatcher(generic)
    for predicates, component in entries:
        matcher = matcher.adding(predicates, component)
    return matcher


def declared_by(key: Hashable, predicates: Mapping[str, Any]) -> tuple[Predicate, ...]:
    """Get the predicates that a key declares.

    :param key: any key, often a generic function.
    :param predicates: the values that something is to be registered for, by name.
    :raises TypeError: if the key declares none, and some are given.
    :raises PredicateRegistryError: if it does not declare one that is given.
    """
    spec = getattr(key, "__reg_dispatch__", None)
    declared: tuple[Predicate, ...] = () if spec is None else spec.predicates
    if predicates and not declared:
        raise TypeError(
            f"{describe(key)} declares no predicates, and {', '.join(predicates)} cannot be given;"
            " declare them, as in @reg.generic(predicates=[reg.Predicate(...)])"
        )
    names = [predicate.name for predicate in declared]
    for name in predicates:
        if name not in names:
            raise PredicateRegistryError(
                f"{describe(key)} has no predicate {name!r}; its predicates are {', '.join(names)}"
            )
    return declared


def has_declared(candidates: Iterable[Any]) -> bool:
    """Return whether declared predicates decide between some of these candidates."""
    return any(isinstance(_inner(candidate), DeclaredMatcher) for candidate in candidates)


def _inner(candidate: Any) -> Any:
    return candidate.component if isinstance(candidate, RefinedMatcher) else candidate


def are_first(candidates: Iterable[Any]) -> bool:
    """Return whether the predicates weigh more than the classes."""
    matchers = [one for one in map(_inner, candidates) if isinstance(one, DeclaredMatcher)]
    return any(matcher.generic.__reg_dispatch__.predicates_first for matcher in matchers)


def values_of(candidates: Iterable[Any], query: Query) -> list[Any]:
    """Get the values of the declared predicates, which are computed once in a look-up.

    :param candidates: at least one of them is a matcher of a generic function that declares some.
    :param query: the look-up.
    """
    matcher = next(one for one in map(_inner, candidates) if isinstance(one, DeclaredMatcher))
    if query.predicates is None:
        query.predicates = matcher.predicates(*query.args)
    named = matcher._reg_keywords(query, query.predicates)
    return [named[predicate.name] for predicate in matcher.registry.predicates]


def answers(
    candidates: tuple[_T, ...], query: Query, candidate_of: Callable[[_T], Any] = lambda one: one
) -> Iterator[tuple[_T, Any, tuple[float, ...]]]:
    """Find the components for one look-up, in order.

    :param candidates: candidates in the order of their classes, or objects that have them.
    :param query: the look-up.
    :param candidate_of: gets the candidate of such an object.
    :return: an iterator of the object, the component, and its rank: the place of each of its
      predicates among those that match. It is lazy, unless the predicates weigh more than the
      classes.
    """
    everything = [candidate_of(one) for one in candidates]
    values = values_of(everything, query)
    if not are_first(everything):
        for one, candidate in zip(candidates, everything, strict=True):
            for rank, component in _ranked(candidate, query, values):
                yield one, component, rank
        return
    placed = [
        (rank, place, component)
        for place, candidate in enumerate(everything)
        for rank, component in _ranked(candidate, query, values)
    ]
    for rank, place, component in sorted(placed, key=lambda item: item[:2]):
        yield candidates[place], component, rank


def _ranked(candidate: Any, query: Query, values: list[Any]) -> list[tuple[tuple[float, ...], Any]]:
    """The components that a candidate gives, the one for the most specific predicates first."""
    inner = _inner(candidate)
    if isinstance(inner, DeclaredMatcher):
        if inner is not candidate and candidate.failing(query.args) is not None:
            return []
        return inner.registry._reg_ranked(values)
    answer = candidate._reg_ask(query) if isinstance(candidate, Matcher) else candidate
    return [] if answer is None else [((float("inf"),) * len(values), answer)]


def failing(candidates: Iterable[Any], values: list[Any]) -> Predicate | None:
    """Find the first predicate for whose value nothing is left.

    :param candidates: the candidates of a look-up that found nothing.
    :param values: the values of the predicates.
    :return: ``None`` if it is not a predicate that excludes everything.
    """
    registries = [
        one.registry for one in map(_inner, candidates) if isinstance(one, DeclaredMatcher)
    ]
    # The parts of all tries that match up to a predicate, with the registries they are of.
    nodes = [(registry, registry._root) for registry in registries]
    for position, predicate in enumerate(registries[0].predicates):
        nodes = [
            (registry, below)
            for registry, node in nodes
            for below in registry._reg_below(node, values[position], position)
        ]
        if not nodes:
            return predicate
    return None


def found_components(
    candidates: Iterable[Any], args: tuple[Any, ...], predicates: Mapping[str, Any] | None
) -> list[Any]:
    """List all components for one look-up, in order.

    :param candidates: the components and matchers for the classes.
    :param args: the dispatch arguments.
    :param predicates: the values that the caller gave; ``None`` to compute them.
    """
    candidates = tuple(candidates)
    if has_declared(candidates):
        return [component for _, component, _ in answers(candidates, Query(args, predicates))]
    return list(resolve_matchers(candidates, args, predicates))


def components_by(
    candidates: Iterable[Any], key: Hashable, predicates: Mapping[str, Any]
) -> Iterator[Any]:
    """Find the components for classes and the values of predicates, without arguments.

    :param candidates: the components and matchers for the classes.
    :param key: the key of the look-up.
    :param predicates: the values by name; the others have their defaults.
    :return: an iterator, in order.
    :raises TypeError: if a candidate decides by the arguments themselves.
    """
    if declared_by(key, {}):
        declared_by(key, predicates)
    askable = tuple([_WithoutArguments.of(candidate, key) for candidate in candidates])
    query = Query((), predicates)
    if has_declared(askable):
        yield from (component for _, component, _ in answers(askable, query))
    else:
        yield from resolve_matchers(askable, (), predicates)


class _WithoutArguments(Matcher):
    """Stands for a matcher that cannot be asked without the arguments.

    :param matcher: the matcher.
    :param key: the key of the look-up.
    """

    def __init__(self, matcher: Matcher, key: Hashable) -> None:
        self._matcher = matcher
        self._key = key

    @classmethod
    def of(cls, candidate: Any, key: Hashable) -> Any:
        """Return a candidate as it is, if it needs no arguments."""
        is_by_predicates = (
            isinstance(candidate, PredicateMatcher)
            and type(candidate).__call__ is PredicateMatcher.__call__
        )
        return (
            candidate
            if is_by_predicates or not isinstance(candidate, Matcher)
            else cls(candidate, key)
        )

    def _reg_ask(self, query: Query) -> Any:
        matcher = self._matcher
        asked = repr(matcher)
        if isinstance(matcher, RefinedMatcher):
            asked = (
                f"{matcher.component!r}, for {', '.join(map(str, matcher.refinements.values()))},"
            )
        raise TypeError(
            f"{asked} under {describe(self._key)} decides by the arguments themselves; ask for the"
            " component with component(), which takes them"
        )
