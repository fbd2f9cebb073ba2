"""Implementations for any number of arguments: ``*rest`` with a class, and ``reg.Rest``."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections.abc import Sized

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg


@reg.generic
def join(*parts):
    return "fallback"


@reg.generic
def join_to(first, /, *rest):
    return "fallback"


@pytest.fixture
def registry():
    return reg.Registry()


def test_an_implementation_answers_for_any_number_of_further_arguments(registry):
    @registry.implements(join)
    def strings(first: int, *rest: str):
        return (first, *rest)

    assert join(1, lookup=registry) == (1,)
    assert join(1, "a", lookup=registry) == (1, "a")
    assert join(1, *"abcdefghijklmnopqrstuvwxyz", lookup=registry) == (
        1,
        *"abcdefghijklmnopqrstuvwxyz",
    )


@pytest.mark.parametrize("args", [(), ("a",), (1, 2), (1, "a", 2), (1, None)])
def test_each_further_argument_has_to_be_of_the_class(registry, args):
    registry.register(join, [int, reg.Rest(str)], lambda *args: "strings")
    assert join(*args, lookup=registry) == "fallback"


def test_it_answers_for_no_arguments_at_all(registry):
    @registry.implements(join)
    def strings(*parts: str):
        return "strings"

    assert join(lookup=registry) == join("a", lookup=registry) == "strings"


def test_register_takes_the_class_of_the_rest(registry):
    @registry.register(join_to, [int, reg.Rest(str)])
    def strings(first, *rest): ...

    assert registry.exact(join_to, [int, reg.Rest(str)]) is strings
    assert registry.exact(join_to, [int]) is registry.exact(join_to, [int, str]) is None
    assert registry.exact(join_to, [reg.Rest(str)]) is None


@pytest.mark.parametrize("number_first", [True, False])
def test_one_for_just_this_number_of_the_same_classes_comes_first(registry, number_first):
    pairs = [([int, str], "fixed"), ([int, reg.Rest(str)], "rest")]
    for classes, component in pairs if number_first else pairs[::-1]:
        registry.register(join, classes, component)
    assert join.all(1, "a", lookup=registry) == ["fixed", "rest"]
    assert join.all(1, lookup=registry) == join.all(1, "a", "b", lookup=registry) == ["rest"]


def test_the_more_specific_class_comes_first_whatever_the_number(registry):
    registry.register(join, [int, object], "fixed")
    registry.register(join, [int, reg.Rest(int)], "rest")
    registry.register(join, [object, int], "by the second")
    assert join.all(1, True, lookup=registry) == ["rest", "fixed", "by the second"]
    assert join.all(1, "a", lookup=registry) == ["fixed"]


def test_of_several_the_one_with_more_classes_of_its_own_comes_first(registry):
    for fewest in (0, 2, 1):
        registry.register(join, [*[int] * fewest, reg.Rest(int)], fewest)
    assert join.all(1, 1, 1, lookup=registry) == [2, 1, 0]
    assert join.all(1, lookup=registry) == [1, 0]


def test_a_further_argument_may_be_of_any_member_of_a_union(registry):
    @registry.implements(join)
    def either(*parts: int | str):
        return "either"

    assert join(1, "a", 2, lookup=registry) == "either"
    assert join(1, None, lookup=registry) == "fallback"
    registry.register(join, [reg.Rest(int)], "int")
    assert join.all(1, 2, lookup=registry) == ["int", either]
    assert registry.exact(join, [reg.Rest(str | int)]) is either


def test_call_next_goes_on_to_the_less_specific_one(registry):
    @registry.implements(join)
    def two(first: int, second: int, *, call_next):
        return ["two", call_next()]

    @registry.implements(join)
    def many(*parts: int, call_next):
        return ["many", call_next(), bool(call_next)]

    assert join(1, 2, lookup=registry) == ["two", ["many", "fallback", False]]


def test_abstract_classes_and_names_apply_to_further_arguments(registry):
    registry.register(join, [int, reg.Rest(Sized)], "sized")
    registry.register(join, [int, reg.Rest("fractions:Fraction")], "fractions")
    from fractions import Fraction

    assert join.component(1, "a", [], lookup=registry) == "sized"
    assert join.component(1, Fraction(1), Fraction(2), lookup=registry) == "fractions"
    assert join.all(1, Fraction(1), "a", lookup=registry) == []


def test_a_virtual_subclass_registered_later_counts(registry):
    import abc

    class Shown(abc.ABC):
        pass

    class Page:
        pass

    registry.register(join, [int, reg.Rest(Shown)], lambda *args: "shown")
    assert join(1, Page(), Page(), lookup=registry) == "fallback"
    Shown.register(Page)
    assert join(1, Page(), Page(), lookup=registry) == "shown"


def test_the_class_being_defined_can_be_named(registry):
    class Money:
        @reg.generic
        def sum(*parts):
            return "fallback"

        @registry.implements(sum)
        def sum_money(*parts: Money):
            return "money"

    assert Money().sum(Money(), lookup=registry) == "money"
    assert Money().sum(1, lookup=registry) == "fallback"
    assert [one.rest for one in registry.registrations()] == [(Money,)]


def test_it_can_be_replaced_listed_and_removed(registry):
    registry.register(join, [int, reg.Rest(str)], "first")
    registry.register(join, [int, reg.Rest(str)], "second")
    (registration,) = registry.registrations()
    assert (registration.classes, registration.rest) == ((int,), (str,))
    assert registration.component == "second"
    with pytest.raises(reg.RegistrationError):
        registry.unregister(join, [int])
    registry.unregister(join, [int, reg.Rest(str)])
    assert registry.registrations() == []
    assert join(1, "a", lookup=registry) == "fallback"


def test_a_second_one_for_the_same_classes_is_refused_where_replacing_is():
    registry = reg.Registry(replace=False)
    registry.register(join, [int, reg.Rest(str)], "first")
    registry.register(join, [int, str], "not the same")
    with pytest.raises(reg.RegistrationError, match=r"\(builtins.int, \*builtins.str\) already"):
        registry.register(join, [int, reg.Rest(str)], "second")


@pytest.mark.parametrize("further", [[int, reg.Rest(int)], [reg.Rest(int)], [int, int]])
def test_an_ambiguity_is_refused_where_asked(further):
    registry = reg.Registry(ambiguous=False)
    registry.register(join, [bool, reg.Rest(object)], "first argument")
    if further == [reg.Rest(int)]:
        with pytest.raises(reg.RegistrationError, match="would both apply"):
            registry.register(join, further, "later arguments")
    else:
        with pytest.raises(reg.RegistrationError, match="neither is more specific"):
            registry.register(join, further, "later arguments")


def test_the_rest_comes_last(registry):
    with pytest.raises(TypeError, match=r"Rest.*at position 0.*put it last"):
        registry.register(join, [reg.Rest(int), str], "component")
    with pytest.raises(TypeError, match="at position 0"):
        registry.register(join, [reg.Rest(list[int])], "component")


@pytest.mark.parametrize("parameters", ["first: int, *rest", "*rest: list[int]"])
def test_the_annotation_of_the_rest_has_to_name_a_class(registry, parameters):
    names = {}
    exec(f"def implementation({parameters}): ...", names)
    with pytest.raises(TypeError, match=r"annotates? its parameter 'rest'"):
        registry.implements(join)(names["implementation"])
    assert registry.registrations() == []


def test_an_unpacked_tuple_is_not_taken_for_the_class_of_the_items(registry):
    names = {}
    source = "from typing import Any\ndef implementation(*rest: *tuple[Any, ...]): ..."
    exec(compile(source, "<test>", "exec", dont_inherit=True), names)
    with pytest.raises(TypeError, match=r"\*rest: Class"):
        registry.implements(join)(names["implementation"])
    with pytest.raises(TypeError, match=r"reg.Rest\(Class\)"):
        registry.register(join, [*tuple[int, ...]], "component")


def test_a_parameter_that_is_filled_in_comes_behind_the_rest(registry):
    def implementation(first: int, call_next, *rest: str): ...

    with pytest.raises(TypeError, match=r"'call_next', which is filled in.*behind \*rest"):
        registry.implements(join)(implementation)


def test_a_class_generic_takes_its_class_first(registry):
    @reg.classgeneric
    def make(cls, *args):
        return "fallback"

    @registry.implements(make)
    def make_int(cls: type[int], *args: str):
        return (cls, *args)

    assert make(bool, "a", "b", lookup=registry) == (bool, "a", "b")
    assert make(str, "a", lookup=registry) == "fallback"


def test_compositions_know_it():
    front, back = reg.ClassRegistry(), reg.ClassRegistry()
    front.register(join, [int, reg.Rest(object)], "front")
    back.register(join, [int, int], "back")
    back.register(join, [int, reg.Rest(object)], "back, any number")
    composed = reg.Lookup(reg.ListClassLookup([front, back]))
    merged = reg.Lookup(reg.MergedClassLookup([front, back]))
    assert join.all(1, 2, lookup=composed) == ["front", "back", "back, any number"]
    assert join.all(1, 2, lookup=merged) == ["back", "front", "back, any number"]
    assert front.get(join, [int, str]) == "front"
    assert merged.class_lookup.get(join, [int, int]) == "back"


def test_a_matcher_is_asked_with_all_arguments(registry):
    class Few(reg.Matcher):
        def __call__(self, *args):
            return "few" if len(args) < 3 else None

    registry.register(join, [reg.Rest(int)], Few())
    assert join.component(1, 2, lookup=registry) == "few"
    assert join.component(1, 2, 3, lookup=registry, default="many") == "many"


def test_a_predicate_has_to_take_any_number_of_arguments(registry):
    matcher = reg.PredicateMatcher([reg.Predicate("first", reg.KeyIndex, lambda first: first)])
    with pytest.raises(TypeError, match="cannot be computed"):
        registry.register(join, [int, reg.Rest(int)], matcher)
    matcher = reg.PredicateMatcher([reg.Predicate("number", reg.KeyIndex, lambda *args: len(args))])
    registry.register(join, [int, reg.Rest(int)], matcher)
    matcher.register({"number": 3}, "three")
    assert join.component(1, 1, 1, lookup=registry) == "three"


def test_a_copy_and_a_pickle_have_it(registry):
    registry.register("key", [int, reg.Rest(int | str)], "component")
    for other in (
        copy.copy(registry),
        copy.deepcopy(registry),
        pickle.loads(pickle.dumps(registry)),
    ):
        assert other.component("key", [1, 2, "a"]) == "component"
        assert other.exact("key", [int, reg.Rest(str | int)]) == "component"
        other.unregister("key", [int, reg.Rest(int | str)])
    assert registry.component("key", [1, 2, "a"]) == "component"


def test_an_explanation_names_it_and_why_it_comes_later(registry):
    registry.register(join, [int, int], "two")
    registry.register(join, [int, reg.Rest(int | str)], "many")
    registry.register(join, [str, reg.Rest(int)], "other")
    text = str(join.explain(1, 2, lookup=registry))
    assert "(int, *int | str)" in text
    assert "comes after int itself" in text or "comes after its member int itself" in text
    assert "int is no subclass of str" in text
    registry.register(join, [int, reg.Rest(int)], "ints")
    candidates = join.explain(1, 2, lookup=registry).candidates
    assert [candidate.component for candidate in candidates] == ["two", "ints", "many"]
    assert candidates[1].reason == (
        "(int, *int), for any number of arguments, comes after (int, int) for the same classes"
    )
    assert candidates[1].as_dict()["rest"] == ["int"]


def test_an_explanation_says_how_many_arguments_there_have_to_be(registry):
    registry.register(join, [int, int, reg.Rest(int)], "many")
    (candidate,) = join.explain(1, lookup=registry).inapplicable
    assert candidate.reason == "is registered for 2 or more classes, looked up for 1"


def test_check_finds_that_an_implementation_cannot_take_the_rest(registry):
    def one(first): ...

    registry.register(join_to, [int, reg.Rest(str)], one)
    (finding,) = reg.check(registry)
    assert finding.kind == "arguments"
    registry.register(join_to, [int, reg.Rest(str)], lambda first, *rest: None)
    assert reg.check(registry) == []


def test_check_finds_what_only_the_first_argument_decides(registry):
    registry.register(join, [bool, reg.Rest(object)], lambda first, *rest: 1)
    registry.register(join, [int, int], lambda first, second: 2)
    (finding,) = reg.check(registry)
    assert finding.kind == "first-argument"


def numbers(parts):
    return f"{len(parts)} numbers"


def test_calls_with_different_numbers_of_arguments_take_turns(registry):
    registry.register(join, [reg.Rest(int)], lambda *parts: numbers(parts))
    registry.register(join, [int, reg.Rest(str)], lambda first, *rest: f"{len(rest)} strings")
    with reg.implicit.using(registry):
        for _ in range(3):
            for count in range(20):
                assert join(*[1] * count) == f"{'0 strings' if count == 1 else f'{count} numbers'}"
                assert join(1, *["a"] * count) == f"{count} strings"
                assert join(None, *[1] * count) == "fallback"
                assert join(None, *[1] * count, default="none") == "none"
                assert join(*[1] * count, 1, 1, lookup=registry) == f"{count + 2} numbers"
                assert join.component(None, *[1] * count, default="none") == "none"
                assert len(join.all(1, 1, *["a"] * count)) == (count == 0)


def test_a_later_registration_counts_for_every_number(registry):
    with reg.implicit.using(registry):
        for count in range(4):
            assert join(*[1] * count) == "fallback"
        registry.register(join, [reg.Rest(int)], lambda *parts: numbers(parts))
        for count in range(4):
            assert join(*[1] * count) == f"{count} numbers"
        registry.register(join, [int, int], lambda first, second: "two")
        assert [join(*[1] * count) for count in (1, 2, 3)] == ["1 numbers", "two", "3 numbers"]
        registry.unregister(join, [reg.Rest(int)])
        assert [join(*[1] * count) for count in (1, 2, 3)] == ["fallback", "two", "fallback"]


def test_keywords_are_passed_on(registry):
    @registry.implements(join)
    def with_options(*parts: int, sep=", ", lookup):
        return (sep, lookup is registry)

    with reg.implicit.using(registry):
        for _ in range(2):
            assert join(1, 2) == (", ", True)
            assert join(1, 2, sep="-") == ("-", True)


@pytest.mark.needs_mortal_classes
def test_classes_that_die_are_forgotten(registry):
    import gc
    import weakref

    registry.register(join, [reg.Rest(object)], lambda *parts: numbers(parts))
    with reg.implicit.using(registry):
        dead = []
        for count in range(1, 5):
            cls = type("Short", (), {})
            assert join(*[cls()] * count) == f"{count} numbers"
            dead.append(weakref.ref(cls))
            del cls
    gc.collect()
    assert [reference() for reference in dead] == [None] * 4


class A: ...


class B(A): ...


class C(A): ...


class D(B, C): ...


CLASSES = [object, A, B, C, D]

specifications = st.sampled_from(CLASSES) | st.just(A | int) | st.just(B | C)
signatures = st.tuples(
    st.lists(st.sampled_from(CLASSES), max_size=2), st.none() | specifications
).filter(lambda signature: signature != ([], None))


def members(specification):
    return getattr(specification, "__args__", (specification,))


def slow_order(registered, classes):
    """All that applies, by the rank of each argument's class, and then by the number fixed."""
    placed = []
    for order, (fixed, rest) in enumerate(registered):
        further = len(classes) - len(fixed)
        if further < 0 or (rest is None and further):
            continue
        place = []
        for cls, specification in zip(classes, [*fixed, *[rest] * further], strict=True):
            bases = [base for base in cls.__mro__ if base in members(specification)]
            if not bases:
                break
            place.append((cls.__mro__.index(bases[0]), len(members(specification)) > 1))
        else:
            placed.append((place, rest is not None, -len(fixed), order))
    return [order for *_, order in sorted(placed)]


