"""Components are registered, and found again exactly."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass

import pytest

import reg


@pytest.fixture(params=[reg.ClassRegistry, reg.Registry])
def registry(request):
    return request.param()


def test_every_public_name_is_there():
    names = """
        IRegistry IClassLookup ClassRegistry Registry Lookup Matcher ListClassLookup
        ChainClassLookup CachingClassLookup MergedClassLookup generic classgeneric
        PredicateRegistry Predicate
        PredicateMatcher KeyIndex ANY implicit mapply arginfo ComponentLookupError
        NoImplicitLookupError PredicateRegistryError Sentinel
    """
    for name in names.split():
        assert hasattr(reg, name)
        assert name in reg.__all__


def test_the_modules_hold_what_they_are_named_for():
    from reg.implicit import Implicit, NoImplicitLookupError
    from reg.lookup import ComponentLookupError, Lookup, Matcher
    from reg.registry import ClassRegistry, IClassLookup, IRegistry, Registry

    assert isinstance(reg.implicit, Implicit)
    assert reg.NoImplicitLookupError is NoImplicitLookupError
    assert (reg.Lookup, reg.Matcher, reg.ComponentLookupError) == (
        Lookup,
        Matcher,
        ComponentLookupError,
    )
    assert (reg.IRegistry, reg.IClassLookup) == (IRegistry, IClassLookup)
    assert (reg.Registry, reg.ClassRegistry) == (Registry, ClassRegistry)


def test_importing_the_implicit_module_leaves_the_singleton_in_the_package():
    importlib.import_module("reg.implicit")
    assert reg.implicit.lookup is None
    assert reg.implicit is sys.modules["reg.implicit"].implicit


def test_a_class_registry_is_both_interfaces():
    assert issubclass(reg.ClassRegistry, reg.IRegistry)
    assert issubclass(reg.ClassRegistry, reg.IClassLookup)


def test_a_registry_is_a_registry_and_a_lookup_over_its_own_class_registry():
    registry = reg.Registry()
    assert isinstance(registry, reg.IRegistry)
    assert isinstance(registry, reg.Lookup)
    assert isinstance(registry.registry, reg.ClassRegistry)
    assert registry.class_lookup is registry.registry
    registry.register("key", [int], "component")
    assert registry.registry.exact("key", [int]) == "component"
    assert registry.component("key", [1]) == "component"


def test_interfaces_name_the_methods_to_define():
    with pytest.raises(NotImplementedError, match="register"):
        reg.IRegistry().register("key", [], "component")
    with pytest.raises(NotImplementedError, match="exact"):
        reg.IRegistry().exact("key", [])
    with pytest.raises(NotImplementedError, match="clear"):
        reg.IRegistry().clear()
    with pytest.raises(NotImplementedError, match="get"):
        reg.IClassLookup().get("key", [])
    with pytest.raises(NotImplementedError, match="all"):
        reg.IClassLookup().all("key", [])
    with pytest.raises(NotImplementedError, match="__call__"):
        reg.Matcher()()


def test_exact_gets_the_registration_for_that_very_tuple(registry):
    class Animal: ...

    class Cat(Animal): ...

    registry.register("key", [Animal, int], "animal")
    assert registry.exact("key", [Animal, int]) == "animal"
    assert registry.exact("key", (Animal, int)) == "animal"
    assert registry.exact("key", [Cat, int]) is None
    assert registry.exact("key", [Animal]) is None
    assert registry.exact("key", [Animal, int, int]) is None
    assert registry.exact("other", [Animal, int]) is None


def test_exact_compares_all_classes_of_a_lone_registration(registry):
    registry.register("key", [int, str, list], "component")
    assert registry.exact("key", [int, str, dict]) is None
    assert registry.exact("key", [int, bytes, list]) is None
    assert registry.exact("key", [int, str, list]) == "component"


@pytest.mark.parametrize("key", ["text", 1, (1, 2), frozenset(), len, int, None, 1.5])
def test_any_hashable_object_is_a_key(registry, key):
    registry.register(key, [int], "component")
    assert registry.exact(key, [int]) == "component"


def test_equal_keys_are_one_key(registry):
    @dataclass(frozen=True)
    class Key:
        name: str

    registry.register(Key("a"), [int], "component")
    assert registry.exact(Key("a"), [int]) == "component"
    assert registry.exact(Key("b"), [int]) is None


@pytest.mark.parametrize("classes", [[], [int], [int, str], [int, str, list], [int] * 6])
def test_any_number_of_classes_can_be_registered_for(registry, classes):
    registry.register("key", classes, "component")
    assert registry.exact("key", classes) == "component"


def test_the_numbers_of_classes_under_a_key_do_not_meet(registry):
    for arity in range(5):
        registry.register("key", [int] * arity, arity)
    for arity in range(5):
        assert registry.exact("key", [int] * arity) == arity
    registry.register("key", [int] * 2, "replaced")
    assert [registry.exact("key", [int] * arity) for arity in range(5)] == [0, 1, "replaced", 3, 4]


@pytest.mark.parametrize("component", [0, "", False, (), 0.0])
def test_falsy_components_are_components(component):
    registry = reg.Registry()
    registry.register("key", [int], component)
    assert registry.exact("key", [int]) is component
    assert registry.registry.get("key", [bool]) is component
    assert registry.registry.all("key", [bool]) == [component]
    assert registry.component("key", [1]) is component
    assert registry.component("key", [1], "default") is component
    assert registry.all("key", [1]) == [component]


def test_classes_come_as_any_iterable(registry):
    registry.register("key", iter([int, str]), "iterator")
    registry.register("key", (cls for cls in [int, bytes]), "generator")
    registry.register("key", {int: 1, list: 2}, "mapping")
    registry.register("key", {bytes}, "set")
    assert registry.exact("key", iter([int, str])) == "iterator"
    assert registry.exact("key", (int, bytes)) == "generator"
    assert registry.exact("key", [int, list]) == "mapping"
    assert registry.exact("key", {bytes}) == "set"


def test_look_ups_take_classes_as_any_iterable():
    registry = reg.ClassRegistry()
    registry.register("key", [int, str], "component")
    for composed in (
        registry,
        reg.ListClassLookup([reg.ClassRegistry(), registry]),
        reg.ChainClassLookup(reg.ClassRegistry(), registry),
        reg.CachingClassLookup(registry),
    ):
        assert composed.get("key", iter([int, str])) == "component"
        assert composed.all("key", iter([int, str])) == ["component"]
    assert reg.Lookup(registry).component("key", iter([1, "a"])) == "component"
    assert reg.Lookup(registry).all("key", iter([1, "a"])) == ["component"]


def test_a_new_component_replaces_that_for_the_same_key_and_classes(registry):
    registry.register("key", [int], "old")
    registry.register("key", [str], "other")
    registry.register("key", [int], "new")
    assert registry.exact("key", [int]) == "new"
    assert registry.exact("key", [str]) == "other"


def test_exact_gives_a_matcher_as_it_is(registry):
    class Answering(reg.Matcher):
        def __call__(self, *args):
            return "answer"

    matcher = Answering()
    registry.register("key", [int], matcher)
    assert registry.exact("key", [int]) is matcher


def test_clear_forgets_everything(registry):
    registry.register("key", [int], "component")
    registry.register("key", [], "none")
    registry.clear()
    assert registry.exact("key", [int]) is None
    assert registry.exact("key", []) is None
    registry.register("key", [int], "again")
    assert registry.exact("key", [int]) == "again"


def test_a_cleared_registry_stays_in_use_where_it_is_composed():
    registry = reg.ClassRegistry()
    lookup = reg.Lookup(reg.ListClassLookup([reg.ClassRegistry(), registry]))
    registry.register("key", [int], "old")
    assert lookup.component("key", [1]) == "old"
    registry.clear()
    assert lookup.component("key", [1], None) is None
    registry.register("key", [int], "new")
    assert lookup.component("key", [1]) == "new"


def test_none_as_component_is_refused_with_key_and_classes_named(registry):
    registry.register("size", [int], "before")
    with pytest.raises(TypeError, match=r"None under 'size' for \(builtins\.int, builtins\.str\)"):
        registry.register("size", [int, str], None)
    assert registry.exact("size", [int, str]) is None
    assert registry.exact("size", [int]) == "before"


@pytest.mark.parametrize("value", [1, 1.5, object(), [int], len])
def test_an_object_that_is_not_a_class_is_refused_with_key_position_and_value(registry, value):
    with pytest.raises(TypeError) as caught:
        registry.register("size", [int, value], "component")
    assert "'size'" in str(caught.value)
    assert "position 1" in str(caught.value)
    assert repr(value) in str(caught.value)
    assert registry.exact("size", [int]) is None


def test_an_instance_that_claims_to_be_a_class_is_not_a_class(registry):
    class Claiming:
        __class__ = type

    with pytest.raises(TypeError, match="position 0"):
        registry.register("size", [Claiming()], "component")


@pytest.mark.parametrize("classes", [int, "package.module:Class", None, 5])
def test_classes_that_come_alone_are_refused(registry, classes):
    with pytest.raises(TypeError, match="one class for each argument"):
        registry.register("size", classes, "component")


def test_an_unhashable_key_is_refused(registry):
    with pytest.raises(TypeError, match="hashable key"):
        registry.register([], [int], "component")
    with pytest.raises(TypeError, match="hashable key"):
        registry.exact([], [int])


def test_a_refused_registration_changes_nothing(registry):
    for classes in ([int, 1], [int | str, list[int]]):
        with pytest.raises(TypeError):
            registry.register("key", classes, "component")
    assert list(registry.registrations()) == []


def test_register_without_component_is_a_decorator(registry):
    @registry.register("key", [int])
    def component():
        return "called"

    assert component() == "called"
    assert registry.exact("key", [int]) is component


def test_the_decorator_refuses_bad_classes_before_it_is_applied(registry):
    with pytest.raises(TypeError, match="position 0"):
        registry.register("key", [1])


def test_the_decorator_refuses_none_as_component(registry):
    with pytest.raises(TypeError, match="None"):
        registry.register("key", [int])(None)


def test_parameters_can_be_passed_by_name(registry):
    registry.register(key="key", classes=[int], component="component")
    assert registry.exact(key="key", classes=[int]) == "component"
