"""Telling which component a look-up finds, and why.

Order, matchers and answers are those of the call: the candidates come from
the lookup itself, and go through :func:`reg.lookup.match`. What is added here
is where each came from, and what it means.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from .._classes import NamedClass, RegisteredClass, loaded_class
from .._dispatch_spec import DispatchSpec
from .._matching import Matcher, Query, resolve_matchers
from .._store import Registration, ranking
from ..arginfo import takes_keyword
from ..lookup import Lookup, classes_of, has_default_behaviour
from ..registry import ClassRegistry, definition_of
from .provenance import Found, Part, find, name_of, parts
from .resolution import Candidate, Outcome, Resolution, full_name, short_name, short_names

__all__ = ["explain", "explain_classes", "nearest"]


# So many of what does not fit are shown in an error.
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

    :param lookup: any lookup. Of a stranger's, only what its ``all()`` and
      ``component()`` say is known.
    """
    classes = classes_of(args, class_method)
    found = find(lookup, key, classes, args)
    witnesses = [_Witness(each) for each in found]
    stand_ins = [each.found.component if each.matcher is None else each for each in witnesses]
    for _ in resolve_matchers(stand_ins, args, predicates):
        pass
    if not has_default_behaviour(lookup):
        _move_what_it_finds_itself(witnesses, lookup, key, args, predicates, class_method)
    return _resolution(lookup, key, classes, witnesses)


def explain_classes(lookup: Any, key: Hashable, classes: tuple[type, ...]) -> Resolution:
    """Explain a look-up for classes; see :meth:`reg.Lookup.explain_classes`."""
    witnesses = [_Witness(each) for each in find(lookup, key, classes, None)]
    return _resolution(lookup, key, classes, witnesses)


def nearest(lookup: Any, key: Hashable, classes: tuple[type, ...]) -> list[str]:
    """The lines that an error shows of what came nearest."""
    lines = []
    misfits = _misfits(lookup, key, classes)
    for candidate in explain_classes(lookup, key, classes).candidates:
        if isinstance(candidate.registered, Matcher):
            reason = "the matcher had no answer for these arguments"
        else:
            reason = "fits now: it was registered after this look-up"
        lines.append(_nearest_line(candidate, reason))
    lines += [_nearest_line(each, each.reason) for each in misfits[:_SHOWN]]
    if len(misfits) > _SHOWN:
        lines.append(f"  and {len(misfits) - _SHOWN} more that do not fit")
    return ["the nearest are:", *lines] if lines else []


class _Witness(Matcher):
    """Stands in for a candidate while the lookup's own code decides, and writes down what is said.

    An error of a matcher's does not end the explanation; it is part of it.
    """

    def __init__(self, found: Found) -> None:
        self.found = found
        self.matcher = found.component if isinstance(found.component, Matcher) else None
        #: what the candidate stands for; a matcher, until it is asked, for nothing
        self.answer: Any = found.component if self.matcher is None else None
        self.keywords: Mapping[str, Any] | None = None
        self.error: Exception | None = None
        #: says what a lookup with a way of its own did with it
        self.verdict: str | None = None

    def predicates(self, *args: Any) -> Mapping[str, Any]:
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
        if self.matcher is not None and self.error is None:
            self.keywords = predicates
            try:
                self.answer = self.matcher(*args, **predicates)
            except Exception as error:
                self.error = error
        return self.answer


def _move_what_it_finds_itself(
    witnesses: list[_Witness],
    lookup: Any,
    key: Hashable,
    args: tuple[Any, ...],
    predicates: Mapping[str, Any] | None,
    class_method: bool,
) -> None:
    """Have the last word spoken by a lookup that has a ``component()`` of its own."""
    keywords: dict[str, Any] = {"class_method": True} if class_method else {}
    if predicates is not None:
        keywords["predicates"] = predicates
    marker = object()
    component = lookup.component(key, args, marker, **keywords)
    method = f"{type(lookup).__name__}.component()"
    for witness in witnesses:
        if witness.answer is component:
            return
        witness.verdict = f"passed over by {method}"
    if component is not marker:
        witness = _Witness(Found(component, None, Part(name_of(lookup), lookup)))
        witness.answer = component
        witnesses.insert(0, witness)


def _resolution(
    lookup: Any, key: Hashable, classes: tuple[type, ...], witnesses: list[_Witness]
) -> Resolution:
    dispatch = _dispatch(key)
    fallback = None if dispatch is None else dispatch.function
    first: _Witness | None = None
    candidates: list[Candidate] = []
    for index, witness in enumerate(witnesses):
        outcome, reason = _outcome(witness, first, classes, key)
        if outcome in ("chosen", "failed"):
            first = witness
        if outcome == "chosen" and any(each.outcome == "undecided" for each in candidates):
            outcome, reason = "undecided", "found if no matcher before it has an answer"
        found = witness.found
        candidates.append(
            Candidate(
                registered=found.component,
                component=witness.answer,
                classes=None if found.registration is None else found.registration.classes,
                **_place(found),
                lookup=found.part.name,
                outcome=outcome,
                reason=reason,
                predicates=witness.keywords,
                error=witness.error,
                call_next=_call_next(witness, witnesses[index + 1 :], fallback),
            )
        )
    return Resolution(
        key=key,
        classes=classes,
        lookup=name_of(lookup),
        candidates=tuple(candidates),
        misfits=tuple(_misfits(lookup, key, classes)),
        fallback=fallback,
    )


