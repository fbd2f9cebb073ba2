"""Lookups that have to be asked every time: third-party ones, and subclasses with own methods."""

from __future__ import annotations

from hypothesis.stateful import rule

import reg

from . import model, third_party
from .figures import explore
from .machine import INDEX, Machine


class ThirdPartyMachine(Machine):
    """They are given, implicit, in scopes and threads, while their answers change."""

    shapes = ("one", "two", "many", "named", "with keyword", "of class", "of named class", "method")
    remembered_questions = 4

    def compose(self):
        self.add_list([1, 0])
        #: the class lookups that they may ask
        self.class_lookups = self.lookups[1:]
        self.lookups, self.over = [], []
        for real, expected in self.class_lookups[::2]:
            for kind in third_party.THIRD_PARTY:
                self.add(real, expected, kind(real))

    @rule(which=INDEX, number=INDEX)
    def have_it_ask_another(self, which, number):
        level = which % len(self.over)
        self.lookups[level] = self.pick_from(self.class_lookups, number)
        self.over[level].class_lookup = self.lookups[level][0]

    # The expected answers

    def same(self, actual, expected):
        """Both return or raise the same; matchers may be asked more than once."""
        self.figures["comparisons"] += 1
        assert self.outcome(actual)[0] == self.outcome(expected)[0]

    def every(self, asked, given=None):
        return third_party.every(asked.lookup, asked.found, asked.arguments, given, self.log)

    def resolved(self, asked, given=None):
        return third_party.chain(asked.lookup, asked.found, asked.arguments, given, self.log)

    def expected_call(self, asked, end=None, default=model.NO_DEFAULT):
        shape, end = asked.key.shape, asked.key.end if end is None else end
        received = shape.received(asked.args, asked.keywords)
        components = self.resolved(asked)
        return third_party.call(asked.lookup, shape, components, end, received, default)

    # In which ways

    @property
    def ways(self):
        return [*super().ways, self.call_by_base]

    def call_by_base(self, asked):
        reg.implicit.initialize(asked.lookup)
        reg.implicit.reset()

        def call():
            return asked.key.call(asked.args, asked.keywords)

        def call_in_thread():
            # Where another was assigned before.
            self.thread.submit(reg.implicit.reset).result()
            return self.thread.submit(call).result()

        self.same(call, lambda: self.expected_call(asked))
        self.same(call_in_thread, lambda: self.expected_call(asked))
        reg.implicit.clear()

    def explain(self, asked):
        args, keywords = asked.key.shape.dispatched(asked.arguments, self.turn)
        explain = asked.key.generic.explain

        def actual():
            found = explain(*args, **keywords, lookup=asked.lookup, predicates=asked.given)
            return found.component

        self.same(actual, lambda: next(self.real_answers(asked, asked.given), None))


def test_lookups_that_have_to_be_asked_agree_with_the_model():
    explore(ThirdPartyMachine, examples=6)
