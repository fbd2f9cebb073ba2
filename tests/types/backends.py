"""Types of functions and classes that dispatch to backends, as mypy and pyright see them."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, reveal_type

from reg.backends import BackendDispatcher, BackendName

dispatcher = BackendDispatcher(entrypoint_group="shapes.backends", host_name="shapes")


@dispatcher.backend_dispatch
def area(sides: tuple[int, int], unit: str = "m") -> float:
    return 0.0


@dispatcher.backend_dispatch(name="outline")
def perimeter(*, sides: list[int]) -> int:
    return 0


@dispatcher.backend_dispatch
async def fetch(name: str) -> bytes:
    return b""


@dispatcher.backend_dispatch
def rows(count: int) -> Iterator[str]:
    yield ""


@dispatcher.backend_dispatch
async def lines(count: int) -> AsyncIterator[str]:
    yield ""


reveal_type(area((1, 2)))  # reveals: float
reveal_type(area((1, 2), unit="km"))  # reveals: float
area("text")  # error: both
area((1, 2), 3)  # error: both
area()  # error: both
area((1, 2), units="km")  # error: both

# With backend=, a backend may know more than the host does.
reveal_type(area((1, 2), backend="turbo"))  # reveals: float
reveal_type(area((1, 2), "km", backend=["turbo", "cpu"]))  # reveals: float
reveal_type(area((1, 2), backend="turbo", digits=2))  # reveals: float
reveal_type(area((1, 2), digits=2, backend=None))  # reveals: float
reveal_type(area((1, 2), strict=True))  # reveals: float
reveal_type(area((1, 2), backend="turbo", strict=True))  # reveals: float
reveal_type(area(sides=(1, 2), backend="turbo"))  # reveals: float
area((1, 2), digits=2)  # error: both
area((1, 2), backend=3)  # error: both
area((1, 2), backend="turbo", strict="yes")  # error: both
area("text", backend="turbo")  # error: pyright
area((1, 2), 3, backend="turbo")  # error: pyright

reveal_type(perimeter(sides=[1]))  # reveals: int
reveal_type(perimeter(sides=[1], backend="turbo"))  # reveals: int
perimeter([1])  # error: both
perimeter(sides="text")  # error: both

reveal_type(rows(3))  # reveals: Iterator[str]
reveal_type(rows(3, backend="turbo"))  # reveals: Iterator[str]
reveal_type(lines(3, backend="turbo"))  # reveals: AsyncIterator[str]


async def later() -> None:
    reveal_type(await fetch(""))  # reveals: bytes
    reveal_type(await fetch("", backend="turbo"))  # reveals: bytes
    await fetch(3)  # error: both
    async for line in lines(3):
        reveal_type(line)  # reveals: str


as_callable: Callable[[tuple[int, int]], float] = area
not_callable_so: Callable[[tuple[int, int]], str] = area  # error: both
as_key: dict[object, str] = {area: "area"}
reveal_type(area.__wrapped__((1, 2)))  # reveals: float


@dispatcher.backend_class
class Box:
    def __init__(self, side: int) -> None:
        self.side = side


class Cube(Box):
    pass


def of_box(box: Box) -> int:
    return box.side


reveal_type(Box(2))  # reveals: Box
reveal_type(of_box(Box(2)))  # reveals: int
Box("text")  # error: both
# No checker lets a decorator change the constructor of a class. Where its users
# are to write backend=, the host says so itself:
Box(2, backend="turbo")  # error: both


@dispatcher.backend_class(name="Sphere")
class Ball:
    if TYPE_CHECKING:

        def __init__(self, radius: float, *, backend: BackendName | None = None) -> None: ...

    else:

        def __init__(self, radius):
            self.radius = radius


reveal_type(Ball(2.0, backend="turbo"))  # reveals: Ball
Ball(2.0, backend=3)  # error: both

reveal_type(dispatcher.get_backend("turbo"))  # reveals: Any | None
reveal_type(dispatcher.available_backend_names())  # reveals: list[str]
reveal_type(dispatcher.settings.backend)  # reveals: str | tuple[str, ...]
dispatcher.settings.backend = ["turbo", "cpu"]
dispatcher.settings.backend = 3  # error: both
reveal_type(dispatcher.explain(area, (1, 2), backend="turbo").backend)  # reveals: str
with dispatcher.record() as calls:
    reveal_type(calls[0].function)  # reveals: str


@dispatcher.settings.use_backend("turbo")
def total(count: int) -> float:
    return area((count, count))


reveal_type(total(3))  # reveals: float
total("text")  # error: both
reveal_type(dispatcher.settings.bind(area)((1, 2)))  # reveals: float
reveal_type(area.__name__)  # reveals: str

# The word that a host has chosen itself, no checker knows.
engines = BackendDispatcher(entrypoint_group="e", host_name="e", keyword="engine")


@engines.backend_dispatch
def fit(model: str) -> int:
    return 0


reveal_type(fit(""))  # reveals: int
fit("", engine="turbo")  # error: both
