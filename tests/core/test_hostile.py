"""Objects that break the rules of Python are refused, or treated as they claim."""

from __future__ import annotations

import abc
import contextlib
import gc
import pickle
import sys
import types
import typing
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg


class HostileError(Exception):
    """Raised by hostile objects, and never by the package."""


class Animal: ...


def compositions(registry):
    class ThirdParty:
        def all(self, key, classes):
            return registry.all(key, classes)

        def get(self, key, classes):
            return registry.get(key, classes)

    return [
        reg.Lookup(registry),
        reg.Lookup(reg.ListClassLookup([reg.ClassRegistry(), registry])),
        reg.Lookup(reg.ChainClassLookup(reg.ClassRegistry(), registry)),
        reg.Lookup(reg.CachingClassLookup(registry)),
        reg.Lookup(ThirdParty()),
    ]


def ways_to_ask(generic, lookup):
    """All public ways to look something up for arguments."""
    return [
        lambda *args: generic(*args, lookup=lookup),
        lambda *args: generic(*args, lookup=lookup, default=None),
        lambda *args: generic.component(*args, lookup=lookup),
        lambda *args: list(generic.all(*args, lookup=lookup)),
        lambda *args: str(generic.explain(*args, lookup=lookup)),
        lambda *args: lookup.component(generic, args),
        lambda *args: lookup.all(generic, args),
        lambda *args: lookup.call(generic, args),
        lambda *args: lookup.explain(generic, args),
    ]


@pytest.fixture
def registry():
    registry = reg.ClassRegistry()
    registry.register(size, [Animal], lambda thing: "animal")
    registry.register(size, [Animal, Animal], lambda thing, other: "two animals")
    return registry


@reg.generic
def size(thing, *others):
    return "fallback"


def still_right(registry, lookup):
    assert size(Animal(), lookup=lookup) == "animal"
    assert size(Animal(), Animal(), lookup=lookup) == "two animals"
    assert size(1, lookup=lookup) == "fallback"
    assert len(registry.registrations()) == 2


# Classes that arguments claim


def test_an_error_in_the_class_of_an_argument_comes_out(registry):
    class Hostile:
        @property
        def __class__(self):
            raise HostileError

    for lookup in compositions(registry):
        for ask in ways_to_ask(size, lookup):
            for args in ((Hostile(),), (Animal(), Hostile()), (Hostile(), 1, 2)):
                with pytest.raises(HostileError):
                    ask(*args)
        still_right(registry, lookup)


@pytest.mark.parametrize("claimed", [None, 1, "Animal", (Animal,), object(), typing.Any])
def test_an_argument_whose_class_is_not_a_class_is_refused(registry, claimed):
    class Hostile:
        @property
        def __class__(self):
            return claimed

    if isinstance(claimed, type):
        assert size(Hostile(), lookup=reg.Lookup(registry)) == "fallback"
        return
    for lookup in compositions(registry):
        for ask in ways_to_ask(size, lookup):
            with pytest.raises(TypeError, match=r"not a class|is an instance"):
                ask(Hostile())
        still_right(registry, lookup)


def test_an_argument_that_claims_another_class_each_time_dispatches_as_that_class(registry):
    class Hostile:
        claims: typing.ClassVar = []

        @property
        def __class__(self):
            self.claims.append(None)
            return (Animal, int)[len(self.claims) % 2]

    for lookup in compositions(registry):
        for _ in range(6):
            found = size(Hostile(), lookup=lookup)
            assert found in {"animal", "fallback"}
        still_right(registry, lookup)


def test_an_argument_whose_class_is_made_as_it_is_asked_for(registry):
    class Hostile:
        @property
        def __class__(self):
            return type("Fleeting", (Animal,), {})

    for lookup in compositions(registry):
        for _ in range(50):
            assert size(Hostile(), lookup=lookup) == "animal"
            assert size(Hostile(), Hostile(), lookup=lookup) == "two animals"
        still_right(registry, lookup)


