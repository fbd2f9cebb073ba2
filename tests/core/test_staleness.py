"""Every change counts from the next call on."""

from __future__ import annotations

import abc
import contextlib
import gc
import sys
import threading
import types

import pytest

import reg
from reg._fastcall import compiled


class Animal: ...


class Cat(Animal): ...


def act_at_each_line(program, act):
    """Run a program again and again, and act at another line of the library each time.

    :param program: a generator function: it prepares a call, then makes it, then checks.
    :param act: is called at the line.
    :return: the number of lines.
    """
    package = reg.__file__.removesuffix("__init__.py")
    left = 0
    number = 0

    def trace(frame, event, argument):
        nonlocal left
        if not frame.f_code.co_filename.startswith((package, "<reg ")):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                act()
        return trace

    while left <= 0:
        number += 1
        left = number
        parts = program()
        next(parts)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            next(parts)
        finally:
            sys.settrace(before)
        next(parts, None)
    return number


@pytest.mark.parametrize("change", ["register", "compose", "initialize", "using"])
@pytest.mark.parametrize("composed", [False, True])
def test_a_change_by_a_signal_handler_at_any_line_of_a_call_counts(change, composed):
    state = {}

    def program():
        @reg.generic
        def kind(thing):
            return "fallback"

        registry, other = reg.ClassRegistry(), reg.Registry()
        registry.register(kind, [Animal], lambda thing: "animal")
        other.register(kind, [Animal], lambda thing: "changed")
        parts = [registry]
        lookup = reg.Lookup(reg.ListClassLookup(parts) if composed else registry)
        reg.implicit.initialize(lookup)
        state.update(kind=kind, registry=registry, lookup=lookup, other=other)
        state["changed"] = False
        state["scope"] = contextlib.ExitStack()
        yield
        yield kind(Cat())
        with state["scope"]:
            expected = "changed" if state["changed"] else "animal"
            assert [kind(Cat()) for _ in range(3)] == [expected] * 3

    def act():
        state["changed"] = True
        if change == "register":
            state["registry"].register(state["kind"], [Cat], lambda thing: "changed")
        elif change == "compose":
            state["lookup"].class_lookup = state["other"]
        elif change == "initialize":
            reg.implicit.initialize(state["other"])
        else:
            state["scope"].enter_context(reg.implicit.using(state["other"]))

    with reg.implicit.preserved():
        assert act_at_each_line(program, act) > 50


@pytest.fixture
def size():
    @reg.generic
    def size(thing=None, *others):
        return "fallback"

    return size


def composed_of(registry):
    """Every way to look up in a registry that does not keep its answers."""
    other = reg.ClassRegistry()
    return {
        "registry": reg.Lookup(registry),
        "list": reg.Lookup(reg.ListClassLookup([other, registry])),
        "tuple": reg.Lookup(reg.ListClassLookup((other, registry))),
        "chain": reg.Lookup(reg.ChainClassLookup(other, registry)),
        "nested": reg.Lookup(
            reg.ListClassLookup([reg.ChainClassLookup(other, reg.ListClassLookup([registry]))])
        ),
        "lookup": reg.Lookup(reg.ListClassLookup([reg.Lookup(registry)])),
    }


@pytest.fixture(params=list(composed_of(reg.ClassRegistry())))
def registry_and_lookup(request):
    registry = reg.ClassRegistry()
    return registry, composed_of(registry)[request.param]


@pytest.fixture(params=["implicit", "using", "explicit", "default", "call", "component"])
def ask(request, registry_and_lookup, size):
    """Every way to ask."""
    _, lookup = registry_and_lookup
    if request.param == "implicit":
        reg.implicit.initialize(lookup)

    def in_scope(*args):
        with reg.implicit.using(lookup):
            return size(*args)

    return {
        "implicit": size,
        "using": in_scope,
        "explicit": lambda *args: size(*args, lookup=lookup),
        "default": lambda *args: size(*args, lookup=lookup, default="fallback"),
        "call": lambda *args: lookup.call(size, args, "fallback"),
        "component": lambda *args: lookup.component(size, args, lambda *args: "fallback")(*args),
    }[request.param]


def test_a_registration_counts_at_once(registry_and_lookup, ask, size):
    registry, _ = registry_and_lookup
    assert [ask(Cat()), ask(Cat())] == ["fallback"] * 2
    registry.register(size, [Animal], lambda thing: "animal")
    assert [ask(Cat()), ask(Cat())] == ["animal"] * 2
    registry.register(size, [Cat], lambda thing: "cat")
    assert [ask(Cat()), ask(Cat())] == ["cat"] * 2
    registry.register(size, [Cat], lambda thing: "replaced")
    assert [ask(Cat()), ask(Cat())] == ["replaced"] * 2
    registry.unregister(size, [Cat])
    assert [ask(Cat()), ask(Cat())] == ["animal"] * 2
    registry.clear()
    assert [ask(Cat()), ask(Cat())] == ["fallback"] * 2


