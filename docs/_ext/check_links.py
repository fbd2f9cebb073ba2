"""Warns of links in the written pages that lead to no page or no part of it.

Sphinx checks the references in its sources. These are all links, those of other extensions and of
pages that are not made by Sphinx among them.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

_logger = logging.getLogger(__name__)


class _Page(HTMLParser):
    """The links of a page, and the names of its parts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.parts = {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name in ("href", "src"):
                self.links.add(value)
            elif value and name == "id":
                self.parts.add(value)


def broken_links(folder: Path) -> list[tuple[Path, str]]:
    """The links within a folder of pages that lead nowhere, each with its page."""
    pages = {path.resolve(): _Page(path) for path in sorted(folder.rglob("*.html"))}
    broken = []
    for path, page in pages.items():
        for link in sorted(page.links):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            is_part = target not in pages or unquote(url.fragment) in pages[target].parts
            if not (target.is_file() and is_part):
                broken.append((path, link))
    return broken


def _check(app: Sphinx, failure: Exception | None) -> None:
    if failure is None and app.builder.name == "html":
        for path, link in broken_links(Path(app.outdir)):
            _logger.warning("%s: the link %r leads nowhere", path, link)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", _check)
    return {"version": "1", "parallel_read_safe": True}
