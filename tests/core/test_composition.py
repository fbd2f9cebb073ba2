"""Class lookups made of class lookups."""

from __future__ import annotations

import collections
import gc
import sys

import pytest

import reg


class Counting(reg.IClassLookup):
    """A class lookup of an application's own, which counts its questions."""

    def __init__(self, registry):
        self.registry = registry
        self.asked = []

    def get(self, key, classes):
        self.asked.append(("get", key, tuple(classes)))
        return self.registry.get(key, classes)

    def all(self, key, classes):
        self.asked.append(("all", key, tuple(classes)))
        return self.registry.all(key, classes)


@pytest.fixture(params=["list", "tuple", "generator", "chain"])
def compose(request):
    return {
        "list": lambda first, second: reg.ListClassLookup([first, second]),
        "tuple": lambda first, second: reg.ListClassLookup((first, second)),
        "generator": lambda first, second: reg.ListClassLookup(each for each in (first, second)),
        "chain": reg.ChainClassLookup,
    }[request.param]


def test_a_hit_of_an_earlier_lookup_beats_all_of_a_later_one_even_through_a_base_class(compose):
    class Animal: ...

    class Cat(Animal): ...

    first, second = reg.ClassRegistry(), reg.ClassRegistry()
    first.register("key", [object], "first object")
    second.register("key", [Cat], "second cat")
    composed = compose(first, second)
    assert composed.get("key", [Cat]) == "first object"
    assert reg.Lookup(composed).component("key", [Cat()]) == "first object"


def test_all_concatenates(compose):
    class Animal: ...

    class Cat(Animal): ...

    first, second = reg.ClassRegistry(), reg.ClassRegistry()
    for registry, name in ((first, "first"), (second, "second")):
        registry.register("key", [Cat], f"{name} cat")
        registry.register("key", [Animal], f"{name} animal")
    composed = compose(first, second)
    expected = ["first cat", "first animal", "second cat", "second animal"]
    assert composed.all("key", [Cat]) == expected
    assert reg.Lookup(composed).all("key", [Cat()]) == expected


def test_a_later_lookup_is_asked_if_earlier_ones_have_nothing(compose):
    first, second = reg.ClassRegistry(), reg.ClassRegistry()
    second.register("key", [int], 0)
    composed = compose(first, second)
    assert composed.get("key", [int]) == 0
    assert composed.get("key", [str]) is None
    assert composed.all("key", [str]) == []


def test_a_falsy_component_of_an_earlier_lookup_is_a_hit(compose):
    first, second = reg.ClassRegistry(), reg.ClassRegistry()
    first.register("key", [int], 0)
    second.register("key", [int], 1)
    assert compose(first, second).get("key", [int]) == 0


def test_compositions_are_class_lookups_and_nest(compose):
    registries = [reg.ClassRegistry() for _ in range(3)]
    composed = compose(compose(registries[0], registries[1]), registries[2])
    assert isinstance(composed, reg.IClassLookup)
    for index, registry in enumerate(registries):
        registry.register("key", [int], index)
    assert composed.all("key", [int]) == [0, 1, 2]
    assert reg.Lookup(composed).all("key", [1]) == [0, 1, 2]


def test_the_parts_are_attributes():
    first, second = reg.ClassRegistry(), reg.ClassRegistry()
    lookups = [first, second]
    assert reg.ListClassLookup(lookups).lookups == [first, second]
    chain = reg.ChainClassLookup(first, second)
    assert (chain.lookup, chain.next) == (first, second)
    assert reg.CachingClassLookup(first).class_lookup is first
    assert reg.Lookup(first).class_lookup is first


def test_chain_and_list_take_their_parts_by_name():
    first, second = reg.ClassRegistry(), reg.ClassRegistry()
    assert reg.ChainClassLookup(lookup=first, next=second).next is second
    assert reg.ListClassLookup(lookups=[first]).lookups == [first]
    assert reg.CachingClassLookup(class_lookup=first).class_lookup is first
    assert reg.Lookup(class_lookup=first).class_lookup is first


def test_an_empty_list_finds_nothing():
    assert reg.ListClassLookup([]).get("key", [int]) is None
    assert reg.Lookup(reg.ListClassLookup([])).all("key", [1]) == []


