"""Calls of generic functions of every kind, in every way, through matchers and predicates."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

import reg

from .figures import explore
from .functions import SHAPES
from .machine import VALUES, Machine


class CallsMachine(Machine):
    """Predicates change their minds between calls."""

    shapes = tuple(SHAPES)

    @rule(
        name=st.sampled_from(["p", "q", "other p"]), value=VALUES.filter(lambda v: v is not reg.ANY)
    )
    def change_the_value_of_a_predicate(self, name, value):
        self.values[name] = value


def test_calls_of_every_kind_agree_with_the_model():
    explore(CallsMachine, examples=16)
