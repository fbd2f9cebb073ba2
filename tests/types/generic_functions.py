"""Types of generic functions, as mypy and pyright see them."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import reveal_type

import reg
from reg import Lookup, Registry
from reg.generic_function import GenericFunction


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


@reg.generic(predicates=[reg.Predicate("name", calc=len, fallback=print)], predicates_first=True)
def page(text: str) -> bytes:
    return b""


@reg.generic("text", predicates=[reg.Predicate("kind", reg.ClassIndex)])
def named_page(text: str) -> bytes:
    return b""


reveal_type(page("a"))  # reveals: bytes
reveal_type(named_page(text="a", lookup=None))  # reveals: bytes
reveal_type(page("a", default=None))  # reveals: bytes | None
page(3)  # error: both


@reg.classgeneric
def make(cls: type[Document]) -> Document:
    return cls()


@reg.classgeneric("cls")
def convert(value: str, *, cls: type[Document]) -> Document:
    return cls()


@reg.generic
def pages(obj: Document) -> Iterator[str]:
    yield ""


@reg.generic("obj")
async def lines(obj: Document, *, count: int = 1) -> AsyncIterator[str]:
    yield ""


@reg.generic
def nothing() -> None:
    pass


class Shop:
    @reg.generic
    def price(self, item: Document) -> float:
        return 0.0

    @reg.generic("item")
    def weight(self, item: Document, *, unit: str = "g") -> int:
        return 0

    @reg.generic
    async def order(self, item: Document) -> bool:
        return True


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

reveal_type(Shop().weight(document, unit="kg"))  # reveals: int
reveal_type(Shop().weight(item=document, lookup=registry))  # reveals: int
Shop().weight(document, "kg")  # error: both

made: GenericFunction[[type[Document]], Document] = make
measured: GenericFunction[..., int] = size
measured = view  # error: both

reveal_type(convert("", cls=Document))  # reveals: Document
reveal_type(convert("", cls=Document, default=None))  # reveals: Document | None
convert("", Document)  # error: both

reveal_type(pages(document))  # reveals: Iterator[str]
reveal_type(pages(document, lookup=registry))  # reveals: Iterator[str]
reveal_type(lines(document, count=2))  # reveals: AsyncIterator[str]
lines(document, 2)  # error: both
nothing(3)  # error: both

reveal_type(size.all(document, lookup=registry))  # reveals: Iterable[Any]
size.component(document, lookups=registry)  # error: both
size.all(document, default=None)  # error: both
reveal_type(size.component(document, lookup=registry))  # reveals: Any
reveal_type(size.explain(document, lookup=registry))  # reveals: Resolution
reveal_type(size.__wrapped__(document))  # reveals: int
reveal_type(size.__name__)  # reveals: str

as_callable: Callable[[Document], int] = size
not_callable_so: Callable[[Document], str] = size  # error: both


async def later() -> None:
    reveal_type(await fetch(document))  # reveals: int
    await fetch("text")  # error: both
    reveal_type(await fetch(document, lookup=registry))  # reveals: int
    reveal_type(await Shop().order(document))  # reveals: bool
    reveal_type(await fetch(document, default=None))  # reveals: int | None
    reveal_type(await fetch(obj=document, default=""))  # reveals: int | str
    reveal_type(await Shop().order(document, default=None))  # reveals: bool | None
    async for line in lines(document):
        reveal_type(line)  # reveals: str


# To tell a generic function from other callables ends, and says nothing.
is_made_of_another = isinstance(size, functools.partial) or inspect.isroutine(size)


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