def test_a_registry_in_a_composition_stands_for_its_class_lookup(compose):
    first, second = reg.Registry(), reg.Registry()
    first.register("key", [int], "first")
    second.register("key", [int], "second")
    composed = compose(first, second)
    assert composed.get("key", [int]) == "first"
    assert composed.all("key", [int]) == ["first", "second"]
    lookup = reg.Lookup(composed)
    assert lookup.all("key", [1]) == ["first", "second"]
    first.clear()
    assert lookup.all("key", [1]) == ["second"]


def test_a_part_that_gives_an_iterator_is_read(compose):
    class Generating(reg.IClassLookup):
        def get(self, key, classes):
            return "generated"

        def all(self, key, classes):
            yield "generated"
            yield "twice"

    registry = reg.ClassRegistry()
    registry.register("key", [int], "registered")
    composed = compose(Generating(), registry)
    assert composed.all("key", [int]) == ["generated", "twice", "registered"]
    assert reg.Lookup(composed).component("key", [1]) == "generated"
    assert reg.Lookup(composed).all("key", [1]) == ["generated", "twice", "registered"]


def test_a_part_needs_only_the_methods():
    class Duck:
        def get(self, key, classes):
            return "duck"

        def all(self, key, classes):
            return ["duck"]

    assert reg.Lookup(reg.ListClassLookup([Duck()])).component("key", [1]) == "duck"
    assert reg.ChainClassLookup(reg.ClassRegistry(), Duck()).get("key", [int]) == "duck"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([reg.Registry()], r"got \[<Registry .*: make one of it with reg\.ListClassLookup$"),
        (reg.Registry, r"got <class 'reg\.registry\.Registry'>, which is a class: pass an inst"),
        (None, r"takes class lookups, such as registries, .* got None$"),
        ({}, r"got \{\}$"),
    ],
)
def test_an_object_without_the_methods_of_a_class_lookup_is_refused_before_anything_changes(
    given, message
):
    first, second = reg.Registry(), reg.Registry()
    for compose in (
        reg.Lookup,
        reg.CachingClassLookup,
        lambda given: reg.ListClassLookup([first, given]),
        lambda given: reg.ListClassLookup(iter([given])),
        lambda given: reg.ChainClassLookup(given, first),
        lambda given: reg.ChainClassLookup(first, given),
    ):
        with pytest.raises(TypeError, match=message):
            compose(given)
    composed = reg.ChainClassLookup(first, second)
    lookup, caching = reg.Lookup(first), reg.CachingClassLookup(first)
    listed = reg.ListClassLookup([first])
    for part, attribute, value in (
        (composed, "lookup", given),
        (composed, "next", given),
        (lookup, "class_lookup", given),
        (caching, "class_lookup", given),
        (listed, "lookups", [given]),
    ):
        before = getattr(part, attribute)
        with pytest.raises(TypeError, match=message):
            setattr(part, attribute, value)
        assert getattr(part, attribute) is before


def test_a_list_of_class_lookups_has_to_be_one():
    with pytest.raises(TypeError, match=r"takes a list of class lookups; got <Registry 'host'"):
        reg.ListClassLookup(reg.Registry(name="host"))


def test_a_class_whose_methods_need_no_instance_is_a_class_lookup():
    class Everywhere:
        @staticmethod
        def get(key, classes):
            return "everywhere"

        @classmethod
        def all(cls, key, classes):
            return ["everywhere"]

    class Looking(type):
        def get(cls, key, classes):
            return "everywhere"

        def all(cls, key, classes):
            return ["everywhere"]

    for cls in (Everywhere, Looking("Elsewhere", (), {})):
        assert reg.Lookup(reg.ListClassLookup([cls])).component("key", [1]) == "everywhere"


@pytest.mark.parametrize("container", [collections.deque, type("Listed", (list,), {})])
def test_any_container_of_lookups_can_be_changed_in_place(container):
    first, second = reg.ClassRegistry(), reg.ClassRegistry()
    first.register("key", [int], "first")
    second.register("key", [int], "second")
    lookups = container([first])
    lookup = reg.Lookup(reg.ListClassLookup(lookups))
    assert lookup.all("key", [1]) == ["first"]
    lookups.append(second)
    assert lookup.all("key", [1]) == ["first", "second"]


