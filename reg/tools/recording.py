"""Matchers that record how they were asked, for an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._matching import Matcher, Query
from .._refinements import RefinedMatcher
from .provenance import Located

__all__ = ["RecordingMatcher"]


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
        #: true if its answer depends on the arguments, and not on their classes alone
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