def test_a_registration_for_several_classes_counts_at_once(registry_and_lookup, ask, size):
    registry, _ = registry_and_lookup
    assert ask(Cat(), 1, "a") == "fallback"
    registry.register(size, [Animal, object, str], lambda *args: "found")
    assert ask(Cat(), 1, "a") == "found"
    assert ask() == "fallback"
    registry.register(size, [], lambda: "none")
    assert ask() == "none"


def test_a_virtual_subclass_counts_at_once(registry_and_lookup, ask, size):
    class Shape(abc.ABC): ...

    class Square: ...

    registry, _ = registry_and_lookup
    registry.register(size, [Shape], lambda thing: "shape")
    assert [ask(Square()), ask(Square())] == ["fallback"] * 2
    Shape.register(Square)
    assert [ask(Square()), ask(Square())] == ["shape"] * 2


def test_an_abstract_registration_beside_warm_concrete_ones_counts(registry_and_lookup, ask, size):
    class Shape(abc.ABC): ...

    class Square: ...

    registry, _ = registry_and_lookup
    registry.register(size, [object], lambda thing: "object")
    assert ask(Square()) == "object"
    registry.register(size, [Shape], lambda thing: "shape")
    assert ask(Square()) == "object"
    Shape.register(Square)
    assert ask(Square()) == "shape"


def test_changed_bases_count_at_the_latest_with_the_next_registration(
    registry_and_lookup, ask, size
):
    class Plain: ...

    class Thing(Plain): ...

    registry, _ = registry_and_lookup
    registry.register(size, [Animal], lambda thing: "animal")
    assert [ask(Thing()), ask(Thing())] == ["fallback"] * 2
    Thing.__bases__ = (Cat,)
    registry.register("unrelated", [int], "component")
    assert [ask(Thing()), ask(Thing())] == ["animal"] * 2
    Thing.__bases__ = (Plain,)
    registry.unregister("unrelated", [int])
    assert [ask(Thing()), ask(Thing())] == ["fallback"] * 2


def test_changed_bases_of_a_base_count_too(registry_and_lookup, ask, size):
    class Plain: ...

    class Thing(Plain): ...

    class Part(Thing): ...

    registry, _ = registry_and_lookup
    registry.register(size, [Animal], lambda thing: "animal")
    assert ask(Part()) == "fallback"
    Thing.__bases__ = (Cat,)
    registry.register("unrelated", [int], "component")
    assert ask(Part()) == "animal"


def test_changed_bases_of_an_abstract_class_count_too(registry_and_lookup, ask, size):
    class Plain: ...

    class Shape(Plain, metaclass=abc.ABCMeta): ...

    class Polygon(Plain, metaclass=abc.ABCMeta): ...

    class Square: ...

    Shape.register(Square)
    Polygon.register(Square)
    registry, _ = registry_and_lookup
    registry.register(size, [Shape], lambda thing: "shape")
    registry.register(size, [Polygon], lambda thing: "polygon")
    assert [ask(Square()), ask(Square())] == ["shape"] * 2
    Polygon.__bases__ = (Shape,)
    registry.register("unrelated", [int], "component")
    assert [ask(Square()), ask(Square())] == ["polygon"] * 2


def test_changed_bases_of_an_abstract_class_given_by_name_count_too(
    registry_and_lookup, ask, size, monkeypatch
):
    library = types.ModuleType("a_library_of_shapes")
    monkeypatch.setitem(sys.modules, library.__name__, library)

    class Plain: ...

    class Shape(Plain, metaclass=abc.ABCMeta): ...

    class Polygon(Plain, metaclass=abc.ABCMeta): ...

    class Square: ...

    Shape.register(Square)
    Polygon.register(Square)
    library.Shape, library.Polygon = Shape, Polygon
    registry, _ = registry_and_lookup
    registry.register(size, ["a_library_of_shapes:Shape"], lambda thing: "shape")
    registry.register(size, ["a_library_of_shapes:Polygon"], lambda thing: "polygon")
    assert [ask(Square()), ask(Square())] == ["shape"] * 2
    Polygon.__bases__ = (Shape,)
    registry.register(object(), [int], "component")
    assert [ask(Square()), ask(Square())] == ["polygon"] * 2