def test_an_argument_that_changes_everything_as_it_is_asked_for_its_class(registry):
    composed = [registry]
    lookup = reg.Lookup(reg.ListClassLookup(composed))

    class Hostile:
        def __init__(self, change):
            self.change = change

        @property
        def __class__(self):
            self.change()
            gc.collect(0)
            return Animal

    def again():
        registry.register(size, [Animal], lambda thing: "animal")
        registry.register(size, [Animal, Animal], lambda thing, other: "two animals")

    changes = [
        registry.clear,
        composed.clear,
        lambda: setattr(lookup, "class_lookup", reg.ClassRegistry()),
        lambda: size(Animal(), lookup=lookup),
        lambda: registry.unregister(size, [Animal]) if registry.exact(size, [Animal]) else None,
    ]
    for change in changes:
        for args in ((Hostile(change),), (Animal(), Hostile(change))):
            composed[:] = [registry]
            lookup = reg.Lookup(reg.ListClassLookup(composed))
            again()
            size(Animal(), *args[1:2] and [Animal()], lookup=lookup)
            assert size(*args, lookup=lookup) in {"animal", "two animals", "fallback"}
    again()
    still_right(registry, reg.Lookup(registry))


def test_getattr_that_answers_or_raises_is_not_taken_for_anything(registry):
    class Answers:
        def __getattr__(self, name):
            return self

        def __call__(self, *args, **keywords):
            return self

    class Raises:
        def __getattr__(self, name):
            raise HostileError(name)

    for lookup in compositions(registry):
        for hostile in (Answers(), Raises()):
            assert size(hostile, lookup=lookup) == "fallback"
            assert size(hostile, hostile, lookup=lookup, default=1) == 1
    answers = Answers()
    registry.register("key", [Animal], answers)
    assert reg.Lookup(registry).component("key", [Animal()]) is answers
    assert registry.registrations()[-1].component is answers


@pytest.mark.needs_mortal_classes
def test_a_class_dies_during_the_call(registry):
    for lookup in compositions(registry):
        seen = []

        @reg.generic
        def kill(things):
            return "fallback"

        class Box(list): ...

        def killing(things, lookup, kill=kill, seen=seen):
            seen.append(weakref.ref(type(things[0])))
            things.clear()
            gc.collect()
            return size(type("Other", (), {})(), lookup=lookup)

        registry.register(kill, [Box], killing)
        for _ in range(5):
            things = Box([type("Dying", (Animal,), {})()])
            assert size(things[0], lookup=lookup) == "animal"
            assert kill(things, lookup=lookup) == "fallback"
        registry.unregister(kill, [Box])
        gc.collect()
        assert {reference() for reference in seen} == {None}
        still_right(registry, lookup)


# Metaclasses


class _Raising(type):
    """A metaclass whose operators raise while they are told to."""

    raising: typing.ClassVar[set] = set()

    def __hash__(cls):
        if "__hash__" in _Raising.raising:
            raise HostileError
        return 1  # so that all are compared

    def __eq__(cls, other):
        if "__eq__" in _Raising.raising:
            raise HostileError
        return cls is other

    def __instancecheck__(cls, instance):
        if "__instancecheck__" in _Raising.raising:
            raise HostileError
        return type.__instancecheck__(cls, instance)

    def __subclasscheck__(cls, other):
        return type.__subclasscheck__(cls, other)

    def __getattribute__(cls, name):
        if "__getattribute__" in _Raising.raising:
            raise HostileError(name)
        return type.__getattribute__(cls, name)

    def __bool__(cls):
        raise HostileError

    def __repr__(cls):
        raise HostileError


@pytest.fixture
def raising():
    yield _Raising.raising
    _Raising.raising.clear()


