"""The dictionary by class that older frameworks import."""

import pytest

from reg.mapping import ClassMapKey, Map


def test_a_value_is_found_for_subclasses_the_nearest_first():
    class Base: ...

    class Middle(Base): ...

    class Leaf(Middle): ...

    values = Map()
    values[ClassMapKey(Base)] = "base"
    assert values[ClassMapKey(Leaf)] == "base"
    values[ClassMapKey(Middle)] = "middle"
    assert values[ClassMapKey(Leaf)] == "middle"
    assert values.get(ClassMapKey(Base)) == "base"


def test_a_class_without_a_value_is_a_key_error_or_the_default():
    values = Map()
    with pytest.raises(KeyError, match="ClassMapKey"):
        values[ClassMapKey(int)]
    assert values.get(ClassMapKey(int)) is None
    assert values.get(ClassMapKey(int), 3) == 3


def test_a_key_is_equal_to_another_for_the_same_class():
    assert ClassMapKey(int) == ClassMapKey(int)
    assert len({ClassMapKey(int), ClassMapKey(int), ClassMapKey(bool)}) == 2
    assert ClassMapKey(int) != ClassMapKey(bool)
    assert repr(ClassMapKey(int)) == "<ClassMapKey: <class 'int'>>"
