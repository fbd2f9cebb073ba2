"""Predicates, their registries and matchers."""

from __future__ import annotations

import itertools
import threading

import pytest

import reg
from reg import ANY, KeyIndex, Predicate, PredicateMatcher, PredicateRegistry


def registry_of(*names):
    return PredicateRegistry([Predicate(name, KeyIndex) for name in names])


def test_a_predicate_has_the_attributes_it_is_made_with():
    def calc(thing): ...

    predicate = Predicate("name", KeyIndex, calc, "default")
    assert (predicate.name, predicate.index_factory) == ("name", KeyIndex)
    assert (predicate.calc, predicate.default) == (calc, "default")
    assert isinstance(predicate.create_index(), KeyIndex)
    assert predicate.create_index() is not predicate.create_index()
    plain = Predicate(name="name", index_factory=KeyIndex)
    assert (plain.calc, plain.default) == (None, None)


def test_a_framework_can_add_attributes_to_a_predicate():
    predicate = Predicate("name", KeyIndex)
    predicate.fallback = "fallback"
    assert predicate.fallback == "fallback"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((reg.KeyIndex(),), r"'name' .* makes its index, such as the class reg.KeyIndex; got <reg"),
        ((reg.KeyIndex, "edit"), r"'name' .* computes its value, or None; got 'edit'"),
    ],
)
def test_an_index_factory_or_calc_that_cannot_be_called_is_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        reg.Predicate("name", *arguments)


async def _name_later(request):
    return request.name


def _names_of(request):
    yield request.name


@pytest.mark.parametrize("calc", [_name_later, _names_of])
def test_a_calc_whose_result_is_not_the_value_is_refused(calc):
    with pytest.raises(TypeError, match=r"'name' is to be computed by a plain function; got <fun"):
        reg.Predicate("name", calc=calc)


def test_a_key_index_holds_sets():
    index = KeyIndex()
    assert index.get("a") == set()
    index.add("a", 1)
    index.add("a", 2)
    index.add("b", 3)
    assert index.get("a") == {1, 2}
    index.get("a").clear()
    assert index.get("a") == {1, 2}
    assert index.get("c") == set()


def test_get_finds_the_registration_for_the_values():
    registry = registry_of("a", "b")
    registry.register({"a": 1, "b": 2}, "found")
    assert registry.get({"a": 1, "b": 2}) == "found"
    assert registry.get({"a": 1, "b": 3}) is None
    assert registry.get({"a": 1, "b": 3}, "default") == "default"


def test_an_omitted_predicate_is_any_and_any_given_is_the_same():
    omitted, given = registry_of("a", "b"), registry_of("a", "b")
    omitted.register({"a": 1}, "found")
    given.register({"a": 1, "b": ANY}, "found")
    for registry in (omitted, given):
        assert registry.get({"a": 1, "b": 2}) == "found"
        assert registry.get({"a": 1, "b": ANY}) == "found"
        assert registry.get({"a": 2, "b": 2}) is None


def test_any_is_compared_by_identity():
    class EqualToAll:
        def __eq__(self, other):
            return True

        def __hash__(self):
            return hash("equal")

    value = EqualToAll()
    registry = registry_of("a")
    registry.register({"a": value}, "value")
    assert registry.get({"a": value}) == "value"
    assert registry.get({"a": ANY}) is None
    registry.register({}, "any")
    assert registry.get({"a": ANY}) == "any"
    assert registry.get({"a": value}) == "value"


