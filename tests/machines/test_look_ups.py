"""Single look-ups in drawn registries, for more classes than the machines take."""

from __future__ import annotations

import abc
import functools
import itertools
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reg

from . import model
from .classes import KINDS, METHODS, instance_of, make_class, register_virtual


@st.composite
def hierarchies(draw):
    """Classes of every kind, with multiple inheritance and virtual subclasses."""
    classes = [object]
    for index in range(draw(st.integers(1, 8))):
        bases = draw(st.lists(st.sampled_from(classes), max_size=3, unique=True))
        bases = tuple(cls for cls in reversed(bases) if cls is not object)
        methods = draw(st.lists(st.sampled_from(METHODS), max_size=2, unique=True))
        cls = make_class(f"C{index}", bases, draw(st.sampled_from(sorted(KINDS))), methods)
        if cls is not None:
            classes.append(cls)
    abstract = [cls for cls in classes if isinstance(cls, abc.ABCMeta)]
    if abstract:
        pairs = st.tuples(st.sampled_from(abstract), st.sampled_from(classes))
        for base, cls in draw(st.lists(pairs, max_size=4)):
            register_virtual(base, cls)
    return classes


@given(st.data())
@settings(max_examples=max(300, settings().max_examples))
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
        arguments = [instance_of(cls) for cls in combination]
        for _ in range(2):
            assert lookup.all("key", arguments) == found
            assert lookup.component("key", arguments, None) == next(iter(found), None)


@given(st.data())
def test_unions_and_merged_registries_are_sorted_together(data):
    classes = data.draw(hierarchies())
    arity = data.draw(st.integers(1, 3))
    alternatives = st.lists(st.sampled_from(classes), min_size=1, max_size=2, unique=True)
    entries = st.tuples(st.integers(0, 2), st.tuples(*[alternatives] * arity))
    registries, models = [reg.Registry() for _ in range(3)], [model.Registry() for _ in range(3)]
    merged, expected = reg.MergedClassLookup(registries), model.Merged(models)
    lookup = reg.Lookup(merged)
    for number, (index, row) in enumerate(data.draw(st.lists(entries, max_size=10))):
        unions = [functools.reduce(operator.or_, (*alternative,)) for alternative in row]
        registries[index].register("key", unions, number)
        models[index].register_each("key", list(itertools.product(*row)), number)
    asked = st.tuples(*[st.sampled_from(classes)] * arity)
    for combination in data.draw(st.lists(asked, min_size=1, max_size=4)):
        found = expected.all("key", combination)
        assert merged.all("key", combination) == found
        assert merged.get("key", combination) == next(iter(found), None)
        arguments = [instance_of(cls) for cls in combination]
        assert lookup.all("key", arguments) == found
        listed = [each.registered for each in lookup.explain("key", arguments).candidates]
        assert listed == found


class AtMostIndex:
    """An index by which a value fits all that are not smaller."""

    def __init__(self):
        self.added = []

    def add(self, key, value):
        self.added.append((key, value))

    def get(self, key):
        return {value for known, value in self.added if known is not reg.ANY and known <= key}


@given(st.data())
def test_predicates_walk_the_product(data):
    names = data.draw(st.lists(st.sampled_from("abcd"), max_size=4, unique=True))
    ordered = data.draw(st.sets(st.sampled_from("abcd")))
    values = st.sampled_from([1, 2, 3, reg.ANY])
    registry = reg.PredicateRegistry(
        reg.Predicate(name, AtMostIndex if name in ordered else reg.KeyIndex) for name in names
    )
    fits = dict.fromkeys(ordered, lambda registered, asked: registered <= asked)
    expected = model.Predicates(names, fits)
    entries = st.dictionaries(st.sampled_from(names), values) if names else st.just({})
    asked_for = st.fixed_dictionaries(dict.fromkeys(names, values))
    steps = st.lists(st.tuples(entries, st.lists(asked_for, max_size=2)), max_size=8)
    for number, (entry, questions) in enumerate(data.draw(steps)):
        registry.register(entry, number)
        expected.register(entry, number)
        for asked in questions:
            found = expected.get(asked)
            if len(found) > 1:
                with pytest.raises(reg.PredicateRegistryError):
                    registry.get(asked)
            else:
                assert registry.get(asked) == next(iter(found), None)


def test_the_models_order_is_that_of_singledispatch():
    class Sized:
        def __len__(self):
            return 0

    assert model.order_of(Sized, [list]) == [Sized, object]
    assert model.order_of(Sized, [abc.ABC, object]) == functools._compose_mro(Sized, [object])
