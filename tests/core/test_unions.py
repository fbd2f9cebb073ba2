"""Unions: less specific than their members, which keep registrations of their own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sized

import pytest

import reg


@reg.generic
def show(thing):
    return "fallback"


@reg.generic
def meet(first, second):
    return "fallback"


@pytest.fixture(params=[reg.ClassRegistry, reg.Registry])
def registry(request):
    return request.param()


def found(registry, *classes, key="key"):
    return getattr(registry, "class_lookup", registry).all(key, classes)


@pytest.mark.parametrize("order", [[int, int | str], [int | str, int]])
def test_a_class_comes_before_its_unions_in_any_order_of_registration(registry, order):
    for specification in order:
        registry.register("key", [specification], str(specification))
    assert found(registry, int) == [str(int), "int | str"]
    assert found(registry, bool) == [str(int), "int | str"]
    assert found(registry, str) == ["int | str"]


def test_a_union_stands_at_the_place_of_its_member(registry):
    registry.register("key", [object], "object")
    registry.register("key", [int], "int")
    registry.register("key", [bool | str], "bool or str")
    assert found(registry, bool) == ["bool or str", "int", "object"]
    assert found(registry, str) == ["bool or str", "object"]


def test_the_implementation_for_a_union_is_next_for_call_next():
    registry = reg.Registry()

    @registry.implements(show)
    def number(thing: int, call_next):
        return ["int", call_next()]

    @registry.implements(show)
    def either(thing: int | str, call_next):
        return ["union", call_next()]

    @registry.implements(show)
    def anything(thing: object):
        return "object"

    assert show(1, lookup=registry) == ["int", ["union", "object"]]
    assert show("", lookup=registry) == ["union", "object"]


def test_the_same_union_replaces_in_whatever_order_it_is_written(registry):
    registry.register("key", [int | str], "old")
    registry.register("key", [str | int], "new")
    assert found(registry, int) == found(registry, str) == ["new"]
    assert len(registry.registrations()) == 2


def test_unions_with_a_common_member_are_asked_in_the_order_of_registration(registry):
    registry.register("key", [int | str], "first")
    registry.register("key", [bytes | int], "second")
    registry.register("key", [str | int], "first again")
    assert found(registry, int) == ["first again", "second"]


def test_unregistering_a_union_leaves_its_members(registry):
    registry.register("key", [int], "int")
    registry.register("key", [int | str], "union")
    registry.unregister("key", [int | str])
    assert [each.component for each in registry.registrations()] == ["int"]
    with pytest.raises(reg.RegistrationError, match=r"\(builtins\.int \| builtins\.str\)"):
        registry.unregister("key", [int | str])


def test_unregistering_a_class_leaves_its_unions(registry):
    registry.register("key", [int | str], "union")
    registry.register("key", [int], "int")
    registry.unregister("key", [int])
    assert found(registry, int) == ["union"]
    registry.unregister("key", [int])
    assert (found(registry, int), found(registry, str)) == ([], ["union"])


def test_a_union_is_unregistered_after_one_of_its_members(registry):
    registry.register("key", [int | str, bytes | bool], "union")
    registry.unregister("key", [int, bytes])
    assert (found(registry, int, bytes), found(registry, str, bytes)) == ([], ["union"])
    registry.unregister("key", [int | str, bool | bytes])
    assert registry.registrations() == []
    with pytest.raises(reg.RegistrationError, match="nothing is registered"):
        registry.unregister("key", [int | str, bool | bytes])


def test_a_union_is_registered_again_after_one_of_its_members_has_gone(registry):
    registry.register("key", [int | str], "former")
    registry.unregister("key", [int])
    registry.register("key", [int | str], "union")
    assert found(registry, int) == found(registry, str) == ["union"]
    assert len(registry.registrations()) == 2


def test_exact_prefers_the_class_itself(registry):
    registry.register("key", [int | str, int | str], "unions")
    assert registry.exact("key", [int, str]) == "unions"
    registry.register("key", [int | str, str], "union and class")
    assert registry.exact("key", [int, str]) == "union and class"
    registry.register("key", [int, str], "classes")
    assert registry.exact("key", [int, str]) == "classes"
    assert registry.exact("key", [str, int]) == "unions"
    assert registry.exact("key", [bool, str]) is None


def test_registrations_list_each_member_with_its_class_and_its_union(registry):
    registry.register("key", [int | str, bytes], "component")
    assert [(each.classes, each.unions) for each in registry.registrations()] == [
        ((int, bytes), ((int, str), ())),
        ((str, bytes), ((int, str), ())),
    ]


def test_without_replace_only_the_same_union_and_the_same_class_are_refused():
    registry = reg.Registry(replace=False)
    registry.register("key", [int], "int")
    registry.register("key", [int | str], "union")
    registry.register("key", [int | bytes], "other union")
    for classes in [int], [str | int]:
        with pytest.raises(reg.RegistrationError):
            registry.register("key", classes, "again")
    assert found(registry, int) == ["int", "union", "other union"]


def test_a_union_of_an_abstract_class_stands_behind_it(registry):
    registry.register("key", [Sized | int], "union")
    registry.register("key", [object], "object")
    registry.register("key", [Sized], "sized")
    assert found(registry, list) == ["sized", "union", "object"]
    registry.unregister("key", [Sized])
    assert found(registry, list) == ["union", "object"]
    registry.unregister("key", [Sized | int])
    assert found(registry, list) == ["object"]


def test_a_forward_name_in_a_union_becomes_its_class(registry):
    @registry.implements(show)
    def shown(thing: Later | int):
        return "union"

    registry.register(show, [Later], "class")
    assert found(registry, Later, key=show) == ["class", shown]
    assert found(registry, int, key=show) == [shown]
    registry.unregister(show, [Later | int])
    assert found(registry, Later, key=show) == ["class"]


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_copies_and_pickles_keep_unions_apart_from_classes(registry, copied):
    registry.register("key", [int], "int")
    registry.register("key", [int | str], "union")
    other = copied(registry)
    assert found(other, int) == ["int", "union"]
    other.register("key", [str | int], "new")
    other.unregister("key", [int])
    assert (found(other, int), found(registry, int)) == (["new"], ["int", "union"])


def test_a_warm_call_follows_registrations_for_unions():
    registry = reg.Registry()
    registry.register(show, [int | str], lambda thing: "union")
    assert show(1, lookup=registry) == "union"
    registry.register(show, [int], lambda thing: "int")
    assert show(1, lookup=registry) == "int"
    registry.unregister(show, [int])
    assert show(1, lookup=registry) == "union"
    registry.unregister(show, [int | str])
    assert show(1, lookup=registry) == "fallback"


def test_explanations_name_the_union():
    registry = reg.Registry()
    registry.register(show, [int | str], lambda thing: "union")
    registry.register(show, [bytes | int], lambda thing: "other union")
    registry.register(show, [int], lambda thing: "int")
    explanation = show.explain(1, lookup=registry)
    _, first, second = explanation.candidates
    assert (first.classes, first.unions) == ((int,), ((int, str),))
    assert first.reason == "thing: the union int | str comes after its member int itself"
    assert second.reason == "thing: the union bytes | int comes after its member int itself"
    assert "(int of int | str)" in str(explanation)
    assert first.as_dict()["unions"] == [["int", "str"]]
    registry.unregister(show, [int])
    _, second = show.explain(1, lookup=registry).candidates
    assert second.reason == (
        "thing: the union bytes | int was registered after int | str, which has int too"
    )


def test_the_nearest_candidates_name_the_union():
    registry = reg.Registry()
    registry.register("key", [int | str], "component")
    with pytest.raises(reg.ComponentLookupError, match=r"\(int of int \| str\)"):
        registry.component("key", [1.5])


def test_check_finds_unions_that_only_the_order_of_registration_decides():
    registry = reg.Registry()

    @registry.implements(show)
    def first(thing: int | str): ...

    @registry.implements(show)
    def second(thing: bytes | int): ...

    (finding,) = reg.check(registry)
    assert finding.kind == "registration-order"
    assert "(int of bytes | int)" in str(finding)

    @registry.implements(show)
    def number(thing: int): ...

    assert reg.check(registry) == []


def test_check_finds_unions_between_which_the_first_argument_decides():
    registry = reg.Registry()

    @registry.implements(meet)
    def first(first: int | str, second: object): ...

    @registry.implements(meet)
    def second(first: object, second: int): ...

    assert {finding.kind for finding in reg.check(registry)} == {"first-argument"}

    @registry.implements(meet)
    def both(first: int | str, second: int): ...

    assert reg.check(registry) == []


class Later: ...
