"""An immutable trie: values under tuples of keys, found in the order of preference of each key.

A trie with one more entry, or one less, is another trie that shares all branches but those on
the path to the entry. So a reader that holds a trie needs no lock: nobody changes it. A look-up
descends only where an entry is, so that its cost follows from the entries there are, and not
from the product of the candidates at each position::

    {first key: {second key: Entry, other second key: Entry}, other first key: Entry}

A branch with one entry below it is that entry itself: most combinations are alone from their
first key on, and a dictionary for each further key would cost more memory than all the rest.

The idea of a trie of components is that of the adapter registry of ``zope.interface``.
"""

from __future__ import annotations

from ._fastcall import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from typing import Any, Final, TypeAlias

__all__ = [
    "EMPTY",
    "Branches",
    "Entry",
    "add",
    "descend",
    "descend_in_python",
    "entries",
    "exact",
    "keys_of",
    "new_entry",
    "order_of",
    "remove",
    "value_of",
    "with_branch",
    "without_branch",
]


#: The only value under some keys: a tuple of the keys, one for each position; the value; and a
#: number that grows with each entry, to list them in the order of addition. All in one tuple,
#: since a search reads hundreds of entries, and waits for the memory of each object behind one.
Entry: TypeAlias = "tuple[Any, ...]"


def new_entry(keys: tuple[Hashable, ...], value: Any, order: int) -> Entry:
    """Make an entry.

    :param keys: the keys.
    :param value: the value.
    :param order: the number by which it is listed.
    """
    return (*keys, value, order)


def keys_of(entry: Entry) -> tuple[Any, ...]:
    """Get the keys of an entry."""
    return entry[:-2]


def value_of(entry: Entry) -> Any:
    """Get the value of an entry."""
    return entry[-2]


def order_of(entry: Entry) -> int:
    """Get the number of an entry."""
    order: int = entry[-1]
    return order


# More branches than this are spread over several dictionaries, so that adding one
# copies about this many and not all of them.
_BUCKET_SIZE: Final = 200


class Branches:
    """An immutable mapping for many keys, of which a changed copy is cheap.

    :param buckets: dictionaries, a power of two of them; a key is in the one that its
      hash selects.
    :param count: the number of keys in all of them.
    """

    __slots__ = ("_count", "buckets")

    def __init__(self, buckets: tuple[dict[Any, Any], ...], count: int) -> None:
        self.buckets = buckets
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        for bucket in self.buckets:
            yield from bucket

    def __contains__(self, key: Hashable) -> bool:
        return key in self.buckets[hash(key) & (len(self.buckets) - 1)]

    def __getitem__(self, key: Hashable) -> Any:
        return self.buckets[hash(key) & (len(self.buckets) - 1)][key]

    def get(self, key: Hashable, default: Any = None) -> Any:
        return self.buckets[hash(key) & (len(self.buckets) - 1)].get(key, default)

    def among(self, keys: Iterable[Hashable]) -> dict[Any, Any]:
        """Return a dictionary of these keys, in their order, without those that are missing."""
        buckets = self.buckets
        mask = len(buckets) - 1
        return {key: bucket[key] for key in keys if key in (bucket := buckets[hash(key) & mask])}

    def values(self) -> Iterator[Any]:
        for bucket in self.buckets:
            yield from bucket.values()

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has other hashes, by which keys are in other dictionaries.
        items = [item for bucket in self.buckets for item in bucket.items()]
        return branches_of, (items,)

    def replaced(self, key: Hashable, bucket: dict[Any, Any]) -> Branches:
        """Return a copy with another dictionary in place of the one that has ``key``."""
        index = hash(key) & (len(self.buckets) - 1)
        count = self._count + len(bucket) - len(self.buckets[index])
        buckets = (*self.buckets[:index], bucket, *self.buckets[index + 1 :])
        if count > _BUCKET_SIZE * len(buckets):
            return Branches(_split(buckets), count)
        return Branches(buckets, count)

    def bucket(self, key: Hashable) -> dict[Any, Any]:
        """Return a copy of the dictionary that has ``key``."""
        return dict(self.buckets[hash(key) & (len(self.buckets) - 1)])


def branches_of(items: Iterable[tuple[Any, Any]]) -> Branches:
    """Make branches of keys and values."""
    buckets: tuple[dict[Any, Any], ...] = (dict(items),)
    count = len(buckets[0])
    while count > _BUCKET_SIZE * len(buckets):
        buckets = _split(buckets)
    return Branches(buckets, count)


def _split(buckets: tuple[dict[Any, Any], ...]) -> tuple[dict[Any, Any], ...]:
    """Distribute the items of dictionaries over twice as many."""
    mask = 2 * len(buckets) - 1
    split: list[dict[Any, Any]] = [{} for _ in range(mask + 1)]
    for bucket in buckets:
        for key, value in bucket.items():
            split[hash(key) & mask][key] = value
    return tuple(split)


#: The trie without entries. Any trie is a dictionary, :class:`Branches`, or its only entry.
EMPTY: Final[dict[Any, Any]] = {}


