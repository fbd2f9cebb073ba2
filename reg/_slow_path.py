"""The slow path of generic functions: the calls and questions that no cached plan answers.

Loaded with the first of them, and with it all that finds implementations: a program that only
defines generic functions does without.
"""

from __future__ import annotations

import functools

from ._cache import make_call_plan
from ._chains import ForeignChain, end_step
from ._classes import class_tuple
from ._declared import found_components
from ._errors import ComponentLookupError, NoImplicitLookupError, describe
from ._matching import Matcher, Query
from ._plan import adapters, run_or_default
from ._values import plan_for
from .arginfo import accepted_keywords
from .implicit import implicit
from .interfaces import IClassLookup, is_asked_without_instance
from .lookup import NOTHING, Lookup, classes_of, first_component, has_default_behaviour
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._dispatch_spec import DispatchSpec
    from ._plan import Plan

__all__ = ["SlowPath"]


class SlowPath:
    """The calls of one generic function that the fast path does not know.

    :param spec: the arguments that dispatch.
    """

    def __init__(self, spec: DispatchSpec) -> None:
        self._spec = spec
        #: says that this is a class generic to a lookup, which may know of none
        self._class_method = {"class_method": True} if spec.class_first else {}

    def call(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call the generic function.

        :param args: the positional arguments.
        :param keywords: the keyword arguments; may be changed.
        """
        lookup = _lookup(keywords, self._spec.generic)
        default = keywords.pop("default", MISSING)
        if default is not MISSING and self._spec.awaits:
            return _result_or(default, self._call(lookup, NOTHING, args, keywords))
        return self._call(lookup, default, args, keywords)

    def _call(
        self, lookup: Any, default: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        if not has_default_behaviour(lookup):
            return self._call_foreign(lookup, default, args, keywords)
        plan, args, keywords, dispatched = self._plan(lookup, args, keywords)
        if keywords and self._spec.binds and len(dispatched) < len(self._spec.parameters):
            self._refuse_keywords(plan.first, len(dispatched), keywords)
        return run_or_default(plan, default, dispatched, args, keywords)

    def component(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Answer ``component()`` of the generic function, with the arguments as they came."""
        spec = self._spec
        lookup, options = self._asked("component", args, keywords)
        if not has_default_behaviour(lookup):
            dispatched = spec.bound(args, keywords, self._counts(lookup, args))[2]
            return lookup.component(spec.generic, dispatched, **options, **self._class_method)
        plan, _, _, dispatched = self._plan(lookup, args, keywords)
        component = first_component(plan, dispatched, options.get("predicates"))
        if component is not MISSING:
            return component
        self._refuse_missing("component", args, keywords, self._counts(lookup, args), dispatched)
        if options.get("default", MISSING) is MISSING:
            classes = classes_of(dispatched, spec.class_first)
            raise ComponentLookupError(key=spec.generic, classes=classes, lookup=lookup)
        return options["default"]

    def all(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Answer its ``all()``."""
        spec = self._spec
        lookup, options = self._asked("all", args, keywords)
        if not has_default_behaviour(lookup):
            dispatched = spec.bound(args, keywords, self._counts(lookup, args))[2]
            return lookup.all(spec.generic, dispatched, **options, **self._class_method)
        plan, _, _, dispatched = self._plan(lookup, args, keywords)
        if not plan.all:
            self._refuse_missing("all", args, keywords, self._counts(lookup, args), dispatched)
        plan = plan_for(plan, dispatched)
        if plan.all is None and plan.chain is None:
            classes = classes_of(dispatched, spec.class_first)
            candidates = tuple(lookup._reg_all_candidates(spec.generic, classes))
            if any(isinstance(candidate, Matcher) for candidate in candidates):
                return found_components(candidates, dispatched, options.get("predicates"))
            plan.all = candidates
        if plan.all is not None:
            return list(plan.all)
        chain: Any = plan.chain
        return found_components(chain.components, dispatched, options.get("predicates"))

    def explain(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Answer its ``explain()``."""
        from .tools.explain import explain

        spec = self._spec
        lookup = _lookup(keywords, spec.generic)
        _check_lookup(lookup, spec.generic, "all", "component")
        predicates = keywords.pop("predicates", None)
        # All else that a call may have does not matter here, and may stay.
        counts = self._counts(lookup, args)
        dispatched = spec.bound(args, keywords, counts)[2]
        self._refuse_missing("explain", args, keywords, counts, dispatched)
        return explain(lookup, spec.generic, dispatched, predicates, **self._class_method)

    def _refuse_keywords(self, component: Any, count: int, keywords: dict[str, Any]) -> None:
        """Refuse keywords that dispatch in other calls, and that the implementation does not take.

        :param component: the first component.
        :param count: the number of arguments that dispatch in this call, fewer than in others.
        :param keywords: the keyword arguments of the call.
        """
        spec = self._spec
        names = [name for name in spec.keywords[count:] if name in keywords]
        if not names or not callable(component) or isinstance(component, Matcher):
            return
        for name in names:
            if name not in accepted_keywords(component, names):
                raise TypeError(
                    f"{describe(spec.generic)} is called with {name!r} by keyword, and"
                    f" {describe(component)}, registered for {count}"
                    f" class{'' if count == 1 else 'es'}, does not take it; pass {name!r} by"
                    " position, name it in @reg.generic(...), or let the implementation take it"
                )

    def _refuse_missing(
        self,
        question: str,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        counts: int,
        dispatched: tuple[Any, ...],
    ) -> None:
        """Refuse a question about a call that would be a ``TypeError``.

        :param question: the name of the method that is asked.
        :param args: the positional arguments of the call.
        :param keywords: its keyword arguments.
        :param counts: the numbers of arguments, as bits, that something is registered for.
        :param dispatched: the arguments that dispatch.
        """
        spec = self._spec
        if counts >> len(dispatched) & 1 or not spec.binds:
            return
        for keyword, default in list(zip(spec.keywords, spec.defaults, strict=True))[len(args) :]:
            if keyword not in keywords and default is MISSING:
                raise TypeError(
                    f"{question}() is asked about a call of {describe(spec.generic)} without its"
                    f" argument {keyword!r}; of a method, pass the object first:"
                    f" {spec.generic.__qualname__}.{question}(object, ...)"
                )

    def _counts(self, lookup: Any, args: tuple[Any, ...]) -> int:
        """The numbers of arguments, as bits, for which a call is not bound to the signature."""
        spec = self._spec
        given = 1 << len(args)
        cache = lookup._reg_current_cache() if isinstance(lookup, Lookup) else None
        counts: int = given if cache is None else cache.counts(spec.generic)
        is_default = has_default_behaviour(lookup)
        if is_default and cache is not None:
            return counts
        if is_default:
            # A third-party class lookup does not tell: see _plan().
            classes = classes_of(args, spec.class_first)
            return given if tuple(lookup._reg_all_candidates(spec.generic, classes)) else 0
        if not spec.binds or len(args) >= len(spec.parameters) or (cache and counts & given):
            return counts
        # Nor do the methods of a third-party lookup.
        find = getattr(lookup, "component", None)
        if find is None or find(spec.generic, args, NOTHING, **self._class_method) is not NOTHING:
            return counts | given
        return counts & ~given

    def _plan(
        self, lookup: Lookup, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[Plan, tuple[Any, ...], dict[str, Any], tuple[Any, ...]]:
        """Find the plan of a call.

        :return: the plan, the arguments to call it with, and those that dispatch.
        """
        spec = self._spec
        cache = lookup._reg_current_cache()
        counts = 0 if cache is None else cache.counts(spec.generic)
        while cache is not None:
            call_args, call_keywords, dispatched = spec.bound(args, keywords, counts)
            classes = classes_of(dispatched, spec.class_first)
            if spec.class_first:
                class_tuple(spec.generic, classes[:1])
            plan = cache.call_plan(spec, classes)
            # A registration may have come meanwhile, from another thread or from a __class__
            # property: then the call may have to be bound, or not, after all.
            if counts == (counts := cache.counts(spec.generic)):
                return plan, call_args, call_keywords, dispatched
        # A third-party class lookup does not say for which numbers of arguments it has
        # components: the call is bound if there are none for the positional arguments.
        counts = 1 << len(args)
        while True:
            call_args, call_keywords, dispatched = spec.bound(args, keywords, counts)
            classes = classes_of(dispatched, spec.class_first)
            components = tuple(lookup._reg_all_candidates(spec.generic, classes))
            if components or not counts:
                plan = make_call_plan(spec, lookup, classes, functools.partial(iter, components))
                return plan, call_args, call_keywords, dispatched
            counts = 0

    def _asked(
        self, name: str, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Split the keyword arguments of ``component`` or ``all``.

        :return: the lookup, and the options for its method; the arguments of the call stay
          in ``keywords``.
        """
        spec = self._spec
        lookup = _lookup(keywords, spec.generic)
        # A class lookup has an all() too, but with another meaning.
        _check_lookup(lookup, spec.generic, name, "component")
        options = {
            option: keywords.pop(option)
            for option in ("predicates", *(["default"] if name == "component" else []))
            if option in keywords
        }
        for keyword in keywords:
            if keyword not in spec.all_keywords:
                raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}")
        return lookup, options

    def _call_foreign(
        self, lookup: Any, default: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        """Call through a lookup of which only the methods are known."""
        spec = self._spec
        generic = spec.generic
        _check_lookup(lookup, generic, "call")
        args, keywords, dispatched = spec.bound(args, keywords, self._counts(lookup, args))
        classes = classes_of(dispatched, spec.class_first)
        if (
            getattr(type(lookup), "call", None) is Lookup.call
            or spec.names
            or "class_method" in keywords
        ):
            # Our own call() does not know where call_next ends. Any other would make all
            # arguments dispatch, and take the keyword for its own.
            component = lookup.component(generic, dispatched, NOTHING, **self._class_method)
            if component is NOTHING and default is not MISSING:
                return default
            adapt, adapt_end = adapters(generic, lookup, classes, spec.adapt)
            chain = ForeignChain(
                lookup,
                MISSING if component is NOTHING else component,
                lambda: lookup.all(generic, dispatched, **self._class_method),
                end_step(spec.function, lookup, adapt_end),
                adapt,
            )
            query = Query(dispatched)
            result = chain.run(chain.resolved(query, 0), query, args, keywords)
            return default if result is None and default is not MISSING else result
        if default is not MISSING:
            keywords["default"] = default
        try:
            return lookup.call(generic, args, **self._class_method, **keywords)
        except ComponentLookupError:
            # Nothing registered, or an implementation failed to find something?
            find = getattr(lookup, "component", None)
            if (
                find is not None
                and find(generic, args, NOTHING, **self._class_method) is not NOTHING
            ):
                raise
        return make_call_plan(spec, lookup, classes, tuple).call(*args, **keywords)


async def _result_or(default: Any, result: Any) -> Any:
    """Await the result of a coroutine function that was called with a default."""
    if result is not NOTHING:
        result = await result
    return default if result is None or result is NOTHING else result


def _lookup(keywords: dict[str, Any], generic: Callable[..., Any]) -> Any:
    lookup = keywords.pop("lookup", MISSING)
    called = "with lookup=None"
    if lookup is MISSING:
        lookup, called = implicit.lookup, "without a lookup"
    if lookup is None:
        raise NoImplicitLookupError(
            f"the generic function {describe(generic)} was called {called}: call"
            " reg.implicit.initialize(lookup) first, enter reg.implicit.using(lookup),"
            " or pass lookup= to the call. (The lookup= of another call covers that call only,"
            " and not the calls inside of it; using() covers these too.)"
        )
    return lookup


def _check_lookup(lookup: Any, generic: Callable[..., Any], *methods: str) -> None:
    """Refuse an object that has not all of these methods, or only for its instances."""
    if isinstance(lookup, Lookup):
        return
    if not all(callable(getattr(lookup, method, None)) for method in methods):
        problem = (
            "is not a lookup: it must have the methods component(), all() and call() of reg.Lookup"
        )
        if isinstance(lookup, IClassLookup):
            problem += "; pass reg.Lookup(it)"
        elif isinstance(lookup, (list, tuple)):
            problem += "; pass reg.Lookup(reg.ListClassLookup(it))"
    elif isinstance(lookup, type) and not is_asked_without_instance(lookup, *methods):
        problem = "is a class; pass an instance of it"
    else:
        return
    raise TypeError(
        f"the generic function {describe(generic)} was called with {lookup!r} as its lookup,"
        f" which {problem}"
    )
