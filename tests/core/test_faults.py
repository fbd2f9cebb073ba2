"""An operation that is interrupted at any step is done wholly or not at all."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import itertools
import os
import random
import signal
import sys
import threading
import time
import weakref

import pytest

import reg
from reg._lock import registry_lock

from ..soak import PATIENCE, SOAK, scaled

# PyPy handles signals between a block and the release of its lock.
pytestmark = pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy crashes by profilers, which inject the faults"
)

PACKAGE = os.path.dirname(reg.__file__)


class Animal: ...


class Cat(Animal): ...


@reg.generic
def size(thing, other=None):
    return "fallback"


@reg.generic("thing", "unit")
def measure(thing, *, unit="m"):
    return "fallback"


def answer(name):
    return lambda thing, other=None, *, unit=None: name


@pytest.fixture(autouse=True)
def faults_in_callbacks(monkeypatch):
    """Python prints and drops errors raised while an object dies."""
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: None)


class World:
    """A registry in several compositions, which have cached plans for all of its registrations."""

    def __init__(self, warm=True):
        self.registry = reg.ClassRegistry()
        self.registry.register(size, [Animal], answer("animal"))
        self.registry.register(size, [object, str], answer("object and str"))
        self.registry.register(measure, [Animal, str], answer("measured"))
        self.other = reg.ClassRegistry()
        self.other.register(size, [Animal], answer("other animal"))
        self.list = reg.ListClassLookup([self.registry, self.other])
        self.chain = reg.ChainClassLookup(self.registry, self.other)
        self.caching = reg.CachingClassLookup(self.registry)
        parts = (self.registry, self.list, self.chain)
        self.lookups = [reg.Lookup(part) for part in parts]
        if warm:
            self.ask()

    def ask(self):
        """Everything that the world answers, by all ways there are."""
        answers = []
        arguments = [(Cat(),), (1,), (Cat(), "x"), (Cat(), 1)]
        for lookup in self.lookups:
            for given in arguments:
                called = size(*given, lookup=lookup)
                component = lookup.component(size, given, None)
                assert called == ("fallback" if component is None else component(None))
                # Once more, from the cache.
                assert size(*given, lookup=lookup) == called
                every = [component(None) for component in lookup.all(size, given)]
                assert called == (every[0] if every else "fallback")
                answers.append(every)
            # By a lookup of the same composition that has cached nothing.
            answers.append(size(Cat(), lookup=reg.Lookup(lookup.class_lookup)))
            answers.append(measure(Cat(), lookup=lookup))
        answers.append(
            sorted(
                (made.key.__name__, [str(cls) for cls in made.classes], made.component(None))
                for made in self.registry.registrations()
            )
        )
        return answers


def register(world):
    world.registry.register(size, [Cat], answer("cat"))


def register_beside(world):
    world.registry.register(size, [object, int], answer("object and int"))


def register_a_union(world):
    world.registry.register(size, [Cat | int], answer("union"))


def replace(world):
    world.registry.register(size, [Animal], answer("another"))


def unregister(world):
    world.registry.unregister(size, [Animal])


def unregister_the_last(world):
    world.registry.unregister(measure, [Animal, str])


def clear(world):
    world.registry.clear()


def change_who_is_asked_first(world):
    world.chain.lookup = world.other


def change_a_list(world):
    world.list.lookups = [world.other]


def change_a_lookup(world):
    world.lookups[0].class_lookup = world.other


def call(world):
    first, second, _ = world.lookups
    assert size(Cat(), lookup=first) == "animal"
    assert measure(Cat(), lookup=second, default=None) == "measured"


def look_up(world):
    for lookup in world.lookups[:2]:
        assert lookup.component(size, [Cat()])(None) == "animal"
    assert len(lookup.all(size, [Cat()])) == 2


# Operations that are a single step as seen from outside.
CHANGES = [
    register,
    register_beside,
    register_a_union,
    replace,
    unregister,
    unregister_the_last,
    clear,
    change_who_is_asked_first,
    change_a_list,
    change_a_lookup,
]
ASKING = [call, look_up]


def outcomes(operation):
    world = World()
    before = world.ask()
    operation(world)
    return before, world.ask()


# From Python 3.15 on, none is handled between __enter__() of C and the block either.
_WITH_IS_PROTECTED = sys.version_info >= (3, 15)


class Fault:
    """Raises at the n-th moment at which Python would handle a signal in the package.

    These are the entry of a function and the return from one in C. The return
    from one in Python is one more, which is harder than what signals do.
    """

    def __init__(self, number, error):
        self.left = number
        self.error = error
        self.raised = False

    def __enter__(self):
        sys.setprofile(self)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)

    def __call__(self, frame, event, arg):
        if event == "c_call" or not frame.f_code.co_filename.startswith((PACKAGE, "<reg call")):
            return
        # Between these and the block, no signal is handled.
        if event == "return" and frame.f_code.co_name in {"__enter__", "__exit__"}:
            return
        if event == "c_return" and _WITH_IS_PROTECTED and arg.__name__ in {"__enter__", "__exit__"}:
            return
        self.left -= 1
        if self.left == 0:
            sys.setprofile(None)
            self.raised = True
            self.fault()

    def fault(self):
        raise self.error("injected")


@pytest.mark.parametrize(
    ("warm", "error"),
    [(True, KeyboardInterrupt), (True, MemoryError), (False, KeyboardInterrupt)],
    ids=["warm-interrupt", "warm-memory", "cold-interrupt"],
)
@pytest.mark.parametrize("operation", [*CHANGES, *ASKING], ids=lambda each: each.__name__)
def test_a_fault_at_any_step_leaves_the_state_before_or_after(operation, warm, error):
    before, after = outcomes(operation)
    assert (before == after) == (operation in ASKING)
    number = 0
    while True:
        number += 1
        world = World(warm)
        with Fault(number, error) as fault:
            try:
                operation(world)
            except error:
                assert fault.raised
        found = world.ask()
        assert found in (before, after), number
        # The interrupted operation can be done again, and all others too.
        try:
            operation(world)
        except reg.RegistrationError:
            assert found == after
        assert world.ask() == after
        if not fault.raised:
            break
    assert number > 5
    assert free(registry_lock)


def free(lock):
    """Whether another thread could take a lock."""
    taken = []

    def take():
        taken.append(lock.acquire(timeout=PATIENCE))
        if taken[0]:
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return taken[0]


def in_depth(depth, function):
    return function() if depth <= 0 else in_depth(depth - 1, function)


@pytest.mark.parametrize("operation", [*CHANGES, *ASKING], ids=lambda each: each.__name__)
def test_a_call_at_the_limit_of_recursion_leaves_the_state_before_or_after(operation):
    before, after = outcomes(operation)
    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1
    refused = 0
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(used + 150)
    try:
        for depth in range(60, 160, 1 if SOAK else 3):
            world = World()
            try:
                in_depth(depth, lambda world=world: operation(world))
            except RecursionError:
                refused += 1
            assert world.ask() in (before, after), depth
    finally:
        sys.setrecursionlimit(limit)
    assert refused
    assert free(registry_lock)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that send signals")
@pytest.mark.parametrize("operation", [register_a_union, replace, change_a_list, call])
def test_interrupts_by_a_real_signal_at_any_moment(operation):
    before, after = outcomes(operation)
    random.seed(1)
    durations = []
    for _ in range(5):
        world = World()
        started = time.perf_counter()
        operation(world)
        durations.append(time.perf_counter() - started)
    duration = min(durations)
    interrupted = 0

    def interrupt(number, frame):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(scaled(300)):
            world = World()
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 2 * duration))
                operation(world)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert world.ask() in (before, after)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert interrupted
    assert free(registry_lock)


ANOTHER = answer("cat")


def test_interrupting_initialize_sets_the_base_or_leaves_it():
    one, two = reg.Registry(), reg.Registry()
    one.register(size, [Cat], answer("one"))
    two.register(size, [Cat], answer("two"))
    number = 0
    while True:
        number += 1
        reg.implicit.initialize(one)
        with contextlib.suppress(KeyboardInterrupt), Fault(number, KeyboardInterrupt) as fault:
            reg.implicit.initialize(two)
        expected = "one" if reg.implicit.base_lookup is one else "two"
        assert reg.implicit.lookup is reg.implicit.base_lookup
        assert size(Cat()) == expected
        if not fault.raised:
            break
    assert expected == "two"


@pytest.mark.parametrize("name", ["initialize", "clear", "reset"])
@pytest.mark.parametrize("scoped", [False, True], ids=["thread", "scope"])
def test_an_interrupted_return_to_the_base_is_done_or_not_begun(name, scoped):
    base, own, inner, new = (reg.Registry(name=name) for name in ("base", "own", "inner", "new"))
    implicit = reg.implicit
    number = 0
    while True:
        number += 1
        implicit.initialize(base)
        implicit.lookup = own
        with implicit.using(inner) if scoped else contextlib.nullcontext():
            before = (base, inner if scoped else own)
            after = {"initialize": (new, new), "clear": (None, None), "reset": (base, base)}[name]
            with contextlib.suppress(KeyboardInterrupt), Fault(number, KeyboardInterrupt) as fault:
                getattr(implicit, name)(*[new] * (name == "initialize"))
            found = (implicit.base_lookup, implicit.lookup)
            assert found in (before, after)
        assert implicit.lookup is (own if found == before else after[0])
        if not fault.raised:
            break
    assert found == after
    assert free(registry_lock)


def test_an_interrupted_first_assignment_can_be_done_again():
    base, own = reg.Registry(), reg.Registry()
    own.register(size, [Cat], answer("own"))
    base.register(size, [Cat], answer("base"))
    number = 0
    while True:
        number += 1
        implicit = type(reg.implicit)()
        implicit.initialize(base)
        with contextlib.suppress(KeyboardInterrupt), Fault(number, KeyboardInterrupt) as fault:
            implicit.lookup = own
        assert implicit.lookup in (base, own)
        implicit.lookup = own
        assert implicit._everywhere is None
        if not fault.raised:
            break


def test_a_scope_that_is_interrupted_at_its_beginning_is_not_entered():
    base, own = reg.Registry(), reg.Registry()
    reg.implicit.initialize(base)
    number = 0
    while True:
        number += 1
        interrupted = entered = False
        with Fault(number, KeyboardInterrupt) as fault:
            try:
                with reg.implicit.using(own):
                    sys.setprofile(None)
                    entered = True
                    assert reg.implicit.lookup is own
            except KeyboardInterrupt:
                # Here already, and not only when the traceback is gone.
                assert reg.implicit.lookup is base
                interrupted = True
        assert interrupted is not entered
        assert reg.implicit.lookup is base
        if not fault.raised:
            break
    assert number > 5


def test_a_scope_whose_end_is_interrupted_is_left_with_the_traceback():
    base, own = reg.Registry(), reg.Registry()
    reg.implicit.initialize(base)
    number = 0
    while True:
        number += 1
        with Fault(10**9, KeyboardInterrupt) as fault:
            try:
                with reg.implicit.using(own):
                    fault.left = number
            except KeyboardInterrupt:
                assert fault.raised
        assert reg.implicit.lookup is base
        if not fault.raised:
            break
    assert number > 1


class Meanwhile(Fault):
    """Calls a function at the n-th such moment, as if it were the handler of a signal."""

    def __init__(self, number, handler):
        super().__init__(number, None)
        self.handler = handler

    def fault(self):
        self.handler()


# Two generic functions that were never called before a test begins.
NAMES = []

KEYS = itertools.count()

# Scopes that were entered and not left; they end when they die.
SCOPES = []


def enter(lookup):
    SCOPES.append(reg.implicit.using(lookup))
    SCOPES[-1].__enter__()


# Changes that involve two lookups, the first of which is the base.
IMPLICIT_CHANGES = {
    "call": lambda one, two: [name_of(Cat()) for name_of in NAMES],
    "initialize": lambda one, two: reg.implicit.initialize(two),
    "clear": lambda one, two: reg.implicit.clear(),
    "assign": lambda one, two: setattr(reg.implicit, "lookup", two),
    "assign the base": lambda one, two: setattr(reg.implicit, "lookup", one),
    "reset": lambda one, two: reg.implicit.reset(),
    "scope": lambda one, two: enter(two),
    "scope of the first": lambda one, two: enter(one),
    "compose": lambda one, two: setattr(one, "class_lookup", two.class_lookup),
    "register": lambda one, two: one.class_lookup.register(next(KEYS), [Cat], "any"),
}


def names():
    """The results of cached calls of two generic functions in turn."""
    try:
        return {name_of(Cat()) for name_of in NAMES * 2}
    except reg.NoImplicitLookupError:
        return {None}


def begin_anew():
    """Have calls look where they do in a process in which there has been nothing but the base."""
    NAMES[:] = [reg.generic(lambda thing: "fallback") for _ in range(2)]
    SCOPES.clear()
    if reg.implicit._scoped.get() is not None:
        # One that was entered in the middle of the beginning of another was left first.
        reg.implicit._scope(None)
    reg.implicit._base_only = True


def naming(name):
    """A lookup with implementations that return the name."""
    registry = reg.ClassRegistry()
    for name_of in NAMES:
        registry.register(name_of, [Animal], answer(name))
    return reg.Lookup(registry)


def name_that_counts():
    """The result that the current lookup gives."""
    counting = reg.implicit.lookup
    return counting and counting.component(NAMES[0], [Cat()])(None)


@pytest.mark.parametrize("assigned", [False, True], ids=["the base", "of the thread"])
@pytest.mark.parametrize("handled", IMPLICIT_CHANGES)
@pytest.mark.parametrize("changed", IMPLICIT_CHANGES)
def test_a_signal_handled_in_the_middle_of_a_change_leaves_no_stale_answer(
    changed, handled, assigned
):
    implicit = reg.implicit
    number = 0
    while True:
        number += 1
        begin_anew()
        lookups = [naming("one"), naming("two")]
        # Both are warm.
        implicit.initialize(lookups[1])
        assert names() == {"two"}
        implicit.initialize(lookups[0])
        if assigned:
            implicit.lookup = lookups[0]
        assert names() == {"one"}

        def change(name, lookups=lookups):
            with contextlib.suppress(reg.NoImplicitLookupError):
                IMPLICIT_CHANGES[name](*lookups)

        with Meanwhile(number, lambda change=change: change(handled)) as meanwhile:
            change(changed)
        for _ in range(2):
            assert names() == {name_that_counts()}, number
            implicit.reset()
            assert implicit.lookup is implicit.base_lookup
        if not meanwhile.raised:
            break
    # A warm call in C is one moment.
    assert number > 1 or changed == "call"


def names_and_an_interrupt():
    names()
    raise KeyboardInterrupt


@pytest.mark.parametrize("assigned", [False, True], ids=["the base", "of the thread"])
@pytest.mark.parametrize(
    "interrupting",
    [
        lambda number: Fault(number, KeyboardInterrupt),
        lambda number: Meanwhile(number, names),
        lambda number: Meanwhile(number, names_and_an_interrupt),
    ],
    ids=["an interrupt", "calls", "calls and an interrupt"],
)
def test_putting_back_that_is_interrupted_leaves_no_stale_answer(interrupting, assigned):
    implicit = reg.implicit
    number = 0
    while True:
        number += 1
        begin_anew()
        base, inner, own = naming("base"), naming("inner"), naming("own")
        implicit.initialize(base)
        if assigned:
            implicit.lookup = base
        assert names() == {"base"}
        fault = interrupting(10**9)
        with fault, contextlib.suppress(KeyboardInterrupt), implicit.preserved():
            implicit.initialize(inner)
            assert names() == {"inner"}
            implicit.lookup = own
            assert names() == {"own"}
            fault.left = number
        for change in (lambda: None, implicit.reset, lambda base=base: implicit.initialize(base)):
            change()
            assert names() == {name_that_counts()}, number
        if not fault.raised:
            break
    assert implicit.lookup is base
    assert number > 1
    assert free(registry_lock)


def test_a_first_assignment_in_the_middle_of_putting_back_leaves_no_stale_answer():
    implicit = reg.implicit
    found = []

    def run(number):
        begin_anew()
        base, own = naming("base"), naming("own")
        implicit.initialize(base)
        assert names() == {"base"}
        meanwhile = Meanwhile(10**9, lambda: setattr(implicit, "lookup", own))
        with meanwhile, implicit.preserved():
            meanwhile.left = number
        found.append((names(), {name_that_counts()}, meanwhile.raised))

    while not found or found[-1][2]:
        # A thread that has assigned nothing yet.
        thread = threading.Thread(target=run, args=(len(found) + 1,))
        thread.start()
        thread.join()
        assert found[-1][0] == found[-1][1], len(found)
    assert len(found) > 5


def test_a_first_scope_that_is_interrupted_leaves_no_stale_answer():
    implicit = reg.implicit
    number = 0
    while True:
        number += 1
        begin_anew()
        implicit.lookup = naming("own")
        inner = naming("inner")
        assert names() == {"own"}
        fault = Fault(number, KeyboardInterrupt)
        with contextlib.suppress(KeyboardInterrupt), fault, implicit.using(inner):
            pass
        assert names() == {"own"}
        with implicit.using(inner):
            assert names() == {"inner"}, number
        if not fault.raised:
            break
    assert number > 5


@pytest.mark.parametrize("handled", ["assign", "scope"])
@pytest.mark.parametrize("changed", IMPLICIT_CHANGES)
def test_a_signal_handler_in_a_change_calls_by_the_lookup_it_has_set(changed, handled):
    implicit = reg.implicit
    number = 0
    while True:
        number += 1
        begin_anew()
        base, own, three = naming("base"), naming("own"), naming("three")
        implicit.initialize(base)
        implicit.lookup = own
        assert names() == {"own"}
        found = []

        def handler(own=own, three=three, found=found):
            IMPLICIT_CHANGES[handled](own, three)
            found.append((names(), name_that_counts()))

        with (
            contextlib.suppress(reg.NoImplicitLookupError),
            Meanwhile(number, handler) as meanwhile,
        ):
            IMPLICIT_CHANGES[changed](own, base)
        assert found == [({"three"}, "three")] * meanwhile.raised, number
        if not meanwhile.raised:
            break


@pytest.mark.parametrize(("handled", "meanwhile"), [("assign", "initialize"), ("register",) * 2])
@pytest.mark.parametrize("changed", ["compose", "assign"])
def test_code_that_runs_in_the_middle_of_a_change_cannot_deadlock(changed, handled, meanwhile):
    begin_anew()
    lookups = naming("one"), naming("two")
    threads = []

    def change(name):
        IMPLICIT_CHANGES[name](*lookups)

    def handler():
        threads.append(threading.Thread(target=change, args=(meanwhile,), daemon=True))
        threads[-1].start()
        # For as long as it takes to come to where it waits, if it has to.
        threads[-1].join(0.001)
        change(handled)

    # Ends the process after a deadlock, since the restore would wait as well.
    with open(os.dup(2), "w") as errors:
        faulthandler.dump_traceback_later(PATIENCE, exit=True, file=errors)
        for number in itertools.count(1):
            # The observers of a registry are notified.
            assert all(lookup.component(NAMES[0], [Cat()]) for lookup in lookups)
            with Meanwhile(number, handler) as interrupted:
                change(changed)
            # Its change must not come after the end of this test.
            for thread in threads:
                thread.join(PATIENCE)
            if not interrupted.raised:
                break
        faulthandler.cancel_dump_traceback_later()
    assert number > 5


class FaultWhileInvalidating:
    """Raises at the n-th line in which the caches are invalidated after a fault."""

    def __init__(self, number, error):
        self.left = number
        self.error = error
        self.raised = False

    def __enter__(self):
        sys.settrace(self.called)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def called(self, frame, event, arg):
        return self.line if frame.f_code.co_name == "invalidate_all" else None

    def line(self, frame, event, arg):
        # Before a lock is released that was taken, no signal is handled.
        if event == "line" and frame.f_lineno > frame.f_code.co_firstlineno + 1:
            self.left -= 1
            if self.left == 0:
                self.raised = True
                raise self.error("injected once more")
        return self.line


@pytest.mark.parametrize("operation", CHANGES[:7], ids=lambda each: each.__name__)
def test_a_second_fault_after_the_first_leaves_the_state_before(operation):
    before, after = outcomes(operation)
    twice = 0
    for number in itertools.count(1):
        then = number % 8 + 1
        world = World()
        second = FaultWhileInvalidating(then, KeyboardInterrupt)
        fault = Fault(number, KeyboardInterrupt)
        with contextlib.suppress(KeyboardInterrupt), second, fault:
            operation(world)
        twice += second.raised
        found = world.ask()
        assert found == before if second.raised else found in (before, after), (number, then)
        with contextlib.suppress(reg.RegistrationError):
            operation(world)
        assert world.ask() == after
        if not fault.raised:
            break
    assert twice
    assert free(registry_lock)


def test_a_key_whose_equality_fails_leaves_a_registration_out():
    class Key:
        failing = False

        def __hash__(self):
            return 1

        def __eq__(self, other):
            if Key.failing:
                raise ZeroDivisionError("no equality today")
            return self is other

    registry = reg.Registry()
    keys = [Key() for _ in range(3)]
    for key in keys[:2]:
        registry.register(key, [Animal], "animal")
        assert registry.component(key, [Cat()]) == "animal"
    for operation in (
        lambda: registry.register(keys[2], [Cat], "cat"),
        lambda: registry.register(keys[1], [Cat], "cat"),
        lambda: registry.unregister(keys[1], [Animal]),
    ):
        Key.failing = True
        with pytest.raises(ZeroDivisionError):
            operation()
        Key.failing = False
        assert [registry.component(key, [Cat()], None) for key in keys] == [
            "animal",
            "animal",
            None,
        ]
        assert len(registry.registrations()) == 2


@pytest.mark.needs_mortal_classes
def test_a_class_that_dies_where_its_callback_fails_is_not_taken_for_another():
    @reg.generic
    def of(thing):
        return "fallback"

    class Mark:
        pass

    registry = reg.Registry()
    registry.register(of, [Mark], lambda thing: "mark")
    number = 0
    while True:
        number += 1
        cls = type("Cls", (Mark,), {})
        assert of(cls(), lookup=registry) == "mark"
        reference = weakref.ref(cls)
        with Fault(number, KeyboardInterrupt) as fault:
            del cls
            gc.collect()
        # The callback that lets go of the class may have been interrupted.
        gc.collect()
        assert reference() is None
        others = [type("Other", (), {}) for _ in range(5)]
        assert {of(other(), lookup=registry) for other in others} == {"fallback"}
        if not fault.raised:
            break


def test_no_generic_function_is_taken_for_one_that_died_whatever_interrupted_its_removal():
    registry = reg.Registry()
    reg.implicit.initialize(registry)

    def made(name):
        generic = reg.generic(lambda *things: name)
        assert {generic(Cat()), generic(Cat(), Cat()), generic(Cat())} == {name}
        return generic

    for number in itertools.count(1):
        generic = made("former")
        with Fault(number, KeyboardInterrupt) as fault:
            del generic
            gc.collect()
        # Some of them lie at the address of the former one.
        others = [made("another") for _ in range(10)]
        del others
        if not fault.raised:
            break
