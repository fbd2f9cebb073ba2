"""Implementations that call the next one."""

from __future__ import annotations

import builtins

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_call_next_takes_the_arguments_that_the_next_implementation_takes(registry):
    @reg.generic
    def pair(first, second, *, unit=None):
        return "fallback"

    registry.register(pair, [object, object], lambda one, two, unit=None: (one, two, unit))
    taken = []

    def telling(first, second, call_next, unit=None):
        taken.append(call_next)
        return [
            call_next(),
            call_next(5, 6),
            call_next(5, 6, unit="m"),
            call_next(5, two=6),
            call_next(one=5, two=6, unit="m"),
        ]

    registry.register(pair, [int, int], telling)
    expected = [(1, 2, None), (5, 6, None), (5, 6, "m"), (5, 6, None), (5, 6, "m")]
    for _ in range(2):
        assert pair(1, 2) == expected
        assert pair(1, 2, unit="m")[1:] == expected[1:]
        for call_next in taken:
            assert call_next(5, 6, "m") == (5, 6, "m")
            with pytest.raises(TypeError):
                call_next(5)
            with pytest.raises(TypeError):
                call_next(5, 6, units="m")
    assert all(isinstance(call_next, reg.CallNext) for call_next in taken)
    assert not isinstance(telling, reg.CallNext)
    assert not isinstance(lambda call_next: None, reg.CallNext)


def test_call_next_of_one_argument_hands_on_keywords_as_they_are(registry):
    @reg.generic
    def size(thing, *, unit="B"):
        return "fallback"

    registry.register(size, [object], lambda item, unit="B": (item, unit))

    @registry.register(size, [int])
    def of_int(thing, call_next, unit="B"):
        with pytest.raises(TypeError):
            call_next(unit="m")
        return call_next(), call_next(2), call_next(item=3), call_next(4, unit="m")

    for _ in range(2):
        assert size(1) == ((1, "B"), (2, "B"), (3, "B"), (4, "m"))
        assert size(1, unit="k") == ((1, "k"), (2, "B"), (3, "B"), (4, "m"))


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

    class ThirdParty(reg.IClassLookup):
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
    assert describe(Cat(), lookup=reg.Lookup(ThirdParty(registry))) == ["cat", "animal", "fallback"]
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


def test_call_next_is_true_while_an_implementation_is_left_and_false_before_the_fallback(registry):
    @reg.generic
    def describe(thing):
        return ["fallback"]

    def telling(thing, call_next):
        return [bool(call_next), *call_next()]

    registry.register(describe, [Animal], telling)
    registry.register(describe, [Cat], telling)
    for _ in range(2):
        assert describe(Cat()) == [True, False, "fallback"]
        assert describe(Animal()) == [False, "fallback"]
    registry.register(describe, [object], lambda thing: ["object"])
    assert describe(Animal()) == [True, "object"]


def test_call_next_is_true_before_an_implementation_that_is_false(registry):
    @reg.generic
    def describe(thing):
        return "fallback"

    class Empty:
        def __len__(self):
            return 0

        def __call__(self, thing):
            return "empty"

    registry.register(describe, [Animal], Empty())
    registry.register(describe, [Cat], lambda thing, call_next: (bool(call_next), call_next()))
    for _ in range(2):
        assert describe(Cat()) == (True, "empty")


class Silent(reg.Matcher):
    def __call__(self, *args, **predicates):
        return None


class Standing(reg.Matcher):
    """Stands for an implementation, and counts how often it is asked."""

    def __init__(self, implementation):
        self.implementation = implementation
        self.asked = 0

    def __call__(self, *args, **predicates):
        self.asked += 1
        return self.implementation


def test_a_matcher_without_an_answer_is_not_an_implementation_that_is_left(registry):
    @reg.generic
    def describe(thing):
        return "fallback"

    registry.register(describe, [Cat], lambda thing, call_next: (bool(call_next), call_next()))
    registry.register(describe, [Animal], Silent())
    assert describe(Cat()) == (False, "fallback")
    standing = Standing(lambda thing: "object")
    registry.register(describe, [object], standing)
    assert describe(Cat()) == (True, "object")
    assert standing.asked == 1