@pytest.mark.parametrize("operator", ["__hash__", "__eq__", "__instancecheck__"])
def test_a_metaclass_that_raises_changes_nothing(registry, raising, operator):
    hostile = [_Raising(f"Hostile{number}", (), {}) for number in range(3)]
    registry.register(size, [hostile[0]], lambda thing: "hostile 0")
    registry.register(size, [hostile[1]], lambda thing: "hostile 1")
    lookups = compositions(registry)

    def agree():
        for lookup in lookups:
            assert size(hostile[0](), lookup=lookup) == "hostile 0"
            assert size(hostile[1](), lookup=lookup) == "hostile 1"
            assert size(hostile[2](), lookup=lookup) == "fallback"
            assert size(Animal(), lookup=lookup) == "animal"
        assert len(registry.registrations()) == 4

    for operation in (
        lambda: registry.register(size, [hostile[2]], lambda thing: "hostile 2"),
        lambda: registry.register(size, [hostile[1] | int], lambda thing: "union"),
        lambda: registry.unregister(size, [hostile[1]]),
        lambda: registry.exact(size, [hostile[1]]),
        lambda: registry.all(size, [hostile[2]]),
        lambda: registry.get(size, [hostile[2]]),
        lambda: reg.Lookup(registry).all(size, [object.__new__(hostile[2])]),
    ):
        raising.clear()
        before = [(each.classes, each.component) for each in registry.registrations()]
        raising.add(operator)
        with contextlib.suppress(HostileError):
            operation()
        raising.clear()
        kept = len(before) == len(registry.registrations()) == 4
        if kept and registry.exact(size, [hostile[1]])(None) == "hostile 1":
            agree()
            continue
        # It was not asked: then all of it was done.
        assert operator == "__instancecheck__"
        registry.clear()
        registry.register(size, [Animal], lambda thing: "animal")
        registry.register(size, [Animal, Animal], lambda *things: "two animals")
        registry.register(size, [hostile[0]], lambda thing: "hostile 0")
        registry.register(size, [hostile[1]], lambda thing: "hostile 1")


def test_a_metaclass_that_raises_for_every_attribute_still_dispatches(registry, raising):
    hostile = _Raising("Hostile", (Animal,), {})
    instance = hostile()
    raising.add("__getattribute__")
    for lookup in compositions(registry):
        assert size(instance, lookup=lookup) == "animal"
        assert size(instance, lookup=lookup) == "animal"


def test_a_class_that_cannot_be_hashed_is_an_error_and_nothing_else(registry):
    class Unhashable(type):
        def __eq__(cls, other):
            return cls is other

    class Hostile(Animal, metaclass=Unhashable): ...

    for operation in (
        lambda: registry.register(size, [Hostile], lambda thing: "hostile"),
        lambda: registry.register(size, [Animal, Hostile], lambda thing: "hostile"),
        lambda: registry.unregister(size, [Hostile]),
        lambda: registry.exact(size, [Hostile]),
    ):
        with pytest.raises(TypeError, match=r"Hostile'>, .* its metaclass .*Unhashable has __eq__"):
            operation()
        for lookup in compositions(registry):
            still_right(registry, lookup)


def test_classes_that_are_equal_to_each_other_share_registrations(registry):
    class Alike(type):
        def __eq__(cls, other):
            return isinstance(other, Alike)

        def __hash__(cls):
            return 7

    class One(metaclass=Alike): ...

    class Two(metaclass=Alike): ...

    registry.register(size, [One], lambda thing: "alike")
    assert registry.exact(size, [Two])(None) == "alike"
    for lookup in compositions(registry):
        assert [size(One(), lookup=lookup), size(Two(), lookup=lookup)] == ["alike"] * 2
    registry.unregister(size, [Two])
    for lookup in compositions(registry)[:4]:
        assert size(One(), lookup=lookup) == "fallback"
        still_right(registry, lookup)


class Alike(type):
    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return 1


class Bird: ...


class Fish: ...


class Duck(Bird, metaclass=Alike): ...


class Herring(Fish, metaclass=Alike): ...


def test_classes_that_are_equal_to_each_other_have_their_own_bases(registry):
    @reg.generic
    def kind(thing, other):
        return None

    registry.register(kind, [Bird, object], lambda thing, other: "bird")
    registry.register(kind, [Fish, object], lambda thing, other: "fish")
    with reg.implicit.using(reg.Lookup(registry)):
        for _ in range(3):
            assert [kind(thing, Duck()) for thing in (Duck(), Herring())] == ["bird", "fish"]
            assert [kind(thing, 1) for thing in (Herring(), Duck())] == ["fish", "bird"]


