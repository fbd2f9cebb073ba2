"""The command, run as a person would in a directory of an application."""

import importlib.metadata
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import reg

_SHOP = """
import reg

class Document: pass
class Invoice(Document): pass

@reg.generic
def size(obj): return 0

registry = reg.Registry(name="shop")
broken = reg.Registry(name="broken")
number = 3

class Application:
    def __init__(self): self.lookup = reg.Lookup(registry)

application = Application()

@registry.implements(size)
def document_size(obj: Document): return 1

@broken.register(size, [Document, Document])
def wrong_size(obj): return 1
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "shop.py").write_text(_SHOP)

    def run(*arguments):
        command = [sys.executable, "-m", "reg", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run


@pytest.fixture
def on_a_terminal(tmp_path):
    pty = pytest.importorskip("pty", reason="there are no such terminals on this system")

    def run(*arguments, python=sys.executable):
        ours, theirs = pty.openpty()
        environment = {**os.environ, "COLUMNS": "150", "TERM": "dumb"}
        command = [python, "-m", "reg", *arguments]
        done = subprocess.Popen(command, cwd=tmp_path, stdout=theirs, env=environment)
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # that is how the end is told
            pass
        os.close(ours)
        assert done.wait() == 0
        return shown.decode()

    return run


@pytest.fixture
def python_without_rich(tmp_path):
    """An environment that has this package, and nothing else."""
    venv.create(tmp_path / "venv")
    (python,) = (tmp_path / "venv").glob("*/python")
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    purelib = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    Path(purelib, "reg").symlink_to(Path(reg.__file__).parent)
    return python


def test_explain_shows_the_implementation_and_its_place(run):
    shown = run("explain", "shop:size", "shop:Invoice", "--lookup", "shop:registry")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("size(Invoice) in Registry 'shop' finds document_size\n")
    assert "shop.py:19" in shown.stdout


def test_explain_gives_data_and_a_graph(run):
    arguments = ("explain", "shop:size", "int", "--lookup", "shop:registry", "--format")
    assert json.loads(run(*arguments, "json").stdout)["component"] is None
    assert run(*arguments, "dot").stdout.startswith("digraph")


def test_explain_shows_all_registrations_for_other_classes_only_if_asked(run, tmp_path):
    (tmp_path / "wide.py").write_text(
        "import reg\n"
        "from shop import size\n"
        "registry = reg.Registry(name='wide')\n"
        "for number in range(8):\n"
        "    cls = type(f'Item{number}', (), {})\n"
        "    registry.register(size, [cls], lambda obj: 1)\n"
    )
    arguments = ("explain", "shop:size", "int", "--lookup", "wide:registry")
    shown = run(*arguments).stdout
    assert "(Item4)" in shown
    assert "(Item5)" not in shown
    assert shown.endswith("and 3 more that do not apply\n")
    shown = run(*arguments, "--all").stdout
    assert "(Item7)" in shown
    assert "more that do not apply" not in shown


_VIEWS = """
import reg
from shop import size

registry = reg.Registry(name="views")
matcher = reg.PredicateMatcher(
    [reg.Predicate("name", reg.KeyIndex, default=""), reg.Predicate("page", reg.KeyIndex)]
)
registry.register(size, [object], matcher)

