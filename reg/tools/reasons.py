"""The fate of a candidate in an explanation, and its reason in a few words."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from .._classes import SingleKey, UnionMember, class_of
from .._dispatch_spec import dispatch_of
from .._refinements import Refinement, base_of
from .inapplicable import argument_name
from .names import short_name
from .provenance import for_classes, registered_for
from .recording import RecordingMatcher
from .resolution import Outcome

__all__ = ["outcome_of"]


def outcome_of(
    recorder: RecordingMatcher,
    first: RecordingMatcher | None,
    classes: tuple[type, ...],
    key: Hashable,
) -> tuple[Outcome, str]:
    """The outcome of a candidate and its reason; ``first`` is the one that is found."""
    if recorder.error is not None:
        if first is None:
            return "failed", f"raises {recorder.error!r}"
        return "shadowed", f"{_why_later(recorder, first, classes, key)}; raises {recorder.error!r}"
    if recorder.override_reason is not None:
        return "shadowed", recorder.override_reason
    if recorder.failing is not None:
        return "declined", _why_refined(recorder, recorder.failing, key)
    if recorder.decides and not recorder.was_asked:
        if first is not None:
            return "shadowed", _why_later(recorder, first, classes, key)
        if recorder.refined is not None:
            position = next(iter(recorder.refined.refinements), len(classes) - 1)
            return "undecided", _why_refined(recorder, position, key)
        return "undecided", "a matcher: decides by the arguments, not by classes alone"
    if recorder.answer is None:
        return "declined", "has no answer for these arguments"
    if first is not None:
        return "shadowed", _why_later(recorder, first, classes, key)
    if dispatch_of(key) is not None and not callable(recorder.answer):
        return "chosen", "comes first; but a call fails, since it cannot be called"
    return "chosen", "comes first"


def _why_refined(recorder: RecordingMatcher, position: int, key: Hashable) -> str:
    """Which refinement decides, or does not hold."""
    registration = recorder.located.registration
    written: tuple[Any, ...] = () if registration is None else registration.classes
    name = argument_name(key, position)
    if recorder.was_asked:
        if position < len(written):
            return f"{name}: {written[position]} does not hold for the argument"
        return f"{name}: no refinement holds for the argument"
    if position < len(written):
        return f"{name}: {written[position]} depends on the argument, not on its class alone"
    return "depends on the arguments, not on their classes alone"


def _why_later(
    recorder: RecordingMatcher,
    first: RecordingMatcher,
    classes: tuple[type, ...],
    key: Hashable,
) -> str:
    """Why a candidate comes after the one that is found."""
    if first.error is not None:
        return "not reached: an error comes first"
    mine, other = recorder.located, first.located
    if mine.rank != other.rank and (
        mine.registration is other.registration or _predicates_first(key)
    ):
        return "its predicates are less specific"
    is_merged = mine.source.merged is not None and mine.source.merged is other.source.merged
    if mine.source.class_lookup is not other.source.class_lookup and not is_merged:
        return f"{other.source.name} is asked before {mine.source.name}"
    if mine.registration is None or other.registration is None:
        return f"comes later in the results of {mine.source.name}"
    registrations = mine.registration, other.registration
    keys = [for_classes(registration, classes).single_keys for registration in registrations]
    for position, (less, more, cls) in enumerate(zip(*keys, classes, strict=True)):
        if base_of(class_of(less)) == base_of(class_of(more)):
            if less != more:
                return f"{argument_name(key, position)}: {_why_key_later(less, more)}"
        else:
            less, more = class_of(less), class_of(more)
            return (
                f"{argument_name(key, position)}: {short_name(less)} comes after {short_name(more)}"
                f" in the MRO of {short_name(cls)}"
            )
    if mine.registration.rest and mine.registration.number != other.registration.number:
        return (
            f"{registered_for(mine.registration)}, for any number of arguments, comes after"
            f" {registered_for(other.registration)} for the same classes"
        )
    if is_merged:
        return f"{other.source.name} comes before {mine.source.name}, for the same classes"
    return f"comes later in the results of {mine.source.name}"


def _predicates_first(key: Hashable) -> bool:
    dispatch = dispatch_of(key)
    return dispatch is not None and dispatch.predicates_first


def _why_key_later(less: SingleKey, more: SingleKey) -> str:
    """Why one of two keys of the same class comes later: for a refinement, or a union."""
    cls, earlier = class_of(less), class_of(more)
    if cls != earlier:
        if not isinstance(cls, Refinement):
            return f"{short_name(cls)} comes after its refinement {earlier}"
        if isinstance(earlier, Refinement) and earlier.is_narrower_than(cls):
            return f"{cls} comes after {earlier}, which is narrower"
        return f"{cls} was registered after {earlier}"
    union = " | ".join(map(short_name, getattr(less, "union", ())))
    if not isinstance(more, UnionMember):
        return f"the union {union} comes after its member {short_name(more)} itself"
    other = " | ".join(map(short_name, more.union))
    return f"the union {union} was registered after {other}, which has {short_name(more.cls)} too"
