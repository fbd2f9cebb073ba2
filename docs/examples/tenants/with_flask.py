"""A Flask service with the WSGI middleware."""

from __future__ import annotations

from flask import Flask

from .shop import Order, invoice
from .wsgi import for_tenants

app = Flask(__name__)
app.wsgi_app = for_tenants(app.wsgi_app)  # type: ignore[method-assign]


@app.get("/invoice/<float:total>")
def show_invoice(total: float) -> str:
    return invoice(Order(total))
