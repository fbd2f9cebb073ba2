"""Compositions taken apart: walks through their parts, and the error for one in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from ._observers import Observable

__all__ = ["leaves", "parts_of", "refuse_circle"]

#: A part with the path to it, from the lookup that it is part of.
Placed: TypeAlias = "tuple[str, Any]"


def refuse_circle(part: Any, error: RecursionError) -> None:
    """Refuse a composition that contains itself, on which a recursion had no end.

    :param part: a lookup or class lookup.
    :param error: the error of the recursion; with a note, it has been asked about before.
    :raises ValueError: if the composition contains itself, with the place.
    """
    if not hasattr(error, "__notes__"):
        for _ in leaves(part):
            pass
        error.add_note(f"Perhaps a {type(part).__name__} is composed in too many levels.")


def leaves(part: Any) -> Iterator[tuple[str, Any, list[Any]]]:
    """Walk through the parts of a composition that answer on their own, in order.

    :param part: a lookup or class lookup.
    :return: an iterator of the path to each of them, the part itself, and the list of all parts
      that contain it, which is to be read at once.
    :raises ValueError: if the composition contains itself.
    """
    # Not by recursion: there may be no room left for it.
    above: list[Any] = []
    paths: dict[int, str] = {}
    levels = [iter([("", part)])]
    while levels:
        path, part = next(levels[-1], (None, None))
        if path is None:
            levels.pop()
            if above:
                del paths[id(above.pop())]
            continue
        if id(part) in paths:
            # Not by repr(), which would walk the circle as well.
            attribute = path.removeprefix(paths[id(part)]).lstrip(".") or "class_lookup"
            raise ValueError(
                f"this {type(part).__name__} is composed of itself: its {attribute} leads back to"
                " it, so that no call through it ends; take it out there"
            ) from None
        if below := parts_of(part, path):
            above.append(part)
            paths[id(part)] = path
            levels.append(iter(below))
        else:
            yield path, part, above


def parts_of(part: Any, path: str) -> list[Placed]:
    """Take a composition apart, by one step.

    :param part: a lookup or class lookup.
    :param path: the path to it, from the lookup that it is part of.
    :return: the parts that it is composed of, each with the path to it; an empty list for one
      that answers on its own.
    """
    if not isinstance(part, Observable):
        return []
    prefix = f"{path}." if path else ""
    return [(f"{prefix}{name}" if name else path, child) for name, child in part._reg_named_parts()]
