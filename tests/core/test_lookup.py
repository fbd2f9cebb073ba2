"""Finding components for objects, and calling them."""

from __future__ import annotations

import pytest

import reg


def test_a_lookup_finds_by_the_classes_of_the_arguments():
    class Animal: ...

    class Cat(Animal): ...

    registry = reg.ClassRegistry()
    registry.register("key", [Animal, int], "component")
    lookup = reg.Lookup(registry)
    assert lookup.component("key", [Cat(), 1]) == "component"
    assert lookup.component("key", (Cat(), True)) == "component"
    assert lookup.all("key", [Cat(), 1]) == ["component"]
    assert lookup.component("key", [Cat(), "a"], "default") == "default"


def test_a_proxy_is_found_as_the_class_it_claims():
    class Proxy:
        def __init__(self, claimed):
            self._claimed = claimed

        @property
        def __class__(self):
            return self._claimed

    @reg.generic
    def name(thing):
        return "fallback"

    registry = reg.Registry()
    registry.register(name, [int], lambda thing: "int")
    registry.register(name, [str], lambda thing: "str")
    registry.register(name, [Proxy], lambda thing: "proxy")
    for _ in range(2):
        assert registry.component(name, [Proxy(int)])(0) == "int"
        assert name(Proxy(int), lookup=registry) == "int"
        assert name(Proxy(str), lookup=registry) == "str"
    reg.implicit.initialize(registry)
    for _ in range(2):
        assert name(Proxy(int)) == "int"
        assert name(Proxy(str)) == "str"


def test_component_without_a_hit_raises_a_lookup_error():
    with pytest.raises(reg.ComponentLookupError) as caught:
        reg.Registry().component("key", [1, "a"])
    assert isinstance(caught.value, LookupError)
    assert "'key'" in str(caught.value)
    assert "builtins.int, builtins.str" in str(caught.value)


def test_a_component_lookup_error_can_be_raised_with_a_message():
    assert str(reg.ComponentLookupError("message")) == "message"
    assert str(reg.ComponentLookupError()) == ""


@pytest.mark.parametrize("default", [None, 0, "default"])
def test_component_returns_the_default_that_is_given(default):
    lookup = reg.Registry()
    assert lookup.component("key", [1], default) is default
    assert lookup.component("key", [1], default=default) is default


def test_call_finds_and_calls():
    registry = reg.Registry()
    registry.register("key", [int], lambda number, more=0: (number, more))
    assert registry.call("key", [1]) == (1, 0)
    assert registry.call("key", [1], more=2) == (1, 2)


def test_call_without_a_hit_raises_a_lookup_error_or_returns_the_default():
    registry = reg.Registry()
    with pytest.raises(reg.ComponentLookupError):
        registry.call("key", [1])
    assert registry.call("key", [1], "default") == "default"
    assert registry.call("key", [1], default="default") == "default"
    assert registry.call("key", [1], default=None) is None


def test_call_returns_the_default_for_a_result_of_none():
    registry = reg.Registry()
    registry.register("key", [int], lambda number: None)
    assert registry.call("key", [1]) is None
    assert registry.call("key", [1], "default") == "default"
    assert registry.call("key", [1], default=None) is None


def test_call_adds_the_lookup_for_a_parameter_of_that_name():
    registry = reg.Registry()
    registry.register("key", [int], lambda number, lookup: lookup)
    registry.register("key", [str], lambda text, *, lookup=None: lookup)
    registry.register("key", [list], lambda items, **kw: kw)
    registry.register("key", [tuple], lambda items, lookup=None, **kw: lookup)
    registry.register("key", [dict], lambda items: "no such parameter")
    assert registry.call("key", [1]) is registry
    assert registry.call("key", ["a"]) is registry
    assert registry.call("key", [[]]) == {}
    assert registry.call("key", [()]) is None
    assert registry.call("key", [{}]) == "no such parameter"


def test_the_lookup_that_is_added_is_the_one_called():
    registry = reg.ClassRegistry()
    registry.register("key", [int], lambda number, lookup: lookup)
    lookup = reg.Lookup(registry)
    assert lookup.call("key", [1]) is lookup


