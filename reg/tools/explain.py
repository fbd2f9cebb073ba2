"""Explanations: which component a look-up finds, and why.

Order, matchers and answers are those of the call: the candidates come from
the lookup itself, and go through :func:`reg._matching.resolve_matchers`. Each gets its
provenance and its reason here.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from .._classes import SingleKey, UnionMember, class_of, describe
from .._declared import DeclaredMatcher, answers, failing, has_declared, values_of
from .._definitions import definition_of
from .._matching import Matcher, Query, resolve_matchers
from .._refinements import RefinedMatcher, Refinement, base_of
from ..arginfo import takes_keyword
from ..lookup import classes_of, has_default_behaviour
from ..predicate import PredicateMatcher
from .inapplicable import argument_name, inapplicable
from .names import short_name
from .provenance import (
    Located,
    Source,
    completed_classes,
    dispatch_of,
    for_classes,
    located,
    lookup_name,
    registered_for,
)
from .resolution import Candidate, Outcome, Resolution

__all__ = [
    "closest_candidates",
    "explain",
    "explain_call",
    "explain_classes",
    "resolve_classes",
]

# The number of inapplicable registrations that an error shows.
_SHOWN = 5


def explain(
    lookup: Any,
    key: Hashable,
    args: tuple[Any, ...],
    predicates: Mapping[str, Any] | None = None,
    *,
    class_method: bool = False,
) -> Resolution:
    """Explain a look-up for arguments; see :meth:`reg.Lookup.explain`.

    :param lookup: any lookup. Of a third-party lookup, only the results of its
      ``all()`` and ``component()`` are known.
    :param key: the key to look up.
    :param args: the arguments that dispatch.
    :param predicates: given to matchers instead of those that they would
      compute.
    :param class_method: whether the first argument is itself the class.
    :return: the explanation.
    :raises TypeError: if a class is expected and an instance is given.
    :raises ValueError: if the lookup is composed of itself.
    """
    classes = classes_of(args, class_method)
    _refuse_instances(key, classes)
    candidates = located(lookup, key, classes, args)
    query = Query(args, predicates)
    recorders = [RecordingMatcher(candidate) for candidate in _by_predicates(candidates, query)]
    stand_ins = [
        recorder if recorder.decides else recorder.located.component for recorder in recorders
    ]
    for _ in resolve_matchers(stand_ins, args, predicates):
        pass
    if not has_default_behaviour(lookup):
        _apply_override(recorders, lookup, key, args, predicates, class_method)
    notes = _unknown_predicates(recorders, predicates)
    resolution = _resolution(lookup, key, classes, recorders, notes)
    resolution = _with_fallback(resolution, [one.candidate for one in candidates], query)
    return replace(resolution, inapplicable=tuple(inapplicable(lookup, key, classes)))


def explain_call(
    lookup: Any,
    key: Hashable,
    classes: tuple[type, ...],
    predicates: Mapping[str, Any] | None = None,
) -> Resolution:
    """Explain a call with arguments of classes; see :meth:`reg.Lookup.explain_classes`.

    :param lookup: as for :func:`explain_classes`, like the other parameters.
    :param key: the key to look up.
    :param classes: the classes of the arguments. Those of defaults, on which a call of a
      generic function with fewer arguments dispatches, are added.
    :param predicates: values by name.
    :return: the explanation, which notes the arguments whose classes were added.
    :raises TypeError: if an instance is given as a class.
    :raises ValueError: if the lookup is composed of itself.
    """
    _refuse_instances(key, classes)
    completed = completed_classes(lookup, key, classes)
    resolution = explain_classes(lookup, key, completed, predicates)
    dispatch = dispatch_of(key)
    if dispatch is None or len(completed) == len(classes):
        return resolution
    added = [
        f"{name}={default!r}"
        for name, default in zip(dispatch.parameters, dispatch.defaults, strict=True)
    ]
    note = f"the call dispatches on the default {' and '.join(added[len(classes) :])}, too"
    return replace(resolution, notes=(*resolution.notes, note))


def explain_classes(
    lookup: Any,
    key: Hashable,
    classes: tuple[type, ...],
    predicates: Mapping[str, Any] | None = None,
) -> Resolution:
    """Explain a look-up for just these classes.

    :param lookup: any lookup.
    :param key: the key to look up.
    :param classes: the classes of all arguments that dispatch.
    :param predicates: values by name; predicate matchers are asked with them,
      and use the defaults of the others. ``None`` leaves open the answers of
      all matchers.
    :return: the explanation.
    :raises TypeError: if an instance is given as a class.
    :raises ValueError: if the lookup is composed of itself.
    """
    resolution = resolve_classes(lookup, key, classes, predicates)
    return replace(resolution, inapplicable=tuple(inapplicable(lookup, key, classes)))


def resolve_classes(
    lookup: Any,
    key: Hashable,
    classes: tuple[type, ...],
    predicates: Mapping[str, Any] | None = None,
) -> Resolution:
    """Explain a look-up for classes, without the registrations that do not apply.

    :param lookup: as for :func:`explain_classes`, like the other parameters.
    :param key: the key to look up.
    :param classes: the classes of the arguments.
    :param predicates: values by name.
    :return: the explanation. It takes less time where much is registered.
    :raises TypeError: if an instance is given as a class.
    :raises ValueError: if the lookup is composed of itself.
    """
    _refuse_instances(key, classes)
    candidates, query = located(lookup, key, classes, None), Query((), predicates)
    # All others have to be asked with the arguments.
    decided = all(isinstance(one.candidate, DeclaredMatcher) for one in candidates)
    if predicates is not None and decided:
        candidates = _by_predicates(candidates, query)
    recorders = [RecordingMatcher(candidate) for candidate in candidates]
    if predicates is not None:
        asked = [r for r in recorders if isinstance(r.matcher, PredicateMatcher) and not r.refined]
        for _ in resolve_matchers(asked, (), predicates):
            pass
    notes = _unknown_predicates(recorders, predicates)
    return _resolution(lookup, key, classes, recorders, notes)


def _by_predicates(candidates: list[Located], query: Query) -> list[Located]:
    """Replace the matchers of declared predicates by the components that they find, in order.

    Those that find nothing come last, and say so.
    """
    if not has_declared(candidate.candidate for candidate in candidates):
        return candidates
    try:
        values = answers(tuple(candidates), query, lambda located: located.candidate)
        ordered = list(values)
    except Exception:
        # It is raised again, and recorded, by the first of the matchers.
        return candidates
    placed: list[Located] = []
    for one, component, rank in ordered:
        if isinstance(one.component, DeclaredMatcher):
            one = Located(component, one.registration, one.source, query.predicates, rank)
        placed.append(one)
    answering = {id(one.candidate) for one, _, _ in ordered}
    return placed + [one for one in candidates if id(one.candidate) not in answering]


def _with_fallback(resolution: Resolution, candidates: list[Any], query: Query) -> Resolution:
    """Name the fallback of a predicate, if it is the one that runs."""
    if resolution.chosen or resolution.error or not has_declared(candidates):
        return resolution
    predicate = failing(candidates, values_of(candidates, query))
    if predicate is None or predicate.fallback is None:
        return resolution
    value = (query.predicates or {}).get(predicate.name, predicate.default)
    note = f"nothing is registered for {predicate.name}={value!r}: its fallback runs"
    return replace(resolution, fallback=predicate.fallback, notes=(*resolution.notes, note))


def closest_candidates(lookup: Any, key: Hashable, classes: tuple[type, ...]) -> list[str]:
    """List the registrations that come closest to a look-up that found nothing.

    :param lookup: the lookup.
    :param key: the key that was looked up.
    :param classes: the classes it was looked up for.
    :return: lines for an error; none if nothing is registered under the key.
    """
    resolution = explain_classes(lookup, key, classes)
    lines = []
    for candidate in resolution.candidates:
        if candidate.outcome == "undecided" and not isinstance(candidate.registered, Matcher):
            reason = "it does not hold for these arguments"
        elif isinstance(candidate.registered, Matcher):
            reason = "the matcher had no answer for these arguments"
        else:
            reason = "it applies now: it was registered after this look-up"
        lines.append(_closest_line(candidate, reason))
    others = resolution.inapplicable
    lines += [_closest_line(candidate, candidate.reason) for candidate in others[:_SHOWN]]
    if len(others) > _SHOWN:
        lines.append(f"  and {len(others) - _SHOWN} more that do not apply")
    return ["the nearest are:", *lines] if lines else []


class RecordingMatcher(Matcher):
    """Replaces a candidate during resolution and records how it was asked.

    An error of a matcher does not end the explanation; it is part of it.

    :param located: the candidate.
    """

    def __init__(self, located: Located) -> None:
        component, candidate = located.component, located.candidate
        self.located = located
        self.matcher = component if isinstance(component, Matcher) else None
        #: asks whether refinements hold; ``None`` without refinements
        self.refined = candidate if isinstance(candidate, RefinedMatcher) else None
        #: whether only the arguments tell whether it is found
        self.decides = self.matcher is not None or self.refined is not None
        #: the resulting component; ``None`` for a matcher that was not asked
        self.answer: Any = None if self.decides else component
        self.was_asked = False
        #: the position of an argument for which a refinement does not hold
        self.failing: int | None = None
        self.keywords = located.predicates
        self.error: Exception | None = None
        #: why a lookup that overrides ``component()`` did not choose it
        self.override_reason: str | None = None

    def _reg_ask(self, query: Query) -> Any:
        self.was_asked = True
        if self.refined is not None:
            try:
                self.failing = self.refined.failing(query.args)
            except Exception as error:
                self.error = error
            if self.failing is not None or self.error is not None:
                return None
        if self.matcher is not None:
            return super()._reg_ask(query)
        self.answer = self.located.component
        return self.answer

    def predicates(self, *args: Any) -> Mapping[str, Any]:
        """Ask the matcher for its predicates, and record an error."""
        if self.matcher is None:
            return {}
        try:
            return self.matcher.predicates(*args)
        except Exception as error:
            self.error = error
            return {}

    def _reg_keywords(self, query: Query, predicates: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.matcher is None or self.error is not None:
            return {}
        try:
            return self.matcher._reg_keywords(query, predicates)
        except Exception as error:
            self.error = error
            return {}

    def __call__(self, *args: Any, **predicates: Any) -> Any:
        """Ask the matcher, and record its predicates and its answer or error."""
        if self.matcher is not None and self.error is None:
            self.keywords = predicates
            try:
                self.answer = self.matcher(*args, **predicates)
            except Exception as error:
                self.error = error
        return self.answer


def _apply_override(
    recorders: list[RecordingMatcher],
    lookup: Any,
    key: Hashable,
    args: tuple[Any, ...],
    predicates: Mapping[str, Any] | None,
    class_method: bool,
) -> None:
    """Let an overridden ``component()`` decide."""
    keywords: dict[str, Any] = {"class_method": True} if class_method else {}
    if predicates is not None:
        keywords["predicates"] = predicates
    nothing = object()
    component = lookup.component(key, args, nothing, **keywords)
    method = f"{type(lookup).__name__}.component()"
    for recorder in recorders:
        if recorder.answer is component:
            return
        recorder.override_reason = f"passed over by {method}"
    if component is not nothing:
        source = Source(lookup_name(lookup), lookup)
        recorder = RecordingMatcher(Located(component, None, source))
        recorder.answer = component
        recorders.insert(0, recorder)


def _refuse_instances(key: Hashable, classes: tuple[Any, ...]) -> None:
    for position, cls in enumerate(classes):
        # Not isinstance(): an instance can claim any __class__.
        if not issubclass(type(cls), type):
            raise TypeError(
                f"{describe(key)} is looked up for a class as its {argument_name(key, position)};"
                f" got {cls!r}, which is an instance: give its class, {short_name(type(cls))}"
            )


def _unknown_predicates(
    recorders: list[RecordingMatcher], predicates: Mapping[str, Any] | None
) -> tuple[str, ...]:
    """Name the given predicates that no matcher among the candidates knows."""
    matchers = [r.matcher for r in recorders if r.matcher is not None]
    if not predicates or not matchers:
        return ()
    known: list[str] = []
    for matcher in matchers:
        if not isinstance(matcher, PredicateMatcher):
            return ()  # It may take any predicate.
        known += [predicate.name for predicate in matcher.registry.predicates]
    notes = []
    for name in predicates:
        if name not in known:
            similar = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {similar[0]!r}?" if similar else ""
            notes.append(
                f"the predicate {name!r} is ignored, since no matcher here knows it; they know"
                f" {', '.join(dict.fromkeys(known)) or 'none'}{hint}"
            )
    return tuple(notes)


def _resolution(
    lookup: Any,
    key: Hashable,
    classes: tuple[type, ...],
    recorders: list[RecordingMatcher],
    notes: tuple[str, ...],
) -> Resolution:
    dispatch = dispatch_of(key)
    fallback = None if dispatch is None else dispatch.function
    first: RecordingMatcher | None = None
    candidates: list[Candidate] = []
    for index, recorder in enumerate(recorders):
        outcome, reason = _outcome(recorder, first, classes, key)
        if outcome in ("chosen", "failed"):
            first = recorder
        if outcome == "chosen" and any(before.outcome == "undecided" for before in candidates):
            outcome, reason = "undecided", "found if no matcher before it has an answer"
        registration, source = recorder.located.registration, recorder.located.source
        candidates.append(
            Candidate(
                registered=recorder.located.component,
                component=recorder.answer,
                classes=None if registration is None else registration.classes,
                unions=() if registration is None else registration.unions,
                rest=() if registration is None else registration.rest,
                **_place(recorder.located),
                lookup=source.name,
                outcome=outcome,
                reason=reason,
                predicates=recorder.keywords,
                error=recorder.error,
                call_next=_call_next(recorder, recorders[index + 1 :], fallback),
            )
        )
    return Resolution(
        key=key,
        classes=classes,
        lookup=lookup_name(lookup),
        candidates=tuple(candidates),
        inapplicable=(),
        fallback=fallback,
        notes=notes,
    )


def _outcome(
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


def _call_next(
    recorder: RecordingMatcher, later: list[RecordingMatcher], fallback: Any
) -> str | None:
    """Name the target of the ``call_next`` of a candidate that has the parameter."""
    if recorder.answer is None or not takes_keyword(recorder.answer, "call_next"):
        return None
    for following in later:
        if following.error is not None:
            return f"{short_name(following.located.component)}, which raises {following.error!r}"
        if following.answer is not None:
            return short_name(following.answer)
        if following.decides and not following.was_asked:
            return f"the answer of {short_name(following.located.component)}"
    return "ComponentLookupError" if fallback is None else f"{short_name(fallback)}, the fallback"


def _place(candidate: Located) -> dict[str, Any]:
    defined = definition_of(candidate.component)
    if candidate.predicates is not None and defined is not None:
        return dict(zip(("filename", "lineno"), defined, strict=True))
    if (registration := candidate.registration) is not None:
        return {"filename": registration.filename, "lineno": registration.lineno}
    filename, lineno = defined or (None, None)
    return {"filename": filename, "lineno": lineno}


def _closest_line(candidate: Candidate, reason: str) -> str:
    place = f", at {candidate.place}" if candidate.place else ""
    return f"  {candidate.name} for {candidate.registered_for}{place}: {reason}"
