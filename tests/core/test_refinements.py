"""Refinements: literal values, subclasses, and classes where a condition holds."""

from __future__ import annotations

import abc
import copy
import enum
import gc
import itertools
import pickle
import weakref
from collections.abc import Sized
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Animal: ...


class Dog(Animal): ...


class Puppy(Dog): ...


class Animals(list): ...


@reg.generic
def show(thing):
    return "fallback"


@reg.generic
def join(first, second):
    return "fallback"


def positive(number):
    return number > 0


def even(number):
    return number % 2 == 0


@pytest.fixture
def registry():
    return reg.Registry()


@pytest.fixture
def called(registry):
    """Asks for the component in every way, twice; the answers have to agree."""

    def called(*args, generic=show):
        answers = []
        for _ in range(2):
            answers += [
                generic(*args, lookup=registry),
                generic(*args, lookup=registry, default="fallback"),
            ]
            components = generic.all(*args, lookup=registry)
            first = generic.component(*args, lookup=registry, default=None)
            assert first is (components[0] if components else None)
            explained = generic.explain(*args, lookup=registry)
            assert explained.component is first
            answers.append("fallback" if first is None else first(*args))
        assert len(set(answers)) == 1
        return answers[0]

    return called


def answering(answer):
    return lambda *args: answer


# Literal values


def test_a_literal_comes_before_its_class(registry, called):
    @registry.implements(show)
    def show_str(thing: str):
        return "str"

    @registry.implements(show)
    def show_a(thing: Literal["a"]):
        return "a"

    assert [called(thing) for thing in ("a", "b", "a", 1)] == ["a", "str", "a", "fallback"]


def test_several_values_may_be_of_several_classes(registry, called):
    registry.register(show, [Literal["a", 1, None, b"x"]], answering("one of these"))
    for thing in ("a", 1, None, b"x"):
        assert called(thing) == "one of these"
    for thing in ("b", 2, True, b"y", 1.0):
        assert called(thing) == "fallback"


def test_a_value_has_to_be_of_the_same_class(registry, called):
    registry.register(show, [Literal[1]], answering("one"))
    registry.register(show, [Literal[True]], answering("true"))
    registry.register(show, [int], answering("int"))
    assert [called(thing) for thing in (1, True, 2, False)] == ["one", "true", "int", "int"]
    assert called(Level.LOW) == "int"


def test_an_object_of_a_subclass_is_another_value(registry, called):
    class Name(str): ...

    registry.register(show, [Literal["a"]], answering("a"))
    registry.register(show, [str], answering("str"))
    assert called(Name("a")) == "str"


@pytest.mark.parametrize("members", [Colour, Level])
def test_members_of_an_enumeration_are_values(registry, called, members):
    first, second = members
    registry.register(show, [Literal[first]], answering("first"))
    registry.register(show, [members], answering("members"))
    assert [called(first), called(second), called(first.value)] == ["first", "members", "fallback"]


def test_a_literal_of_several_values_is_less_specific_than_one_of_them(registry):
    registry.register(show, [Literal["a", "b"]], "a or b")
    registry.register(show, [Literal["a"]], "a")
    assert show.all("a", lookup=registry) == ["a", "a or b"]
    assert show.all("b", lookup=registry) == ["a or b"]


