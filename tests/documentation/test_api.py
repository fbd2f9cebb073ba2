"""The pages of the API have every public name, once, with its parameters and results."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import reg
import reg.backends

PAGES = {
    path.stem: path.read_text()
    for path in (Path(__file__).parents[2] / "docs" / "api").glob("*.rst")
}
PUBLIC = {name: getattr(reg, name) for name in reg.__all__} | {
    f"reg.backends.{name}": getattr(reg.backends, name) for name in reg.backends.__all__
}
# Of the core, although their names have no underscore.
INTERNAL = {"Registration.for_number", "Registration.with_candidate"}
# These collect arguments by position, for an error message.
GUARDS = {"misplaced", "surplus", "more"}


def _pages_with(name):
    directive = re.compile(rf"^\.\. (?:auto)?\w+:: {re.escape(name)}(?:\(\))?$", re.MULTILINE)
    return [page for page, text in PAGES.items() for _ in directive.findall(text)]


def _callables():
    """The public functions, and the public methods of public classes, by name."""
    for name, public in PUBLIC.items():
        if inspect.isfunction(public):
            yield name, public
        elif inspect.isclass(public):
            methods = inspect.getmembers(public, inspect.isfunction)
            yield from (
                (f"{name}.{method}", function)
                for method, function in methods
                if not method.startswith("_") and function.__module__.startswith("reg.")
            )


CALLABLES = {name: call for name, call in _callables() if name not in INTERNAL}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_on_one_page_of_the_api(name):
    assert len(_pages_with(name)) == 1


@pytest.mark.parametrize("name", reg.__all__)
def test_a_name_that_is_imported_from_reg_is_in_the_table_of_the_api(name):
    assert re.search(rf":\w+:`{name}`", PAGES["index"])


@pytest.mark.parametrize("name", CALLABLES)
def test_a_public_function_documents_its_parameters_and_its_result(name):
    document = inspect.getdoc(CALLABLES[name])
    assert document
    if ":func:`reg.generic`" in document:
        document += inspect.getdoc(reg.generic)
    signature = inspect.signature(CALLABLES[name])
    documented = set(re.findall(r":param (\w+):", document))
    assert set(signature.parameters) - GUARDS - {"self", "function_or_names"} <= documented
    assert signature.return_annotation in ("None", "NoReturn") or ":return:" in document
