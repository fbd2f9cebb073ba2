"""The figure of a composition, drawn from actual look-ups.

The directive ``composition-figure`` makes the registries of the start page,
asks reg for the candidates of four calls, and draws them.
"""

from __future__ import annotations

from typing import Any

from drawing import BORDER, BRAND, INVERSE, FigureDirective, picture, text
from sphinx.application import Sphinx

import reg


class Text: ...


class Image: ...


class Page: ...


class Screen: ...


@reg.generic
def show(item: Any, place: Any) -> Any:
    """The generic function of the calls in the figure."""


_REGISTERED: dict[str, dict[str, tuple[type, type]]] = {
    "application": {"framed": (Text, Page), "picture": (Image, Page)},
    "framework": {"plain": (Text, object), "paragraph": (Text, Page)},
}
_CALLS = [(Text, Page), (Text, Screen), (Image, Page), (Image, Screen)]
_COLUMNS = [*_REGISTERED, "the function"]
_TOP, _COLUMN_WIDTH, _LINE, _CELL_HEIGHT, _ROW_HEIGHT = 36, 119, 24, 34, 68


def _components(classes: tuple[type, type]) -> list[tuple[str, str]]:
    """The registry and the name of each component, in the order of the look-up."""
    registries = []
    for name, components in _REGISTERED.items():
        registry = reg.ClassRegistry(name=name)
        for component, registered in components.items():
            registry.register(show, registered, (name, component))
        registries.append(registry)
    return [*reg.ListClassLookup(registries).all(show, classes), (_COLUMNS[-1], show.__name__)]


def figure() -> list[str]:
    """Draw a row for each call and a column for each registry."""
    parts = [
        text((place + 0.5) * _COLUMN_WIDTH, 22, name, bold=True)
        for place, name in enumerate(_COLUMNS)
    ]
    for line, classes in enumerate(_CALLS):
        top = _TOP + line * _ROW_HEIGHT
        call = f"show({', '.join(f'{cls.__name__}()' for cls in classes)})"
        parts.append(text(5, top + _LINE - 8, call, "start", code=True))
        components = _components(classes)
        for place, column in enumerate(_COLUMNS):
            names = [name for registry, name in components if registry == column]
            chosen = components[0][0] == column
            parts.append(_cell(place * _COLUMN_WIDTH, top + _LINE, names, chosen=chosen))
    label = (
        "A table of four calls. Each goes from the application to the framework to the function,"
        " and the first that has a match for its classes runs."
    )
    width = len(_COLUMNS) * _COLUMN_WIDTH
    return [picture(width, _TOP + len(_CALLS) * _ROW_HEIGHT, label, parts)]


def _cell(left: float, top: float, names: list[str], *, chosen: bool) -> str:
    middle, across = top + _CELL_HEIGHT / 2, left + _COLUMN_WIDTH / 2
    if not names:
        return (
            f'<line x1="{left + 5}" x2="{left + _COLUMN_WIDTH - 5}" y1="{middle}" y2="{middle}"'
            f' stroke="{BORDER}" stroke-dasharray="3 4"/>'
        )
    fill, written = (BRAND, INVERSE) if chosen else ("none", "currentColor")
    rectangle = (
        f'<rect x="{left + 3}" y="{top + 1}" width="{_COLUMN_WIDTH - 6}"'
        f' height="{_CELL_HEIGHT - 2}" rx="4" fill="{fill}" stroke="{BRAND}"/>'
    )
    return rectangle + text(across, middle + 5, ", ".join(names), fill=written, bold=chosen)


class CompositionFigure(FigureDirective):
    """Put the figure in the page, with the content of the directive as its caption."""

    draw = staticmethod(figure)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("composition-figure", CompositionFigure)
    return {"version": "1", "parallel_read_safe": True}
