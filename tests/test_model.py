"""The package agrees with the model, whatever is done to it."""

from __future__ import annotations

import abc
import contextlib
import functools
import gc
import types

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import reg

from . import model

INDEX = st.integers(min_value=0, max_value=1000)
INDEXES = st.lists(INDEX, max_size=4)
KINDS = st.sampled_from(["plain", "next", "next", "matcher", "silent"])
KEYS = 3


class Root:
    """A base for all, since ``__bases__`` cannot be changed from ``object``."""


class Answering(reg.Matcher):
    def __init__(self, answer):
        self.answer = answer

    def __call__(self, *args, **predicates):
        return self.answer


def implementation_of(component):
    """The real thing that a component of the model stands for."""

    def plain(*args):
        return [component.name]

    def calling_next(*args, call_next):
        return [component.name, *call_next()]

    if component.kind == "plain":
        return plain
    if component.kind == "next":
        return calling_next
    return Answering(plain if component.kind == "matcher" else None)


def make_class(name, bases, abstract):
    """Make a class, or ``None`` if the bases have no common order."""
    keywords = {"metaclass": abc.ABCMeta} if abstract else {}
    try:
        return types.new_class(name, bases or (Root,), keywords)
    except TypeError:
        return None


@st.composite
def hierarchies(draw):
    """Classes with multiple inheritance, abstract ones, and virtual subclasses."""
    classes = [object, Root]
    for index in range(draw(st.integers(1, 7))):
        bases = draw(st.lists(st.sampled_from(classes[1:]), max_size=3, unique=True))
        cls = make_class(f"C{index}", tuple(reversed(bases)), draw(st.booleans()))
        if cls is not None:
            classes.append(cls)
    abstract = [cls for cls in classes if isinstance(cls, abc.ABCMeta)]
    if abstract:
        pairs = st.tuples(st.sampled_from(abstract), st.sampled_from(classes[2:]))
        for base, cls in draw(st.lists(pairs, max_size=4)):
            register_virtual(base, cls)
    return classes


def register_virtual(base, cls):
    with contextlib.suppress(RuntimeError):  # It would be its own base.
        base.register(cls)


@given(st.data())
@settings(max_examples=max(400, settings().max_examples))
def test_look_ups_walk_the_product(data):
    classes = data.draw(hierarchies())
    arity = data.draw(st.integers(0, 4))
    combinations = st.tuples(*[st.sampled_from(classes)] * arity)
    registry, expected = reg.ClassRegistry(), model.Registry()
    lookup = reg.Lookup(registry)
    for number, combination in enumerate(data.draw(st.lists(combinations, max_size=10))):
        registry.register("key", combination, number)
        expected.register("key", combination, number)
    for combination in data.draw(st.lists(combinations, min_size=1, max_size=4)):
        found = expected.all("key", combination)
        assert registry.all("key", combination) == found
        assert registry.get("key", combination) == next(iter(found), None)
        assert registry.exact("key", combination) == expected.exact("key", combination)
        arguments = [cls() for cls in combination]
        for _ in range(2):
            assert lookup.all("key", arguments) == found
            assert lookup.component("key", arguments, None) == next(iter(found), None)


@given(st.data())
def test_predicates_walk_the_product(data):
    names = data.draw(st.lists(st.sampled_from("abcd"), max_size=4, unique=True))
    values = st.sampled_from([1, 2, reg.ANY])
    registry = reg.PredicateRegistry([reg.Predicate(name, reg.KeyIndex) for name in names])
    expected = model.Predicates(names, reg.ANY)
    entries = st.dictionaries(st.sampled_from(names), values) if names else st.just({})
    for number, entry in enumerate(data.draw(st.lists(entries, max_size=8))):
        registry.register(entry, number)
        expected.register(entry, number)
    for asked in data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, values)))):
        found = expected.get(asked)
        if len(found) > 1:
            with pytest.raises(reg.PredicateRegistryError):
                registry.get(asked)
        else:
            assert registry.get(asked) == next(iter(found), None)


