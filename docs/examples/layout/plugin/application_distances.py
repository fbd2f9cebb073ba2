"""A plug-in: it renders distances, which the application does not know."""

from __future__ import annotations

from framework import render

import reg

registry = reg.Registry(name="distances", replace=False)


@registry.implements(render)
def render_distance(model: float) -> str:
    return f"{model} km"
