"""Rules of :func:`reg.check` about registrations: does one have an effect, and the one meant?"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Hashable, Iterator
from typing import Any

from .._classes import NamedClass, RegisteredClass, loaded_class
from .._definitions import definition_of
from .._dispatch_spec import is_plain_function
from .._refinements import names_in
from .._store import Registration
from ..arginfo import takes_keyword
from ..lookup import Matcher
from ..predicate import PredicateMatcher
from .ambiguity import ambiguities, ties
from .finding import Report, report
from .loaded import loaded_classes
from .names import full_name, names_of, short_name
from .provenance import Registered, Source, applicable, registered_for
from .redefined import current_class, current_generic, current_implementation

__all__ = ["definition_places", "registration_rules"]


def registration_rules(key: Hashable, registered: Registered) -> Iterator[Report]:
    """Check everything that is registered under one key.

    :param key: the key.
    :param registered: the registrations, by registry.
    :return: the findings.
    """
    registrations = [registration for _, group in registered for registration in group]
    yield from _plain_function(key, registrations)
    yield from _hidden(key, registered)
    yield from _identical(key, registered)
    yield from _missing_classes(registrations)
    yield from _redefined(key, registrations)
    yield from _redefined_implementations(key, registrations)
    yield from _same_predicates(registrations)
    for source, group in _sorted_together(registered):
        yield from _decided_by_first_argument(source, group)
        yield from _decided_by_order(source, group)


def _sorted_together(registered: Registered) -> Registered:
    """Put the registrations of a merged composition together, as those of one registry."""
    merged: dict[int, list[tuple[Source, list[Registration]]]] = {}
    for source, registrations in registered:
        outermost = source.class_lookup if source.merged is None else source.merged
        merged.setdefault(id(outermost), []).append((source, registrations))
    together: Registered = []
    for group in merged.values():
        if len(group) == 1:
            together += group
            continue
        first = group[0][0]
        name = f"{', '.join(source.name for source, _ in group)} merged"
        # For the same classes, the earlier registry wins.
        by_keys: dict[Any, Registration] = {}
        for _, registrations in group:
            for registration in registrations:
                by_keys.setdefault(registration.keys, registration)
        together.append((Source(name, first.merged, first.merged), list(by_keys.values())))
    return together


def definition_places(component: Any) -> list[str]:
    """The place where a function is defined, in a list; an empty list for other components."""
    place = definition_of(component)
    return [] if place is None else [f"{place[0]}:{place[1]}"]


def _plain_function(key: Hashable, registrations: list[Registration]) -> Iterator[Report]:
    if is_plain_function(key):
        name = short_name(key)
        yield report(
            "plain-function",
            "warning",
            key,
            [registration.place for registration in registrations],
            f"{name} is a plain function, so that a call of it runs itself, and never reaches what"
            " is registered under it",
            f"Decorate {name} with @reg.generic.",
        )


def _hidden(key: Hashable, registered: Registered) -> Iterator[Report]:
    """Find registrations hidden by an earlier lookup that has something for a base class.

    An earlier registration for the same classes overrides, as composing is for.
    """
    for index, (source, registrations) in enumerate(registered):
        for registration in registrations if index else ():
            classes = loaded_classes(registration.classes)
            if classes is None:
                continue
            earlier = (
                (before, other)
                for before, _ in registered[:index]
                if before.merged is None or before.merged is not source.merged
                for other in applicable(before.class_lookup, key, classes)
                if not isinstance(other.candidate, Matcher)
                and not takes_keyword(other.component, "call_next")
            )
            before, first = next(earlier, (source, registration))
            if before is source or first.classes == registration.classes:
                continue
            yield report(
                "unreachable",
                "warning",
                key,
                [registration.place, first.place],
                f"{short_name(registration.component)} for {registered_for(registration)} in"
                f" {source.name} is never called, since {before.name} is asked first and has"
                f" {short_name(first.component)} for {registered_for(first)}",
                f"Register it in {before.name} too, or give {short_name(first.component)} a"
                " parameter call_next.",
                cause=(first.place, id(first.component), before.name),
            )


def _identical(key: Hashable, registered: Registered) -> Iterator[Report]:
    known: dict[tuple[RegisteredClass, ...], list[tuple[Source, Registration]]] = {}
    for source, registrations in registered:
        for registration in registrations:
            before = known.setdefault(registration.classes, [])
            for other, same in before:
                if same.component is registration.component:
                    yield report(
                        "identical",
                        "warning",
                        key,
                        [registration.place, same.place],
                        f"{short_name(registration.component)} is registered for"
                        f" {registered_for(registration)} in both {other.name} and"
                        f" {source.name}",
                        "Remove one of the registrations.",
                        cause=(id(other.class_lookup), id(source.class_lookup)),
                    )
                    break
            before.append((source, registration))


def _missing_classes(registrations: list[Registration]) -> Iterator[Report]:
    reasons: dict[NamedClass, tuple[str, str] | None] = {}
    for registration in registrations:
        classes = registration.classes
        for cls in [name for registered in classes for name in names_in(registered)]:
            if cls not in reasons:
                reasons[cls] = _why_missing(cls)
            if (reason := reasons[cls]) is not None:
                yield report(
                    "missing-class",
                    "error",
                    registration.key,
                    [registration.place],
                    f"{short_name(registration.component)} is registered for {str(cls)!r},"
                    f" {reason[0]}",
                    reason[1],
                    cause=str(cls),
                )


def _why_missing(name: NamedClass) -> tuple[str, str] | None:
    """The problem with the name of a class, and the remedy; ``None`` if there is no problem."""
    package = name.module.partition(".")[0]
    if loaded_class(name) is not None:
        return None
    if package not in sys.modules and importlib.util.find_spec(package) is None:
        return None  # It is not installed, and names are for such classes.
    try:
        module: Any = importlib.import_module(name.module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name.module}.".startswith(f"{error.name}."):
            return f"but {package} has no module {error.name}", "Correct the module's name."
        return f"but {name.module} cannot be imported: {error}", "Install the missing module."
    except Exception as error:
        return f"but importing {name.module} raises {error!r}", f"Find out why; see {package}."
    if loaded_class(name) is not None:
        return None
    value = module
    for attribute in name.qualified_name.split("."):
        value = getattr(value, attribute, None)
    if isinstance(value, type):
        own = f"{value.__module__}:{value.__qualname__}"
        if own == name:
            return None
        return "under which the class is not kept", f"Use its own name, {own!r}."
    classes = [word for word in dir(module) if isinstance(getattr(module, word, None), type)]
    similar = difflib.get_close_matches(name.qualified_name, classes, 1)
    advice = f"Did you mean {similar[0]}?" if similar else "Correct the name of the class."
    return f"but {name.module} has no such class", advice


def _redefined(key: Hashable, registrations: list[Registration]) -> Iterator[Report]:
    """Find registrations for a class, or under a generic function, that was defined again."""
    if current_generic(key) is not None:
        yield report(
            "redefined",
            "error",
            key,
            [registration.place for registration in registrations],
            f"{full_name(key)} was defined again after {len(registrations)} registration"
            f"{'s were' if len(registrations) > 1 else ' was'} made under it, which no call finds",
            "Register again under the present one: run the cell or module of the registrations"
            " again.",
        )
    for registration in registrations:
        for cls in registration.classes:
            if current_class(cls) is not None:
                yield report(
                    "redefined",
                    "error",
                    key,
                    [registration.place],
                    f"{short_name(registration.component)} is registered for a class"
                    f" {full_name(cls)} that was defined again since, so that new instances do"
                    " not find it",
                    "Register for the present class: run the cell or module of the registration"
                    " again.",
                    cause=id(cls),
                )


def _redefined_implementations(
    key: Hashable, registrations: list[Registration]
) -> Iterator[Report]:
    """Find implementations that are registered beside the function that has taken their name."""
    for registration in registrations:
        current = current_implementation(registration.component)
        if current is None:
            continue
        present = next((other for other in registrations if other.component is current), None)
        if present is None:
            continue
        classes = ", ".join(map(short_name, registration.classes))
        yield report(
            "redefined",
            "warning",
            key,
            [registration.place, present.place],
            f"{short_name(registration.component)} was defined again: its former version is still"
            f" registered for {registered_for(registration)}, and called there, beside the present"
            f" one for {registered_for(present)}",
            f"Unregister it: registry.unregister({short_name(key)}, [{classes}]); or start the"
            " program again. If both are meant, give them two names.",
            cause=id(current),
        )


def _same_predicates(registrations: list[Registration]) -> Iterator[Report]:
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
                places = [place for _, value in same for place in definition_places(value)]
                yield report(
                    "predicates",
                    "error",
                    registration.key,
                    [*places, registration.place],
                    f"{names} are registered for the same predicates, {asked}",
                    "Remove all but one, or distinguish them by a predicate.",
                )


def _hashable(predicates: dict[str, Any]) -> Any:
    values = tuple(predicates.values())
    try:
        hash(values)
    except TypeError:
        # A custom index may take values that cannot be hashed.
        return repr(values)
    return values


def _decided_by_first_argument(
    source: Source, registrations: list[Registration]
) -> Iterator[Report]:
    order = {id(registration): index for index, registration in enumerate(registrations)}
    for chosen, shadowed, more in ambiguities(registrations):
        other, meet = shadowed[0]
        cause = min(order[id(registration)] for registration, _ in shadowed)
        others = f"; there are at least {more} more like it" if more else ""
        yield report(
            "first-argument",
            "warning",
            chosen.key,
            [chosen.place, *(registration.place for registration, _ in shadowed)],
            f"for {names_of(meet)} both {short_name(chosen.component)}"
            f" {registered_for(chosen)} and {short_name(other.component)}"
            f" {registered_for(other)} apply in {source.name}: the first argument decides for"
            f" {short_name(chosen.component)}, a later one would decide for"
            f" {short_name(other.component)}{others}",
            f"Register something for {names_of(meet)}.",
            cause=(chosen.key, id(source.class_lookup), cause),
        )


def _decided_by_order(source: Source, registrations: list[Registration]) -> Iterator[Report]:
    for chosen, other, classes in ties(source, registrations):
        remedy = ", or let one abstract class inherit from the other"
        if chosen.classes == other.classes:
            remedy = ", or leave it out of one of the unions"
        yield report(
            "registration-order",
            "warning",
            chosen.key,
            [chosen.place, other.place],
            f"for {names_of(classes)} both {short_name(chosen.component)}"
            f" {registered_for(chosen)} and {short_name(other.component)}"
            f" {registered_for(other)} apply in {source.name}, and only the order"
            f" of registration decides for {short_name(chosen.component)}",
            f"Register something for {names_of(classes)}{remedy}.",
            cause=(chosen.classes, other.classes),
        )
