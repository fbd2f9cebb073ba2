"""A copy of a generic function by ``functools`` is the same key as the generic function."""

from __future__ import annotations

import functools

import pytest

import reg


class Animal: ...


class Cat(Animal): ...


def wrapped(generic):
    @functools.wraps(generic)
    def wrapper(*args, **keywords):
        return generic(*args, **keywords)

    return wrapper


@pytest.fixture(params=[wrapped, functools.cache, functools.lru_cache(maxsize=2)])
def copied(request):
    @reg.generic
    def size(thing):
        return "fallback"

    return size, request.param(size)


def test_a_registration_under_the_copy_is_one_under_the_generic_function(copied):
    size, copy = copied
    registry = reg.Registry()
    registry.register(copy, [Animal], lambda thing: "animal")

    @registry.implements(copy)
    def of_cat(thing: Cat) -> str:
        return "cat"

    for _ in range(2):
        assert size(Cat(), lookup=registry) == copy(Cat(), lookup=registry) == "cat"
        assert size(Animal(), lookup=registry) == "animal"
    assert [registration.key for registration in registry.registrations()] == [size, size]


@pytest.mark.parametrize("index", [0, 1], ids=["the generic function", "the copy"])
def test_every_question_about_the_copy_has_the_answer_of_the_generic_function(copied, index):
    size, asked = copied[0], copied[index]
    registry = reg.Registry()
    lookup = reg.Lookup(reg.ListClassLookup([registry, reg.ClassRegistry()]))
    implementation = lambda thing: "animal"  # noqa: E731
    registry.register(size, [Animal], implementation)
    cat = Cat()
    for _ in range(2):
        assert registry.exact(asked, [Animal]) is implementation
        for found in (registry, lookup):
            assert found.component(asked, [cat]) is implementation
            assert list(found.all(asked, [cat])) == [implementation]
            assert found.call(asked, [cat]) == "animal"
            assert found.explain(asked, [cat]).component is implementation
            assert found.class_lookup.get(asked, [Cat]) is implementation
            assert list(found.class_lookup.all(asked, [Cat])) == [implementation]
    assert list(reg.CachingClassLookup(registry).all(asked, [Cat])) == [implementation]
    registry.unregister(asked, [Animal])
    assert size(cat, lookup=registry) == "fallback"


def test_the_copy_is_called_by_its_own_rules(copied):
    size, _ = copied
    registry = reg.Registry()
    calls = []

    @registry.implements(size)
    def of_cat(thing: Cat) -> str:
        calls.append(thing)
        return "cat"

    cached = functools.cache(size)
    cat = Cat()
    assert [cached(cat, lookup=registry) for _ in range(3)] == ["cat"] * 3
    assert calls == [cat]