def test_the_most_specific_entry_is_found_and_earlier_predicates_weigh_more():
    names = ["a", "b", "c"]
    entries = list(itertools.product([True, False], repeat=3))
    registry = registry_of(*names)
    for named in reversed(entries):
        registry.register(
            {n: 1 for n, is_named in zip(names, named, strict=True) if is_named}, named
        )
    assert registry.get({"a": 1, "b": 1, "c": 1}) == (True, True, True)
    assert registry.get({"a": 1, "b": 2, "c": 1}) == (True, False, True)
    assert registry.get({"a": 2, "b": 1, "c": 1}) == (False, True, True)
    assert registry.get({"a": 2, "b": 2, "c": 2}) == (False, False, False)
    two = registry_of("a", "b")
    two.register({"b": 1}, "second")
    two.register({"a": 1}, "first")
    assert two.get({"a": 1, "b": 1}) == "first"


def test_any_asked_for_finds_only_entries_registered_for_any():
    registry = registry_of("a", "b")
    registry.register({"a": 1, "b": 1}, "both")
    registry.register({"b": 1}, "b")
    assert registry.get({"a": ANY, "b": 1}) == "b"
    assert registry.get({"a": 1, "b": ANY}) is None
    assert registry.get({"a": ANY, "b": ANY}) is None


def test_a_missing_predicate_is_a_key_error_and_extra_names_are_ignored():
    registry = registry_of("a", "b")
    registry.register({"a": 1}, "found")
    with pytest.raises(KeyError, match="b"):
        registry.get({"a": 1})
    assert registry.get({"a": 1, "b": 2, "c": 3}) == "found"


def test_two_entries_under_one_full_key_are_an_error_when_they_are_reached():
    registry = registry_of("a", "b")
    registry.register({"a": 1}, "one")
    registry.register({"a": 1, "b": ANY}, "two")
    registry.register({"a": 1, "b": 2}, "specific")
    assert registry.get({"a": 1, "b": 2}) == "specific"
    assert registry.get({"a": 2, "b": 2}) is None
    with pytest.raises(reg.PredicateRegistryError, match=r"'one', 'two'"):
        registry.get({"a": 1, "b": 3})


def test_the_same_value_twice_under_one_full_key_is_an_error_only_when_reached():
    registry = registry_of("a")
    registry.register({"a": 1}, "same")
    registry.register({"a": 1}, "same")
    assert registry.get({"a": 2}) is None
    with pytest.raises(reg.PredicateRegistryError):
        registry.get({"a": 1})


def test_values_need_not_be_hashable_and_may_be_falsy():
    registry = registry_of("a")
    registry.register({"a": 1}, [])
    registry.register({"a": 2}, 0)
    assert registry.get({"a": 1}, "default") == []
    assert registry.get({"a": 2}, "default") == 0


def test_get_changes_nothing():
    registry = registry_of("a", "b")
    registry.register({"a": 1, "b": 2}, "found")
    asked = {"a": 5, "b": 6, "c": 7}
    for _ in range(2):
        assert registry.get(asked) is None
        assert registry.get({"a": 1, "b": 2}) == "found"
    assert asked == {"a": 5, "b": 6, "c": 7}


def test_register_keeps_nothing_of_the_dictionary_given():
    registry = registry_of("a")
    given = {"a": 1}
    registry.register(given, "found")
    given["a"] = 2
    assert registry.get({"a": 1}) == "found"
    assert registry.get({"a": 2}) is None


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b"]])
def test_an_empty_registry_finds_nothing(names):
    assert registry_of(*names).get(dict.fromkeys(names, 1), "default") == "default"


def test_no_predicates_at_all_work():
    registry = registry_of()
    registry.register({}, "found")
    assert registry.get({}) == "found"
    assert registry.get({"a": 1}) == "found"


def test_one_predicate_works():
    registry = registry_of("a")
    registry.register({"a": 1}, "one")
    registry.register({}, "any")
    assert registry.get({"a": 1}) == "one"
    assert registry.get({"a": 2}) == "any"


def test_an_unknown_predicate_is_an_error_that_names_the_known_ones():
    registry = registry_of("name", "request_method")
    with pytest.raises(reg.PredicateRegistryError, match=r"'nam'.*name, request_method"):
        registry.register({"nam": 1}, "value")
    assert registry.get({"name": 1, "request_method": 1}) is None
    with pytest.raises(reg.PredicateRegistryError, match="none"):
        registry_of().register({"a": 1}, "value")