@matcher.register({"name": "edit", "page": 3})
def edit(obj): return 0
"""


def test_explain_asks_matchers_with_the_predicates_that_are_typed(run, tmp_path):
    (tmp_path / "views.py").write_text(_VIEWS)
    arguments = ("explain", "shop:size", "int", "--lookup", "views:registry")
    assert "depends on the arguments" in run(*arguments).stdout
    shown = run(*arguments, "--predicate", "name=edit", "--predicate", "page=3").stdout
    assert shown.startswith("size(int) in Registry 'views' finds edit\n")
    shown = run(*arguments, "--predicate", "name=edit").stdout
    assert shown.startswith("size(int) in Registry 'views' finds nothing")
    shown = run(*arguments, "--predicate", "nmae=edit").stdout
    assert "the predicate 'nmae' is ignored" in shown
    assert "did you mean 'name'?" in " ".join(shown.split())
    assert run(*arguments, "--predicate", "edit").stderr == (
        "reg: 'edit' is not a predicate with its value; type NAME=VALUE\n"
    )


def test_a_composition_of_itself_is_one_line_that_says_where(run, tmp_path):
    (tmp_path / "circle.py").write_text(
        "import reg\n"
        "inner = reg.ListClassLookup([])\n"
        "lookup = reg.Lookup(reg.ListClassLookup([reg.Registry(), inner]))\n"
        "inner.lookups.append(lookup)\n"
    )
    for arguments in (
        ("explain", "shop:size", "int", "--lookup", "circle:lookup"),
        ("list", "circle:lookup"),
        ("check", "circle:lookup"),
    ):
        shown = run(*arguments)
        assert (shown.returncode, shown.stdout) == (2, "")
        assert len(shown.stderr.splitlines()) == 1
        assert "is composed of itself: its lookups[1].lookups[0] leads back to it" in shown.stderr


def test_list_shows_registrations_by_generic_with_places(run):
    assert run("list", "shop:registry").stdout.splitlines() == [
        "shop.size",
        "  (Document)  document_size  shop  shop.py:19",
    ]
    (registration,) = json.loads(run("list", "shop:registry", "--format", "json").stdout)
    assert (registration["key"], registration["lineno"]) == ("shop.size", 19)
    assert (
        '"shop.size" -> "shop.document_size"'
        in run("list", "shop:registry", "--format", "dot").stdout
    )


_EXPLAIN = ("explain", "shop:size", "shop:Invoice", "--lookup", "shop:registry")


@pytest.mark.parametrize("arguments", [_EXPLAIN, ("list", "shop:registry")])
def test_a_table_is_shown_on_a_terminal_unless_something_else_is_wanted(
    run, on_a_terminal, arguments
):
    pytest.importorskip("rich", reason="rich is not installed")
    assert "━" in on_a_terminal(*arguments)
    assert "━" not in on_a_terminal(*arguments, "--format", "text")
    assert "━" not in run(*arguments).stdout
    table = run(*arguments, "--format", "table").stdout
    assert "━" in table
    assert "document_size" in table


def test_without_rich_the_command_shows_text_and_a_table_is_an_error_that_names_the_extra(
    run, on_a_terminal, python_without_rich, tmp_path
):
    shown = on_a_terminal("list", "shop:registry", python=python_without_rich)
    assert shown.splitlines() == ["shop.size", "  (Document)  document_size  shop  shop.py:19"]
    command = [python_without_rich, "-m", "reg", *_EXPLAIN, "--format", "table"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "reg: a table needs rich, which is not installed: pip install 'reg-dispatch[cli]'; or type"
        " --format text"
    ]


def test_without_the_dependencies_of_backends_their_list_is_an_error_that_names_the_extra(
    run, python_without_rich, tmp_path
):
    command = [python_without_rich, "-m", "reg", "backends", "shop.backends"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "pip install 'reg-dispatch[backends]'" in done.stderr


def test_output_of_an_imported_module_does_not_get_into_the_data(run, tmp_path):
    tmp_path.joinpath("loud.py").write_text("from shop import registry\nprint('hello')\n")
    shown = run("list", "loud:registry", "--format", "json")
    assert len(json.loads(shown.stdout)) == 1
    assert shown.stderr == "hello\n"


def test_a_class_may_be_named_as_it_is_in_the_module_of_the_generic_function_or_in_python(run):
    shown = run("explain", "shop:size", "Invoice", "--lookup", "shop:registry").stdout
    assert shown.startswith("size(Invoice) in Registry 'shop' finds document_size\n")
    shown = run("explain", "shop:size", "int", "--lookup", "shop:registry").stdout
    assert shown.startswith("size(int) in Registry 'shop' finds nothing")


def test_list_shows_the_entries_of_a_matcher(run, tmp_path):
    tmp_path.joinpath("views.py").write_text(
        """
import reg
from shop import registry, size, Invoice

matcher = reg.PredicateMatcher(
    [reg.Predicate("name", reg.KeyIndex), reg.Predicate("method", reg.KeyIndex)]
)
registry.register(size, [Invoice], matcher)

@matcher.register({"method": "POST"})
def save(obj): return 0

@matcher.register({"name": "edit", "method": "GET"})
def edit(obj): return 0

