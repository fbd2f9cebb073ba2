"""Caches keep nothing alive, and look-ups visit only registered classes."""

from __future__ import annotations

import abc
import gc
import sys
import threading
import types
import weakref

import pytest

import reg
from reg._cache import LookupCache
from reg._cached_table import CachedTable

from ..garbage import collect


class Animal: ...


@reg.generic
def size(thing, *more):
    return "fallback"


def ways_to_look_up(registry):
    return [
        reg.Lookup(registry),
        reg.Lookup(reg.ListClassLookup([reg.ClassRegistry(), registry])),
        reg.Lookup(reg.ChainClassLookup(reg.ClassRegistry(), registry)),
        reg.Lookup(reg.CachingClassLookup(registry)),
    ]


def alive(*kinds):
    collect()
    return sum(isinstance(each, kinds) for each in gc.get_objects())


@pytest.mark.needs_mortal_classes
def test_a_class_that_was_asked_for_can_die():
    registry = reg.ClassRegistry()
    registry.register(size, [Animal], lambda *things: "animal")
    registry.register(size, [object, Animal], lambda *things: "second")
    lookups = ways_to_look_up(registry)

    def use():
        class Cat(Animal): ...

        class Other: ...

        for lookup in lookups:
            for arguments in ([Cat()], [Other()], [1, Cat()], [Cat(), Cat()], [Other(), 1]):
                size(*arguments, lookup=lookup)
                size(*arguments, lookup=lookup, default=None)
                lookup.component(size, arguments, None)
                lookup.all(size, arguments)
                lookup.component("unknown", arguments, None)
                lookup.class_lookup.get(size, [type(each) for each in arguments])
        return weakref.ref(Cat), weakref.ref(Other)

    references = use()
    collect()
    assert [reference() for reference in references] == [None, None]


