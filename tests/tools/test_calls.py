"""The findings about calls: calls without an implementation, and calls that cannot be made."""

import functools
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg
from reg import ListClassLookup, Lookup, Registry


class Page:
    pass


class Text:
    pass


def _findings(lookup, **settings):
    return [(finding.kind, finding.severity) for finding in reg.check(lookup, **settings)]


def test_a_generic_registered_for_fewer_arguments_than_it_may_get_names_the_calls_that_miss():
    @reg.generic
    def head(page, indent=""):
        return "fallback"

    registry = Registry()

    @registry.register(head, [Page])
    def head_page(page, indent=""):
        return "page"

    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("uncovered-call", "warning")
    assert finding.problem == (
        "head(page, indent) and head(page=…) reach no implementation: such a call dispatches on"
        " 2 arguments, and implementations are registered for 1 only"
    )
    assert finding.advice == (
        "Register for 2 classes, or name the parameters that dispatch: @reg.generic('page')."
    )
    assert head(Page(), "", lookup=registry) == "fallback"


@pytest.mark.parametrize("count", [1, 2])
def test_a_generic_without_optional_parameters_has_no_uncovered_calls(count):
    generic = reg.generic([lambda a: 0, lambda a, b: 0][count - 1])
    registry = Registry()
    registry.register(generic, [Page] * count, lambda *args: 1)
    assert reg.check(registry) == []


def test_registering_for_all_parameters_covers_calls_with_defaults():
    @reg.generic
    def head(page, indent=""):
        return "fallback"

    registry = Registry()
    registry.register(head, [Page, str], lambda page, indent: "page")
    assert reg.check(registry) == []


def test_a_registration_that_is_missed_because_fewer_classes_are_registered_too_is_found():
    @reg.generic
    def head(page, indent=""):
        return "fallback"

    registry = Registry()

    @registry.register(head, [Page, str])
    def head_page(page, indent):
        return "page"

    registry.register(head, [Text], lambda text: "text")
    (finding,) = reg.check(registry)
    assert finding.kind == "uncovered-call"
    assert finding.problem == (
        "head(Page) and head(Page, indent=…) reach no implementation, although head_page is"
        " registered for (Page, str): something is registered for 1 class, so that further"
        " arguments dispatch by position only"
    )
    assert head(Page(), lookup=registry) == "fallback"
    registry.register(head, [Page], lambda page: "page")
    assert reg.check(registry) == []


def test_calls_are_looked_at_in_the_whole_composition():
    @reg.generic
    def head(page, indent=""):
        return "fallback"

    host, app = Registry(name="host"), Registry(name="app")
    host.register(head, [Page], lambda page: "page")
    app.register(head, [Page, str], lambda page, indent: "page")
    assert reg.check(Lookup(ListClassLookup([app, host]))) == []


def test_any_number_of_arguments_and_named_dispatch_have_no_uncovered_calls():
    @reg.generic
    def join(first, /, *rest):
        pass

    @reg.generic("page")
    def head(page, indent=""):
        pass

    registry = Registry()
    registry.register(join, [Page], lambda first: 1)
    registry.register(head, [Page], lambda page, indent="": 1)
    assert reg.check(registry) == []


@pytest.mark.parametrize(
    ("default", "annotation", "classes"),
    [(80, float, "for float, not for int"), (None, int, "for int, not for None")],
)
def test_a_default_for_whose_class_nothing_is_registered_is_found(default, annotation, classes):
    @reg.generic
    def render(page, width=default):
        return "fallback"

    @reg.generic("page", "width")
    def render_by_name(page, *, width=default):
        return "fallback"

    registry = Registry()
    for generic in render, render_by_name:
        # The default of an implementation does not count.
        registry.register(generic, [Page, annotation], lambda page, width=1: "page")
    by_position, by_name = reg.check(registry)
    assert (by_position.kind, by_position.severity) == ("uncovered-call", "warning")
    assert by_position.problem == (
        "render(page) reaches no implementation: it dispatches on the default of render,"
        f" width={default}, and implementations are registered there {classes}"
    )
    assert by_name.problem.startswith("render_by_name(page) reaches no implementation")
    for generic in render, render_by_name:
        assert generic(Page(), lookup=registry) == "fallback"
        assert generic(Page(), width=annotation(1), lookup=registry) == "page"
        registry.register(generic, [object, type(default)], lambda page, width: "default")
    assert reg.check(registry) == []


def test_a_default_is_looked_at_in_the_calls_that_dispatch_on_it():
    @reg.generic
    def head(page, indent=None):
        return "fallback"

    registry = Registry()

    @registry.register(head, [Page, int])
    @registry.register(head, [Page])
    def head_page(page, indent=0):
        return "page"

    assert head(Page(), lookup=registry) == "page"
    assert head(page=Page(), lookup=registry) == "fallback"
    (finding,) = reg.check(registry)
    assert finding.problem.startswith("head(page=…) reaches no implementation")


