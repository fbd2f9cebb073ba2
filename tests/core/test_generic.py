"""Generic functions."""

from __future__ import annotations

import functools
import gc
import inspect
import weakref

import pytest

import reg
from reg._fastcall import compiled


@pytest.fixture
def registry():
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    return registry


def test_a_call_runs_the_implementation_for_the_arguments_classes(registry):
    class Animal: ...

    class Cat(Animal): ...

    @reg.generic
    def meet(first, second):
        return "fallback"

    registry.register(meet, [Animal, Animal], lambda first, second: "animals")
    registry.register(meet, [Cat, Animal], lambda first, second: "cat and animal")
    for _ in range(2):
        assert meet(Animal(), Animal()) == "animals"
        assert meet(Cat(), Cat()) == "cat and animal"
        assert meet(Animal(), Cat()) == "animals"
        assert meet(Animal(), 1) == "fallback"


def test_all_positional_arguments_dispatch_in_any_number(registry):
    @reg.generic
    def size(thing, more=None):
        return ("fallback", thing, more)

    registry.register(size, [int], lambda thing: "one")
    registry.register(size, [int, int], lambda thing, more: "two")
    registry.register(size, [int, int, int], lambda *args: "three")
    registry.register(size, [], lambda: "none")
    for _ in range(2):
        assert size(1) == "one"
        assert size(1, 2) == "two"
        assert size(1, 2, 3) == "three"
        assert size() == "none"
        assert size("a") == ("fallback", "a", None)


@pytest.mark.parametrize("arity", range(8))
def test_a_function_may_have_any_number_of_parameters(registry, arity):
    names = ", ".join(f"p{index}" for index in range(arity))
    function = reg.generic(eval(f"lambda {names}: 'fallback'"))
    assert function(*range(arity)) == "fallback"
    registry.register(function, [int] * arity, lambda *args: args)
    for _ in range(2):
        assert function(*range(arity)) == tuple(range(arity))


def test_a_function_that_collects_arguments_dispatches_on_them(registry):
    @reg.generic
    def size(*things):
        return ("fallback", things)

    registry.register(size, [int, str], lambda number, text: "int and str")
    assert size(1, "a") == "int and str"
    assert size("a", 1) == ("fallback", ("a", 1))
    assert size() == ("fallback", ())


def test_keywords_go_to_the_implementation_and_do_not_dispatch(registry):
    @reg.generic
    def size(thing, unit="m"):
        return ("fallback", unit)

    registry.register(size, [int], lambda thing, unit="m", **more: ("int", unit, more))
    assert size(1, unit="km") == ("int", "km", {})
    assert size(1, other=1) == ("int", "m", {"other": 1})
    assert size("a", unit="km") == ("fallback", "km")
    assert size(thing=1) == ("fallback", "m")


@pytest.mark.parametrize(
    "name", ["key", "args", "self", "func", "class_method", "keywords", "function", "names", "kw"]
)
@pytest.mark.parametrize("make", [reg.generic, reg.classgeneric])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda r: r,
        lambda r: type(
            "Own",
            (reg.Lookup,),
            {"component": lambda self, *args, **kw: reg.Lookup.component(self, *args, **kw)},
        )(r.registry),
    ],
)
def test_a_keyword_may_have_any_name(make, wrap, name):
    @make
    def size(thing, /, **kw):
        return ("fallback", kw)

    registry = reg.Registry()
    registry.register(size, [int], lambda thing, /, **kw: ("int", kw))
    lookup = wrap(registry)
    number, text = (1, "a") if make is reg.generic else (int, str)
    assert size(number, lookup=lookup, **{name: "mine"}) == ("int", {name: "mine"})
    assert size(text, lookup=lookup, **{name: "mine"}) == ("fallback", {name: "mine"})
    assert size(number, lookup=lookup, default=1, **{name: "mine"}) == ("int", {name: "mine"})


@pytest.mark.parametrize("name", ["argument_0", "more", "general", "identity", "self"])
def test_a_parameter_may_have_any_name(registry, name):
    function = reg.generic(eval(f"lambda {name}: ('fallback', {name})"))
    assert function(1) == ("fallback", 1)
    registry.register(function, [int], eval(f"lambda {name}: ('int', {name})"))
    assert function(1) == ("int", 1)


