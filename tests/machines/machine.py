"""The package and the model side by side: the state and the rules of all machines."""

from __future__ import annotations

import contextlib
import gc
import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

import reg

from . import model
from .asking import AskingMachine, Key
from .figures import DONE
from .functions import SHAPES

INDEX = st.integers(min_value=0, max_value=1000)
INDEXES = st.lists(INDEX, max_size=4)
VALUES = st.sampled_from([1, 2, reg.ANY])
KINDS = st.sampled_from(
    ["plain", *["next"] * 3, "none", "failing", "matcher", "silent", *["predicates"] * 2]
)


class Drawn(NamedTuple):
    """The properties of a component to make."""

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


class Machine(AskingMachine):
    """Everything that may change, in any order, between questions asked again and again.

    A machine with a subject of its own adds rules and questions.
    """

    shapes = ("one", "two", "many")
    remembered_questions = 6

    def __init__(self):
        super().__init__()
        self.figures = DONE.setdefault(type(self).__name__, Counter())
        self.figures["examples"] += 1
        # A collection for each class that dies visits only the objects made from here on.
        self.put_back = contextlib.ExitStack()
        if hasattr(gc, "freeze"):
            gc.freeze()
            self.put_back.callback(gc.unfreeze)
        self.put_back.enter_context(reg.implicit.preserved())
        self.thread = self.put_back.enter_context(ThreadPoolExecutor(1))
        self.log: list[Any] = []
        self.names = itertools.count()
        self.questions: list[tuple[Key, tuple[type, ...]]] = []
        self.real_of: dict[Any, Any] = {}
        self.make_keys()
        self.classes = [object, self.root, int]
        self.make_predicates()
        # The registries, each with its model.
        self.registries: list[tuple[Any, Any]] = []
        # Class lookups. Later ones may be made of earlier ones.
        self.lookups: list[tuple[Any, Any]] = []
        # A lookup over each of them.
        self.over: list[Any] = []
        for registry, replace in self.make_registries():
            self.add_registry(registry, replace)
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

    def make_registries(self):
        """Registries, and whether they replace."""
        return [(reg.ClassRegistry(), True), (reg.Registry(), True), (FrameworkRegistry(), True)]

    def add_registry(self, registry, replace):
        expected = model.Registry(replace)
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

    @initialize(
        questions=st.lists(st.tuples(INDEX, INDEXES), min_size=2, max_size=4),
        registrations=st.lists(REGISTRATIONS, min_size=2, max_size=8),
    )
    def begin(self, questions, registrations):
        # Not left to the rules, any of which may be missing in a run.
        self.ask(questions)
        self.register(registrations)

    # Changes

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
            component = self.make_component(key, drawn)
            self.register_in(*self.pick_from(self.registries, registry), key, classes, component)

    def register_in(self, real, expected, key, classes, component):
        self.same(
            lambda: real.register(key.generic, classes, self.real_of[component]),
            lambda: expected.register(key.generic, classes, component),
        )

    def answer_to(self, number, indexes):
        """A key and classes to register for: mostly classes that apply to a question, or may."""
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
            generic, classes, *_ = self.pick_from(expected.registered, number)
            key = next(each for each in self.keys if each.generic is generic)
            self.register_in(real, expected, key, classes, self.make_component(key, drawn))

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
            for generic, _, component, _ in expected.registered
            if isinstance(component, model.PredicateMatcher)
        ]
        if matchers:
            generic, matcher = self.pick_from(matchers, number)
            key = next(each for each in self.keys if each.generic is generic)
            self.fill_matcher(key, matcher, entry, drawn)

    @rule(registry=INDEX, number=INDEX)
    def unregister(self, registry, number):
        real, expected = self.pick_from(self.registries, registry)
        if expected.registered:
            generic, classes, *_ = self.pick_from(expected.registered, number)
            real.unregister(generic, classes)
            expected.unregister(generic, classes)

    @rule(registry=INDEX)
    def clear(self, registry):
        for each in self.pick_from(self.registries, registry):
            each.clear()

    # Questions

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