LEVELS = [object, Animal, Cat, Kitten]
KINDS = ["next", "last", "silent", "standing"]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(LEVELS), st.sampled_from(KINDS))),
    st.sampled_from(["list", "chain", "nested", "third-party"]),
)
def test_call_next_walks_all_registries_and_matchers_and_ends_at_the_fallback(drawn, kind):
    @reg.generic
    def describe(thing):
        return ["fallback"]

    def implementation(name, ends):
        if ends:
            return lambda thing: [name]
        return lambda thing, call_next: [name, bool(call_next), *call_next()]

    registries = [reg.ClassRegistry() for _ in range(3)]
    registered = {}
    for name, (number, cls, kind_of) in enumerate(drawn):
        function = implementation(name, kind_of == "last")
        component = {"silent": Silent(), "standing": Standing(function)}.get(kind_of, function)
        registries[number].register(describe, [cls], component)
        registered[number, cls] = (name, kind_of)
    one, two, three = registries
    lookup = reg.Lookup(
        {
            "list": reg.ListClassLookup(registries),
            "chain": reg.ChainClassLookup(one, reg.ChainClassLookup(two, three)),
            "nested": reg.ListClassLookup([one, reg.Lookup(reg.ListClassLookup([two, three]))]),
            "third-party": reg.ListClassLookup([ThirdParty(one), two, three]),
        }[kind]
    )
    chain = [
        registered[number, cls]
        for number in range(3)
        for cls in reversed(LEVELS)
        if registered.get((number, cls), (0, "silent"))[1] != "silent"
    ]
    expected = []
    for index, (name, kind_of) in enumerate(chain):
        expected.append(name)
        if kind_of == "last":
            break
        expected.append(index + 1 < len(chain))
    else:
        expected.append("fallback")
    for _ in range(2):
        assert describe(Kitten(), lookup=lookup) == expected
        with_default = describe(Kitten(), lookup=lookup, default="default")
        assert with_default == (expected if chain else "default")


class ThirdParty:
    def __init__(self, registry):
        self.registry = registry

    def all(self, key, classes):
        return iter(self.registry.all(key, classes))

    def get(self, key, classes):
        return self.registry.get(key, classes)


RESULTS = [None, 0, "", "result"]


@given(
    st.lists(
        st.tuples(st.sampled_from(LEVELS), st.sampled_from(RESULTS), st.sampled_from(KINDS[1:]))
    ),
    st.sampled_from([None, "default", 0]),
    st.booleans(),
)
def test_default_replaces_a_miss_and_a_result_of_none_and_component_and_all_agree(
    drawn, default, third_party
):
    @reg.generic
    def describe(thing):
        return "fallback"

    registry, registered = reg.ClassRegistry(), {}
    for cls, result, kind in drawn:
        function = lambda thing, result=result: result  # noqa: E731
        component = {"silent": Silent(), "standing": Standing(function)}.get(kind, function)
        registry.register(describe, [cls], component)
        registered[cls] = None if kind == "silent" else function
    lookup = reg.Lookup(ThirdParty(registry) if third_party else registry)
    components = [registered[cls] for cls in reversed(LEVELS) if registered.get(cls)]
    result = components[0](None) if components else None
    kitten = Kitten()
    for _ in range(3):
        assert describe(kitten, lookup=lookup) == (result if components else "fallback")
        expected = default if result is None else result
        assert describe(kitten, lookup=lookup, default=default) == expected
        assert lookup.call(describe, [kitten], default) == expected
        first = components[0] if components else default
        assert describe.component(kitten, lookup=lookup, default=default) is first
        assert lookup.component(describe, [kitten], default) is first
        assert list(describe.all(kitten, lookup=lookup)) == components
        assert list(lookup.all(describe, [kitten])) == components


def test_none_is_passed_on_as_well(registry, monkeypatch):
    # As some programs do: then its class is an attribute of its module, as others are.
    monkeypatch.setattr(builtins, "NoneType", type(None), raising=False)

    @reg.generic
    def describe(thing):
        return ["fallback"]

    registry.register(describe, [type(None)], lambda thing, call_next: ["none", *call_next()])
    registry.register(describe, [object], lambda thing, call_next: [thing, *call_next(thing)])
    for _ in range(3):
        assert describe(None) == ["none", None, "fallback"]
        assert describe(3) == [3, "fallback"]
