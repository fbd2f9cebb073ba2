"""Registrations that do not apply to a look-up, and why: the closest come first."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from .._classes import NamedClass, RegisteredClass, loaded_class
from .._dispatch_spec import dispatch_of
from .._refinements import base_of
from .._store import Registration
from ..lookup import Lookup
from .names import full_name, short_name
from .provenance import applies, for_classes, registrations
from .redefined import former_class, is_former_generic
from .resolution import Candidate

__all__ = ["argument_name", "inapplicable"]


def inapplicable(lookup: Any, key: Hashable, classes: tuple[type, ...]) -> list[Candidate]:
    """List the registrations under a key that do not apply to classes.

    :param lookup: the lookup. Of a third-party lookup, nothing is known.
    :param key: the key. Registrations under a former or later generic function
      of the same name are in the list too.
    :param classes: the classes that were looked up.
    :return: the registrations with the reasons, the closest first.
    """
    if not isinstance(lookup, Lookup):
        return []
    known: dict[tuple[RegisteredClass, type], bool] = {}
    ranked: list[tuple[tuple[int, int, int], Candidate]] = []
    registered = registrations(lookup)
    counts = 0
    for _, registration in registered:
        counts |= registration.counts if registration.key == key else 0
    for source, registration in registered:
        reason = _why_another_key(registration.key, key)
        former_key = registration.key != key
        if former_key and not reason:
            continue
        wrong = []
        written = for_classes(registration, classes)
        for position, pair in enumerate(zip(written.classes, classes, strict=False)):
            if pair not in known:
                known[pair] = applies(*pair)
            if not known[pair]:
                wrong.append(position)
        difference = abs(len(written.classes) - len(classes))
        if former_key:
            is_close = True
        elif difference:
            reason, is_close = _why_not_as_many(registration, classes, counts), False
        elif wrong:
            reason, is_close = _why_inapplicable(written, classes, wrong)
        else:
            continue
        candidate = Candidate(
            registered=registration.component,
            component=None,
            classes=registration.classes,
            unions=registration.unions,
            rest=registration.rest,
            filename=registration.filename,
            lineno=registration.lineno,
            lookup=source.name,
            outcome="inapplicable",
            reason=reason,
        )
        ranked.append(((difference, len(wrong), not is_close), candidate))
    return [candidate for _, candidate in sorted(ranked, key=lambda pair: pair[0])]


def _why_another_key(registered: Hashable, key: Hashable) -> str:
    """Why a registration is under another version of a generic function; ``""`` if it is not."""
    if registered == key:
        return ""
    name = full_name(key)
    if is_former_generic(registered, key):
        return f"is registered under a {name} that was defined again since; register it again"
    if is_former_generic(key, registered):
        return f"is registered under the present {name}, and this is a former one; import it again"
    return ""


def _why_inapplicable(
    registration: Registration, classes: tuple[type, ...], wrong: list[int]
) -> tuple[str, bool]:
    """Why a registration does not apply, and whether it comes close by its class."""
    position = wrong[0]
    registered, cls = base_of(registration.classes[position]), classes[position]
    argument = argument_name(registration.key, position)
    mine, other = short_name(cls), short_name(registered)
    if (former := former_class(registered, cls)) is not None:
        return (
            f"{argument}: {full_name(former)} is another class of the same name, defined again"
            " since or before; register for the present one",
            True,
        )
    if mine == other:
        mine, other = full_name(cls), full_name(registered)
    if isinstance(registered, NamedClass):
        if loaded_class(registered) is None:
            return f"{argument}: {other} is not loaded, so {mine} cannot be a subclass", False
    elif cls in registered.__mro__:
        return f"{argument}: {mine} is a base of {other}, not a subclass", True
    if issubclass(cls, type):
        return f"{argument} is a class itself, and no instance of {other}", False
    return f"{argument}: {mine} is no subclass of {other}", False


def _why_not_as_many(registration: Registration, classes: tuple[type, ...], counts: int) -> str:
    """Why a registration for another number of classes does not apply.

    :param counts: the numbers of classes that something is registered for, as bits.
    """
    count = len(registration.classes)
    reason = (
        f"is registered for {count}{' or more' if registration.rest else ''}"
        f" class{'' if count == 1 else 'es'}, looked up for {len(classes)}"
    )
    dispatch = dispatch_of(registration.key)
    if dispatch is None or dispatch.names or not len(classes) < count <= len(dispatch.parameters):
        return reason
    if counts >> len(classes) & 1:
        reason += (
            ": an argument passed by keyword or left to its default does not dispatch where"
            f" something is registered for {len(classes)}"
        )
    elif dispatch.parameters[0] == "self" and len(classes) == count - 1:
        reason += ": ask for a method through its class, with the instance as the first argument"
    return reason


def argument_name(key: Hashable, position: int) -> str:
    """Name an argument that dispatches.

    :param key: a key, often a generic function.
    :param position: the position of the argument's class in a registration.
    :return: the name of the parameter, if the key has one; else its number.
    """
    dispatch = dispatch_of(key)
    if dispatch is not None and position < len(dispatch.parameters):
        return dispatch.parameters[position]
    return f"argument {position + 1}"
