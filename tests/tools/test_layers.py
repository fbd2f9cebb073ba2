"""Imports point one way: core ← tools ← testing, and core ← backends ← testing."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import reg

FOLDER = Path(reg.__file__).parent

# A room may import itself and these.
BELOW = {
    "core": set(),
    "tools": {"core"},
    "backends": {"core"},
    "testing": {"core", "tools", "backends"},
}

# The exceptions, which are imported when they are called: explanations, and two commands.
DOORS = {
    ("reg", "reg.tools.check"),
    ("reg", "reg.tools.trace"),
    ("reg.__main__", "reg.tools.command_line"),
    ("reg._errors", "reg.tools.explain"),
    ("reg._slow_path", "reg.tools.explain"),
    ("reg.lookup", "reg.tools.explain"),
    ("reg.tools.backends_command", "reg.backends"),
}


def _is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _statements(node):
    """All statements within a node, except those that only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if not _is_for_type_checkers(child):
            yield child
            yield from _statements(child)


def _module_name(path):
    parts = path.relative_to(FOLDER.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _imports(path):
    """The modules of the package that a file imports, also within its functions."""
    package = path.parent.relative_to(FOLDER.parent).parts
    for node in _statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            members = [f"{base}.{alias.name}" for alias in node.names]
            names = [member if member in MODULES else base for member in members]
        else:
            continue
        yield from (name for name in names if name in MODULES)


MODULES = {_module_name(path): path for path in FOLDER.rglob("*.py")}
EDGES = {
    (name, imported)
    for name, path in MODULES.items()
    for imported in _imports(path)
    if imported != name
} | {("reg", f"reg.{module}") for module in reg._MODULES}


def _room(module):
    second = [*module.split("."), ""][1]
    return second if second in BELOW else "core"


def _assert_no_circle(edges):
    graph = {}
    for name, imported in edges:
        graph.setdefault(name, set()).add(imported)
    TopologicalSorter(graph).prepare()


def test_each_room_imports_itself_and_the_rooms_below_it():
    crossing = {
        (name, imported)
        for name, imported in EDGES
        if _room(name) != _room(imported) and _room(imported) not in BELOW[_room(name)]
    }
    assert crossing == DOORS


@pytest.mark.parametrize("room", BELOW)
def test_no_module_of_a_room_imports_itself_by_way_of_another(room):
    _assert_no_circle(edge for edge in EDGES if {_room(module) for module in edge} == {room})


def test_names_tables_and_formats_know_nothing_of_registries():
    for name in ("tables", "formats"):
        assert [edge for edge in EDGES if edge[0] == f"reg.tools.{name}"] == []
    imported = {imported for name, imported in EDGES if name == "reg.tools.names"}
    assert imported <= {"reg._classes", "reg._refinements", "reg._store"}


def test_the_package_is_imported_without_tools_testing_or_backends():
    program = "import reg, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    modules = [name for name in done.stdout.split() if name.partition(".")[0] == "reg"]
    assert "reg.generic" in modules
    assert {_room(module) for module in modules} == {"core"}
