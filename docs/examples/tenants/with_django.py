"""Middleware for Django: add ``"tenants.with_django.tenant_middleware"`` to ``MIDDLEWARE``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reg

from .shop import lookup_of


def tenant_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def middleware(request: Any) -> Any:
        with reg.implicit.using(lookup_of(request.get_host())):
            return get_response(request)

    return middleware
