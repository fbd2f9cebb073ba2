"""Rules of :func:`reg.check` about calls that reach no implementation, or not the expected one.

Which arguments of a call dispatch depends on how they are passed, and on the numbers of classes
that something is registered for. :doc:`/resolution` has the rule.
"""

from __future__ import annotations

import reprlib
from collections.abc import Hashable, Iterator
from typing import Any

from .._classes import RegisteredClass
from .._dispatch_spec import DispatchSpec, dispatch_of
from .._refinements import Refinement
from .._signatures import signature_with_deferred
from .._store import Registration
from ..arginfo import accepted_keywords, is_positional
from ..lookup import Matcher, classes_of
from ..sentinel import MISSING
from .call_rules import counted, numbers_of_arguments, positional_parameters
from .finding import Report, report
from .loaded import loaded_classes
from .names import names_of, short_name
from .provenance import Registered, applicable, applies

__all__ = ["uncovered_calls"]


def uncovered_calls(key: Hashable, registered: Registered) -> Iterator[Report]:
    """Check which calls of one generic function the registrations cover.

    :param key: any key; one that is not a generic function has no findings.
    :param registered: everything that is registered under it.
    :return: the findings.
    """
    dispatch = dispatch_of(key)
    if dispatch is None:
        return
    if dispatch.collects:
        yield from _uncovered_keywords(dispatch, registered)
        yield from _empty_rests(dispatch, registered)
        return
    if dispatch.binds:
        yield from _uncovered_counts(dispatch, registered)
        yield from _uncovered_defaults(dispatch, registered)
        yield from _other_by_keyword(dispatch, registered)
    yield from _unregistered_defaults(dispatch, registered)


def _registrations(registered: Registered) -> list[Registration]:
    return [registration for _, group in registered for registration in group]


def _uncovered_counts(dispatch: DispatchSpec, registered: Registered) -> Iterator[Report]:
    """Find the calls with a number of arguments for which nothing is registered.

    Such a call is bound to the signature, with names and defaults, and so
    dispatches on all positional parameters.
    """
    registrations = _registrations(registered)
    counts = {len(registration.classes) for registration in registrations}
    fewest, most = numbers_of_arguments(dispatch)
    if most in counts:
        return
    covered = [count for count in range(fewest, most) if count in counts]
    if not covered:
        return  # All are unreachable, which is a finding of its own.
    parameters = positional_parameters(dispatch)
    generic = short_name(dispatch.generic)
    calls = [
        f"{generic}({', '.join(parameter.name for parameter in parameters[:count])})"
        for count in range(fewest, most + 1)
        if count not in counts
    ]
    if 0 not in counts and parameters[0].kind is not parameters[0].POSITIONAL_ONLY:
        named = [parameter.name for parameter in parameters[: max(fewest, 1)]]
        calls.append(f"{generic}({', '.join(f'{name}=…' for name in named)})")
    names = ", ".join(repr(parameter.name) for parameter in parameters[: covered[0]])
    yield report(
        "uncovered-call",
        "warning",
        dispatch.generic,
        [r.place for r in registrations if len(r.classes) in covered],
        f"{' and '.join(calls)} reach{'es' if len(calls) == 1 else ''} no implementation: such a"
        f" call dispatches on {counted(most, 'argument')}, and implementations are registered"
        f" for {' and '.join(map(str, covered))} only",
        f"Register for {counted(most, 'class', 'classes')}"
        + (f", or name the parameters that dispatch: @reg.generic({names})." if names else "."),
    )


def _uncovered_defaults(dispatch: DispatchSpec, registered: Registered) -> Iterator[Report]:
    """Find the registrations that a call misses if it leaves out, or names, an argument.

    Where something is registered for the number of positional arguments given,
    defaults and keyword arguments do not dispatch.
    """
    fewest, most = numbers_of_arguments(dispatch)
    registrations = _registrations(registered)
    counts = {len(registration.classes) for registration in registrations}
    for registration in registrations:
        classes = loaded_classes(registration.classes)
        if classes is None or len(classes) != most:
            continue
        for count in range(fewest, most):
            if count not in counts or _chosen(dispatch, registered, classes[:count]):
                continue
            name = short_name(registration.component)
            yield report(
                "uncovered-call",
                "warning",
                dispatch.generic,
                [registration.place],
                f"{_shorter_calls(dispatch, registration, count)} no implementation, although"
                f" {name} is registered for {names_of(classes)}: something is registered for"
                f" {counted(count, 'class', 'classes')}, so that further arguments dispatch"
                " by position only",
                f"Register {name} for {names_of(classes[:count])} too, or name the parameters that"
                f" dispatch: @reg.generic({', '.join(map(repr, dispatch.parameters))}).",
                cause=(dispatch, count),
            )


