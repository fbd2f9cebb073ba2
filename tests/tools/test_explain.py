"""Explanations, compared with the calls that they explain."""

import json
import pickle
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg
from reg import (
    CachingClassLookup,
    ChainClassLookup,
    ClassRegistry,
    ComponentLookupError,
    KeyIndex,
    ListClassLookup,
    Lookup,
    Matcher,
    Predicate,
    PredicateMatcher,
    Registry,
)


class A:
    pass


class B(A):
    pass


class C(B):
    pass


class Other:
    pass


CLASSES = [object, A, B, C, Other]


class Answering(Matcher):
    """Gives the answer that it was made with."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, *args, **predicates):
        return self.answer


def _implementation(label, passes_on):
    if passes_on:

        def implementation(*args, call_next):
            return [label, *call_next()]
    else:

        def implementation(*args):
            return [label]

    implementation.__qualname__ = label
    return implementation


@st.composite
def _compositions(draw):
    """A generic function, a lookup in several registries with implementations, and arguments."""

    @reg.generic
    def generic(*args):
        return ["fallback"]

    arity = draw(st.integers(1, 2))
    registries = [Registry(name=f"r{index}") for index in range(draw(st.integers(1, 3)))]
    for number in range(draw(st.integers(0, 8))):
        classes = draw(st.lists(st.sampled_from(CLASSES), min_size=arity, max_size=arity))
        component = _implementation(f"i{number}", draw(st.booleans()))
        kind = draw(st.sampled_from(["plain", "answering", "declining"]))
        if kind == "answering":
            component = Answering(component)
        elif kind == "declining":
            component = Answering(None)
        draw(st.sampled_from(registries)).register(generic, classes, component)
    if draw(st.booleans()):
        lookup = Lookup(ListClassLookup(registries))
    else:
        composed = registries[-1].registry
        for registry in registries[-2::-1]:
            composed = ChainClassLookup(registry, composed)
        lookup = Lookup(CachingClassLookup(composed) if draw(st.booleans()) else composed)
    args = [draw(st.sampled_from(CLASSES))() for _ in range(arity)]
    return generic, lookup, args


@given(_compositions())
def test_an_explanation_agrees_with_calls(composition):
    generic, lookup, args = composition
    resolution = generic.explain(*args, lookup=lookup)

    assert resolution.component is generic.component(*args, lookup=lookup, default=None)
    found = [each.component for each in resolution.candidates if each.component is not None]
    assert found == generic.all(*args, lookup=lookup)

    found = [each for each in resolution.candidates if each.component is not None]
    trace = []
    for each, following in zip(found, [*found, None][1:], strict=True):
        trace.append(each.name if each.predicates is None else each.component.__qualname__)
        if each.call_next is None:
            break
        if following is None:
            assert each.call_next.endswith("generic, the fallback")
        else:
            assert each.call_next == following.component.__qualname__
    else:
        trace.append("fallback")
    assert generic(*args, lookup=lookup) == trace


@given(_compositions())
def test_every_registration_is_a_candidate_or_inapplicable(composition):
    generic, lookup, args = composition
    resolution = generic.explain(*args, lookup=lookup)
    told = [*resolution.candidates, *resolution.inapplicable]
    assert sorted(map(id, (each.registered for each in told))) == sorted(
        id(each.component)
        for registry in _leaves(lookup.class_lookup)
        for each in registry.registrations()
    )


def _leaves(part):
    if isinstance(part, Lookup):
        part = part.class_lookup
    if isinstance(part, ClassRegistry):
        return [part]
    if isinstance(part, CachingClassLookup):
        return _leaves(part.class_lookup)
    parts = [part.lookup, part.next] if isinstance(part, ChainClassLookup) else part.lookups
    return [leaf for each in parts for leaf in _leaves(each)]


@given(_compositions())
def test_text_fits_100_columns(composition):
    generic, lookup, args = composition
    text = str(generic.explain(*args, lookup=lookup))
    assert max(map(len, text.splitlines())) <= 100


@given(_compositions())
def test_an_explanation_for_classes_agrees_unless_a_matcher_decides(composition):
    generic, lookup, args = composition
    by_classes = lookup.explain_classes(generic, [type(arg) for arg in args])
    by_arguments = lookup.explain(generic, args)
    same = [each.registered for each in by_classes.candidates]
    assert same == [each.registered for each in by_arguments.candidates]
    if by_classes.chosen is not None:
        assert by_classes.component is by_arguments.component


class Document:
    pass


class Invoice(Document):
    pass


@pytest.fixture
def shop():
    """A generic function, implemented in a host and in an application laid over it."""

    @reg.generic
    def size(obj):
        return 0

    host, app = Registry(name="host"), Registry(name="app")

    @host.register(size, [Document])
    def document_size(obj):
        return 1

    @app.register(size, [Invoice])
    def invoice_size(obj, call_next):
        return call_next() + 1

    return SimpleNamespace(
        size=size,
        lookup=Lookup(ListClassLookup([app, host])),
        document_size=document_size,
        invoice_size=invoice_size,
    )


def test_candidates_have_classes_place_and_lookup(shop):
    first, second = shop.size.explain(Invoice(), lookup=shop.lookup).candidates
    assert (first.component, first.classes, first.lookup) == (shop.invoice_size, (Invoice,), "app")
    assert (second.component, second.classes, second.lookup) == (
        shop.document_size,
        (Document,),
        "host",
    )
    assert first.place == f"{__file__}:{shop.invoice_size.__code__.co_firstlineno}"


def test_a_shadowed_candidate_names_the_lookup_that_is_asked_first(shop):
    chosen, loser = shop.size.explain(Invoice(), lookup=shop.lookup).candidates
    assert (chosen.outcome, loser.outcome) == ("chosen", "shadowed")
    assert loser.reason == "app is asked before host"


def test_a_shadowed_candidate_of_the_same_registry_names_the_argument_that_decided():
    @reg.generic
    def show(obj, device):
        pass

    registry = Registry()
    registry.register(show, [B, A], "near")
    registry.register(show, [A, B], "far")
    _, loser = registry.explain(show, [C(), C()]).candidates
    assert loser.reason == "obj: A comes after B in the MRO of C"


def test_a_registration_for_other_classes_has_the_reason(shop):
    (candidate,) = shop.size.explain(Document(), lookup=shop.lookup).inapplicable
    assert candidate.outcome == "inapplicable"
    assert candidate.reason == "obj: Document is a base of Invoice, not a subclass"
    text = str(shop.size.explain("text", lookup=shop.lookup))
    assert "obj: str is no subclass of Document" in text


def test_a_registration_for_more_classes_has_the_numbers_in_its_reason(shop):
    registry = Registry()
    registry.register(shop.size, [Document, int], "two")
    (candidate,) = shop.size.explain(Document(), lookup=registry).inapplicable
    assert candidate.reason == "is registered for 2 classes, looked up for 1"


def test_the_reason_names_arguments_that_do_not_dispatch():
    @reg.generic
    def meet(first, second): ...

    registry = Registry()
    registry.register(meet, [int, int], "two")
    registry.register(meet, [str], "one")
    two = meet.explain(1, second=2, lookup=registry).inapplicable[1]
    assert two.reason == (
        "is registered for 2 classes, looked up for 1: an argument passed by keyword or left to"
        " its default does not dispatch where something is registered for 1"
    )


def test_the_reason_names_a_class_that_is_not_loaded(shop):
    registry = Registry()
    registry.register(shop.size, ["nowhere.to_be_found:Frame"], "frame")
    (candidate,) = shop.size.explain(1, lookup=registry).inapplicable
    assert (
        candidate.reason
        == "obj: nowhere.to_be_found:Frame is not loaded, so int cannot be a subclass"
    )


def test_nothing_found_means_that_the_fallback_runs(shop):
    resolution = shop.size.explain(1, lookup=shop.lookup)
    assert resolution.component is None
    assert resolution.implementation is shop.size.__wrapped__
    assert str(resolution).startswith("size(int) in Lookup finds nothing, so that size itself runs")


def test_a_key_that_is_no_generic_function_has_no_fallback():
    registry = Registry(name="settings")
    resolution = registry.explain("colour", [])
    assert resolution.implementation is None
    assert str(resolution) == "'colour'() in Registry 'settings' finds nothing"


def test_a_matcher_is_shown_with_its_predicates_and_its_answer():
    @reg.generic
    def view(request):
        pass

    def get():
        pass

    matcher = PredicateMatcher([Predicate("method", KeyIndex, lambda request: request)])
    matcher.register({"method": "GET"}, get)
    registry = Registry()
    registry.register(view, [str], matcher)
    (candidate,) = view.explain("GET", lookup=registry).candidates
    assert (candidate.outcome, candidate.component) == ("chosen", get)
    assert candidate.predicates == {"method": "GET"}
    (candidate,) = view.explain("PUT", lookup=registry).candidates
    assert (candidate.outcome, candidate.component) == ("declined", None)
    assert "asked with method='PUT': answered None" in str(view.explain("PUT", lookup=registry))


def test_given_predicates_are_used():
    @reg.generic
    def view(request):
        pass

    matcher = PredicateMatcher([Predicate("method", KeyIndex, lambda request: "GET")])
    matcher.register({"method": "PUT"}, "put")
    registry = Registry()
    registry.register(view, [object], matcher)
    assert view.explain(1, lookup=registry, predicates={"method": "PUT"}).component == "put"


def test_each_predicate_is_computed_once():
    calculated = []
    predicate = Predicate("method", KeyIndex, lambda request: calculated.append(request))
    registry = Registry()
    registry.register("view", [int], PredicateMatcher([predicate]))
    registry.register("view", [object], PredicateMatcher([predicate]))
    registry.explain("view", [1])
    assert calculated == [1]


def test_an_error_in_a_matcher_is_part_of_the_explanation():
    class Broken(Matcher):
        def __call__(self, *args, **predicates):
            raise RuntimeError("out of order")

    registry = Registry()
    registry.register("key", [int], Broken())
    registry.register("key", [object], "other")
    resolution = registry.explain("key", [1])
    assert isinstance(resolution.error, RuntimeError)
    assert resolution.component is None
    assert [each.outcome for each in resolution.candidates] == ["failed", "shadowed"]
    with pytest.raises(RuntimeError, match="out of order"):
        registry.component("key", [1])


def test_an_error_while_computing_predicates_is_part_of_the_explanation():
    registry = Registry()
    predicate = Predicate("inverse", KeyIndex, lambda number: 1 / number)
    registry.register("key", [int], PredicateMatcher([predicate]))
    assert isinstance(registry.explain("key", [0]).error, ZeroDivisionError)


def test_an_explanation_for_classes_leaves_matchers_undecided():
    registry = Registry()
    registry.register("key", [int], Answering("answer"))
    registry.register("key", [object], "other")
    resolution = registry.explain_classes("key", [int])
    assert [each.outcome for each in resolution.candidates] == ["undecided", "undecided"]
    assert resolution.implementation is None


def test_the_target_of_call_next_is_shown(shop):
    assert shop.size.explain(Invoice(), lookup=shop.lookup).chosen.call_next == "document_size"
    shop.lookup.class_lookup.lookups.pop()
    assert shop.size.explain(Invoice(), lookup=shop.lookup).chosen.call_next == "size, the fallback"


def test_a_call_can_be_explained_as_it_stands():
    @reg.generic("request", "model")
    def view(request, model, *, page=1):
        pass

    registry = Registry()
    registry.register(view, [int, str], "found")
    resolution = view.explain(model="", request=1, page=3, lookup=registry, default=None)
    assert resolution.component == "found"


def test_the_implicit_lookup_is_explained_without_another(shop):
    with reg.implicit.using(shop.lookup):
        assert shop.size.explain(Invoice()).chosen.lookup == "app"
    with reg.implicit.using(None), pytest.raises(reg.NoImplicitLookupError):
        shop.size.explain(Invoice())


def test_a_class_generic_is_explained_for_the_class_it_is_given():
    @reg.classgeneric
    def make(cls):
        pass

    registry = Registry()
    registry.register(make, [A], "made")
    assert make.explain(B, lookup=registry).component == "made"


def test_an_instance_given_to_a_class_generic_is_an_error_that_names_its_class():
    @reg.classgeneric
    def make(cls):
        pass

    expected = "looked up for a class as its cls; got .* an instance: give its class, A$"
    with pytest.raises(TypeError, match=expected):
        make.explain(A(), lookup=Registry())
    with pytest.raises(TypeError, match="looked up for a class as its argument 2"):
        Registry().explain_classes("key", [A, A()])


def test_a_misspelt_predicate_is_noted():
    matcher = PredicateMatcher([Predicate("name", KeyIndex), Predicate("method", KeyIndex)])
    matcher.register({"name": "edit"}, "edit")
    registry = Registry()
    registry.register("view", [object], matcher)
    resolution = registry.explain("view", [1], predicates={"nmae": "edit"})
    (note,) = resolution.notes
    assert note == (
        "the predicate 'nmae' is ignored, since no matcher here knows it; they know name, method;"
        " did you mean 'name'?"
    )
    assert "note: the predicate 'nmae'" in str(resolution)
    assert "nmae" in resolution._repr_html_()
    assert resolution.as_dict()["notes"] == [note]
    assert registry.explain("view", [1], predicates={"name": "edit"}).notes == ()


def test_a_predicate_is_not_noted_where_a_matcher_may_take_any():
    registry = Registry()
    registry.register("view", [object], PredicateMatcher([Predicate("name", KeyIndex)]))
    registry.register("view", [int], Answering(None))
    assert registry.explain("view", [1], predicates={"colour": "red"}).notes == ()


@pytest.mark.parametrize(
    ("compose", "path"),
    [
        (lambda inner: ListClassLookup([Registry(), inner]), "lookups[1].lookups[0]"),
        (lambda inner: ChainClassLookup(Registry(), inner), "next.lookups[0]"),
        (lambda inner: CachingClassLookup(inner), "class_lookup.lookups[0]"),
    ],
)
def test_a_composition_of_itself_is_an_error_that_says_where(compose, path):
    inner = ListClassLookup([])
    outer = compose(inner)
    inner.lookups.append(outer)
    lookup = Lookup(ListClassLookup([outer]))
    for ask in (
        lambda: lookup.explain("key", [1]),
        lambda: lookup.explain_classes("key", [int]),
        lambda: reg.check(lookup),
    ):
        with pytest.raises(ValueError, match="is composed of itself") as raised:
            ask()
        assert f"its {path} leads back to it" in str(raised.value)


def test_a_registry_composed_twice_is_no_circle():
    registry = Registry()
    registry.register("key", [int], "found")
    lookup = Lookup(ListClassLookup([registry, ChainClassLookup(registry, registry)]))
    assert len(lookup.explain("key", [1]).candidates) == 3


def test_a_method_is_explained_through_its_class():
    class Shop:
        @reg.generic
        def price(self, item):
            pass

    registry = Registry()
    registry.register(Shop.price, [Shop, A], "price")
    assert Shop.price.explain(Shop(), B(), lookup=registry).component == "price"


def test_a_look_up_without_the_instance_of_a_method_says_how_to_ask():
    class Shop:
        @reg.generic
        def price(self, item):
            pass

    registry = Registry()
    registry.register(Shop.price, [Shop, A], "price")
    (candidate,) = registry.explain(Shop.price, [A()]).inapplicable
    assert candidate.reason == (
        "is registered for 2 classes, looked up for 1: ask for a method through its class, with"
        " the instance as the first argument"
    )


def test_a_component_method_of_a_subclass_has_the_last_word():
    class Backwards(Lookup):
        def component(self, key, args, default=None, predicates=None, *, class_method=False):
            return self.all(key, args)[-1]

    registry = ClassRegistry()
    registry.register("key", [int], "near")
    registry.register("key", [object], "far")
    near, far = Backwards(registry).explain("key", [1]).candidates
    assert near.reason == "passed over by Backwards.component()"
    assert far.outcome == "chosen"


def test_a_third_party_lookup_is_explained_by_its_results():
    class ThirdParty:
        def component(self, key, args, default=None):
            return "first"

        def all(self, key, args):
            return ["first", "second"]

        def call(self, key, args):
            return None

    @reg.generic
    def size(obj):
        pass

    resolution = size.explain(1, lookup=ThirdParty())
    assert resolution.component == "first"
    assert [each.component for each in resolution.candidates] == ["first", "second"]
    assert {each.classes for each in resolution.candidates} == {None}


def test_the_results_of_a_custom_class_lookup_are_explained():
    class Upside:
        def all(self, key, classes):
            return ["mine"]

    lookup = Lookup(ListClassLookup([Upside(), ClassRegistry(name="app")]))
    (candidate,) = lookup.explain("key", [int]).candidates
    assert (candidate.component, candidate.lookup) == ("mine", "lookups[0]")


def test_a_cached_component_is_explained_though_it_is_registered_no_more():
    registry = ClassRegistry(name="app")
    registry.register("key", [int], "old")
    lookup = Lookup(CachingClassLookup(registry))
    assert lookup.component("key", [1]) == "old"
    registry.register("key", [int], "new")
    (candidate,) = lookup.explain("key", [1]).candidates
    assert (candidate.component, candidate.classes) == ("old", None)


def test_an_unnamed_registry_is_named_by_its_place_in_the_composition():
    first, second = Registry(), Registry()
    second.register("key", [int], "found")
    lookup = Lookup(ChainClassLookup(first, ListClassLookup([Registry(), second])))
    assert lookup.explain("key", [1]).chosen.lookup == "next.lookups[1]"


def test_data_is_json(shop):
    data = json.loads(json.dumps(shop.size.explain(Invoice(), lookup=shop.lookup).as_dict()))
    assert data["component"].endswith("invoice_size")
    assert [each["lookup"] for each in data["candidates"]] == ["app", "host"]


def test_data_names_instances_by_their_class_and_not_by_their_address():
    class Always(reg.Matcher):
        def __call__(self, thing):
            return "found"

    class Plain:
        pass

    registry = Registry()
    registry.register("key", [int], Always())
    registry.register("key", [object], Plain())
    names = [each["registered"] for each in registry.explain("key", [1]).as_dict()["candidates"]]
    assert [name.rpartition(".")[2] for name in names] == ["Always object", "Plain object"]


def test_html_is_well_formed_and_escaped():
    opened = []

    class Checked(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag != "br":
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    registry = Registry(name="<app>")
    registry.register("<key>", [int], "<b>")
    html = registry.explain("<key>", [1])._repr_html_()
    Checked().feed(html)
    assert not opened
    assert "&lt;key&gt;" in html
    assert "<b>" not in html


def test_a_graph_quotes_its_labels():
    registry = Registry()
    registry.register('a "key"', [int], 'a "value"')
    dot = registry.explain('a "key"', [1]).as_dot()
    assert dot.startswith("digraph resolution {\n")
    assert dot.endswith("}")
    assert '\\"value\\"' in dot


def test_rich_shows_a_table(shop):
    console = pytest.importorskip("rich.console", reason="rich is an extra")
    with open("/dev/null", "w") as nowhere:
        recording = console.Console(record=True, width=120, file=nowhere)
        recording.print(shop.size.explain(Invoice(), lookup=shop.lookup))
    text = recording.export_text()
    assert "invoice_size" in text
    assert "app is asked before host" in text


def test_an_error_shows_the_nearest_with_place_and_reason(shop):
    with pytest.raises(ComponentLookupError) as raised:
        shop.size.component("text", lookup=shop.lookup)
    place = f"{__file__}:{shop.document_size.__code__.co_firstlineno}"
    lines = str(raised.value).splitlines()
    assert lines[0].startswith("no component is registered under")
    assert (
        f"  document_size for (Document), at {place}: obj: str is no subclass of Document" in lines
    )


def test_an_error_lists_matchers_that_had_no_answer():
    registry = Registry()
    registry.register("key", [int], Answering(None))
    with pytest.raises(ComponentLookupError, match="the matcher had no answer"):
        registry.component("key", [1])


def test_an_error_is_built_only_when_it_is_shown():
    asked = []

    class Asked(type):
        def __subclasscheck__(cls, other):
            asked.append(other)
            return False

    class Abstract(metaclass=Asked):
        pass

    registry = Registry()
    registry.register("key", [Abstract], "found")
    with pytest.raises(ComponentLookupError) as raised:
        registry.component("key", [1])
    before = len(asked)
    str(raised.value)
    assert len(asked) > before


def test_an_error_can_be_sent_to_another_process():
    registry = Registry()
    registry.register("key", [int], "found")
    with pytest.raises(ComponentLookupError) as raised:
        registry.component("key", ["text"])
    again = pickle.loads(pickle.dumps(raised.value))
    assert str(again) == str(raised.value)
    assert again.classes == (str,)


def test_nothing_of_it_is_imported_before_it_is_asked_for():
    program = "import sys, reg; print([m for m in sys.modules if 'explain' in m or 'rich' in m])"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_html_reads_from_the_left_and_has_the_colours_of_the_page():
    registry = reg.Registry()
    registry.register("key", [object], "component")
    html = registry.explain("key", [1])._repr_html_()
    assert html.count("text-align: left; vertical-align: top") == html.count("<th ") + html.count(
        "<td "
    )
    assert "color" not in html


def test_an_explanation_agrees_with_the_call_through_a_third_party_class_lookup():
    @reg.generic
    def size(thing, scale=5):
        return "fallback"

    class ThirdParty:
        def __init__(self, registry):
            self.registry = registry

        def all(self, key, classes):
            return iter(self.registry.all(key, classes))

        def get(self, key, classes):
            return self.registry.get(key, classes)

    def one(thing):
        return "one"

    registry = reg.ClassRegistry()
    registry.register(size, [int], one)
    lookup = reg.Lookup(ThirdParty(registry))
    assert size(1, lookup=lookup) == "one"
    assert size.explain(1, lookup=lookup).component is one


@reg.generic
def export(document, target, indent=""):
    return "fallback"


@reg.generic("document", "indent")
def export_by_name(document, target=None, *, indent=""):
    return "fallback"


def test_an_explanation_of_fewer_classes_adds_those_of_defaults_as_the_call_does():
    registry = Registry(name="app")

    @registry.register(export, [A, int, str])
    @registry.register(export_by_name, [A, str])
    def export_document(document, target, indent=""):
        return "document"

    for resolution in (
        registry.explain_classes(export, [A, int]),
        registry.explain_classes(export_by_name, [A]),
    ):
        assert resolution.chosen.component is export_document
        assert resolution.notes == ("the call dispatches on the default indent='', too",)
    assert export(A(), 1, lookup=registry) == "document"
    assert export_by_name(A(), 1, lookup=registry) == "document"
    assert registry.explain_classes(export, [A, int, str]).notes == ()
    # Without a default, no call is meant.
    assert registry.explain_classes(export, [A]).classes == (A,)


def test_an_explanation_adds_no_defaults_where_something_is_registered_for_fewer_classes():
    registry = Registry()
    registry.register(export, [A, int, str], lambda document, target, indent: "three")
    registry.register(export, [A, str], lambda document, target: "two")
    assert export(A(), 1, lookup=registry) == "fallback"
    resolution = registry.explain_classes(export, [A, int])
    assert (resolution.classes, resolution.chosen, resolution.notes) == ((A, int), None, ())


def test_a_default_that_is_a_class_stands_for_itself_in_an_explanation():
    @reg.classgeneric
    def make(cls=A):
        return "fallback"

    registry = Registry()
    registry.register(make, [A], lambda cls: "made")
    assert make(lookup=registry) == "made"
    assert registry.explain_classes(make, []).chosen.classes == (A,)


def test_the_nearest_candidates_of_a_look_up_have_no_classes_of_defaults():
    registry = Registry()
    registry.register(export, [A, int, str], lambda document, target, indent: "three")
    with pytest.raises(ComponentLookupError, match="is registered for 3 classes, looked up for 2"):
        registry.component(export, [A(), 1])
