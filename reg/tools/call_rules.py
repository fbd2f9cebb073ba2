"""Rules of :func:`reg.check` about implementations: can a call reach them, and call them?"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Hashable, Iterator
from typing import Any

from .._dispatch_spec import DispatchSpec, dispatch_of
from .._signatures import signature_with_deferred
from .._store import Registration
from ..arginfo import accepted_keywords, is_positional, takes_keyword
from ..lookup import Matcher
from ..predicate import PredicateMatcher
from .finding import Report, report
from .names import short_name
from .provenance import Registered, forwarded_arguments
from .registration_rules import definition_places

__all__ = ["call_rules", "counted", "numbers_of_arguments", "positional_parameters"]


def call_rules(key: Hashable, registered: Registered) -> Iterator[Report]:
    """Check the calls of one generic function.

    :param key: any key; one that is not a generic function has no findings.
    :param registered: everything that is registered under it.
    :return: the findings.
    """
    dispatch = dispatch_of(key)
    if dispatch is None:
        return
    for _, registrations in registered:
        for registration in registrations:
            yield from _wrong_number_of_classes(dispatch, registration)
            for component, places in _implementations(registration):
                yield from _wrong_arguments(dispatch, registration, component, places)
                yield from _other_order(dispatch, component, places)
                yield from _wrong_kind_of_function(dispatch, component, places)


def _wrong_number_of_classes(
    dispatch: DispatchSpec, registration: Registration
) -> Iterator[Report]:
    fewest, most = numbers_of_arguments(dispatch)
    given = len(registration.classes)
    if fewest <= given <= most:
        return
    if most == sys.maxsize:
        taken = f"at least {counted(fewest, 'argument')}"
    else:
        taken = "" if fewest == most else f"{fewest} to "
        taken += counted(most, "argument")
    yield report(
        "unreachable",
        "error",
        dispatch.generic,
        [registration.place],
        f"{short_name(registration.component)} is registered for"
        f" {counted(given, 'class', 'classes')}, but {short_name(dispatch.generic)} dispatches on"
        f" {taken}",
        "Register it for one class for each argument that dispatches.",
        cause=(dispatch, given),
    )


def numbers_of_arguments(dispatch: DispatchSpec) -> tuple[int, int]:
    """The smallest and the greatest number of arguments that can dispatch in a call."""
    if dispatch.names:
        return len(dispatch.names), len(dispatch.names)
    positional = positional_parameters(dispatch)
    if dispatch.collects:
        return _required(positional), sys.maxsize
    return _required(positional), len(positional)


def positional_parameters(dispatch: DispatchSpec) -> list[inspect.Parameter]:
    """The positional parameters, except that for the lookup, which is passed by keyword."""
    return [dispatch.signature.parameters[name] for name in dispatch.order if name != "lookup"]


def _required(parameters: list[inspect.Parameter]) -> int:
    return sum(parameter.default is parameter.empty for parameter in parameters)


def _implementations(registration: Registration) -> Iterator[tuple[Any, list[str]]]:
    """The components that calls run, as far as they are known, with their places."""
    component = registration.component
    if isinstance(component, PredicateMatcher):
        for _, value in component.registry.entries():
            yield value, [*definition_places(value), registration.place]
    elif not isinstance(component, Matcher):
        yield component, [registration.place]


def _wrong_arguments(
    dispatch: DispatchSpec, registration: Registration, component: Any, places: list[str]
) -> Iterator[Report]:
    make = functools.partial(report, "arguments", key=dispatch.generic, places=places)
    name, generic = short_name(component), short_name(dispatch.generic)
    if isinstance(component, type) and issubclass(component, Matcher):
        yield make(
            "error",
            problem=f"{name} is a matcher class, of which a call would make an instance",
            advice="Register an instance of it.",
        )
        return
    if not callable(component):
        yield make(
            "warning",
            problem=f"{name} is registered for {generic}, but cannot be called",
            advice=f"Register a function, or use a key of another kind than {generic}.",
            cause=(dispatch, "cannot be called"),
        )
        return
    try:
        signature = signature_with_deferred(component)
    except (TypeError, ValueError):
        return
    if (error := _refusal(dispatch, registration, component, signature)) is not None:
        yield make(
            "error",
            problem=f"{name} cannot take the arguments of {generic}: {error}",
            advice=f"Give it the parameters of {generic}{dispatch.signature}.",
            cause=(dispatch, str(error)),
        )
        return
    unknown = [word for word in _optional_keywords(dispatch) if not _accepts(signature, word)]
    if unknown:
        yield make(
            "warning",
            problem=f"{name} does not take the keyword argument {', '.join(unknown)} of {generic}",
            advice="Add the parameter, so that a call that passes it works.",
            cause=(dispatch, *unknown),
        )
    if takes_keyword(dispatch.function, "lookup") and not takes_keyword(component, "lookup"):
        yield make(
            "warning",
            problem=f"{name} is not given the lookup, which {generic} itself has a parameter for",
            advice="Add a parameter lookup, and no **, so that calls in it can use the same one.",
            cause=(dispatch, "lookup"),
        )


def _refusal(
    dispatch: DispatchSpec, registration: Registration, component: Any, signature: inspect.Signature
) -> TypeError | None:
    """The error of the shortest or the longest call that the generic function allows."""
    filled_in = [name for name in ("lookup", "call_next") if takes_keyword(component, name)]
    for args, keywords in _calls(dispatch, registration):
        if dispatch.names:
            args, keywords = forwarded_arguments(dispatch, args, keywords)
            args, keywords = _as_passed(dispatch, component, args, keywords)
        try:
            signature.bind(*args, **{**keywords, **dict.fromkeys(filled_in)})
        except TypeError as error:
            return error
    return None


def _calls(
    dispatch: DispatchSpec, registration: Registration
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The arguments of the calls that a registration has to be ready for."""
    fewest, most = numbers_of_arguments(dispatch)
    count = len(registration.classes)
    if dispatch.names:
        positional = positional_parameters(dispatch)
        counts = {_required(positional), len(positional)}
    else:
        counts = {count} if fewest <= count <= most else set()
    required = [
        parameter.name
        for parameter in dispatch.signature.parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
        and parameter.default is parameter.empty
        and parameter.name != "lookup"
    ]
    for count in sorted(counts):
        yield (None,) * count, dict.fromkeys(required)


