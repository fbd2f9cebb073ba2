"""Mistakes are errors that name the object, the expectation and the remedy."""

from __future__ import annotations

import functools
import typing
import warnings

import pytest

import reg


class Item: ...


@reg.generic
def show(item):
    return "fallback"


@pytest.mark.parametrize(
    ("reflex", "advice"),
    [
        (lambda: show.register(int), r"registry\.implements\(show\)"),
        (lambda: show.dispatch(int), r"show\.component\(argument\)"),
        (lambda: show.implements(int), r"no implements\(\): .*@registry\.implements\(show\)"),
    ],
)
def test_methods_of_other_generic_functions_name_the_ones_here(reflex, advice):
    with pytest.raises(TypeError, match=advice):
        reflex()


def test_the_decorator_of_another_library_is_named():
    with pytest.raises(AttributeError, match=r"@reg\.generic"):
        reg.dispatch  # noqa: B018


@pytest.mark.parametrize("kind", [reg.Registry, reg.ClassRegistry])
def test_a_name_by_position_is_refused(kind):
    with pytest.raises(TypeError, match=rf"{kind.__name__}\(name=\.\.\.\).*got 'app'"):
        kind("app")


def test_a_list_lookup_takes_one_list():
    first, second = reg.ClassRegistry(name="first"), reg.ClassRegistry(name="second")
    with pytest.raises(TypeError, match=r"takes one list: ListClassLookup\(\[.*first.*second"):
        reg.ListClassLookup(first, second)


def test_a_class_of_matchers_in_place_of_an_instance_is_an_error_at_the_call():
    class Choose(reg.Matcher):
        def __call__(self, item):
            return None

    registry = reg.Registry()
    registry.register(show, [Item], Choose)
    with pytest.raises(TypeError, match=r"register an instance of it there, .*Choose\(\)"):
        show(Item(), lookup=registry)


def test_predicates_given_by_name_are_refused():
    with pytest.raises(TypeError, match=r"takes instances of reg\.Predicate; got 'name'"):
        reg.PredicateMatcher(["name"])


@pytest.mark.parametrize("calc", [lambda: 1, lambda item, other: 1, lambda item, *, other: 1])
def test_a_predicate_that_cannot_be_computed_is_refused_at_registration(calc):
    registry = reg.Registry()
    matcher = reg.PredicateMatcher([reg.Predicate("name", reg.KeyIndex, calc)])
    with pytest.raises(TypeError, match=r"predicate 'name' cannot be computed for 1 argument of"):
        registry.register(show, [Item], matcher)
    assert registry.registrations() == []


@pytest.mark.parametrize("calc", [lambda item: 1, lambda *items: 1, lambda item, other=1: 1, id])
def test_a_predicate_that_can_be_computed_is_registered(calc):
    registry = reg.Registry()
    matcher = reg.PredicateMatcher([reg.Predicate("name", reg.KeyIndex, calc)])
    matcher.register({}, lambda item: "any name")
    registry.register(show, [Item], matcher)
    assert show(Item(), lookup=registry) == "any name"


def test_a_component_that_cannot_be_called_is_an_error_at_the_call_alone():
    registry = reg.Registry()
    registry.register(show, [Item], 3)
    assert show.component(Item(), lookup=registry) == 3
    for _ in range(2):
        with pytest.raises(TypeError, match=r"3 is registered under .*show, and cannot be called"):
            show(Item(), lookup=registry)


def test_a_missing_implicit_lookup_explains_the_scope_of_an_explicit_one():
    registry = reg.Registry()
    registry.register(show, [list], lambda items: [show(item) for item in items])
    with (
        reg.implicit.using(None),
        pytest.raises(reg.NoImplicitLookupError, match=r"covers that call only.*using\(\)"),
    ):
        show([Item()], lookup=registry)


def test_a_lookup_can_be_named_and_shows_its_composition():
    registry = reg.ClassRegistry(name="pages")
    lookup = reg.Lookup(reg.ListClassLookup([registry]), name="site")
    assert repr(lookup).startswith("<Lookup 'site' of ListClassLookup([<ClassRegistry 'pages'")
    assert show.explain(Item(), lookup=lookup).lookup == "Lookup 'site'"


