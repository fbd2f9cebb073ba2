"""The arguments that callables take, and calls with no others."""

from __future__ import annotations

import abc
import collections
import dataclasses
import functools
import gc
import itertools
import sys
import typing
import weakref

import pytest

import reg
from reg import arginfo, mapply
from reg.arginfo import filled_in

needs_names_of_cpython = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="its built-in functions tell other parameters"
)


def test_a_function_has_args_varargs_keywords_and_defaults():
    def function(a, b, c=1, d=2, *rest, **more): ...

    info = arginfo(function)
    assert info == (["a", "b", "c", "d"], "rest", "more", (1, 2))
    assert (info.args, info.varargs, info.keywords, info.defaults) == tuple(info)


def test_defaults_are_none_for_a_function_without_defaults():
    assert arginfo(lambda: None) == ([], None, None, None)
    assert arginfo(lambda a: None).defaults is None


def test_args_can_be_sliced():
    assert arginfo(lambda a, b, c: None).args[1:] == ["b", "c"]


def test_the_result_is_the_callers_to_change():
    def function(a, b): ...

    arginfo(function).args.clear()
    assert arginfo(function).args == ["a", "b"]


def test_self_and_cls_are_left_out():
    class Thing:
        def method(self, a): ...

        @classmethod
        def class_method(cls, a): ...

        @staticmethod
        def static(a): ...

        def __call__(self, b): ...

    assert arginfo(Thing().method).args == ["a"]
    assert arginfo(Thing.class_method).args == ["a"]
    assert arginfo(Thing().class_method).args == ["a"]
    assert arginfo(Thing.static).args == ["a"]
    assert arginfo(Thing()).args == ["b"]
    assert arginfo(Thing.method).args == ["self", "a"]
    assert arginfo(Thing().__call__).args == ["b"]


def test_a_class_takes_the_arguments_of_its_constructor():
    class Thing:
        def __init__(self, a, b=1, *, c=2): ...

    class Sub(Thing): ...

    assert arginfo(Thing) == (["a", "b"], None, None, (1,))
    assert arginfo(Sub) == (["a", "b"], None, None, (1,))


def test_a_class_without_constructor_takes_nothing():
    class Thing: ...

    class Meta(type): ...

    class WithMeta(metaclass=Meta): ...

    class Abstract(abc.ABC): ...

    class Generic(typing.Generic[typing.TypeVar("T")]): ...

    for cls in (Thing, WithMeta, Abstract, Generic, object):
        assert arginfo(cls) == ([], None, None, None)


class Settings(dict): ...


class Token(str): ...


@pytest.mark.parametrize(
    "cls",
    [
        *(int, str, bool, bytes, list, dict, set, ValueError, Settings, Token),
        pytest.param(float, marks=needs_names_of_cpython),
        pytest.param(range, marks=needs_names_of_cpython),
    ],
)
def test_a_built_in_class_tells_no_names_on_any_python(cls):
    assert arginfo(cls) == ([], None, None, None)


@needs_names_of_cpython
def test_a_built_in_class_that_tells_names_takes_them():
    assert arginfo(itertools.count).args == ["start", "step"]
    assert next(mapply(itertools.count, start=3, unknown=1)) == 3


def test_a_class_with_only_new_takes_the_arguments_of_new():
    class Thing:
        def __new__(cls, a, b=1):
            return super().__new__(cls)

    assert arginfo(Thing) == (["a", "b"], None, None, (1,))
    assert mapply(Thing, a=1, c=2).__class__ is Thing


def test_dataclasses_and_namedtuples_take_their_fields():
    @dataclasses.dataclass
    class Point:
        x: int
        y: int = 0

    Pair = collections.namedtuple("Pair", "first second", defaults=[2])

    class Typed(typing.NamedTuple):
        a: int
        b: str = ""

    assert arginfo(Point) == (["x", "y"], None, None, (0,))
    assert arginfo(Pair) == (["first", "second"], None, None, (2,))
    assert arginfo(Typed) == (["a", "b"], None, None, ("",))
    assert mapply(Point, x=1, z=3) == Point(1, 0)
    assert mapply(Pair, first=1, z=3) == Pair(1, 2)


def test_a_static_call_has_no_self():
    class Thing:
        @staticmethod
        def __call__(a, b): ...

    assert arginfo(Thing()).args == ["a", "b"]