def test_lookups_that_claim_to_be_equal_are_still_told_apart():
    class Named(reg.ClassRegistry):
        def __eq__(self, other):
            return isinstance(other, Named)

        def __hash__(self):
            return 1

    first, second = Named(), Named()
    first.register("key", [int], "first")
    second.register("key", [int], "second")
    lookups = [first]
    lookup = reg.Lookup(reg.ListClassLookup(lookups))
    assert lookup.component("key", [1]) == "first"
    lookups[0] = second
    assert lookup.component("key", [1]) == "second"


def test_caching_asks_once_for_each_key_and_classes():
    registry = reg.ClassRegistry()
    registry.register("key", [int], "component")
    counting = Counting(registry)
    caching = reg.CachingClassLookup(counting)
    for _ in range(3):
        assert caching.get("key", [int]) == "component"
        assert caching.get("key", [bool]) == "component"
        assert caching.get("other", [int]) is None
        assert caching.get("key", []) is None
    assert counting.asked == [
        ("get", "key", (int,)),
        ("get", "key", (bool,)),
        ("get", "other", (int,)),
        ("get", "key", ()),
    ]


def test_caching_asks_get_and_all_apart():
    counting = Counting(reg.ClassRegistry())
    caching = reg.CachingClassLookup(counting)
    for _ in range(2):
        assert caching.get("key", [int]) is None
        assert caching.all("key", [int]) == []
    assert counting.asked == [("get", "key", (int,)), ("all", "key", (int,))]


def test_caching_keeps_its_answers_through_every_change():
    registry = reg.ClassRegistry()
    registry.register("key", [int], "old")
    caching = reg.CachingClassLookup(registry)
    lookup = reg.Lookup(caching)
    assert caching.get("key", [int]) == "old"
    assert caching.all("key", [str]) == []
    assert lookup.component("key", [1]) == "old"
    assert lookup.component("key", ["a"], None) is None
    registry.register("key", [int], "new")
    registry.register("key", [str], "late")
    assert caching.get("key", [int]) == "old"
    assert caching.all("key", [str]) == []
    assert lookup.component("key", [1]) == "old"
    assert lookup.component("key", ["a"], None) is None
    registry.clear()
    assert lookup.component("key", [1]) == "old"
    assert caching.all("key", [bool]) == []


def test_caching_keeps_its_answers_when_bases_change_and_die():
    class Plain: ...

    class Base(Plain): ...

    class Thing(Base): ...

    registry = reg.ClassRegistry()
    registry.register("key", [Base], "base")
    caching = reg.CachingClassLookup(reg.ListClassLookup([registry]))
    lookup = reg.Lookup(caching)

    def agree():
        assert caching.get("key", [Thing]) == "base"
        assert caching.all("key", [Thing]) == ["base"]
        assert lookup.component("key", [Thing()]) == "base"

    agree()
    Thing.__bases__ = (Plain,)
    agree()
    registry.clear()
    del Base
    gc.collect()
    agree()
    caching.clear()
    assert caching.get("key", [Thing]) is None


def test_caching_keeps_its_answers_where_it_is_part_of_a_composition():
    registry, other = reg.ClassRegistry(), reg.ClassRegistry()
    lookup = reg.Lookup(reg.ListClassLookup([reg.CachingClassLookup(registry), other]))
    assert lookup.all("key", [1]) == []
    registry.register("key", [int], "hidden")
    other.register("key", [int], "seen")
    assert lookup.all("key", [1]) == ["seen"]


def test_caching_forgets_when_told_to():
    registry = reg.ClassRegistry()
    caching = reg.CachingClassLookup(registry)
    lookup = reg.Lookup(caching)
    assert caching.get("key", [int]) is None
    assert lookup.component("key", [1], None) is None
    registry.register("key", [int], "component")
    caching.clear()
    assert caching.get("key", [int]) == "component"
    assert caching.all("key", [int]) == ["component"]
    assert lookup.component("key", [1]) == "component"


def test_caching_keeps_the_components_of_an_iterator():
    class Generating(reg.IClassLookup):
        def all(self, key, classes):
            return iter(["one", "two"])

    caching = reg.CachingClassLookup(Generating())
    assert caching.all("key", [int]) == ["one", "two"]
    assert caching.all("key", [int]) == ["one", "two"]