def test_an_abstract_class_given_by_name_that_died_counts_no_more(
    registry_and_lookup, ask, size, monkeypatch
):
    library = types.ModuleType("a_library_of_shapes")
    monkeypatch.setitem(sys.modules, library.__name__, library)

    class Square: ...

    library.Shape = abc.ABCMeta("Shape", (), {})
    library.Shape.register(Square)
    registry, _ = registry_and_lookup
    registry.register(size, ["a_library_of_shapes:Shape"], lambda thing: "shape")
    assert [ask(Square()), ask(Square())] == ["shape"] * 2
    del library.Shape
    gc.collect()
    assert [ask(Square()), ask(Square())] == ["fallback"] * 2


def test_class_lookups_see_changed_bases_at_once():
    class Plain: ...

    class Thing(Plain): ...

    registry = reg.ClassRegistry()
    registry.register("key", [Animal], "animal")
    for class_lookup in (registry, reg.ListClassLookup([registry])):
        Thing.__bases__ = (Plain,)
        assert class_lookup.get("key", [Thing]) is None
        Thing.__bases__ = (Animal,)
        assert class_lookup.get("key", [Thing]) == "animal"
        assert class_lookup.all("key", [Thing]) == ["animal"]


def answering(answer, size):
    registry = reg.ClassRegistry()
    registry.register(size, [Animal], lambda thing: answer)
    return registry


@pytest.fixture(params=["implicit", "thread", "scope", "explicit", "call"])
def through(request, size):
    """Ask through a lookup, in one of several ways, so often that the answer is remembered."""

    def implicitly(lookup):
        # Not each time, which might make it forget.
        if reg.implicit.base_lookup is not lookup:
            reg.implicit.initialize(lookup)
        return size(Cat())

    def in_this_thread(lookup):
        if reg.implicit.lookup is not lookup:
            reg.implicit.lookup = lookup
        return size(Cat())

    def in_a_scope(lookup):
        with reg.implicit.using(lookup):
            return size(Cat())

    ask = {
        "implicit": implicitly,
        "thread": in_this_thread,
        "scope": in_a_scope,
        "explicit": lambda lookup: size(Cat(), lookup=lookup),
        "call": lambda lookup: lookup.call(size, [Cat()], "fallback"),
    }[request.param]

    def asked(lookup):
        (answer,) = {ask(lookup) for _ in range(4)}
        return answer

    return asked


def test_a_list_changed_in_place_counts_at_once(size, through):
    one, two = answering("one", size), answering("two", size)
    lookups = [one]
    lookup = reg.Lookup(reg.ListClassLookup(lookups))
    assert through(lookup) == "one"
    lookups.insert(0, two)
    assert through(lookup) == "two"
    lookups.reverse()
    assert through(lookup) == "one"
    lookups[0] = reg.ClassRegistry()
    assert through(lookup) == "two"
    lookups.clear()
    assert through(lookup) == "fallback"
    lookups.append(one)
    assert through(lookup) == "one"


def test_the_list_of_the_attribute_is_the_one_that_counts(size, through):
    composed = reg.ListClassLookup([answering("one", size)])
    lookup = reg.Lookup(composed)
    assert through(lookup) == "one"
    composed.lookups.insert(0, answering("two", size))
    assert through(lookup) == "two"
    old = composed.lookups
    composed.lookups = [answering("three", size)]
    assert through(lookup) == "three"
    old.clear()
    assert through(lookup) == "three"
    composed.lookups.clear()
    assert through(lookup) == "fallback"


def test_nested_lists_changed_in_place_count_at_once(size, through):
    inner, outer = [answering("inner", size)], []
    outer.append(reg.ListClassLookup(inner))
    lookup = reg.Lookup(reg.ListClassLookup(outer))
    assert through(lookup) == "inner"
    inner[0] = answering("changed", size)
    assert through(lookup) == "changed"
    outer.insert(0, answering("outer", size))
    assert through(lookup) == "outer"
    outer.pop(0)
    inner.clear()
    assert through(lookup) == "fallback"
    inner.append(answering("again", size))
    assert through(lookup) == "again"


def test_a_changed_chain_counts_at_once(size, through):
    chain = reg.ChainClassLookup(reg.ClassRegistry(), answering("next", size))
    lookup = reg.Lookup(reg.ListClassLookup([chain]))
    assert through(lookup) == "next"
    chain.lookup = answering("first", size)
    assert through(lookup) == "first"
    chain.lookup, chain.next = chain.next, chain.lookup
    assert through(lookup) == "next"
    chain.lookup = chain.next = reg.ClassRegistry()
    assert through(lookup) == "fallback"


