"""The lookup behind calls that are given none."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import copy
import gc
import pickle
import sys
import threading
import types
import weakref

import pytest

import reg
from reg import implicit

from ..interpreters import THREADS_INHERIT_CONTEXT


def in_thread(function):
    """Run a function in a new thread, and return its result or raise its error."""
    results = []

    def run():
        try:
            results.append((function(), None))
        except BaseException as error:
            results.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    ((result, error),) = results
    if error is not None:
        raise error
    return result


def registry_answering(answer):
    registry = reg.Registry()
    registry.register(who, [], lambda: answer)
    return registry


@reg.generic
def who():
    return "fallback"


@pytest.fixture(autouse=True)
def who_was_never_called(monkeypatch):
    """Have no test begin with a function that looks elsewhere since it was called in a scope."""
    monkeypatch.setattr(sys.modules[__name__], "who", reg.generic(who.__wrapped__))


def test_at_first_there_is_no_lookup():
    assert implicit.lookup is None
    assert implicit.base_lookup is None
    with pytest.raises(reg.NoImplicitLookupError, match="initialize"):
        who()


def test_initialize_sets_the_base():
    registry = registry_answering("base")
    implicit.initialize(registry)
    assert implicit.base_lookup is registry
    assert implicit.lookup is registry
    assert who() == "base"


def test_initialize_with_none_leaves_no_lookup():
    implicit.initialize(registry_answering("base"))
    implicit.initialize(None)
    assert implicit.base_lookup is None
    assert implicit.lookup is None
    with pytest.raises(reg.NoImplicitLookupError):
        who()


def test_clear_leaves_no_base_and_drops_the_threads_own_assignment():
    implicit.initialize(registry_answering("base"))
    implicit.lookup = registry_answering("own")
    implicit.clear()
    assert implicit.base_lookup is None
    assert implicit.lookup is None


def test_initialize_drops_the_threads_own_assignment():
    implicit.lookup = registry_answering("own")
    implicit.initialize(registry_answering("base"))
    assert who() == "base"


def test_lookup_can_be_assigned_and_reset():
    base, own = registry_answering("base"), registry_answering("own")
    implicit.initialize(base)
    implicit.lookup = own
    assert implicit.lookup is own
    assert implicit.base_lookup is base
    assert who() == "own"
    implicit.reset()
    assert implicit.lookup is base
    assert who() == "base"
    implicit.reset()
    assert who() == "base"


def test_lookup_can_be_assigned_before_initialize():
    own = registry_answering("own")
    implicit.lookup = own
    assert implicit.lookup is own
    assert who() == "own"
    implicit.reset()
    assert implicit.lookup is None


def test_none_can_be_assigned():
    implicit.initialize(registry_answering("base"))
    implicit.lookup = None
    assert implicit.lookup is None
    with pytest.raises(reg.NoImplicitLookupError):
        who()
    implicit.reset()
    assert who() == "base"


def test_a_new_thread_starts_at_the_base_and_not_at_its_parents_value():
    base = registry_answering("base")
    implicit.initialize(base)
    implicit.lookup = registry_answering("own")
    assert in_thread(lambda: implicit.lookup) is base
    assert in_thread(who) == "base"


def test_a_new_thread_starts_in_the_scope_only_if_it_inherits_the_context():
    implicit.initialize(registry_answering("base"))
    with implicit.using(registry_answering("scope")):
        assert in_thread(who) == ("scope" if THREADS_INHERIT_CONTEXT else "base")
    assert in_thread(who) == "base"


def test_an_assignment_is_not_seen_by_other_threads():
    implicit.initialize(registry_answering("base"))
    other = registry_answering("other")

    def assign():
        implicit.lookup = other
        return who()

    assert in_thread(assign) == "other"
    assert who() == "base"


@pytest.mark.parametrize("change", ["initialize", "clear", "reset"])
def test_other_threads_keep_the_lookup_they_assigned(change):
    implicit.initialize(registry_answering("base"))
    assigned, changed = threading.Event(), threading.Event()

    def assign():
        implicit.lookup = registry_answering("own")
        assigned.set()
        changed.wait(10)
        return who()

    found = []
    thread = threading.Thread(target=lambda: found.append(assign()))
    thread.start()
    assigned.wait(10)
    if change == "initialize":
        implicit.initialize(registry_answering("new base"))
    else:
        getattr(implicit, change)()
    changed.set()
    thread.join()
    assert found == ["own"]


def test_a_thread_without_an_assignment_follows_the_base():
    implicit.initialize(registry_answering("base"))
    started, changed = threading.Event(), threading.Event()

    def run():
        before = who()
        started.set()
        changed.wait(10)
        return before, who()

    found = []
    thread = threading.Thread(target=lambda: found.append(run()))
    thread.start()
    started.wait(10)
    implicit.initialize(registry_answering("new base"))
    changed.set()
    thread.join()
    assert found == [("base", "new base")]


@pytest.mark.parametrize("installed", [object(), 0, "text", reg.ClassRegistry(), len])
def test_any_object_can_be_installed_and_is_an_error_at_the_call(installed):
    @reg.generic
    def size(thing): ...

    @reg.generic("thing")
    def named(thing): ...

    def check():
        assert implicit.lookup is installed
        for call in (size, named, size.component, size.all, named.component):
            with pytest.raises(TypeError, match=r"component\(\), all\(\) and call\(\)"):
                call(1)
        with pytest.raises(TypeError):
            size(1, default=None)

    implicit.initialize(installed)
    check()
    implicit.clear()
    implicit.lookup = installed
    check()
    implicit.reset()
    with implicit.using(installed):
        check()


def test_a_falsy_lookup_is_a_lookup():
    class Empty(reg.Registry):
        def __bool__(self):
            return False

        def __len__(self):
            return 0

    empty = Empty()
    empty.register(who, [], lambda: "empty")
    implicit.initialize(empty)
    assert who() == "empty"
    assert who(lookup=empty) == "empty"


def test_using_holds_within_the_block():
    implicit.initialize(registry_answering("base"))
    scope = registry_answering("scope")
    with implicit.using(scope) as entered:
        assert entered is scope
        assert implicit.lookup is scope
        assert who() == "scope"
        assert implicit.base_lookup is not scope
    assert who() == "base"


def test_using_nests():
    with implicit.using(registry_answering("outer")):
        with implicit.using(registry_answering("inner")):
            assert who() == "inner"
        assert who() == "outer"
    assert implicit.lookup is None


def test_using_ends_with_an_exception():
    implicit.initialize(registry_answering("base"))

    def fail():
        with implicit.using(registry_answering("scope")):
            raise ValueError(who())

    with pytest.raises(ValueError, match="scope"):
        fail()
    assert who() == "base"


def test_using_counts_more_than_the_threads_assignment():
    implicit.lookup = registry_answering("own")
    with implicit.using(registry_answering("scope")):
        assert who() == "scope"
    assert who() == "own"


def test_using_none_means_no_lookup():
    implicit.initialize(registry_answering("base"))
    with implicit.using(None):
        assert implicit.lookup is None
        with pytest.raises(reg.NoImplicitLookupError):
            who()
    assert who() == "base"


def test_an_assignment_inside_using_ends_with_it():
    implicit.initialize(registry_answering("base"))
    with implicit.using(registry_answering("scope")):
        implicit.lookup = registry_answering("assigned")
        assert who() == "assigned"
        implicit.reset()
        assert who() == "base"
    assert who() == "base"


def test_initialize_inside_using_holds_at_once():
    with implicit.using(registry_answering("scope")):
        implicit.initialize(registry_answering("base"))
        assert who() == "base"
    assert who() == "base"


def test_another_thread_does_not_see_a_scope():
    implicit.initialize(registry_answering("base"))
    entered, asked = threading.Event(), threading.Event()

    def enter():
        with implicit.using(registry_answering("scope")):
            entered.set()
            asked.wait(10)
            return who()

    found = []
    thread = threading.Thread(target=lambda: found.append(enter()))
    thread.start()
    entered.wait(10)
    assert who() == "base"
    asked.set()
    thread.join()
    assert found == ["scope"]


def test_a_concurrent_task_does_not_see_a_scope():
    implicit.initialize(registry_answering("base"))

    async def using(name, other):
        before = who()
        with implicit.using(registry_answering(name)):
            other.set()
            await asyncio.sleep(0)
            inside = who()
            await asyncio.sleep(0)
        return before, inside, who()

    async def main():
        events = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(using("one", events[0]), using("two", events[1]))

    assert asyncio.run(main()) == [("base", "one", "base"), ("base", "two", "base")]


def test_a_scope_is_inherited_where_contextvars_are():
    implicit.initialize(registry_answering("base"))

    async def main():
        with implicit.using(registry_answering("scope")):
            task = asyncio.create_task(asyncio.sleep(0, None))
            await task
            return await asyncio.to_thread(who), await asyncio.create_task(ask())

    async def ask():
        return who()

    assert asyncio.run(main()) == ("scope", "scope")
    with implicit.using(registry_answering("scope")):
        context = contextvars.copy_context()
    assert context.run(who) == "scope"
    assert who() == "base"


def in_a_kept_context(function):
    """Call a function in a context that was left some time ago, and in which a lookup counts."""
    with implicit.preserved(), implicit.using(registry_answering("kept")):
        context = contextvars.copy_context()
    return context.run(function)


def test_a_context_that_outlives_preserved_keeps_its_lookup():
    @reg.generic
    def other():
        return "fallback"

    base = registry_answering("base")
    base.register(other, [], lambda: "base")
    # As in a process in which there has been nothing but the base.
    implicit._base_only = True
    implicit.initialize(base)
    assert [who(), other(), who(), other()] == ["base"] * 4
    assert in_a_kept_context(lambda: [who(), other(), who(), other()]) == ["kept", "fallback"] * 2
    assert [who(), other(), who(), other()] == ["base"] * 4


def test_a_thread_that_outlives_preserved_keeps_its_scope():
    entered, go_on = threading.Event(), threading.Event()
    found = []

    def run():
        with implicit.using(registry_answering("kept")):
            entered.set()
            go_on.wait(60)
            found.extend([who(), who(), implicit.lookup.component(who, ())()])

    implicit._base_only = True
    implicit.initialize(registry_answering("base"))
    assert who() == who() == "base"
    with implicit.preserved():
        thread = threading.Thread(target=run)
        thread.start()
        entered.wait(60)
    go_on.set()
    thread.join()
    assert found == ["kept"] * 3
    assert who() == "base"


@pytest.mark.parametrize("change", ["initialize", "reset"])
def test_an_assigned_lookup_is_restored_though_its_thread_followed_the_base_meanwhile(change):
    implicit.initialize(registry_answering("base"))

    def follow_the_base_and_assign():
        implicit.initialize(None) if change == "initialize" else implicit.reset()
        implicit.lookup = registry_answering("meanwhile")
        return who()

    def assign():
        implicit.lookup = registry_answering("own")

    with concurrent.futures.ThreadPoolExecutor(1) as other:
        other.submit(assign).result()
        assign()
        with implicit.preserved():
            assert other.submit(follow_the_base_and_assign).result() == "meanwhile"
            assert follow_the_base_and_assign() == "meanwhile"
        assert [other.submit(who).result(), who()] == ["own", "own"]


def test_cached_calls_of_a_thread_that_outlives_preserved_follow_its_own_lookup():
    implicit._base_only = True
    implicit.initialize(registry_answering("base"))

    def calls():
        return [who(), who(), who()]

    with concurrent.futures.ThreadPoolExecutor(1) as own, implicit.preserved():
        own.submit(setattr, implicit, "lookup", registry_answering("own")).result()
        assert own.submit(calls).result() == ["own"] * 3
        with implicit.preserved():
            own.submit(setattr, implicit, "lookup", registry_answering("meanwhile")).result()
            assert own.submit(calls).result() == ["meanwhile"] * 3
        assert own.submit(calls).result() == ["own"] * 3
        assert calls() == ["base"] * 3


@pytest.mark.needs_refcounts
@pytest.mark.parametrize("change", ["initialize", "clear", "reset", "assign", "put back"])
def test_the_finalizer_of_a_replaced_lookup_may_wait_for_another_thread(change):
    waited = []

    class Dying(reg.Registry):
        def __del__(self):
            thread = threading.Thread(target=implicit.initialize, args=(None,), daemon=True)
            thread.start()
            thread.join(10)
            waited.append(thread.is_alive())

    if change == "put back":
        with implicit.preserved():
            implicit.initialize(Dying())
            who()
    elif change in {"initialize", "clear"}:
        implicit.initialize(Dying())
        who()
        if change == "clear":
            implicit.clear()
        else:
            implicit.initialize(None)
    else:
        implicit.lookup = Dying()
        who()
        if change == "assign":
            implicit.lookup = None
        else:
            implicit.reset()
    assert waited == [False]


def test_another_implicit_can_be_made_and_is_independent():
    other = type(implicit)()
    other.initialize("other")
    assert other.lookup == "other"
    assert implicit.lookup is None


def test_another_implicit_that_has_the_same_lookup_leaves_no_stale_answer():
    lookup = reg.Lookup(registry_answering("one").registry)
    for assigned in (False, True):
        implicit.initialize(lookup)
        if assigned:
            implicit.lookup = lookup
        assert [who(), who(), who()] == ["one"] * 3
        type(implicit)().lookup = lookup
        lookup.class_lookup = registry_answering("two").registry
        assert who() == "two"
        lookup.class_lookup = registry_answering("one").registry


def test_warm_calls_follow_every_change():
    one, two = registry_answering("one"), registry_answering("two")
    for _ in range(3):
        implicit.initialize(one)
        assert [who(), who()] == ["one", "one"]
        implicit.initialize(two)
        assert [who(), who()] == ["two", "two"]
        implicit.lookup = one
        assert [who(), who()] == ["one", "one"]
        with implicit.using(two):
            assert [who(), who()] == ["two", "two"]
        assert who() == "one"
        implicit.reset()
        assert [who(), who()] == ["two", "two"]
        implicit.clear()
        with pytest.raises(reg.NoImplicitLookupError):
            who()


@pytest.mark.needs_refcounts
def test_the_lookup_of_a_thread_dies_with_it():
    local = threading.local()
    kept = []

    class Connection: ...

    def work():
        reg.implicit.lookup = reg.Registry()
        local.connection = Connection()
        kept.append(weakref.ref(local.connection))
        kept.append(weakref.ref(reg.implicit.lookup))

    gc.collect()
    gc.disable()
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        connection, lookup = (reference() for reference in kept)
    finally:
        gc.enable()
    assert connection is None
    # A registry knows its answers, and they know it.
    del lookup
    gc.collect()
    assert kept[1]() is None


@pytest.mark.needs_refcounts
def test_a_call_while_a_thread_dies_finds_a_lookup_that_lives():
    @reg.generic
    def size(thing):
        return "fallback"

    base = reg.Registry()
    base.register(size, [int], lambda thing: "base")
    reg.implicit.initialize(base)
    local = threading.local()
    seen = []

    class Last:
        def __del__(self):
            seen.append(size(1))

    def work():
        own = reg.Registry()
        own.register(size, [int], lambda thing: "own")
        reg.implicit.lookup = own
        local.last = Last()
        size(1)

    for _ in range(20):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(seen) == 20
    assert set(seen) <= {"own", "base"}


def test_a_block_of_using_is_entered_once():
    one, two = reg.Registry(), reg.Registry()
    reg.implicit.initialize(one)
    block = reg.implicit.using(two)
    with block:
        with pytest.raises(RuntimeError, match="call using"):
            block.__enter__()
        assert reg.implicit.lookup is two
    assert reg.implicit.lookup is one


def test_using_decorates_a_function_that_calls_itself():
    one, two = reg.Registry(), reg.Registry()
    reg.implicit.initialize(one)

    @reg.implicit.using(two)
    def count(number):
        assert reg.implicit.lookup is two
        return number and 1 + count(number - 1)

    assert count(3) == 3
    assert reg.implicit.lookup is one


def test_it_is_pickled_and_copied_by_reference():
    for again in (copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))):
        assert again(reg.implicit) is reg.implicit
    # So that a pool of processes can begin with it.
    registry = reg.Registry()
    pickle.loads(pickle.dumps(reg.implicit.initialize))(registry)
    assert reg.implicit.base_lookup is registry


@pytest.mark.skipif(not hasattr(gc, "freeze"), reason="this collector cannot be frozen")
def test_preserved_restores_the_lookup_of_a_frozen_thread_state():
    base, own = reg.Registry(), reg.Registry()
    reg.implicit.initialize(base)
    reg.implicit.lookup = base
    # For good: to unfreeze would be for all that the tests have frozen.
    gc.freeze()
    with reg.implicit.preserved():
        reg.implicit.lookup = own
    assert reg.implicit.lookup is base


@pytest.mark.parametrize("change", ["reset", "clear", "initialize", "assign"])
def test_preserved_restores_the_assigned_lookup_after_every_change(change):
    base, own = reg.Registry(), reg.Registry()
    implicit.initialize(base)
    implicit.lookup = own
    for _ in range(2):
        with implicit.preserved():
            {
                "reset": implicit.reset,
                "clear": implicit.clear,
                "initialize": lambda: implicit.initialize(reg.Registry()),
                "assign": lambda: setattr(implicit, "lookup", None),
            }[change]()
            assert implicit.lookup is not own
        assert (implicit.lookup, implicit.base_lookup) == (own, base)


def test_a_block_that_cannot_be_left_says_why():
    def within(lookup):
        with implicit.using(lookup):
            yield

    generator = within(reg.Registry())
    contextvars.copy_context().run(next, generator)
    with pytest.raises(ValueError, match="different Context") as caught:
        generator.close()
    assert "not around a yield" in caught.value.__notes__[0]


def _assign(lookup):
    reg.implicit.lookup = lookup


@pytest.mark.parametrize("install", [reg.implicit.initialize, reg.implicit.using, _assign])
@pytest.mark.parametrize(
    ("other", "advice"),
    [
        ([], r"reg\.Lookup\(reg\.ListClassLookup"),
        ([reg.Registry()], r"reg\.Lookup\(reg\.ListClassLookup"),
        ((), r"reg\.Lookup\(reg\.ListClassLookup"),
        ({}, r"reg\.Lookup\(reg\.ListClassLookup"),
        (set(), r"reg\.Lookup\(reg\.ListClassLookup"),
        (reg.ListClassLookup, "which is a class: pass an instance of it"),
        (reg.Registry, "which is a class: pass an instance of it"),
        (reg.compose, "which is a module: pass a lookup in it"),
    ],
)
def test_an_object_that_can_be_no_lookup_is_refused_at_once_with_advice(install, other, advice):
    base, lookup = reg.implicit.base_lookup, reg.implicit.lookup
    with pytest.raises(TypeError, match=f"takes a lookup; got .*{advice}"):
        install(other)
    assert (reg.implicit.base_lookup, reg.implicit.lookup) == (base, lookup)


def test_a_class_or_a_module_that_answers_itself_can_be_the_lookup():
    class Answering:
        @staticmethod
        def call(key, args, **keywords):
            return "answered"

        component = all = call

    module = types.ModuleType("answering")
    vars(module).update(call=Answering.call, component=Answering.call, all=Answering.call)
    for lookup in Answering, module:
        with reg.implicit.using(lookup):
            assert who() == "answered"


def test_a_misspelt_attribute_is_refused():
    with pytest.raises(AttributeError, match="lookp"):
        reg.implicit.lookp = reg.Registry()
