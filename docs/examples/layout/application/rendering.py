"""The application's implementations."""

from __future__ import annotations

from framework import render

import reg

from .models import Route, Town

registry = reg.Registry(name="application", replace=False)


@registry.implements(render)
def render_town(model: Town) -> str:
    return model.name


@registry.implements(render)
def render_route(model: Route) -> str:
    return " → ".join(render(town) for town in model.towns)
