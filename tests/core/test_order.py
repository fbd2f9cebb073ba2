"""In which order components are found."""

from __future__ import annotations

import itertools

import reg


def test_a_registration_for_a_base_class_is_found_for_its_subclasses():
    class Animal: ...

    class Cat(Animal): ...

    registry = reg.ClassRegistry()
    registry.register("key", [Animal], "animal")
    assert registry.get("key", [Cat]) == "animal"
    assert registry.all("key", [Cat]) == ["animal"]
    assert registry.get("key", [object]) is None
    assert registry.all("key", [object]) == []


def test_the_most_specific_class_comes_first_and_object_last():
    class Animal: ...

    class Cat(Animal): ...

    registry = reg.ClassRegistry()
    registry.register("key", [object], "object")
    registry.register("key", [Cat], "cat")
    registry.register("key", [Animal], "animal")
    assert registry.all("key", [Cat]) == ["cat", "animal", "object"]
    assert registry.get("key", [Cat]) == "cat"
    assert registry.all("key", [Animal]) == ["animal", "object"]


def test_the_order_is_that_of_the_mro_with_multiple_inheritance():
    class Base: ...

    class Left(Base): ...

    class Right(Base): ...

    class Both(Left, Right): ...

    registry = reg.ClassRegistry()
    for cls in (Base, Right, object, Left, Both):
        registry.register("key", [cls], cls.__name__)
    assert registry.all("key", [Both]) == ["Both", "Left", "Right", "Base", "object"]


def test_the_order_is_the_product_of_the_mros_and_the_first_class_weighs_most():
    class A: ...

    class B(A): ...

    class C(B): ...

    registry = reg.ClassRegistry()
    for combination in reversed(list(itertools.product([A, B, C, object], repeat=3))):
        registry.register("key", combination, combination)
    expected = list(itertools.product(C.__mro__, B.__mro__, A.__mro__))
    assert registry.all("key", [C, B, A]) == expected
    assert registry.get("key", [C, B, A]) == (C, B, A)


def test_a_specific_first_class_beats_a_specific_second_one():
    class A: ...

    class B(A): ...

    registry = reg.ClassRegistry()
    registry.register("key", [A, B], "second")
    registry.register("key", [B, A], "first")
    assert registry.get("key", [B, B]) == "first"
    assert registry.all("key", [B, B]) == ["first", "second"]


def test_registrations_for_other_numbers_of_classes_are_not_found():
    registry = reg.ClassRegistry()
    registry.register("key", [object], "one")
    registry.register("key", [], "none")
    registry.register("key", [object, object], "two")
    assert registry.all("key", []) == ["none"]
    assert registry.all("key", [int]) == ["one"]
    assert registry.all("key", [int, int]) == ["two"]
    assert registry.all("key", [int, int, int]) == []
    assert registry.get("key", [int, int, int]) is None


def test_a_call_without_arguments_finds_the_registration_without_classes():
    registry = reg.Registry()
    registry.register("key", [], "component")
    assert registry.registry.get("key", []) == "component"
    assert registry.component("key", []) == "component"
    assert registry.all("key", []) == ["component"]


def test_parts_of_two_registrations_do_not_combine():
    class A: ...

    class B(A): ...

    registry = reg.ClassRegistry()
    registry.register("key", [B, A], "ba")
    registry.register("key", [A, B], "ab")
    assert registry.all("key", [A, A]) == []
    assert registry.get("key", [A, A]) is None


def test_the_real_mro_counts_and_not_the_one_a_metaclass_shows():
    class Odd(type):
        @property
        def __mro__(cls):
            return (cls,)

    class Base: ...

    class Thing(Base, metaclass=Odd): ...

    registry = reg.ClassRegistry()
    registry.register("key", [Base], "base")
    assert registry.get("key", [Thing]) == "base"


def test_an_mro_made_by_a_metaclass_is_the_mro():
    class Reordering(type):
        def mro(cls):
            first, *rest, last = super().mro()
            return [first, *reversed(rest), last]

    class A: ...

    class B: ...

    class Both(A, B, metaclass=Reordering): ...

    registry = reg.ClassRegistry()
    registry.register("key", [A], "a")
    registry.register("key", [B], "b")
    assert registry.all("key", [Both]) == ["b", "a"]


def test_lists_handed_out_are_the_callers():
    registry = reg.Registry()
    registry.register("key", [int], "component")
    composed = [
        registry.registry,
        reg.ListClassLookup([registry.registry]),
        reg.ChainClassLookup(registry.registry, registry.registry),
        reg.CachingClassLookup(registry.registry),
    ]
    for class_lookup in composed:
        found = class_lookup.all("key", [int])
        expected = list(found)
        found.clear()
        assert class_lookup.all("key", [int]) == expected
        lookup = reg.Lookup(class_lookup)
        lookup.all("key", [1]).clear()
        assert lookup.all("key", [1]) == expected
    registry.registrations().clear()
    assert len(registry.registrations()) == 1
