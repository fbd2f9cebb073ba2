"""Registries that refuse registrations between which no specificity decides."""

from __future__ import annotations

import copy
import pickle

import pytest

import reg


class Item: ...


class Text(Item): ...


class Page: ...


@pytest.fixture(params=[reg.ClassRegistry, reg.Registry])
def registry(request):
    return request.param(ambiguous=False)


@pytest.mark.parametrize("order", [1, -1])
def test_a_pair_that_the_first_argument_decides_is_refused(registry, order):
    first, second = [([Text, object], "by text"), ([Item, Page], "by page")][::order]
    registry.register("show", *first)
    with pytest.raises(reg.RegistrationError) as caught:
        registry.register("show", *second)
    message = str(caught.value)
    assert "'by text'" in message
    assert "'by page'" in message
    assert message.count(__file__) == 2
    assert f"register something for ({__name__}.Text, {__name__}.Page) first" in message
    assert [each.component for each in registry.registrations()] == [first[1]]


def test_both_are_taken_once_their_meet_is_registered(registry):
    registry.register("show", [Text, Page], "both")
    registry.register("show", [Text, object], "by text")
    registry.register("show", [Item, Page], "by page")
    assert len(registry.registrations()) == 3


def test_a_more_specific_registration_is_not_ambiguous(registry):
    for classes in [Item, object], [Text, object], [Text, Page], [int, str], [object, object], []:
        registry.register("show", classes, "component")
    registry.register("show", [Text, Page], "again")
    registry.register("other", [Item, Page], "component")
    assert len(registry.registrations()) == 7


def test_unions_with_a_common_member_are_refused_unless_it_is_registered(registry):
    registry.register("show", [int | str], "first")
    with pytest.raises(reg.RegistrationError, match=r"register something for \(builtins\.int\)"):
        registry.register("show", [int | bytes], "second")
    assert len(registry.registrations()) == 2
    registry.register("show", [int], "int")
    registry.register("show", [int | bytes], "second")


def test_a_union_is_less_specific_than_its_member_at_another_position(registry):
    registry.register("show", [int, object], "int")
    with pytest.raises(reg.RegistrationError):
        registry.register("show", [int | str, int], "union")
    registry.register("show", [int, int], "both")
    registry.register("show", [int | str, int], "union")


def test_the_default_is_the_first_argument_rule():
    registry = reg.Registry()
    registry.register("show", [Text, object], "by text")
    registry.register("show", [Item, Page], "by page")
    assert registry.component("show", [Text(), Page()]) == "by text"


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_copies_refuse_as_well(registry, copied):
    registry.register("show", [Text, object], "by text")
    with pytest.raises(reg.RegistrationError):
        copied(registry).register("show", [Item, Page], "by page")


def test_names_that_are_not_loaded_are_not_compared(registry):
    registry.register("show", ["not_installed:Text", object], "by text")
    registry.register("show", [Item, Page], "by page")
    assert len(registry.registrations()) == 2
