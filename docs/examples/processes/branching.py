"""Counts the branches of programs, with a generic function of syntax nodes.

The number of ways through a function is the number of tests it needs. The
definition of a branch is open to debate, so each house can override it.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import reg


@reg.generic("node")
def branches(node: ast.AST) -> int:
    """How many ways there are through this piece of a program, besides the first."""
    return 0


usual = reg.Registry(name="usual")


@usual.implements(branches)
def of_a_branch(node: ast.If | ast.IfExp | ast.For | ast.While | ast.ExceptHandler) -> int:
    return 1


@usual.implements(branches)
def of_a_condition(node: ast.BoolOp) -> int:
    return len(node.values) - 1


house = reg.Registry(name="house")


@house.implements(branches)
def of_an_assertion(node: ast.Assert) -> int:
    return 1


@house.implements(branches)
def of_a_loop(node: ast.For | ast.While, call_next: Any) -> int:
    count: int = call_next()
    return count + bool(node.orelse)


lookup = reg.Lookup(reg.ListClassLookup([house, usual]))


class Count(NamedTuple):
    """The counts of one file."""

    file: str
    calls: int
    branches: int


def count(path: Path, lookup: Any) -> Count:
    """Count the branches in a file, with one call for each node of its syntax tree."""
    counts = [branches(node, lookup=lookup) for node in ast.walk(ast.parse(path.read_bytes()))]
    return Count(path.name, len(counts), sum(counts))


def sources(*packages: str) -> list[Path]:
    """The files of installed packages, without those of packages within."""
    found: list[Path] = []
    for package in packages:
        spec = find_spec(package)
        for directory in (spec and spec.submodule_search_locations) or ():
            found += sorted(Path(directory).glob("*.py"))
    return found