def test_another_class_lookup_counts_at_once(size, through):
    inner = reg.Lookup(answering("one", size))
    outer = reg.Lookup(reg.ListClassLookup([inner]))
    assert through(inner) == through(outer) == "one"
    inner.class_lookup = answering("two", size)
    assert through(inner) == through(outer) == "two"
    outer.class_lookup = answering("three", size)
    assert (through(inner), through(outer)) == ("two", "three")


def test_another_class_lookup_below_a_cache_counts_for_classes_not_yet_cached(size):
    caching = reg.CachingClassLookup(answering("one", size))
    lookup = reg.Lookup(caching)
    assert size(Cat(), lookup=lookup) == "one"
    caching.class_lookup = answering("two", size)
    assert size(Cat(), lookup=lookup) == "one"
    assert size(Animal(), lookup=lookup) == "two"
    caching.clear()
    assert size(Cat(), lookup=lookup) == "two"


def test_a_third_party_lookup_put_into_a_list_is_asked_every_time(size):
    class ThirdParty:
        answers = iter(["first", "second"])

        def all(self, key, classes):
            answer = next(self.answers)
            return [lambda thing: answer]

    lookups = [answering("one", size)]
    lookup = reg.Lookup(reg.ListClassLookup(lookups))
    assert size(Cat(), lookup=lookup) == "one"
    lookups.insert(0, ThirdParty())
    assert size(Cat(), lookup=lookup) == "first"
    assert size(Cat(), lookup=lookup) == "second"
    lookups.pop(0)
    assert size(Cat(), lookup=lookup) == "one"


def test_a_change_counts_in_another_thread(size):
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    steps = [threading.Event() for _ in range(4)]
    found = []

    def run():
        found.append(size(Cat()))
        steps[0].set()
        steps[1].wait(10)
        found.append(size(Cat()))
        steps[2].set()
        steps[3].wait(10)
        found.append(size(Cat()))

    thread = threading.Thread(target=run)
    thread.start()
    steps[0].wait(10)
    registry.register(size, [Animal], lambda thing: "animal")
    steps[1].set()
    steps[2].wait(10)
    registry.clear()
    steps[3].set()
    thread.join()
    assert found == ["fallback", "animal", "fallback"]


def test_a_class_made_anew_under_its_name_is_another_class(size):
    def make():
        class Thing(Animal): ...

        return Thing

    registry = reg.Registry()
    old, new = make(), make()
    registry.register(size, [old], lambda thing: "old")
    registry.register(size, [Animal], lambda thing: "animal")
    assert size(old(), lookup=registry) == "old"
    assert size(new(), lookup=registry) == "animal"
    registry.register(size, [new], lambda thing: "new")
    assert (size(old(), lookup=registry), size(new(), lookup=registry)) == ("old", "new")


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.needs_mortal_classes
def test_a_new_class_at_a_dead_ones_address_never_gets_its_answer(size, position):
    registry = reg.Registry()
    registry.register(size, [Animal, object], lambda *things: "animal first")
    registry.register(size, [object, Animal], lambda *things: "animal second")
    reg.implicit.initialize(registry)
    caching = reg.Lookup(reg.CachingClassLookup(registry.registry))
    found = "animal first" if position == 0 else "animal second"
    addresses = set()
    reused = 0
    for round_ in range(300):
        cls = type("Thing", (Animal if round_ % 2 else object,), {})
        reused += id(cls) in addresses
        addresses.add(id(cls))
        arguments = (cls(), 1) if position == 0 else (1, cls())
        expected = found if round_ % 2 else "fallback"
        assert [size(*arguments), size(*arguments)] == [expected] * 2
        assert size(*arguments, lookup=caching) == expected
        assert (registry.component(size, arguments, None) is not None) == bool(round_ % 2)
        del cls, arguments
        gc.collect(0)
    assert reused


@pytest.mark.needs_mortal_classes
def test_a_new_generic_function_at_a_dead_ones_address_never_gets_its_answer():
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    addresses = set()
    reused = 0
    for round_ in range(200):
        size = reg.generic(lambda thing: "fallback")
        reused += id(size) in addresses
        addresses.add(id(size))
        if round_ % 2:
            registry.register(size, [int], lambda thing: "int")
        expected = "int" if round_ % 2 else "fallback"
        assert [size(1), size(1)] == [expected] * 2
        if round_ % 2:
            registry.unregister(size, [int])
            assert size(1) == "fallback"
        del size
        gc.collect(0)
    assert reused


def have_bases_compared(registry):
    """In C, that is at each call; without it, at each change of a registry."""
    if not compiled:
        registry.register("another key", [], "any component")