@pytest.mark.needs_mortal_classes
def test_a_class_of_a_module_can_die_when_another_one_in_its_place_is_asked_for(monkeypatch):
    module = types.ModuleType("made_for_this_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    registry = reg.Registry()
    registry.register(size, [object], lambda *things: "object")
    registry.register(size, [Animal, object], lambda *things: "animal and other")

    def execute():
        exec("class Pet: ...\nclass Home:\n    class Door: ...", vars(module))
        pet, door = module.Pet(), module.Home.Door()
        for _ in range(2):
            assert size(pet, lookup=registry) == "object"
            assert size(door, lookup=registry) == "object"
            assert size(Animal(), pet, lookup=registry) == "animal and other"
            assert size(Animal(), door, lookup=registry) == "animal and other"
        return weakref.ref(type(pet)), weakref.ref(type(door))

    former = execute()
    execute()
    collect()
    assert [reference() for reference in former] == [None, None]


@pytest.mark.needs_mortal_classes
def test_a_local_class_can_die_after_classes_of_modules_were_asked_for():
    registry = reg.Registry()
    registry.register(size, [object], lambda *things: "object")
    registry.register(size, [Animal], lambda *things: "animal")

    def use():
        class Cat(Animal): ...

        for _ in range(2):
            for thing, answer in ((Animal(), "animal"), (Cat(), "animal"), (1, "object")):
                assert size(thing, lookup=registry) == answer
        return weakref.ref(Cat)

    assert size(Animal(), lookup=registry) == "animal"
    reference = use()
    collect()
    assert reference() is None
    assert [size(thing, lookup=registry) for thing in (Animal(), 1)] == ["animal", "object"]


@pytest.mark.needs_mortal_classes
def test_a_class_that_was_asked_for_through_an_abstract_one_can_die():
    class Shape(abc.ABC): ...

    registry = reg.Registry()
    registry.register(size, [Shape], lambda thing: "shape")

    def use():
        class Square: ...

        Shape.register(Square)
        assert size(Square(), lookup=registry) == "shape"
        return weakref.ref(Square)

    reference = use()
    collect()
    assert reference() is None


@pytest.mark.needs_refcounts
@pytest.mark.needs_mortal_classes
def test_a_program_that_makes_and_drops_classes_does_not_grow():
    registry = reg.ClassRegistry()
    registry.register(size, [Animal], lambda *things: "animal")
    registry.register(size, [Animal, object], lambda *things: "animal and other")
    registry.register(size, [object, Animal], lambda *things: "other and animal")
    lookups = ways_to_look_up(registry)

    def use(rounds):
        for _ in range(rounds):
            cls = type("Cat", (Animal,), {})
            for lookup in lookups:
                size(cls(), lookup=lookup)
                size(cls(), 1, lookup=lookup)
                size(1, cls(), lookup=lookup)
                lookup.all(size, [cls()])

    use(50)
    collect()
    before = len(gc.get_objects())
    use(400)
    collect()
    assert len(gc.get_objects()) - before < 100


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.needs_mortal_classes
def test_a_generic_function_that_was_called_can_die(known):
    registry = reg.ClassRegistry()
    lookups = ways_to_look_up(registry)

    def use():
        generic = reg.generic(lambda thing: "fallback")
        if known:
            registry.register(generic, [int], lambda thing: "int")
        for lookup in lookups:
            generic(1, lookup=lookup)
            generic.component(1, lookup=lookup, default=None)
            list(generic.all(1, lookup=lookup))
        if known:
            registry.unregister(generic, [int])
        return weakref.ref(generic)

    reference = use()
    collect()
    assert reference() is None


@pytest.mark.parametrize("forget", ["clear", "unregister", "replace"])
def test_a_component_that_is_no_longer_registered_can_die(forget):
    registry = reg.ClassRegistry()
    lookups = ways_to_look_up(registry)[:3]

    def use():
        def implementation(thing, lookup):
            return "int"

        registry.register(size, [int], implementation)
        for lookup in lookups:
            assert size(1, lookup=lookup) == "int"
            assert lookup.component(size, [True]) is implementation
        return weakref.ref(implementation)

    reference = use()
    {
        "clear": registry.clear,
        "unregister": lambda: registry.unregister(size, [int]),
        "replace": lambda: registry.register(size, [int], len),
    }[forget]()
    collect()
    assert reference() is None


def test_a_registry_that_is_dropped_dies_with_its_lookups():
    def use():
        registry = reg.Registry()
        registry.register(size, [int], lambda thing: "int")
        lookups = ways_to_look_up(registry.registry)
        for lookup in (registry, *lookups):
            assert size(1, lookup=lookup) == "int"
        reg.implicit.initialize(registry)
        assert size(1) == "int"
        reg.implicit.clear()
        return [weakref.ref(each) for each in (registry, registry.registry, *lookups)]

    references = use()
    collect()
    assert {reference() for reference in references} == {None}


def test_short_lived_lookups_leave_nothing_in_a_registry_that_stays():
    registry = reg.ClassRegistry()
    registry.register(size, [int], lambda thing: "int")

    def use(rounds):
        for _ in range(rounds):
            for lookup in ways_to_look_up(registry):
                assert size(1, lookup=lookup) == "int"

    use(2)
    before = alive(LookupCache, CachedTable, reg.Lookup)
    observers = len(vars(registry)["_reg_observers"])
    use(50)
    assert alive(LookupCache, CachedTable, reg.Lookup) == before
    assert len(vars(registry)["_reg_observers"]) == observers


def test_changes_do_not_pile_up():
    registry = reg.Registry()
    lookups = [registry.registry]
    lookup = reg.Lookup(reg.ListClassLookup(lookups))

    def use(rounds):
        for number in range(rounds):
            registry.register(size, [int], lambda thing: "int")
            lookups[:] = [registry.registry, reg.ClassRegistry()][: 1 + number % 2]
            assert size(1, lookup=lookup) == "int"
            assert size(1, lookup=registry) == "int"
            with reg.implicit.using(lookup):
                assert size(1) == "int"

    use(10)
    collect()
    before = len(gc.get_objects())
    use(300)
    collect()
    assert len(gc.get_objects()) - before < 50


def test_short_lived_threads_leave_nothing():
    registry = reg.Registry()
    registry.register(size, [int], lambda thing: "int")
    reg.implicit.initialize(registry)

    def use(rounds):
        references = []

        def run():
            own = reg.Registry()
            references.append(weakref.ref(own))
            reg.implicit.lookup = own
            assert size(1) == "fallback"
            reg.implicit.lookup = registry
            assert size(1) == "int"
            reg.implicit.lookup = own

        for _ in range(rounds):
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        return references

    references = use(30)
    collect()
    assert {reference() for reference in references} == {None}


@pytest.mark.needs_refcounts
def test_arguments_are_not_kept_alive():
    registry = reg.Registry()
    registry.register(size, [Animal], lambda thing, call_next: call_next())
    animal = Animal()
    reference = weakref.ref(animal)
    assert size(animal, lookup=registry) == "fallback"
    assert size(animal, lookup=registry, default=1) == "fallback"
    del animal
    assert reference() is None


# Look-ups


class Counted(type):
    """Classes that count how often they are looked for in a dictionary."""

    probes = 0

    def __hash__(cls):
        Counted.probes += 1
        return super().__hash__()


def deep(name, depth):
    """A hierarchy: from its root down to a class so many levels below."""
    classes = [Counted(f"{name}0", (), {})]
    for level in range(1, depth):
        classes.append(Counted(f"{name}{level}", (classes[-1],), {}))
    return classes


def probes_of(look_up):
    Counted.probes = 0
    found = look_up()
    return Counted.probes, found


def test_a_look_up_visits_only_registered_classes():
    hierarchies = [deep(name, 20) for name in "abcd"]
    leaves = [hierarchy[-1] for hierarchy in hierarchies]
    registry = reg.ClassRegistry()
    registry.register("key", [hierarchy[0] for hierarchy in hierarchies], "roots")
    few, found = probes_of(lambda: registry.get("key", leaves))
    assert found == "roots"
    # Each class of each MRO once or so, and not 20 to the power of 4.
    assert few < 4 * 20 * 4
    missing, found = probes_of(lambda: registry.all("key", [int, *leaves[1:]]))
    assert found == []
    assert missing < 4 * 20 * 4


def test_a_look_up_does_not_depend_on_how_much_else_is_registered():
    hierarchies = [deep(name, 20) for name in "abcd"]
    leaves = [hierarchy[-1] for hierarchy in hierarchies]
    registry = reg.ClassRegistry()
    registry.register("key", [hierarchy[0] for hierarchy in hierarchies], "roots")
    before, _ = probes_of(lambda: registry.all("key", leaves))
    for number in range(10_000):
        other = Counted(f"Other{number}", (), {})
        registry.register("key", [other, *leaves[1:]], number)
    after, found = probes_of(lambda: registry.all("key", leaves))
    assert found == ["roots"]
    # The classes at the other positions are registered now, but below other branches.
    assert after <= before + 4 * 20
    assert probes_of(lambda: registry.get("key", leaves))[1] == "roots"


def test_a_warm_look_up_asks_nothing_of_the_bases_of_a_class():
    (hierarchy,) = [deep("a", 20)]
    registry = reg.Registry()
    registry.register(size, [hierarchy[0]], lambda thing: "root")
    reg.implicit.initialize(registry)
    leaf = hierarchy[-1]()
    assert size(leaf) == registry.component(size, [leaf])(leaf) == "root"
    probes, found = probes_of(lambda: size(leaf))
    assert found == "root"
    # Some ask for the class itself, but none for the 19 others.
    assert probes <= 2
    assert probes_of(lambda: registry.component(size, [leaf]))[0] <= 2


def test_only_the_first_component_is_looked_for_where_one_is_enough():
    classes = deep("a", 20)
    registry = reg.ClassRegistry()
    for cls in classes:
        registry.register("key", [cls, cls], cls.__name__)
    first, found = probes_of(lambda: registry.get("key", [classes[-1]] * 2))
    assert found == "a19"
    every, found = probes_of(lambda: registry.all("key", [classes[-1]] * 2))
    assert len(found) == 20
    assert first < every


@pytest.mark.needs_mortal_classes
def test_dropped_generic_functions_leave_no_functions():
    def make(rounds):
        for _ in range(rounds):
            reg.generic(lambda thing: None)
            reg.generic("thing")(lambda thing: None)

    make(1)
    before = alive(types.FunctionType)
    make(50)
    assert alive(types.FunctionType) == before
