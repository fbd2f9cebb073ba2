"""Each mistake that a check is to find, planted; and sound registrations, left alone."""

import functools
import pickle
import subprocess
import sys

import pytest

import reg
from reg import (
    ClassRegistry,
    KeyIndex,
    ListClassLookup,
    Lookup,
    Matcher,
    Predicate,
    PredicateMatcher,
    Registry,
)


class Document:
    pass


class Invoice(Document):
    pass


class Device:
    pass


class Printer(Device):
    pass


@reg.generic
def size(obj):
    return 0


@reg.generic
def show(obj, device):
    return None


def _kinds(lookup, **settings):
    return [finding.kind for finding in reg.check(lookup, **settings)]


def test_a_sound_application_has_no_findings():
    @reg.generic("request", "model")
    def view(request, model, *, page=1):
        pass

    @reg.generic
    async def fetch(obj, lookup):
        pass

    host, app = Registry(name="host"), Registry(name="app")

    @host.implements(size)
    def document_size(obj: Document):
        return 1

    @app.implements(size)
    def application_size(obj: Document, call_next):
        return call_next()

    @app.implements(size)
    def anything_size(obj: object, call_next):
        return call_next()

    @host.implements(view)
    def document_view(request: int, model: Document, *, page=1):
        pass

    @host.implements(view)
    def invoice_view(request: "int | str", model: Invoice, **keywords):
        pass

    @host.implements(view)
    def invoice_view_by_number(request: int, model: Invoice, **keywords):
        pass

    @host.implements(fetch)
    async def document_fetch(obj: Document, lookup):
        pass

    @host.implements(show)
    def show_document(obj: Document, device: Printer):
        pass

    @host.implements(show)
    def show_invoice(obj: Invoice, device: Device):
        pass

    @host.implements(show)
    def show_invoice_on_printer(obj: Invoice, device: Printer):
        pass

    host.register(size, ["package_that_is_not_installed:Frame"], document_size)
    host.register(size, ["collections:OrderedDict"], document_size)
    matcher = PredicateMatcher([Predicate("name", KeyIndex, lambda obj: "")])
    matcher.register({"name": "a"}, document_size)
    matcher.register({"name": "b"}, document_size)
    host.register(size, [list], matcher)
    host.register("colour", [], "blue")

    assert reg.check(Lookup(ListClassLookup([app, host]))) == []


@pytest.mark.parametrize("classes", [[], [Document, Document]])
def test_another_number_of_classes_than_arguments_is_unreachable(classes):
    registry = Registry()
    registry.register(size, classes, lambda *args: 1)
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("unreachable", "error")
    assert "size dispatches on 1 argument" in finding.problem


def test_named_dispatch_needs_exactly_as_many_classes_as_names():
    @reg.generic("model")
    def view(request, model):
        pass

    registry = Registry()
    registry.register(view, [int, Document], lambda request, model: 1)
    assert _kinds(registry) == ["unreachable"]


def test_optional_and_collected_arguments_may_be_registered_for_or_not():
    @reg.generic
    def convert(obj, target=None, /):
        pass

    @reg.generic
    def combine(first, /, *others):
        pass

    registry = Registry()
    for classes in ([int], [int, int]):
        registry.register(convert, classes, lambda *args: 1)
    for classes in ([int], [int, int], [int, int, int]):
        registry.register(combine, classes, lambda *args: 1)
    assert reg.check(registry) == []
    registry.register(convert, [int, int, int], lambda *args: 1)
    (finding,) = reg.check(registry)
    assert "convert dispatches on 1 to 2 arguments" in finding.problem
    registry.register(combine, [], lambda *args: 1)
    assert "at least 1 argument" in reg.check(registry)[0].problem


def test_a_registration_behind_one_for_a_base_class_in_an_earlier_lookup_is_unreachable():
    host, app = Registry(name="host"), Registry(name="app")
    host.register(size, [Invoice], lambda obj: 1)
    app.register(size, [Document], lambda obj: 2)
    (finding,) = reg.check(Lookup(ListClassLookup([app, host])))
    assert (finding.kind, finding.severity) == ("unreachable", "warning")
    assert "in host is never called, since app is asked first" in finding.problem
    assert len(finding.places) == 2
    assert reg.check(Lookup(ListClassLookup([host, app]))) == []


def test_overriding_the_same_classes_is_no_finding():
    host, app = Registry(), Registry()
    host.register(size, [Document], lambda obj: 1)
    app.register(size, [Document], lambda obj: 2)
    assert reg.check(Lookup(ListClassLookup([app, host]))) == []


def test_a_matcher_hides_nothing():
    class Declining(Matcher):
        def __call__(self, *args, **predicates):
            return None

    host, app = Registry(), Registry()
    host.register(size, [Invoice], lambda obj: 1)
    app.register(size, [Document], Declining())
    assert reg.check(Lookup(ListClassLookup([app, host]))) == []