def test_lookup_is_taken_out(registry):
    @reg.generic
    def size(thing, **kw):
        return ("fallback", kw)

    other = reg.Registry()
    other.register(size, [int], lambda thing, **kw: ("other", kw))
    assert size(1, lookup=other) == ("other", {})
    assert size("a", lookup=other) == ("fallback", {})
    assert size(1) == ("fallback", {})


def test_a_lookup_of_none_is_an_error(registry):
    @reg.generic
    def size(thing): ...

    for call in (size, size.component, size.all):
        with pytest.raises(reg.NoImplicitLookupError, match=r"size was called with lookup=None"):
            call(1, lookup=None)


def test_an_explicit_lookup_needs_no_implicit_one():
    @reg.generic
    def size(thing):
        return "fallback"

    registry = reg.Registry()
    assert size(1, lookup=registry) == "fallback"
    with pytest.raises(reg.NoImplicitLookupError, match=r"function test.* called without a lookup"):
        size(1)


def test_default_is_returned_for_a_miss_and_for_a_result_of_none(registry):
    @reg.generic
    def size(thing):
        return "fallback"

    registry.register(size, [int], lambda thing: None)
    registry.register(size, [bool], lambda thing: "bool")
    assert size("a", default="default") == "default"
    assert size("a", default=None) is None
    assert size(1, default="default") == "default"
    assert size(1) is None
    assert size(True, default="default") == "bool"


def test_the_fallback_is_given_the_lookup_by_the_rule_for_implementations():
    @reg.generic
    def with_lookup(thing, lookup):
        return lookup

    @reg.generic
    def with_keyword(thing, *, lookup=None):
        return lookup

    @reg.generic
    def without(thing):
        return "without"

    @reg.generic
    def with_all(thing, **kw):
        return kw

    registry = reg.Registry()
    for _ in range(2):
        assert with_lookup(1, lookup=registry) is registry
        assert with_keyword(1, lookup=registry) is registry
        assert without(1, lookup=registry) == "without"
        assert with_all(1, lookup=registry) == {}
    reg.implicit.initialize(registry)
    assert with_lookup(1) is registry
    assert with_keyword(1) is registry
    assert without(1) == "without"


def test_implementations_are_given_the_lookup_in_use(registry):
    @reg.generic
    def size(thing): ...

    registry.register(size, [int], lambda thing, lookup: lookup)
    registry.register(size, [str], lambda thing, **kw: kw)
    registry.register(size, [list], lambda thing, lookup="own", **kw: lookup)
    other = reg.Lookup(registry.registry)
    for _ in range(2):
        assert size(1) is registry
        assert size(1, lookup=other) is other
        assert size(1, default=None) is registry
        assert size("a", lookup=other) == {}
        assert size([], lookup=other) == "own"


def test_an_error_inside_an_implementation_comes_out_and_no_fallback_runs(registry):
    @reg.generic
    def size(thing):
        raise AssertionError("the fallback ran")

    error = reg.ComponentLookupError("from inside")

    def failing(thing):
        raise error

    registry.register(size, [int], failing)
    for keywords in ({}, {"default": "default"}, {"lookup": registry}):
        for _ in range(2):
            with pytest.raises(reg.ComponentLookupError) as caught:
                size(1, **keywords)
            assert caught.value is error


@pytest.mark.parametrize("error", [KeyError, AttributeError, TypeError, reg.NoImplicitLookupError])
def test_an_implementation_with_any_error_runs_once(registry, error):
    called = []

    @reg.generic
    def size(thing): ...

    def failing(thing):
        called.append(thing)
        raise error("from inside")

    registry.register(size, [int], failing)
    for count in (1, 2, 3):
        with pytest.raises(error, match="from inside") as raised:
            size(1)
        assert raised.value.__context__ is None
        assert len(called) == count


def test_a_result_of_none_does_not_run_the_fallback(registry):
    @reg.generic
    def size(thing):
        return "fallback"

    registry.register(size, [int], lambda thing: None)
    assert [size(1), size(1)] == [None, None]