def test_a_callable_without_hash_works():
    class Thing:
        __hash__ = None

        def __call__(self, a, lookup):
            return (a, lookup)

    assert arginfo(Thing()).args == ["a", "lookup"]
    assert mapply(Thing(), 1, lookup=2, other=3) == (1, 2)


def test_a_partial_takes_the_arguments_that_are_left():
    def function(a, b, c=1): ...

    assert arginfo(functools.partial(function, 0)).args == ["b", "c"]
    assert arginfo(functools.partial(function, 0, 0)).args == ["c"]
    assert mapply(functools.partial(lambda a, b: (a, b), 1), b=2, c=3) == (1, 2)


def test_annotated_and_keyword_only_parameters_do_not_matter():
    def function(a: int, b: str = "x", *, c: int, d: int = 1) -> None: ...

    assert arginfo(function) == (["a", "b"], None, None, ("x",))
    assert arginfo(lambda a, /, b: None).args == ["a", "b"]


@needs_names_of_cpython
def test_a_function_in_c_that_tells_is_understood():
    assert arginfo(len).args == ["obj"]
    assert arginfo([].append).args == ["object"]


@pytest.mark.parametrize("value", [None, 1, "text", object()])
def test_an_object_that_cannot_be_called_is_a_type_error(value):
    with pytest.raises(TypeError):
        arginfo(value)


@needs_names_of_cpython
def test_a_callable_without_a_signature_is_a_type_error():
    with pytest.raises(TypeError, match="does not say"):
        arginfo(iter)


def test_decorators_are_not_looked_behind():
    def function(a): ...

    @functools.wraps(function)
    def wrapper(*args, **keywords): ...

    assert arginfo(wrapper) == ([], "args", "keywords", None)


@pytest.mark.needs_mortal_classes
def test_arginfo_keeps_nothing_alive():
    def function(a): ...

    class Thing:
        def __init__(self, a): ...

    references = [weakref.ref(function), weakref.ref(Thing)]
    arginfo(function)
    arginfo(Thing)
    mapply(function, a=1)
    mapply(Thing, a=1)
    del function, Thing
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_mapply_passes_only_the_keywords_that_are_taken():
    assert mapply(lambda a: a, a=1, b=2) == 1
    assert mapply(lambda a, b=5: (a, b), a=1) == (1, 5)
    assert mapply(lambda a, *, b: (a, b), 1, b=2, c=3) == (1, 2)
    assert mapply(lambda: "nothing", a=1) == "nothing"


def test_mapply_passes_all_keywords_to_double_star():
    assert mapply(lambda a, **more: (a, more), a=1, b=2) == (1, {"b": 2})


def test_mapply_passes_positional_arguments_as_they_are():
    assert mapply(lambda *args: args, 1, 2, a=3) == (1, 2)
    with pytest.raises(TypeError):
        mapply(lambda: None, 1)


def test_mapply_does_not_pass_positional_only_parameters_by_name():
    assert mapply(lambda a, /, b=0: (a, b), 1, a=5, b=2) == (1, 2)


@pytest.mark.parametrize("name", ["func", "callable", "args", "self", "names", "kw"])
def test_mapply_takes_keywords_of_any_name(name):
    assert mapply(lambda **keywords: keywords, **{name: 1}) == {name: 1}


def test_mapply_calls_methods_classes_and_instances():
    class Thing:
        def __init__(self, a=0):
            self.a = a

        def method(self, b):
            return (self.a, b)

        def __call__(self, c):
            return (self.a, c)

    class Plain: ...

    assert mapply(Thing, a=1, b=2).a == 1
    assert mapply(Thing(1).method, a=5, b=2) == (1, 2)
    assert mapply(Thing(1), c=2, d=3) == (1, 2)
    assert isinstance(mapply(Plain, a=1), Plain)


def test_mapply_leaves_out_keywords_that_a_built_in_class_does_not_take():
    assert mapply(int, "7", unknown=1) == 7
    assert mapply(Token, "text", unknown=1) == "text"
    assert mapply(Settings, a=1) == {"a": 1}


def test_mapply_passes_all_keywords_to_a_callable_without_a_signature():
    assert mapply(dict, a=1) == {"a": 1}
    assert mapply(max, 1, 2) == 2


def test_an_error_of_the_callable_comes_out():
    def failing(a):
        raise TypeError("from inside")

    with pytest.raises(TypeError, match="from inside"):
        mapply(failing, a=1)