@pytest.mark.parametrize("kind", [PredicateRegistry, PredicateMatcher])
def test_register_without_value_is_a_decorator(kind):
    found_in = kind([Predicate("a", KeyIndex)])

    @found_in.register({"a": 1})
    def component():
        return "called"

    assert component() == "called"
    registry = found_in if kind is PredicateRegistry else found_in.registry
    assert registry.get({"a": 1}) is component


@pytest.mark.parametrize("kind", [PredicateRegistry, PredicateMatcher])
def test_the_decorator_refuses_bad_predicates_before_it_is_applied(kind):
    found_in = kind([Predicate("a", KeyIndex)])
    with pytest.raises(reg.PredicateRegistryError, match="for the unknown predicate 'b'"):
        found_in.register({"b": 1})
    with pytest.raises(TypeError, match="unhashable"):
        found_in.register({"a": []})


@pytest.mark.parametrize("kind", [PredicateRegistry, PredicateMatcher])
@pytest.mark.parametrize("given", ["name", None, Predicate("a", KeyIndex), registry_of("a")])
def test_the_predicates_are_given_as_a_list(kind, given):
    with pytest.raises(TypeError, match=r"\(\) takes a list of instances of reg\.Predicate; got "):
        kind(given)


def test_a_value_that_cannot_be_hashed_is_an_error_that_names_its_predicate():
    matcher = PredicateMatcher(
        [Predicate("size", KeyIndex, len), Predicate("tags", KeyIndex, list)]
    )
    matcher.register({"tags": ()}, lambda text: "none")
    matcher.register({"tags": ("a",)}, lambda text: "a")
    registry = reg.Registry()
    view = reg.generic(lambda text: "fallback")
    registry.register(view, [str], matcher)
    for _ in range(2):
        with pytest.raises(TypeError, match=r"\['a'\] of the predicate 'tags' cannot be hashed"):
            view("a", lookup=registry)
    with pytest.raises(TypeError, match=r"\[1\] of the predicate 'tags' cannot be hashed"):
        matcher.registry.get({"size": 1, "tags": [1]})
    with pytest.raises(TypeError, match=r"\(\[\],\) of the predicate 'tags' cannot be hashed"):
        matcher.registry.get({"size": 1, "tags": ([],)})
    declared = reg.generic(predicates=[Predicate("tags", KeyIndex, list)])(lambda text: "fallback")
    registry.register(declared, [str, reg.By(tags=())], lambda text: "none")
    registry.register(declared, [str, reg.By(tags=("a",))], lambda text: "a")
    with pytest.raises(TypeError, match=r"\['a'\] of the predicate 'tags' cannot be hashed"):
        declared("a", lookup=registry)


def test_none_is_a_value_that_can_be_registered():
    registry = registry_of("a")
    registry.register({"a": 1}, None)
    assert registry.get({"a": 1}, "default") is None


def test_two_predicates_of_one_name_are_refused():
    with pytest.raises(reg.PredicateRegistryError, match="name of its own"):
        registry_of("a", "a")


def test_an_unhashable_value_is_refused_before_anything_changes():
    registry = registry_of("a", "b")
    with pytest.raises(TypeError):
        registry.register({"a": 1, "b": []}, "value")
    assert registry.get({"a": 1, "b": ANY}) is None


class PrefixIndex:
    """Finds by prefix: an index with a notion of its own."""

    def __init__(self):
        self.entries = []

    def add(self, key, value):
        self.entries.append((key, value))

    def get(self, key):
        return {value for prefix, value in self.entries if key.startswith(prefix)}


