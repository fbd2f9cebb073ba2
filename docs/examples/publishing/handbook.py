"""An application that overrides parts of the framework.

The framework is not changed for it, and ``plain`` is not affected.
"""

from __future__ import annotations

import ast
import csv
import warnings
from collections.abc import Callable, Iterator
from html import escape

from .framework import HTML, Application, model, render, title
from .models import Directory, Image, Python, Text

application = Application("handbook")


@application.registry.model(".csv")
class Table(Text):
    """A model that the framework does not know."""

    @property
    def rows(self) -> list[list[str]]:
        return list(csv.reader(self.text.splitlines()))


@application.registry.view(Table, HTML)
def table(table: Table, target: HTML) -> str:
    rows = ("".join(f"<td>{escape(cell)}" for cell in row) for row in table.rows)
    return f"<table>{''.join(f'<tr>{row}' for row in rows)}</table>"


@application.registry.implements(title)
def subject(model: Python, call_next: Callable[[], str]) -> str:
    """A module is called by the first line of its docstring."""
    try:
        docstring = ast.get_docstring(_parsed(model))
    except Exception:  # its own page reports the error
        docstring = None
    return docstring.splitlines()[0] if docstring else call_next()


@application.registry.view(Python, HTML)
def outlined(model: Python, target: HTML, call_next: Callable[[], str]) -> str:
    """The definitions in a module go in front of the framework's page."""
    try:
        names = [escape(name) for name in _definitions(_parsed(model))]
    except (SyntaxError, RecursionError, MemoryError) as error:
        target.fell_back.append(f"no outline: {error}")
        names = []
    outline = "".join(f"<li><code>{name}</code>" for name in names)
    return f"<ul>{outline}</ul>{call_next()}" if outline else call_next()


def _parsed(model: Python) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the published file, not about this program
        return ast.parse(model.text)


def _definitions(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            yield f"class {node.name}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{node.name}({ast.unparse(node.args)})"


@application.registry.view(Directory, HTML)
def with_readme(directory: Directory, target: HTML, call_next: Callable[[], str]) -> str:
    readme = next((path for path in directory.paths if path.stem.lower() == "readme"), None)
    if readme is None or target.url(readme) is None:
        return call_next()
    return f"{call_next()}<hr>{render(model(readme), target)}"


@application.registry.view(Image, HTML)
def figure(image: Image, target: HTML, call_next: Callable[[], str]) -> str:
    return f"<figure>{call_next()}<figcaption>{escape(title(image))}</figcaption></figure>"