@matcher.register({})
def other(obj): return 0
"""
    )
    lines = run("list", "views:registry").stdout.splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [
        ["(Invoice)", "PredicateMatcher"],
        ["name='edit',", "method='GET'"],
        ["method='POST'", "save"],
        ["anything", "other"],
    ]
    assert lines[4].endswith("views.py:10")
    _, data = json.loads(run("list", "views:registry", "--format", "json").stdout)
    assert data["predicates"][0] == {
        "predicates": {"name": "edit", "method": "GET"},
        "component": "views.edit",
        "filename": str(tmp_path / "views.py"),
        "lineno": 13,
    }


def test_the_version_is_that_of_the_distribution_with_the_build(run, monkeypatch):
    version = importlib.metadata.version("reg-dispatch")
    assert run("--version").stdout == f"reg {version} ({reg.build})\n"
    monkeypatch.setenv("REG_PURE_PYTHON", "1")
    assert run("--version").stdout == f"reg {version} (Python build: REG_PURE_PYTHON=1)\n"


def test_the_status_of_check_is_one_if_there_are_findings(run, tmp_path):
    sound, broken = run("check", "shop:registry"), run("check", "shop:broken")
    assert (sound.returncode, sound.stdout) == (0, "0 findings\n")
    assert broken.returncode == 1
    assert "[unreachable]" in broken.stdout
    assert run("check", "shop:broken", "--accept", "unreachable").returncode == 0
    (tmp_path / "pyproject.toml").write_text('[tool.reg]\naccept = ["unreachable"]\n')
    assert run("check", "shop:broken").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "shop"], "type package.module:name"),
        (["check", "shop.registry"], "type package.module:name, such as shop:registry"),
        (["check", "shopp:registry"], "cannot import 'shopp' (ModuleNotFoundError: No module"),
        (["check", "broken:registry"], "(ValueError: two lines, at /"),
        (["check", "ended:registry"], "(SystemExit: 3, at /"),
        (["check", "shop:registri"], "there is no 'registri' among registry, "),
        (["list", "shop:registry.nonsense"], "there is no 'nonsense' among "),
        (
            ["check", "shop:number"],
            "shop:number is not a registry or lookup; type the name",
        ),
        (["check", "shop:number"], ", such as shop:registry"),
        (["check", "shop:application"], ", such as shop:application.lookup"),
        (["check", "shop:registry", "--accept", "all"], "the kinds are unreachable"),
        (["explain", "shop:size", "int"], "add --lookup package.module:name, such as shop:regis"),
        (["explain", "shop:size", "Invoic"], "add --lookup"),
        (
            ["explain", "shop:size", "Invoic", "--lookup", "shop:registry"],
            "there is no 'Invoic' in shop, nor in Python",
        ),
        (
            ["explain", "shop:document_size", "int", "--lookup", "shop:registry"],
            "shop:document_size is not a generic function, and nothing is registered under it",
        ),
        (["explain", "shop:size", "shop:size", "--lookup", "shop:registry"], "is not a class"),
        (["backends", "shop:registry"], "shop:registry is no dispatcher of backends; type a gr"),
        (["backends", "host:area"], "or the name of a dispatcher, such as host:dispatcher"),
        (["backends", "shop:nothing"], "there is no 'nothing' among"),
        (["backends", " "], "a group of entry points has a name"),
        (["backends", "shop.backends", "--format", "dot"], "invalid choice"),
        (["backends"], "GROUP"),
        (["frobnicate"], "invalid choice"),
        ([], "COMMAND"),
    ],
)
def test_a_usage_error_is_one_line_with_the_correct_form(run, tmp_path, arguments, message):
    tmp_path.joinpath("broken.py").write_text("raise ValueError('two\\nlines')\n")
    tmp_path.joinpath("host.py").write_text(
        "from reg.backends import BackendDispatcher\n"
        "dispatcher = BackendDispatcher(entrypoint_group='h', host_name='h')\n"
        "def area(): ...\n"
    )
    tmp_path.joinpath("ended.py").write_text("import sys\nsys.exit(3)\n")
    shown = run(*arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert len(shown.stderr.splitlines()) == 1
    assert message in shown.stderr