def test_caching_does_not_remember_an_error():
    class Failing(reg.IClassLookup):
        failing = True

        def get(self, key, classes):
            if self.failing:
                raise RuntimeError("not yet")
            return "component"

    failing = Failing()
    caching = reg.CachingClassLookup(failing)
    with pytest.raises(RuntimeError, match="not yet"):
        caching.get("key", [int])
    failing.failing = False
    assert caching.get("key", [int]) == "component"


def test_caching_of_a_third_party_lookup_asks_it_once_in_calls():
    @reg.generic
    def size(thing):
        return "fallback"

    registry = reg.ClassRegistry()
    registry.register(size, [int], lambda thing: "int")
    counting = Counting(registry)
    lookup = reg.Lookup(reg.CachingClassLookup(counting))
    assert [size(1, lookup=lookup) for _ in range(3)] == ["int"] * 3
    assert len(counting.asked) == 1


def test_compositions_show_their_parts():
    registry = reg.ClassRegistry(name="app")
    for class_, args in (
        (reg.ListClassLookup, ([registry],)),
        (reg.ChainClassLookup, (registry, registry)),
        (reg.CachingClassLookup, (registry,)),
    ):
        assert class_.__name__ in repr(class_(*args))
        assert "'app'" in repr(class_(*args))
    assert "'app'" in repr(reg.Registry(name="app"))


def circles():
    """Make a composition of each kind that contains itself, and name the attribute."""
    listed = reg.ListClassLookup([reg.Registry()])
    listed.lookups.append(listed)
    yield listed, r"ListClassLookup .* its lookups\[1\] leads"
    chain = reg.ChainClassLookup(reg.Registry(), reg.Registry())
    chain.next = chain
    yield chain, "ChainClassLookup .* its next leads"
    caching = reg.CachingClassLookup(reg.Registry())
    caching.class_lookup = reg.Lookup(reg.ListClassLookup([caching]))
    yield caching, r"this (Caching|List)ClassLookup .* leads"
    merged = reg.MergedClassLookup([reg.Registry()])
    merged.lookups.append(merged)
    yield merged, r"MergedClassLookup .* its lookups\[1\] leads"
    lookup = reg.Lookup(reg.Registry())
    lookup.class_lookup = lookup
    yield lookup, "this Lookup .* its class_lookup leads"
    # A container of another kind, of which nothing is cached.
    parts = collections.deque([reg.Registry()])
    queue = reg.ListClassLookup(parts)
    parts.append(queue)
    yield queue, r"ListClassLookup .* its lookups\[1\] leads"


@reg.generic
def circular(thing):
    return "fallback"


@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy has no room left to handle a RecursionError"
)
@pytest.mark.parametrize(("part", "place"), list(circles()))
def test_a_composition_of_itself_is_an_error_that_says_where(part, place):
    lookup = part if isinstance(part, reg.Lookup) else reg.Lookup(part)
    asked = [
        lambda: circular(1, lookup=lookup),
        lambda: circular(1, lookup=lookup, default=None),
        lambda: circular.component(1, lookup=lookup),
        lambda: circular.all(1, lookup=lookup),
        lambda: circular.explain(1, lookup=lookup),
        lambda: lookup.call(circular, [1]),
        lambda: lookup.component_for(circular, [int]),
        lambda: lookup.explain_classes(circular, [int]),
        lambda: reg.check(lookup),
    ]
    if part is not lookup:
        asked += [lambda: part.all(circular, [int]), lambda: part.get(circular, [int])]
    for ask in asked * 2:
        with pytest.raises(ValueError, match=f"{place} back to it, .*take it out there"):
            ask()
    assert "..." in repr(part)


def test_a_registry_in_a_composition_twice_is_no_circle():
    registry = reg.Registry()
    registry.register(circular, [int], lambda thing: "found")
    part = reg.ListClassLookup([registry, reg.ChainClassLookup(registry, registry)])
    assert circular(1, lookup=reg.Lookup(reg.ListClassLookup([part, part]))) == "found"


def test_an_endless_recursion_elsewhere_stays_what_it_is():
    class Endless(reg.IClassLookup):
        def all(self, key, classes):
            return self.all(key, classes)

    part = reg.ListClassLookup([reg.ListClassLookup([Endless()])])
    with pytest.raises(RecursionError):
        part.all(circular, [int])
    with pytest.raises(RecursionError):
        circular(1, lookup=reg.Lookup(part))
