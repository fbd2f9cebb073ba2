"""Generic functions: which implementation runs depends on the arguments' classes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from types import CodeType

from ._cache import forget_former
from ._classes import describe
from ._dispatch_spec import Dispatch
from ._fastcall import make_call
from .arginfo import accepted_keywords, takes_keyword
from .implicit import NoImplicitLookupError, implicit
from .interfaces import IClassLookup, is_asked_without_instance
from .lookup import (
    NOTHING,
    CallChain,
    ComponentLookupError,
    Lookup,
    Matcher,
    classes_of,
    is_plain,
    match,
    with_lookup,
)
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ParamSpec, TypeVar, overload

    from .generic_function import GenericFunction

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

__all__ = ["classgeneric", "generic"]

if TYPE_CHECKING:

    @overload
    def generic(function: Callable[_P, _R], /) -> GenericFunction[_P, _R]: ...

    @overload
    def generic(*names: str) -> Callable[[Callable[_P, _R]], GenericFunction[_P, _R]]: ...


def generic(*function_or_names: Any) -> Any:
    """Make a function generic: ``generic(function)``, or ``generic("name", …)(function)``.

    :param function: what runs where nothing is registered for the arguments.
    :param names: the parameters that dispatch, however they are passed; one
      left to its default dispatches on that. Without names, every positional
      argument does, and keyword arguments are passed on.
    :return: a function with the name, docstring and signature of the original,
      which is its ``__wrapped__``. It is the key to register implementations
      under.
    :raises TypeError: if the function has no parameter of such a name.

    A call takes two keyword arguments more than the function. ``lookup`` is
    asked instead of the implicit lookup; ``None`` raises
    :exc:`reg.NoImplicitLookupError`. ``default`` is returned where nothing is
    registered, or what is returns ``None``.
    """
    return _decorator(function_or_names, class_first=False)


if TYPE_CHECKING:

    @overload
    def classgeneric(function: Callable[_P, _R], /) -> GenericFunction[_P, _R]: ...

    @overload
    def classgeneric(*names: str) -> Callable[[Callable[_P, _R]], GenericFunction[_P, _R]]: ...


def classgeneric(*function_or_names: Any) -> Any:
    """Make a function generic whose first dispatch argument is a class, and stands for itself.

    In all else, parameters and result included, it is :func:`reg.generic`.
    """
    return _decorator(function_or_names, class_first=True)


def _decorator(function_or_names: tuple[Any, ...], class_first: bool) -> Any:
    if len(function_or_names) == 1 and not isinstance(function_or_names[0], str):
        return _make(function_or_names[0], (), class_first)
    for name in function_or_names:
        if not isinstance(name, str):
            raise TypeError(
                "generic() takes a function, or the names of the parameters to dispatch on;"
                f" got {name!r} among the names"
            )

    def decorate(function: Callable[..., Any]) -> Any:
        return _make(function, function_or_names, class_first)

    return decorate


def _make(function: Callable[..., Any], names: tuple[str, ...], class_first: bool) -> Any:
    if not callable(function) or isinstance(function, staticmethod):
        advice = ""
        if isinstance(function, (staticmethod, classmethod, property)):
            advice = f"; put the decorator that makes it generic below @{type(function).__name__}"
        raise TypeError(f"only a function can be made generic; got {function!r}{advice}")
    dispatch = Dispatch(function, names, class_first)
    calls = _Calls(dispatch)
    call: Any = make_call(
        dispatch.keywords,
        dispatch.positions,
        calls.general,
        implicit,
        not names,
        class_first,
        _code_of_its_kind(function),
    )
    forget_former(call)
    functools.update_wrapper(call, function)
    for attribute in ("__name__", "__qualname__"):
        # A partial function and most instances have none to be copied.
        if not hasattr(call, attribute):
            setattr(call, attribute, type(function).__name__)
    dispatch.generic = call
    # Set after update_wrapper(), which copies those of a generic function.
    call.__dict__["__reg_dispatch__"] = dispatch

    def component(*args: Any, **keywords: Any) -> Any:
        """Find the component that a call with these arguments would call.

        ``lookup``, ``default`` and ``predicates`` are what
        :meth:`reg.generic_function.GenericFunction.component` says.
        """
        lookup, dispatched, given = calls.asked("component", args, keywords)
        return lookup.component(call, dispatched, **given, **calls.class_method)

    def all(*args: Any, **keywords: Any) -> Any:
        """Find all components for these arguments, in the order of ``call_next``.

        ``lookup`` and ``predicates`` are what
        :meth:`reg.generic_function.GenericFunction.all` says.
        """
        lookup, dispatched, given = calls.asked("all", args, keywords)
        return lookup.all(call, dispatched, **given, **calls.class_method)

    def explain(*args: Any, **keywords: Any) -> Any:
        """Tell what a call with these arguments would call, and why; nothing is called.

        ``lookup`` and ``predicates`` are what
        :meth:`reg.generic_function.GenericFunction.explain` says.
        """
        from .tools.explain import explain

        lookup = _lookup(keywords, call)
        _check_lookup(lookup, call, "all", "component")
        predicates = keywords.pop("predicates", None)
        # All else that a call may have does not matter here, and may stay.
        dispatched = dispatch.arguments(args, keywords)[2]
        return explain(lookup, call, dispatched, predicates, **calls.class_method)

    for method in (component, all, explain):
        method.__qualname__ = f"{call.__qualname__}.{method.__name__}"
        method.__module__ = call.__module__
        call.__dict__[method.__name__] = method
    return call


def _code_of_its_kind(function: Callable[..., Any]) -> CodeType | None:
    """The code of a coroutine function or a generator, asynchronous or not, else ``None``."""
    import inspect

    function = inspect.unwrap(function)
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    kinds = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_GENERATOR
    return code if isinstance(code, CodeType) and code.co_flags & kinds else None


class _Calls:
    """The calls of one generic function that are out of the ordinary."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._function = dispatch.function
        #: how to tell a lookup, which may know no class generics, that this is one
        self.class_method = {"class_method": True} if dispatch.class_first else {}

    def general(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call the generic function.

        :param args: the positional arguments.
        :param keywords: the keyword arguments; may be changed.
        """
        lookup = _lookup(keywords, self._dispatch.generic)
        default = keywords.pop("default", MISSING)
        args, keywords, dispatched = self._dispatch.arguments(args, keywords)
        if not is_plain(lookup):
            return self._ask(lookup, default, args, keywords, dispatched)
        classes = classes_of(dispatched, self._dispatch.class_first)
        if default is not MISSING:
            return self._or_default(lookup, classes, default, args, keywords, dispatched)
        return self._implementation(lookup, classes)(*args, **keywords)

    def asked(
        self, name: str, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """What a call to ``component`` or ``all`` is about.

        :return: the lookup, the dispatch arguments, and those keyword arguments
          that are for the lookup's method of that name.
        """
        known = {"lookup", "predicates", *(["default"] if name == "component" else [])}
        for keyword in keywords:
            if keyword not in known and keyword not in self._dispatch.names:
                raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}")
        lookup = _lookup(keywords, self._dispatch.generic)
        given = {keyword: keywords[keyword] for keyword in keywords if keyword in known}
        passed = {keyword: keywords[keyword] for keyword in keywords if keyword not in known}
        # A class lookup has an all() too, but with another meaning.
        _check_lookup(lookup, self._dispatch.generic, name, "component")
        return lookup, self._dispatch.arguments(args, passed)[2], given

    def _or_default(
        self,
        lookup: Lookup,
        classes: tuple[type, ...],
        default: Any,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        dispatched: tuple[Any, ...],
    ) -> Any:
        """Call what is registered; the default if that is nothing, or gives ``None``."""
        generic = self._dispatch.generic
        answers = lookup._reg_current_answers()
        first = None if answers is None else answers.first(generic, classes)
        if first is MISSING:
            return default
        if first is None or isinstance(first, Matcher):
            # Whether there is anything is known only when all matchers were asked.
            chain = self._chain(lookup, lookup._reg_every(generic, classes), dispatched)
            result = None if chain.at(0) is MISSING else chain.call(0, args, keywords)
        else:
            result = self._implementation(lookup, classes)(*args, **keywords)
        return default if result is None else result

    def _implementation(self, lookup: Lookup, classes: tuple[type, ...]) -> Any:
        """What to call for these classes, remembered if the lookup can remember."""
        generic = self._dispatch.generic
        answers = lookup._reg_current_answers()
        if answers is None:
            return self._chained(lookup, lookup._reg_every(generic, classes))
        # Taken before anything is looked up; see reg._cache.
        warm = len(classes) == len(self._dispatch.parameters)
        table = answers.call_table(generic, len(classes), warm)
        implementation = table.entries.get(classes)
        if implementation is MISSING:
            table.watch(classes)
            first = answers.look_up(generic, classes)
            if first is MISSING:
                implementation = with_lookup(self._function, lookup)
            elif isinstance(first, Matcher) or takes_keyword(first, "call_next"):
                implementation = self._chained(lookup, answers.every(generic, classes))
            else:
                implementation = with_lookup(self._adapt(first), lookup)
            table.store(classes, implementation)
        return implementation

    def _chained(self, lookup: Lookup, candidates: Iterable[Any]) -> Callable[..., Any]:
        """A call that asks matchers, or that hands on how to call what comes next."""

        def call_chain(*args: Any, **keywords: Any) -> Any:
            dispatched = self._dispatch.arguments(args, keywords)[2]
            return self._chain(lookup, candidates, dispatched).call(0, args, keywords)

        return call_chain

    def _chain(
        self, lookup: Lookup, candidates: Iterable[Any], dispatched: tuple[Any, ...]
    ) -> CallChain:
        matched = match(candidates, dispatched, None)
        return CallChain(lookup, matched, self._function, self._adapt)

    def _ask(
        self,
        lookup: Any,
        default: Any,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        dispatched: tuple[Any, ...],
    ) -> Any:
        """Call through a lookup of which nothing is known but its methods."""
        _check_lookup(lookup, self._dispatch.generic, "call")
        generic = self._dispatch.generic
        if (
            getattr(type(lookup), "call", None) is Lookup.call
            or self._dispatch.names
            or "class_method" in keywords
        ):
            # Our own call() does not know where call_next ends. Any other would
            # have all of the arguments dispatch, and take the keyword for its own.
            component = lookup.component(generic, dispatched, NOTHING, **self.class_method)
            if component is NOTHING and default is not MISSING:
                return default

            def all_components() -> Iterator[Any]:
                yield from lookup.all(generic, dispatched, **self.class_method)

            chain = CallChain(lookup, all_components(), self._function, self._adapt)
            result = chain.starting_with(component).call(0, args, keywords)
            return default if result is None and default is not MISSING else result
        if default is not MISSING:
            keywords["default"] = default
        try:
            return lookup.call(generic, args, **self.class_method, **keywords)
        except ComponentLookupError:
            # Nothing registered, or an implementation failed to find something?
            find = getattr(lookup, "component", None)
            if (
                find is not None
                and find(generic, args, NOTHING, **self.class_method) is not NOTHING
            ):
                raise
        return with_lookup(self._function, lookup)(*args, **keywords)

    def _adapt(self, component: Any) -> Any:
        """Let an implementation have other names for its parameters than the generic function."""
        order = self._dispatch.order
        if not self._dispatch.names or len(accepted_keywords(component, order)) == len(order):
            return component

        @functools.wraps(component)
        def by_position(*args: Any, **keywords: Any) -> Any:
            if keywords:
                for name in order[len(args) :]:
                    if name not in keywords:
                        break
                    args = (*args, keywords.pop(name))
            return component(*args, **keywords)

        return by_position


def _lookup(keywords: dict[str, Any], generic: Callable[..., Any]) -> Any:
    lookup = keywords.pop("lookup") if "lookup" in keywords else implicit.lookup
    if lookup is None:
        raise NoImplicitLookupError(
            f"the generic function {describe(generic)} was called without a lookup: call"
            " reg.implicit.initialize(lookup) first, enter reg.implicit.using(lookup),"
            " or pass lookup= to the call"
        )
    return lookup


def _check_lookup(lookup: Any, generic: Callable[..., Any], *methods: str) -> None:
    """Refuse what has not all of these methods, or has them for its instances only."""
    if isinstance(lookup, Lookup):
        return
    if not all(callable(getattr(lookup, method, None)) for method in methods):
        problem = "is none: it must have the methods component(), all() and call() of reg.Lookup"
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