def test_component_and_all_find_the_implementations_of_a_call(registry):
    class Animal: ...

    class Cat(Animal): ...

    @reg.generic
    def size(thing): ...

    registry.register(size, [Animal], "animal")
    registry.register(size, [Cat], "cat")
    assert size.component(Cat()) == "cat"
    assert list(size.all(Cat())) == ["cat", "animal"]
    assert size.component(1, default="default") == "default"
    assert size.component(1, default=None) is None
    assert list(size.all(1)) == []
    with pytest.raises(reg.ComponentLookupError):
        size.component(1)
    other = reg.Registry()
    other.register(size, [Cat], "other")
    assert size.component(Cat(), lookup=other) == "other"
    assert list(size.all(Cat(), lookup=other)) == ["other"]


def test_component_and_all_hand_predicates_to_matchers(registry):
    class Telling(reg.Matcher):
        def __call__(self, *args, **predicates):
            return predicates or None

    @reg.generic
    def size(thing): ...

    registry.register(size, [int], Telling())
    assert size.component(1, predicates={"a": 1}) == {"a": 1}
    assert list(size.all(1, predicates={"a": 1})) == [{"a": 1}]
    assert size.component(1, predicates={}, default=None) is None


def test_component_and_all_refuse_other_keywords(registry):
    @reg.generic
    def size(thing): ...

    with pytest.raises(TypeError, match=r"component\(\) got an unexpected keyword argument 'x'$"):
        size.component(1, x=1)
    with pytest.raises(TypeError, match=r"all\(\) got an unexpected keyword argument 'default'$"):
        size.all(1, default=1)
    with pytest.raises(TypeError, match=r"component\(\) got an unexpected keyword argument 'key'$"):
        size.component(1, key=1)


@pytest.mark.parametrize("names", [(), ("thing",)])
def test_component_and_all_take_the_other_arguments_of_a_call(registry, names):
    @reg.generic(*names)
    def size(thing, *, unit="mm", **more): ...

    registry.register(size, [int], "found")
    for _ in range(2):
        assert size.component(1, unit="cm") == "found"
        assert size.component(thing=1, unit="cm", lookup=registry) == "found"
        assert list(size.all(1, unit="cm")) == ["found"]
        with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'untl'$"):
            size.component(1, untl="cm")


def test_component_refuses_other_keywords_also_if_its_answer_is_cached(registry):
    @reg.generic("thing")
    def size(thing): ...

    registry.register(size, [int], lambda thing: "found")
    for _ in range(3):
        assert size(1) == size(thing=1) == "found"
        with pytest.raises(
            TypeError, match=r"component\(\) got an unexpected keyword argument 'x'$"
        ):
            size.component(1, x=1)
        with pytest.raises(TypeError, match=r"all\(\) got an unexpected keyword argument 'x'$"):
            size.all(thing=1, x=1)


def test_the_key_is_the_generic_function_itself(registry):
    @reg.generic
    def size(thing): ...

    registry.register(size, [int], "component")
    assert registry.exact(size, [int]) == "component"
    assert registry.component(size, [1]) == "component"
    assert registry.exact(size.__wrapped__, [int]) is None


def test_two_generic_functions_of_one_function_are_two_keys(registry):
    def function(thing):
        return "fallback"

    one, two = reg.generic(function), reg.generic(function)
    registry.register(one, [int], lambda thing: "one")
    assert (one(1), two(1)) == ("one", "fallback")


def test_registering_for_more_or_fewer_classes_than_parameters_is_allowed(registry):
    @reg.generic
    def size(thing):
        return "fallback"

    registry.register(size, [], lambda: "none")
    registry.register(size, [int, int], lambda *args: "two")
    assert size(1) == "fallback"
    assert size(1, 1) == "two"
    assert size() == "none"


def test_it_is_a_method_in_a_class_body(registry):
    class Shop:
        name = "shop"

        @reg.generic
        def price(self, thing, more=0):
            return (self.name, "fallback")

        @staticmethod
        @reg.generic
        def static(thing):
            return "fallback"

    class Bakery(Shop):
        name = "bakery"

    registry.register(Shop.price, [Shop, int], lambda self, thing, more=0: (self.name, more))
    registry.register(Shop.static, [int], lambda thing: "int")
    for _ in range(2):
        assert Bakery().price(1) == ("bakery", 0)
        assert Bakery().price.__self__.name == "bakery"
        assert Bakery().price(1, more=5) == ("bakery", 5)
        assert Shop().price("a") == ("shop", "fallback")
        assert Shop.price(Shop(), 1) == ("shop", 0)
        assert Shop.static(1) == "int"
        assert Shop().static(1) == "int"