def forgotten(item):
    return "plain"


def test_implements_recognises_a_function_that_is_not_generic():
    with pytest.raises(
        TypeError, match=r"forgotten .*a plain function: decorate it with @reg\.gen"
    ):
        reg.Registry().implements(forgotten)


def test_implements_without_parentheses_says_where_the_generic_function_is_named():
    with pytest.raises(TypeError, match=r"forgotten is the implementation, name the generic funct"):
        reg.ClassRegistry().implements(forgotten)


def test_an_error_of_a_look_up_recognises_a_key_that_is_a_plain_function():
    registry = reg.Registry()
    for ask in (
        lambda: registry.call(forgotten, [Item()]),
        lambda: registry.component(forgotten, [Item()]),
        lambda: registry.component_for(forgotten, [Item]),
    ):
        with pytest.raises(reg.ComponentLookupError, match=r"plain function.* with @reg\.generic"):
            ask()
    registry.register(forgotten, [Item], lambda item: "found")
    assert registry.call(forgotten, [Item()]) == "found"
    with pytest.raises(reg.ComponentLookupError) as caught:
        registry.component(len, [1])
    assert "plain function" in str(caught.value)
    for key in (show, "key", Item):
        with pytest.raises(reg.ComponentLookupError) as caught:
            registry.component(key, [1])
        assert "plain function" not in str(caught.value)


LISTS_OF_CLASSES = [
    lambda registry, classes: registry.component_for("key", classes),
    lambda registry, classes: registry.explain_classes("key", classes),
    lambda registry, classes: registry.registry.get("key", classes),
    lambda registry, classes: registry.registry.all("key", classes),
    lambda registry, classes: reg.ListClassLookup([registry]).all("key", classes),
    lambda registry, classes: reg.ListClassLookup([registry]).get("key", classes),
    lambda registry, classes: reg.ChainClassLookup(registry, registry).all("key", classes),
    lambda registry, classes: reg.MergedClassLookup([registry]).all("key", classes),
    lambda registry, classes: reg.MergedClassLookup([registry]).get("key", classes),
    lambda registry, classes: reg.CachingClassLookup(registry).all("key", classes),
    lambda registry, classes: reg.CachingClassLookup(registry).get("key", classes),
]


@pytest.mark.parametrize("ask", LISTS_OF_CLASSES)
@pytest.mark.parametrize("classes", [Item, "name", 3, None])
def test_one_class_in_place_of_a_list_of_classes_is_refused(ask, classes):
    with pytest.raises(TypeError, match=r"key.* for a list or tuple of classes, .* argument; got"):
        ask(reg.Registry(), classes)


@pytest.mark.parametrize("ask", LISTS_OF_CLASSES)
@pytest.mark.parametrize(
    ("given", "advice"), [(Item(), "give its class, Item"), ("name", "give the class itself")]
)
def test_an_instance_among_classes_is_refused_even_where_nothing_is_registered(ask, given, advice):
    with pytest.raises(TypeError, match=rf"as its argument 2; got .* an instance: {advice}$"):
        ask(reg.Registry(), [Item, given])


@pytest.mark.parametrize("ask", [LISTS_OF_CLASSES[0], *LISTS_OF_CLASSES[2:]])
def test_classes_may_be_any_iterable(ask):
    registry = reg.Registry()
    registry.register("key", [Item, int], "found")
    for classes in ([Item, int], (Item, int), iter([Item, int])):
        assert ask(registry, classes) in ("found", ["found"], ["found"] * 2)


@reg.generic
def optional(item=1):
    return "fallback"


def test_a_keyword_that_the_implementation_for_fewer_arguments_does_not_take_is_an_error():
    registry = reg.Registry()
    registry.register(optional, [], lambda: "none")
    registry.register(optional, [int], lambda item: "int")
    assert (optional(lookup=registry), optional(2, lookup=registry)) == ("none", "int")
    for _ in range(2):
        with pytest.raises(TypeError, match=r"'item' by keyword, .*registered for 0 classes, does"):
            optional(item=2, lookup=registry)
    registry.register(optional, [], lambda **keywords: keywords)
    assert optional(item=2, lookup=registry) == {"item": 2}