def with_branch(branches: Any, key: Hashable, below: Any) -> Any:
    """Return branches in which ``below`` is under ``key``; it replaces the former branch."""
    if isinstance(branches, Branches):
        bucket = branches.bucket(key)
        bucket[key] = below
        return branches.replaced(key, bucket)
    changed = {**branches, key: below}
    if len(changed) > _BUCKET_SIZE:
        return Branches(_split((changed,)), len(changed))
    return changed


def without_branch(branches: Any, key: Hashable) -> Any:
    """Return branches without the one under ``key``, which is there."""
    if isinstance(branches, Branches):
        bucket = branches.bucket(key)
        del bucket[key]
        return branches.replaced(key, bucket)
    changed = dict(branches)
    del changed[key]
    return changed


def add(node: Any, entry: Entry, depth: int = 0) -> Any:
    """Return a trie with one entry more; it replaces the entry under the same keys.

    :param node: the trie; it stays as it is.
    :param entry: the entry; with no keys at all, it is the only one there can be.
    :param depth: the position of the keys in ``node``.
    """
    if depth == len(entry) - 2:
        return entry
    if type(node) is tuple:
        if node[depth:-2] == entry[depth:-2]:
            return entry
        node = {node[depth]: node}
    key = entry[depth]
    below = node.get(key)
    if below is None:
        return with_branch(node, key, entry)
    return with_branch(node, key, add(below, entry, depth + 1))


def remove(node: Any, keys: tuple[Hashable, ...], depth: int = 0) -> Any:
    """Return a trie without the entry under these keys, which is in it.

    :param node: the trie; it stays as it is.
    :param keys: the keys of the entry.
    :param depth: the position of the keys in ``node``.
    """
    if type(node) is tuple:
        return EMPTY
    below = remove(node[keys[depth]], keys, depth + 1)
    if below:
        return with_branch(node, keys[depth], below)
    return without_branch(node, keys[depth])


def exact(node: Any, keys: tuple[Hashable, ...]) -> Entry | None:
    """Get the entry under exactly these keys, or ``None``.

    :param node: the trie.
    :param keys: the keys, one for each position.
    """
    for key in keys:
        if type(node) is tuple:
            break
        node = node.get(key)
        if node is None:
            return None
    return node if type(node) is tuple and keys_of(node) == keys else None


def entries(node: Any) -> list[Entry]:
    """List all entries, in the order in which they were added.

    :param node: the trie.
    :return: a new list.
    """
    below: list[Any] = [node]
    listed: list[Entry] = []
    while below:
        node = below.pop()
        if type(node) is tuple:
            listed.append(node)
        else:
            below += node.values()
    return sorted(listed, key=order_of)


def descend_in_python(node: Any, candidates: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """Find the values of all entries whose keys are among the candidates, lazily.

    :param node: the trie.
    :param candidates: for each position its keys in order of preference; the first position
      weighs most.
    :return: an iterator, in lexicographic order.
    """
    return _descend(node, candidates, _Applicable(candidates), 0)


class _Applicable(dict[int, "set[Any]"]):
    """The candidates by position as sets, made when they are needed."""

    __slots__ = ("_candidates",)

    def __init__(self, candidates: Sequence[Sequence[Any]]) -> None:
        self._candidates = candidates

    def __missing__(self, position: int) -> set[Any]:
        self[position] = keys = set(self._candidates[position])
        return keys


def _descend(
    node: Any, candidates: Sequence[Sequence[Any]], applicable: _Applicable, depth: int
) -> Iterator[Any]:
    count = len(candidates)
    if type(node) is tuple:
        if _applies(node, applicable, depth, count):
            yield node[-2]
        return
    if type(node) is Branches:
        node = node.among(candidates[depth])
    # Two levels in one loop, since a call takes as long as several keys.
    second, third = depth + 1, depth + 2
    keys = candidates[second] if second < count else ()
    is_last = third == count
    among = applicable[third] if third < count else set()
    for first in candidates[depth]:
        if first not in node:
            continue
        below = node[first]
        if type(below) is not dict:
            if type(below) is tuple:
                if _applies(below, applicable, second, count):
                    yield below[-2]
                continue
            below = below.among(keys)
        for key in keys:
            if key in below:
                branch = below[key]
                # Most end here, or behind the next key: these are found out without a call.
                if type(branch) is not tuple:
                    if type(branch) is Branches or not among.isdisjoint(branch):
                        yield from _descend(branch, candidates, applicable, third)
                elif is_last or (
                    branch[third] in among and _applies(branch, applicable, third + 1, count)
                ):
                    yield branch[-2]


def _applies(entry: Entry, applicable: _Applicable, position: int, count: int) -> bool:
    """Return whether the keys of an entry are applicable, from a position on."""
    while position < count:
        if entry[position] not in applicable[position]:
            return False
        position += 1
    return True


descend = descend_in_python
if not TYPE_CHECKING and compiled:
    # The twin in C, of _c/trie.h.
    from ._fastcall_c import descend