def test_a_metaclass_with_an_mro_of_its_own_is_followed(registry):
    class Turned(type):
        def mro(cls):
            return [cls, Animal, object]

    class Hostile(metaclass=Turned): ...

    for lookup in compositions(registry):
        assert size(Hostile(), lookup=lookup) == "animal"


def test_an_mro_without_object_is_followed(registry):
    class Strange(type):
        def mro(cls):
            return [cls, Animal]

    class Hostile(metaclass=Strange): ...

    registry.register("key", [object], "object")
    for lookup in compositions(registry):
        assert registry.get(size, [Hostile]) is registry.get(size, [Animal])
        assert lookup.class_lookup.get("key", [Hostile]) is None


def test_an_mro_that_lies_later_is_read_from_the_class_itself(registry):
    class Lying(type):
        @property
        def __mro__(cls):
            raise HostileError

        @property
        def __bases__(cls):
            raise HostileError

    hostile = Lying("Hostile", (Animal,), {})
    for lookup in compositions(registry):
        assert size(hostile(), lookup=lookup) == "animal"


@pytest.mark.parametrize("answer", [HostileError, None, 2, "no"])
def test_a_subclass_check_that_misbehaves_when_registered(registry, answer):
    class Check(type):
        asked: typing.ClassVar = []

        def __subclasscheck__(cls, other):
            Check.asked.append(other)
            if answer is HostileError and Check.failing:
                raise HostileError
            return False if answer is HostileError else answer

        failing = False

    class Hostile(metaclass=Check): ...

    registry.register(size, [Hostile], lambda thing: "hostile")
    Check.failing = True
    expected = "hostile" if answer and answer is not HostileError else "fallback"
    for lookup in compositions(registry):
        if answer is HostileError:
            with pytest.raises(HostileError):
                size(1, lookup=lookup)
            with pytest.raises(HostileError):
                size(1, lookup=lookup)
        else:
            assert size(1, lookup=lookup) == expected
    Check.failing = False
    assert size(1, lookup=reg.Lookup(registry)) == expected
    registry.unregister(size, [Hostile])
    for lookup in compositions(registry)[:3]:
        still_right(registry, lookup)


def test_a_subclass_check_that_registers_and_collects(registry):
    class Check(type):
        def __subclasscheck__(cls, other):
            registry.register("unrelated", [int], "component")
            registry.unregister("unrelated", [int])
            gc.collect(0)
            return other is str

    class Hostile(metaclass=Check): ...

    registry.register(size, [Hostile], lambda thing: "hostile")
    for lookup in compositions(registry):
        assert size("x", lookup=lookup) == "hostile"
        assert size(1, lookup=lookup) == "fallback"


def test_a_subclass_hook_that_calls_the_generic_function_again(registry):
    lookup = reg.Lookup(registry)

    class Shape(abc.ABC):
        @classmethod
        def __subclasshook__(cls, other):
            if other is Thing:
                return size(Animal(), lookup=lookup) == "animal"
            return NotImplemented

    class Thing: ...

    registry.register(size, [Shape], lambda thing: "shape")
    assert size(Thing(), lookup=lookup) == "shape"


# Lookups


class _Odd:
    """A lookup that is false, empty, and equal to everything."""

    def __bool__(self):
        raise HostileError

    def __len__(self):
        raise HostileError

    def __eq__(self, other):
        raise HostileError

    __hash__ = None


