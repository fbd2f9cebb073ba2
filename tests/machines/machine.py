"""The package and the model side by side: what all machines do and compare."""

from __future__ import annotations

import contextlib
import gc
import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import reg

from . import model
from .classes import instance_of
from .figures import DONE
from .functions import DEFAULT, SHAPES

INDEX = st.integers(min_value=0, max_value=1000)
INDEXES = st.lists(INDEX, max_size=4)
VALUES = st.sampled_from([1, 2, reg.ANY])
KINDS = st.sampled_from(
    [
        "plain",
        "next",
        "next",
        "next",
        "none",
        "failing",
        "matcher",
        "silent",
        "predicates",
        "predicates",
    ]
)


class Drawn(NamedTuple):
    """What a component is to be."""

    kind: str
    takes_lookup: bool
    renamed: bool
    entries: list


COMPONENTS = st.builds(
    Drawn,
    KINDS,
    st.booleans(),
    st.booleans(),
    st.lists(st.dictionaries(st.sampled_from("pqr"), VALUES), max_size=3),
)
REGISTRATIONS = st.tuples(INDEX, INDEX, INDEXES, COMPONENTS)


class Key(NamedTuple):
    """A generic function, and what the model knows of it."""

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
    #: what the model finds
    found: list

    @property
    def flags(self):
        return {"class_method": True} if self.key.shape.class_first else {}


class Answering(reg.Matcher):
    def __init__(self, name, log, answer):
        self.name = name
        self.log = log
        self.answer = answer

    def __call__(self, *args, **predicates):
        self.log.append((self.name, predicates))
        return self.answer


class AnsweringByPredicates(reg.PredicateMatcher):
    def __init__(self, name, log, predicates):
        super().__init__(predicates)
        self.name = name
        self.log = log

    def __call__(self, *args, **predicates):
        self.log.append((self.name, predicates))
        return super().__call__(*args, **predicates)


class FrameworkRegistry(dict, reg.ClassRegistry):
    """As a framework has it: with a layout and a constructor of its own."""

    def __init__(self):
        super().__init__(name="framework")
        reg.ClassRegistry.__init__(self)

    def clear(self):
        dict.clear(self)
        reg.ClassRegistry.clear(self)

    get = reg.ClassRegistry.get


