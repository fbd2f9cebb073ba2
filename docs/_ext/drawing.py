"""Draws the figures of the documentation: SVG in the colours of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

#: Colours of the page, light or dark as it is.
BRAND = "var(--color-brand-primary, currentColor)"
BORDER = "var(--color-foreground-border, currentColor)"
INVERSE = "var(--color-background-primary, white)"


def picture(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """Put parts together to a picture; keep it so narrow that it fits a telephone.

    :param label: describes the picture in words.
    """
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}"'
        f' style="width: {width}px; max-width: 100%; display: block"'
        f' xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def text(
    left: float,
    baseline: float,
    content: str,
    anchor: str = "middle",
    *,
    bold: bool = False,
    faint: bool = False,
    code: bool = False,
    fill: str = "currentColor",
) -> str:
    """Write a line of text."""
    weight = ' font-weight="bold"' if bold else ""
    opacity = ' opacity="0.75"' if faint else ""
    family = ' font-family="var(--font-stack--monospace, monospace)"' if code else ""
    return (
        f'<text x="{left}" y="{baseline}" text-anchor="{anchor}" font-size="14"'
        f' fill="{fill}"{weight}{opacity}{family}>{escape(content)}</text>'
    )


class FigureDirective(SphinxDirective):
    """Puts the result of ``draw`` in the page, with the content of the directive as its caption.

    Pictures stand beside each other, or one below the other where there is no room.
    """

    has_content = True
    draw: ClassVar[Callable[[], list[str]]]

    def run(self) -> list[nodes.Node]:
        # In the page and not beside it: a picture would not know the page's colours.
        svg = f'<div class="pictures">{"".join(self.draw())}</div>'
        caption = nodes.caption()
        content = nodes.paragraph()
        self.state.nested_parse(self.content, self.content_offset, content)
        for paragraph in content.children:
            caption += paragraph.children
        return [nodes.figure("", nodes.raw("", svg, format="html"), caption)]
