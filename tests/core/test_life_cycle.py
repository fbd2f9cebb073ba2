"""Taking registrations back, listing, copying and pickling them; registries in frameworks."""

from __future__ import annotations

import abc
import copy
import pickle

import pytest

import reg


@pytest.fixture(params=[reg.ClassRegistry, reg.Registry])
def make(request):
    return request.param


class Animal: ...


class Cat(Animal): ...


class First(abc.ABC): ...


class Second(abc.ABC): ...


class Third(abc.ABC): ...


@First.register
@Second.register
@Third.register
class Thing: ...


def pickled(value):
    return pickle.loads(pickle.dumps(value))


class Answering(reg.Matcher):
    def __call__(self, *args, **predicates):
        return animal_size


def animal_size(animal):
    return "animal"


def cat_size(cat, call_next):
    return ["cat", call_next()]


def value_of(number):
    return number


@reg.generic
def size(thing):
    return "fallback"


@reg.generic("thing")
def named_size(thing):
    return "fallback"


class Shop:
    @reg.generic
    def price(self, thing):
        return "fallback"


def test_unregister_forgets_one_registration(make):
    registry = make()
    registry.register("key", [Animal], "animal")
    registry.register("key", [Cat], "cat")
    registry.unregister("key", [Cat])
    assert registry.exact("key", [Cat]) is None
    assert registry.exact("key", [Animal]) == "animal"
    assert getattr(registry, "registry", registry).all("key", [Cat]) == ["animal"]
    registry.register("key", [Cat], "again")
    assert registry.exact("key", [Cat]) == "again"


def test_unregister_takes_classes_as_register_does(make):
    registry = make()
    for classes in ([int | str, None], ["package.module:Class", int], []):
        registry.register("key", classes, "component")
        registry.unregister("key", iter(classes))
    assert registry.registrations() == []


@pytest.mark.parametrize(
    ("key", "classes"),
    [("key", [int]), ("key", [str, int]), ("other", [str]), ("key", [int | str])],
)
def test_unregistering_an_unknown_registration_is_an_error_and_changes_nothing(make, key, classes):
    registry = make()
    registry.register("key", [str], "component")
    with pytest.raises(reg.RegistrationError, match=f"nothing is registered under '{key}'"):
        registry.unregister(key, classes)
    assert registry.exact("key", [str]) == "component"


def test_unregister_refuses_the_same_classes_as_register(make):
    registry = make()
    with pytest.raises(TypeError, match="position 0"):
        registry.unregister("key", [5])
    with pytest.raises(TypeError, match="hashable"):
        registry.unregister([], [int])


def test_registrations_tell_key_classes_component_and_place(make):
    registry = make()
    registry.register(size, [Animal], animal_size)
    registry.register("key", [int, str], "component")
    line = value_of.__code__.co_firstlineno
    registry.register("key", [], value_of)
    found = {each.component: each for each in registry.registrations()}
    assert (found[animal_size].key, found[animal_size].classes) == (size, (Animal,))
    assert found[animal_size].filename == __file__
    assert found[animal_size].lineno == animal_size.__code__.co_firstlineno
    assert found[value_of].place == f"{__file__}:{line}"
    assert (found["component"].key, found["component"].classes) == ("key", (int, str))
    # A component without a place of its own has the place of its registration.
    assert found["component"].filename == __file__
    assert abs(found["component"].lineno - found[animal_size].lineno) > 1


def test_registrations_list_each_alternative_of_a_union(make):
    registry = make()
    registry.register("key", [int | str], "component")
    assert sorted(each.classes[0].__name__ for each in registry.registrations()) == ["int", "str"]


def test_the_place_of_a_decorated_function_is_its_own(make):
    import functools

    @functools.wraps(animal_size)
    def wrapper(*args, **keywords):
        return animal_size(*args, **keywords)

    registry = make()
    registry.register("key", [int], wrapper)
    (found,) = registry.registrations()
    assert found.lineno == animal_size.__code__.co_firstlineno


