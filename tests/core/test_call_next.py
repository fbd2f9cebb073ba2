"""Implementations that call the next one."""

from __future__ import annotations

import pytest

import reg


@pytest.fixture
def registry():
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    return registry


class Animal: ...


class Cat(Animal): ...


class Kitten(Cat): ...


def test_the_next_component_in_order_is_called(registry):
    @reg.generic
    def describe(thing):
        return ["fallback"]

    for cls in (Animal, Cat, Kitten):
        registry.register(
            describe, [cls], lambda thing, call_next, cls=cls: [cls.__name__, *call_next()]
        )
    for _ in range(2):
        assert describe(Kitten()) == ["Kitten", "Cat", "Animal", "fallback"]
        assert describe(Animal()) == ["Animal", "fallback"]
        assert describe(Kitten(), default=None) == ["Kitten", "Cat", "Animal", "fallback"]


def test_call_next_goes_on_in_the_next_lookup():
    @reg.generic
    def describe(thing):
        return ["fallback"]

    app, framework = reg.ClassRegistry(), reg.ClassRegistry()
    app.register(describe, [Animal], lambda thing, call_next: ["app", *call_next(thing)])
    framework.register(describe, [Cat], lambda thing, call_next: ["cat", *call_next(thing)])
    framework.register(describe, [Animal], lambda thing: ["animal"])
    for lookup in (
        reg.Lookup(reg.ListClassLookup([app, framework])),
        reg.Lookup(reg.ChainClassLookup(app, framework)),
        reg.Lookup(reg.CachingClassLookup(reg.ListClassLookup([app, framework]))),
    ):
        assert describe(Cat(), lookup=lookup) == ["app", "cat", "animal"]


def test_call_next_goes_through_matchers(registry):
    class Answering(reg.Matcher):
        def __init__(self, answer):
            self.answer = answer

        def __call__(self, *args, **predicates):
            return self.answer

    @reg.generic
    def describe(thing):
        return ["fallback"]

    registry.register(describe, [Kitten], Answering(lambda t, call_next: ["kitten", *call_next()]))
    registry.register(describe, [Cat], Answering(None))
    registry.register(describe, [Animal], lambda thing, call_next: ["animal", *call_next()])
    for _ in range(2):
        assert describe(Kitten()) == ["kitten", "animal", "fallback"]
    assert registry.component(describe, [Kitten()]) is not None


def test_matchers_behind_are_asked_only_when_it_is_called(registry):
    asked = []

    class Asking(reg.Matcher):
        def __call__(self, *args, **predicates):
            asked.append(args)
            return lambda thing: "matched"

    @reg.generic
    def describe(thing): ...

    registry.register(describe, [Cat], lambda thing, call_next: "not called")
    registry.register(describe, [Animal], Asking())
    assert describe(Cat()) == "not called"
    assert asked == []


def test_call_next_can_be_called_with_other_arguments(registry):
    @reg.generic
    def describe(thing, more=0):
        return (thing, more)

    registry.register(describe, [int], lambda thing, call_next: call_next(thing + 1, more=7))
    registry.register(describe, [int, int], lambda thing, more, call_next: call_next("text", 5))
    assert describe(1) == (2, 7)
    assert describe(1, 2) == ("text", 5)


def test_call_next_without_arguments_passes_the_arguments_of_the_call(registry):
    @reg.generic
    def describe(thing, *, unit=None):
        return (thing, unit)

    registry.register(describe, [int], lambda thing, call_next, unit=None: call_next())
    assert describe(1, unit="km") == (1, "km")


def test_other_arguments_do_not_change_the_candidates_of_call_next(registry):
    @reg.generic
    def describe(thing):
        return "fallback"

    registry.register(describe, [Cat], lambda thing, call_next: call_next(1))
    registry.register(describe, [Animal], lambda thing: ("animal", thing))
    registry.register(describe, [int], lambda thing: "int")
    assert describe(Cat()) == ("animal", 1)


def test_call_next_can_be_called_more_than_once_and_later(registry):
    @reg.generic
    def describe(thing):
        return "fallback"

    registry.register(describe, [Cat], lambda thing, call_next: call_next)
    registry.register(describe, [Animal], lambda thing, call_next: (call_next(), call_next()))
    call_next = describe(Cat())
    assert call_next() == call_next() == ("fallback", "fallback")


