"""Registries that refuse to replace, and copies of everything, made while it is in use."""

from __future__ import annotations

import abc
import copy
import functools
import io
import operator
import pickle
import types
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

import reg

from . import model
from .changing_classes import PLAIN
from .classes import make_class, register_virtual
from .figures import explore
from .machine import INDEX
from .test_composition import CompositionMachine, ThirdParty

MOST_COPIES = 5
HOW = st.sampled_from(["copy", "deep copy", "pickle"])


class Pickler(pickle.Pickler):
    """Pickles all but functions and classes, which cannot be imported here, and caches."""

    def __init__(self, file, kept):
        super().__init__(file)
        self.kept = kept

    def persistent_id(self, value):
        if isinstance(value, (type, types.FunctionType)):
            self.kept.append(value)
        return next((i for i, each in enumerate(self.kept) if each is value), None)


class Unpickler(pickle.Unpickler):
    def __init__(self, file, kept):
        super().__init__(file)
        self.kept = kept

    def persistent_load(self, number):
        return self.kept[number]


def leaves(real, expected):
    """The registries that class lookups are made of, each with its model."""
    if isinstance(real, reg.Lookup):
        real = real.class_lookup
    if isinstance(real, reg.ListClassLookup):
        pairs = zip(real.lookups, expected.parts, strict=True)
    elif isinstance(real, reg.ChainClassLookup):
        pairs = zip((real.lookup, real.next), expected.parts, strict=True)
    elif isinstance(real, reg.CachingClassLookup):
        pairs = [(real.class_lookup, expected.part)]
    elif isinstance(real, ThirdParty):
        pairs = [(real.part, expected.part)]
    else:
        return [(real, expected)]
    return [leaf for pair in pairs for leaf in leaves(*pair)]


