"""What type checkers make of generic functions."""

from collections.abc import Callable
from typing import reveal_type

import reg
from reg import Lookup, Registry


class Document:
    pass


class Library(Registry):
    pass


@reg.generic
def size(obj: Document, unit: str = "B") -> int:
    return 0


@reg.generic("model")
def view(request: str, model: Document) -> bytes:
    return b""


@reg.generic
async def fetch(obj: Document) -> int:
    return 0


@reg.classgeneric
def make(cls: type[Document]) -> Document:
    return cls()


class Shop:
    @reg.generic
    def price(self, item: Document) -> float:
        return 0.0


registry = Library(name="app")
document = Document()

reveal_type(size(document))  # reveals: int
reveal_type(size(document, unit="kB"))  # reveals: int
size("text")  # error: both
size()  # error: both
size(document, unite="kB")  # error: both

reveal_type(size(document, lookup=registry))  # reveals: int
reveal_type(size(document, default=None))  # reveals: int | None
reveal_type(size(document, "kB", lookup=registry, default="none"))  # reveals: int | str
size("text", lookup=registry)  # error: pyright
size(document, 3, lookup=registry)  # error: pyright

reveal_type(view("", model=document))  # reveals: bytes
view("", model="text")  # error: both

reveal_type(make(Document))  # reveals: Document
make(document)  # error: both

reveal_type(Shop().price(document))  # reveals: float
reveal_type(Shop().price(document, default=None))  # reveals: float | None
reveal_type(Shop.price(Shop(), document))  # reveals: float
Shop().price("text")  # error: both

reveal_type(size.component(document, lookup=registry))  # reveals: Any
reveal_type(size.explain(document, lookup=registry))  # reveals: Resolution
reveal_type(size.__wrapped__(document))  # reveals: int
reveal_type(size.__name__)  # reveals: str

as_callable: Callable[[Document], int] = size
not_callable_so: Callable[[Document], str] = size  # error: both


async def later() -> None:
    reveal_type(await fetch(document))  # reveals: int
    await fetch("text")  # error: both


@registry.implements(size)
def document_size(obj: Document, unit: str = "B") -> int:
    return 1


reveal_type(document_size(document))  # reveals: int
document_size("text")  # error: both


@registry.register(size, [Document])
def other_size(obj: Document, unit: str = "B") -> bool:
    return True


reveal_type(other_size(document))  # reveals: bool
registry.implements(3)  # error: both
reveal_type(reg.check(registry))  # reveals: list[Finding]
reveal_type(Lookup(registry).explain(size, [document]))  # reveals: Resolution