def test_a_lookup_dispatched_on_is_not_added_again():
    registry = reg.Registry()
    registry.register("key", [reg.Lookup], lambda given, /, lookup=None: (given, lookup))
    other = reg.Registry()
    assert registry.call("key", [other]) == (other, registry)


def test_predicates_given_to_call_go_to_the_implementation():
    class Recording(reg.Matcher):
        def predicates(self, *args):
            return {"computed": True}

        def __call__(self, *args, **predicates):
            assert predicates == {"computed": True}
            return lambda thing, predicates: predicates

    registry = reg.Registry()
    registry.register("key", [int], lambda thing, predicates: predicates)
    registry.register("key", [str], Recording())
    assert registry.call("key", [1], predicates={"a": 1}) == {"a": 1}
    assert registry.call("key", ["a"], predicates={"a": 1}) == {"a": 1}


def test_the_first_argument_is_itself_the_class_with_class_method():
    class Animal: ...

    class Cat(Animal): ...

    registry = reg.Registry()
    registry.register("key", [Animal, int], lambda cls, number: (cls, number))
    registry.register("key", [type, int], lambda cls, number: "metaclass")
    assert registry.component("key", [Cat, 1], class_method=True)(Cat, 1) == (Cat, 1)
    assert registry.component("key", [Cat, 1])(Cat, 1) == "metaclass"
    assert len(registry.all("key", [Cat, 1], class_method=True)) == 1
    assert registry.call("key", [Cat, 1], class_method=True) == (Cat, 1)
    assert registry.call("key", [Cat, 1]) == "metaclass"


def test_an_instance_is_an_error_with_class_method():
    registry = reg.Registry()
    registry.register("key", [int], "component")
    with pytest.raises(TypeError, match="not a class"):
        registry.component("key", [5], class_method=True)


def test_positional_parameters_keep_their_order():
    class Wanting(reg.Matcher):
        def __call__(self, *args, **predicates):
            return predicates.get("wanted")

    registry = reg.Registry()
    registry.register("key", [int], Wanting())
    assert registry.component("key", [1], "default", {"wanted": "it"}) == "it"
    assert registry.component("key", [1], "default", {}) == "default"
    assert registry.all("key", [1], {"wanted": "it"}) == ["it"]
    with pytest.raises(TypeError):
        registry.component("key", [1], "default", {}, True)


@pytest.mark.parametrize("name", ["key", "args", "self", "func", "keywords", "names"])
def test_keywords_of_an_implementation_may_have_any_name(name):
    registry = reg.Registry()
    registry.register("key", [int], lambda number, /, **kw: kw)
    assert registry.call("key", [1], **{name: "mine"}) == {name: "mine"}


def test_an_error_of_an_implementation_comes_out_unchanged():
    registry = reg.Registry()
    error = reg.ComponentLookupError("from inside")

    def failing(number):
        raise error

    registry.register("key", [int], failing)
    for given in ({}, {"default": "default"}):
        with pytest.raises(reg.ComponentLookupError) as caught:
            registry.call("key", [1], **given)
        assert caught.value is error


def test_an_error_of_a_class_lookup_comes_out_unchanged():
    class Failing(reg.IClassLookup):
        def all(self, key, classes):
            raise reg.ComponentLookupError("from inside")

    lookup = reg.Lookup(Failing())
    with pytest.raises(reg.ComponentLookupError, match="from inside"):
        lookup.component("key", [1], "default")
    with pytest.raises(reg.ComponentLookupError, match="from inside"):
        lookup.call("key", [1], "default")


def test_a_lookup_asks_all_and_never_get():
    class Odd(reg.IClassLookup):
        def get(self, key, classes):
            raise AssertionError("asked get()")

        def all(self, key, classes):
            return [lambda *args: "all"]

    class OddRegistry(reg.ClassRegistry):
        def get(self, key, classes):
            raise AssertionError("asked get()")

    registry = OddRegistry()
    registry.register("key", [int], lambda *args: "all")
    for class_lookup in (
        Odd(),
        registry,
        reg.ListClassLookup([Odd()]),
        reg.ChainClassLookup(registry, Odd()),
        reg.CachingClassLookup(Odd()),
        reg.CachingClassLookup(registry),
    ):
        lookup = reg.Lookup(class_lookup)
        assert lookup.component("key", [1])() == "all"
        assert lookup.all("key", [1])[0]() == "all"
        assert lookup.call("key", [1]) == "all"