def test_values_at_several_positions(registry, called):
    registry.register(join, [Literal["a"], Literal[1]], answering("a1"))
    registry.register(join, [Literal["a"], int], answering("a"))
    registry.register(join, [str, Literal[1]], answering("1"))
    registry.register(join, [str, int], answering("neither"))
    pairs = [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert [called(*pair, generic=join) for pair in pairs] == ["a1", "a", "1", "neither"]


def test_call_next_goes_on_through_values_and_conditions(registry):
    @registry.implements(show)
    def one(thing: Literal[1], call_next):
        return ["one", *call_next()]

    @registry.implements(show)
    def show_positive(thing: Annotated[int, positive], call_next):
        return ["positive", *call_next()]

    @registry.implements(show)
    def show_int(thing: int, call_next):
        return ["int", bool(call_next)]

    assert show(1, lookup=registry) == ["one", "positive", "int", False]
    assert show(2, lookup=registry) == ["positive", "int", False]
    assert show(-1, lookup=registry) == ["int", False]


def test_a_later_registration_for_a_value_counts(registry, called):
    registry.register(show, [Literal["a"]], answering("a"))
    assert [called("a"), called("b")] == ["a", "fallback"]
    registry.register(show, [Literal["b"]], answering("b"))
    assert [called("a"), called("b")] == ["a", "b"]
    registry.unregister(show, [Literal["a"]])
    assert [called("a"), called("b")] == ["fallback", "b"]


def test_values_are_not_remembered(registry):
    class Value(str): ...

    registry.register(show, [Literal["a"]], answering("a"))
    registry.register(show, [reg.Where(str, lambda text: len(text) > 2)], answering("long"))
    value = Value("abc")
    assert show(value, lookup=registry) == "long"
    reference = weakref.ref(value)
    del value
    gc.collect()
    assert reference() is None


def test_named_parameters_and_keywords_decide_by_values(registry):
    @reg.generic("name")
    def view(model, name="index", *, size=1):
        return "fallback"

    @registry.implements(view)
    def view_edit(model, name: Literal["edit"], *, size=1):
        return ("edit", size)

    @registry.implements(view)
    def view_index(model, name: Literal["index"], *, size=1):
        return ("index", size)

    for _ in range(2):
        assert view(1, lookup=registry) == ("index", 1)
        assert view(1, name="edit", lookup=registry) == ("edit", 1)
        assert view(1, "edit", size=2, lookup=registry) == ("edit", 2)
        assert view(1, "other", lookup=registry) == "fallback"


@pytest.mark.parametrize("members", [Colour, Level])
def test_a_member_by_itself_is_the_literal_of_it(registry, called, members):
    first, second = members
    registry.register(show, [first], answering("by itself"))
    assert [called(first), called(second), called(first.value)] == [
        "by itself",
        "fallback",
        "fallback",
    ]
    registry.register(show, [Literal[first]], answering("literal"))
    assert called(first) == "literal"
    assert len(registry.registrations()) == 1

    @registry.implements(show)
    def shown(item: second):
        return "annotated"

    assert called(second) == "annotated"
    registry.unregister(show, [second])
    assert called(second) == "fallback"


class Word(enum.StrEnum):
    YES = "yes"


def test_a_member_that_is_a_string_is_no_name_of_a_class(registry, called):
    registry.register(show, [Word.YES], answering("yes"))
    assert [called(Word.YES), called("yes")] == ["yes", "fallback"]


# Subclasses


def test_a_class_as_an_argument_is_found_by_its_bases(registry, called):
    @registry.implements(show)
    def show_animal(thing: type[Animal]):
        return "animal"

    @registry.implements(show)
    def show_class(thing: type):
        return "class"

    @registry.implements(show)
    def show_dog(thing: type[Dog]):
        return "dog"

    assert [called(thing) for thing in (Animal, Dog, Puppy)] == ["animal", "dog", "dog"]
    assert [called(thing) for thing in (int, Dog(), list[int])] == ["class", "fallback", "fallback"]


@pytest.mark.parametrize("order", list(itertools.permutations([Animal, Dog, Puppy])))
def test_the_narrower_class_comes_first_in_any_order_of_registration(registry, order):
    for cls in order:
        registry.register(show, [type[cls]], cls)
    assert show.all(Puppy, lookup=registry) == [Puppy, Dog, Animal]


def test_classes_of_a_metaclass_and_virtual_subclasses_count(registry, called):
    class Shape(abc.ABC): ...

    class Square: ...

    registry.register(show, [type[Shape]], answering("shape"))
    registry.register(show, [type[Sized]], answering("sized"))
    assert [called(Shape), called(Square), called(list)] == ["shape", "fallback", "sized"]
    Shape.register(Square)
    assert called(Square) == "shape"


def test_type_of_anything_is_type(registry):
    registry.register(show, [type[Any]], "any class")
    assert registry.exact(show, [type]) == registry.exact(show, [type[object]]) == "any class"


def test_type_of_a_union_and_of_a_class_by_name(registry, called):
    registry.register(show, [type[int | str]], answering("int or str"))
    registry.register(show, [type["fractions:Fraction"]], answering("fraction"))  # noqa: F722
    from fractions import Fraction

    answers = [called(thing) for thing in (bool, str, Fraction, float)]
    assert answers == ["int or str", "int or str", "fraction", "fallback"]


def test_the_first_argument_of_a_class_generic_stands_for_itself(registry):
    @reg.classgeneric
    def make(cls, other): ...

    with pytest.raises(TypeError, match="the first argument of a class generic stands for itself"):
        registry.register(make, [type[int], type[int]], "component")
    registry.register(make, [int, type[int]], "component")
    assert make.component(bool, bool, lookup=registry) == "component"


# Conditions


def test_a_condition_is_asked_in_every_call(registry, called):
    @registry.implements(show)
    def show_positive(thing: Annotated[int, positive]):
        return "positive"

    registry.register(show, [reg.Where(int, even)], answering("even"))
    registry.register(show, [int], answering("int"))
    things = (1, 2, -2, -1, True)
    assert [called(thing) for thing in things] == [
        "positive",
        "positive",
        "even",
        "int",
        "positive",
    ]


def test_a_condition_on_a_list_sees_how_it_changes(registry):
    registry.register(show, [reg.Where(list, bool)], answering("some"))
    things = []
    assert show(things, lookup=registry) == "fallback"
    things.append(1)
    assert show(things, lookup=registry) == "some"


def test_several_conditions_have_to_hold(registry, called):
    registry.register(show, [reg.Where(int, positive)], answering("positive"))
    registry.register(show, [reg.Where(int, even, positive)], answering("both"))
    assert [called(thing) for thing in (2, 1, -2)] == ["both", "positive", "fallback"]
    assert registry.exact(show, [Annotated[int, positive, even]])(2) == "both"


def test_a_condition_may_refine_a_value_a_union_or_a_name(registry, called):
    registry.register(show, [reg.Where(Literal[1, 2], even)], answering("two"))
    registry.register(show, [reg.Where(float | bytes, bool)], answering("something"))
    registry.register(show, [reg.Where("fractions:Fraction", positive)], answering("fraction"))
    from fractions import Fraction

    assert [called(thing) for thing in (1, 2)] == ["fallback", "two"]
    assert [called(thing) for thing in (0.0, 0.5, b"", b"a")] == ["fallback", "something"] * 2
    assert [called(Fraction(number)) for number in (1, -1)] == ["fraction", "fallback"]


def test_the_classes_decide_before_conditions_of_later_arguments(registry, called):
    registry.register(join, [int, reg.Where(int, positive)], answering("later"))
    registry.register(join, [bool, int], answering("class"))
    registry.register(join, [reg.Where(bool, bool), object], answering("first"))
    assert called(True, 1, generic=join) == "first"
    assert called(False, 1, generic=join) == "class"
    assert called(1, 1, generic=join) == "later"
    assert called(1, -1, generic=join) == "fallback"


def test_an_error_in_a_condition_is_an_error_of_the_call(registry):
    registry.register(show, [reg.Where(str, positive)], answering("positive"))
    with pytest.raises(TypeError, match="'>' not supported"):
        show("a", lookup=registry)
    assert "'>' not supported" in str(show.explain("a", lookup=registry))


def test_a_matcher_can_be_registered_for_a_refinement(registry):
    matcher = reg.PredicateMatcher([reg.Predicate("size", reg.KeyIndex, len)])
    matcher.register({"size": 1}, "one")
    registry.register(show, [reg.Where(str, str.isupper)], matcher)
    registry.register(show, [str], "str")
    assert show.all("A", lookup=registry) == ["one", "str"]
    assert show.all("a", lookup=registry) == show.all("AB", lookup=registry) == ["str"]
    assert show.component("AB", lookup=registry, predicates={"size": 1}) == "one"


def test_predicates_of_a_later_matcher_are_computed(registry):
    matcher = reg.PredicateMatcher([reg.Predicate("size", reg.KeyIndex, len)])
    matcher.register({"size": 2}, "two")
    registry.register(show, [reg.Where(str, str.isupper)], "upper")
    registry.register(show, [str], matcher)
    assert show.all("AB", lookup=registry) == ["upper", "two"]
    assert show.component("ab", lookup=registry) == "two"


def test_metadata_that_is_no_condition_is_left_out(registry):
    @registry.implements(show)
    def show_int(thing: Annotated[int, "a number", Animal]):
        return "int"

    assert registry.exact(show, [int]) is show_int


def test_a_condition_that_cannot_be_called_or_hashed_is_refused(registry):
    with pytest.raises(TypeError, match="got 3, which cannot be called"):
        reg.Where(int, 3)
    with pytest.raises(TypeError, match="takes a condition after the class"):
        reg.Where(int)

    class Unhashable:
        __hash__ = None

        def __call__(self, thing): ...

    with pytest.raises(TypeError, match=r"at position 0.*cannot be hashed"):
        registry.register(show, [reg.Where(int, Unhashable())], "component")
    with pytest.raises(TypeError, match="a condition is called with the argument alone"):
        registry.register(show, [reg.Where(int, lambda first, second: True)], "component")
    assert registry.registrations() == []


async def _awaited(thing):
    return False


def _iterated(thing):
    yield False


async def _iterated_later(thing):
    yield False


class _Awaited:
    async def __call__(self, thing):
        return False


@pytest.mark.parametrize("condition", [_awaited, _iterated, _iterated_later, _Awaited()])
def test_a_condition_whose_call_runs_nothing_is_refused_since_it_is_always_true(
    registry, condition
):
    with pytest.raises(TypeError, match=r"at position 0.* function, whose result is always true"):
        registry.register(show, [reg.Where(int, condition)], "component")

    def show_some(thing):
        return "some"

    show_some.__annotations__["thing"] = Annotated[int, condition]
    with pytest.raises(TypeError, match=r"its parameter 'thing'.*give a plain function"):
        registry.implements(show)(show_some)
    assert registry.registrations() == []


# Items


def test_items_are_looked_at_where_it_is_asked_for(registry, called):
    @registry.implements(show)
    def show_numbers(thing: Annotated[list[int], reg.Items(list, int)]):
        return "numbers"

    registry.register(show, [reg.Items(dict, str, int | float)], answering("numbers by name"))
    registry.register(show, [list], answering("list"))
    answers = [called(thing) for thing in ([1], ["a"], [1, "a"], [], Animals([True]))]
    assert answers == ["numbers", "list", "list", "numbers", "numbers"]
    assert [called({"a": 1.5}), called({1: 1})] == ["numbers by name", "fallback"]


def test_items_by_type_arguments_alone_are_refused_with_advice(registry):
    with pytest.raises(TypeError, match=r"use list: .*; reg.Items\(list, …\) looks at each"):
        registry.register(show, [list[int]], "component")


@pytest.mark.parametrize(
    "items", [(list,), (list, int, str), (dict, int), (list, 3), (type(iter([])), int)]
)
def test_items_that_cannot_be_asked_are_refused(items):
    with pytest.raises(TypeError, match="Items takes the class of a collection"):
        reg.Items(*items)


def test_a_condition_for_another_class_than_the_annotated_one_is_refused(registry):
    with pytest.raises(TypeError, match="names another class"):
        registry.register(show, [Annotated[str, reg.Where(int, positive)]], "component")


# Registries


def test_they_are_listed_replaced_and_removed(registry):
    for component in ("former", "present"):
        registry.register(show, [reg.Where(int, positive)], component)
    registry.register(join, [Literal["a"], type[Dog]], "second")
    registry.register(show, [reg.Items(list, int)], "third")
    listed = [(str(one.classes), one.component) for one in registry.registrations()]
    assert listed == [
        ("(Where(int, positive),)", "present"),
        ("(Literal['a'], type[Dog])", "second"),
        ("(Items(list, int),)", "third"),
    ]
    assert registry.exact(show, [Annotated[int, positive]]) == "present"
    assert registry.exact(show, [int]) is registry.exact(show, [reg.Where(int, even)]) is None
    registry.unregister(show, [reg.Where(int, positive)])
    registry.unregister(join, [Literal["a"], type[Dog]])
    registry.unregister(show, [reg.Items(list, int)])
    assert registry.registrations() == []
    assert show.all(1, lookup=registry) == []


def test_a_second_one_is_refused_where_replacing_is():
    registry = reg.Registry(replace=False)
    registry.register(show, [Literal[1]], "one")
    registry.register(show, [Literal[True]], "true")
    with pytest.raises(reg.RegistrationError, match=r"\(Literal\[1\]\) already"):
        registry.register(show, [Literal[1]], "another")


def test_an_ambiguity_with_a_refinement_is_refused_where_asked():
    registry = reg.Registry(ambiguous=False)
    registry.register(join, [Literal["a"], object], "first")
    registry.register(join, [Literal["b"], int], "of another value")
    with pytest.raises(reg.RegistrationError, match=r"\(Literal\['a'\], builtins.int\)"):
        registry.register(join, [str, int], "second")


def test_check_knows_refinements(registry):
    registry.register(join, [Literal["a"], object], lambda first, second: 1)
    registry.register(join, [str, int], lambda first, second: 2)
    registry.register(show, [reg.Where(int, positive)], lambda thing: 1)
    registry.register(show, [reg.Where(int, even)], lambda thing: 2)
    (finding,) = reg.check(registry)
    assert finding.kind == "first-argument"
    (finding,) = reg.check(registry, accept=["first-argument"], complete={show: [int]})
    assert finding.kind == "incomplete"


def test_nothing_is_hidden_behind_a_refinement():
    front, back = reg.Registry(name="front"), reg.Registry(name="back")
    front.register(show, [reg.Where(object, bool)], lambda thing: "true")
    back.register(show, [int], lambda thing: "int")
    lookup = reg.Lookup(reg.ListClassLookup([front, back]))
    assert reg.check(lookup) == []
    assert [show(thing, lookup=lookup) for thing in (1, 0)] == ["true", "int"]


def test_a_merged_lookup_orders_them_by_class():
    front, back = reg.Registry(), reg.Registry()
    front.register(show, [int], "int")
    back.register(show, [Literal[1]], "one")
    back.register(show, [reg.Where(int, positive)], "positive")
    lookup = reg.Lookup(reg.MergedClassLookup([front, back]))
    assert show.all(1, lookup=lookup) == ["one", "positive", "int"]
    assert show.all(-1, lookup=lookup) == ["int"]


def test_a_caching_class_lookup_caches_the_question_and_not_the_answer():
    registry = reg.ClassRegistry()
    registry.register(show, [Literal[1]], "one")
    lookup = reg.Lookup(reg.CachingClassLookup(registry))
    assert [show.all(thing, lookup=lookup) for thing in (1, 2, 1)] == [["one"], [], ["one"]]


def test_a_lookup_of_ones_own_gets_matchers():
    class Own(reg.Lookup):
        def all(self, key, args, predicates=None, *, class_method=False):
            return super().all(key, args, predicates, class_method=class_method)

    registry = reg.ClassRegistry()
    registry.register(show, [Literal[1]], answering("one"))
    (matcher,) = registry.all(show, [int])
    assert isinstance(matcher, reg.Matcher)
    assert (matcher(1)(1), matcher(2)) == ("one", None)
    assert [show(thing, lookup=Own(registry)) for thing in (1, 2)] == ["one", "fallback"]


def test_lookups_by_key_decide_by_values(registry):
    registry.register("key", [Literal["a"]], answering("a"))
    assert registry.component("key", ["a"])("a") == registry.call("key", ["a"]) == "a"
    assert registry.call("key", ["b"], default="none") == "none"
    with pytest.raises(reg.ComponentLookupError, match="does not hold for these arguments"):
        registry.component("key", ["b"])


def test_further_arguments_may_be_refined(registry):
    @reg.generic
    def add(*numbers):
        return "fallback"

    @registry.implements(add)
    def add_some(*numbers: Annotated[int, positive] | Literal["none"]):
        return "some"

    assert add(1, 2, "none", lookup=registry) == add(lookup=registry) == "some"
    assert add(1, -2, lookup=registry) == add(1, "nothing", lookup=registry) == "fallback"


def test_a_copy_and_a_pickle_have_them(registry):
    registry.register("key", [Literal["a", Colour.RED], type[Dog]], "literal")
    registry.register("key", [reg.Where(int, positive), reg.Items(list, int)], "conditions")
    pickled = pickle.loads(pickle.dumps(registry))
    for other in (copy.copy(registry), copy.deepcopy(registry), pickled):
        assert other.component("key", [Colour.RED, Puppy]) == "literal"
        assert other.component("key", [1, [1]]) == "conditions"
        assert other.component("key", [-1, [1]], None) is None
        other.unregister("key", [reg.Where(int, positive), reg.Items(list, int)])
        other.unregister("key", [Literal[Colour.RED, "a"], type[Dog]])
        assert other.registrations() == []


def test_an_explanation_says_which_refinement_does_not_hold(registry):
    registry.register(show, [Literal[1]], answering("one"))
    registry.register(show, [reg.Where(int, positive)], answering("positive"))
    registry.register(show, [int], answering("int"))
    reasons = [one.reason for one in show.explain(-1, lookup=registry).candidates]
    assert reasons == [
        "thing: Literal[1] does not hold for the argument",
        "thing: Where(int, positive) does not hold for the argument",
        "comes first",
    ]
    reasons = [one.reason for one in show.explain(1, lookup=registry).candidates]
    assert reasons == [
        "comes first",
        "thing: Where(int, positive) was registered after Literal[1]",
        "thing: int comes after its refinement Literal[1]",
    ]
    undecided = registry.explain_classes(show, [int])
    assert [one.outcome for one in undecided.candidates] == ["undecided"] * 3


# The law: a look-up finds what a slow search of all registrations finds first.

VALUES = [0, 1, True, False, 2, "a", "b", "", Colour.RED, Colour.BLUE, None, Dog, Puppy, 1.5]
CLASSES = [object, int, bool, str, Colour, type, type(None), float]
CONDITIONS = [bool, callable, lambda value: value in (1, "a")]

specifications = st.one_of(
    st.sampled_from(CLASSES),
    st.sampled_from([value for value in VALUES if not isinstance(value, (type, float))]).map(
        lambda value: Literal[value]
    ),
    st.builds(reg.Where, st.sampled_from(CLASSES), st.sampled_from(CONDITIONS)),
    st.sampled_from([type[Animal], type[Dog], type[Puppy]]),
)


def members(specification, value):
    """The class, and whether the value counts, and how narrow it is, by the letter."""
    if isinstance(specification, reg.Where):
        (condition,) = specification.conditions
        return specification.cls, lambda: bool(condition(value)), 0
    if getattr(specification, "__origin__", None) is Literal:
        (literal,) = specification.__args__
        if literal is None:
            return type(None), None, 0
        return type(literal), lambda: type(value) is type(literal) and value == literal, 0
    if getattr(specification, "__origin__", None) is type:
        (cls,) = specification.__args__
        return type, lambda: isinstance(value, type) and issubclass(value, cls), -len(cls.__mro__)
    return specification, None, 0


def slow_order(registered, args):
    known = [dict.fromkeys(map(str, column)) for column in zip(*registered, strict=True)]
    placed = []
    for component, row in enumerate(registered):
        place = []
        for column, specification, value in zip(known, row, args, strict=True):
            cls, holds, narrow = members(specification, value)
            mro = type(value).__mro__
            if cls not in mro or (holds is not None and not holds()):
                break
            place.append(
                (mro.index(cls), holds is None, narrow, list(column).index(str(specification)))
            )
        else:
            placed.append((place, component))
    return [component for _, component in sorted(placed)]


@given(
    st.integers(1, 2).flatmap(
        lambda count: st.tuples(
            st.lists(st.tuples(*[specifications] * count), max_size=8, unique_by=str),
            st.lists(st.tuples(*[st.sampled_from(VALUES)] * count), min_size=1, max_size=6),
        )
    )
)
def test_the_order_is_that_of_a_slow_search(registered_and_calls):
    registered, calls = registered_and_calls
    # Subclasses and conditions of type have no order among each other but that of registration.
    if any(isinstance(one, reg.Where) and one.cls is type for row in registered for one in row):
        return
    registry = reg.Registry()
    generic = show if len(calls[0]) == 1 else join
    for component, row in enumerate(registered):
        registry.register(generic, row, lambda *args, component=component: component)
    for args in calls * 2:
        order = slow_order(registered, args)
        components = generic.all(*args, lookup=registry)
        assert [component(*args) for component in components] == order
        first = order[0] if order else "fallback"
        assert generic(*args, lookup=registry) == first
        assert generic(*args, lookup=registry, default="fallback") == first
        found = generic.component(*args, lookup=registry, default=None)
        assert (found is None) if not order else found(*args) == first