@given(
    st.lists(signatures, max_size=6, unique_by=str),
    st.lists(st.sampled_from([A, B, C, D]), max_size=3),
)
def test_the_order_is_that_of_the_model(registered, classes):
    # Unions at one position are asked in the order of registration, which an order by place
    # does not know: no two that differ in their members only.
    registry = reg.ClassRegistry()
    for order, (fixed, rest) in enumerate(registered):
        registry.register("key", [*fixed, *([] if rest is None else [reg.Rest(rest)])], order)
    assert registry.all("key", classes) == slow_order(registered, classes)
    lookup = reg.Lookup(registry)
    assert lookup.all("key", [cls() for cls in classes]) == slow_order(registered, classes)


@given(st.lists(signatures, min_size=1, max_size=6, unique_by=str))
def test_nothing_is_left_when_all_is_removed(registered):
    registry = reg.ClassRegistry()
    written = [[*fixed, *([] if rest is None else [reg.Rest(rest)])] for fixed, rest in registered]
    for classes in written:
        registry.register("key", classes, str(classes))
    for classes in written:
        assert registry.exact("key", classes) == str(classes)
        registry.unregister("key", classes)
    assert registry.registrations() == []
    for count in range(4):
        for classes in itertools.product([A, D], repeat=count):
            assert registry.all("key", classes) == []
