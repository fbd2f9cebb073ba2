"""In which ways a question is asked, and how the answer is compared with the model."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis.stateful import RuleBasedStateMachine, invariant

import reg

from . import model
from .classes import instance_of
from .functions import DEFAULT


class Key(NamedTuple):
    """A generic function, and its model."""

    name: str
    shape: Any
    generic: Any
    end: model.Function

    def call(self, args, keywords):
        if "method" not in self.name or not args:
            return self.generic(*args, **keywords)
        instance = args[0]
        # As an attribute where it can be one, and else as if it were.
        if any(self.generic in vars(cls).values() for cls in type(instance).__mro__):
            bound = getattr(instance, self.name.replace(" ", "_"))
        else:
            bound = self.generic.__get__(instance, type(instance))
        return bound(*args[1:], **keywords)


class Asked(NamedTuple):
    """One question to one lookup."""

    key: Key
    classes: tuple
    arguments: tuple
    #: the predicates that the caller gives, or None
    given: Any
    #: the positional and keyword arguments of a call
    args: tuple
    keywords: dict
    real: Any
    lookup: Any
    expected: Any
    #: the components that the model finds
    found: list

    @property
    def flags(self):
        return {"class_method": True} if self.key.shape.class_first else {}


class AskingMachine(RuleBasedStateMachine):
    """Asks every question of every lookup after each step.

    A machine that derives from it has the questions: ``questions``, pairs of a
    key and classes; ``lookups``, pairs of a class lookup and what the model has
    of it, and ``over`` each of them a lookup; ``real_of``, by a component of the
    model, the real one; a ``log`` of what matchers were asked; a ``thread``; and
    ``figures``, which are counted here.
    """

    turn = 0

    @invariant()
    def all_agree(self):
        self.figures["steps"] += 1
        self.turn += 1
        for number, (key, classes) in enumerate(self.questions):
            for level in range(len(self.lookups)):
                self.agree(key, classes, level, self.turn + number + level)

    def agree(self, key, classes, level, turn):
        """Ask one lookup in some of all ways; the questions and the ways take turns."""
        real, expected = self.lookups[level]
        proxies = turn % 3 == 0
        arguments = tuple(self.argument(cls, proxies) for cls in classes)
        if key.shape.class_first and arguments:
            arguments = (classes[0], *arguments[1:])
        args, keywords = key.shape.call(arguments, turn)
        if turn % 4 == 0:
            keywords["note"] = "given"
        given = self.pick_from([None, None, {}, {"p": 1}, {"q": 2, "unknown": 3}], turn)
        asked = Asked(
            key, classes, arguments, given, args, keywords,
            real, self.over[level], expected, expected.all(key.generic, classes),
        )  # fmt: skip
        # Where answers are kept, all of them first, so that both keep the same.
        first = 0 if self.keeps(real) else turn
        for number in range(5):
            self.pick_from(self.ways, first + number if number < 2 else turn + number)(asked)

    @property
    def ways(self):
        return [
            self.ask_class_lookup,
            self.ask_for_all,
            self.ask_for_component,
            self.call,
            self.call_with_default,
            self.call_by_scope,
            self.call_in_thread,
            self.call_lookup,
            self.explain,
        ]

    def pick_from(self, choices, index):
        return choices[index % len(choices)]

    def argument(self, cls, proxy):
        return DEFAULT if cls is int else instance_of(cls, proxy)

    def keeps(self, real):
        """Return whether a class lookup keeps its answers."""
        if isinstance(real, reg.Lookup):
            return self.keeps(real.class_lookup)
        if isinstance(real, reg.ListClassLookup):
            return any(self.keeps(part) for part in real.lookups)
        if isinstance(real, reg.ChainClassLookup):
            return self.keeps(real.lookup) or self.keeps(real.next)
        return isinstance(real, reg.CachingClassLookup)

    def same(self, actual, expected):
        """Both return or raise the same, having asked the same matchers the same."""
        self.figures["comparisons"] += 1
        assert self.outcome(actual) == self.outcome(expected)

    def outcome(self, ask):
        self.log.clear()
        try:
            found = ("returned", ask())
        except reg.ComponentLookupError as error:
            found = ("raised", error.args, error.key, error.classes)
        except reg.PredicateRegistryError:
            found = ("raised", "several")
        except reg.NoImplicitLookupError:
            found = ("raised", "no lookup")
        except reg.RegistrationError:
            found = ("raised", "registered, or not")
        return found, list(self.log)

    def resolved(self, asked, given=None):
        return model.resolved(asked.found, asked.arguments, given, self.log)

    def every(self, asked, given=None):
        return list(self.resolved(asked, given))

    def real_answers(self, asked, given=None):
        return (self.real_of[each] for each in self.resolved(asked, given))

    def nothing_found(self, asked):
        return reg.ComponentLookupError(key=asked.key.generic, classes=asked.classes)

    # In which ways

    def ask_class_lookup(self, asked):
        key = asked.key.generic
        found = [self.real_of[each] for each in asked.found]
        self.same(lambda: list(asked.real.all(key, asked.classes)), lambda: found)
        first = self.real_of.get(asked.expected.get(key, asked.classes))
        self.same(lambda: asked.real.get(key, asked.classes), lambda: first)

    def ask_for_all(self, asked):
        key, lookup = asked.key.generic, asked.lookup
        self.same(
            lambda: lookup.all(key, asked.arguments, asked.given, **asked.flags),
            lambda: [self.real_of[each] for each in self.every(asked, asked.given)],
        )
        args, keywords = asked.key.shape.dispatched(asked.arguments, self.turn)
        self.same(
            lambda: list(asked.key.generic.all(*args, **keywords, lookup=lookup)),
            lambda: [self.real_of[each] for each in self.every(asked)],
        )

    def ask_for_component(self, asked):
        key, lookup, given = asked.key.generic, asked.lookup, asked.given

        def expected_component():
            for component in self.real_answers(asked, given):
                return component
            raise self.nothing_found(asked)

        self.same(
            lambda: lookup.component(key, asked.arguments, predicates=given, **asked.flags),
            expected_component,
        )
        args, keywords = asked.key.shape.dispatched(asked.arguments, self.turn)
        self.same(
            lambda: key.component(*args, **keywords, lookup=lookup, default=0, predicates=given),
            lambda: next(self.real_answers(asked, given), 0),
        )

    def call(self, asked):
        self.same(
            lambda: asked.key.call(asked.args, {**asked.keywords, "lookup": asked.lookup}),
            lambda: self.expected_call(asked),
        )

    def call_with_default(self, asked):
        keywords = {**asked.keywords, "lookup": asked.lookup, "default": "default"}
        self.same(
            lambda: asked.key.call(asked.args, keywords),
            lambda: self.expected_call(asked, default="default"),
        )

    def call_by_scope(self, asked):
        with reg.implicit.using(asked.lookup):
            for _ in range(2):
                self.same(
                    lambda: asked.key.call(asked.args, asked.keywords),
                    lambda: self.expected_call(asked),
                )

    def call_in_thread(self, asked):
        """Call in a thread with an implicit lookup of its own, while this one has none."""

        def assign_and_call():
            reg.implicit.lookup = asked.lookup
            return asked.key.call(asked.args, asked.keywords)

        self.same(
            lambda: self.thread.submit(assign_and_call).result(),
            lambda: self.expected_call(asked),
        )

    def call_lookup(self, asked):
        if asked.key.shape.names:
            return  # Its arguments are not the dispatch arguments in their order.
        key, lookup, keywords = asked.key.generic, asked.lookup, {**asked.keywords, **asked.flags}
        end = model.Function("end", "failing", error=lambda: self.nothing_found(asked))
        self.same(
            lambda: lookup.call(key, asked.arguments, **keywords),
            lambda: self.expected_call(asked, end),
        )
        self.same(
            lambda: lookup.call(key, asked.arguments, "default", **keywords),
            lambda: self.expected_call(asked, end, "default"),
        )

    def expected_call(self, asked, end=None, default=model.NO_DEFAULT):
        received = asked.key.shape.received(asked.args, asked.keywords)
        end = asked.key.end if end is None else end
        return model.call(self.resolved(asked), end, received, asked.lookup, default)

    def explain(self, asked):
        key = asked.key.generic

        args, keywords = asked.key.shape.dispatched(asked.arguments, self.turn)

        def actual():
            if self.turn % 2:
                found = key.explain(*args, **keywords, lookup=asked.lookup, predicates=asked.given)
            else:
                found = asked.lookup.explain(key, asked.arguments, asked.given, **asked.flags)
            said = [
                (each.registered, each.component, each.outcome, each.call_next is not None)
                for each in found.candidates
            ]
            return found.classes, said, sorted(id(each.registered) for each in found.inapplicable)

        def expected():
            said = [
                (
                    self.real_of[component],
                    self.real_of.get(answer),
                    outcome,
                    answer is not None and answer.kind == "next",
                )
                for component, answer, outcome in model.explained(
                    asked.found, asked.arguments, asked.given, self.log
                )
            ]
            misfits = asked.expected.misfits(key, asked.classes)
            return asked.classes, said, sorted(id(self.real_of[each]) for each in misfits)

        self.same(actual, expected)
