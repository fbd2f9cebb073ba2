"""The generic functions of the framework. This module imports none of their implementations."""

from __future__ import annotations

import reg


@reg.generic
def render(model: object) -> str:
    """Render a model as text."""
    return repr(model)
