"""The page of an application: its model says what a call says, and its HTML is safe and whole."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg
from reg import (
    CachingClassLookup,
    ChainClassLookup,
    ClassRegistry,
    KeyIndex,
    ListClassLookup,
    Lookup,
    Matcher,
    MergedClassLookup,
    Predicate,
    PredicateMatcher,
    Registry,
)
from reg.tools.browse import application, page, write

ROOT = Path(__file__).parents[2]


class Item: ...


class Text(Item): ...


class Code(Text): ...


class Target: ...


class Screen(Target): ...


class Paper(Target): ...


@reg.generic
def show(item: Item, target: Target) -> str:
    """Show an item.

    More about it.
    """
    return "fallback"


@reg.generic
def title(item: Item) -> str:
    return ""


def _component(name):
    def component(item, target):
        return name

    component.__name__ = component.__qualname__ = name
    return component


@pytest.fixture
def framework():
    registry = Registry(name="framework")
    registry.register(show, [Text, Screen], _component("text_on_screen"))
    registry.register(show, [Item, Target], _component("anything"))
    return registry


@pytest.fixture
def house():
    return Registry(name="house")


@pytest.fixture
def lookup(house, framework):
    return Lookup(ListClassLookup([house, framework]))


def _generic(model, name="show"):
    (generic,) = (generic for generic in model.generics if generic.name == name)
    return generic


def _cells(table, part=0):
    """The cells of one page of a table, by the labels of row and column."""
    return {
        (row.label, column.label): cell
        for row, cells in zip(table.rows.headings, table.slices[part].cells, strict=True)
        for column, cell in zip(table.columns.headings, cells, strict=True)
    }


# The model.


def test_the_rows_and_columns_are_the_registered_classes_with_their_subclasses_below_them(lookup):
    (table,) = _generic(application(lookup, "app")).tables
    assert [(heading.label, heading.depth) for heading in table.rows.headings] == [
        ("Item", 0),
        ("Text", 1),
        ("Code", 2),
    ]
    assert {heading.label for heading in table.columns.headings} == {"Target", "Screen", "Paper"}
    assert (table.rows.title, table.columns.title) == ("item", "target")


def test_a_cell_says_who_answers_and_whether_it_was_registered_for_these_classes(lookup):
    (table,) = _generic(application(lookup, "app")).tables
    cells = _cells(table)
    assert (cells["Text", "Screen"].answer, cells["Text", "Screen"].fate) == (
        "text_on_screen",
        "own",
    )
    assert (cells["Code", "Screen"].answer, cells["Code", "Screen"].fate) == (
        "text_on_screen",
        "inherited",
    )
    assert cells["Code", "Screen"].call == "show(Code, Screen)"


def test_a_cell_has_the_way_of_the_call_in_order_with_reasons_down_to_the_fallback(house, lookup):
    house.register(show, [Text, Target], _component("house_text"))
    (table,) = _generic(application(lookup, "app")).tables
    steps = _cells(table)["Code", "Screen"].steps
    assert [(step.rank, step.name, step.outcome, step.registry) for step in steps] == [
        (1, "house_text", "chosen", 1),
        (2, "text_on_screen", "shadowed", 2),
        (3, "anything", "shadowed", 2),
        (4, "show", "fallback", None),
    ]
    assert steps[1].reason == "house is asked before framework"
    row, column = steps[0].at
    assert table.rows.headings[row].label == "Text"
    assert table.columns.headings[column].label == "Target"


def test_the_implementations_are_listed_in_the_order_in_which_they_are_asked(house, lookup):
    house.register(show, [Item, Screen], _component("house_item"))
    house.register(show, [Code, Screen], _component("house_code"))
    names = [one.name for one in _generic(application(lookup, "app")).implementations]
    assert names == ["house_code", "house_item", "text_on_screen", "anything"]


def test_merged_registries_are_listed_as_one(house, framework):
    house.register(show, [Item, Screen], _component("house_item"))
    model = application(MergedClassLookup([house, framework]), "app")
    names = [one.name for one in _generic(model).implementations]
    assert names == ["text_on_screen", "house_item", "anything"]
    assert model.composition.merged


def test_the_composition_is_that_of_the_lookup_with_registries_numbered_as_they_are_asked(
    house, framework
):
    inner = ChainClassLookup(CachingClassLookup(house), framework)
    model = application(Lookup(ListClassLookup([inner, house]), name="shop"), "app")
    assert [(registry.number, registry.name) for registry in model.registries] == [
        (1, "house"),
        (2, "framework"),
    ]
    chain, again = model.composition.parts
    assert model.composition.label == "Lookup 'shop' of ListClassLookup"
    assert (chain.rule, again.registry) == ("the first, then the next", 1)
    assert chain.parts[0].rule == "keeps all results until clear()"


def test_implementations_of_a_registry_that_is_composed_twice_are_listed_once(framework):
    model = application(ListClassLookup([framework, framework]), "app")
    assert len(model.implementations) == 2


def test_predicates_give_a_table_for_each_of_their_values(framework, lookup):
    matcher = PredicateMatcher([Predicate("view", KeyIndex, default="")])
    matcher.register({"view": ""}, _component("plain"))
    matcher.register({"view": "edit"}, _component("form"))
    framework.register(show, [Code, Paper], matcher)
    generic = _generic(application(lookup, "app"))
    (table,) = generic.tables
    assert [part.label for part in table.slices] == ["view=''", "view='edit'"]
    assert _cells(table, 0)["Code", "Paper"].answer == "plain"
    assert _cells(table, 1)["Code", "Paper"].answer == "form"
    assert {(one.name, one.predicates) for one in generic.implementations} >= {
        ("plain", "view=''"),
        ("form", "view='edit'"),
    }


def test_a_matcher_of_another_kind_leaves_the_answer_open(framework, lookup):
    class ByDay(Matcher):
        def __call__(self, *args):
            raise AssertionError("a matcher is not asked without arguments")

    framework.register(show, [Code, Paper], ByDay())
    (table,) = _generic(application(lookup, "app")).tables
    assert _cells(table)["Code", "Paper"].fate == "undecided"


def test_a_table_for_one_argument_has_a_row_for_each_class_and_one_answer(framework, lookup):
    framework.register(title, [Text], lambda item: "")
    (table,) = _generic(application(lookup, "app"), "title").tables
    cells = _cells(table)
    # Item is there since the parameter is annotated with it.
    assert [label for label, _ in cells] == ["Item", "Text", "Code"]
    assert [cell.fate for cell in cells.values()] == ["fallback", "own", "inherited"]


def test_a_third_argument_gives_a_table_for_each_of_its_classes():
    registry = Registry(name="app")
    registry.register("key", [Item, Target, int], "with int")
    registry.register("key", [Item, Target, str], "with str")
    registry.register("key", [], "without")
    (generic,) = application(registry, "app").generics
    (table,) = generic.tables
    assert [part.label for part in table.slices] == ["int", "str"]
    assert _cells(table, 1)["Item", "Screen"].answer == "'with str'"
    assert _cells(table, 0)["Item", "Target"].steps[-1].outcome == "chosen"
    assert {one.name for one in generic.implementations} == {
        "'with int'",
        "'with str'",
        "'without'",
    }


def test_a_class_given_by_name_is_listed_and_has_no_row_until_it_is_loaded(lookup, framework):
    framework.register(title, ["no_such_package_here:Cls"], _component("later"))
    generic = _generic(application(lookup, "app"), "title")
    assert [one.classes for one in generic.implementations] == ["(no_such_package_here:Cls)"]


def test_a_finding_is_beside_the_implementations_that_it_concerns(house, lookup):
    @house.register(show, [Text, Screen])
    def wrong(item): ...

    generic = _generic(application(lookup, "app"))
    (placed,) = (p for p in generic.findings if p.finding.kind == "arguments")
    (implementation,) = (one for one in generic.implementations if one.name.endswith("wrong"))
    assert placed.implementations == (implementation.number,)


def test_the_answers_of_a_third_party_class_lookup_are_in_the_table(framework):
    component = _component("elsewhere")

    class Elsewhere:
        def get(self, key, classes):
            return next(iter(self.all(key, classes)), None)

        def all(self, key, classes):
            return [component] if classes[0] is Code else []

    model = application(ListClassLookup([Elsewhere(), framework]), "app")
    assert [(registry.known, registry.size) for registry in model.registries] == [
        (False, 0),
        (True, 2),
    ]
    cell = _cells(_generic(model).tables[0])["Code", "Screen"]
    assert (cell.answer, cell.registry) == ("elsewhere", 1)


def test_an_error_of_a_third_party_class_lookup_is_in_the_cell(framework):
    class Broken:
        def get(self, key, classes):
            raise RuntimeError("out of order")

        all = get

    model = application(ListClassLookup([Broken(), framework]), "app")
    cell = _cells(_generic(model).tables[0])["Code", "Screen"]
    assert (cell.answer, cell.fate) == ("RuntimeError: out of order", "failed")


def test_a_wide_table_says_how_many_classes_it_leaves_out(framework):
    for number in range(70):
        framework.register(title, [type(f"Item{number}", (), {})], _component("one"))
    (table,) = _generic(application(framework, "app"), "title").tables
    assert len(table.rows.headings) + table.left_out >= 70
    assert table.left_out > 0
    assert f"{table.left_out} more classes" in page(application(framework, "app"))


_ITEMS = st.sampled_from([object, Item, Text, Code])
_TARGETS = st.sampled_from([object, Target, Screen, Paper])
_REGISTERED = st.lists(st.tuples(_ITEMS, _TARGETS), max_size=6)


@given(
    st.lists(_REGISTERED, min_size=1, max_size=3),
    st.sampled_from([ListClassLookup, MergedClassLookup]),
)
def test_each_cell_has_the_component_that_the_lookup_finds(registered, composed):
    registries = []
    for index, combinations in enumerate(registered):
        registry = ClassRegistry(name=f"registry {index}")
        for number, classes in enumerate(combinations):
            registry.register(show, classes, _component(f"component_{index}_{number}"))
        registries.append(registry)
    lookup = Lookup(composed(registries))
    for generic in application(lookup, "app").generics:
        (table,) = generic.tables
        for row, cells in zip(table.rows.values, table.slices[0].cells, strict=True):
            for column, cell in zip(table.columns.values, cells, strict=True):
                component = lookup.component(show, (row(), column()), None)
                expected = "show" if component is None else component.__name__
                assert cell.answer == expected
                assert (cell.fate == "fallback") == (component is None)


# The page.


class _Reader(HTMLParser):
    """Reads a page, and refuses one whose elements do not end where they have to."""

    EMPTY = ("meta", "input", "br", "hr", "img", "link", "rect", "circle", "path")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def values(self, attribute):
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]


def test_the_page_is_whole_and_needs_nothing_else(house, lookup):
    house.register(show, [Text, Screen], lambda item: "wrong")
    read = _Reader(page(application(lookup, "app")))
    names = read.values("id")
    assert len(names) == len(set(names))
    assert {href.removeprefix("#") for href in read.values("href")} <= set(names)
    assert all(href.startswith("#") for href in read.values("href"))
    assert read.values("src") == []
    assert {tag for tag, _ in read.elements} & {"link", "img", "iframe"} == set()
    for attribute in ("aria-labelledby", "aria-describedby", "for"):
        assert set(read.values(attribute)) <= set(names)


_HOSTILE = "</script><script>alert(1)</script>\"'&<b onclick=x>"


def test_all_names_of_the_application_are_escaped(framework):
    cls = type(_HOSTILE, (), {})
    registry = Registry(name=_HOSTILE)
    component = _component(_HOSTILE)
    matcher = PredicateMatcher([Predicate(_HOSTILE, KeyIndex)])
    matcher.register({_HOSTILE: _HOSTILE}, component)
    registry.register(_HOSTILE, [cls, cls], matcher)
    registry.register(_HOSTILE, [cls], component)
    framework.register(show, [cls, Screen], component)

    @reg.generic
    def documented(obj): ...

    documented.__doc__ = _HOSTILE
    registry.register(documented, [cls], component)
    text = page(application(ListClassLookup([registry, framework]), _HOSTILE))
    read = _Reader(text)
    assert [tag for tag, _ in read.elements].count("script") == 2
    assert not any(name.startswith("on") for _, attrs in read.elements for name in attrs)
    assert "alert(1)" in "".join(read.texts)


def test_the_policy_of_the_page_allows_its_own_script_only(lookup):
    text = page(application(lookup, "app"))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'; ")
    assert "script-src 'sha256-" in policy


def test_the_script_gets_an_explanation_for_each_cell(lookup):
    text = page(application(lookup, "app"))
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    explanations = json.loads(data)["explanations"]
    numbers = [int(number) for number in _Reader(text).values("data-why")]
    assert numbers == list(range(len(explanations)))


def test_the_same_registrations_make_the_same_page(lookup):
    assert page(application(lookup, "app")) == page(application(lookup, "app"))


def test_the_page_of_an_empty_registry_says_so_by_its_counts(tmp_path):
    summary = write(Registry(name="empty"), tmp_path / "page.html")
    assert summary == "0 generic functions, 0 implementations, 1 registry, 0 findings"
    read = _Reader((tmp_path / "page.html").read_text("utf-8"))
    assert "Registry 'empty'" in read.texts
    assert summary in read.texts


def test_a_name_that_cannot_be_encoded_is_written_with_escapes(tmp_path):
    write(Registry(name="app \ud800"), tmp_path / "page.html", title="app")
    assert "<span>app \\ud800</span>" in (tmp_path / "page.html").read_text("utf-8")


def test_only_a_lookup_has_a_page(tmp_path):
    with pytest.raises(TypeError, match="can only check a lookup"):
        write(3, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


# The command.


def _run(*arguments, cwd, **settings):
    command = [sys.executable, "-m", "reg", "browse", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, **settings)


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.py").write_text(
        "import reg\n"
        "registry = reg.Registry(name='shop')\n"
        "number = 3\n"
        "@reg.generic\n"
        "def size(obj): return 0\n"
        "@registry.implements(size)\n"
        "def size_of_list(obj: list): return 1\n"
    )
    return tmp_path


def test_the_command_writes_the_page_and_says_where(shop):
    done = _run("shop:registry", cwd=shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "registrations.html: 1 generic function, 1 implementation, 1 registry, 0 findings\n"
    )
    text = (shop / "registrations.html").read_text("utf-8")
    assert "shop.py:6" in text
    assert str(shop) not in text
    done = _run("shop:registry", "--output", "other.html", cwd=shop)
    assert (shop / "other.html").read_text("utf-8") == text


def test_the_command_opens_the_page_in_a_browser(shop):
    browser = shop / "browser.py"
    browser.write_text("import pathlib, sys; pathlib.Path('opened').write_text(sys.argv[1])")
    environment = {"BROWSER": f"{sys.executable} {browser} %s", "PATH": ""}
    done = _run("shop:registry", "--open", cwd=shop, env=environment)
    assert done.returncode == 0
    assert (shop / "opened").read_text() == (shop / "registrations.html").as_uri()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop:number"], "shop:number is not a registry or lookup; type the name of one, such as"),
        (["shop"], "type package.module:name"),
        (["shop:nothing"], "there is no 'nothing' among"),
        (["shop:registry", "--output", "."], "cannot write '.' (Is a directory)"),
        (["shop:registry", "--output", "no/page.html"], "(No such file or directory); type --out"),
        ([], "TARGET"),
    ],
)
def test_a_page_that_cannot_be_written_is_an_error_of_one_line(shop, arguments, message):
    done = _run(*arguments, cwd=shop)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert message.lower() in done.stderr.lower()


def test_the_page_of_the_publishing_example_is_small(tmp_path):
    pytest.importorskip("rich")
    target, output = "publishing.handbook:application.lookup", tmp_path / "page.html"
    done = _run(target, "--output", str(output), cwd=ROOT / "docs" / "examples")
    assert done.returncode == 0
    assert output.stat().st_size < 1_000_000
    assert "publishing/defaults.py:" in output.read_text("utf-8")
    _Reader(output.read_text("utf-8"))