def test_a_default_that_a_value_is_registered_for_is_no_finding():
    @reg.generic
    def render(page, form="html"):
        return "fallback"

    registry = Registry()
    registry.register(render, [Page, Literal["text"]], lambda page, form: "text")
    assert "render(page) reaches no implementation" in reg.check(registry)[0].problem
    registry.register(render, [Page, Literal["html"]], lambda page, form: "html")
    assert reg.check(registry) == []


def test_a_class_as_a_default_of_a_class_generic_stands_for_itself():
    @reg.classgeneric
    def make(cls=Page):
        return "fallback"

    registry = Registry()
    registry.register(make, [Text], lambda cls: "text")
    assert "not for Page" in reg.check(registry)[0].problem
    registry.register(make, [Page], lambda cls: "page")
    assert reg.check(registry) == []


def test_an_argument_that_chooses_another_implementation_by_keyword_is_found():
    @reg.generic
    def head(page, indent=""):
        return "fallback"

    registry = Registry()

    @registry.register(head, [Page])
    def one(page, indent=""):
        return "one"

    @registry.register(head, [Page, str])
    def two(page, indent="  "):
        return "two"

    assert head(Page(), "", lookup=registry) == "two"
    assert head(Page(), indent="", lookup=registry) == "one"
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("keyword-argument", "warning")
    assert finding.problem == (
        "head(Page, str) runs two, but head(Page, indent=…) runs one: something is registered for"
        " 1 class, so that further arguments dispatch by position only"
    )
    assert finding.advice == (
        "Put a / behind indent in head, so that it is passed by position only, or name the"
        " parameters that dispatch: @reg.generic('page', 'indent')."
    )
    assert len(finding.places) == 2
    registry.register(head, [Page], two)
    assert reg.check(registry) == []


def test_an_argument_that_cannot_be_passed_by_keyword_chooses_nothing_else():
    @reg.generic
    def head(page, indent="", /):
        return "fallback"

    registry = Registry()
    registry.register(head, [Page], lambda page, indent="": "one")
    registry.register(head, [Page, str], lambda page, indent: "two")
    assert reg.check(registry) == []


def test_an_argument_by_keyword_does_not_dispatch_beside_any_number_of_arguments():
    @reg.generic
    def join(first, *rest):
        return "fallback"

    registry = Registry()

    @registry.implements(join)
    def join_str(first: str, *rest: object):
        return "str"

    assert join("a", "b", lookup=registry) == "str"
    assert join(first="a", lookup=registry) == "fallback"
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("uncovered-call", "warning")
    assert finding.problem == (
        "join(first=…) reaches no implementation: beside *rest, arguments dispatch by position only"
    )
    assert finding.advice == "Put a / behind first in join, so that such a call is an error."


def test_an_implementation_that_collects_arguments_and_gets_none_to_collect_is_found():
    @reg.generic
    def join(first, /, *rest):
        return "fallback"

    registry = Registry()

    @registry.register(join, [str])
    def join_str(first, *rest):
        return "str"

    assert join("a", "b", lookup=registry) == "fallback"
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("uncovered-call", "warning")
    assert finding.problem == (
        "join(…, …) does not reach join_str, although that takes *rest: it is registered for 1"
        " argument only"
    )
    assert finding.advice == (
        "Register it for any number: [str, reg.Rest(object)], or *rest: object with implements()."
    )
    registry.register(join, [str, reg.Rest(object)], join_str)
    assert reg.check(registry) == []
    assert join("a", "b", lookup=registry) == "str"


@given(st.integers(0, 2), st.integers(1, 3), st.sets(st.integers(0, 3), min_size=1))
def test_a_call_with_a_count_that_is_registered_is_never_named(required, optional, counts):
    names = [f"p{number}" for number in range(required + optional)]
    parameters = [*names[:required], *(f"{name}=None" for name in names[required:])]
    namespace = {}
    exec(f"def function({', '.join(parameters)}): return 'fallback'", namespace)
    generic = reg.generic(namespace["function"])
    registry = Registry()
    for count in counts:
        registry.register(generic, [object] * count, lambda *args: "found")
    problems = [f.problem for f in reg.check(registry) if f.kind == "uncovered-call"]
    valid = counts & set(range(required, len(names) + 1))
    for count in range(required, len(names) + 1):
        call = f"function({', '.join(names[:count])})"
        named = any(call in problem for problem in problems)
        assert named == (bool(valid) and len(names) not in counts and count not in counts)