def test_the_next_one_is_given_the_lookup_and_keyword_only_parameters_work(registry):
    @reg.generic
    def describe(thing, lookup=None):
        return lookup

    registry.register(describe, [Cat], lambda thing, *, call_next: call_next())
    registry.register(describe, [Animal], lambda thing, lookup, call_next: (lookup, call_next()))
    assert describe(Cat()) == (registry, registry)


def test_double_star_does_not_receive_call_next(registry):
    @reg.generic
    def describe(thing): ...

    registry.register(describe, [int], lambda thing, **kw: kw)
    registry.register(describe, [str], lambda thing: "not asked")
    assert describe(1) == {}
    assert describe("a") == "not asked"


def test_one_passed_by_the_caller_is_the_callers(registry):
    @reg.generic
    def describe(thing): ...

    registry.register(describe, [int], lambda thing, call_next: call_next)
    assert describe(1, call_next="mine") == "mine"
    assert registry.call(describe, [1], call_next="mine") == "mine"


def test_lookup_call_gives_it_too_and_ends_in_an_error():
    registry = reg.Registry()
    registry.register("key", [Cat], lambda thing, call_next: ["cat", *call_next()])
    registry.register("key", [Animal], lambda thing: ["animal"])
    registry.register("key", [int], lambda thing, call_next: call_next())
    assert registry.call("key", [Cat()]) == ["cat", "animal"]
    with pytest.raises(reg.ComponentLookupError):
        registry.call("key", [1])
    with pytest.raises(reg.ComponentLookupError):
        registry.call("key", [1], "default")


def test_call_next_works_for_class_generics(registry):
    @reg.classgeneric
    def make(cls):
        return ["fallback"]

    registry.register(make, [Cat], lambda cls, call_next: ["cat", *call_next()])
    registry.register(make, [Animal], lambda cls, call_next: ["animal", *call_next()])
    assert make(Kitten) == ["cat", "animal", "fallback"]


def test_call_next_follows_later_registrations(registry):
    @reg.generic
    def describe(thing):
        return ["fallback"]

    registry.register(describe, [Kitten], lambda thing, call_next: ["kitten", *call_next()])
    assert describe(Kitten()) == ["kitten", "fallback"]
    registry.register(describe, [Cat], lambda thing: ["cat"])
    assert describe(Kitten()) == ["kitten", "cat"]
    registry.clear()
    assert describe(Kitten()) == ["fallback"]


def test_an_error_of_the_next_one_comes_out(registry):
    @reg.generic
    def describe(thing): ...

    def failing(thing):
        raise reg.ComponentLookupError("from the next")

    registry.register(describe, [Cat], lambda thing, call_next: call_next())
    registry.register(describe, [Animal], failing)
    with pytest.raises(reg.ComponentLookupError, match="from the next"):
        describe(Cat())


def test_third_party_lookups_and_overridden_component_have_call_next_too():
    class Overriding(reg.Lookup):
        def component(self, *args, **kw):
            return super().component(*args, **kw)

    class Stranger(reg.IClassLookup):
        def __init__(self, registry):
            self.registry = registry

        def all(self, key, classes):
            return iter(self.registry.all(key, classes))

    @reg.generic
    def describe(thing):
        return ["fallback"]

    registry = reg.ClassRegistry()
    registry.register(describe, [Cat], lambda thing, call_next: ["cat", *call_next()])
    registry.register(describe, [Animal], lambda thing, call_next: ["animal", *call_next()])
    assert describe(Cat(), lookup=reg.Lookup(Stranger(registry))) == ["cat", "animal", "fallback"]
    overriding = Overriding(registry)
    with pytest.raises(reg.ComponentLookupError):
        overriding.call(describe, [Cat()])


def test_a_lookup_that_overrides_component_ends_at_the_decorated_function_too():
    class Overriding(reg.Lookup):
        def component(self, *args, **kw):
            return super().component(*args, **kw)

    @reg.generic
    def describe(thing):
        return ["fallback"]

    registry = reg.ClassRegistry()
    registry.register(describe, [Cat], lambda thing, call_next: ["cat", *call_next()])
    registry.register(describe, [Animal], lambda thing, call_next: ["animal", *call_next()])
    assert describe(Cat(), lookup=Overriding(registry)) == ["cat", "animal", "fallback"]
