"""The immutable trie that registrations are kept in agrees with a dictionary."""

from __future__ import annotations

import gc
import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

import reg
from reg import _trie
from reg._trie import keys_of, new_entry, value_of


class Key:
    """A key whose hash is given, so that keys collide and fill the same bucket."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return self.number % 7

    def __repr__(self) -> str:
        return f"Key({self.number})"


KEYS = [Key(number) for number in range(60)]


@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.sampled_from(KEYS), min_size=2, max_size=2)),
        max_size=150,
    )
)
@settings(max_examples=60)
def test_adding_and_removing_equals_a_dictionary_and_old_versions_stay(steps):
    trie, model = _trie.EMPTY, {}
    versions = [(trie, {})]
    for number, (adds, keys) in enumerate(steps):
        keys = tuple(keys)
        if adds or keys not in model:
            trie = _trie.add(trie, new_entry(keys, number, number))
            model.pop(keys, None)
            model[keys] = number
        else:
            trie = _trie.remove(trie, keys)
            del model[keys]
        versions.append((trie, dict(model)))
    for version, contents in versions:
        entries = _trie.entries(version)
        assert [(keys_of(entry), value_of(entry)) for entry in entries] == list(contents.items())
        assert all(_trie.exact(version, keys_of(entry)) is entry for entry in entries)
        assert _trie.exact(version, (KEYS[0], object())) is None


def of_size(size):
    trie = _trie.EMPTY
    for number in range(size):
        trie = _trie.add(trie, new_entry((number,), number, number))
    return trie


def containers(trie):
    """All dictionaries, tuples and branches that a trie is made of, by identity."""
    found, below = {}, [trie]
    while below:
        node = below.pop()
        if isinstance(node, (dict, tuple, _trie.Branches)) and id(node) not in found:
            found[id(node)] = node
            below += gc.get_referents(node)
    return found


def copied_by_one_more(trie, key):
    """Count the items of all dictionaries and tuples that the new trie does not share."""
    before = containers(trie)
    after = containers(_trie.add(trie, new_entry(key, None, -1)))
    new = [node for identity, node in after.items() if identity not in before]
    return sum(len(node) for node in new if not isinstance(node, _trie.Branches))


def test_one_entry_more_among_20_000_copies_a_small_part_of_them():
    small, large = of_size(2_000), of_size(20_000)
    assert len(_trie.entries(large)) == 20_000
    few, many = copied_by_one_more(small, ("new",)), copied_by_one_more(large, ("new",))
    assert 0 < few < 2_000 / 10
    assert 0 < many < 20_000 / 10


def test_a_large_trie_is_pickled_with_all_of_its_branches():
    branches = pickle.loads(pickle.dumps(_trie.branches_of((n, str(n)) for n in range(1_000))))
    assert sorted(branches) == list(range(1_000))
    assert [branches[number] for number in (0, 999)] == ["0", "999"]


def test_all_20_000_classes_registered_for_one_function_are_found():
    classes = [type(f"Class{number}", (), {}) for number in range(20_000)]
    registry = reg.ClassRegistry()
    for number, cls in enumerate(classes):
        registry.register("key", [cls], number)
    assert [registry.get("key", [cls]) for cls in classes[::500]] == list(range(0, 20_000, 500))
    assert registry.get("key", [type("Kitten", (classes[-1],), {})]) == 19_999
