"""A FastAPI service: run it with ``uvicorn tenants.with_fastapi:app``."""

from __future__ import annotations

from fastapi import FastAPI

from .asgi import TenantMiddleware
from .shop import Order, invoice

app = FastAPI()
app.add_middleware(TenantMiddleware)


@app.get("/invoice/{total}")
async def show_invoice(total: float) -> str:
    return invoice(Order(total))


@app.get("/in-a-thread/{total}")
def show_invoice_in_a_thread(total: float) -> str:
    return invoice(Order(total))
