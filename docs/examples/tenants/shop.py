"""The service: one generic function, the registry of the product, and one registry per tenant."""

from __future__ import annotations

import reg


class Order:
    def __init__(self, total: float) -> None:
        self.total = total


@reg.generic
def invoice(order: Order) -> str:
    """Write the invoice of an order."""
    raise TypeError(f"no invoice for a {type(order).__name__}")


product = reg.Registry(name="product")
tenants = {name: reg.Registry(name=name) for name in ("north", "south")}
lookups: dict[str, reg.Lookup] = {}
for name, registry in tenants.items():
    lookups[name] = reg.Lookup(reg.ListClassLookup([registry, product]))


@product.implements(invoice)
def plain(order: Order) -> str:
    return f"{order.total:.2f} EUR"


@tenants["south"].implements(invoice)
def with_tax(order: Order, call_next: reg.CallNext) -> str:
    return f"{call_next()}, plus 19 % tax"


def lookup_of(host: str) -> reg.Lookup:
    """Find the lookup of a tenant by the host of a request, such as south.example.org."""
    return lookups.get(host.partition(".")[0], product)
