"""The framework's own implementations, behind those of every application."""

from __future__ import annotations

import functools
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import docutils.core
import docutils.io
import docutils.readers.doctree
import pygments
import rich.syntax
import rich.text
import rich.tree
from docutils import nodes
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

from .framework import HTML, Target, Terminal, model, registry, render, title
from .models import (
    SAFE_DOCUTILS,
    Data,
    Directory,
    Image,
    Ini,
    Json,
    Link,
    Model,
    Python,
    ReST,
    Source,
    Text,
    Toml,
)

registry.model(kind="directory")(Directory)
registry.model(kind="link")(Link)
registry.model(".txt", ".md")(Text)
registry.model(".rst")(ReST)
registry.model(".py", ".pyi")(Python)
registry.model(".c", ".css", ".h", ".html", ".js", ".sh", ".sql", ".xml", ".yaml", ".yml")(Source)
registry.model(".toml")(Toml)
registry.model(".json")(Json)
registry.model(".ini", ".cfg")(Ini)
registry.model(".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")(Image)


@registry.implements(title)
def directory_title(model: Directory) -> str:
    return f"{model.name}/"


@registry.implements(title)
def document_title(model: ReST, call_next: Callable[[], str]) -> str:
    try:
        return model.document.get("title") or call_next()
    except Exception:  # its own page reports the error
        return call_next()


@registry.view(Model, Target, name="summary")
def size(model: Model, target: Target) -> str:
    return _count(model.path.lstat().st_size, "byte", "bytes")


@registry.view(Text, Target, name="summary")
def length(model: Text, target: Target, call_next: Callable[[], str]) -> str:
    try:
        return _count(len(model.text.splitlines()), "line", "lines")
    except (OSError, ValueError):
        return call_next()


@registry.view(Directory, Target, name="summary")
def number_of_entries(model: Directory, target: Target, call_next: Callable[[], str]) -> str:
    try:
        return _count(len(model.paths), "entry", "entries")
    except OSError:
        return call_next()


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


@registry.view(Directory, HTML)
def index(directory: Directory, target: HTML) -> str:
    rows = []
    for path in directory.paths:
        address = target.url(path)
        if address is not None:
            entry = model(path)
            name = escape(title(entry))
            summary = escape(render(entry, Target("summary")))
            rows.append(f'<tr><td><a href="{escape(address)}">{name}</a><td>{summary}')
    return f"<table>{''.join(rows)}</table>" if rows else target.message("The directory is empty.")


@registry.view(Link, Target)
def where_it_points(link: Link, target: Target) -> Any:
    return target.message(f"A symbolic link to {Model(link.path.readlink()).name}")


@registry.view(Image, HTML)
def picture(image: Image, target: HTML) -> str:
    address = escape(target.original(image.path) or "")
    return f'<img src="{address}" alt="{escape(image.name)}">'


@registry.view(Text, HTML)
def preformatted(model: Text, target: HTML) -> str:
    return f"<pre>{escape(model.text)}</pre>" if model.text else target.message("It is empty.")


@registry.view(ReST, HTML)
def document(model: ReST, target: HTML) -> str:
    document = model.document.deepcopy()
    for link in document.findall(nodes.Element):
        if "refuri" in link:
            link["refuri"] = _safe_address(model.path, link["refuri"], target.url)
    for image in list(document.findall(nodes.image)):
        image.attributes.pop("loading", None)  # "embed" would read any file
        image.setdefault("alt", image["uri"])
        image["uri"] = _safe_address(model.path, image["uri"], target.original)
        if image["uri"].startswith("#"):
            image.replace_self(nodes.literal(text=image["alt"]))
    parts = docutils.core.publish_parts(
        document,
        source_class=docutils.io.DocTreeInput,
        reader=docutils.readers.doctree.Reader(),
        writer="html5",
        settings_overrides={**SAFE_DOCUTILS, "output_encoding": "unicode"},
    )
    return parts.get("docinfo", "") + parts.get("body", "")


def _safe_address(path: Path, address: str, where: Callable[[Path], str | None]) -> str:
    """Where a reference leads on the site; some addresses, such as javascript:, lead nowhere."""
    parts = urlsplit(address)
    if parts.scheme in ("http", "https", "mailto"):
        return address
    if parts.scheme or parts.netloc or not parts.path:
        return f"#{parts.fragment}"
    found = where(path.parent / unquote(parts.path))
    return "#" if found is None else f"{found}#{parts.fragment}" if parts.fragment else found


@registry.view(Source, HTML)
@registry.view(Text, HTML, name="source")
def highlighted(model: Text, target: HTML) -> str:
    formatter = HtmlFormatter(cssclass="source", linenos="table")
    return pygments.highlight(model.text, _lexer(model.path.name), formatter)


@functools.cache
def _lexer(filename: str) -> Lexer:
    try:
        lexer: Lexer = get_lexer_for_filename(filename)
    except ClassNotFound:
        lexer = TextLexer()
    return lexer


@registry.view(Data, HTML)
def structure(model: Data, target: HTML, call_next: Callable[[], str]) -> str:
    try:
        return _nested(model.load())
    except (ValueError, RecursionError) as error:
        target.fell_back.append(f"not well-formed: {error}")
        return call_next()


def _nested(value: Any) -> str:
    if isinstance(value, dict) and value:
        items = (f"<dt>{escape(str(k))}<dd>{_nested(v)}" for k, v in value.items())
        return f"<dl>{''.join(items)}</dl>"
    if isinstance(value, list) and value:
        return f"<ol>{''.join(f'<li>{_nested(each)}' for each in value)}</ol>"
    return f"<code>{escape(str(value))}</code>"


@registry.view(Text, Terminal)
def coloured(model: Text, target: Terminal) -> rich.syntax.Syntax:
    return rich.syntax.Syntax(model.text, _lexer(model.path.name), background_color="default")


@registry.view(Directory, Terminal)
def tree(directory: Directory, target: Terminal) -> rich.tree.Tree:
    found = rich.tree.Tree(rich.text.Text(title(directory)))
    for path in directory.paths:
        entry = model(path)
        found.add(rich.text.Text(f"{title(entry)}  {render(entry, Terminal('summary'))}"))
    return found
