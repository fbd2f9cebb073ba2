"""The framework's own implementations."""

from __future__ import annotations

import reg

from .api import render

registry = reg.Registry(name="framework", replace=False)


@registry.implements(render)
def render_list(model: list) -> str:  # type: ignore[type-arg]
    return "\n".join(render(item) for item in model)
