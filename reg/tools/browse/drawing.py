"""The drawing of a composition: boxes in boxes, asked from the top, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from .catalogue import Registry
from .model import Application, Part

__all__ = ["composition", "tint"]

_WIDTH, _INSET, _GAP, _BOX, _TITLE, _RULE = 320, 14, 26, 52, 34, 18
# About the number of letters that fit into a box.
_LETTERS, _LETTER = 38, 7
_TINTS = 6


def tint(registry: int) -> str:
    """Name the CSS class with the colour of a registry."""
    return f"r{(registry - 1) % _TINTS + 1}"


def composition(application: Application) -> str:
    """Draw the way of a call through the registries, down to the decorated function.

    :param application: the model of the page.
    :return: an SVG element, in the colours of the page.
    """
    registries = {registry.number: registry for registry in application.registries}
    parts = [_text(_WIDTH / 2, 14, "a call", "middle faint"), _arrow(22, "")]
    height, drawn = _draw(application.composition, 0, 22 + _GAP, registries)
    bottom = 22 + _GAP + height
    parts += [
        *drawn,
        _arrow(bottom, "nothing found"),
        f'<rect class="fallback" x="0.5" y="{bottom + _GAP}" width="{_WIDTH - 1}" height="34"'
        ' rx="8"/>',
        _text(_WIDTH / 2, bottom + _GAP + 22, "the decorated function", "middle"),
    ]
    order = ", then ".join([registry.name for registry in application.registries])
    label = f"A call asks {order}; if nothing is found, the decorated function runs."
    total = bottom + _GAP + 35
    return (
        f'<svg class="composition" viewBox="0 0 {_WIDTH} {total}" width="{_WIDTH}"'
        f' height="{total}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _draw(
    part: Part, inset: float, top: float, registries: dict[int, Registry]
) -> tuple[float, list[str]]:
    """Draw a part; the result is its height and the elements."""
    if part.registry is not None:
        return _BOX, list(_draw_registry(part, inset, top, registries[part.registry]))
    height: float = _TITLE + (_RULE if part.rule else 0)
    below: list[str] = []
    for index, child in enumerate(part.parts):
        if index:
            plus = _text(_WIDTH / 2, top + height + 18, "and", "middle faint")
            below.append(plus if part.merged else _arrow(top + height, ""))
            height += _GAP
        size, elements = _draw(child, inset + _INSET, top + height, registries)
        below += elements
        height += size
    height += _INSET
    left, width = inset + 0.5, _WIDTH - 2 * inset - 1
    elements = [
        f'<rect class="box" x="{left}" y="{top}" width="{width}" height="{height}" rx="10"/>',
        _text(inset + _INSET, top + 22, part.label, "strong", width),
    ]
    if part.rule:
        elements.append(_text(inset + _INSET, top + 40, part.rule, "faint", width))
    return height, elements + below


def _draw_registry(part: Part, inset: float, top: float, registry: Registry) -> Iterator[str]:
    width = _WIDTH - 2 * inset - 1
    many = "" if registry.size == 1 else "s"
    size = (
        f"{registry.size} implementation{many}" if registry.known else f"third-party: {part.rule}"
    )
    yield f'<g class="{tint(registry.number)}">'
    yield (
        f'<rect class="registry" x="{inset + 0.5}" y="{top}" width="{width}" height="{_BOX}"'
        ' rx="8"/>'
    )
    yield f'<circle class="badge" cx="{inset + 24}" cy="{top + _BOX / 2}" r="11"/>'
    yield _text(inset + 24, top + _BOX / 2 + 4.5, str(registry.number), "middle number")
    yield _text(inset + 46, top + 22, registry.name, "strong", width - 46)
    yield _text(inset + 46, top + 40, size, "faint", width - 46)
    yield "</g>"


def _arrow(top: float, label: str) -> str:
    middle, end = _WIDTH / 2, top + _GAP - 5
    words = _text(middle + 12, top + 17, label, "faint") if label else ""
    return f'<path class="arrow" d="M{middle} {top + 4}V{end}m-4 -5l4 5l4 -5"/>{words}'


def _text(left: float, baseline: float, content: str, css_class: str, width: float = 0) -> str:
    letters = int(width / _LETTER) if width else _LETTERS
    shown = content if len(content) <= letters else f"{content[: letters - 1]}…"
    return f'<text x="{left}" y="{baseline}" class="{css_class}">{escape(shown)}</text>'
