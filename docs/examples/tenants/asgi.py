"""ASGI middleware: each request runs with the lookup of its tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import reg

from .shop import lookup_of


class TenantMiddleware:
    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):  # such as the start of the server
            return await self.app(scope, receive, send)
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        with reg.implicit.using(lookup_of(host)):
            return await self.app(scope, receive, send)
