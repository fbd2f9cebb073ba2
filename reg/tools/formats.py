"""Formats beside text: tables for rich and for notebooks, graphs for Graphviz.

They know rows, nodes and edges, and nothing of registries.
"""

from __future__ import annotations

import html
import json
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

__all__ = ["Edge", "Node", "dot_graph", "html_table", "rich_table", "stacked"]

# Notebooks align cells to the right. The colours stay those of the page.
_CELL_STYLE = 'style="text-align: left; vertical-align: top"'


class Node(NamedTuple):
    """A node of a graph: its identifier, its text, further attributes of Graphviz."""

    name: str
    label: str
    attributes: str = ""


class Edge(NamedTuple):
    """An edge of a graph, between the identifiers of two nodes."""

    start: str
    end: str
    label: str = ""


def rich_table(
    title: str,
    headings: Iterable[str],
    rows: Iterable[Iterable[str]],
    bold: Container[int] = (),
) -> Table:
    """Make a table for rich.

    :param title: stands above it.
    :param headings: the headings of the columns.
    :param rows: the cells of each row.
    :param bold: the numbers of the rows in bold type.
    :return: the table.
    :raises ImportError: if rich is not installed.
    """
    try:
        from rich.table import Table
        from rich.text import Text
    except ImportError as error:
        raise ImportError(
            "a table needs rich, which is not installed: pip install 'reg-dispatch[cli]'"
        ) from error
    # As Text, since a repr in brackets would be taken for a style.
    table = Table(title=Text(title), title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for index, row in enumerate(rows):
        table.add_row(*map(Text, row), style="bold" if index in bold else None)
    return table


def stacked(tables: Iterable[Table]) -> RenderableType:
    """Put tables of rich below each other.

    :param tables: the tables, from the top.
    :return: an object that rich can print.
    """
    tables = list(tables)
    from rich.console import Group

    return Group(*tables)


def html_table(
    title: str,
    headings: Iterable[str],
    rows: Iterable[tuple[str, Iterable[str]]],
    bold: Container[int] = (),
) -> str:
    """Make a table for a notebook.

    :param title: stands above it.
    :param headings: the headings of the columns.
    :param rows: the CSS class of each row, and its cells.
    :param bold: the numbers of the rows in bold type.
    :return: HTML, in which all texts are escaped.
    """
    heads = "".join(f"<th {_CELL_STYLE}>{_escaped(heading)}</th>" for heading in headings)
    body = ""
    for index, (css_class, cells) in enumerate(rows):
        shown = [_escaped(cell) for cell in cells]
        if index in bold:
            shown = [f"<strong>{cell}</strong>" for cell in shown]
        columns = "".join(f"<td {_CELL_STYLE}>{cell}</td>" for cell in shown)
        body += f'<tr class="{html.escape(css_class)}">{columns}</tr>'
    return (
        '<table class="reg-resolution"><caption style="text-align: left">'
        f"{_escaped(title)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


def dot_graph(name: str, nodes: Iterable[Node], edges: Iterable[Edge]) -> str:
    """Write a graph, from left to right, for Graphviz.

    :param name: the name of the graph.
    :param nodes: the nodes.
    :param edges: the edges.
    :return: the graph, in the language DOT.
    """
    lines = [f"digraph {name} {{", "  rankdir=LR;", "  node [shape=box];"]
    for node in nodes:
        attributes = f", {node.attributes}" if node.attributes else ""
        lines.append(f"  {_quoted(node.name)} [label={_quoted(node.label)}{attributes}];")
    for edge in edges:
        label = f" [label={_quoted(edge.label)}]" if edge.label else ""
        lines.append(f"  {_quoted(edge.start)} -> {_quoted(edge.end)}{label};")
    return "\n".join([*lines, "}"])


def _escaped(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _quoted(text: str) -> str:
    # A JSON string is one of Graphviz too.
    return json.dumps(text, ensure_ascii=False)