class Stall:
    @reg.generic
    def price(self, thing):
        return "fallback"


@pytest.mark.skipif(not compiled, reason="there, a method is one of Python's own")
def test_a_method_is_asked_about_the_call_of_the_method(registry):
    @registry.implements(Stall.price)
    def of_int(stall: Stall, thing: int):
        return "int"

    stall = Stall()
    assert stall.price.component(1) is of_int
    assert stall.price.component("a", default=None) is None
    assert stall.price.all(1) == [of_int]
    assert stall.price.explain(1).component is of_int


@pytest.mark.parametrize("question", ["component", "all", "explain"])
def test_a_question_without_a_required_argument_is_refused(registry, question):
    registry.register(Stall.price, [Stall, int], lambda stall, thing: "int")
    asked = Stall.price if compiled else Stall().price
    for options in ({}, {"default": None} if question == "component" else {}):
        for _ in range(2):
            with pytest.raises(
                TypeError, match=rf"{question}\(\) .*price without its argument 'th"
            ):
                getattr(asked, question)(Stall(), **options)
    # There are registrations for so many arguments now.
    registry.register(Stall.price, [Stall], lambda stall: "stall")
    assert getattr(asked, question)(Stall())


def test_a_bound_method_is_no_key_since_no_call_looks_under_it(registry):
    class Shop:
        @reg.generic
        def price(self, thing):
            return "fallback"

        @classmethod
        @reg.generic
        def open(cls, day):
            return "fallback"

    for bound in (Shop().price, Shop.open):
        with pytest.raises(TypeError, match=r"bound to .*; give the generic function .*Shop"):
            registry.register(bound, [object, int], lambda shop, thing: "int")
    assert not registry.registrations()
    registry.register(Shop.open.__func__, [type, int], lambda cls, day: "int")
    assert Shop.open(1) == "int"


def test_it_has_the_name_docstring_and_signature_of_the_function():
    def size(thing: int, unit: str = "m") -> float:
        """Measure a thing."""

    generic = reg.generic(size)
    assert generic.__name__ == "size"
    assert generic.__qualname__ == size.__qualname__
    assert generic.__doc__ == "Measure a thing."
    assert generic.__module__ == __name__
    assert generic.__annotations__ == size.__annotations__
    assert inspect.signature(generic) == inspect.signature(size)
    assert generic.__wrapped__ is size
    assert inspect.isroutine(generic)  # a function in Python, an object of its own kind in C
    assert inspect.getsource(generic) == inspect.getsource(size)


@pytest.mark.needs_mortal_classes
def test_it_can_be_weakly_referenced_and_dies(registry):
    @reg.generic
    def size(thing):
        return "fallback"

    registry.register(size, [int], lambda thing: "int")
    assert size(1) == "int"
    registry.unregister(size, [int])
    assert size(1) == "fallback"
    reference = weakref.ref(size)
    del size
    gc.collect()
    assert reference() is None


def test_arguments_are_not_compared(registry):
    class Uncomparable:
        def __eq__(self, other):
            raise AssertionError("was compared")

        __hash__ = None

    @reg.generic
    def size(thing, **kw):
        return "fallback"

    registry.register(size, [Uncomparable], lambda thing, **kw: "found")
    for keywords in ({}, {"lookup": registry}, {"a": 1}, {"default": 1}):
        assert size(Uncomparable(), **keywords) == "found"
    assert size.component(Uncomparable())(1) == "found"
    assert registry.call(size, [Uncomparable()]) == "found"