class LifeCycleMachine(CompositionMachine):
    """Copies are changed and asked, and their originals too."""

    remembered_questions = 3
    copies = 0

    def __init__(self):
        super().__init__()
        # The first registration decides which of these comes first.
        for number in range(3):
            self.classes.append(make_class(f"Abstract{number}", (self.root,), "abstract"))
            register_virtual(self.classes[-1], self.classes[3])

    def make_registries(self):
        refusing = [(reg.ClassRegistry(replace=False), False), (reg.Registry(replace=False), False)]
        return [*super().make_registries()[1:], *refusing]

    def compose(self):
        self.lists, self.merged = [], []
        self.add_changing_list([3, 0])
        self.add_chain(2, 4)
        self.add(*(ThirdParty(part) for part in self.lookups[1]))
        self.add_caching(4)
        self.add_changing_list([6, 5])

    def parts(self, numbers, level):
        # A part that copies share must not come to contain the composition it is in.
        real = self.lookups[level][0]
        lists = getattr(real, "lookups", None)
        return super().parts(
            numbers,
            next(
                lowest
                for lowest, (other, _) in enumerate(self.lookups)
                if other is real or (lists is not None and getattr(other, "lookups", None) is lists)
            ),
        )

    # Changes

    @precondition(lambda self: self.copies < MOST_COPIES)
    @rule(which=INDEX, how=HOW)
    def copy_a_class_lookup(self, which, how):
        self.make_a_copy(which, how, over=False)

    @precondition(lambda self: self.copies < MOST_COPIES)
    @rule(which=INDEX, how=HOW)
    def copy_a_lookup(self, which, how):
        self.make_a_copy(which, how, over=True)

    def make_a_copy(self, which, how, over):
        """Copy a class lookup, or the lookup over it."""
        self.copies += 1
        real, expected = self.pick_from(self.lookups, which)
        lookup = self.pick_from(self.over, which)
        copied = self.copy_of(lookup if over else real, how)
        if how != "copy":
            expected = self.deep_copy_of_model(expected)
        elif isinstance(lookup if over else real, (reg.ClassRegistry, reg.Registry)):
            expected = expected.copy()
        elif not over:
            expected = copy.copy(expected)
        real = copied.class_lookup if over else copied
        self.add(real, expected, copied if over else None)
        self.know_parts_of_copy(copied, expected)

    def copy_of(self, value, how):
        if how == "copy":
            return copy.copy(value)
        if how == "deep copy":
            return copy.deepcopy(value, {id(self.log): self.log})
        file, kept = io.BytesIO(), [self.log, *(key.generic for key in self.keys)]
        Pickler(file, kept).dump(value)
        return Unpickler(io.BytesIO(file.getvalue()), kept).load()

    def deep_copy_of_model(self, expected):
        # As it is with real ones, matchers are copied and functions are not.
        functions = [each for each in self.real_of if isinstance(each, model.Function)]
        return copy.deepcopy(expected, {id(each): each for each in functions})

    def know_parts_of_copy(self, copied, expected):
        known = [registry for _, registry in self.registries]
        for real, of_model in leaves(copied, expected):
            if not any(of_model is each for each in known):
                known.append(of_model)
                registry = copied if isinstance(copied, reg.Registry) else real
                self.registries.append((registry, of_model))
        for real, of_model in self.registries:
            components = {
                (each.key, each.classes, model_unions(each)): each.component
                for each in real.registrations()
            }
            for generic, classes, component, unions in of_model.registered:
                self.real_of.setdefault(component, components[generic, classes, unions])
        top = copied.class_lookup if isinstance(copied, reg.Lookup) else copied
        if isinstance(top, reg.ListClassLookup) and isinstance(top.lookups, list):
            self.lists.append((top.lookups, expected.parts, len(self.lookups) - 1))

    @initialize(pairs=st.lists(st.tuples(INDEX, INDEX), min_size=4, max_size=8))
    def register_for_abstract_classes(self, pairs):
        """Register for several that apply, in an order that is not that of their first classes."""
        key = next(each for each in self.keys if each.name == "two")
        cls = self.classes[3]
        self.questions = [(key, (cls, cls))]
        abstract = [each for each in self.classes if isinstance(each, abc.ABCMeta)]
        abstract = [each for each in abstract if issubclass(cls, each)]
        for real, expected in self.registries[:3]:
            for first, second in pairs:
                classes = self.pick_from(cls.__mro__, first), self.pick_from(abstract, second)
                component = self.make_function(key, PLAIN)
                self.register_in(real, expected, key, classes, component)

    @rule(registry=INDEX, number=INDEX, indexes=st.lists(INDEX, min_size=1, max_size=2))
    def register_union_with_a_duplicate(self, registry, number, indexes):
        """Have a class that is registered already at the end of a union."""
        refusing = [each for each in self.registries if not each[1].replace]
        real, expected = self.pick_from(refusing, registry)
        registered = [entry for entry in expected.registered if entry[1]]
        if registered:
            generic, (last, *others), *_ = self.pick_from(registered, number)
            key = next(each for each in self.keys if each.generic is generic)
            component = self.make_function(key, PLAIN)
            alternatives = dict.fromkeys((*self.pick(indexes), last))
            union = functools.reduce(operator.or_, (*alternatives,))
            combinations = [(each, *others) for each in alternatives]
            self.same(
                lambda: real.register(generic, [union, *others], self.real_of[component]),
                lambda: expected.register_each(generic, combinations, component),
            )

    @rule(registry=INDEX, number=INDEX, indexes=st.lists(INDEX, min_size=1, max_size=2))
    def unregister_union(self, registry, number, indexes):
        key, classes = self.answer_to(number, indexes)
        real, expected = self.pick_from(self.registries, registry)
        if classes:
            alternatives, combinations = self.union(indexes, classes[1:])
            self.same(
                lambda: real.unregister(key.generic, alternatives),
                lambda: expected.unregister_each(key.generic, combinations),
            )

    @rule(registry=INDEX, number=INDEX, indexes=st.lists(INDEX, max_size=2))
    def unregister_an_unknown_registration(self, registry, number, indexes):
        key, classes = self.answer_to(number, indexes)
        real, expected = self.pick_from(self.registries, registry)
        self.same(
            lambda: real.unregister(key.generic, classes),
            lambda: expected.unregister(key.generic, classes),
        )

    # Questions

    @invariant()
    def registrations_agree(self):
        for real, expected in self.registries:
            generics = [key.generic for key in self.keys]
            listed = [
                (*each[:3], model_unions(each))
                for each in real.registrations()
                if each.key in generics
            ]
            wanted = [
                (generic, classes, self.real_of[component], unions)
                for generic, classes, component, unions in expected.registered
            ]
            assert Counter(listed) == Counter(wanted)


def model_unions(registration):
    """The unions of a registration, as the model has them."""
    return tuple(frozenset(union) or None for union in registration.unions)


def test_copies_and_refusals_agree_with_the_model():
    explore(LifeCycleMachine, examples=10)