def test_defaults_that_dispatch_are_passed_on():
    registry = Registry()

    @reg.generic("item", "size")
    def show(item, size=1):
        return "fallback"

    @registry.implements(show)
    def show_int(item: int, size: int):
        return ("shown", size)

    @reg.generic("request")
    def view(model, *, request=None):
        return "fallback"

    @registry.implements(view)
    def view_without_request(model, *, request: None):
        return ("view", request)

    assert show(5, lookup=registry) == ("shown", 1)
    assert view(5, lookup=registry) == ("view", None)
    assert reg.check(registry) == []


def test_a_default_that_is_passed_on_and_not_taken_is_an_error():
    @reg.generic("request")
    def view(model, *, request=None):
        return "fallback"

    registry = Registry()
    registry.register(view, [type(None)], lambda model: "view")
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("arguments", "error")
    with pytest.raises(TypeError, match="request"):
        view(5, lookup=registry)


def test_an_implementation_with_other_names_is_given_defaults_by_position():
    @reg.generic("item", "size")
    def show(item, size=1):
        return "fallback"

    registry = Registry()
    registry.register(show, [int, int], lambda number, length: ("shown", length))
    assert show(5, lookup=registry) == ("shown", 1)
    assert reg.check(registry) == []


@reg.generic
async def fetch(item):
    return "fallback"


@reg.generic
async def stream(item):
    yield "fallback"


@reg.generic
def size(item):
    return 0


async def coroutine(item):
    return 1


async def async_generator(item):
    yield 1


def ordinary(item):
    return 1


_KINDS = {
    "a coroutine function": (fetch, coroutine),
    "an async generator function": (stream, async_generator),
    "an ordinary function": (size, ordinary),
}


@pytest.mark.parametrize("expected", _KINDS)
@pytest.mark.parametrize("actual", _KINDS)
def test_an_implementation_of_another_kind_than_the_generic_is_found(expected, actual):
    (generic, _), (_, component) = _KINDS[expected], _KINDS[actual]
    registry = Registry()
    registry.register(generic, [Page], component)
    findings = reg.check(registry)
    if expected == actual:
        assert findings == []
    else:
        assert [finding.kind for finding in findings] == ["async"]
        assert findings[0].problem == (
            f"{generic.__name__} is {expected}, but {component.__name__} is {actual}"
        )


def test_a_function_that_may_return_the_awaitable_of_another_is_no_finding():
    @functools.wraps(coroutine)
    def wrapper(item):
        return coroutine(item)

    class Fetcher:
        async def __call__(self, item):
            return 1

    registry = Registry()
    registry.register(fetch, [Page], wrapper)
    registry.register(fetch, [Text], Fetcher())
    assert reg.check(registry) == []


def test_a_component_that_cannot_be_called_is_a_finding_and_its_explanation_says_so():
    registry = Registry()
    registry.register(size, [Page], "large")
    (finding,) = reg.check(registry)
    assert finding.kind == "arguments"
    assert finding.problem == "'large' is registered for size, but cannot be called"
    chosen = size.explain(Page(), lookup=registry).chosen
    assert chosen.reason == "comes first; but a call fails, since it cannot be called"


def test_findings_of_one_cause_are_one_finding_that_lists_the_others():
    @reg.generic
    def weigh(item, *, unit="kg"):
        pass

    classes = [type(f"Item{number}", (), {}) for number in range(13)]
    registry = Registry()
    for cls in classes:
        registry.register(weigh, [cls], lambda item: 1)
    (finding,) = reg.check(registry)
    assert len(finding.same_cause) == 12
    lines = str(finding).splitlines()
    assert lines[1] == "    Add the parameter, so that a call that passes it works."
    assert lines[2] == "    the same cause has 12 more findings:"
    assert len(lines) == 15
    assert len(finding.as_dict()["same_cause"]) == 12


def test_a_registration_that_hides_many_is_one_finding():
    host, app = Registry(name="host"), Registry(name="app")
    for cls in (int, str, list, Page, Text):
        host.register(size, [cls], lambda item: 1)
    app.register(size, [object], lambda item: 2)
    (finding,) = reg.check(Lookup(ListClassLookup([app, host])))
    assert finding.kind == "unreachable"
    assert len(finding.same_cause) == 4


def test_many_pairs_that_one_registration_is_in_are_one_finding():
    @reg.generic
    def show(item, target):
        pass

    class Screen:
        pass

    registry = Registry()
    registry.register(show, [object, Screen], lambda item, target: "on screen")
    for cls in (int, str, list, Page, Text):
        registry.register(show, [cls, object], lambda item, target: "anywhere")
    (finding,) = reg.check(registry)
    assert finding.kind == "first-argument"
    assert len(finding.same_cause) == 4
    registry.register(show, [Page, Screen], lambda item, target: "a page on screen")
    assert len(reg.check(registry)[0].same_cause) == 3


def test_findings_of_different_causes_stay_apart():
    registry = Registry()
    registry.register(size, [Page], lambda: 1)
    registry.register(size, [Text], lambda item, unit: 1)
    assert _findings(registry) == [("arguments", "error")] * 2