def test_a_generic_function_of_a_generic_function_has_its_own_registrations(registry):
    @reg.generic
    def inner(thing):
        return "fallback"

    outer = reg.generic(inner)
    registry.register(inner, [int], lambda thing: "inner")
    registry.register(outer, [str], lambda thing: "outer")
    assert outer is not inner
    assert outer.component is not inner.component
    assert outer.component("a")("a") == "outer"
    assert outer.component(1, default=None) is None
    assert inner.component("a", default=None) is None
    assert len(list(inner.all(1))) == 1
    assert list(outer.all(1)) == []
    assert outer(1) == "inner"
    assert outer("a") == "outer"
    assert outer([]) == "fallback"


def test_an_implementation_identical_to_default_is_called(registry):
    @reg.generic
    def size(thing):
        return "fallback"

    def implementation(thing):
        return "called"

    registry.register(size, [int], implementation)
    assert size(1, default=implementation) == "called"
    assert registry.call(size, [1], implementation) == "called"
    assert size.component(1, default=implementation) is implementation
    assert size("a", default=implementation) is implementation


@pytest.mark.parametrize("value", [None, 1, "text", [], object()])
def test_an_object_that_cannot_be_called_cannot_be_made_generic(value):
    if not isinstance(value, str):
        with pytest.raises(TypeError, match="made generic"):
            reg.generic(value)
    with pytest.raises(TypeError, match="made generic"):
        reg.generic("thing")(value)


@pytest.mark.parametrize("decorator", [staticmethod, classmethod, property])
def test_static_methods_class_methods_and_properties_are_refused_with_the_right_order(decorator):
    with pytest.raises(TypeError, match=f"below @{decorator.__name__}$"):
        reg.generic(decorator(lambda thing: None))


def test_builtins_classes_and_instances_can_be_made_generic(registry):
    class Doubling:
        def __call__(self, thing):
            return thing * 2

    length, double, listed = reg.generic(len), reg.generic(Doubling()), reg.generic(list)
    registry.register(length, [int], lambda number: "int")
    registry.register(double, [str], lambda text: "str")
    registry.register(listed, [int], lambda number: ["int"])
    assert (length(1), length("abc")) == ("int", 3)
    assert (double("a"), double(2)) == ("str", 4)
    assert (listed(1), listed("ab")) == (["int"], ["a", "b"])


def test_a_class_generic_takes_its_first_argument_as_the_class(registry):
    class Animal: ...

    class Cat(Animal): ...

    @reg.classgeneric
    def make(cls, number):
        return ("fallback", cls)

    registry.register(make, [Animal, int], lambda cls, number: ("animal", cls))
    for _ in range(2):
        assert make(Cat, 1) == ("animal", Cat)
        assert make(Cat, "a") == ("fallback", Cat)
        assert make(int, 1) == ("fallback", int)
        assert make(Cat, 1, lookup=registry) == ("animal", Cat)
        assert make(Cat, 1, default=None) == ("animal", Cat)
        assert make(int, 1, default="default") == "default"
    assert make.component(Cat, 1)(Cat, 1) == ("animal", Cat)
    assert len(list(make.all(Cat, 1))) == 1
    assert make.component(int, 1, default=None) is None
    assert make.__name__ == "make"
    assert inspect.signature(make) == inspect.signature(make.__wrapped__)


def test_a_class_generic_finds_a_registration_for_type_by_a_metaclass(registry):
    class Meta(type): ...

    @reg.classgeneric
    def make(cls):
        return "fallback"

    registry.register(make, [type], lambda cls: "type")
    assert make(Meta) == "type"
    assert make(int) == "fallback"


def test_a_class_generic_refuses_an_instance(registry):
    @reg.classgeneric
    def make(cls): ...

    registry.register(make, [int], lambda cls: "int")
    with pytest.raises(TypeError, match="not a class"):
        make(1)


def test_an_async_function_can_be_awaited_as_before(registry):
    import asyncio

    @reg.generic
    async def fetch(thing):
        return "fallback"

    async def fetch_int(thing):
        return "int"

    registry.register(fetch, [int], fetch_int)
    assert asyncio.run(fetch(1)) == "int"
    assert asyncio.run(fetch("a")) == "fallback"


