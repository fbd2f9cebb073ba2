"""The plan of a call: all that a call does for one combination of classes.

A plan is made from the candidates once, and cached. It has the first implementation with the
keywords that are filled in for it (``lookup``, ``call_next``), the implementations behind it,
and the end of the chain: the decorated function. A call, ``default=``, ``component()``,
``all()`` and ``call_next`` all read the same plan.

Where matchers are among the candidates, the plan is a :class:`CandidateChain`, since only the
arguments tell which implementation comes first, or next. Nothing of a matcher's answer is cached.

The idea of ``call_next`` is ``call-next-method`` of the Common Lisp Object System.
"""

from __future__ import annotations

from ._chains import Adapt, CandidateChain, Dispatched, PredicateChain
from ._declared import has_declared
from ._fastcall import Plan, Step
from ._matching import Matcher, Query
from ._refinements import RefinedMatcher
from ._values import ValueChain, plan_for
from .arginfo import filled_in
from .sentinel import MISSING, UNDECIDED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from typing import Any

__all__ = [
    "Plan",
    "adapters",
    "make_plan",
    "run_or_default",
]

#: While calls are traced, makes the function that wraps the implementations for some classes:
#: given a key, a lookup and the classes, it returns one that is given a component and the
#: function that is called for it. Plans hold its results, so that a change invalidates all of
#: them; see :mod:`reg.tools.trace`.
tracing: Callable[[Hashable, Any, tuple[type, ...]], Callable[[Any, Any], Any]] | None = None


def adapters(
    key: Hashable, lookup: Any, classes: tuple[type, ...], adapt: Adapt | None = None
) -> tuple[Adapt | None, Adapt | None]:
    """Return the functions that adapt a component, and the fallback, before these are called.

    :param adapt: adapts a component; while calls are traced, its result is wrapped.
    """
    # Read once: another thread may open or close a trace meanwhile.
    trace = tracing
    if trace is None:
        return adapt, None
    wrap = trace(key, lookup, classes)
    return (
        lambda component: wrap(component, component if adapt is None else adapt(component)),
        lambda fallback: wrap(fallback, fallback),
    )


def make_plan(
    candidates: Callable[[], Iterable[Any]],
    lookup: Any,
    make_end: Callable[[], Step],
    adapt: Adapt | None = None,
    dispatched: Dispatched | None = None,
    *,
    has_fallbacks: bool = True,
) -> Plan:
    """Make the plan for one combination of classes.

    :param candidates: gives the components and matchers in order; called twice if more
      than the first is needed.
    :param lookup: for implementations with a parameter ``lookup``.
    :param make_end: makes the end of the chain; most plans need none.
    :param adapt: adapts a component before it is called.
    :param dispatched: picks the dispatch arguments of a call; without it, all positional
      arguments dispatch.
    :param has_fallbacks: whether the fallbacks of declared predicates go before the end.
    """
    first = next(iter(candidates()), MISSING)
    if first is MISSING:
        return Plan(make_end(), MISSING, ())
    if not isinstance(first, Matcher):
        wants_lookup, wants_call_next = filled_in(first)
        if not wants_call_next:
            function: Any = first if adapt is None else adapt(first)
            return Plan(Step(function, lookup) if wants_lookup else function, first)
    components, end = tuple(candidates()), make_end()
    if any(isinstance(one, RefinedMatcher) and one.values for one in components):

        def make_part(left: tuple[Any, ...]) -> Plan:
            return make_plan(
                lambda: left, lookup, lambda: end, adapt, dispatched, has_fallbacks=has_fallbacks
            )

        values = ValueChain(components, make_part)
        first = UNDECIDED if isinstance(first, Matcher) else first
        return Plan(values.caller(dispatched), first, None, values)
    if any(isinstance(component, Matcher) for component in components):
        if has_declared(components):
            chain: CandidateChain = PredicateChain(components, lookup, end, adapt, has_fallbacks)
        else:
            chain = CandidateChain(components, lookup, end, adapt)
        first = UNDECIDED if isinstance(first, Matcher) else first
        return Plan(chain.caller(dispatched), first, None, chain)
    return Plan(_steps(components, lookup, end, adapt), first, components)


def run_or_default(
    plan: Plan,
    default: Any,
    dispatched: tuple[Any, ...],
    args: tuple[Any, ...],
    keywords: dict[str, Any],
) -> Any:
    """Call by a plan.

    :param plan: the plan.
    :param default: returned if there is no implementation, or if it returns ``None``;
      ``MISSING`` if there is no default.
    :param dispatched: the dispatch arguments.
    :param args: the positional arguments.
    :param keywords: the keyword arguments; may be changed.
    """
    if default is MISSING:
        return plan.call(*args, **keywords)
    plan = plan_for(plan, dispatched)
    if plan.first is MISSING:
        return default
    if plan.first is UNDECIDED:
        # Whether there is anything is known only when all matchers were asked.
        query = Query(dispatched)
        resolved = plan.chain.resolved(query, 0)
        if resolved[0] is MISSING:
            return default
        result = plan.chain.run(resolved, query, args, keywords)
    else:
        result = plan.call(*args, **keywords)
    return default if result is None else result


def _steps(
    components: tuple[Any, ...], lookup: Any, end: Step, adapt: Adapt | None
) -> Callable[..., Any]:
    """Make the step of the first component; each step knows the next one."""
    following: Any = end
    for component in reversed(components):
        function = component if adapt is None else adapt(component)
        wants_lookup, wants_call_next = filled_in(component)
        if wants_lookup or wants_call_next:
            following = Step(
                function, lookup if wants_lookup else None, following if wants_call_next else None
            )
        elif hasattr(type(function), "__bool__") or hasattr(type(function), "__len__"):
            # A step is true, as the truth of call_next has to be.
            following = Step(function)
        else:
            following = function
    return following  # type: ignore[no-any-return]
