"""Classes and generic functions that are defined again: a notebook cell, a module reloaded."""

import importlib
import sys
import textwrap

import pytest

import reg
from reg import Registry


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of an application that can be loaded again."""
    (tmp_path / "shop_to_reload.py").write_text(
        textwrap.dedent(
            """
            import reg

            class Item: pass
            class Book(Item): pass
            class Label: pass

            @reg.generic
            def price(item): return 0

            @reg.generic
            def name(item): return ""
            """
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("shop_to_reload")
    del sys.modules["shop_to_reload"]


@pytest.fixture
def size():
    @reg.generic
    def size(item):
        return 0

    return size


def test_a_registration_for_a_class_that_was_defined_again_is_found(module, size):
    registry = Registry()
    registry.register(size, [module.Item], lambda item: 1)
    registry.register(size, [module.Label], lambda item: 2)
    registry.register(size, [int], lambda item: 3)
    assert reg.check(registry) == []
    importlib.reload(module)
    first, second = reg.check(registry)
    assert (first.kind, first.severity) == ("redefined", "error")
    assert "is registered for a class shop_to_reload.Item that was defined again" in first.problem
    assert "shop_to_reload.Label" in second.problem
    assert "run the cell or module of the registration again" in first.advice


def test_registering_again_for_the_present_class_ends_it_where_the_former_is_unregistered(
    module, size
):
    registry = Registry()
    former = module.Item
    registry.register(size, [former], lambda item: 1)
    importlib.reload(module)
    registry.register(size, [module.Item], lambda item: 1)
    assert [finding.kind for finding in reg.check(registry)] == ["redefined"]
    registry.unregister(size, [former])
    assert reg.check(registry) == []


def test_registrations_under_a_generic_that_was_defined_again_are_one_finding(module):
    registry = Registry()
    registry.register(module.price, [int], lambda item: 1)
    registry.register(module.price, [str], lambda item: 2)
    importlib.reload(module)
    (finding,) = reg.check(registry)
    assert finding.kind == "redefined"
    assert finding.problem == (
        "shop_to_reload.price was defined again after 2 registrations were made under it, which no"
        " call finds"
    )
    assert len(finding.places) == 2


def test_an_explanation_names_the_class_that_was_defined_again(module, size):
    registry = Registry()
    registry.register(size, [module.Item], lambda item: 1)
    importlib.reload(module)
    for argument in module.Item(), module.Book():
        (candidate,) = size.explain(argument, lookup=registry).inapplicable
        assert candidate.reason == (
            "item: shop_to_reload.Item is another class of the same name, defined again since or"
            " before; register for the present one"
        )
    with pytest.raises(reg.ComponentLookupError, match="another class of the same name"):
        size.component(module.Item(), lookup=registry)


def test_an_explanation_lists_the_registrations_under_the_former_generic(module):
    registry = Registry()
    registry.register(module.price, [int], lambda item: 1)
    importlib.reload(module)
    resolution = module.price.explain(1, lookup=registry)
    (candidate,) = resolution.inapplicable
    assert candidate.reason == (
        "is registered under a shop_to_reload.price that was defined again since; register it again"
    )
    assert module.name.explain(1, lookup=registry).inapplicable == ()


def test_a_subclass_that_takes_the_name_of_its_base_is_no_finding(module, size):
    registry = Registry()
    registry.register(size, [module.Item], lambda item: 1)
    module.Item = type("Item", (module.Item,), {"__module__": module.__name__})
    assert size(module.Item(), lookup=registry) == 1
    assert reg.check(registry) == []


def test_a_name_that_is_used_for_another_object_is_no_finding(module, size):
    registry = Registry()
    registry.register(size, [module.Item], lambda item: 1)
    registry.register(module.price, [int], lambda item: 1)
    module.Item = module.Label
    module.price = lambda item: 0
    assert reg.check(registry) == []


def test_a_generic_made_of_the_former_one_is_no_finding(module):
    registry = Registry()
    registry.register(module.price, [int], lambda item: 1)
    module.price = reg.generic(module.price)
    with reg.implicit.using(registry):
        assert module.price(1) == 1
    assert reg.check(registry) == []


def test_classes_of_one_name_in_two_calls_of_a_function_are_no_finding(size):
    def make():
        class Local:
            pass

        return Local

    first, second = make(), make()
    registry = Registry()
    registry.register(size, [first], lambda item: 1)
    registry.register(size, [second], lambda item: 2)
    assert reg.check(registry) == []


def test_generics_of_one_name_in_two_calls_of_a_function_have_nothing_to_do_with_each_other():
    def make():
        @reg.generic
        def price(item):
            return 0

        return price

    first, second = make(), make()
    registry = Registry()
    registry.register(first, [int], lambda item: 1)
    registry.register(second, [str], lambda item: 2)
    assert reg.check(registry) == []
    assert [one.classes for one in first.explain("", lookup=registry).inapplicable] == [(int,)]