@pytest.mark.parametrize(
    "implementation",
    [
        functools.partial(lambda extra, thing: ("found", thing), 0),
        functools.partial(lambda thing, extra: ("found", thing), extra=0),
        type("Callable", (), {"__call__": lambda self, thing: ("found", thing)})(),
        type("Static", (), {"__call__": staticmethod(lambda thing: ("found", thing))})(),
        type("Unhashable", (), {"__call__": lambda self, t: ("found", t), "__hash__": None})(),
        type("Holder", (), {"method": lambda self, thing: ("found", thing)})().method,
        type("Holder", (), {"m": classmethod(lambda cls, thing: ("found", thing))}).m,
        functools.lru_cache(lambda thing: ("found", thing)),
        lambda thing, /: ("found", thing),
    ],
)
def test_implementations_may_be_any_kind_of_callable(registry, implementation):
    @reg.generic
    def size(thing): ...

    registry.register(size, [int], implementation)
    for _ in range(2):
        assert size(1) == ("found", 1)
        assert size(1, default=None) == ("found", 1)
        assert registry.call(size, [1]) == ("found", 1)


@pytest.mark.parametrize(("implementation", "result"), [(str, "1"), (abs, 1), (float, 1.0)])
def test_implementations_in_c_are_called_without_additions(registry, implementation, result):
    @reg.generic
    def convert(thing): ...

    registry.register(convert, [int], implementation)
    assert convert(1) == result
    assert registry.call(convert, [1]) == result


def test_a_component_that_cannot_be_called_is_an_error_of_the_call(registry):
    @reg.generic
    def size(thing):
        return "fallback"

    registry.register(size, [int], "no function")
    with pytest.raises(TypeError, match="cannot be called"):
        size(1)
    assert size.component(1) == "no function"


def test_a_missing_argument_of_the_implementation_is_a_type_error(registry):
    @reg.generic
    def size(thing): ...

    registry.register(size, [int], lambda thing, extra: None)
    with pytest.raises(TypeError, match="extra"):
        size(1)


def _ways_to_ask(generic, lookup):
    yield lambda: generic(1, lookup=lookup)
    yield lambda: generic.component(1, lookup=lookup)
    yield lambda: generic.all(1, lookup=lookup)
    yield lambda: generic.explain(1, lookup=lookup)


@pytest.mark.parametrize(
    ("lookup", "message"),
    [
        (reg.Lookup, r"<class 'reg.lookup.Lookup'> as its lookup, which is a class; pass an insta"),
        (reg.Registry, "which is a class; pass an instance"),
        (reg.ClassRegistry(name="host"), r"<ClassRegistry 'host' .*; pass reg.Lookup\(it\)"),
        (3, "size was called with 3 as its lookup, which is not a lookup"),
        ([reg.Registry()], r"; pass reg.Lookup\(reg.ListClassLookup\(it\)\)$"),
    ],
)
def test_an_object_that_is_not_a_lookup_is_an_error_with_advice(lookup, message):
    @reg.generic
    def size(thing): ...

    for ask in _ways_to_ask(size, lookup):
        with pytest.raises(TypeError, match=message):
            ask()
    # An object that can be no lookup at all is refused before the call.
    message = f"{message}|takes a lookup; got"
    with pytest.raises(TypeError, match=message), reg.implicit.using(lookup):
        size(1)


def test_a_class_whose_methods_need_no_instance_is_a_lookup():
    class Everywhere:
        @classmethod
        def component(cls, key, args, default=None): ...

        @staticmethod
        def all(key, args): ...

        @classmethod
        def call(cls, key, args):
            return "called"

    @reg.generic
    def size(thing): ...

    assert size(1, lookup=Everywhere) == "called"
    assert size.component(1, lookup=Everywhere) is None
    with reg.implicit.using(Everywhere):
        assert size(1) == "called"


@pytest.mark.parametrize("name", ["default", "call_next"])
def test_a_parameter_with_the_name_of_a_keyword_of_calls_is_refused(name):
    namespace = {"reg": reg}
    for parameters in (f"key, {name}=None", f"key, *, {name}=None", f"{name}"):
        with pytest.raises(TypeError, match=f"cannot be generic with a parameter '{name}'"):
            exec(f"@reg.generic\ndef get({parameters}): ...", namespace)
    exec(f"@reg.generic\ndef get(key, {name}=7, /): return {name}", namespace)
    for _ in range(2):
        assert namespace["get"](1, lookup=reg.Registry()) == 7