def _chosen(
    dispatch: DispatchSpec, registered: Registered, classes: tuple[type, ...]
) -> Registration | None:
    """The registration that comes first for these classes; ``None`` if there is none."""
    for source, _ in registered:
        class_lookup = source.class_lookup if source.merged is None else source.merged
        for registration in applicable(class_lookup, dispatch.generic, classes):
            return registration
    return None


def _shorter_calls(dispatch: DispatchSpec, registration: Registration, count: int) -> str:
    """Write the calls with fewer positional arguments than a registration has classes."""
    generic = short_name(dispatch.generic)
    rest = positional_parameters(dispatch)[count:]
    given = ", ".join(map(short_name, registration.classes[:count]))
    comma = ", " if given else ""
    calls = []
    if all(
        applies(cls, type(parameter.default))
        for cls, parameter in zip(registration.classes[count:], rest, strict=True)
    ):
        calls.append(f"{generic}({given})")
    if all(parameter.kind is not parameter.POSITIONAL_ONLY for parameter in rest):
        named = ", ".join(f"{parameter.name}=…" for parameter in rest)
        calls.append(f"{generic}({given}{comma}{named})")
    calls = calls or [f"{generic}({given})"]
    return f"{' and '.join(calls)} reach{'es' if len(calls) == 1 else ''}"


def _unregistered_defaults(dispatch: DispatchSpec, registered: Registered) -> Iterator[Report]:
    """Find the defaults for whose class nothing is registered: calls without the argument."""
    most = numbers_of_arguments(dispatch)[1]
    registrations = _registrations(registered)
    counts = {len(registration.classes) for registration in registrations}
    full = [registration for registration in registrations if len(registration.classes) == most]
    generic = short_name(dispatch.generic)
    for index, (name, default) in enumerate(
        zip(dispatch.parameters, dispatch.defaults, strict=True)
    ):
        if default is MISSING or not full:
            continue
        (cls,) = classes_of((default,), dispatch.class_first and index == 0)
        known = {registration.classes[index]: None for registration in full}
        call = _call_without(dispatch, index, counts)
        if call is None or any(_applies(registered, cls, default) for registered in known):
            continue
        mine, others = _name(cls), " and ".join(map(_name, known))
        yield report(
            "uncovered-call",
            "warning",
            dispatch.generic,
            [registration.place for registration in full],
            f"{call} reaches no implementation: it dispatches on the default of {generic},"
            f" {name}={reprlib.repr(default)}, and implementations are registered there for"
            f" {others}, not for {mine}",
            f"Register for {mine} too, as by {name}: {_name(next(iter(known)))} | {mine}, or give"
            f" {generic} a default of a class that is registered. The default of an implementation"
            " does not count.",
            cause=(dispatch, "default"),
        )


def _applies(registered: RegisteredClass, cls: type, default: Any) -> bool:
    """Return whether a registration may be for a default; conditions are not called."""
    if isinstance(registered, Refinement) and (value := registered.value) is not MISSING:
        return type(value) is type(default) and bool(value == default)
    return applies(registered, cls)


def _name(cls: RegisteredClass) -> str:
    return "None" if cls is type(None) else short_name(cls)


def _call_without(dispatch: DispatchSpec, index: int, counts: set[int]) -> str | None:
    """Write the call that leaves out one argument, and dispatches on its default.

    :param index: the index of its parameter among those that dispatch.
    :param counts: the numbers of classes that something is registered for.
    :return: ``None`` if there is no such call.
    """
    generic = short_name(dispatch.generic)
    if dispatch.names:
        required = [
            f"{parameter.name}=…" if parameter.kind is parameter.KEYWORD_ONLY else parameter.name
            for parameter in dispatch.signature.parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            and parameter.name != "lookup"
        ]
        return f"{generic}({', '.join(required)})"
    for given in range(index, -1, -1):
        keywords = dispatch.keywords[given:index]
        if given not in counts and all(keywords):
            passed = [*dispatch.parameters[:given], *(f"{keyword}=…" for keyword in keywords)]
            return f"{generic}({', '.join(passed)})"
    return None


