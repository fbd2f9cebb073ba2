"""A generic function that has a parameter for the lookup itself."""

import reg
from reg import Registry


def test_implementations_need_no_class_for_the_parameter_lookup():
    @reg.generic
    def size(obj, lookup):
        return lookup

    registry = Registry()

    @registry.implements(size)
    def list_size(obj: list, lookup):
        return lookup

    assert size([], lookup=registry) is registry
    assert size((), lookup=registry) is registry


def test_a_call_finds_the_same_again_and_again():
    @reg.generic
    def size(obj, lookup):
        return "fallback"

    registry = Registry()
    registry.register(size, [list], lambda obj, lookup: lookup)
    with reg.implicit.using(registry):
        assert [size([]), size([]), size(()), size(())] == [registry] * 2 + ["fallback"] * 2
