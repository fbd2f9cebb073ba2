"""Several registries, searched as if they were one."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sized

import pytest

import reg


class Animal: ...


class Cat(Animal): ...


@reg.generic
def name(thing):
    return "fallback"


@reg.generic
def meet(first, second):
    return "fallback"


@pytest.fixture
def application():
    return reg.Registry(name="application")


@pytest.fixture
def framework():
    return reg.Registry(name="framework")


@pytest.fixture
def lookup(application, framework):
    return reg.Lookup(reg.MergedClassLookup([application, framework]))


def test_the_more_specific_wins_in_whatever_registry_it_is(application, framework, lookup):
    application.register("key", [object], "of application")
    framework.register("key", [Cat], "of framework")
    assert lookup.all("key", [Cat()]) == ["of framework", "of application"]
    assert lookup.component("key", [Animal()]) == "of application"
    in_order = reg.Lookup(reg.ListClassLookup([application, framework]))
    assert in_order.component("key", [Cat()]) == "of application"


def test_the_earlier_registry_wins_for_the_same_classes(application, framework, lookup):
    framework.register("key", [Cat], "of framework")
    application.register("key", [Cat], "of application")
    assert lookup.all("key", [Cat()]) == ["of application", "of framework"]


def test_the_first_argument_weighs_most_across_registries(application, framework, lookup):
    application.register("key", [Animal, Cat], "of application")
    framework.register("key", [Cat, Animal], "of framework")
    assert lookup.all("key", [Cat(), Cat()]) == ["of framework", "of application"]


def test_unions_and_abstract_classes_are_sorted_across_registries(application, framework, lookup):
    application.register("key", [object], "object")
    application.register("key", [list | str], "union")
    framework.register("key", [Sized], "sized")
    framework.register("key", [list], "list")
    assert lookup.all("key", [[]]) == ["list", "union", "sized", "object"]
    assert lookup.all("key", [{}]) == ["sized", "object"]


def test_call_next_goes_from_one_registry_to_the_other(application, framework, lookup):
    for registry, cls in (application, object), (framework, Cat), (application, Animal):

        @registry.register(name, [cls])
        def named(thing, call_next, cls=cls):
            return [cls, call_next()]

    assert name(Cat(), lookup=lookup) == [Cat, [Animal, [object, "fallback"]]]


def test_a_warm_call_follows_all_changes(application, framework):
    parts = [application]
    lookup = reg.Lookup(reg.MergedClassLookup(parts))
    application.register(name, [object], lambda thing: "object")
    framework.register(name, [Animal], lambda thing: "animal")
    assert name(Cat(), lookup=lookup) == "object"
    parts.append(framework)
    assert name(Cat(), lookup=lookup) == "animal"
    framework.register(name, [Cat], lambda thing: "cat")
    assert name(Cat(), lookup=lookup) == "cat"
    framework.clear()
    assert name(Cat(), lookup=lookup) == "object"
    lookup.class_lookup.lookups = [framework]
    assert name(Cat(), lookup=lookup) == "fallback"


def test_it_is_composed_with_other_class_lookups(application, framework):
    last = reg.Registry()
    merged = reg.MergedClassLookup([application, reg.MergedClassLookup((framework,))])
    lookup = reg.Lookup(reg.ListClassLookup([merged, last]))
    application.register("key", [object], "application")
    framework.register("key", [Animal], "framework")
    last.register("key", [Cat], "last")
    assert lookup.all("key", [Cat()]) == ["framework", "application", "last"]
    kept = reg.CachingClassLookup(merged)
    assert kept.all("key", [Cat]) == merged.all("key", [Cat]) == ["framework", "application"]
    assert merged.get("key", [Cat]) == "framework"
    assert merged.get("other", [Cat]) is None


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_are_merged_as_well(application, framework, lookup, copied):
    application.register("key", [object], "application")
    framework.register("key", [Animal], "framework")
    other = copied(lookup)
    framework.clear()
    assert other.component("key", [Cat()]) == "framework"


class ThirdParty(reg.IClassLookup):
    def get(self, key, classes):
        return None

    def all(self, key, classes):
        return []


class OverridingRegistry(reg.ClassRegistry):
    def all(self, key, classes):
        return []


@pytest.mark.parametrize(
    "part",
    [
        ThirdParty(),
        OverridingRegistry(),
        reg.ListClassLookup([reg.Registry()]),
        reg.CachingClassLookup(reg.Registry()),
        reg.Lookup(reg.ListClassLookup([])),
    ],
)
def test_only_registries_can_be_merged(application, part):
    with pytest.raises(TypeError, match="put registries into it"):
        reg.MergedClassLookup([application, part])
    parts = [application]
    merged = reg.MergedClassLookup(parts)
    lookup = reg.Lookup(merged)
    lookup.all("key", [1])
    parts.append(part)
    for ask in (lookup.all, merged.all, merged.get):
        with pytest.raises(TypeError, match="put registries into it"):
            ask("key", [int])
    parts.pop()
    assert lookup.all("key", [1]) == []


@pytest.mark.parametrize("value", [None, 5, [5], [reg]])
def test_other_objects_are_refused(value):
    with pytest.raises(TypeError, match="MergedClassLookup"):
        reg.MergedClassLookup(value)


def test_a_class_that_is_not_defined_yet_is_found_later(application, framework, lookup):
    @framework.implements(name)
    def later(thing: Later):
        return "later"

    assert name(Later(), lookup=lookup) == "later"


def test_explanations_give_the_registry_and_the_reason(application, framework, lookup):
    application.register(name, [object], lambda thing: "application")
    framework.register(name, [Cat], lambda thing: "framework")
    application.register(name, [Animal], lambda thing: "application")
    framework.register(name, [Animal], lambda thing: "framework")
    candidates = name.explain(Cat(), lookup=lookup).candidates
    assert [(each.lookup, each.classes, each.reason) for each in candidates] == [
        ("framework", (Cat,), "comes first"),
        ("application", (Animal,), "thing: Animal comes after Cat in the MRO of Cat"),
        ("framework", (Animal,), "thing: Animal comes after Cat in the MRO of Cat"),
        ("application", (object,), "thing: object comes after Cat in the MRO of Cat"),
    ]
    framework.unregister(name, [Cat])
    second = name.explain(Cat(), lookup=lookup).candidates[1]
    assert second.reason == "application comes before framework, for the same classes"


def test_check_does_not_take_the_less_specific_for_one_that_hides(application, framework, lookup):
    @application.implements(name)
    def anything(thing: object): ...

    @framework.implements(name)
    def cat(thing: Cat): ...

    assert reg.check(lookup) == []
    assert reg.check(reg.Lookup(reg.ListClassLookup([application, framework]))) != []


class Later: ...
