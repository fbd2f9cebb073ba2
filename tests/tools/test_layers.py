"""Imports among the tools point one way."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import reg.tools

FOLDER = Path(reg.tools.__file__).parent


def _imports(path):
    """The names of the modules that a file imports, also in functions and for type checkers."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = "." * node.level + (node.module or "")
            yield from [base] if node.module else [f"{base}{alias.name}" for alias in node.names]


def test_no_tool_imports_itself_by_way_of_another():
    graph = {
        path.stem: {name[1:] for name in _imports(path) if not name.startswith("..")}
        for path in FOLDER.glob("*.py")
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


def test_tools_know_neither_test_plugins_nor_backends_except_in_the_command_for_backends():
    importing = {
        path.stem
        for path in FOLDER.glob("*.py")
        for name in _imports(path)
        if name.startswith(("..testing", "..backends"))
    }
    assert importing == {"backends_command"}


def test_names_tables_and_formats_know_nothing_of_registries():
    for stem in ("tables", "formats"):
        assert list(_imports(FOLDER / f"{stem}.py")) == []
    assert list(_imports(FOLDER / "names.py")) == [".._classes"]
