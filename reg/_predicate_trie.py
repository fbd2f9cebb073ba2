"""Look-ups in the trie of a predicate registry: its keys are values of predicates, or ``ANY``."""

from __future__ import annotations

from .sentinel import Sentinel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from ._trie import Entry

__all__ = ["ANY", "IndexedKey", "branches_below", "first_entry", "given_key"]

#: In place of the value of a predicate: any value. Compared by identity.
ANY: Final = Sentinel("ANY")


class IndexedKey:
    """A registered key of a predicate with an index of its own; the index finds this object."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key


def given_key(key: Any) -> Any:
    """A key as it was registered."""
    return key.key if isinstance(key, IndexedKey) else key


def first_entry(node: Any, keys: list[Any], position: int) -> Entry | None:
    """Find the most specific entry: at each position the key itself comes before ``ANY``."""
    while type(node) is not tuple:
        key = keys[position]
        position += 1
        below, general = node.get(key), node.get(ANY)
        if below is None or key is ANY:
            if general is None:
                return None
            node = general
        elif general is None:
            node = below
        else:
            entry = first_entry(below, keys, position)
            if entry is not None:
                return entry
            node = general
    while position < len(keys):
        key = node[position]
        value = keys[position]
        position += 1
        if key is not ANY and key is not value and (value is ANY or key != value):
            return None
    return node


def branches_below(node: Any, matches: Any, position: int) -> list[Any]:
    """The parts of the trie below a node, under those of its keys that match."""
    if type(node) is tuple:
        key = node[position]
        return [node] if any(key is match or key == match for match in matches) else []
    if len(node) < len(matches):
        return [node[key] for key in node if key in matches]
    return [below for match in matches if (below := node.get(match)) is not None]