def _other_by_keyword(dispatch: DispatchSpec, registered: Registered) -> Iterator[Report]:
    """Find the arguments that choose another implementation if they are passed by keyword."""
    registrations = _registrations(registered)
    counts = {len(registration.classes) for registration in registrations}
    generic = short_name(dispatch.generic)
    for registration in registrations:
        count = len(registration.classes)
        for fewer in sorted(counts):
            keywords = dispatch.keywords[fewer:count]
            if fewer >= count or count > len(dispatch.parameters) or not all(keywords):
                continue
            classes = loaded_classes(registration.classes)
            if classes is None:
                continue
            by_position = _chosen(dispatch, registered, classes)
            by_keyword = _chosen(dispatch, registered, classes[:fewer])
            if by_position is None or by_keyword is None:
                continue
            first, second = by_position.component, by_keyword.component
            if (
                first is second
                or isinstance(first, Matcher)
                or isinstance(second, Matcher)
                # Then the call is an error, and not silent.
                or len(accepted_keywords(second, keywords)) < len(keywords)
            ):
                continue
            names = [short_name(cls) for cls in classes]
            named = ", ".join([*names[:fewer], *(f"{keyword}=…" for keyword in keywords)])
            yield report(
                "keyword-argument",
                "warning",
                dispatch.generic,
                [registration.place, by_keyword.place],
                f"{generic}({', '.join(names)}) runs {short_name(first)}, but {generic}({named})"
                f" runs {short_name(second)}: something is registered for"
                f" {counted(fewer, 'class', 'classes')}, so that further arguments dispatch by"
                " position only",
                f"Put a / behind {keywords[-1]} in {generic}, so that it is passed by position"
                " only, or name the parameters that dispatch:"
                f" @reg.generic({', '.join(map(repr, dispatch.parameters))}).",
                cause=(dispatch, fewer, count),
            )


def _uncovered_keywords(dispatch: DispatchSpec, registered: Registered) -> Iterator[Report]:
    """Find the arguments that do not dispatch by keyword, since any number of them does."""
    registrations = _registrations(registered)
    if not dispatch.parameters or not dispatch.keywords[0]:
        return
    if any(not registration.classes for registration in registrations):
        return
    generic = short_name(dispatch.generic)
    fewest = numbers_of_arguments(dispatch)[0]
    names = dispatch.parameters[: max(fewest, 1)]
    rest = next(
        parameter.name
        for parameter in dispatch.signature.parameters.values()
        if parameter.kind is parameter.VAR_POSITIONAL
    )
    yield report(
        "uncovered-call",
        "warning",
        dispatch.generic,
        [registration.place for registration in registrations],
        f"{generic}({', '.join(f'{name}=…' for name in names)}) reaches no implementation: beside"
        f" *{rest}, arguments dispatch by position only",
        f"Put a / behind {dispatch.parameters[-1]} in {generic}, so that such a call is an error.",
    )


def _empty_rests(dispatch: DispatchSpec, registered: Registered) -> Iterator[Report]:
    """Find the implementations with ``*rest`` that no call gives any arguments to collect."""
    registrations = _registrations(registered)
    for registration in registrations:
        count = len(registration.classes)
        rest = _rest_behind(registration.component, count)
        if rest is None or any(
            len(other.classes) == count + 1
            and all(map(_are_related, other.classes, registration.classes))
            for other in registrations
        ):
            continue
        generic, name = short_name(dispatch.generic), short_name(registration.component)
        given = ", ".join(["…"] * (count + 1))
        classes = ", ".join([*map(_name, registration.classes), "reg.Rest(object)"])
        yield report(
            "uncovered-call",
            "warning",
            dispatch.generic,
            [registration.place],
            f"{generic}({given}) does not reach {name}, although that takes *{rest}: it is"
            f" registered for {counted(count, 'argument')} only",
            f"Register it for any number: [{classes}], or *{rest}: object with implements().",
        )


def _rest_behind(component: Any, count: int) -> str | None:
    """The name of the ``*`` parameter of a component behind so many others; else ``None``."""
    if not callable(component) or isinstance(component, Matcher):
        return None
    try:
        parameters = signature_with_deferred(component).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = [p for p in parameters if is_positional(p) and p.name != "call_next"]
    rest = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    return rest[0] if rest and len(positional) == count else None


def _are_related(other: RegisteredClass, cls: RegisteredClass) -> bool:
    loaded = loaded_classes([other, cls])
    return loaded is None or applies(*loaded) or applies(loaded[1], loaded[0])