def test_a_wrong_keyword_inside_the_implementation_is_its_own_error():
    registry = reg.Registry()
    registry.register(optional, [], lambda item: len(item, wrong=1))
    with pytest.raises(TypeError, match=r"len\(\)"):
        optional(item=2, lookup=registry)


# The ways of other libraries, and arguments in another order


@pytest.mark.parametrize(
    ("mistake", "advice"),
    [
        (lambda r: r.implements(show, Item), r"use @registry\.register\(show, \[Item\]\)"),
        (lambda r: r.register(show), r"register\(show, \[int\]\).*@registry\.implements\(show\)"),
        (lambda r: r.register(lambda item: 1), r"list of classes.*@registry\.implements\("),
        (lambda r: r.register(show, {Item, int}, len), r"in the order of the arguments, as in a"),
        (lambda r: r.register(show, [(Item, int)], len), r"use a union, Item \| int$"),
        (lambda r: r.register(show, [typing.Literal[[1]]], len), r"show: \[1\] cannot be hashed$"),
        (lambda r: r.component([Item()], show), r"list or tuple, and the generic function before"),
        (lambda r: r.call("key", {"a": 1}), r"such as \[{'a': 1}\]; got"),
        (lambda r: r.call("key", {1, 2}), r"arguments as a list or tuple, such as"),
        (lambda r: r.call("key", b"ab"), r"such as \[b'ab'\]; got"),
        (lambda r: r.component_for("key", [Item], default=1), r"takes its default by position"),
        (lambda r: r.register(show, [reg.Rest], len), r"instance of it, such as reg\.Rest\("),
        (lambda r: r.register(show, [reg.Where], len), r"instance of it, such as reg\.Where\("),
        (lambda r: r.explain("key", [1], predicates="n"), r"takes a dictionary of values by name"),
        (lambda r: r.all("key", [1], predicates=["n"]), r"takes a dictionary of values by name"),
        (lambda r: reg.generic(functools.cached_property(len)), r"generic below @cached_property$"),
        (lambda r: reg.Lookup(r, r), r"compose several, as in Lookup\(reg\.ListClassLookup\(\["),
        (lambda r: reg.MergedClassLookup(r, r), r"MergedClassLookup\(\) takes one list: Merged"),
        (lambda r: reg.generic(["item"]), r"give the names one by one, generic\('item'\)$"),
        (lambda r: reg.generic(predicates=reg.Predicate("n")), r"predicates= takes a list of inst"),
        (lambda r: reg.Predicate("n", lambda item: 1), r"made by a call without arguments.*calc="),
        (lambda r: reg.implicit.using(show.__wrapped__), r"a function: pass a lookup, as in @reg"),
        (lambda r: r.implements(show)(classmethod(len)), r"decorate a function, or a staticmethod"),
        (lambda r: r.implements(show)(property(len)), r"decorate a function, or a staticmethod$"),
    ],
)
def test_a_mistake_names_what_is_meant(mistake, advice):
    registry = reg.Registry()
    with pytest.raises(TypeError, match=advice):
        mistake(registry)
    assert registry.registrations() == []


def test_a_set_of_one_class_has_an_order():
    registry = reg.Registry()
    registry.register(show, {Item}, lambda item: "found")
    assert show(Item(), lookup=registry) == "found"


def test_a_predicate_value_that_cannot_be_hashed_is_named():
    matcher = reg.PredicateMatcher([reg.Predicate("name", reg.KeyIndex, lambda item: 1)])
    with pytest.raises(TypeError, match="predicate 'name' must be hashable; got"):
        matcher.register({"name": [1]}, show)


@reg.classgeneric
def make(cls, thing=None):
    return "fallback"


@pytest.mark.parametrize(
    ("given", "advice"), [(Item(), "give its class, Item"), (list[int], "give its class, list")]
)
def test_an_instance_given_to_a_class_generic_is_an_error_that_names_it(given, advice):
    registry = reg.Registry()
    for registered in ([], [Item]):
        registry.register(make, registered, lambda *things: "found")
        for ask in (make, make.component, make.all):
            with pytest.raises(TypeError, match=rf"make is looked up for a class .*: {advice}$"):
                ask(given, 1, lookup=registry)