def test_an_index_of_an_applications_own_is_asked():
    registry = PredicateRegistry([Predicate("path", PrefixIndex), Predicate("method", KeyIndex)])
    registry.register({"path": "/docs", "method": "GET"}, "docs")
    registry.register({"path": "/docs"}, "any method")
    registry.register({"method": "GET"}, "any path")
    assert registry.get({"path": "/docs/1", "method": "GET"}) == "docs"
    assert registry.get({"path": "/docs/1", "method": "PUT"}) == "any method"
    assert registry.get({"path": "/other", "method": "GET"}) == "any path"
    assert registry.get({"path": "/other", "method": "PUT"}) is None
    assert registry.get({"path": ANY, "method": "GET"}) == "any path"


def test_the_predicates_of_a_registry_are_an_attribute_of_its_own():
    predicates = [Predicate("a", KeyIndex)]
    registry = PredicateRegistry(iter(predicates))
    assert registry.predicates == predicates


def matching(*predicates):
    matcher = PredicateMatcher(list(predicates))
    registry = reg.Registry()
    return matcher, registry


def test_a_predicate_matcher_decides_by_calc_of_all_arguments():
    seen = []

    def calc(first, second):
        seen.append((first, second))
        return first + second

    matcher, registry = matching(Predicate("sum", KeyIndex, calc))
    matcher.register({"sum": 3}, "three")
    matcher.register({}, "any")
    registry.register("key", [int, int], matcher)
    assert registry.component("key", [1, 2]) == "three"
    assert registry.component("key", [1, 1]) == "any"
    assert registry.all("key", [1, 2]) == ["three"]
    assert seen == [(1, 2), (1, 1), (1, 2)]


def test_a_predicate_matcher_can_be_filled_after_it_was_registered():
    matcher, registry = matching(Predicate("value", KeyIndex, lambda number: number))
    registry.register("key", [int], matcher)
    assert registry.component("key", [1], None) is None
    matcher.register({"value": 1}, "one")
    assert registry.component("key", [1]) == "one"
    caching = reg.Lookup(reg.CachingClassLookup(registry.registry))
    assert caching.component("key", [2], None) is None
    matcher.register({"value": 2}, "two")
    assert caching.component("key", [2]) == "two"


def test_a_predicate_matcher_that_finds_nothing_has_the_next_one_looked_for():
    matcher, registry = matching(Predicate("value", KeyIndex, lambda number: number))
    matcher.register({"value": 1}, "one")
    registry.register("key", [int], matcher)
    registry.register("key", [object], "object")
    assert registry.component("key", [1]) == "one"
    assert registry.component("key", [2]) == "object"
    assert registry.all("key", [1]) == ["one", "object"]


def test_predicates_given_are_used_and_defaults_fill_the_gaps():
    calculated = []
    matcher, registry = matching(
        Predicate("name", KeyIndex, calculated.append, default=""),
        Predicate("method", KeyIndex, calculated.append, default="GET"),
    )
    matcher.register({"name": "edit", "method": "GET"}, "edit")
    matcher.register({"name": "", "method": "GET"}, "default view")
    matcher.register({"name": "", "method": "PUT"}, "put")
    registry.register("key", [int], matcher)
    assert registry.component("key", [1], predicates={"name": "edit"}) == "edit"
    assert registry.component("key", [1], predicates={}) == "default view"
    assert registry.component("key", [1], predicates={"method": "PUT"}) == "put"
    assert registry.all("key", [1], predicates={"method": "PUT"}) == ["put"]
    assert calculated == []


def test_a_predicate_without_calc_has_its_default():
    matcher, registry = matching(Predicate("name", KeyIndex, default="x"))
    matcher.register({"name": "x"}, "found")
    registry.register("key", [int], matcher)
    assert registry.component("key", [1]) == "found"