def test_changed_bases_count_at_the_next_call_of_the_compiled_build(size):
    class Old:
        pass

    class New:
        pass

    class Item(Old):
        pass

    registry = reg.Registry()
    registry.register(size, [Old], lambda thing: "old")
    registry.register(size, [New], lambda thing: "new")
    with reg.implicit.using(registry):
        for _ in range(3):
            assert size(Item()) == "old"
        Item.__bases__ = (New,)
        have_bases_compared(registry)
        assert size(Item()) == "new"
        assert registry.component(size, [Item()])(1) == "new"


def test_bases_of_an_abstract_class_that_change_and_die_count_each_time(size):
    class Item:
        pass

    class Plain:
        pass

    class Old(Plain, metaclass=abc.ABCMeta):
        pass

    class New(Plain, metaclass=abc.ABCMeta):
        pass

    Old.register(Item)
    New.register(Item)
    registry = reg.Registry()
    registry.register(size, [Old], lambda thing: "old")
    registry.register(size, [New], lambda thing: "new")
    with reg.implicit.using(registry):
        for _ in range(20):
            for _ in range(3):
                assert size(Item()) == "old"
            # The base in between dies when the class is no subclass of it any more.
            New.__bases__ = (type("Between", (Old,), {}),)
            have_bases_compared(registry)
            assert size(Item()) == "new"
            assert registry.component(size, [Item()])(1) == "new"
            New.__bases__ = (Plain,)
            gc.collect()
            have_bases_compared(registry)


def test_a_base_that_dies_leaves_no_cached_plan(size):
    class Item:
        pass

    class New:
        pass

    registry = reg.Registry()
    registry.register(size, [Item], lambda thing: "item")
    registry.register(size, [New], lambda thing: "new")

    class Derived(Item):
        pass

    def rebase(base):
        Derived.__bases__ = (base,)
        have_bases_compared(registry)

    with reg.implicit.using(registry):
        for _ in range(20):
            rebase(type("Between", (Item,), {}))
            assert size(Derived()) == "item"
            Derived.__bases__ = (Item,)
            gc.collect()
            rebase(type("Between", (New,), {}))
            assert size(Derived()) == "new"


def test_a_call_is_bound_by_the_list_of_lookups_as_it_is_now():
    @reg.generic
    def head(page, indent=""):
        return "fallback"

    class Page: ...

    framework, application = reg.Registry(), reg.Registry()
    framework.register(head, [Page, str], lambda page, indent: "two")
    application.register(head, [Page], lambda page: "one")
    parts = [framework]
    with reg.implicit.using(reg.Lookup(reg.ListClassLookup(parts))):
        assert [head(Page()), head(Page()), head(page=Page())] == ["two"] * 3
        # Something is registered for one argument from now on, so that no default is filled in.
        parts.append(application)
        assert [head(Page()), head(Page())] == ["one"] * 2


def test_a_plan_made_while_a_class_had_other_bases_counts_no_longer_than_these(size):
    class Old: ...

    class New: ...

    class Item(Old): ...

    registry = reg.Registry()
    registry.register(size, [Old, object], lambda *things: "old")
    registry.register(size, [New, object], lambda *things: "new")
    with reg.implicit.using(registry):
        assert size(Item(), 1) == "old"
        Item.__bases__ = (New,)
        assert size(Item(), "other") == "new"
        Item.__bases__ = (Old,)
        registry.register(reg.generic(lambda thing: None), [int], lambda thing: "another function")
        assert [size(Item(), other) for other in (1, "other")] == ["old"] * 2


@pytest.mark.needs_mortal_classes
def test_a_base_at_a_dead_ones_address_may_claim_to_be_another_class(size):
    class Part: ...

    class Plain: ...

    class Counter(Plain): ...

    registry = reg.Registry()
    registry.register(size, [Part], lambda thing: "part")
    registry.register(size, [Counter], lambda thing: "counter")
    claim = property(lambda self: Part)
    reused = 0
    with reg.implicit.using(registry):
        for _ in range(100):
            Counter.__bases__ = (type("Between", (Plain,), {}),)
            # So often that Python gives the class no version any more.
            for number in range(30):
                Counter.number = number
                assert size(Counter()) == "counter"
            others = []
            address = id(Counter.__bases__[0])
            Counter.__bases__ = (Plain,)
            gc.collect(0)
            others = [type("Between", (Plain,), {"__class__": claim}) for _ in range(10)]
            others.sort(key=lambda other: id(other) != address)
            Counter.__bases__ = (others[0],)
            reused += id(others[0]) == address
            assert [size(Counter()) for _ in range(4)] == ["part"] * 4
            Counter.__bases__ = (Plain,)
            gc.collect(0)
    assert reused
