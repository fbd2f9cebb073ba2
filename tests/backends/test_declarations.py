"""Functions and classes that the metadata of a backend declare, known without an import."""

import json
import re
import warnings

import pytest

from .conftest import GROUP
from .environment import MARK, Environment, wheel

pytestmark = pytest.mark.xdist_group("declarations")

OWNER = "def f(x, y=None): return __name__\ndef g(x): return __name__\narray_types = [{0!r}]"


@pytest.fixture
def f(host):
    """A function of a host whose calls go to the owner of an argument, and its dispatcher."""
    dispatcher = host(default="auto")

    @dispatcher.backend_dispatch
    def f(x, y=None):
        return "host"

    f.dispatcher = dispatcher
    return f


# By "auto"


def test_a_declared_backend_is_imported_when_it_can_answer(f, site):
    source = OWNER.format("builtins:complex")
    accel = site.backend("accel", source, functions=["f"], array_types=["builtins:complex"])
    other = site.backend("other", "def f(x, y=None): pass", functions=["f"], array_types=["a:B"])
    assert f(1) == f("text") == f(1, [2, 3]) == "host"
    assert not site.imported(accel)
    assert f(1j) == f([1j]) == f(1, y=1j) == accel
    assert f(1) == "host"
    assert site.imported(accel)
    assert not site.imported(other)


def test_a_backend_that_declares_other_functions_is_not_imported(f, site):
    source = OWNER.format("builtins:complex")
    module = site.backend("accel", source, functions=["g"], array_types=["builtins:complex"])
    for _ in range(2):
        assert f(1j) == "host"
    assert not site.imported(module)
    assert f(1j, backend="accel") == module


def test_functions_alone_may_be_declared(f, site):
    source = OWNER.format("builtins:complex")
    accel = site.backend("accel", source, functions=["f"])
    other = site.backend("other", source, functions=["g"])
    assert f(1) == "host"
    assert f(1j) == accel
    assert (site.imported(accel), site.imported(other)) == (True, False)


def test_classes_alone_may_be_declared(f, site):
    module = site.backend("accel", OWNER.format("builtins:complex"), array_types=["m:Z"])
    assert f(1j) == "host"
    assert not site.imported(module)


def test_a_backend_without_declarations_is_imported_by_auto_as_ever(f, site):
    module = site.backend("accel", OWNER.format("builtins:complex"))
    assert f(1) == "host"
    assert site.imported(module)


def test_a_later_argument_gets_its_backend_though_another_is_in_the_cache(f, site):
    trusted = {"accel": {}, "other": {}}
    dispatcher = type(f.dispatcher)(
        entrypoint_group=GROUP, host_name="h", trusted_backends=trusted, default="auto"
    )
    again = dispatcher.backend_dispatch(f.__wrapped__)
    first = site.backend("accel", OWNER.format("builtins:bytes"), array_types=["builtins:bytes"])
    second = site.backend(
        "other", OWNER.format("builtins:complex"), array_types=["builtins:complex"]
    )
    assert [again(1j) for _ in range(3)] == [second] * 3
    assert not site.imported(first)
    assert [again(1j, b"") for _ in range(2)] == [first] * 2


def test_the_backend_counts_once_it_is_loaded(f, site):
    module = site.backend(
        "accel", "array_types = []", functions=["f"], array_types=["builtins:complex"]
    )
    for _ in range(2):
        assert f(1j) == "host"
    assert site.imported(module)


def test_a_refused_backend_is_not_imported_whatever_it_declares(host, site):
    module = site.backend("accel", functions=["f"], array_types=["builtins:object"])
    dispatcher = host(default="auto", untrusted="refuse")
    f = dispatcher.backend_dispatch(function_f)
    assert f(1) == "host"
    assert not site.imported(module)


def test_a_distribution_declares_nothing_for_another_one(f, site):
    module = site.backend("accel", OWNER.format("builtins:complex"))
    declared = {"functions": {"accel.g": "x:g"}, "array_types": {"accel.a": "x:A"}}
    site.install("intruder", {}, declared=declared)
    row = f.dispatcher.installed()[0]
    assert (row.declared_functions, row.declared_array_types) == ((), ())
    assert f(1j) == module