@pytest.mark.parametrize("kind", ["class", "new", "dataclass", "instance", "static", "unhashable"])
def test_any_kind_of_implementation_is_given_the_lookup(kind):
    class Class:
        def __init__(self, thing, lookup):
            self.lookup = lookup

    class New:
        def __new__(cls, thing, lookup):
            new = super().__new__(cls)
            new.lookup = lookup
            return new

    @dataclasses.dataclass
    class Data:
        thing: int
        lookup: object

    class Instance:
        def __call__(self, thing, *, lookup):
            return Data(thing, lookup)

    class Static:
        @staticmethod
        def __call__(thing, lookup):
            return Data(thing, lookup)

    class Unhashable(Instance):
        __hash__ = None

    implementation = {
        "class": Class,
        "new": New,
        "dataclass": Data,
        "instance": Instance(),
        "static": Static(),
        "unhashable": Unhashable(),
    }[kind]

    @reg.generic
    def make(thing): ...

    registry = reg.Registry()
    registry.register(make, [int], implementation)
    assert make(1, lookup=registry).lookup is registry
    assert registry.call(make, [1]).lookup is registry
    assert registry.component(make, [1]) is implementation


def test_a_positional_only_lookup_is_not_given():
    registry = reg.Registry()
    registry.register("key", [int, int], lambda thing, lookup, /: lookup)
    assert registry.call("key", [1, 2]) == 2


def test_the_lookup_bound_by_a_partial_can_be_given_anew_and_one_bound_by_position_not():
    def implementation(thing, lookup):
        return lookup

    registry = reg.Registry()
    registry.register("key", [int], functools.partial(implementation, lookup="bound"))
    registry.register("key", [], functools.partial(implementation, 1, "bound"))
    assert registry.call("key", [1]) is registry
    assert registry.call("key", []) == "bound"


def test_a_generic_function_takes_the_arguments_of_its_function():
    @reg.generic
    def size(item, unit="m", *rest, deep=False): ...

    @reg.generic
    def nothing(): ...

    class Shop:
        @reg.generic
        def price(self, item): ...

    assert reg.arginfo(nothing) == ([], None, None, None)
    assert reg.arginfo(size) == (["item", "unit"], "rest", None, ("m",))
    assert reg.arginfo(Shop.price).args == ["self", "item"]
    assert reg.arginfo(Shop().price).args == ["item"]


@pytest.mark.parametrize(
    ("implementation", "expected"),
    [
        (lambda thing: None, (False, False)),
        (lambda thing, lookup: None, (True, False)),
        (lambda thing, *, call_next: None, (False, True)),
        (lambda thing, call_next, lookup=None: None, (True, True)),
        (lambda thing, lookup, call_next, /: None, (False, False)),
        (lambda *lookup, **call_next: None, (False, False)),
        (lambda thing, **kw: None, (False, False)),
        (lambda thing, lookup, call_next, **kw: None, (False, True)),
        (lambda thing, *, call_next, **kw: None, (False, True)),
        (iter, (False, False)),
        (int, (False, False)),
        (dict, (False, False)),
        (5, (False, False)),
    ],
)
def test_lookup_and_call_next_are_filled_in_where_they_are_named(implementation, expected):
    assert filled_in(implementation) == expected

    class Call:
        def __call__(self, *args):
            return implementation(*args)

    if callable(implementation) and not isinstance(implementation, type):
        Call.__call__ = staticmethod(implementation)
        assert filled_in(Call()) == expected
        assert filled_in(functools.partial(implementation)) == expected


@pytest.mark.parametrize(
    ("wrapper", "expected"),
    [
        (lambda *args, **kw: None, (True, True)),
        (lambda thing, *, call_next, **kw: None, (True, True)),
        (lambda thing, *, lookup, **kw: None, (True, True)),
        (lambda thing: None, (False, False)),
        (lambda thing, lookup: None, (True, False)),
    ],
)
def test_a_wrapper_that_passes_everything_on_is_looked_behind(wrapper, expected):
    def implementation(thing, lookup, call_next): ...

    functools.update_wrapper(wrapper, implementation)
    assert filled_in(wrapper) == expected


def test_call_next_is_given_beside_other_keywords():
    @reg.generic
    def render(item, **options):
        return ("fallback", options)

    registry = reg.Registry()

    @registry.register(render, [int])
    def framed(item, *, call_next, **options):
        return ("framed", options, *call_next())

    expected = ("framed", {"colour": "red"}, "fallback", {"colour": "red"})
    for _ in range(2):
        assert render(1, colour="red", lookup=registry) == expected
    assert registry.component(render, [1]) is framed