def test_a_component_with_too_few_parameters_cannot_take_the_arguments():
    registry = Registry()

    def show_document(obj):
        pass

    registry.register(show, [Document, Device], show_document)
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("arguments", "error")
    assert "show_document cannot take the arguments of show: too many" in finding.problem
    assert finding.places == (f"{__file__}:{show_document.__code__.co_firstlineno}",)


def test_a_component_with_too_many_parameters_cannot_take_the_arguments():
    registry = Registry()
    registry.register(size, [Document], lambda obj, unit: 1)
    (finding,) = reg.check(registry)
    assert "missing a required argument: 'unit'" in finding.problem


def test_a_lookup_that_cannot_be_passed_is_missing():
    registry = Registry()

    def positional_only(lookup, obj, /):
        pass

    registry.register(size, [Document], positional_only)
    assert _kinds(registry) == ["arguments"]


def test_parameters_in_another_order_are_found():
    @reg.generic
    def area(width, height):
        return 0

    registry = Registry()

    @registry.implements(area)
    def swapped(height: int, width: int):
        return (width, height)

    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("arguments", "warning")
    assert finding.problem == (
        "swapped has the parameters height, width in another order than area, and gets"
        " all arguments by position"
    )
    assert finding.advice == "Write them in the order of area(width, height)."
    assert area(1, 2, lookup=registry) == (2, 1)


def test_parameters_in_another_order_are_right_where_arguments_come_by_name():
    @reg.generic("width", "height")
    def area(width, height, unit):
        return 0

    registry = Registry()
    registry.register(area, [int, int], lambda height, width, unit: (width, height, unit))
    assert reg.check(registry) == []
    assert area(1, 2, "m", lookup=registry) == (1, 2, "m")
    registry.register(area, [int, int], lambda height, width, other: (width, height, other))
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("arguments", "error")
    assert "and not all of them, so that a call is an error" in finding.problem
    with pytest.raises(TypeError, match="at another place"):
        area(1, 2, "m", lookup=registry)


def test_names_that_are_collected_are_right_where_arguments_come_by_name():
    @reg.generic("height")
    def area(width, height):
        return 0

    registry = Registry()
    registry.register(area, [int], lambda height, **others: (height, others))
    assert area(1, 2, lookup=registry) == (2, {"width": 1})
    assert reg.check(registry) == []


def test_parameters_of_other_names_and_one_for_the_lookup_have_no_other_order():
    @reg.generic
    def area(width, height, lookup):
        return 0

    registry = Registry()
    registry.register(area, [int, int], lambda first, width, lookup: 1)
    assert reg.check(registry) == []


def test_a_component_that_does_not_take_the_lookup_of_the_generic_is_found():
    @reg.generic
    def weigh(obj, lookup):
        return size(obj, lookup=lookup)

    registry = Registry()
    registry.register(weigh, [Document], lambda obj: 1)
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("arguments", "warning")
    assert "is not given the lookup" in finding.problem


def test_a_keyword_argument_that_is_not_taken_is_found():
    @reg.generic
    def weigh(obj, *, unit="kg"):
        pass

    registry = Registry()
    registry.register(weigh, [Document], lambda obj: 1)
    (finding,) = reg.check(registry)
    assert "does not take the keyword argument unit" in finding.problem
    assert finding.severity == "warning"


def test_a_matcher_class_in_place_of_an_instance_is_found():
    registry = Registry()
    registry.register(size, [Document], PredicateMatcher)
    (finding,) = reg.check(registry)
    assert "PredicateMatcher is a matcher class" in finding.problem


def test_a_component_that_cannot_be_called_is_found():
    registry = Registry()
    registry.register(size, [Document], 12)
    (finding,) = reg.check(registry)
    assert "12 is registered for size, but cannot be called" in finding.problem


def test_components_in_a_predicate_matcher_are_looked_at():
    matcher = PredicateMatcher([Predicate("name", KeyIndex)])
    matcher.register({"name": ""}, lambda: 1)
    registry = Registry()
    registry.register(size, [Document], matcher)
    assert _kinds(registry) == ["arguments"]


def test_a_component_without_a_signature_is_left_alone():
    registry = Registry()
    registry.register(size, [Document], type)
    assert reg.check(registry) == []


def test_a_function_for_a_coroutine_function_is_found():
    @reg.generic
    async def fetch(obj):
        pass

    async def size_later(obj):
        pass

    registry = Registry()
    registry.register(fetch, [Document], lambda obj: 1)
    registry.register(size, [Document], size_later)
    assert _kinds(registry) == ["async", "async"]