def _as_passed(
    dispatch: DispatchSpec, component: Any, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Pass arguments by name to an implementation that takes all names, else by position.

    Calls do the same.
    """
    order = dispatch.order
    keywords = dict(keywords)
    if len(accepted_keywords(component, order)) == len(order) and len(args) <= len(order):
        return (), {**dict(zip(order, args, strict=False)), **keywords}
    for name in order[len(args) :]:
        if name not in keywords:
            break
        args = (*args, keywords.pop(name))
    return args, keywords


def _optional_keywords(dispatch: DispatchSpec) -> list[str]:
    """The keyword arguments that a call of the generic function may have, or leave out."""
    return [
        parameter.name
        for parameter in dispatch.signature.parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
        and parameter.default is not parameter.empty
        and parameter.name not in ("lookup", "default")
    ]


def _accepts(signature: inspect.Signature, name: str) -> bool:
    parameters = signature.parameters
    collects = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    parameter = parameters.get(name)
    return collects or (parameter is not None and parameter.kind is not parameter.POSITIONAL_ONLY)


def _other_order(dispatch: DispatchSpec, component: Any, places: list[str]) -> Iterator[Report]:
    """Find an implementation that has the parameters of the generic function in another order."""
    if not callable(component):
        return
    try:
        parameters = signature_with_deferred(component).parameters.values()
    except (TypeError, ValueError):
        return
    # A parameter lookup is filled in by keyword.
    order = [name for name in dispatch.order if name != "lookup"]
    names = [p.name for p in parameters if is_positional(p) and p.name in order]
    if names == [name for name in order if name in names]:
        return
    if dispatch.names and len(accepted_keywords(component, order)) == len(order):
        # It gets all of them by name.
        return
    name, generic = short_name(component), short_name(dispatch.generic)
    meaning = "not all of them, so that a call is an error" if dispatch.names else ""
    yield report(
        "arguments",
        "error" if dispatch.names else "warning",
        dispatch.generic,
        places,
        f"{name} has the parameters {', '.join(names)} in another order than {generic}, and"
        f" {meaning or 'gets all arguments by position'}",
        f"Write them in the order of {generic}{dispatch.signature}.",
        cause=(dispatch, "order", *names),
    )


def _wrong_kind_of_function(
    dispatch: DispatchSpec, component: Any, places: list[str]
) -> Iterator[Report]:
    expected, actual = _kind_of_function(dispatch.function), _kind_of_function(component)
    if actual is None or expected is None or actual == expected:
        return
    name, generic = short_name(component), short_name(dispatch.generic)
    keyword = {
        "an ordinary function": "def",
        "a coroutine function": "async def",
        "an async generator function": "async def and yield",
    }[expected]
    yield report(
        "async",
        "warning",
        dispatch.generic,
        places,
        f"{generic} is {expected}, but {name} is {actual}",
        f"Define {name} with {keyword}, as {generic} is.",
        cause=(dispatch, actual),
    )


def _kind_of_function(function: Any) -> str | None:
    """The kind of a function as a caller sees it; ``None`` if that is not known."""
    if inspect.iscoroutinefunction(function):
        return "a coroutine function"
    if inspect.isasyncgenfunction(function):
        return "an async generator function"
    if not inspect.isroutine(function) or hasattr(function, "__wrapped__"):
        return None  # It may return an awaitable that it is given.
    return "an ordinary function"


def counted(number: int, singular: str, plural: str = "") -> str:
    """Write a number with its noun.

    :param number: the number.
    :param singular: the noun for one.
    :param plural: the noun for any other number; the singular with an ``s``, if it is not given.
    :return: both.
    """
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
