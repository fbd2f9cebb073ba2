"""No call crashes, however a generic function, its classes or the implicit lookup are treated."""

from __future__ import annotations

import abc
import functools
import subprocess
import sys
import threading

import pytest

import reg
from reg._fastcall import Entries, ImplicitState, compiled

in_c = pytest.mark.skipif(not compiled, reason="the calls in Python notice this later, or not")


def run(program):
    """Run a program that may crash in a process of its own, and return its output."""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split()


@pytest.fixture
def size():
    @reg.generic
    def size(thing):
        return "fallback"

    return size


@pytest.fixture
def registry():
    registry = reg.Registry()
    reg.implicit.initialize(registry)
    return registry


# Recursion

ENDLESS = """
import functools, reg

@reg.generic
def size(thing): ...

@reg.generic
def length(thing): ...

registry = reg.Registry()
reg.implicit.initialize(registry)
{registrations}
for call in (lambda: size(1), lambda: size(1, lookup=registry)):
    for _ in range(2):
        try:
            call()
        except RecursionError:
            print("RecursionError")
"""


@pytest.mark.parametrize(
    "registrations",
    [
        "registry.register(size, [object], size)",
        "registry.register(size, [object], functools.partial(size))",
        "registry.register(size, [object], length); registry.register(length, [object], size)",
        "registry.register(size, [object], functools.partial(length))\n"
        "registry.register(length, [object], functools.partial(size))",
    ],
    ids=["itself", "itself through a partial", "each other", "each other through partials"],
)
def test_generic_functions_that_implement_each_other_recurse_to_an_error(registrations):
    assert run(ENDLESS.format(registrations=registrations)) == ["RecursionError"] * 4


# The implicit lookup

INITIALIZED_AGAIN = """
import reg

@reg.generic
def size(thing):
    return "fallback"

registry = reg.Registry()
registry.register(size, [object], lambda thing: "found")
reg.implicit.initialize(registry)
with reg.implicit.using(registry):
    print(size(1))
del registry
print(size(1))
reg.implicit.__init__()
try:
    size(1)
except reg.NoImplicitLookupError:
    pass
reg.implicit.initialize(reg.Registry())
print(size(1))
"""


@pytest.mark.skipif(not compiled, reason="functions in Python keep the former state")
def test_the_implicit_lookup_can_be_initialized_again():
    assert run(INITIALIZED_AGAIN) == ["found", "found", "fallback"]


DELETED = """
import reg

@reg.generic
def size(thing):
    return "fallback"

reg.implicit.initialize(reg.Registry())
try:
    del reg.implicit._everywhere
except AttributeError:
    print("refused")
print(size(1))
"""


def test_the_implicit_lookup_cannot_be_deleted():
    assert run(DELETED) == ["refused", "fallback"]


UNINITIALIZED = """
import reg
from reg.implicit import Implicit

implicit = Implicit.__new__(Implicit)
for name, *arguments in (
    ["_get"], ["_assign", 1], ["_scope", 1], ["_unassign"], ["_assign_base", 1], ["_get"],
    ["_values_of_thread"], ["_reassigned"], ["__getattribute__", "_everywhere"],
):
    try:
        getattr(implicit, name)(*arguments)
    except (AttributeError, RuntimeError):
        pass
print("done")
"""


def test_an_implicit_lookup_without_init_does_not_crash():
    assert run(UNINITIALIZED) == ["done"]


def test_an_implicit_lookup_stands_in_for_a_class_with_the_methods_of_lookups():
    if compiled:
        with pytest.raises(TypeError, match="has no method 'call'"):
            ImplicitState()._add_own_lookup(int)


GREENLETS = """
from gevent import monkey

monkey.patch_all()

import gevent
import reg

@reg.generic
def size(thing):
    return "fallback"

def ask(name):
    registry = reg.Registry()
    registry.register(size, [object], lambda thing: name)
    reg.implicit.lookup = registry
    for _ in range(3):
        print(name + "=" + size(1))
        gevent.sleep(0)

reg.implicit.initialize(reg.Registry())
gevent.joinall([gevent.spawn(ask, name) for name in "ab"])
print(size(1))
"""