def test_a_pair_decided_by_the_first_argument_is_shown_with_both_orders():
    registry = Registry(name="app")

    @registry.implements(show)
    def show_invoice(obj: Invoice, device: Device):
        pass

    @registry.implements(show)
    def show_on_printer(obj: Document, device: Printer):
        pass

    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("first-argument", "warning")
    assert finding.problem == (
        "for (Invoice, Printer) both show_invoice (Invoice, Device) and"
        " show_on_printer (Document, Printer) apply in app: the first argument decides for"
        " show_invoice, a later one would decide for show_on_printer"
    )
    assert finding.advice == "Register something for (Invoice, Printer)."
    assert show.component(Invoice(), Printer(), lookup=registry) is show_invoice


def test_a_pair_in_two_lookups_is_decided_by_their_order_and_no_finding():
    first, second = Registry(), Registry()
    first.register(show, [Invoice, Device], lambda obj, device, call_next: 1)
    second.register(show, [Document, Printer], lambda obj, device: 2)
    assert reg.check(Lookup(ListClassLookup([first, second]))) == []


def test_a_pair_may_cross_at_a_third_argument_and_through_an_abstract_class():
    from collections.abc import Sized

    registry = Registry()
    registry.register("key", [list, Document, Device], 1)
    registry.register("key", [Sized, Document, Printer], 2)
    (finding,) = reg.check(registry)
    assert finding.advice == "Register something for (list, Document, Printer)."


def test_pairs_without_a_common_class_are_no_finding():
    registry = Registry()
    registry.register("key", [Invoice, Device], 1)
    registry.register("key", [Document, str], 2)
    registry.register("key", [Document, Device], 3)
    assert reg.check(registry) == []


def test_two_components_for_the_same_predicates_are_found():
    matcher = PredicateMatcher([Predicate("name", KeyIndex), Predicate("method", KeyIndex)])

    def first(obj):
        pass

    def second(obj):
        pass

    matcher.register({"method": "GET"}, first)
    matcher.register({"method": "GET"}, second)
    registry = Registry()
    registry.register(size, [Document], matcher)
    registry.register(size, [list], matcher)
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("predicates", "error")
    assert "first, second are registered for the same predicates" in finding.problem
    assert len(finding.places) == 3


def test_predicates_with_an_index_of_their_own_are_compared_too():
    class Lists:
        def add(self, key, value):
            pass

        def get(self, key):
            return set()

    matcher = PredicateMatcher([Predicate("path", Lists)])
    matcher.register({"path": ["a"]}, 1)
    matcher.register({"path": ["a"]}, 2)
    matcher.register({"path": ["b"]}, 3)
    registry = Registry()
    registry.register("key", [Document], matcher)
    assert _kinds(registry) == ["predicates"]


@pytest.mark.parametrize(
    ("name", "problem", "advice"),
    [
        ("collections:OrderdDict", "has no such class", "Did you mean OrderedDict?"),
        ("collections.abcd:Sized", "has no module collections.abcd", "Correct"),
        ("collections:namedtuple", "has no such class", "Correct the name of the class."),
        ("collections:Sized", "has no such class", "Correct"),
        ("typing:OrderedDict", "has no such class", ""),
    ],
)
def test_a_name_of_no_class_in_an_installed_package_is_found(name, problem, advice):
    registry = Registry()
    registry.register(size, [name], lambda obj: 1)
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("missing-class", "error")
    assert problem in finding.problem
    assert advice in finding.advice


