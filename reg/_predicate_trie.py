"""Look-ups in the trie of a predicate registry: its keys are values of predicates, or ``ANY``."""

from __future__ import annotations

from ._fastcall import compiled
from ._trie import descend, value_of
from .sentinel import Sentinel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["ANY", "IndexedKey", "branches_below", "first_value", "given_key"]

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


def first_value(node: Any, keys: list[Any]) -> Any:
    """Find the most specific value: at each position the key itself comes before ``ANY``.

    :param node: the trie.
    :param keys: the keys, one for each position.
    :return: the value; ``None`` if there is none.
    """
    if compiled:
        return next(descend(node, [(ANY,) if key is ANY else (key, ANY) for key in keys]), None)
    return _first_value(node, keys, 0)


def _first_value(node: Any, keys: list[Any], position: int) -> Any:
    # In half the time of the search in Python for any number of candidates.
    while type(node) is not tuple:
        key = keys[position]
        position += 1
        if key in node and key is not ANY:
            if ANY in node:
                value = _first_value(node[key], keys, position)
                if value is not None:
                    return value
                node = node[ANY]
            else:
                node = node[key]
        elif ANY in node:
            node = node[ANY]
        else:
            return None
    while position < len(keys):
        key = node[position]
        value = keys[position]
        position += 1
        if key is not ANY and key is not value and (value is ANY or key != value):
            return None
    return value_of(node)


def branches_below(node: Any, matches: Any, position: int) -> list[Any]:
    """The parts of the trie below a node, under those of its keys that match."""
    if type(node) is tuple:
        key = node[position]
        return [node] if any(key is match or key == match for match in matches) else []
    if len(node) < len(matches):
        return [node[key] for key in node if key in matches]
    return [below for match in matches if (below := node.get(match)) is not None]
