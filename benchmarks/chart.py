"""Charts as SVG, with a background of their own, for light pages and dark ones."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

from report import number
from results import Results
from running import BUILDS

__all__ = ["calls", "curves"]

_STYLE = """\
.paper { fill: #ffffff } .ink { fill: #1f2328 } .faint { fill: #59636e }
.line { stroke: #d1d9e0; stroke-width: 1; fill: none }
.reg { fill: #0550ae } .peer { fill: #9aa4af }
.compiled { stroke: #0550ae } .pure { stroke: #bc4c00 }
.compiled, .pure { stroke-width: 2; fill: none }
text { font: 12px system-ui, sans-serif } .title { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  .paper { fill: #15181c } .ink { fill: #f0f3f6 } .faint { fill: #aab3bd }
  .line { stroke: #3d444d } .reg { fill: #6cb6ff } .peer { fill: #6b7580 }
  .compiled { stroke: #6cb6ff } .pure { stroke: #f69d50 }
}
"""

_BARS = {
    "call, 1": "A call with one argument",
    "call, 2": "A call with two arguments",
    "call_next(item)": "An implementation that calls the next one, × two direct calls",
    "predicates, 1": "One predicate, × a look-up in a dictionary and a direct call",
}

_PANELS = (
    ("cold, registrations", "reg", "Cold look-up: registrations", 1e6, "µs"),
    ("cold, depth", "reg", "Cold look-up: depth of classes", 1e6, "µs"),
    ("cold, arity", "reg", "Cold look-up: arguments", 1e6, "µs"),
    ("random predicates, entries", "entries", "Predicates: entries", 1e6, "µs"),
    ("predicates, number", "PredicateRegistry.get", "Predicates: predicates", 1e6, "µs"),
    ("registration", "one key", "Registering one more", 1e6, "µs"),
    ("memory of a registration", "1 classes", "Memory per registration", 1, "B"),
    ("threads", "reg", "A call, by threads", 1e6, "µs"),
    ("dropped classes", "peak", "Peak memory, dropped classes", 2**-20, "MiB"),
)


def calls(results: Results) -> str:
    """Draw bars of calls, as multiples of the direct call, by library.

    :param results: the results of one Python.
    :return: SVG.
    """
    parts: list[str] = []
    top = 20
    for row, title in _BARS.items():
        bars = sorted(_bars(results, row))
        if not bars:
            continue
        parts.append(_text(16, top + 4, title, "ink title"))
        longest = bars[-1][0]
        for ratio, name, kind in bars:
            top += 24
            width = 420 * ratio / longest
            parts.append(_text(150, top + 4, name, "ink", "end"))
            parts.append(
                f'<rect class="{kind}" x="160" y="{top - 9}" width="{width:.1f}"'
                ' height="17" rx="2"/>'
            )
            parts.append(_text(166 + width, top + 4, f"{ratio:.1f} ×", "faint"))
        top += 40
    return _svg(660, top, parts)


def _bars(results: Results, row: str) -> list[tuple[float, str, str]]:
    """Ratio, name and style of the libraries with a right answer in a row."""
    ratios = [(results.ratio(build, row), f"reg, {build}", "reg") for build in BUILDS]
    ratios += [
        (results.ratio("compiled", row, case), case, "peer")
        for case in results.cases("compiled", row)
        if case not in ("nothing", "direct", "reg")
    ]
    return [
        (ratio, name, kind)
        for ratio, name, kind in ratios
        if ratio is not None and ratio < math.inf
    ]


def curves(results: Results) -> str:
    """Draw a small curve for every cost that depends on a size, on logarithmic axes.

    :param results: the results of one Python.
    :return: SVG.
    """
    parts: list[str] = []
    width, height, columns = 250, 190, 3
    for index, (row, case, title, scale, unit) in enumerate(_PANELS):
        left, top = 10 + index % columns * width, 30 + index // columns * height
        parts.append(_text(left + 10, top, f"{title}, {unit}", "ink title"))
        by_build = {
            build: [
                (size, value * scale)
                for size, value in results.curve(build, row, case)
                if value < math.inf
            ]
            for build in BUILDS
        }
        parts += _panel(left + 40, top + 14, width - 70, height - 70, by_build)
    rows = -(-len(_PANELS) // columns)
    bottom = 30 + rows * height
    for index, build in enumerate(BUILDS):
        x = 20 + index * 110
        parts.append(f'<path class="{build}" d="M{x} {bottom - 4}h24"/>')
        parts.append(_text(x + 30, bottom, build, "ink"))
    return _svg(columns * width + 20, bottom + 16, parts)


def _panel(
    left: float,
    top: float,
    width: float,
    height: float,
    by_build: dict[str, list[tuple[int, float]]],
) -> list[str]:
    points = [point for curve in by_build.values() for point in curve]
    if not points:
        return [_text(left, top + height / 2, "not measured", "faint")]
    sizes, values = [size for size, _ in points], [value for _, value in points]
    # The axis reaches from one power of ten to another, so that a flat curve looks flat.
    low = 10 ** math.floor(math.log10(min(values)))
    high = max(10 ** math.ceil(math.log10(max(values))), low * 100)

    def x(size: float) -> float:
        span = math.log(max(sizes) / min(sizes)) or 1
        return left + width * math.log(size / min(sizes)) / span

    def y(value: float) -> float:
        return top + height * (1 - math.log(value / low) / math.log(high / low))

    parts = []
    tick = low
    while tick <= high * 1.001:
        parts.append(f'<path class="line" d="M{left:.1f} {y(tick):.1f}h{width}"/>')
        parts.append(_text(left - 4, y(tick) + 4, f"{tick:g}", "faint", "end"))
        tick *= 10
    for size in (min(sizes), max(sizes)):
        parts.append(_text(x(size), top + height + 16, number(float(size)), "faint", "middle"))
    for build, curve in by_build.items():
        if curve:
            path = "L".join(f"{x(size):.1f} {y(value):.1f}" for size, value in curve)
            parts.append(f'<path class="{build}" d="M{path}"/>')
    return parts


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    attributes = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{style}" {attributes}>{escape(text)}</text>'


def _svg(width: int, height: int, parts: list[str]) -> str:
    lines = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img">\n'
        f"<style>\n{_STYLE}</style>\n"
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>\n{lines}\n</svg>\n'
    )
