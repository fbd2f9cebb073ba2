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

from .._declared import DeclaredMatcher, answers, failing, has_declared, values_of
from .._definitions import definition_of
from .._dispatch_spec import dispatch_of, is_plain_function
from .._errors import describe
from .._matching import Matcher, Query, resolve_matchers
from ..arginfo import takes_keyword
from ..lookup import classes_of, has_default_behaviour
from ..predicate import PredicateMatcher
from .inapplicable import argument_name, inapplicable
from .names import short_name
from .provenance import (
    Located,
    Source,
    completed_classes,
    located,
    lookup_name,
)
from .reasons import outcome_of
from .recording import RecordingMatcher
from .resolution import Candidate, Resolution

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
    :return: lines for an error, with a note on the key, if there is one; none if nothing is
      registered under the key.
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
    notes = [f"note: {note}" for note in resolution.notes]
    return [*notes, "the nearest are:", *lines] if lines else notes


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
        outcome, reason = outcome_of(recorder, first, classes, key)
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
    if is_plain_function(key):
        notes += (
            f"{short_name(key)} is a plain function, so that a call of it runs itself; decorate it"
            " with @reg.generic to have it dispatch",
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
