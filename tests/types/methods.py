"""Generic functions in classes, as type checkers see them, and patterns that both accept."""

from __future__ import annotations

from typing import Protocol, Self, reveal_type

import reg


class Shape:
    @property
    @reg.generic
    def area(self) -> int:
        return 0

    @reg.generic
    def scale(self, by: int) -> str:
        return ""


class Square(Shape):
    @reg.generic
    def scale(self, by: int) -> str:  # error: pyright
        return ""


reveal_type(Square().scale(3))  # reveals: str
Shape().area  # noqa: B018  # error: mypy


class Scales(Protocol):
    def scale(self, by: int) -> str: ...


def doubled(scales: Scales) -> str:
    return scales.scale(2)


doubled(Shape())  # error: pyright


# The pattern: a plain method or property that calls a generic function of the module.


@reg.generic
def area_of(shape: object) -> int:
    return 0


@reg.generic
def scale_of(shape: object, by: int) -> str:
    return ""


class Plain:
    @property
    def area(self) -> int:
        return area_of(self)

    def scale(self, by: int) -> str:
        return scale_of(self, by)


class Special(Plain):
    def scale(self, by: int) -> str:
        return super().scale(by)


reveal_type(Plain().area)  # reveals: int
reveal_type(Special().scale(3))  # reveals: str
doubled(Plain())


# Patterns for a result of type Self, and for an object that keeps a generic function.


class Copied:
    @reg.generic
    def clone(self) -> Self:
        return self


clone: Copied = Copied().clone()
reveal_type(clone)  # reveals: Copied


class Kept:
    def __init__(self, function: reg.GenericFunction[..., int]) -> None:
        self.function = function


reveal_type(Kept(area_of).function(3))  # reveals: int
Kept(area_of).function.component(3)