def test_a_class_made_only_when_asked_for_is_named_by_its_own_name(tmp_path, monkeypatch):
    package = tmp_path / "lazily"
    package.mkdir()
    (package / "inner.py").write_text("class Frame: pass\n")
    (package / "__init__.py").write_text(
        "def __getattr__(name):\n    from lazily.inner import Frame\n    return Frame\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry()
    registry.register(size, ["lazily:Frame"], lambda obj: 1)
    registry.register(size, ["lazily.inner:Frame"], lambda obj: 1)
    (finding,) = reg.check(registry)
    assert finding.advice == "Use its own name, 'lazily.inner:Frame'."


def test_a_package_that_cannot_be_imported_is_found(tmp_path, monkeypatch):
    (tmp_path / "broken_on_import.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry()
    registry.register(size, ["broken_on_import:Frame"], lambda obj: 1)
    assert "raises ZeroDivisionError" in reg.check(registry)[0].problem


def test_the_same_component_in_two_lookups_is_found():
    def document_size(obj):
        return 1

    host, app = Registry(name="host"), Registry(name="app")
    for registry in host, app:
        registry.register(size, [Document], document_size)
    (finding,) = reg.check(Lookup(ListClassLookup([app, host])))
    assert (finding.kind, finding.severity) == ("identical", "warning")
    assert "in both app and host" in finding.problem


def test_a_registry_that_is_composed_twice_is_looked_at_once():
    registry = Registry()
    registry.register(size, [Document], lambda obj: 1)
    assert reg.check(Lookup(ListClassLookup([registry, registry]))) == []


def test_each_kind_can_be_accepted():
    registry = Registry()
    registry.register(size, [], 12)
    assert _kinds(registry) == ["unreachable", "arguments"]
    assert _kinds(registry, accept=["unreachable"]) == ["arguments"]
    assert _kinds(registry, accept=["unreachable", "arguments"]) == []


def test_a_kind_can_be_accepted_for_one_key():
    registry = Registry()
    registry.register(size, [Document], 12)
    registry.register(show, [Document, Device], 12)
    (finding,) = reg.check(registry, accept=[f"arguments:{__name__}.size"])
    assert finding.key.endswith("show")
    assert reg.check(registry, accept=["arguments:*"]) == []


def test_a_kind_that_there_is_not_cannot_be_accepted():
    with pytest.raises(ValueError, match="no such kind of finding; the kinds are unreachable"):
        reg.check(Registry(), accept=["unreachabel"])
    with pytest.raises(TypeError, match="takes a list"):
        reg.check(Registry(), accept="unreachable")


def test_only_lookups_can_be_checked():
    with pytest.raises(TypeError, match="can only check a lookup"):
        reg.check(size)


def test_a_class_registry_can_be_checked():
    registry = ClassRegistry()
    registry.register(size, [Document], 12)
    assert _kinds(registry) == ["arguments"]


def test_a_finding_is_readable():
    registry = Registry()

    def document_size():
        pass

    registry.register(size, [Document], document_size)
    lines = str(reg.check(registry)[0]).splitlines()
    line = document_size.__code__.co_firstlineno
    assert lines[0].startswith(f"{__file__}:{line}: error: document_size cannot take")
    assert lines[0].endswith("[arguments]")
    assert lines[1] == "    Give it the parameters of size(obj)."


def test_a_finding_can_be_sent_to_another_process():
    registry = Registry()
    for cls in (Document, Device):
        registry.register(size, [cls], lambda: 1)
    (finding,) = reg.check(registry)
    assert len(finding.same_cause) == 1
    assert pickle.loads(pickle.dumps(finding)) == finding


def test_ten_thousand_registrations_are_checked():
    firsts = [type(f"First{number}", (Document,), {}) for number in range(100)]
    seconds = [type(f"Second{number}", (Device,), {}) for number in range(100)]
    registry = Registry()

    def show_it(obj, device):
        pass

    for first in firsts:
        for second in seconds:
            registry.register(show, [first, second], show_it)
    registry.register(show, [firsts[0], Device], show_it)
    registry.register(show, [Document, seconds[0]], show_it)
    assert reg.check(registry) == []
    registry.unregister(show, [firsts[0], seconds[0]])
    assert _kinds(registry) == ["first-argument"]


def test_the_function_stays_the_function_however_it_is_imported():
    program = (
        "import sys, reg; assert 'reg.tools.check' not in sys.modules\n"
        "from reg.tools.check import Finding; assert callable(reg.check)\n"
        "from reg import check; assert check is reg.check; assert 'check' in dir(reg)\n"
        "import reg.tools.call_rules; assert callable(reg.check)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def forgotten(thing):
    return "plain"


def test_a_function_that_is_not_generic_is_a_finding_and_a_note():
    registry = Registry()
    registry.register(forgotten, [int], lambda thing: "int")
    registry.register(forgotten, [str], lambda thing: "str")
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity, len(finding.places)) == ("plain-function", "warning", 2)
    assert "a call of it runs itself" in finding.problem
    assert finding.advice == "Decorate forgotten with @reg.generic."
    assert reg.check(registry, accept=["plain-function"]) == []
    for explanation in (
        registry.explain(forgotten, [1]),
        registry.explain_classes(forgotten, [bytes]),
    ):
        (note,) = explanation.notes
        assert note.startswith("forgotten is a plain function, so that a call of it runs itself")


@pytest.mark.parametrize("key", ["key", ("a", 1), int, functools.partial(forgotten)])
def test_a_key_of_another_kind_is_no_finding(key):
    registry = Registry()
    registry.register(key, [int], lambda thing: "int")
    assert reg.check(registry) == []
    assert registry.explain(key, [1]).notes == ()


def test_an_implementation_for_no_arguments_is_no_reason_to_name_parameters():
    @reg.generic
    def size(thing=1): ...

    registry = Registry()
    registry.register(size, [], lambda thing=1: "none")
    (finding,) = reg.check(registry)
    assert finding.advice == "Register for 1 class."