@pytest.mark.parametrize("result", [list, tuple, iter, lambda found: (each for each in found)])
def test_all_of_a_class_lookup_may_give_any_iterable(result):
    class ThirdParty(reg.IClassLookup):
        def all(self, key, classes):
            return result(["one", "two"])

    lookup = reg.Lookup(ThirdParty())
    assert lookup.component("key", [1]) == "one"
    assert lookup.all("key", [1]) == ["one", "two"]


def test_a_third_party_class_lookup_is_asked_every_time():
    class ThirdParty:
        def __init__(self):
            self.asked = 0

        def all(self, key, classes):
            self.asked += 1
            asked = self.asked
            return [lambda *args: asked]

    @reg.generic
    def size(thing): ...

    third_party = ThirdParty()
    for composed in (
        third_party,
        reg.ListClassLookup([reg.ClassRegistry(), third_party]),
        reg.ChainClassLookup(third_party, reg.ClassRegistry()),
        reg.ListClassLookup([reg.ListClassLookup((third_party,))]),
    ):
        third_party.asked = 0
        lookup = reg.Lookup(composed)
        reg.implicit.initialize(lookup)
        assert lookup.component("key", [1])() == 1
        assert lookup.component("key", [1])() == 2
        assert lookup.call("key", [1]) == 3
        assert lookup.all("key", [1])[0]() == 4
        assert size(1) == 5
        assert size(1) == 6
        assert size(1, lookup=lookup) == 7
        assert size.component(1)() == 8


@pytest.mark.parametrize(
    "make",
    [
        lambda cls: cls(),
        lambda cls: reg.ListClassLookup([cls()]),
        lambda cls: reg.ChainClassLookup(reg.ClassRegistry(), cls()),
    ],
)
@pytest.mark.parametrize(
    "base", [reg.ClassRegistry, reg.ListClassLookup, reg.ChainClassLookup, reg.CachingClassLookup]
)
def test_a_subclass_that_overrides_all_is_asked_every_time(make, base):
    answers = iter(range(100))

    class Overriding(base):
        def __init__(self):
            pass

        def all(self, key, classes):
            answer = next(answers)
            return [lambda *args: answer]

    @reg.generic
    def size(thing): ...

    lookup = reg.Lookup(make(Overriding))
    assert size(1, lookup=lookup) == 0
    assert size(1, lookup=lookup) == 1
    assert lookup.component(size, [1])() == 2
    assert lookup.component(size, [1])() == 3


@pytest.mark.parametrize("made", [lambda: reg.Lookup(reg.ClassRegistry()), reg.Registry])
def test_a_lookup_whose_class_is_replaced_is_asked_as_the_new_class_says(made):
    @reg.generic
    def size(thing):
        return "fallback"

    lookup = made()

    class Overriding(type(lookup)):
        def component(self, key, args, default=None, **options):
            return lambda *args: "overridden"

    for _ in range(2):
        assert size(1, lookup=lookup) == "fallback"
    lookup.__class__ = Overriding
    for _ in range(2):
        assert size(1, lookup=lookup) == "overridden"
    lookup.__class__ = Overriding.__base__
    for _ in range(2):
        assert size(1, lookup=lookup) == "fallback"


def test_a_third_party_lookup_that_delegates_all_other_attributes_is_asked_itself():
    @reg.generic
    def size(thing):
        return "fallback"

    registry = reg.Registry()
    registry.register(size, [int], lambda thing: "int")

    class Delegating:
        def __getattr__(self, name):
            return getattr(registry, name)

        def component(self, key, args, default=None, **options):
            return lambda *args: "overridden"

        def call(self, key, args, **keywords):
            return "overridden"

    lookup = Delegating()
    for _ in range(2):
        assert size(1, lookup=registry) == "int"
        assert size(1, lookup=lookup) == "overridden"
        assert size(thing=1, lookup=lookup) == "overridden"
        assert size.component(1, lookup=lookup)(1) == "overridden"
        with reg.implicit.using(lookup):
            assert size(1) == "overridden"


