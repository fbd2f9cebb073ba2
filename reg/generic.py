"""Generic functions: a call finds the implementation for its arguments, and calls it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, NoReturn, ParamSpec, TypeVar, overload

from ._cache import make_call_plan
from ._chains import ForeignChain, end_step
from ._classes import class_tuple, describe
from ._declared import found_components
from ._dispatch_spec import DispatchSpec, dispatch_of
from ._errors import ComponentLookupError, NoImplicitLookupError
from ._fastcall import compiled, make_call
from ._functions import describe_like, function_attributes
from ._matching import Matcher, Query
from ._plan import Plan, adapters, run_or_default
from ._reexecution import present_function
from ._values import plan_for
from .arginfo import accepted_keywords
from .implicit import implicit
from .interfaces import IClassLookup, is_asked_without_instance
from .lookup import NOTHING, Lookup, classes_of, first_component, has_default_behaviour
from .predicate import PredicateMatcher
from .sentinel import MISSING

if TYPE_CHECKING:
    from .generic_function import GenericFunction
    from .predicate import Predicate

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

__all__ = ["classgeneric", "generic"]

if TYPE_CHECKING:

    @overload
    def generic(function: Callable[_P, _R], /) -> GenericFunction[_P, _R]: ...

    @overload
    def generic(
        *names: str, predicates: Iterable[Predicate] = ..., predicates_first: bool = ...
    ) -> Callable[[Callable[_P, _R]], GenericFunction[_P, _R]]: ...


def generic(
    *function_or_names: Any, predicates: Iterable[Predicate] = (), predicates_first: bool = False
) -> Any:
    """Make a function generic: ``generic(function)``, or ``generic("name", …)(function)``.

    :param function: runs where nothing is registered for the arguments.
    :param names: the parameters that dispatch, however they are passed; one
      left to its default dispatches on that. Without names, every positional
      argument does, and keyword arguments are passed on.
    :param predicates: decide beside the classes of the arguments; an earlier one weighs more.
      Implementations are registered for their values by name.
    :param predicates_first: whether the predicates weigh more than the classes.
    :return: a function with the name, docstring and signature of the original,
      which is its ``__wrapped__``. It is the key to register implementations
      under.
    :raises TypeError: if the function has no parameter of such a name, or if a predicate cannot
      be computed of its arguments.

    A call takes two keyword arguments more than the function. ``lookup`` is
    asked instead of the implicit lookup; ``None`` raises
    :exc:`reg.NoImplicitLookupError`. ``default`` is returned where nothing is
    registered, or if the implementation returns ``None``.
    """
    return _decorator(function_or_names, False, _listed(predicates), predicates_first)


if TYPE_CHECKING:

    @overload
    def classgeneric(function: Callable[_P, _R], /) -> GenericFunction[_P, _R]: ...

    @overload
    def classgeneric(
        *names: str, predicates: Iterable[Predicate] = ..., predicates_first: bool = ...
    ) -> Callable[[Callable[_P, _R]], GenericFunction[_P, _R]]: ...


def classgeneric(
    *function_or_names: Any, predicates: Iterable[Predicate] = (), predicates_first: bool = False
) -> Any:
    """Make a function generic whose first dispatch argument is a class, and stands for itself.

    In all else, parameters and result included, it is :func:`reg.generic`.
    """
    return _decorator(function_or_names, True, _listed(predicates), predicates_first)


def _listed(predicates: Iterable[Predicate]) -> tuple[Predicate, ...]:
    if isinstance(predicates, str) or not isinstance(predicates, Iterable):
        raise TypeError(
            f"predicates= takes a list of instances of reg.Predicate; got {predicates!r}"
        )
    return tuple(predicates)


def _decorator(
    function_or_names: tuple[Any, ...],
    class_first: bool,
    predicates: tuple[Predicate, ...],
    predicates_first: bool,
) -> Any:
    if len(function_or_names) == 1 and not isinstance(function_or_names[0], str):
        return _make(function_or_names[0], (), class_first, predicates, predicates_first)
    for name in function_or_names:
        if not isinstance(name, str):
            raise TypeError(
                "generic() takes a function, or the names of the parameters to dispatch on;"
                f" got {name!r} among the names"
            )

    def decorate(function: Callable[..., Any]) -> Any:
        return _make(function, function_or_names, class_first, predicates, predicates_first)

    return decorate


def _make(
    function: Callable[..., Any],
    names: tuple[str, ...],
    class_first: bool,
    predicates: tuple[Predicate, ...],
    predicates_first: bool,
) -> Any:
    if not callable(function) or isinstance(function, staticmethod):
        advice = ""
        if isinstance(function, (staticmethod, classmethod, property, functools.cached_property)):
            advice = f"; put the decorator that makes it generic below @{type(function).__name__}"
        elif isinstance(function, (list, tuple)):
            advice = f": give the names one by one, generic({', '.join(map(repr, function))})"
        raise TypeError(f"only a function can be made generic; got {function!r}{advice}")
    if isinstance(function, FunctionType):
        former = dispatch_of(present_function(function))
        if former is not None and former.function is not function:
            # Imported here: mostly there is none.
            from ._lookalikes import refuse_second

            refuse_second(former, function)
    spec = DispatchSpec(function, names, class_first, predicates, predicates_first)
    declared = PredicateMatcher(predicates)
    if not spec.collects:
        declared._reg_check(function, len(spec.parameters))
    for predicate in predicates:
        predicate._reg_is_declared = True
    slow_path = _SlowPath(spec)
    generic: Any = make_call(spec, slow_path, implicit)
    functools.update_wrapper(generic, function)
    for attribute in ("__name__", "__qualname__"):
        # A partial function and most instances have no such attribute to be copied.
        if not hasattr(generic, attribute):
            setattr(generic, attribute, type(function).__name__)
    spec.generic = generic
    # Set after update_wrapper(), which copies those of a generic function.
    generic.__dict__["__reg_dispatch__"] = spec
    questions = {"explain": slow_path.asked_to_explain()}
    if compiled:
        # It has the methods component() and all(), but is not made by Python as a function is.
        generic.__dict__.update(function_attributes(function))
    else:
        from ._fastcall_py import make_questions

        questions |= make_questions(generic, slow_path)
    for name, question in questions.items():
        describe_like(question, getattr(slow_path, name), generic)
        generic.__dict__[name] = question
    for name, advice in _REFLEXES.items():
        generic.__dict__[name] = _refusing(name, advice, generic)
    return generic


# Methods that generic functions of other libraries have, and the way to do it here.
_REFLEXES: Final = {
    "register": "register implementations in a registry: registry.implements({name}), or"
    " registry.register({name}, [int])",
    "implements": "implementations are made by a registry: @registry.implements({name})",
    "dispatch": "ask for the component of arguments: {name}.component(argument)",
}


def _refusing(name: str, advice: str, generic: Callable[..., Any]) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **keywords: Any) -> NoReturn:
        described = advice.format(name=generic.__name__)
        raise TypeError(f"the generic function {describe(generic)} has no {name}(): {described}")

    refuse.__name__ = name
    return refuse


class _SlowPath:
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
        """Find the component that a call with these arguments would call.

        ``lookup``, ``default`` and ``predicates`` are described with
        :meth:`reg.GenericFunction.component`.
        """
        spec = self._spec
        lookup, options = self._asked("component", args, keywords)
        if not has_default_behaviour(lookup):
            dispatched = spec.bound(args, keywords, self._counts(lookup, args))[2]
            return lookup.component(spec.generic, dispatched, **options, **self._class_method)
        plan, _, _, dispatched = self._plan(lookup, args, keywords)
        component = first_component(plan, dispatched, options.get("predicates"))
        if component is not MISSING:
            return component
        if options.get("default", MISSING) is MISSING:
            classes = classes_of(dispatched, spec.class_first)
            raise ComponentLookupError(key=spec.generic, classes=classes, lookup=lookup)
        return options["default"]

    def all(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Find all components for these arguments, in the order of ``call_next``.

        ``lookup`` and ``predicates`` are described with
        :meth:`reg.GenericFunction.all`.
        """
        spec = self._spec
        lookup, options = self._asked("all", args, keywords)
        if not has_default_behaviour(lookup):
            dispatched = spec.bound(args, keywords, self._counts(lookup, args))[2]
            return lookup.all(spec.generic, dispatched, **options, **self._class_method)
        plan, _, _, dispatched = self._plan(lookup, args, keywords)
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
        """Explain which component a call with these arguments would call; nothing is called.

        ``lookup`` and ``predicates`` are described with
        :meth:`reg.GenericFunction.explain`.
        """
        from .tools.explain import explain

        spec = self._spec
        lookup = _lookup(keywords, spec.generic)
        _check_lookup(lookup, spec.generic, "all", "component")
        predicates = keywords.pop("predicates", None)
        # All else that a call may have does not matter here, and may stay.
        counts = self._counts(lookup, args)
        dispatched = spec.bound(args, keywords, counts)[2]
        if not counts >> len(dispatched) & 1 and spec.binds:
            self._refuse_missing(args, keywords)
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

    def _refuse_missing(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Refuse to explain a call that would be a ``TypeError``."""
        spec = self._spec
        for keyword, default in list(zip(spec.keywords, spec.defaults, strict=True))[len(args) :]:
            if keyword not in keywords and default is MISSING:
                raise TypeError(
                    f"explain() is asked about a call of {describe(spec.generic)} without its"
                    f" argument {keyword!r}; of a method, pass the object first:"
                    f" {spec.generic.__qualname__}.explain(object, ...)"
                )

    def asked_to_explain(self) -> Callable[..., Any]:
        """Make the function ``explain`` of the generic function."""

        def explain(*args: Any, **keywords: Any) -> Any:
            return self.explain(args, keywords)

        return explain

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
