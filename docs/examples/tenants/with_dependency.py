"""A FastAPI service in which a dependency finds the lookup and the calls are given it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Request

import reg

from .shop import Order, invoice, lookup_of


def tenant(request: Request) -> reg.Lookup:
    return lookup_of(request.headers.get("host", ""))


app = FastAPI()


@app.get("/invoice/{total}")
def show_invoice(total: float, lookup: Annotated[reg.Lookup, Depends(tenant)]) -> str:
    with reg.implicit.using(lookup):
        return invoice(Order(total))