def test_a_lookup_assigned_in_a_greenlet_is_that_of_the_greenlet():
    pytest.importorskip("gevent", reason="gevent is not installed")
    assert run(GREENLETS) == [*["a=a", "b=b"] * 3, "fallback"]


# Virtual subclasses

SHAPES = 100


@pytest.fixture
def shapes(registry, size):
    """A hundred abstract classes, for each of which something is registered."""

    class Plain: ...

    shapes = [abc.ABCMeta(f"Shape{number}", (Plain,), {}) for number in range(SHAPES)]
    for number, shape in enumerate(shapes):
        registry.register(size, [shape], functools.partial(lambda number, thing: number, number))
    return shapes


def calls_in_python(function, *args):
    """The functions in Python that are called by a call."""
    called = []

    def note(frame, event, arg):
        if event == "call":
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return called


@in_c
def test_a_hit_calls_nothing_but_the_implementation_however_many_abstract_classes_there_are(
    shapes, size, registry
):
    class Square: ...

    def of_square(square):
        return "square"

    registry.register(size, [Square], of_square)
    assert [size(Square()), size(Square())] == ["square"] * 2
    assert calls_in_python(size, Square()) == ["of_square"]


@in_c
@pytest.mark.parametrize("changes", [0, 1, 3000])
@pytest.mark.parametrize("which", [0, SHAPES // 2, SHAPES - 1])
def test_changed_bases_of_one_of_many_abstract_classes_count_at_the_next_call(
    shapes, size, which, changes
):
    class Square: ...

    changed = shapes[which]
    other = shapes[which - 1]
    changed.register(Square)
    other.register(Square)
    for change in range(changes):
        changed.change = change
        size(Square())
    first = size(Square())
    assert size(Square()) == first == min(shapes.index(changed), shapes.index(other))
    derived, base = (changed, other) if first != which else (other, changed)
    derived.__bases__ = (base,)
    assert [size(Square()), size(Square())] == [shapes.index(derived)] * 2


@in_c
def test_changed_bases_count_where_a_metaclass_makes_the_mro(size, registry):
    class Meta(abc.ABCMeta):
        def mro(cls):
            return super().mro()

    class Plain: ...

    class Shape(Plain, metaclass=Meta): ...

    class Polygon(Plain, metaclass=Meta): ...

    class Square: ...

    Shape.register(Square)
    Polygon.register(Square)
    registry.register(size, [Shape], lambda thing: "shape")
    registry.register(size, [Polygon], lambda thing: "polygon")
    assert [size(Square()), size(Square())] == ["shape"] * 2
    Polygon.__bases__ = (Shape,)
    assert [size(Square()), size(Square())] == ["polygon"] * 2


@in_c
def test_changed_bases_count_where_the_metaclass_began_to_make_the_mro(size, registry):
    class Meta(abc.ABCMeta): ...

    class Plain: ...

    class Shape(Plain, metaclass=Meta): ...

    class Polygon(Plain, metaclass=Meta): ...

    class Square: ...

    Shape.register(Square)
    Polygon.register(Square)
    registry.register(size, [Shape], lambda thing: "shape")
    registry.register(size, [Polygon], lambda thing: "polygon")
    assert [size(Square()), size(Square())] == ["shape"] * 2
    Meta.mro = lambda cls: type.mro(cls)
    Polygon.__bases__ = (Shape,)
    assert [size(Square()), size(Square())] == ["polygon"] * 2


# Classes whose attributes change

CHANGES = 3000


class Part: ...


def changing(cls, size):
    """Change an attribute of a class until Python gives the class no version any more."""
    for number in range(CHANGES):
        cls.number = number
        size(cls())


def test_a_class_whose_attributes_have_changed_a_thousand_times_keeps_its_implementation(
    registry, size
):
    class Counter: ...

    registry.register(size, [Counter], lambda thing: "counter")
    changing(Counter, size)
    assert [size(Counter()), size(Counter())] == ["counter"] * 2
    registry.unregister(size, [Counter])
    assert [size(Counter()), size(Counter())] == ["fallback"] * 2


@in_c
def test_changed_bases_count_for_a_class_whose_attributes_have_changed_a_thousand_times(
    registry, size
):
    class Plain: ...

    class Whole: ...

    class Counter(Plain): ...

    registry.register(size, [Whole], lambda thing: "whole")
    changing(Counter, size)
    assert size(Counter()) == "fallback"
    Counter.__bases__ = (Whole,)
    assert [size(Counter()), size(Counter())] == ["whole"] * 2


def test_a_class_whose_attributes_have_changed_a_thousand_times_may_claim_to_be_another(
    registry, size
):
    class Meta(type):
        __class__ = None  # so that `cls.__class__ = ...` sets an attribute of the class

    class Counter(metaclass=Meta): ...

    class Proxy: ...

    registry.register(size, [Part], lambda thing: "part")
    for cls in (Counter, Proxy):
        changing(cls, size)
        assert [size(cls()), size(cls())] == ["fallback"] * 2
    Counter.__class__ = property(lambda self: Part)
    Proxy.__getattribute__ = lambda self, name: Part
    for cls in (Counter, Proxy):
        assert [size(cls()), size(cls())] == ["part"] * 2


# Memory

MANY = 20_000

in_tables = pytest.mark.skipif(not compiled, reason="dictionaries shrink when they next grow")


def store(entries, classes):
    for cls in classes:
        entries.snapshot_mros((cls,))
        entries.store((cls,), "value")


@pytest.fixture
def classes():
    return [type("Passing", (), {}) for _ in range(MANY)]


@pytest.fixture
def memory(classes):
    """Measures how much memory was taken since the last time."""
    tracemalloc = pytest.importorskip("tracemalloc")
    last = 0

    def taken():
        nonlocal last
        before, last = last, tracemalloc.get_traced_memory()[0]
        return last - before

    tracemalloc.start()
    taken()
    yield taken
    tracemalloc.stop()


@in_tables
def test_the_tables_shrink_when_many_classes_have_died(classes, memory):
    entries = Entries(1, None, ())
    store(entries, classes)
    assert memory() > 50 * MANY
    for cls in classes:
        entries.forget(id(cls))
    assert memory() < -50 * MANY
    assert all(entries.get((cls,)) is reg.sentinel.MISSING for cls in classes)


@in_tables
def test_a_table_that_grows_carries_no_dead_classes_along(classes, memory):
    dead, living = classes[: MANY // 2 - 100], classes[MANY // 2 - 100 :]
    entries = Entries(1, None, ())
    store(entries, classes)
    for cls in dead:
        entries.forget(id(cls))
    added = [type("Added", (), {}) for _ in range(MANY // 2)]
    memory()
    store(entries, added)
    assert memory() < 20 * len(added)
    assert all(entries.get((cls,)) == "value" for cls in [*living, *added])


# Interrupts


class Interrupted(BaseException): ...


def take_registry_lock():
    reg.ClassRegistry().register("key", [int], "component")


CACHING = reg.CachingClassLookup(reg.ClassRegistry())


def take_caching_lock():
    CACHING.get(object(), (int,))


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 14), reason="other Pythons enter a block with its lock at once"
)
@pytest.mark.parametrize("take", [take_registry_lock, take_caching_lock])
def test_an_interrupt_as_a_lock_was_taken_leaves_it_free(take):
    def interrupt(frame, event, arg):
        if event == "c_return" and arg.__name__ in {"acquire", "__enter__"}:
            sys.setprofile(None)
            raise Interrupted

    sys.setprofile(interrupt)
    try:
        with pytest.raises(Interrupted):
            take()
    finally:
        sys.setprofile(None)
    other = threading.Thread(target=take, daemon=True)
    other.start()
    other.join(10)
    assert not other.is_alive()
