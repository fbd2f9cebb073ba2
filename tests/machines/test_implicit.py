"""Which lookup a call asks that is given none, in every thread and scope."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

import reg

from . import model, third_party
from .figures import explore
from .machine import INDEX, Machine
from .third_party import THIRD_PARTY

THREADS = ("first", "second", "third")
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(THREADS),
        st.sampled_from(["initialize", "assign", "reset", "clear"]),
        INDEX,
    ),
    min_size=1,
    max_size=3,
)


class ImplicitMachine(Machine):
    """Three threads set, scope and ask for the implicit lookup."""

    shapes = ("one", "two", "many", "named", "method")
    remembered_questions = 3

    def compose(self):
        super().compose()
        self.asked_lookups = [kind(self.lookups[0][0]) for kind in THIRD_PARTY]
        self.implicit = model.Implicit(THREADS)
        self.workers = {
            name: self.put_back.enter_context(ThreadPoolExecutor(1)) for name in THREADS
        }
        self.entered = {name: [] for name in THREADS}

    def teardown(self):
        for thread in THREADS:
            while self.entered[thread]:
                self.leave(thread)
        super().teardown()

    def leave(self, thread, *error):
        scope = self.entered[thread].pop()
        assert not self.run(thread, scope.__exit__, *(error or (None, None, None)))

    def run(self, thread, function, *args):
        """Run something in one of the threads, each of which is the same all the time."""
        return self.workers[thread].submit(function, *args).result()

    def lookup(self, number):
        """One of the lookups, or none."""
        return self.pick_from([*self.over, *self.asked_lookups, None], number)

    # Changes

    @rule(changes=CHANGES)
    def change(self, changes):
        for thread, change, number in changes:
            lookup = self.lookup(number)
            if change == "initialize":
                self.run(thread, reg.implicit.initialize, lookup)
                self.implicit.initialize(thread, lookup)
            elif change == "clear":
                self.run(thread, reg.implicit.clear)
                self.implicit.initialize(thread, None)
            elif change == "reset":
                self.run(thread, reg.implicit.reset)
                self.implicit.reset(thread)
            else:
                self.run(thread, setattr, reg.implicit, "lookup", lookup)
                self.implicit.assign(thread, lookup)

    @rule(thread=st.sampled_from(THREADS), number=INDEX)
    def enter_a_scope(self, thread, number):
        lookup = self.lookup(number)
        scope = reg.implicit.using(lookup)
        assert self.run(thread, scope.__enter__) is lookup
        self.entered[thread].append(scope)
        self.implicit.scopes[thread].append(lookup)

    @precondition(lambda self: any(self.entered.values()))
    @rule(number=INDEX, failing=st.booleans())
    def leave_a_scope(self, number, failing):
        thread = self.pick_from([name for name in THREADS if self.entered[name]], number)
        error = ValueError("left by an error")
        self.leave(thread, *([ValueError, error, None] if failing else []))
        self.implicit.scopes[thread].pop()

    @rule(thread=st.sampled_from(THREADS), changes=CHANGES)
    def change_what_is_put_back(self, thread, changes):
        scope, scopes = reg.implicit.preserved(), self.implicit.scopes[thread]
        before = self.implicit.base, dict(self.implicit.assigned), list(scopes)
        self.run(thread, scope.__enter__)
        self.entered[thread].append(scope)
        self.change(changes)
        self.implicit_agrees()
        self.leave(thread)
        # Lookups assigned in the scopes of other threads stay.
        self.implicit.base, self.implicit.assigned, scopes[:] = before

    # Questions

    @invariant()
    def implicit_agrees(self):
        assert reg.implicit.base_lookup is self.implicit.base
        assert self.in_a_new_thread(lambda: reg.implicit.lookup) is self.implicit.base
        for number, thread in enumerate(THREADS):
            expected = self.implicit.lookup(thread)
            assert self.run(thread, lambda: reg.implicit.lookup) is expected
            for question, (key, classes) in enumerate(self.questions):
                self.agree_in_thread(key, classes, thread, self.turn + number + question)

    def in_a_new_thread(self, function):
        found = []
        thread = Thread(target=lambda: found.append(function()))
        thread.start()
        thread.join()
        return found[0]

    def agree_in_thread(self, key, classes, thread, turn):
        """Call in a thread, in its own context or in a copy of another thread's."""
        context = self.pick_from([None, None, *THREADS], turn)
        copied = self.run(context or thread, contextvars.copy_context)
        lookup = self.implicit.lookup(thread, context)
        arguments = tuple(self.argument(cls, turn % 2 == 0) for cls in classes)
        args, keywords = key.shape.call(arguments, turn)

        def actual():
            if context is None:
                return self.run(thread, key.call, args, keywords)
            return self.run(thread, copied.run, key.call, args, keywords)

        def expected():
            if lookup is None:
                raise reg.NoImplicitLookupError
            level = self.level_of(lookup)
            components = self.lookups[level][1].all(key.generic, classes)
            received = key.shape.received(args, keywords)
            if lookup in self.asked_lookups:
                found = third_party.chain(lookup, components, arguments, None, self.log)
                return third_party.call(lookup, key.shape, found, key.end, received)
            found = model.resolved(components, arguments, None, self.log)
            return model.call(found, key.end, received, lookup)

        if lookup in self.asked_lookups:
            # They may be asked more than once, and so are the matchers.
            self.figures["comparisons"] += 1
            assert self.outcome(actual)[0] == self.outcome(expected)[0]
        else:
            self.same(actual, expected)

    def level_of(self, lookup):
        return next((level for level, each in enumerate(self.over) if each is lookup), 0)


def test_implicit_lookups_agree_with_the_model():
    explore(ImplicitMachine, examples=10)