def test_declarations_are_read_beside_a_distribution_that_cannot_be(f, site):
    module = site.backend("accel", functions=["f"], array_types=["builtins:complex"])
    site.path.joinpath("broken-1.0.dist-info").mkdir()
    site.path.joinpath("broken-1.0.dist-info", "METADATA").write_text("Name: broken\n")
    site.path.joinpath("broken-1.0.dist-info", "entry_points.txt").write_bytes(b"[\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row = next(one for one in f.dispatcher.installed() if one.entry_point == "accel")
    assert row.declared_functions == ("f",)
    assert row.declared_array_types == ("builtins:complex",)
    assert not site.imported(module)


def test_a_misspelt_class_keeps_no_backend_from_its_calls(f, site):
    source = OWNER.format("builtins:complex")
    module = site.backend("accel", source, functions=["f"], array_types=["nonsense"])
    assert f(1j) == module
    problems = f.dispatcher.verify()[0].problems
    assert any("nonsense" in problem for problem in problems)


# Tables, and the comparison


def test_functions_are_listed_with_their_backends_importing_nothing(host, site):
    dispatcher = host()
    dispatcher.backend_dispatch(function_f)
    dispatcher.backend_dispatch(name="g")(function_f)
    modules = [
        site.backend("accel", "def f(x): pass", functions=["f"]),
        site.backend("other", "def g(x): pass"),
    ]
    site.backend("broken", "1 / 0")
    table = dispatcher.implementations()
    assert not any(map(site.imported, modules))
    assert table.as_dict() == {
        "f": {"accel": "declared", "other": "unknown", "broken": "unknown"},
        "g": {"accel": "no", "other": "unknown", "broken": "unknown"},
    }
    dispatcher.discover()
    assert dispatcher.implementations().as_dict() == {
        "f": {"accel": "yes", "other": "no"},
        "g": {"accel": "no", "other": "yes"},
    }


def test_declarations_that_hold_are_verified(host, site):
    dispatcher = host()
    dispatcher.backend_dispatch(function_f)
    site.backend(
        "accel",
        "def f(x): pass\narray_types = ['fractions:Fraction', complex]",
        functions=["f"],
        array_types=["builtins:complex", "fractions:Fraction"],
    )
    site.backend("other")
    rows = {row.entry_point: (row.declares, row.problems) for row in dispatcher.verify()}
    assert rows == {"accel": (True, ()), "other": (False, ())}


@pytest.mark.parametrize(
    ("source", "declared", "problem"),
    [
        ("def f(x): pass", ["f", "g"], "declares 'g', and does not implement it"),
        ("def f(x): pass\ndef g(x): pass", ["g"], "implements 'f', and does not declare it"),
        ("def f(x): pass\ndef h(x): pass", ["f", "h"], "'h', which the host does not have"),
        ("def __getattr__(name):\n    if name in 'fg': return print\n    raise AttributeError",
         ["f", "g"], ""),
        ("f = g = 1\ndel g", ["f", "g"], "accel_of_a_test:g', which cannot be imported"),
        ("1 / 0", ["f"], "cannot be compared: .*did not load"),
    ],
)  # fmt: skip
def test_differences_are_named(host, site, source, declared, problem):
    dispatcher = host()
    dispatcher.backend_dispatch(function_f)
    dispatcher.backend_dispatch(name="g")(function_f)
    site.backend("accel", source, functions=declared)
    (row,) = dispatcher.verify()
    text = "\n".join(row.problems)
    assert re.search(problem, text) if problem else not text


@pytest.mark.parametrize(
    ("owned", "declared", "problem"),
    [
        ("[complex]", ["builtins:bytes"], "owns <class 'bytes'>, which is not in its array_types"),
        ("[complex]", ["builtins:bytes"], "owns <class 'complex'>, and does not declare it"),
        ("['m:A']", ["m:B"], "declares that it owns 'm:B'"),
    ],
)
def test_other_classes_than_declared_are_named(host, site, owned, declared, problem):
    site.backend("accel", f"array_types = {owned}", array_types=declared)
    assert problem in "\n".join(host().verify()[0].problems)


# The commands, on installed wheels

HOST = """
from reg.backends import BackendDispatcher
dispatcher = BackendDispatcher(entrypoint_group="declared.backends", host_name="<declared> & co",
                               untrusted="allow")
@dispatcher.backend_dispatch
def area(x): return "host"
@dispatcher.backend_dispatch
def volume(x): return "host"
"""
DECLARED = """
[declared.backends]
good = declared_good
[declared.backends.functions]
good.area = declared_good:area
[declared.backends.array_types]
good.Fraction = fractions:Fraction
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    directory = tmp_path_factory.mktemp("declared")
    good = MARK + "name = 'good'\narray_types = ['fractions:Fraction']\ndef area(x): return 'good'"
    bad = MARK + "name = 'bad'\ndef volume(x): return 'bad'"
    worse = DECLARED.replace("good", "bad").replace("_types]", "_types.not]")
    return Environment(
        directory,
        [
            wheel(directory, "declared-host", {"declared_host.py": HOST}),
            wheel(directory, "declared-good", {"declared_good.py": good}, DECLARED),
            wheel(directory, "declared-bad", {"declared_bad.py": bad}, worse),
            wheel(
                directory,
                "declared-broken",
                {"declared_broken.py": "1 / 0"},
                "[declared.backends]\nbroken = declared_broken\n",
            ),
        ],
        "from declared_host import *\n",
    )


def test_a_program_imports_a_declared_backend_when_it_is_needed(environment):
    beginning = "import warnings; warnings.simplefilter('ignore')\n"
    assert environment.ask(beginning + "found = area(1, backend='auto')") == "host"
    assert environment.imported() == ["declared_bad"]
    code = "from fractions import Fraction\nfound = area(Fraction(1), backend='auto')"
    assert environment.ask(beginning + code) == "good"
    assert "declared_good" in environment.imported()


def test_the_command_shows_declarations_without_an_import(environment):
    shown = environment.command("backends", "declared.backends", "--no-load").stdout
    assert environment.imported() == []
    assert "        declares area" in shown.splitlines()
    assert "        declares that it owns fractions:Fraction" in shown.splitlines()


def test_the_command_verifies_declarations(environment):
    done = environment.command("backends", "verify", "declared_host:dispatcher", check=False)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "good (declared-good): as declared" in lines
    assert "broken (declared-broken): declares nothing" in lines
    assert "bad (declared-bad): 3 wrong" in lines
    assert "    it declares 'area', and does not implement it" in lines
    assert any("bad.area refers to 'declared_bad:area', which cannot" in line for line in lines)
    assert "    it implements 'volume', and does not declare it" in lines
    rows = json.loads(
        environment.command(
            "backends", "verify", "declared.backends", "--format", "json", check=False
        ).stdout
    )
    assert {row["entry_point"]: len(row["problems"]) for row in rows} == {
        "good": 0,
        "bad": 2,
        "broken": 0,
    }


def test_the_command_lists_functions_and_backends(environment):
    done = environment.command("backends", "functions", "declared_host:dispatcher")
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    columns = lines["function"]
    assert dict(zip(columns, lines["area"], strict=True)) == {"good": "yes", "bad": "-"}
    assert dict(zip(columns, lines["volume"], strict=True)) == {"good": "-", "bad": "yes"}
    assert "broken (declared-broken) is left out: failed" in done.stdout
    data = environment.command(
        "backends", "functions", "declared_host:dispatcher", "--no-load", "--format", "json"
    ).stdout
    assert environment.imported() == []
    assert json.loads(data)["area"] == {"good": "declared", "bad": "declared", "broken": "unknown"}


def test_the_table_is_a_page_that_is_escaped(environment):
    page = environment.command(
        "backends", "functions", "declared_host:dispatcher", "--format", "html"
    ).stdout
    assert page.startswith("<!DOCTYPE html>")
    assert "&lt;declared&gt; &amp; co" in page
    assert "<declared>" not in page
    assert "<td" in page
    assert not any(word in page for word in ("<link", "<script", "src=", "http"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["functions", "declared.backends"], "only a host knows its functions"),
        (["verify", "declared.backends", "--no-load"], "verify loads the backends"),
        (["verify", "declared.backends", "--format", "html"], "shows text or json"),
        (["nonsense", "declared.backends"], "invalid choice"),
    ],
)
def test_commands_that_cannot_be_run_say_how_to_type_them(environment, arguments, message):
    done = environment.command("backends", *arguments, check=False)
    assert done.returncode == 2
    assert message in done.stderr


def function_f(x):
    return "host"


function_f.__name__ = function_f.__qualname__ = "f"
