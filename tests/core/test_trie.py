"""The immutable trie that registrations are kept in agrees with a dictionary."""

from __future__ import annotations

import gc
import itertools
import pickle
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reg
from reg import _trie
from reg._fastcall import compiled
from reg._trie import keys_of, new_entry, value_of

from ..garbage import collect


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


# Searches

SEARCHES = {"this build": _trie.descend, "Python": _trie.descend_in_python}


@pytest.fixture(params=SEARCHES)
def descend(request):
    return SEARCHES[request.param]


class Equal(type):
    """A metaclass whose classes are equal by their names."""

    def __eq__(cls, other):
        return type(other) is Equal and cls.__name__ == other.__name__

    def __hash__(cls):
        return hash(cls.__name__)


PLAIN = [type(f"Plain{number}", (), {}) for number in range(8)]
MIXED = [
    *PLAIN[:4],
    *[Equal(f"Equal{number % 3}", (), {}) for number in range(6)],
    *[("a tuple", number) for number in range(3)],
]


def trie_of(keys_of_entries):
    trie = _trie.EMPTY
    for number, keys in enumerate(keys_of_entries):
        trie = _trie.add(trie, new_entry(keys, keys, number))
    return trie


@pytest.mark.parametrize("keys", [PLAIN, MIXED, KEYS], ids=["plain", "mixed", "colliding"])
@given(data=st.data())
@settings(max_examples=60)
def test_a_search_finds_what_is_registered_for_candidates_in_lexicographic_order(keys, data):
    count = data.draw(st.integers(1, 4))
    one = st.sampled_from(keys)
    registered = data.draw(st.lists(st.tuples(*[one] * count), min_size=1, max_size=40))
    candidates = [
        list(dict.fromkeys(data.draw(st.lists(one, max_size=len(keys))))) for _ in range(count)
    ]
    trie = trie_of(registered)
    expected = [keys for keys in itertools.product(*candidates) if keys in registered]
    for descend in SEARCHES.values():
        assert list(descend(trie, candidates)) == expected


def test_a_search_finds_its_way_among_many_keys_at_each_position(descend):
    classes = [type(f"Class{number}", (), {}) for number in range(700)]
    registered = [(classes[0], cls) for cls in classes] + [(cls, classes[0]) for cls in classes]
    trie = trie_of(registered)
    chosen = classes[::100]
    expected = [keys for keys in itertools.product(chosen, chosen) if classes[0] in keys]
    assert list(descend(trie, [chosen, chosen])) == expected


def test_a_search_is_lazy(descend):
    asked = []

    class Noted:
        def __hash__(self):
            asked.append(self)
            return id(self) >> 4

    keys = [Noted() for _ in range(5)]
    trie = trie_of([(key, "second") for key in keys])
    asked.clear()
    search = descend(trie, [keys, ["second", "other"]])
    assert next(search) == (keys[0], "second")
    assert {id(key) for key in asked} == {id(keys[0])}


class WrongError(Exception):
    pass


@pytest.mark.parametrize("method", ["__eq__", "__hash__"])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_the_error_of_a_key_ends_a_search(descend, method, position):
    is_wrong = False

    class Touchy:
        def __eq__(self, other):
            if is_wrong and method == "__eq__":
                raise WrongError
            return self is other

        def __hash__(self):
            if is_wrong and method == "__hash__":
                raise WrongError
            return 1

    # Several keys, so that none is the same object as the first one that it is compared with.
    keys = [Touchy() for _ in range(12)]
    registered = [("first",) * position + (key,) + ("last",) * (2 - position) for key in keys]
    trie = trie_of(registered)
    candidates = [["first"], ["first"], ["last"]]
    candidates[1] = ["first", "last"]
    candidates[position] = keys[::-1]
    search = descend(trie, candidates)
    is_wrong = True
    with pytest.raises(WrongError):
        list(search)
    is_wrong = False
    assert list(search) == []
    assert len(list(descend(trie, candidates))) == len(keys)


def test_a_key_that_continues_the_running_search_is_refused(descend):
    class Impatient:
        def __eq__(self, other):
            next(search)
            return False

        def __hash__(self):
            return 1

    keys = [Impatient() for _ in range(2)]
    # Made without comparing the keys.
    trie = {keys[0]: new_entry((keys[0],), "value", 0)}
    search = iter(())
    search = descend(trie, [[keys[1]]])
    with pytest.raises(ValueError, match="already"):
        next(search)


def test_a_key_may_register_while_it_is_compared():
    registry = reg.ClassRegistry()

    class Registering(type):
        registers = False

        def __eq__(cls, other):
            if Registering.registers:
                Registering.registers = False
                registry.register("key", [type("Another", (), {}), object], "another")
            return cls is other

        def __hash__(cls):
            return 1

    classes = [Registering(f"Class{number}", (), {}) for number in range(6)]
    for cls in classes:
        registry.register("key", [cls, object], cls)
    for cls in classes[1:]:
        Registering.registers = True
        assert registry.all("key", [cls, int]) == [cls]
        assert not Registering.registers
    assert len(registry.registrations()) == len(classes) + 5


def started_search(descend):
    """A search with further values, and weak references to the classes that it is among."""
    keys = [type(f"Class{number}", (), {}) for number in range(3)]
    search = descend(trie_of([(key, keys[0]) for key in keys]), [keys, keys])
    assert next(search) == (keys[0], keys[0])
    return search, [weakref.ref(key) for key in keys]


def test_a_search_goes_on_in_a_trie_that_nobody_else_has(descend):
    search, references = started_search(descend)
    collect()
    assert [value[0] for value in search] == [reference() for reference in references[1:]]


@pytest.mark.needs_mortal_classes
@pytest.mark.parametrize("is_in_circle", [False, True])
def test_an_abandoned_search_keeps_nothing_alive(descend, is_in_circle):
    search, references = started_search(descend)
    holder = [search]
    if is_in_circle:
        holder.append(holder)
    del search, holder
    collect()
    assert [reference() for reference in references] == [None] * 3


# Beyond the keys of an entry, C would read memory that is not the entry's. Python checks each
# index, and no search of the package asks for another number of positions.
@pytest.mark.skipif(not compiled, reason="only C reads entries without the checks of Python")
def test_a_search_for_another_number_of_positions_is_an_error():
    trie = trie_of([(1, 2), (1, 3), (2, 3)])
    for candidates in ([], [[1, 2]], [[1, 2], [2, 3], [3]]):
        with pytest.raises(ValueError, match="keys"):
            list(_trie.descend(trie, candidates))
    with pytest.raises(TypeError):
        _trie.descend(trie, 5)
    with pytest.raises(TypeError):
        _trie.descend(trie, [5])
    with pytest.raises(AttributeError, match="buckets"):
        list(_trie.descend({1: object()}, [[1], [2]]))