def test_a_later_matcher_computes_the_predicates_that_were_not_handed_on():
    calculated = []

    def calc(name):
        def compute(number):
            calculated.append(name)
            return name

        return compute

    a, b = (Predicate(name, KeyIndex, calc(name), default="default") for name in "ab")
    first, second = PredicateMatcher([a]), PredicateMatcher([a, b])
    second.register({"a": "a", "b": "b"}, "found")
    registry = reg.Registry()
    registry.register("key", [int], first)
    registry.register("key", [object], second)
    assert registry.component("key", [1]) == "found"
    assert calculated == ["a", "b"]


def test_a_matcher_behind_one_without_predicates_computes_its_own():
    class Plain(reg.Matcher):
        def __call__(self, *args, **predicates):
            return None

    matcher = PredicateMatcher([Predicate("value", KeyIndex, lambda n: n, default="default")])
    matcher.register({"value": 1}, "one")
    registry = reg.Registry()
    registry.register("key", [bool], Plain())
    registry.register("key", [int], matcher)
    assert registry.component("key", [True]) == "one"
    assert registry.component("key", [True], None, predicates={}) is None


def test_each_calc_runs_at_most_once_in_a_look_up():
    calculated = []

    def calc(*args):
        calculated.append(args)
        return "nothing is registered for this"

    class Base: ...

    class Middle(Base): ...

    class Leaf(Middle): ...

    shared = Predicate("shared", KeyIndex, calc)
    other = Predicate("other", KeyIndex, lambda thing: "other")
    registry = reg.Registry()
    registry.register("key", [Leaf], PredicateMatcher([other]))
    registry.register("key", [Middle], PredicateMatcher([shared]))
    registry.register("key", [Base], PredicateMatcher([other, shared]))
    assert registry.component("key", [Leaf()], None) is None
    assert len(calculated) == 1
    assert registry.all("key", [Leaf()]) == []
    assert len(calculated) == 2


def test_a_predicate_of_a_frameworks_own_need_not_be_hashable():
    class Compared(Predicate):
        def __eq__(self, other):
            return self.name == other.name

        __hash__ = None

    first = PredicateMatcher([Compared("a", KeyIndex, lambda n: n)])
    second = PredicateMatcher([Compared("b", KeyIndex, lambda n: n)])
    second.register({"b": True}, "found")
    registry = reg.Registry()
    registry.register("key", [bool], first)
    registry.register("key", [int], second)
    assert registry.component("key", [True]) == "found"


def test_an_error_of_calc_comes_out_unchanged():
    def calc(number):
        raise reg.ComponentLookupError("from calc")

    matcher, registry = matching(Predicate("value", KeyIndex, calc))
    registry.register("key", [int], matcher)
    with pytest.raises(reg.ComponentLookupError, match="from calc"):
        registry.component("key", [1], "default")


def test_a_predicate_matcher_can_be_called_by_itself():
    matcher, _ = matching(
        Predicate("value", KeyIndex, lambda number: number), Predicate("x", KeyIndex, default=0)
    )
    matcher.register({"value": 1, "x": 0}, "one")
    assert matcher(1) == "one"
    assert matcher(2, value=1) == "one"
    assert matcher.predicates(5) == {"value": 5, "x": 0}


def test_duplicate_entries_are_an_error_of_the_call_that_meets_them():
    @reg.generic
    def view(number):
        return "fallback"

    matcher, registry = matching(Predicate("value", KeyIndex, lambda number: number))
    matcher.register({"value": 1}, "one")
    matcher.register({"value": 1}, "two")
    registry.register(view, [int], matcher)
    with pytest.raises(reg.PredicateRegistryError):
        view(1, lookup=registry)
    assert view(2, lookup=registry) == "fallback"


def test_many_threads_can_fill_a_matcher_while_it_is_asked():
    matcher, registry = matching(*(Predicate(name, KeyIndex, lambda n: n) for name in "abc"))
    registry.register("key", [int], matcher)
    errors = []

    def fill(start):
        try:
            for number in range(start, start + 200):
                matcher.register({"abc"[number % 3]: number}, number)
                assert registry.component("key", [number]) == number
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=fill, args=(1000 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