def test_a_lookup_is_never_asked_for_its_truth_length_or_equality(registry):
    class OddLookup(_Odd, reg.Lookup): ...

    class OddRegistry(_Odd, reg.Registry): ...

    class OddClassRegistry(_Odd, reg.ClassRegistry): ...

    inner = OddClassRegistry()
    inner.register(size, [Animal], lambda thing: "animal")
    odd = OddRegistry()
    odd.register(size, [Animal], lambda thing: "animal")
    composed = [
        odd,
        OddLookup(inner),
        OddLookup(reg.ListClassLookup([odd, inner])),
        OddLookup(reg.ChainClassLookup(odd, inner)),
        OddLookup(reg.CachingClassLookup(inner)),
        reg.Lookup(reg.ListClassLookup([reg.ListClassLookup([inner])])),
    ]
    for lookup in composed:
        for _ in range(2):
            assert size(Animal(), lookup=lookup) == "animal"
            assert lookup.component(size, [Animal()])(None) == "animal"
            assert len(list(size.all(Animal(), lookup=lookup))) >= 1
            assert "chosen" in str(size.explain(Animal(), lookup=lookup))
            reg.implicit.initialize(lookup)
            assert size(Animal()) == "animal"
            reg.implicit.lookup = lookup
            assert size(Animal()) == "animal"
            with reg.implicit.using(lookup):
                assert size(Animal()) == "animal"
            reg.implicit.clear()


@pytest.mark.parametrize("thing", [0, "", (), object(), type, reg.ANY, len])
def test_an_object_that_is_not_a_lookup_is_refused_by_name(registry, thing):
    with pytest.raises(TypeError, match="lookup"):
        size(1, lookup=thing)
    for ask in (size.component, size.all, size.explain):
        with pytest.raises(TypeError, match="lookup"):
            ask(1, lookup=thing)
    with pytest.raises(TypeError, match="lookup"), reg.implicit.using(thing):
        size(1)


def test_a_lookup_that_was_never_initialized_says_so():
    with pytest.raises(AttributeError):
        size(1, lookup=reg.Lookup.__new__(reg.Lookup))


def test_an_argument_that_is_equal_to_everything_and_compares_with_nothing(registry):
    class Equal:
        def __eq__(self, other):
            raise HostileError

        __hash__ = None

        def __bool__(self):
            raise HostileError

    class Known(Equal, Animal): ...

    for lookup in compositions(registry):
        for ask in ways_to_ask(size, lookup)[:2]:
            assert ask(Known()) == "animal"
        assert size(Equal(), lookup=lookup) == "fallback"
        assert isinstance(size(Animal(), lookup=lookup, default=Equal()), str)


# Keys, components, names


def test_results_and_defaults_may_have_no_truth_and_no_equality(registry):
    odd = _Odd()
    registry.register(size, [int], lambda thing: odd)
    registry.register("odd", [int], odd)
    for lookup in compositions(registry):
        assert size(1, lookup=lookup, default=3) is odd
        assert size("x", lookup=lookup, default=odd) is odd
        assert lookup.component("odd", [1]) is odd
        assert lookup.component("odd", ["x"], odd) is odd
        assert lookup.all("odd", [1])[0] is odd
        assert registry.exact("odd", [int]) is odd


def test_a_matcher_that_raises_lies_or_registers(registry):
    class Hostile(reg.Matcher):
        def __init__(self, act):
            self.act = act

        def __call__(self, *args, **predicates):
            return self.act(*args)

    def fail(thing):
        raise HostileError

    def again(thing):
        registry.register("other", [int], "component")
        return size(Animal(), lookup=lookup) and None

    for lookup in compositions(registry)[:3]:
        registry.register(size, [int], Hostile(fail))
        for ask in ways_to_ask(size, lookup)[:4]:
            with pytest.raises(HostileError):
                ask(1)
        registry.register(size, [int], Hostile(again))
        assert size(1, lookup=lookup) == "fallback"
        registry.unregister(size, [int])
        registry.unregister("other", [int])
        still_right(registry, lookup)


