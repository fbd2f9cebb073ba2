"""Types of registries and registrations, as mypy and pyright see them."""

from collections.abc import Callable, Hashable, Iterable
from typing import Annotated, Any, Literal, reveal_type

import reg
from reg.lookup import CallNext


class Document:
    pass


class Invoice(Document):
    pass


class Library(reg.Registry):
    """A framework's registry with a way of its own to register."""

    def register(
        self, key: Hashable, classes: Iterable[Any], component: Any = None, loud: bool = False
    ) -> Any:
        return super().register(key, classes, component)


class Shelf(reg.Registry):
    shelved = 0


@reg.generic
def size(obj: Document, unit: str = "B") -> int:
    return 0


@reg.generic
async def fetch(obj: Document) -> bytes:
    return b""


registry, class_registry, shelf = reg.Registry(), reg.ClassRegistry(), Shelf()
interface: reg.IRegistry = registry

reveal_type(registry.register(size, [Document], print))  # reveals: None
reveal_type(class_registry.register("key", [Document, None], 3))  # reveals: None
reveal_type(interface.register("key", [int | str], ""))  # reveals: None
reveal_type(Library().register("key", ["package:Class"], 3, loud=True))  # reveals: Any
reveal_type(registry.register("key", [int, reg.Rest(str)], ""))  # reveals: None
reveal_type(registry.register("key", [Literal["a", 1], type[int]], ""))  # reveals: None
reveal_type(registry.register("key", [reg.Where(str, str.isupper)], ""))  # reveals: None
reveal_type(registry.register("key", [reg.Items(dict, str, int | None)], ""))  # reveals: None
reveal_type(registry.register(size, [int, reg.By(name="")], print))  # reveals: None
reveal_type(registry.component_for(size, [int], None, name=""))  # reveals: Any
reg.Where(int, 3)  # error: both
reg.Items(list, "int")  # error: both


@registry.implements(size)
def size_where(obj: Annotated[Document, bool], unit: Literal["kB"]) -> int:
    return len(unit)


reveal_type(size_where(Document(), "kB"))  # reveals: int
registry.register(size)  # error: both
registry.register([], [Document], print)  # error: both
registry.register(size, Document, print)  # error: both
registry.register(size, [Document], print, 3)  # error: both


@class_registry.register("key", [Document])
@interface.register(size, [Document])
@shelf.register(size, [Document])
@registry.register(size, [Document])
def document_size(obj: Document, unit: str = "B") -> int:
    return 1


reveal_type(document_size(Document()))  # reveals: int
document_size("text")  # error: both


@shelf.implements(size)
@registry.implements(size)
def invoice_size(obj: Invoice, unit: str = "B", *, call_next: CallNext) -> int:
    reveal_type(call_next())  # reveals: Any
    reveal_type(call_next(obj, unit="kB"))  # reveals: Any
    return 1


@registry.register(size, [list])
def list_size(obj: list[int], unit: str = "B", *, call_next: Callable[..., int]) -> int:
    return call_next() + 1


@registry.implements(fetch)
async def fetch_invoice(obj: Invoice) -> bytes:
    reveal_type(await fetch(obj))  # reveals: bytes
    return b""


reveal_type(shelf.shelved)  # reveals: int
reveal_type(registry.exact(size, [Document]))  # reveals: Any
reveal_type(registry.registrations()[0].place)  # reveals: str
registry.implements("size")  # error: both
registry.unregister(size, [Document])

matcher = reg.PredicateMatcher([reg.Predicate("name", reg.KeyIndex, lambda obj: "", "")])
reveal_type(matcher.register({"name": ""}, document_size))  # reveals: None
reveal_type(matcher.registry.register({"name": ""}, 3))  # reveals: None
matcher.register("name", document_size)  # error: both


@matcher.register({"name": "edit"})
def edit(obj: Document) -> bytes:
    return b""


reveal_type(edit(Document()))  # reveals: bytes

lookup = reg.Lookup(reg.ListClassLookup([registry, class_registry]))
reveal_type(lookup.component(size, [Document()]))  # reveals: Any
reveal_type(lookup.all(size, [Document()]))  # reveals: list[Any]
reveal_type(lookup.call(size, [Document()]))  # reveals: Any
merged = reg.MergedClassLookup([registry, class_registry])
reveal_type(merged.get(size, [Document]))  # reveals: Any
reveal_type(merged.all(size, [Document]))  # reveals: list[Any]
reveal_type(reg.Lookup(merged).component(size, [Document()]))  # reveals: Any
reg.MergedClassLookup(3)  # error: both
reveal_type(len(registry.registrations()[0].unions))  # reveals: int
reg.Registry(name="strict", ambiguous=False)
reg.ClassRegistry(ambiguous=3)  # error: both
lookup.component([], [Document()])  # error: both
lookup.component(size, 3)  # error: both

with reg.implicit.using(lookup) as used:
    reveal_type(used)  # reveals: Any