def test_the_place_of_a_replaced_component_is_the_new_ones(make):
    registry = make()
    registry.register("key", [int], animal_size)
    registry.register("key", [int], cat_size)
    (found,) = registry.registrations()
    assert found.component is cat_size
    assert found.lineno == cat_size.__code__.co_firstlineno


def test_without_replace_a_duplicate_is_an_error_that_names_both_places(make):
    registry = make(replace=False)
    registry.register("key", [Animal], animal_size)
    with pytest.raises(reg.RegistrationError) as caught:
        registry.register("key", [Animal], cat_size)
    for function in (animal_size, cat_size):
        assert f"{__file__}:{function.__code__.co_firstlineno}" in str(caught.value)
    assert registry.exact("key", [Animal]) is animal_size
    registry.register("key", [Cat], cat_size)
    registry.unregister("key", [Animal])
    registry.register("key", [Animal], cat_size)
    assert registry.exact("key", [Animal]) is cat_size


def test_without_replace_a_union_with_one_duplicate_changes_nothing(make):
    registry = make(replace=False)
    registry.register("key", [int | str], "old")
    registry.unregister("key", [int])
    with pytest.raises(reg.RegistrationError, match=r"\(builtins\.int \| builtins\.str\) already"):
        registry.register("key", [int | str], "new")
    assert registry.exact("key", [int]) is None
    assert registry.exact("key", [str]) == "old"


@pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy])
def test_a_copy_has_registrations_of_its_own(make, copying):
    registry = make(name="app")
    registry.register("key", [int], "old")
    lookup = getattr(registry, "registry", registry)
    assert lookup.get("key", [int]) == "old"
    copied = copying(registry)
    assert type(copied) is type(registry)
    registry.register("key", [int], "new")
    registry.register("key", [str], "only the original")
    copied.register("key", [bytes], "only the copy")
    assert copied.exact("key", [int]) == "old"
    assert copied.exact("key", [str]) is None
    assert registry.exact("key", [bytes]) is None
    assert "'app'" in repr(copied)


@pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy])
def test_a_copied_registry_looks_up_in_its_own_registrations(copying):
    registry = reg.Registry()
    registry.register(size, [int], lambda number: "old")
    assert size(1, lookup=registry) == "old"
    copied = copying(registry)
    assert copied.class_lookup is copied.registry
    assert copied.registry is not registry.registry
    assert size(1, lookup=copied) == "old"
    registry.register(size, [int], lambda number: "new")
    assert size(1, lookup=copied) == "old"
    assert size(1, lookup=registry) == "new"
    copied.clear()
    assert size(1, lookup=copied) == "fallback"
    assert size(1, lookup=registry) == "new"


@pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_has_abstract_classes_in_the_order_they_were_registered(make, copying):
    registry = make()
    registry.register("key", [Cat, First], "cat, first")
    registry.register("key", [Animal, Second], "animal, second")
    registry.register("key", [Cat, Third], "cat, third")
    registry.register("key", [Animal, Third], "animal, third")
    expected = ["cat, first", "cat, third", "animal, second", "animal, third"]
    for each in (registry, copying(registry)):
        assert getattr(each, "registry", each).all("key", [Cat, Thing]) == expected
    registry.unregister("key", [Cat, First])
    registry.register("key", [Animal, First], "animal, first")
    expected = ["cat, third", "animal, second", "animal, third", "animal, first"]
    for each in (registry, copying(registry)):
        assert getattr(each, "registry", each).all("key", [Cat, Thing]) == expected


def test_a_copied_registry_keeps_its_refusal_to_replace(make):
    registry = make(replace=False)
    registry.register("key", [int], "component")
    for copied in (copy.copy(registry), copy.deepcopy(registry)):
        with pytest.raises(reg.RegistrationError):
            copied.register("key", [int], "other")


