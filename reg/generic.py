"""Generic functions: a call finds the implementation for its arguments, and calls it."""

from __future__ import annotations

import functools
from types import FunctionType

from ._dispatch_spec import DispatchSpec
from ._errors import describe
from ._fastcall import compiled, make_call
from ._functions import describe_like, function_attributes
from .implicit import implicit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final, NoReturn, ParamSpec, TypeVar, overload

    from ._slow_path import SlowPath
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
    if isinstance(predicates, str) or not hasattr(type(predicates), "__iter__"):
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
        first = function.__qualname__.partition(".")[0]
        if first in function.__globals__:
            # Imported here: mostly there is nothing of that name yet.
            from ._lookalikes import refuse_second_generic

            refuse_second_generic(function)
    spec = DispatchSpec(function, names, class_first, predicates, predicates_first)
    if predicates:
        _declare(spec)
    slow_path = _UnloadedSlowPath(spec)
    generic: Any = make_call(spec, slow_path, implicit)
    functools.update_wrapper(generic, function)
    for attribute in ("__name__", "__qualname__"):
        # A partial function and most instances have no such attribute to be copied.
        if not hasattr(generic, attribute):
            setattr(generic, attribute, type(function).__name__)
    spec.generic = generic
    # Set after update_wrapper(), which copies those of a generic function.
    generic.__dict__["__reg_dispatch__"] = spec
    questions = {"explain": _question(slow_path)}
    if compiled:
        # It has the methods component() and all(), but is not made by Python as a function is.
        generic.__dict__.update(function_attributes(function))
    else:
        from ._fastcall_py import make_questions

        questions |= make_questions(generic, slow_path)
    for name, question in questions.items():
        describe_like(question, name, _QUESTIONS[name], generic)
        generic.__dict__[name] = question
    for name, advice in _REFLEXES.items():
        generic.__dict__[name] = _refusing(name, advice, generic)
    return generic


class _UnloadedSlowPath:
    """The calls of one generic function that the fast path does not know.

    All that answers them is loaded with the first one. From then on, attributes of this object
    stand in front of its methods: those of a :class:`reg._slow_path.SlowPath`.

    :param spec: the arguments that dispatch.
    """

    def __init__(self, spec: DispatchSpec) -> None:
        self._spec = spec

    def call(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return self._loaded().call(args, keywords)

    def component(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return self._loaded().component(args, keywords)

    def all(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return self._loaded().all(args, keywords)

    def explain(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return self._loaded().explain(args, keywords)

    def _loaded(self) -> SlowPath:
        from ._slow_path import SlowPath

        slow_path = SlowPath(self._spec)
        for name in ("call", *_QUESTIONS):
            setattr(self, name, getattr(slow_path, name))
        return slow_path


def _declare(spec: DispatchSpec) -> None:
    """Declare predicates, and refuse those that cannot be computed of the arguments."""
    from .predicate import PredicateMatcher

    declared = PredicateMatcher(spec.predicates)
    if not spec.collects:
        declared._reg_check(spec.function, len(spec.parameters))
    for predicate in spec.predicates:
        predicate._reg_is_declared = True


def _question(slow_path: Any) -> Callable[..., Any]:
    """Make the function ``explain`` of a generic function."""

    def explain(*args: Any, **keywords: Any) -> Any:
        return slow_path.explain(args, keywords)

    return explain


# The functions that a generic function has, and their docstrings.
_QUESTIONS: Final = {
    "component": """Find the component that a call with these arguments would call.

    ``lookup``, ``default`` and ``predicates`` are described with
    :meth:`reg.GenericFunction.component`.
    """,
    "all": """Find all components for these arguments, in the order of ``call_next``.

    ``lookup`` and ``predicates`` are described with :meth:`reg.GenericFunction.all`.
    """,
    "explain": """Explain which component a call with these arguments would call; nothing is called.

    ``lookup`` and ``predicates`` are described with :meth:`reg.GenericFunction.explain`.
    """,
}


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
