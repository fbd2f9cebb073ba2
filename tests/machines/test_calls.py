"""Calls of generic functions of every kind, in every way, through matchers and predicates."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

import reg

from . import model
from .figures import explore
from .functions import SHAPES
from .machine import COMPONENTS, INDEX, VALUES, Machine


class CallsMachine(Machine):
    """Matchers are filled, and change their minds, between calls."""

    shapes = tuple(SHAPES)

    @rule(
        name=st.sampled_from(["p", "q", "other p"]), value=VALUES.filter(lambda v: v is not reg.ANY)
    )
    def change_what_a_predicate_says(self, name, value):
        self.values[name] = value

    @rule(
        registry=INDEX,
        number=INDEX,
        entry=st.dictionaries(st.sampled_from("pqr"), VALUES),
        drawn=COMPONENTS,
    )
    def fill_a_matcher(self, registry, number, entry, drawn):
        _, expected = self.pick_from(self.registries, registry)
        matchers = [
            (generic, component)
            for generic, _, component in expected.registered
            if isinstance(component, model.PredicateMatcher)
        ]
        if matchers:
            generic, matcher = self.pick_from(matchers, number)
            key = next(each for each in self.keys if each.generic is generic)
            self.fill_matcher(key, matcher, entry, drawn)


def test_calls_of_every_kind_agree_with_the_model():
    explore(CallsMachine, examples=35)