def test_a_lookup_that_overrides_component_is_asked_by_calls():
    class Overriding(reg.Lookup):
        def component(self, key, args, default=None, predicates=None, **kw):
            return lambda *args: ("overridden", *args)

    @reg.generic
    def size(thing):
        return "fallback"

    @reg.generic("thing")
    def named(thing, more=0):
        return "fallback"

    registry = reg.ClassRegistry()
    registry.register(size, [int], lambda thing: "registered")
    lookup = Overriding(registry)
    assert lookup.call(size, [1]) == ("overridden", 1)
    assert size(1, lookup=lookup) == ("overridden", 1)
    assert named(1, lookup=lookup) == ("overridden", 1)
    assert size.component(1, lookup=lookup)(2) == ("overridden", 2)
    reg.implicit.initialize(lookup)
    assert size(1) == ("overridden", 1)


def test_a_lookup_that_overrides_component_asks_a_matcher_once_for_a_call():
    asked = []

    class Answering(reg.Matcher):
        def __call__(self, *args, **predicates):
            asked.append(args)
            return lambda *args: "answer"

    class Overriding(reg.Lookup):
        def component(self, *args, **kw):
            return super().component(*args, **kw)

    @reg.generic
    def size(thing): ...

    registry = reg.ClassRegistry()
    registry.register(size, [int], Answering())
    assert size(1, lookup=Overriding(registry)) == "answer"
    assert asked == [(1,)]


def test_a_lookup_that_overrides_call_is_asked_by_calls():
    class Overriding(reg.Lookup):
        def call(self, key, args, *default, **kw):
            return ("overridden", args, kw)

    @reg.generic
    def size(thing):
        return "fallback"

    lookup = Overriding(reg.ClassRegistry())
    assert size(1, a=2, lookup=lookup) == ("overridden", (1,), {"a": 2})
    reg.implicit.initialize(lookup)
    assert size(1) == ("overridden", (1,), {})


def test_a_lookup_that_overrides_all_is_asked_by_the_generics_all():
    class Overriding(reg.Lookup):
        def all(self, key, args, predicates=None, **kw):
            return ["overridden"]

    @reg.generic
    def size(thing): ...

    assert list(size.all(1, lookup=Overriding(reg.ClassRegistry()))) == ["overridden"]


def test_a_lookup_that_overrides_all_decides_the_next_implementation():
    class Reversing(reg.Lookup):
        def all(self, *args, **kw):
            return super().all(*args, **kw)[::-1]

    class ReversingFromTheFirst(Reversing):
        def component(self, key, args, *rest, **kw):
            return self.all(key, args)[0]

    @reg.generic
    def size(thing):
        return ["fallback"]

    registry = reg.ClassRegistry()
    registry.register(size, [bool], lambda thing, call_next: ["bool", *call_next()])
    registry.register(size, [int], lambda thing, call_next: ["int", *call_next()])
    registry.register(size, [object], lambda thing: ["object"])
    assert size(True, lookup=ReversingFromTheFirst(registry)) == ["object"]
    assert ReversingFromTheFirst(registry).call(size, [True]) == ["object"]
    registry.register(size, [object], lambda thing, call_next: ["object", *call_next()])
    registry.register(size, [bool], lambda thing: ["bool"])
    lookup = ReversingFromTheFirst(registry)
    assert size(True, lookup=lookup) == ["object", "int", "bool"]
    assert lookup.call(size, [True]) == ["object", "int", "bool"]
    assert size(1, lookup=Reversing(registry)) == ["int", "fallback"]
    with pytest.raises(reg.ComponentLookupError):
        Reversing(registry).call(size, [1])


