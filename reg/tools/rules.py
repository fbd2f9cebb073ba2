"""The checks that :func:`reg.check` makes: each looks at what is registered under one key."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Hashable, Iterator
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from .._classes import NamedClass, RegisteredClass, loaded_class
from .._dispatch_spec import DispatchSpec
from .._signatures import signature_with_deferred
from .._store import Registration
from ..arginfo import takes_keyword
from ..lookup import Matcher
from ..predicate import PredicateMatcher
from ..registry import definition_of
from .ambiguity import crossings
from .provenance import Part
from .resolution import short_name, short_names

__all__ = ["KINDS", "Kind", "Problem", "Registered", "Severity", "problems"]

#: What there is to find; see :func:`reg.check`.
Kind: TypeAlias = Literal[
    "unreachable",
    "arguments",
    "coroutine",
    "first-argument",
    "predicates",
    "missing-class",
    "identical",
]

#: ``"error"``: a call fails, or what was registered is of no use. ``"warning"``:
#: it may be meant, or may surprise.
Severity: TypeAlias = Literal["error", "warning"]

#: every kind of finding
KINDS: tuple[str, ...] = get_args(Kind)

#: What is registered under one key, by registry, in the order they are asked.
Registered: TypeAlias = "list[tuple[Part, list[Registration]]]"


class Problem(NamedTuple):
    """Something wrong with what is registered under a key."""

    kind: Kind
    severity: Severity
    places: list[str]
    #: what is wrong, and what to do: a sentence each
    problem: str
    advice: str


def problems(key: Hashable, registered: Registered) -> Iterator[Problem]:
    """Make every check."""
    dispatch = getattr(key, "__reg_dispatch__", None)
    everything = [each for _, registrations in registered for each in registrations]
    if isinstance(dispatch, DispatchSpec):
        for registration in everything:
            yield from _wrong_number_of_classes(dispatch, registration)
            for component, places in _called(registration):
                yield from _wrong_arguments(dispatch, registration, component, places)
                yield from _wrong_kind_of_function(dispatch, component, places)
    yield from _hidden(key, registered)
    yield from _identical(registered)
    yield from _missing_classes(everything)
    yield from _same_predicates(everything)
    for part, registrations in registered:
        yield from _decided_by_the_first_argument(part, registrations)


def _wrong_number_of_classes(
    dispatch: DispatchSpec, registration: Registration
) -> Iterator[Problem]:
    fewest, most = _numbers_of_arguments(dispatch)
    given = len(registration.classes)
    if fewest <= given <= most:
        return
    if most == sys.maxsize:
        taken = f"at least {_many(fewest, 'argument')}"
    else:
        taken = "" if fewest == most else f"{fewest} to "
        taken += _many(int(most), "argument")
    yield Problem(
        "unreachable",
        "error",
        [registration.place],
        f"{short_name(registration.component)} is registered for"
        f" {_many(given, 'class', 'classes')}, but {short_name(dispatch.generic)} dispatches on"
        f" {taken}",
        "Register it for one class for each argument that dispatches.",
    )


def _numbers_of_arguments(dispatch: DispatchSpec) -> tuple[int, int]:
    """The smallest and the greatest number of arguments that can dispatch in a call."""
    if dispatch.names:
        return len(dispatch.names), len(dispatch.names)
    parameters = dispatch.signature.parameters
    # A lookup is passed by keyword, and to the lookup's own ends.
    order = [parameters[name] for name in dispatch.order if name != "lookup"]
    fewest = sum(each.default is each.empty for each in order)
    collects = any(each.kind is each.VAR_POSITIONAL for each in parameters.values())
    return fewest, sys.maxsize if collects else len(order)


def _called(registration: Registration) -> Iterator[tuple[Any, list[str]]]:
    """What a registration has a call run, as far as that can be known, with where it is."""
    component = registration.component
    if isinstance(component, PredicateMatcher):
        for _, value in component.registry.entries():
            yield value, [*_defined_at(value), registration.place]
    elif not isinstance(component, Matcher):
        yield component, [registration.place]


def _wrong_arguments(
    dispatch: DispatchSpec, registration: Registration, component: Any, places: list[str]
) -> Iterator[Problem]:
    name, generic = short_name(component), short_name(dispatch.generic)
    if isinstance(component, type) and issubclass(component, Matcher):
        yield Problem(
            "arguments",
            "error",
            places,
            f"{name} is a matcher class, which a call would make an instance of",
            "Register an instance of it.",
        )
        return
    if not callable(component):
        yield Problem(
            "arguments",
            "warning",
            places,
            f"{name} is registered for {generic}, but cannot be called",
            f"Register a function, or use a key of another kind than {generic}.",
        )
        return
    try:
        signature = signature_with_deferred(component)
    except (TypeError, ValueError):
        return
    if (error := _refusal(dispatch, registration, component, signature)) is not None:
        yield Problem(
            "arguments",
            "error",
            places,
            f"{name} cannot take the arguments of {generic}: {error}",
            f"Give it the parameters of {generic}{dispatch.signature}.",
        )
        return
    unknown = [each for each in _keywords(dispatch) if not _accepts(signature, each)]
    if unknown:
        yield Problem(
            "arguments",
            "warning",
            places,
            f"{name} does not take the keyword argument {', '.join(unknown)} of {generic}",
            "Add the parameter, so that a call that passes it works.",
        )
    if takes_keyword(dispatch.function, "lookup") and not takes_keyword(component, "lookup"):
        yield Problem(
            "arguments",
            "warning",
            places,
            f"{name} is not given the lookup, which {generic} itself has a parameter for",
            "Add a parameter lookup, and no **, so that what it calls can use the same one.",
        )


def _refusal(
    dispatch: DispatchSpec, registration: Registration, component: Any, signature: inspect.Signature
) -> TypeError | None:
    """What calls as the generic function allows them would raise."""
    parameters = dispatch.signature.parameters
    if dispatch.names:
        order = [parameters[name] for name in dispatch.order if name != "lookup"]
        numbers = {sum(each.default is each.empty for each in order), len(order)}
    else:
        fewest, most = _numbers_of_arguments(dispatch)
        if not fewest <= len(registration.classes) <= most:
            return None
        numbers = {len(registration.classes)}
    keywords = [
        each.name
        for each in parameters.values()
        if each.kind is each.KEYWORD_ONLY and each.default is each.empty and each.name != "lookup"
    ]
    keywords += [name for name in ("lookup", "call_next") if takes_keyword(component, name)]
    for number in sorted(numbers):
        try:
            signature.bind(*[None] * number, **dict.fromkeys(keywords))
        except TypeError as error:
            return error
    return None


def _keywords(dispatch: DispatchSpec) -> list[str]:
    """The keyword arguments that a call of the generic function may have, or leave out."""
    return [
        each.name
        for each in dispatch.signature.parameters.values()
        if each.kind is each.KEYWORD_ONLY
        and each.default is not each.empty
        and each.name not in ("lookup", "default")
    ]


def _accepts(signature: inspect.Signature, name: str) -> bool:
    parameter = signature.parameters.get(name)
    collects = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
    return collects or (parameter is not None and parameter.kind is not parameter.POSITIONAL_ONLY)


def _wrong_kind_of_function(
    dispatch: DispatchSpec, component: Any, places: list[str]
) -> Iterator[Problem]:
    expected = inspect.iscoroutinefunction(dispatch.function)
    # Of anything but a function, what it returns cannot be known.
    if not inspect.isfunction(component) or inspect.iscoroutinefunction(component) is expected:
        return
    name, generic = short_name(component), short_name(dispatch.generic)
    is_one, is_none = (generic, name) if expected else (name, generic)
    yield Problem(
        "coroutine",
        "warning",
        places,
        f"{is_one} is a coroutine function, and {is_none} is none",
        f"Define {name} with {'async def' if expected else 'def'}, as {generic} is.",
    )


def _hidden(key: Hashable, registered: Registered) -> Iterator[Problem]:
    """What an earlier lookup hides by what it has for a base class.

    Something for the very same classes is what composing is for.
    """
    for index, (part, registrations) in enumerate(registered):
        for registration in registrations if index else ():
            classes = _loaded(registration.classes)
            if classes is None:
                continue
            earlier = (
                (before, each)
                for before, _ in registered[:index]
                for each in before.class_lookup._reg_store.matching(key, classes)
                if not isinstance(each.component, Matcher)
                and not takes_keyword(each.component, "call_next")
            )
            before, first = next(earlier, (part, registration))
            if before is part or first.classes == registration.classes:
                continue
            yield Problem(
                "unreachable",
                "warning",
                [registration.place, first.place],
                f"{short_name(registration.component)} for {_tuple(registration.classes)} in"
                f" {part.name} is never called, since {before.name} is asked first and has"
                f" {short_name(first.component)} for {_tuple(first.classes)}",
                f"Register it in {before.name} too, or give {short_name(first.component)} a"
                " parameter call_next.",
            )


def _identical(registered: Registered) -> Iterator[Problem]:
    known: dict[tuple[RegisteredClass, ...], list[tuple[Part, Registration]]] = {}
    for part, registrations in registered:
        for registration in registrations:
            before = known.setdefault(registration.classes, [])
            for other, same in before:
                if same.component is registration.component:
                    yield Problem(
                        "identical",
                        "warning",
                        [registration.place, same.place],
                        f"{short_name(registration.component)} is registered for"
                        f" {_tuple(registration.classes)} in both {other.name} and {part.name}",
                        "Remove one of the registrations.",
                    )
                    break
            before.append((part, registration))


def _missing_classes(registrations: list[Registration]) -> Iterator[Problem]:
    reasons: dict[NamedClass, tuple[str, str] | None] = {}
    for registration in registrations:
        for cls in registration.classes:
            if not isinstance(cls, NamedClass):
                continue
            if cls not in reasons:
                reasons[cls] = _why_missing(cls)
            if (reason := reasons[cls]) is not None:
                problem = f"{short_name(registration.component)} is registered for {str(cls)!r},"
                yield Problem(
                    "missing-class",
                    "error",
                    [registration.place],
                    f"{problem} {reason[0]}",
                    reason[1],
                )


def _why_missing(name: NamedClass) -> tuple[str, str] | None:
    """What is wrong with the name of a class, and what to do; ``None`` if all is well."""
    package = name.module.partition(".")[0]
    if loaded_class(name) is not None:
        return None
    if package not in sys.modules and importlib.util.find_spec(package) is None:
        return None  # not installed: that is what names are for
    try:
        found: Any = importlib.import_module(name.module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name.module}.".startswith(f"{error.name}."):
            return f"but {package} has no module {error.name}", "Correct the module's name."
        return f"but {name.module} cannot be imported: {error}", "Install what it needs."
    except Exception as error:
        return f"but importing {name.module} raises {error!r}", f"Find out why; see {package}."
    if loaded_class(name) is not None:
        return None
    attributes = [each for each in dir(found) if isinstance(getattr(found, each, None), type)]
    for attribute in name.qualified_name.split("."):
        found = getattr(found, attribute, None)
    if isinstance(found, type):
        own = f"{found.__module__}:{found.__qualname__}"
        if own == name:
            return None
        return "under which the class is not kept", f"Use its own name, {own!r}."
    similar = difflib.get_close_matches(name.qualified_name, attributes, 1)
    advice = f"Did you mean {similar[0]}?" if similar else "Correct the name of the class."
    return f"but {name.module} has no such class", advice


def _same_predicates(registrations: list[Registration]) -> Iterator[Problem]:
    seen: set[int] = set()
    for registration in registrations:
        matcher = registration.component
        if not isinstance(matcher, PredicateMatcher) or id(matcher) in seen:
            continue
        seen.add(id(matcher))
        known: dict[Any, list[Any]] = {}
        for predicates, value in matcher.registry.entries():
            known.setdefault(_hashable(predicates), []).append((predicates, value))
        for same in known.values():
            if len(same) > 1:
                names = ", ".join(short_name(value) for _, value in same)
                asked = ", ".join(f"{name}={value!r}" for name, value in same[0][0].items())
                yield Problem(
                    "predicates",
                    "error",
                    [
                        *(place for _, value in same for place in _defined_at(value)),
                        registration.place,
                    ],
                    f"{names} are registered for the same predicates, {asked}",
                    "Remove all but one, or tell them apart by a predicate.",
                )


def _hashable(predicates: dict[str, Any]) -> Any:
    values = tuple(predicates.values())
    try:
        hash(values)
    except TypeError:
        # An index of one's own may take anything.
        return repr(values)
    return values


def _decided_by_the_first_argument(
    part: Part, registrations: list[Registration]
) -> Iterator[Problem]:
    for winner, losers, more in crossings(registrations):
        loser, meet = losers[0]
        others = f"; there are at least {more} more like it" if more else ""
        yield Problem(
            "first-argument",
            "warning",
            [winner.place, *(each.place for each, _ in losers)],
            f"for {_tuple(meet)} both {short_name(winner.component)} {_tuple(winner.classes)} and"
            f" {short_name(loser.component)} {_tuple(loser.classes)} apply in {part.name}: the"
            f" first argument decides for {short_name(winner.component)}, a later one would"
            f" decide for {short_name(loser.component)}{others}",
            f"Register something for {_tuple(meet)}.",
        )


def _loaded(classes: tuple[RegisteredClass, ...]) -> tuple[type, ...] | None:
    found = [loaded_class(cls) if isinstance(cls, NamedClass) else cls for cls in classes]
    return None if None in found else tuple(cls for cls in found if cls is not None)


def _defined_at(component: Any) -> list[str]:
    place = definition_of(component)
    return [] if place is None else [f"{place[0]}:{place[1]}"]


def _tuple(classes: tuple[RegisteredClass, ...]) -> str:
    return f"({', '.join(short_names(classes))})"


def _many(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"