def test_classes_that_come_from_a_hostile_iterable_change_nothing(registry):
    def failing():
        yield Animal
        raise HostileError

    def changing():
        registry.unregister(size, [Animal])
        registry.register(size, [Animal], lambda thing: "animal")
        yield int

    with pytest.raises(HostileError):
        registry.register(size, failing(), "component")
    with pytest.raises(HostileError):
        registry.unregister(size, failing())
    with pytest.raises(HostileError):
        registry.all(size, failing())
    registry.register(size, changing(), lambda thing: "int")
    assert size(1, lookup=reg.Lookup(registry)) == "int"
    registry.unregister(size, [int])
    still_right(registry, reg.Lookup(registry))


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(max_size=3),
        st.sampled_from(
            [
                int,
                object,
                type,
                Animal,
                abc.ABC,
                typing.Any,
                int | str,
                list[int],
                typing.Literal[1],
                typing.Protocol,
                typing.TypeVar("T"),
                len,
                size,
                reg.ANY,
                _Odd(),
                types.SimpleNamespace(),
                sys,
                "a:b",
                ":",
            ]
        ),
    ),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.lists(inner, max_size=3),
    max_leaves=4,
)
ERRORS = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    HostileError,
    reg.NoImplicitLookupError,
    NotImplementedError,
)
PUBLIC = {
    name: getattr(reg, name)
    for name in reg.__all__
    if callable(getattr(reg, name)) and name not in {"implicit"}
}
METHODS = ["register", "unregister", "exact", "get", "all", "component", "call", "explain"]


@given(st.sampled_from(sorted(PUBLIC)), st.lists(ANYTHING, max_size=4))
def test_every_public_function_takes_or_refuses_anything(name, arguments):
    registry = reg.Registry()
    registry.register(size, [Animal], lambda *thing: "animal")
    with contextlib.suppress(*ERRORS):
        PUBLIC[name](*arguments)
    assert size(Animal(), lookup=registry) == "animal"


@given(
    st.sampled_from(["registry", "lookup", "list", "generic"]),
    st.sampled_from(METHODS),
    st.lists(ANYTHING, max_size=4),
    st.dictionaries(st.sampled_from(["default", "predicates", "lookup", "class_method"]), ANYTHING),
)
def test_every_method_takes_or_refuses_anything(owner, method, arguments, keywords):
    registry = reg.Registry()
    registry.register(size, [Animal], lambda *thing: "animal")
    registry.register("key", [int | str], "component")
    asked = {
        "registry": registry.registry,
        "lookup": registry,
        "list": reg.ListClassLookup([registry]),
        "generic": size,
    }[owner]
    before = registry.registrations()
    if not hasattr(asked, method):
        return
    keywords.setdefault("lookup", registry) if owner == "generic" else None
    try:
        getattr(asked, method)(*arguments, **keywords)
    except ERRORS:
        assert registry.registrations() == before
    assert size(Animal(), lookup=registry) == "animal" or method in {"register", "unregister"}


@given(st.lists(st.sampled_from(["", "thing", "other", "lookup", "1", "\0"]), max_size=3))
def test_names_to_dispatch_on_are_taken_or_refused(names):
    def function(thing, other=None, *rest, lookup=None):
        return "fallback"

    if len(names) == 0:
        return
    try:
        generic = reg.generic(*names)(function)
    except TypeError:
        return
    assert set(names) <= {"thing", "other", "lookup"}
    assert len(set(names)) == len(names)
    assert generic.__wrapped__ is function


@given(ANYTHING)
def test_a_pickled_error_is_an_error_again(key):
    error = reg.ComponentLookupError("nothing", key="key", classes=(int,))
    assert str(pickle.loads(pickle.dumps(error))) == "nothing"


@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy has no room left to handle a RecursionError"
)
@pytest.mark.parametrize("depth", [10**3, 10**4])
def test_endless_compositions_and_calls_are_errors(registry, depth):
    parts = []
    composed = reg.ListClassLookup(parts)
    parts.append(composed)
    lookup = reg.Lookup(composed)
    for _ in range(3):
        with pytest.raises(ValueError, match=r"its lookups\[0\] leads back to it"):
            size(Animal(), lookup=lookup)
    parts[:] = [registry]
    assert size(Animal(), lookup=lookup) == "animal"

    chain = registry
    for _ in range(depth):
        chain = reg.ChainClassLookup(chain, registry)
    try:
        found = size(Animal(), lookup=reg.Lookup(chain))
    except RecursionError:
        pass
    else:
        assert found == "animal"

    registry.register(size, [str], lambda thing, lookup: size(thing, lookup=lookup))
    for lookup in compositions(registry):
        with pytest.raises(RecursionError):
            size("x", lookup=lookup)
    registry.unregister(size, [str])
    still_right(registry, reg.Lookup(registry))