def lookups():
    registry = reg.Registry(name="app")
    registry.register(size, [Animal], animal_size)
    registry.register(size, [Cat], cat_size)
    registry.register(Shop.price, [Shop, int], animal_size)
    registry.register(named_size, ["package.module:Class", int | None], Answering())
    matcher = reg.PredicateMatcher(
        [reg.Predicate("value", reg.KeyIndex, value_of, default=reg.ANY)]
    )
    matcher.register({"value": 1}, animal_size)
    registry.register(size, [int], matcher)
    return {
        "registry": registry,
        "lookup": reg.Lookup(registry.registry),
        "list": reg.Lookup(reg.ListClassLookup([reg.ClassRegistry(), registry.registry])),
        "chain": reg.Lookup(reg.ChainClassLookup(reg.ClassRegistry(), registry.registry)),
        "caching": reg.Lookup(reg.CachingClassLookup(reg.ListClassLookup([registry]))),
    }


@pytest.mark.parametrize("name", list(lookups()))
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_lookups_pickle_also_after_they_were_used(name, protocol):
    lookup = lookups()[name]
    assert size(Cat(), lookup=lookup) == ["cat", "animal"]
    assert size(1, lookup=lookup) == "animal"
    restored = pickle.loads(pickle.dumps(lookup, protocol))
    assert type(restored) is type(lookup)
    for _ in range(2):
        assert size(Cat(), lookup=restored) == ["cat", "animal"]
        assert size(1, lookup=restored) == "animal"
        assert size(2, lookup=restored) == "fallback"
        assert size("a", lookup=restored) == "fallback"
        assert restored.component(Shop.price, [Shop(), 1]) is animal_size


@pytest.mark.parametrize("name", list(lookups()))
def test_deep_copies_of_lookups_are_independent(name):
    lookup = lookups()[name]
    assert size(Cat(), lookup=lookup) == ["cat", "animal"]
    copied = copy.deepcopy(lookup)
    assert size(Cat(), lookup=copied) == ["cat", "animal"]
    registry = lookup
    while not isinstance(registry, reg.ClassRegistry):
        registry = (
            registry.lookups[-1]
            if isinstance(registry, reg.ListClassLookup)
            else registry.next
            if isinstance(registry, reg.ChainClassLookup)
            else registry.class_lookup
        )
    registry.clear()
    assert size(Cat(), lookup=copied) == ["cat", "animal"]
    if name != "caching":
        assert size(Cat(), lookup=lookup) == "fallback"


def test_a_pickled_registry_registers_on():
    registry = pickle.loads(pickle.dumps(lookups()["registry"]))
    assert [each.filename for each in registry.registrations()] == [
        each.filename for each in lookups()["registry"].registrations()
    ]
    registry.register(size, [str], animal_size)
    assert size("a", lookup=registry) == "animal"
    registry.unregister(named_size, ["package.module:Class", int | None])


def test_generic_functions_pickle_by_reference():
    for function in (size, named_size, Shop.price):
        assert pickle.loads(pickle.dumps(function)) is function
        assert copy.copy(function) is function
        assert copy.deepcopy(function) is function


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_any_stays_itself_when_it_is_copied_or_pickled(again):
    assert again(reg.ANY) is reg.ANY
    assert again({"predicate": reg.ANY})["predicate"] is reg.ANY


OWN = reg.Sentinel("OWN")


def test_a_sentinel_of_a_module_stays_itself_when_it_is_pickled():
    assert pickle.loads(pickle.dumps(OWN)) is OWN
    assert repr(OWN) == "<OWN>"
    assert reg.Sentinel("OWN") != OWN


def test_a_component_lookup_error_pickles():
    with pytest.raises(reg.ComponentLookupError) as caught:
        reg.Registry().component(size, [1])
    restored = pickle.loads(pickle.dumps(caught.value))
    assert str(restored) == str(caught.value)
    assert (restored.key, restored.classes) == (size, (int,))
    assert str(pickle.loads(pickle.dumps(reg.ComponentLookupError("message")))) == "message"


# A framework's registry, as it was written for this interface years ago.


class Configurable:
    def __init__(self, extends):
        self.extends = extends
        self._actions = []

    def clear(self):
        self._actions = []


class Converters:
    def __init__(self):
        self._map = {}

    def clear(self):
        self._map = {}

    def get(self, name):
        return self._map[name]