def _outcome(
    witness: _Witness, first: _Witness | None, classes: tuple[type, ...], key: Hashable
) -> tuple[Outcome, str]:
    """What becomes of a candidate, and why; ``first`` is the one that is found."""
    if witness.error is not None:
        if first is None:
            return "failed", f"raises {witness.error!r}"
        return "beaten", f"{_why_later(witness, first, classes, key)}; raises {witness.error!r}"
    if witness.verdict is not None:
        return "beaten", witness.verdict
    if witness.matcher is not None and witness.keywords is None:
        if first is None:
            return "undecided", "a matcher: decides by the arguments, not by classes alone"
        return "beaten", _why_later(witness, first, classes, key)
    if witness.answer is None:
        return "declined", "has no answer for these arguments"
    if first is None:
        return "chosen", "comes first"
    return "beaten", _why_later(witness, first, classes, key)


def _why_later(witness: _Witness, first: _Witness, classes: tuple[type, ...], key: Hashable) -> str:
    """Why a candidate comes after the one that is found."""
    if first.error is not None:
        return "not reached: an error comes first"
    mine, other = witness.found, first.found
    if mine.part.class_lookup is not other.part.class_lookup:
        return f"{other.part.name} is asked before {mine.part.name}"
    if mine.registration is None or other.registration is None:
        return f"comes later in what {mine.part.name} gives"
    pairs = zip(mine.registration.classes, other.registration.classes, classes, strict=True)
    for position, (less, more, cls) in enumerate(pairs):
        if less != more:
            return (
                f"{_argument(key, position)}: {short_name(less)} comes after {short_name(more)}"
                f" in the MRO of {short_name(cls)}"
            )
    return f"comes later in what {mine.part.name} gives"


def _call_next(witness: _Witness, later: list[_Witness], fallback: Any) -> str | None:
    if witness.answer is None or not takes_keyword(witness.answer, "call_next"):
        return None
    for each in later:
        if each.error is not None:
            return f"{short_name(each.matcher)}, which raises {each.error!r}"
        if each.answer is not None:
            return short_name(each.answer)
        if each.keywords is None:
            return f"what {short_name(each.matcher)} decides"
    return "ComponentLookupError" if fallback is None else f"{short_name(fallback)}, the fallback"


def _misfits(lookup: Any, key: Hashable, classes: tuple[type, ...]) -> list[Candidate]:
    """What is registered under a key for other classes, the nearest first."""
    fits: dict[tuple[RegisteredClass, type], bool] = {}
    found: list[tuple[tuple[int, int, int], Candidate]] = []
    for part in parts(lookup) if isinstance(lookup, Lookup) else ():
        if not isinstance(part.class_lookup, ClassRegistry):
            continue
        for registration in part.class_lookup.registrations():
            if registration.key != key:
                continue
            wrong = []
            for position, pair in enumerate(zip(registration.classes, classes, strict=False)):
                if pair not in fits:
                    fits[pair] = bool(ranking([pair[0]])(pair[1]))
                if not fits[pair]:
                    wrong.append(position)
            difference = abs(len(registration.classes) - len(classes))
            if not wrong and not difference:
                continue
            reason, related = _why_not(registration, classes, wrong)
            candidate = Candidate(
                registered=registration.component,
                component=None,
                classes=registration.classes,
                filename=registration.filename,
                lineno=registration.lineno,
                lookup=part.name,
                outcome="misfit",
                reason=reason,
            )
            found.append(((difference, len(wrong), not related), candidate))
    return [candidate for _, candidate in sorted(found, key=lambda each: each[0])]


def _why_not(
    registration: Registration, classes: tuple[type, ...], wrong: list[int]
) -> tuple[str, bool]:
    """Why a registration does not apply, and whether it is for a subclass of what was asked."""
    if len(registration.classes) != len(classes):
        many = (
            "1 class" if len(registration.classes) == 1 else f"{len(registration.classes)} classes"
        )
        reason = f"is registered for {many}, looked up for {len(classes)}"
        dispatch = _dispatch(registration.key)
        by_position = 0 if dispatch is None or dispatch.names else len(dispatch.parameters)
        if len(classes) < len(registration.classes) <= by_position:
            reason += "; what is passed by keyword or left to its default does not dispatch"
        return reason, False
    position = wrong[0]
    registered, cls = registration.classes[position], classes[position]
    argument = _argument(registration.key, position)
    mine, other = short_name(cls), short_name(registered)
    if mine == other:
        mine, other = full_name(cls), full_name(registered)
    if isinstance(registered, NamedClass):
        if loaded_class(registered) is None:
            return f"{argument}: {other} is not loaded, so {mine} is none", False
    elif cls in registered.__mro__:
        return f"{argument}: {mine} is a base of {other}, not a subclass", True
    return f"{argument}: {mine} is no subclass of {other}", False


def _nearest_line(candidate: Candidate, reason: str) -> str:
    classes = ", ".join(short_names(candidate.classes or ()))
    place = f", at {candidate.place}" if candidate.place else ""
    return f"  {candidate.name} for ({classes}){place}: {reason}"


def _place(found: Found) -> dict[str, Any]:
    if found.registration is not None:
        return {"filename": found.registration.filename, "lineno": found.registration.lineno}
    filename, lineno = definition_of(found.component) or (None, None)
    return {"filename": filename, "lineno": lineno}


def _argument(key: Hashable, position: int) -> str:
    dispatch = _dispatch(key)
    if dispatch is not None and position < len(dispatch.parameters):
        return dispatch.parameters[position]
    return f"argument {position + 1}"


def _dispatch(key: Hashable) -> DispatchSpec | None:
    dispatch = getattr(key, "__reg_dispatch__", None)
    return dispatch if isinstance(dispatch, DispatchSpec) else None
