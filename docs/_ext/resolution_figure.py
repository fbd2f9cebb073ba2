"""The figure of how a call is resolved, drawn from an actual look-up.

The directive ``resolution-figure`` makes two registries, asks reg for
the candidates of a call, and draws their order. If the order changed, so would
the figure.
"""

from __future__ import annotations

from typing import Any

from drawing import BORDER, BRAND, INVERSE, FigureDirective, picture, text
from sphinx.application import Sphinx

import reg


class Model: ...


class Text(Model): ...


class Python(Text): ...


class Target: ...


class HTML(Target): ...


@reg.generic
def render(model: Model, target: Target) -> str:
    """The generic function of the call in the figure."""
    return "fallback"


_CALL = (Python, HTML)
_REGISTERED: dict[str, list[tuple[type, type]]] = {
    "application": [(Text, Target), (Python, Target)],
    "framework": [(Text, HTML), (Python, HTML), (Model, Target)],
}

_CELL_WIDTH, _CELL_HEIGHT, _LEFT, _TOP = 66, 40, 70, 76


def _resolution() -> dict[tuple[str, tuple[type, ...]], int]:
    """The number of each component in the order of the look-up."""
    registries = {name: reg.ClassRegistry(name=name) for name in _REGISTERED}
    for name, combinations in _REGISTERED.items():
        for classes in combinations:
            registries[name].register(render, classes, (name, classes))
    components = reg.ListClassLookup(registries.values()).all(render, _CALL)
    return {component: number for number, component in enumerate(components, 1)}


def figure() -> list[str]:
    """Draw a grid for each registry, in the colours of the page it stands in."""
    order = _resolution()
    pictures = [_grid(f"{place}. {name}", name, order) for place, name in enumerate(_REGISTERED, 1)]
    parts = [
        text(0, 18, f"{len(_REGISTERED) + 1}. the decorated function", "start", bold=True),
        _cell(_LEFT, 31, len(order) + 1, "dashed"),
        text(_LEFT + _CELL_WIDTH + 12, 56, "render() itself", "start"),
    ]
    label = f"At last, with number {len(order) + 1}, the decorated function."
    return [*pictures, picture(_LEFT + 3 * _CELL_WIDTH, 76, label, parts)]


def _grid(title: str, name: str, order: dict[tuple[str, tuple[type, ...]], int]) -> str:
    rows, columns = (cls.__mro__ for cls in _CALL)
    parts = [
        text(0, 18, title, "start", bold=True),
        text(_LEFT, _TOP - 36, "target: its MRO →", "start", faint=True),
        text(0, _TOP - 12, "model ↓", "start", faint=True),
    ]
    parts += [
        text(_LEFT + (place + 0.5) * _CELL_WIDTH, _TOP - 12, cls.__name__)
        for place, cls in enumerate(columns)
    ]
    for line, row in enumerate(rows):
        top = _TOP + line * _CELL_HEIGHT
        parts.append(text(_LEFT - 8, top + 25, row.__name__, "end"))
        for place, column in enumerate(columns):
            number = order.get((name, (row, column)))
            parts.append(_cell(_LEFT + place * _CELL_WIDTH, top, number))
    label = (
        f"The grid of the {name}. Rows are the MRO of {_CALL[0].__name__}, columns that of"
        f" {_CALL[1].__name__}. Registered combinations are numbered row by row."
    )
    width, height = _LEFT + len(columns) * _CELL_WIDTH, _TOP + len(rows) * _CELL_HEIGHT
    return picture(width, height, label, parts)


def _cell(left: float, top: float, number: int | None, kind: str = "") -> str:
    chosen = number == 1
    fill = BRAND if chosen else "none"
    stroke = BRAND if number else BORDER
    line = f'stroke="{stroke}" stroke-width="{1.5 if number else 0.75}"'
    dashes = ' stroke-dasharray="4 3"' if kind == "dashed" else ""
    rectangle = (
        f'<rect x="{left + 3}" y="{top + 3}" width="{_CELL_WIDTH - 6}" height="{_CELL_HEIGHT - 6}"'
        f' rx="4" fill="{fill}" {line}{dashes}/>'
    )
    if number is None:
        return rectangle
    colour = INVERSE if chosen else "currentColor"
    return rectangle + text(left + _CELL_WIDTH / 2, top + 25, str(number), bold=True, fill=colour)


class ResolutionFigure(FigureDirective):
    """Put the figure in the page, with the content of the directive as its caption."""

    draw = staticmethod(figure)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("resolution-figure", ResolutionFigure)
    return {"version": "1", "parallel_read_safe": True}