def test_a_lookup_of_an_applications_own_needs_only_the_methods():
    class Duck:
        def __init__(self):
            self.components = {}

        def component(self, key, args, default=ValueError, predicates=None):
            found = self.components.get((key, type(args[0])), default)
            if found is ValueError:
                raise reg.ComponentLookupError("duck")
            return found

        def all(self, key, args, predicates=None):
            return [self.component(key, args)]

        def call(self, key, args, default=ValueError, **kw):
            return self.component(key, args, default)(*args, **kw)

    @reg.generic
    def size(thing, more=0):
        return "fallback"

    @reg.generic("thing")
    def named(thing, more=0):
        return "fallback"

    duck = Duck()
    duck.components[size, int] = lambda thing, more=0: ("duck", more)
    duck.components[named, int] = lambda thing, more=0: ("duck", more)
    assert size(1, more=2, lookup=duck) == ("duck", 2)
    assert named(1, more=2, lookup=duck) == ("duck", 2)
    assert size("a", lookup=duck) == "fallback"
    assert named("a", lookup=duck) == "fallback"
    assert named("a", lookup=duck, default="default") == "default"
    assert len(list(size.all(1, lookup=duck))) == 1
    with pytest.raises(reg.ComponentLookupError, match="duck"):
        size.component("a", lookup=duck)
    assert size.component("a", lookup=duck, default=None) is None


def test_an_error_inside_an_implementation_is_not_a_miss_of_a_third_party_lookup():
    class Overriding(reg.Lookup):
        def component(self, *args, **kw):
            return super().component(*args, **kw)

    @reg.generic
    def size(thing):
        return "fallback"

    @reg.classgeneric
    def class_size(cls):
        return "fallback"

    def failing(thing):
        raise reg.ComponentLookupError("from inside")

    registry = reg.ClassRegistry()
    registry.register(size, [int], failing)
    registry.register(class_size, [int], failing)
    lookup = Overriding(registry)
    with pytest.raises(reg.ComponentLookupError, match="from inside"):
        size(1, lookup=lookup)
    with pytest.raises(reg.ComponentLookupError, match="from inside"):
        class_size(int, lookup=lookup)
    assert size("a", lookup=lookup) == "fallback"
    assert class_size(str, lookup=lookup) == "fallback"


@pytest.mark.parametrize("method", ["component", "all", "call", "explain"])
@pytest.mark.parametrize("argument", [1, "text", None])
def test_an_argument_in_place_of_all_arguments_is_refused(method, argument):
    registry = reg.Registry()
    registry.register("key", [object], lambda argument: argument)
    with pytest.raises(TypeError, match=r"takes the arguments as a list or tuple, such as \["):
        getattr(registry, method)("key", argument)
    assert registry.call("key", iter([argument])) == argument


class _LoggingRegistry(reg.Registry):
    def component(self, key, args, *more, **options):
        return super().component(key, args, *more, **options)


class _Delegating:
    """A lookup of a framework's own, of which only the methods are known."""

    def __init__(self, registry):
        self.registry = registry

    def component(self, key, args, *more, **options):
        return self.registry.component(key, args, *more, **options)

    def all(self, key, args, **options):
        return self.registry.all(key, args, **options)

    def call(self, key, args, *more, **options):
        return self.registry.call(key, args, *more, **options)


@pytest.mark.parametrize("make", [lambda registry: registry, _LoggingRegistry, _Delegating])
def test_a_call_means_the_same_however_it_is_written_for_every_kind_of_lookup(make):
    @reg.generic
    def head(page, indent=""):
        return "fallback"

    registry = _LoggingRegistry() if make is _LoggingRegistry else reg.Registry()
    lookup = registry if make is _LoggingRegistry else make(registry)

    @registry.implements(head)
    def text_head(page: str, indent: str):
        return f"{page}{indent}"

    for args, keywords in (
        (("p", ""), {}),
        (("p",), {}),
        ((), {"page": "p"}),
        (("p",), {"indent": ""}),
        ((), {"indent": "", "page": "p"}),
    ):
        assert head(*args, lookup=lookup, **keywords) == "p"
        assert head.component(*args, lookup=lookup, **keywords) is text_head
        assert head.all(*args, lookup=lookup, **keywords) == [text_head]
        assert head.explain(*args, lookup=lookup, **keywords).component is text_head
    assert head(1, lookup=lookup) == "fallback"
    registry.register(head, [str], lambda page, **options: "one")
    assert head("p", lookup=lookup) == head("p", indent="", lookup=lookup) == "one"
    assert head("p", "", lookup=lookup) == "p"
