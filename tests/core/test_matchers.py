"""Components that decide at each look-up."""

from __future__ import annotations

import pytest

import reg


class Recording(reg.Matcher):
    """Gives one answer, and records the arguments of each question."""

    def __init__(self, answer=None, predicates=None):
        self.answer = answer
        self.computed = predicates
        self.asked = []
        self.calculated = []

    def predicates(self, *args):
        self.calculated.append(args)
        return {} if self.computed is None else self.computed

    def __call__(self, *args, **predicates):
        self.asked.append((args, predicates))
        return self.answer


def test_a_matcher_is_called_with_the_arguments_and_stands_for_its_answer():
    matcher = Recording("answer")
    registry = reg.Registry()
    registry.register("key", [int, str], matcher)
    assert registry.component("key", [1, "a"]) == "answer"
    assert registry.all("key", [1, "a"]) == ["answer"]
    assert matcher.asked == [((1, "a"), {}), ((1, "a"), {})]


def test_an_implementation_that_a_matcher_finds_is_called():
    @reg.generic
    def size(thing): ...

    registry = reg.Registry()
    registry.register(size, [int], Recording(lambda thing, lookup: (thing, lookup)))
    assert size(1, lookup=registry) == (1, registry)
    assert registry.call(size, [1]) == (1, registry)


def test_none_means_look_further():
    class Animal: ...

    class Cat(Animal): ...

    registry = reg.Registry()
    registry.register("key", [Cat], Recording(None))
    registry.register("key", [Animal], "animal")
    assert registry.component("key", [Cat()]) == "animal"
    assert registry.all("key", [Cat()]) == ["animal"]


def test_a_falsy_answer_is_an_answer():
    registry = reg.Registry()
    registry.register("key", [int], Recording(0))
    assert registry.component("key", [1], "default") == 0
    assert registry.all("key", [1]) == [0]


def test_where_no_matcher_answers_nothing_is_found():
    @reg.generic
    def size(thing):
        return "fallback"

    registry = reg.Registry()
    registry.register(size, [int], Recording(None))
    assert registry.component(size, [1], "default") == "default"
    assert registry.call(size, [1], "default") == "default"
    assert size(1, lookup=registry) == "fallback"
    assert size(1, lookup=registry, default="default") == "default"


def test_a_matcher_that_a_matcher_answers_is_not_asked():
    inner = Recording("never")
    registry = reg.Registry()
    registry.register("key", [int], Recording(inner))
    assert registry.component("key", [1]) is inner
    assert registry.all("key", [1]) == [inner]
    assert inner.asked == []


def test_answers_are_never_remembered():
    @reg.generic
    def size(thing): ...

    class ByValue(reg.Matcher):
        def __call__(self, number):
            return (lambda number: "even") if number % 2 == 0 else None

    registry = reg.Registry()
    registry.register(size, [int], ByValue())
    registry.register(size, [object], lambda thing: "other")
    for lookup in (registry, reg.Lookup(reg.CachingClassLookup(registry.registry))):
        reg.implicit.initialize(lookup)
        assert [size(number) for number in range(4)] == ["even", "other"] * 2


def test_a_matcher_class_is_a_component_like_any_other():
    registry = reg.Registry()
    registry.register("key", [int], Recording)
    assert registry.component("key", [1]) is Recording


def test_later_matchers_are_not_asked_once_one_answered():
    first, second = Recording("first"), Recording("second")
    registry = reg.Registry()
    registry.register("key", [int], first)
    registry.register("key", [object], second)
    assert registry.component("key", [1]) == "first"
    assert second.asked == []


def test_a_call_asks_no_later_matcher_than_the_one_that_answered():
    @reg.generic
    def size(thing): ...

    first, second = Recording(lambda thing: "first"), Recording(lambda thing: "second")
    registry = reg.Registry()
    registry.register(size, [int], first)
    registry.register(size, [object], second)
    assert size(1, lookup=registry) == "first"
    assert size(1, lookup=registry, default=2) == "first"
    assert registry.call(size, [1]) == "first"
    assert len(first.asked) == 3
    assert second.asked == []


def test_the_first_matchers_predicates_are_computed_once_and_handed_on():
    first, second = Recording(None, {"a": 1}), Recording("answer", {"b": 2})
    registry = reg.Registry()
    registry.register("key", [int], first)
    registry.register("key", [object], second)
    assert registry.component("key", [5]) == "answer"
    assert first.calculated == [(5,)]
    assert second.calculated == []
    assert first.asked == second.asked == [((5,), {"a": 1})]


def test_predicates_are_not_computed_where_the_caller_gives_them():
    first, second = Recording(None, {"a": 1}), Recording("answer", {"b": 2})
    registry = reg.Registry()
    registry.register("key", [int], first)
    registry.register("key", [object], second)
    for given in ({"c": 3}, {}):
        assert registry.component("key", [5], predicates=given) == "answer"
        assert registry.all("key", [5], predicates=given) == ["answer"]
        assert first.asked == second.asked == [((5,), given)] * 2
        first.asked.clear()
        second.asked.clear()
    assert first.calculated == second.calculated == []


def test_predicates_have_no_effect_where_no_matcher_is():
    registry = reg.Registry()
    registry.register("key", [int], "component")
    assert registry.component("key", [1], predicates={"a": 1}) == "component"


def test_a_matcher_without_predicates_needs_no_more_than_a_call():
    class Plain(reg.Matcher):
        def __call__(self, *args):
            return "answer"

    registry = reg.Registry()
    registry.register("key", [int], Plain())
    assert registry.component("key", [1]) == "answer"


def test_an_error_of_a_matcher_comes_out_unchanged():
    class Failing(reg.Matcher):
        def __call__(self, *args):
            raise reg.ComponentLookupError("from a matcher")

    @reg.generic
    def size(thing):
        return "fallback"

    registry = reg.Registry()
    registry.register(size, [int], Failing())
    for ask in (
        lambda: registry.component(size, [1], "default"),
        lambda: registry.all(size, [1]),
        lambda: registry.call(size, [1], "default"),
        lambda: size(1, lookup=registry),
        lambda: size(1, lookup=registry, default="default"),
        lambda: size.component(1, lookup=registry, default="default"),
    ):
        with pytest.raises(reg.ComponentLookupError, match=r"^from a matcher$"):
            ask()


def test_a_matcher_sees_the_dispatch_arguments_of_a_named_generic_function():
    @reg.generic("model", "target")
    def render(target, settings=None, model=None): ...

    matcher = Recording(lambda target, settings=None, model=None: "rendered")
    registry = reg.Registry()
    registry.register(render, [int, str], matcher)
    assert render("a", model=1, lookup=registry) == "rendered"
    assert matcher.asked == [((1, "a"), {})]
