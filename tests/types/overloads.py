"""Generic functions with typing.overload, as type checkers see them."""

from __future__ import annotations

from typing import Any, overload, reveal_type

import reg


class Square: ...


class Circle: ...


registry = reg.Registry()


@overload
def area(shape: Square) -> int: ...
@overload
def area(shape: Circle, *, lookup: Any = ...) -> float: ...
@reg.generic
def area(shape: Any) -> Any:
    return 0


reveal_type(area(Square()))  # reveals: int
reveal_type(area(Circle()))  # reveals: float
reveal_type(area(Circle(), lookup=registry))  # reveals: float
area(Square(), lookup=registry)  # error: both
area("text")  # error: both


@registry.implements(area)
def square_area(shape: Square) -> int:
    return 1


registry.register(area, [Circle], lambda shape: 1.0)
area.component(Square())  # error: both


@overload
def size(shape: Square) -> int: ...
@overload
def size(shape: Circle) -> float: ...
def size(shape: Any) -> Any:
    return 0


sized = reg.generic(size)
reveal_type(sized(Square()))  # reveals: int
sized(Circle())  # error: both