class FrameworkRegistry(Configurable, reg.ClassRegistry, Converters):
    def __init__(self, name, extends):
        self.name = name
        reg.ClassRegistry.__init__(self)
        Converters.__init__(self)
        Configurable.__init__(self, extends)
        self.settings = {}
        self._registry = self.registrations_ = self.components = "the framework's own"
        self.replace = self._name = self._store = self._lock = "the framework's own"
        self.clear()

    def clear(self):
        reg.ClassRegistry.clear(self)
        Converters.clear(self)
        Configurable.clear(self)
        self.settings = {}

    @property
    def lookup(self):
        return reg.Lookup(reg.CachingClassLookup(self))


def test_a_class_registry_can_be_mixed_into_a_frameworks_class():
    registry = FrameworkRegistry("app", [])
    registry.register(size, [Animal], animal_size)
    registry._map["int"] = int
    assert registry.name == "app"
    assert size(Cat(), lookup=registry.lookup) == "animal"
    assert registry.exact(size, [Animal]) is animal_size
    assert registry.get(size, [Cat]) is animal_size
    registry.clear()
    assert registry._map == {}
    assert size(Cat(), lookup=registry.lookup) == "fallback"


def test_a_frameworks_registry_is_found_through_without_caching():
    base, registry = FrameworkRegistry("base", []), FrameworkRegistry("app", [])
    lookup = reg.Lookup(reg.ListClassLookup([registry, base]))
    assert size(Cat(), lookup=lookup) == "fallback"
    base.register(size, [Animal], animal_size)
    assert size(Cat(), lookup=lookup) == "animal"
    base.clear()
    assert size(Cat(), lookup=lookup) == "fallback"


def test_clear_works_before_the_constructor():
    class Early(reg.ClassRegistry):
        def __init__(self):
            reg.ClassRegistry.clear(self)
            self.register("key", [int], "early")

    assert Early().exact("key", [int]) == "early"


def test_a_constructor_run_again_forgets_everything_where_it_is_composed():
    registry = reg.ClassRegistry()
    lookup = reg.Lookup(registry)
    registry.register("key", [int], "component")
    assert lookup.component("key", [1]) == "component"
    reg.ClassRegistry.__init__(registry)
    assert lookup.component("key", [1], None) is None
    registry.register("key", [int], "again")
    assert lookup.component("key", [1]) == "again"


def test_a_frameworks_registry_with_a_get_of_its_own_is_looked_up_in_by_all():
    class Own(Converters, reg.ClassRegistry):
        def __init__(self):
            reg.ClassRegistry.__init__(self)
            Converters.__init__(self)

    registry = Own()
    registry.register(size, [Animal], animal_size)
    registry._map["name"] = "converter"
    assert registry.get("name") == "converter"
    assert size(Cat(), lookup=reg.Lookup(registry)) == "animal"
    assert size(Cat(), lookup=reg.Lookup(reg.CachingClassLookup(registry))) == "animal"


def test_a_framework_may_have_a_metaclass_slots_and_abstract_methods():
    import abc

    class Meta(abc.ABCMeta): ...

    class Base(metaclass=Meta):
        __slots__ = ("slot",)

        @abc.abstractmethod
        def configure(self): ...

    class Own(reg.ClassRegistry, Base):
        def configure(self): ...

    class Listed(list, reg.ClassRegistry):
        def __init__(self):
            reg.ClassRegistry.__init__(self)

    for registry in (Own(), Listed()):
        registry.register("key", [int], "component")
        assert reg.Lookup(registry).component("key", [1]) == "component"


def test_a_framework_can_subclass_registry():
    class Own(reg.Registry):
        def __init__(self):
            super().__init__()
            self.name = "own"
            self._map = {}

    registry = Own()
    registry.register(size, [Animal], animal_size)
    assert size(Cat(), lookup=registry) == "animal"
    copied = copy.deepcopy(registry)
    assert (copied.name, size(Cat(), lookup=copied)) == ("own", "animal")