class Dispatching(RuleBasedStateMachine):
    """Everything that may change, in any order, between questions asked again and again."""

    def __init__(self):
        super().__init__()
        self.classes = [object, Root]
        self.registries = [(reg.ClassRegistry(), model.Registry()) for _ in range(3)]
        self.real_of = {}
        self.name = 0
        self.questions = []
        self.made = 0
        # A list that was passed in stays ours to change.
        self.lists = []
        # Later ones may be made of earlier ones.
        self.lookups = list(self.registries)
        self.keys = []
        for _ in range(KEYS - 1):

            @reg.generic
            def generic(*args):
                return ["fallback"]

            self.keys.append(generic)
        self.keys.append("text")

    @initialize()
    def compose(self):
        (first, second, third) = self.registries
        self.add_list([first, second])
        self.add_chain(third, self.lookups[-1])
        self.add_caching(self.lookups[-1])
        self.add_list([self.lookups[-1], second])
        self.add_chain(self.lookups[3], self.lookups[2])
        self.over = [reg.Lookup(real) for real, _ in self.lookups]
        for _ in range(2):
            self.classes.append(make_class("A", (Root,), abstract=True))
            self.classes.append(make_class("C", (Root,), abstract=False))

    def add_list(self, parts):
        real = [part for part, _ in parts]
        expected = model.Composition([part for _, part in parts])
        self.lists.append((real, expected.parts, len(self.lookups)))
        self.lookups.append((reg.ListClassLookup(real), expected))

    def add_chain(self, first, second):
        expected = model.Composition([first[1], second[1]])
        self.lookups.append((reg.ChainClassLookup(first[0], second[0]), expected))

    def add_caching(self, part):
        self.lookups.append((reg.CachingClassLookup(part[0]), model.Caching(part[1])))

    def pick(self, indexes):
        return tuple(self.classes[index % len(self.classes)] for index in indexes)

    # What changes

    @rule(bases=st.lists(INDEX, max_size=3), abstract=st.booleans())
    def add_class(self, bases, abstract):
        if len(self.classes) < 14:
            chosen = tuple(cls for cls in dict.fromkeys(self.pick(bases)) if cls is not object)
            self.made += 1
            cls = make_class(f"C{self.made}", chosen, abstract)
            if cls is not None:
                self.classes.append(cls)

    @rule(base=INDEX, cls=INDEX)
    def add_virtual_subclass(self, base, cls):
        abstract = [each for each in self.classes if isinstance(each, abc.ABCMeta)]
        register_virtual(abstract[base % len(abstract)], self.pick([cls])[0])

    @rule(cls=INDEX, bases=st.lists(INDEX, min_size=1, max_size=2), registry=INDEX)
    def change_bases(self, cls, bases, registry):
        changed = 2 + cls % (len(self.classes) - 2)
        if isinstance(self.classes[changed], abc.ABCMeta):
            return
        chosen = [self.classes[1 + index % (changed - 1)] for index in bases]
        chosen = [each for each in dict.fromkeys(chosen) if not isinstance(each, abc.ABCMeta)]
        try:
            self.classes[changed].__bases__ = tuple(chosen) or (Root,)
        except TypeError:
            return
        # Noticed at the latest with the next registration in a registry of a composition.
        for lookup in self.over:
            leaves = list(self.leaves(lookup.class_lookup))
            if leaves:
                leaves[registry % len(leaves)].register("unrelated", [Root], "component")

    def leaves(self, real):
        """The registries that answer, and not through something that keeps its answers."""
        if isinstance(real, reg.ClassRegistry):
            yield real
        elif isinstance(real, reg.ListClassLookup):
            for part in real.lookups:
                yield from self.leaves(part)
        elif isinstance(real, reg.ChainClassLookup):
            yield from self.leaves(real.lookup)
            yield from self.leaves(real.next)

    @rule(registry=INDEX, key=INDEX, classes=INDEXES, kind=KINDS)
    def register(self, registry, key, classes, kind):
        self.name += 1
        component = model.Component(self.name, kind)
        implementation = implementation_of(component)
        self.real_of[component] = implementation
        real, expected = self.registries[registry % len(self.registries)]
        real.register(self.keys[key % KEYS], self.pick(classes), implementation)
        expected.register(self.keys[key % KEYS], self.pick(classes), component)

    @rule(registry=INDEX, number=INDEX, kind=KINDS)
    def replace(self, registry, number, kind):
        real, expected = self.registries[registry % len(self.registries)]
        if expected.registered:
            key, classes, _ = expected.registered[number % len(expected.registered)]
            component = model.Component(f"new {number}", kind)
            self.real_of[component] = implementation_of(component)
            real.register(key, classes, self.real_of[component])
            expected.register(key, classes, component)

    @rule(registry=INDEX, number=INDEX)
    def unregister(self, registry, number):
        real, expected = self.registries[registry % len(self.registries)]
        if expected.registered:
            key, classes, _ = expected.registered[number % len(expected.registered)]
            real.unregister(key, classes)
            expected.unregister(key, classes)

    @rule(registry=INDEX)
    def clear(self, registry):
        for each in self.registries[registry % len(self.registries)]:
            each.clear()

    @rule(which=INDEX, parts=st.lists(INDEX, max_size=3))
    def change_a_list_in_place(self, which, parts):
        real, expected, level = self.lists[which % len(self.lists)]
        chosen = [self.lookups[part % level] for part in parts]
        real[:] = [part for part, _ in chosen]
        expected[:] = [part for _, part in chosen]

    @rule(which=INDEX)
    def reverse_a_list_in_place(self, which):
        real, expected, _ = self.lists[which % len(self.lists)]
        real.reverse()
        expected.reverse()

    @rule(which=INDEX, parts=st.lists(INDEX, max_size=3), container=st.sampled_from([list, tuple]))
    def assign_another_list(self, which, parts, container):
        number = which % len(self.lists)
        _, _, level = self.lists[number]
        chosen = [self.lookups[part % level] for part in parts]
        lookup, composition = self.lookups[level]
        lookup.lookups = container(part for part, _ in chosen)
        composition.parts = [part for _, part in chosen]
        if container is list:
            self.lists[number] = (lookup.lookups, composition.parts, level)
        else:
            # Only the composition counts from now on, no more the list it had.
            self.lists[number] = ([], [], level)

    @rule(which=INDEX, part=INDEX, second=st.booleans())
    def change_a_chain(self, which, part, second):
        levels = [
            level
            for level, (real, _) in enumerate(self.lookups)
            if isinstance(real, reg.ChainClassLookup)
        ]
        level = levels[which % len(levels)]
        (real, expected), (new, new_expected) = self.lookups[level], self.lookups[part % level]
        setattr(real, "next" if second else "lookup", new)
        expected.parts[second] = new_expected

    @rule()
    def clear_what_is_kept(self):
        for real, expected in self.lookups:
            if isinstance(expected, model.Caching):
                real.clear()
                expected.clear()

    @rule(which=INDEX, part=INDEX)
    def ask_another_class_lookup(self, which, part):
        """Give a lookup another class lookup, and put it back: it has to notice twice."""
        number = which % len(self.over)
        self.over[number].class_lookup = self.lookups[part % len(self.lookups)][0]
        self.over[number].all("text", [])
        self.over[number].class_lookup = self.lookups[number][0]

    @precondition(lambda self: len(self.classes) > 6)
    @rule(cls=INDEX)
    def drop_class(self, cls):
        index = 2 + cls % (len(self.classes) - 2)
        if not isinstance(self.classes[index], abc.ABCMeta):
            self.questions = [
                (key, classes)
                for key, classes in self.questions
                if self.classes[index] not in classes
            ]
            del self.classes[index]
            gc.collect(0)

    # What is asked

    @rule(key=INDEX, classes=INDEXES)
    def ask(self, key, classes):
        question = (self.keys[key % KEYS], self.pick(classes))
        if question not in self.questions:
            self.questions = [*self.questions[-5:], question]
        real, expected = self.registries[key % len(self.registries)]
        assert real.exact(*question) is self.real_of.get(expected.exact(*question))

    @invariant()
    def all_agree(self):
        for key, classes in self.questions:
            for (real, expected), lookup in zip(self.lookups, self.over, strict=True):
                self.agree(key, classes, real, expected, lookup)

    def agree(self, key, classes, real, expected, lookup):
        # All of them first, so that both remember the same where answers are kept.
        arguments = [cls() for cls in classes]
        found = expected.all(key, classes)
        answers = [self.answer(component) for component in model.resolved(found)]
        assert lookup.all(key, arguments) == answers
        assert real.all(key, classes) == [self.real_of[component] for component in found]
        assert real.get(key, classes) is self.real_of.get(expected.get(key, classes))
        assert lookup.component(key, arguments, None) is (answers[0] if answers else None)
        if callable(key):
            names = model.called(found)
            for _ in range(2):
                assert key(*arguments, lookup=lookup) == names
            with reg.implicit.using(lookup):
                assert key(*arguments) == names

    def answer(self, component):
        implementation = self.real_of[component]
        return implementation.answer if component.kind == "matcher" else implementation


Dispatching.TestCase.settings = settings(
    max_examples=max(250, settings().max_examples),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_nothing_makes_an_answer_wrong = Dispatching.TestCase


def test_the_models_order_is_that_of_singledispatch():
    class Sized:
        def __len__(self):
            return 0

    assert model.order_of(Sized, [list]) == [Sized, object]
    assert model.order_of(Sized, [abc.ABC, object]) == functools._compose_mro(Sized, [object])
