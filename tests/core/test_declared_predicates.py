"""Predicates that a generic function declares, with implementations registered by them."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg


class Document: ...


class Page(Document): ...


class Request:
    def __init__(self, name="", method="GET", body=None):
        self.name = name
        self.method = method
        self.body = body


def not_found(document, request):
    return "404"


def not_allowed(document, request):
    return "405"


def unprocessable(document, request):
    return "422"


PREDICATES = [
    reg.Predicate("name", calc=lambda d, request: request.name, default="", fallback=not_found),
    reg.Predicate(
        "method", calc=lambda d, request: request.method, default="GET", fallback=not_allowed
    ),
    reg.Predicate("body", reg.ClassIndex, lambda d, request: request.body, fallback=unprocessable),
]


@reg.generic(predicates=PREDICATES)
def view(document, request):
    return "no document"


@reg.generic(predicates=PREDICATES, predicates_first=True)
def view_by_name(document, request):
    return "no document"


@pytest.fixture(params=["behind", "first"])
def generic(request):
    return view if request.param == "behind" else view_by_name


@pytest.fixture
def registry():
    return reg.Registry()


def answering(answer):
    return lambda document, request: answer


def called(generic, document, request, lookup):
    """Call in every way, twice; all have to agree."""
    results = []
    for _ in range(2):
        results.append(generic(document, request, lookup=lookup))
        with reg.implicit.using(lookup):
            results.append(generic(document, request))
        components = generic.all(document, request, lookup=lookup)
        first = components[0] if components else None
        assert generic.component(document, request, lookup=lookup, default=None) is first
        assert generic.explain(document, request, lookup=lookup).component is first
        if first is None:
            assert generic(document, request, lookup=lookup, default="none") == "none"
    assert len(set(results)) == 1
    return results[0]


def test_implementations_are_registered_by_predicates(registry, generic):
    @registry.implements(generic, name="edit", method="POST")
    def save(document: Document, request: Request):
        return "saved"

    @registry.implements(generic, name="edit")
    def edit(document: Document, request: Request):
        return "form"

    registry.register(generic, [Document, Request, reg.By(name="")], answering("index"))
    assert called(generic, Document(), Request("edit", "POST"), registry) == "saved"
    assert called(generic, Page(), Request("edit", "PUT"), registry) == "form"
    assert called(generic, Page(), Request(), registry) == "index"


def test_the_fallback_is_that_of_the_first_predicate_that_leaves_nothing(registry, generic):
    registry.register(
        generic,
        [Document, Request, reg.By(name="edit", method="POST", body=Page)],
        answering("saved"),
    )
    assert called(generic, Document(), Request("other", "PUT"), registry) == "404"
    assert called(generic, Document(), Request("edit", "PUT"), registry) == "405"
    assert called(generic, Document(), Request("edit", "POST", Document()), registry) == "422"
    assert called(generic, Document(), Request("edit", "POST", Page()), registry) == "saved"
    assert called(generic, 3, Request("edit"), registry) == "no document"


def test_a_predicate_without_a_fallback_ends_at_the_function(registry):
    @reg.generic(predicates=[reg.Predicate("size", calc=len)])
    def show(text):
        return "the function"

    registry.register(show, [str, reg.By(size=1)], lambda text: "one")
    assert [show(text, lookup=registry) for text in ("a", "ab")] == ["one", "the function"]


def test_a_fallback_is_given_the_lookup_and_may_be_generic(registry):
    @reg.generic
    def missing(text, lookup):
        return ("nothing", lookup is registry)

    @reg.generic(predicates=[reg.Predicate("size", calc=len, fallback=missing)])
    def show(text): ...

    registry.register(show, [str, reg.By(size=1)], lambda text: "one")
    assert show("ab", lookup=registry) == ("nothing", True)
    registry.register(missing, [str], lambda text: "override")
    with reg.implicit.using(registry):
        assert show("ab") == "override"


def test_the_classes_weigh_more_than_the_predicates_or_less(registry):
    for generic in (view, view_by_name):
        registry.register(generic, [Document, Request, reg.By(name="a")], answering("name"))
        registry.register(generic, [Page, Request], answering("class"))
    assert called(view, Page(), Request("a"), registry) == "class"
    assert called(view_by_name, Page(), Request("a"), registry) == "name"
    assert called(view_by_name, Page(), Request("b"), registry) == "class"


NESTED = [{"name": "a", "method": "GET"}, {"name": "a"}, {}]


def test_call_next_goes_through_the_predicates_and_the_classes(registry):
    def calling(name):
        return lambda document, request, call_next: [name, *call_next()]

    for generic in (view, view_by_name):
        for classes, predicates in itertools.product(
            ([Page, Request], [Document, Request]),
            ({"name": "a", "method": "GET"}, {"name": "a"}, {}),
        ):
            name = f"{classes[0].__name__}{''.join(predicates.values())}"
            registry.register(generic, [*classes, reg.By(**predicates)], calling(name))
    assert view(Page(), Request("a"), lookup=registry)[:-11] == [
        *("PageaGET", "Pagea", "Page"),
        *("DocumentaGET", "Documenta", "Document"),
    ]
    assert view_by_name(Page(), Request("a"), lookup=registry)[:-11] == [
        *("PageaGET", "DocumentaGET"),
        *("Pagea", "Documenta"),
        *("Page", "Document"),
    ]


def test_a_predicate_by_class_prefers_the_class_itself(registry, generic):
    for cls in (object, Page, Document):
        registry.register(generic, [Document, Request, reg.By(body=cls)], answering(cls.__name__))
    bodies = {"object": 3, "Page": Page(), "Document": Document()}
    for name, body in bodies.items():
        assert called(generic, Document(), Request(body=body), registry) == name
    assert [
        component(None, None)
        for component in generic.all(Document(), Request(body=Page()), lookup=registry)
    ] == ["Page", "Document", "object"]


def test_a_component_is_found_without_arguments(registry, generic):
    save, edit = answering("saved"), answering("form")
    registry.register(generic, [Document, Request, reg.By(name="a", method="POST")], save)
    registry.register(generic, [Document, Request, reg.By(name="a", method="GET")], edit)
    assert registry.component_for(generic, [Page, Request], name="a", method="POST") is save
    assert registry.component_for(generic, [Page, Request], name="a") is edit
    assert registry.component_for(generic, [Page, Request], None, name="b") is None
    with pytest.raises(reg.ComponentLookupError):
        registry.component_for(generic, [Page, Request])
    with pytest.raises(reg.PredicateRegistryError, match=r"no predicate 'nmae'.* method, body"):
        registry.component_for(generic, [Page, Request], nmae="a")
    assert generic.component(Page(), Request(), lookup=registry, predicates={"name": "a"}) is edit


def test_a_component_that_only_arguments_decide_cannot_be_found_without(registry):
    registry.register("key", [Literal["a"]], "a")
    registry.register("key", [int], "int")
    matcher = reg.PredicateMatcher([reg.Predicate("size", calc=len, default=0)])
    matcher.register({"size": 0}, "empty")
    registry.register("key", [list], matcher)
    assert registry.component_for("key", [int]) == "int"
    assert registry.component_for("key", [list]) == "empty"
    assert registry.component_for("key", [list], None, size=2) is None
    with pytest.raises(TypeError, match=r"Literal\['a'\].*ask for .* with component\(\)"):
        registry.component_for("key", [str])


def test_an_application_in_front_overrides_one_view_and_has_the_rest(generic):
    front, back = reg.Registry(), reg.Registry()
    for name in ("", "edit"):
        back.register(generic, [Document, Request, reg.By(name=name)], answering(f"back {name}"))
    front.register(generic, [Document, Request, reg.By(name="")], answering("front"))
    for composed in (reg.ListClassLookup, reg.MergedClassLookup):
        lookup = reg.Lookup(composed([front, back]))
        assert called(generic, Page(), Request(), lookup) == "front"
        assert called(generic, Page(), Request("edit"), lookup) == "back edit"
        assert called(generic, Page(), Request("other"), lookup) == "404"


def test_a_registration_for_the_same_predicates_replaces_the_first(registry, generic):
    for answer in ("first", "second"):
        registry.register(generic, [Document, Request, reg.By(name="a")], answering(answer))
    assert called(generic, Document(), Request("a"), registry) == "second"
    assert len(generic.all(Document(), Request("a"), lookup=registry)) == 1


def test_it_is_refused_where_replacing_is(generic):
    registry = reg.Registry(replace=False)
    registry.register(generic, [Document, Request, reg.By(name="a")], answering("a"))
    registry.register(generic, [Document, Request, reg.By(name="b")], answering("b"))
    with pytest.raises(reg.RegistrationError, match="and name='a' already"):
        registry.register(generic, [Document, Request, reg.By(name="a")], answering("c"))
    assert called(generic, Document(), Request("a"), registry) == "a"


def test_one_is_removed_by_its_predicates(registry, generic):
    components = [answering("a"), answering("any")]
    registry.register(generic, [Document, Request, reg.By(name="a")], components[0])
    registry.register(generic, [Document, Request], components[1])
    assert registry.exact(generic, [Document, Request, reg.By(name="a")]) is components[0]
    assert registry.exact(generic, [Document, Request]) is components[1]
    with pytest.raises(reg.RegistrationError, match="and name='b'"):
        registry.unregister(generic, [Document, Request, reg.By(name="b")])
    registry.unregister(generic, [Document, Request])
    assert generic.all(Document(), Request("a"), lookup=registry) == components[:1]
    registry.unregister(generic, [Document, Request, reg.By(name="a")])
    assert registry.registrations() == []


def test_a_registration_counts_from_the_next_call_on(registry, generic):
    registry.register(generic, [Document, Request, reg.By(name="a")], answering("a"))
    assert called(generic, Document(), Request("b"), registry) == "404"
    registry.register(generic, [Document, Request, reg.By(name="b")], answering("b"))
    assert called(generic, Document(), Request("b"), registry) == "b"
    registry.unregister(generic, [Document, Request, reg.By(name="b")])
    assert called(generic, Document(), Request("b"), registry) == "404"


def test_a_copy_and_a_pickle_have_registrations_of_their_own(registry):
    registry.register(view, [Document, Request, reg.By(name="a", body=Page)], not_found)
    pickled = pickle.loads(pickle.dumps(registry))
    for other in (copy.copy(registry), copy.deepcopy(registry), pickled):
        other.register(view, [Document, Request, reg.By(name="b")], not_allowed)
        request = Request("a", body=Page())
        assert view.all(Document(), request, lookup=other) == [not_found]
        assert view.all(Document(), Request("b"), lookup=other) == [not_allowed]
    assert view.all(Document(), Request("b"), lookup=registry) == []


def test_a_matcher_of_ones_own_may_stand_beside_them(registry, generic):
    matcher = reg.PredicateMatcher([reg.Predicate("size", calc=lambda document, request: 1)])
    matcher.register({"size": 1}, answering("matcher"))
    registry.register(generic, [Document, Request], matcher)
    registry.register(generic, [Page, Request, reg.By(name="a")], answering("a"))
    assert called(generic, Page(), Request("a"), registry) == "a"
    assert called(generic, Page(), Request("b"), registry) == "matcher"


def test_each_predicate_is_computed_once_in_a_call(registry):
    asked = []

    def size(text):
        asked.append(text)
        return len(text)

    @reg.generic(predicates=[reg.Predicate("size", calc=size)])
    def show(text): ...

    registry.register(show, [object], lambda text: "object")
    registry.register(show, [str, reg.By(size=1)], lambda text, call_next: call_next())
    for text in ("a", "b", "b"):
        assert show(text, lookup=registry) == "object"
    assert asked == ["a", "b", "b"]


def test_named_parameters_refinements_and_class_generics_have_predicates_too(registry):
    predicates = [
        reg.Predicate("long", calc=lambda text: len(text) > 3, fallback=lambda *_, **__: "no")
    ]

    @reg.generic("text", predicates=predicates)
    def show(size, text="", *, indent=0):
        return "fallback"

    registry.register(show, [str, reg.By(long=True)], lambda size, text, indent=0: indent)
    assert show(1, text="abcd", indent=2, lookup=registry) == 2
    assert show(1, "abc", lookup=registry) == show(1, lookup=registry) == "no"

    @reg.classgeneric(predicates=[reg.Predicate("name", calc=lambda cls: cls.__name__)])
    def make(cls): ...

    registry.register(make, [Document, reg.By(name="Page")], lambda cls: "page")
    assert [make(cls, lookup=registry) for cls in (Page, Document)] == ["page", None]

    @reg.generic(predicates=[reg.Predicate("long", calc=lambda text: len(text) > 3)])
    def refined(text):
        return "fallback"

    registry.register(refined, [Literal["abcd", "a"], reg.By(long=True)], lambda text: text)
    registry.register(refined, [str, reg.By(long=True)], lambda text: "str")
    answers = [refined(text, lookup=registry) for text in ("abcd", "a", "abcde")]
    assert answers == ["abcd", "fallback", "str"]


def test_a_predicate_may_have_any_name(registry):
    names = ("self", "generic", "key", "default", "lookup")
    predicates = [reg.Predicate(name, calc=lambda text: text) for name in names]

    @reg.generic(predicates=predicates)
    def show(text):
        return "fallback"

    @registry.implements(show, **dict.fromkeys(names, "a"))
    def show_a(text: str):
        return "a"

    assert [show(text, lookup=registry) for text in "ab"] == ["a", "fallback"]
    assert registry.exact(show, [str, reg.By(**dict.fromkeys(names, "a"))]) is show_a
    assert registry.component_for(show, [str], **dict.fromkeys(names, "a")) is show_a


def test_lookups_by_key_know_them(registry):
    registry.register(view, [Document, Request, reg.By(name="a")], answering("a"))
    assert registry.call(view, [Document(), Request("a")]) == "a"
    assert len(registry.all(view, [Document(), Request("a")])) == 1
    assert registry.call(view, [Document(), Request("b")], "default") == "default"
    with pytest.raises(reg.ComponentLookupError):
        registry.call(view, [Document(), Request("b")])


def test_mistakes_are_refused_when_they_are_made(registry):
    with pytest.raises(reg.PredicateRegistryError, match=r"no predicate 'nmae'.* method, body"):
        registry.implements(view, nmae="edit")
    with pytest.raises(reg.PredicateRegistryError, match=r"no predicate 'nmae'"):
        registry.register(view, [Document, Request, reg.By(nmae="edit")])
    with pytest.raises(TypeError, match="declares no predicates, and name cannot be given"):
        registry.register("key", [Document, reg.By(name="edit")], "component")
    with pytest.raises(TypeError, match="unhashable"):
        registry.register(view, [Document, Request, reg.By(name=[])], "component")
    with pytest.raises(TypeError, match="a class is to be given for a predicate by class; got 3"):
        registry.register(view, [Document, Request, reg.By(body=3)], "component")
    assert registry.registrations() == []
    with pytest.raises(TypeError, match="'name' cannot be computed for 1 argument"):
        reg.generic(predicates=PREDICATES)(lambda document: None)
    with pytest.raises(reg.PredicateRegistryError, match="a name of its own; got name, name"):
        reg.generic(predicates=PREDICATES[:1] * 2)(lambda document, request: None)
    with pytest.raises(TypeError, match="the fallback of the predicate 'name' is to be a function"):
        reg.Predicate("name", fallback=404)


def test_the_fallback_of_a_declared_predicate_cannot_be_assigned():
    predicate = reg.Predicate("size", calc=len)
    predicate.fallback = not_found
    reg.generic(predicates=[predicate])(lambda text: None)
    with pytest.raises(AttributeError, match="cannot assign the attribute 'fallback'"):
        predicate.fallback = not_allowed


def test_an_explanation_lists_what_the_predicates_find(registry, generic):
    registry.register(generic, [Document, Request, reg.By(name="a")], answering("a"))
    registry.register(generic, [Document, Request], answering("any"))
    registry.register(generic, [Page, Request, reg.By(name="b")], answering("b"))
    candidates = generic.explain(Page(), Request("a"), lookup=registry).candidates
    assert [candidate.outcome for candidate in candidates] == ["chosen", "shadowed", "declined"]
    assert candidates[1].reason == "its predicates are less specific"
    assert candidates[0].predicates == {"name": "a", "method": "GET", "body": None}


def test_an_explanation_names_the_fallback(registry, generic):
    registry.register(generic, [Page, Request, reg.By(name="a", method="POST")], answering("a"))
    resolution = generic.explain(Page(), Request("a", "PUT"), lookup=registry)
    assert resolution.fallback is not_allowed
    assert "nothing is registered for method='PUT': its fallback runs" in str(resolution)


def test_check_looks_at_implementations_by_predicates(registry):
    registry.register(view, [Document, Request, reg.By(name="a")], lambda document: 1)
    (finding,) = reg.check(registry)
    assert finding.kind == "arguments"


CLASSES = [object, Document, Page]
registered = st.lists(
    st.tuples(
        st.sampled_from(CLASSES),
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from("ab"),
                "method": st.sampled_from(["GET", "POST"]),
                "body": st.sampled_from(CLASSES),
            },
        ),
    ),
    max_size=10,
    unique_by=lambda one: (one[0], frozenset(one[1].items())),
)
requests = st.builds(
    Request,
    st.sampled_from("abc"),
    st.sampled_from(["GET", "POST", "PUT"]),
    st.sampled_from([3, Document(), Page()]),
)


def matches(request, name, predicates):
    if name == "body":
        return isinstance(request.body, predicates["body"])
    return getattr(request, name) == predicates[name]


def slow_search(registered, document, request, predicates_first):
    """All that applies, in order; or the fallback."""
    values = {"name": request.name, "method": request.method}
    left = [one for one in registered if isinstance(document, one[0])]
    end = "no document"
    placed = []
    for cls, predicates in left:
        rank = [
            (0 if predicates[name] == value else None) if name in predicates else math.inf
            for name, value in values.items()
        ]
        mro = type(request.body).__mro__
        body = predicates.get("body")
        rank.append(math.inf if body is None else mro.index(body) if body in mro else None)
        if None not in rank:
            place = type(document).__mro__.index(cls)
            placed.append(((rank, place) if predicates_first else (place, rank), (cls, predicates)))
    if left and not placed:
        ends = {"name": "404", "method": "405", "body": "422"}
        for name, value in ends.items():
            left = [one for one in left if name not in one[1] or matches(request, name, one[1])]
            if not left:
                end = value
                break
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])], end


calls = st.lists(st.tuples(st.sampled_from(CLASSES), requests), max_size=5)


@given(registered, calls, st.booleans())
def test_the_order_and_the_fallback_are_those_of_a_slow_search(registered, calls, first):
    registry, generic = reg.Registry(), view_by_name if first else view
    known = {}
    for cls, predicates in registered:
        component = answering(str((cls, predicates)))
        registry.register(generic, [cls, Request, reg.By(**predicates)], component)
        known[component] = (cls, predicates)
    for cls, request in calls:
        order, end = slow_search(registered, cls(), request, first)
        assert [known[c] for c in generic.all(cls(), request, lookup=registry)] == order
        assert called(generic, cls(), request, registry) == (str(order[0]) if order else end)
