"""WSGI middleware: each request runs with the lookup of its tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import reg

from .shop import lookup_of


def for_tenants(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def middleware(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with reg.implicit.using(lookup_of(environ.get("HTTP_HOST", ""))):
            return app(environ, start_response)

    return middleware
