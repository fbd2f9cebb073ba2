"""Calls that a predicate matcher decides: they are fast, and right after each change."""

from __future__ import annotations

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg
from reg import ANY, KeyIndex, Predicate, PredicateMatcher


class Page:
    def __init__(self, *values):
        self.values = values


def calculation(index):
    return lambda page: page.values[index]


def matcher_of(count):
    return PredicateMatcher(
        Predicate(name, KeyIndex, calculation(index)) for index, name in enumerate("abc"[:count])
    )


def generic_with(*components):
    """A generic function whose chain is these components, in registries composed in order."""

    @reg.generic
    def view(page, **options):
        return ("fallback", options)

    registries = []
    for component in components:
        registry = reg.Registry()
        registry.register(view, [Page], component)
        registries.append(registry)
    return view, reg.Lookup(reg.ListClassLookup(registries))


def answering(answer):
    return lambda page, **options: (answer, options)


VALUES = st.one_of(
    st.integers(0, 2), st.booleans(), st.sampled_from(["x", "y", None, 1.0, b"x", (0, 1)])
)


@given(st.data(), st.integers(1, 3))
def test_a_call_finds_the_implementation_that_the_registry_finds(data, count):
    matcher = matcher_of(count)
    view, lookup = generic_with(matcher)
    keys = st.tuples(*[st.one_of(VALUES, st.just(ANY))] * count)
    calls = st.tuples(*[VALUES] * count)
    steps = st.lists(st.one_of(st.tuples(st.just("add"), keys), st.tuples(st.just("call"), calls)))
    names = "abc"[:count]
    for number, (step, values) in enumerate(data.draw(steps)):
        if step == "add":
            matcher.register(dict(zip(names, values, strict=True)), answering(number))
            continue
        try:
            found = matcher.registry.get(dict(zip(names, values, strict=True)))
        except reg.PredicateRegistryError:
            with pytest.raises(reg.PredicateRegistryError):
                view(Page(*values), lookup=lookup)
            continue
        expected = ("fallback", {}) if found is None else found(None)
        for _ in range(2):
            assert view(Page(*values), lookup=lookup) == expected


@pytest.mark.parametrize("count", [1, 2])
def test_a_registration_made_after_a_call_counts_for_the_next_one(count):
    matcher = matcher_of(count)
    view, lookup = generic_with(matcher, answering("behind"))
    page = Page("x", "y")
    for _ in range(3):
        assert view(page, lookup=lookup) == ("behind", {})
    matcher.register({"a": ANY}, answering("any"))
    for _ in range(3):
        assert view(page, lookup=lookup) == ("any", {})
    matcher.register({"a": "x"}, answering("x"))
    for _ in range(3):
        assert view(page, more=1, lookup=lookup) == ("x", {"more": 1})


def test_more_values_than_are_remembered_find_their_implementations():
    matcher = matcher_of(1)
    view, lookup = generic_with(matcher)
    for value in range(0, 2_000, 2):
        matcher.register({"a": value}, answering(value))
    matcher.register({}, answering("any"))
    for _ in range(2):
        for value in range(2_000):
            expected = "any" if value % 2 else value
            assert view(Page(value), lookup=lookup) == (expected, {})


def test_a_value_that_cannot_be_hashed_is_the_same_error_in_every_call():
    matcher = matcher_of(1)
    view, lookup = generic_with(matcher)
    matcher.register({"a": "x"}, answering("x"))
    for _ in range(2):
        with pytest.raises(TypeError, match=r"\[\] of the predicate 'a' cannot be hashed"):
            view(Page([]), lookup=lookup)
        assert view(Page("x"), lookup=lookup) == ("x", {})


def test_no_value_of_an_applications_class_is_kept_alive():
    class Value:
        pass

    matcher = matcher_of(1)
    view, lookup = generic_with(matcher)
    matcher.register({}, answering("any"))
    value = Value()
    reference = weakref.ref(value)
    for _ in range(3):
        assert view(Page(value), lookup=lookup) == ("any", {})
    del value
    gc.collect()
    assert reference() is None


def test_an_error_of_a_calculation_is_not_taken_for_a_value_that_cannot_be_hashed():
    def fail(page):
        raise TypeError("no value")

    matcher = PredicateMatcher([Predicate("a", KeyIndex, fail)])
    view, lookup = generic_with(matcher)
    for _ in range(2):
        with pytest.raises(TypeError, match="no value"):
            view(Page(), lookup=lookup)


def test_an_error_in_the_equality_of_a_value_comes_out():
    class Odd:
        def __hash__(self):
            return hash("x")

        def __eq__(self, other):
            raise ZeroDivisionError

    matcher = matcher_of(1)
    view, lookup = generic_with(matcher)
    matcher.register({"a": "x"}, answering("x"))
    assert view(Page("x"), lookup=lookup) == ("x", {})
    with pytest.raises(ZeroDivisionError):
        view(Page(Odd()), lookup=lookup)


def test_lookup_and_call_next_are_filled_in_for_an_implementation_of_a_matcher():
    matcher = matcher_of(1)

    @matcher.register({"a": "lookup"})
    def with_lookup(page, lookup):
        return lookup

    @matcher.register({"a": "next"})
    def with_next(page, call_next):
        return ("next", call_next())

    view, lookup = generic_with(matcher, answering("behind"))
    for _ in range(3):
        assert view(Page("lookup"), lookup=lookup) is lookup
        assert view(Page("next"), lookup=lookup) == ("next", ("behind", {}))


def test_a_second_matcher_is_asked_every_time():
    asked = []

    class Second(reg.Matcher):
        def __call__(self, page, **values):
            asked.append(page)
            return answering(len(asked))

    view, lookup = generic_with(matcher_of(1), Second())
    assert [view(Page("x"), lookup=lookup)[0] for _ in range(3)] == [1, 2, 3]


def test_a_matcher_that_is_given_another_registry_decides_by_that():
    matcher, other = matcher_of(1), matcher_of(2)
    view, lookup = generic_with(matcher)
    matcher.register({"a": "x"}, answering("first"))
    other.register({"b": "y"}, answering("second"))
    assert view(Page("x", "y"), lookup=lookup) == ("first", {})
    matcher.registry = other.registry
    for _ in range(2):
        assert view(Page("x", "y"), lookup=lookup) == ("second", {})
        assert view(Page("x", "z"), lookup=lookup) == ("fallback", {})
    with pytest.raises(TypeError, match=r"is to be a reg\.PredicateRegistry"):
        matcher.registry = {}


def test_a_predicate_keeps_what_calls_may_use():
    predicate = Predicate("a", KeyIndex)
    for name in ("name", "index_factory", "calc", "default"):
        with pytest.raises(AttributeError, match=f"cannot assign the attribute '{name}'"):
            setattr(predicate, name, len)


def test_default_is_for_the_call_that_no_matcher_and_no_implementation_answers():
    matcher = matcher_of(1)
    view, lookup = generic_with(matcher)
    for _ in range(3):
        assert view(Page("x"), lookup=lookup, default="none") == "none"
    matcher.register({"a": "x"}, answering("x"))
    for _ in range(3):
        assert view(Page("x"), lookup=lookup, default="none") == ("x", {})


def test_a_plan_with_a_matcher_is_freed_with_its_registries():
    matcher = matcher_of(1)
    view, lookup = generic_with(matcher)
    matcher.register({"a": "x"}, answering("x"))
    assert view(Page("x"), lookup=lookup) == ("x", {})
    reference = weakref.ref(matcher)
    del matcher, lookup, view
    gc.collect()
    assert reference() is None