def test_a_class_given_in_place_of_an_instance_is_recognised():
    registry = reg.Registry()
    registry.register(show, [Item], lambda item: "found")
    with pytest.raises(reg.ComponentLookupError, match="item is a class itself, and no instance"):
        show.component(Item, lookup=registry)
    assert "item is a class itself" in str(show.explain(Item, lookup=registry))


@pytest.mark.parametrize("answer", [None, 3, show])
def test_a_class_lookup_that_returns_no_list_is_named(answer):
    class Third(reg.IClassLookup):
        def all(self, key, classes):
            return answer

    for class_lookup in (
        Third(),
        reg.ListClassLookup([Third()]),
        reg.CachingClassLookup(Third()),
    ):
        lookup = reg.Lookup(class_lookup)
        for ask in (
            lambda lookup: show(1, lookup=lookup),
            lambda lookup: show.component(1, lookup=lookup),
            lambda lookup: lookup.component("key", [1]),
            lambda lookup: lookup.all("key", [1]),
        ):
            with pytest.raises(TypeError, match=r"Third object .*\.all\(\) must return a list of"):
                ask(lookup)


def test_something_else_that_is_put_into_a_composition_later_is_named():
    listed = reg.ListClassLookup([reg.Registry()])
    lookup = reg.Lookup(listed)
    assert show(1, lookup=lookup) == "fallback"
    listed.lookups.append(None)
    for ask in (
        lambda: show(1, lookup=lookup),
        lambda: listed.all("key", [int]),
        lambda: listed.get("key", [int]),
    ):
        with pytest.raises(TypeError, match=r"ListClassLookup takes class lookups, .*; got None"):
            ask()


@pytest.mark.parametrize("kind", [reg.Lookup, reg.Registry])
def test_a_subclass_that_does_not_initialize_its_base_is_named(kind):
    class Own(kind):
        def __init__(self):
            pass

    with pytest.raises(AttributeError, match=r"Own has no cache: its __init__\(\) did not call th"):
        show(Item(), lookup=Own())
    if kind is reg.Registry:

        def show_item(item: Item): ...

        for register in (
            lambda own: own.register(show, [Item], len),
            lambda own: own.implements(show)(show_item),
        ):
            with pytest.raises(AttributeError, match=r"Own has no registry: its __init__\(\) did"):
                register(Own())


@pytest.mark.needs_refcounts
def test_using_that_is_never_entered_warns():
    registry = reg.Registry()
    with pytest.warns(RuntimeWarning, match=r"using\(\) has no effect by itself: enter it"):
        reg.implicit.using(registry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        @reg.implicit.using(registry)
        def shown():
            return show(1)

        assert shown() == "fallback"
        with reg.implicit.using(registry):
            pass


# Descriptors around a generic function


def test_a_descriptor_around_a_generic_function_stands_for_it():
    registry = reg.Registry()

    class Page:
        @staticmethod
        @reg.generic
        def static(item):
            return "fallback"

        @classmethod
        @reg.generic
        def of_class(cls, item):
            return "fallback"

        @property
        @reg.generic
        def title(self):
            return "fallback"

        @functools.cached_property
        @reg.generic
        def length(self):
            return "fallback"

        @registry.implements(static)
        def static_item(item: Item):  # noqa: N805 (an implementation, and no method)
            return "static"

        registry.register(of_class, [type, Item], lambda cls, item: "class")
        registry.register(title, [object], lambda self: "title")
        registry.register(length, [object], lambda self: "length")
        assert registry.exact(length, [object]) is not None

    with reg.implicit.using(registry):
        page = Page()
        assert (Page.static(Item()), page.static(Item())) == ("static", "static")
        assert (Page.of_class(Item()), page.title, page.length) == ("class", "title", "length")
    assert reg.check(registry) == []


@pytest.mark.parametrize("kind", [functools.partial, functools.partialmethod])
def test_a_partial_of_a_generic_function_is_no_key(kind):
    registry = reg.Registry()
    with pytest.raises(TypeError, match=r"some arguments of the generic function .*show already"):
        registry.register(kind(show, 1), [Item], len)
    with pytest.raises(TypeError, match=r"with some arguments of .*show: give that"):
        registry.implements(kind(show, 1))
    registry.register(functools.partial(forgotten, 1), [Item], len)