class Machine(RuleBasedStateMachine):
    """Everything that may change, in any order, between questions asked again and again.

    A machine with a subject of its own adds rules and what it asks.
    """

    shapes = ("one", "two", "many")
    remembered_questions = 6

    def __init__(self):
        super().__init__()
        self.figures = DONE.setdefault(type(self).__name__, Counter())
        self.figures["examples"] += 1
        # So that only what is made here is gone through for each class that dies.
        gc.freeze()
        self.put_back = contextlib.ExitStack()
        self.put_back.callback(gc.unfreeze)
        self.put_back.enter_context(reg.implicit.preserved())
        self.thread = self.put_back.enter_context(ThreadPoolExecutor(1))
        self.log: list[Any] = []
        self.names = itertools.count()
        self.turn = 0
        self.questions: list[tuple[Key, tuple[type, ...]]] = []
        self.real_of: dict[Any, Any] = {}
        self.make_keys()
        self.classes = [object, self.root, int]
        self.make_predicates()
        # What is registered in, and what the model has of it.
        self.registries: list[tuple[Any, Any]] = []
        # Class lookups. Later ones may be made of earlier ones.
        self.lookups: list[tuple[Any, Any]] = []
        # A lookup over each of them.
        self.over: list[Any] = []
        for registry in (reg.ClassRegistry(), reg.Registry(), FrameworkRegistry()):
            self.add_registry(registry)
        self.compose()

    def make_keys(self):
        ends = {name: model.Function("end", "plain", SHAPES[name].takes_lookup) for name in SHAPES}
        generics = {name: SHAPES[name].make(ends[name]) for name in SHAPES}
        self.keys = [Key(name, SHAPES[name], generics[name], ends[name]) for name in self.shapes]
        methods = {name.replace(" ", "_"): generics[name] for name in generics if "method" in name}
        # A base for all, since __bases__ cannot be changed from object.
        self.root = type("Root", (), methods)

    def make_predicates(self):
        self.values = {"p": 1, "q": 1, "other p": 2}

        def calc_of(name):
            def calc(*arguments):
                self.log.append((name, arguments))
                return self.values[name]

            return calc

        expected = [
            model.Predicate("p", calc_of("p"), 1),
            model.Predicate("q", calc_of("q"), 2),
            model.Predicate("p", calc_of("other p"), 2),
            model.Predicate("r", None, 1),
        ]
        for each in expected:
            self.real_of[each] = reg.Predicate(each.name, reg.KeyIndex, each.calc, each.default)
        p, q, other_p, r = expected
        self.sets_of_predicates = [[p], [p, q], [q, other_p], [r, p], [q, r]]

    def compose(self):
        """Make lookups of lookups."""
        self.add_list([1, 0])

    def teardown(self):
        self.put_back.close()

    def add_registry(self, registry):
        expected = model.Registry()
        self.registries.append((registry, expected))
        if isinstance(registry, reg.Lookup):
            self.add(registry.class_lookup, expected, registry)
        else:
            self.add(registry, expected)

    def add(self, real, expected, over=None):
        self.lookups.append((real, expected))
        self.over.append(reg.Lookup(real) if over is None else over)

    def add_list(self, levels):
        """Add a list of earlier class lookups, and return the list itself, here and there."""
        real = [self.over[level] if level % 2 else self.lookups[level][0] for level in levels]
        expected = [self.lookups[level][1] for level in levels]
        self.add(reg.ListClassLookup(real), model.Composition(expected))
        return real, expected

    def pick(self, indexes):
        return tuple(self.classes[index % len(self.classes)] for index in indexes)

    def pick_from(self, choices, index):
        return choices[index % len(choices)]

    @initialize(
        questions=st.lists(st.tuples(INDEX, INDEXES), min_size=2, max_size=4),
        registrations=st.lists(REGISTRATIONS, min_size=2, max_size=8),
    )
    def begin(self, questions, registrations):
        # Not left to the rules, any of which may be missing in a run.
        self.ask(questions)
        self.register(registrations)

    # What changes

    def make_component(self, key, drawn):
        """Make a component of the model, and the real thing."""
        name = next(self.names)
        if drawn.kind == "silent":
            component = model.Matcher(name, None)
            self.real_of[component] = Answering(name, self.log, None)
        elif drawn.kind == "matcher":
            function = self.make_function(key, drawn._replace(kind="next"))
            component = model.Matcher(name, function)
            self.real_of[component] = Answering(name, self.log, self.real_of[function])
        elif drawn.kind == "predicates":
            predicates = self.pick_from(self.sets_of_predicates, name)
            component = model.PredicateMatcher(name, predicates)
            self.real_of[component] = AnsweringByPredicates(
                name, self.log, [self.real_of[each] for each in predicates]
            )
            for entry in drawn.entries:
                self.fill_matcher(key, component, entry, drawn)
        else:
            component = self.make_function(key, drawn)
        return component

    def make_function(self, key, drawn):
        function = model.Function(next(self.names), drawn.kind, drawn.takes_lookup)
        self.real_of[function] = key.shape.implementation(function, drawn.renamed)
        return function

    def fill_matcher(self, key, matcher, entry, drawn):
        names = matcher.registry.names
        entry = {name: value for name, value in entry.items() if name in names}
        function = self.make_function(key, drawn._replace(kind="next"))
        matcher.registry.register(entry, function)
        self.real_of[matcher].register(entry, self.real_of[function])

    @rule(registrations=st.lists(REGISTRATIONS, min_size=1, max_size=4))
    def register(self, registrations):
        for registry, number, indexes, drawn in registrations:
            key, classes = self.answer_to(number, indexes)
            real, expected = self.pick_from(self.registries, registry)
            component = self.make_component(key, drawn)
            real.register(key.generic, classes, self.real_of[component])
            expected.register(key.generic, classes, component)

    def answer_to(self, number, indexes):
        """A key and classes to register for: mostly what applies to a question, or may."""
        if not self.questions or number % 4 == 0:
            return self.question(number, indexes)
        key, classes = self.pick_from(self.questions, number)
        abstract = [cls for cls in self.classes if type(cls) is not type]
        chosen = [
            self.pick_from([*cls.__mro__, *abstract], index)
            for cls, index in zip(classes, [*indexes, number, number, number, number])  # noqa: B905
        ]
        return key, tuple(chosen)

    @rule(registry=INDEX, number=INDEX, drawn=COMPONENTS)
    def replace(self, registry, number, drawn):
        real, expected = self.pick_from(self.registries, registry)
        if expected.registered:
            generic, classes, _ = self.pick_from(expected.registered, number)
            key = next(each for each in self.keys if each.generic is generic)
            component = self.make_component(key, drawn)
            real.register(generic, classes, self.real_of[component])
            expected.register(generic, classes, component)

    @rule(registry=INDEX, number=INDEX)
    def unregister(self, registry, number):
        real, expected = self.pick_from(self.registries, registry)
        if expected.registered:
            generic, classes, _ = self.pick_from(expected.registered, number)
            real.unregister(generic, classes)
            expected.unregister(generic, classes)

    @rule(registry=INDEX)
    def clear(self, registry):
        for each in self.pick_from(self.registries, registry):
            each.clear()

    # What is asked

    def question(self, number, indexes):
        """A key, and as many classes as it has, or any number."""
        key = self.pick_from(self.keys, number)
        if key.shape.arity is not None:
            indexes = [*indexes, number, number + 1][: key.shape.arity]
        return key, self.pick(indexes)

    @rule(questions=st.lists(st.tuples(INDEX, INDEXES), min_size=1, max_size=4))
    def ask(self, questions):
        for number, indexes in questions:
            question = self.question(number, indexes)
            if question not in self.questions:
                self.questions = [*self.questions, question][-self.remembered_questions :]
            key, classes = question
            real, expected = self.pick_from(self.registries, number)
            answer = self.real_of.get(expected.exact(key.generic, classes))
            assert real.exact(key.generic, classes) is answer

    @invariant()
    def all_agree(self):
        self.figures["steps"] += 1
        self.turn += 1
        for number, (key, classes) in enumerate(self.questions):
            for level in range(len(self.lookups)):
                self.agree(key, classes, level, self.turn + number + level)

    def agree(self, key, classes, level, turn):
        """Ask one lookup in some of all ways; what is asked for, and how, takes turns."""
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
        ways = [
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
        # Where answers are kept, all of them first, so that both keep the same.
        first = 0 if self.keeps(real) else turn
        for number in range(5):
            self.pick_from(ways, first + number if number < 2 else turn + number)(asked)

    def argument(self, cls, proxy):
        return DEFAULT if cls is int else instance_of(cls, proxy)

    def keeps(self, real):
        """Tell whether a class lookup keeps its answers."""
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
        return found, list(self.log)

    def resolved(self, asked, given=None):
        return model.resolved(asked.found, asked.arguments, given, self.log)

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
            lambda: list(self.real_answers(asked, asked.given)),
        )
        args, keywords = asked.key.shape.dispatched(asked.arguments, self.turn)
        self.same(
            lambda: list(asked.key.generic.all(*args, **keywords, lookup=lookup)),
            lambda: list(self.real_answers(asked)),
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
            return  # Its arguments are not those that dispatch, in that order.
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

        def actual():
            found = asked.lookup.explain(key, asked.arguments, asked.given, **asked.flags)
            said = [
                (each.registered, each.component, each.outcome, each.call_next is not None)
                for each in found.candidates
            ]
            return found.classes, said, sorted(id(each.registered) for each in found.misfits)

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
