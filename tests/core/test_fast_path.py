"""The fast path of calls: an object in C, a function in Python, and one behaviour."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import os
import pathlib
import pickle
import pydoc
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sized
from types import FrameType
from typing import Any

import pytest

import reg
from reg._fastcall import compiled
from reg.sentinel import MISSING


@reg.generic
def area(shape: object, unit: str = "m", *, precise: bool = False) -> str:
    """Tell the area of a shape."""
    return f"no area of {type(shape).__name__}"


def test_the_build_that_was_asked_for_is_the_one_that_runs() -> None:
    asked_for_python = os.environ.get("REG_PURE_PYTHON") == "1"
    compiler = (sysconfig.get_config_var("CC") or "").split()[:1]
    headers = pathlib.Path(sysconfig.get_path("include"), "Python.h")
    has_no_build_in_c = sys.implementation.name != "cpython"
    if asked_for_python or has_no_build_in_c:
        assert not compiled
    elif compiler and shutil.which(compiler[0]) and headers.exists():
        assert compiled
    assert compiled == (type(area).__module__ == "reg._fastcall_c")


def test_tools_take_a_generic_function_for_a_routine() -> None:
    assert inspect.isroutine(area)
    assert callable(area)
    assert "area(shape: " in pydoc.plain(pydoc.render_doc(area))
    assert "Tell the area of a shape." in pydoc.render_doc(area)


def test_the_methods_of_a_generic_function_are_listed() -> None:
    class Shop:
        @reg.generic
        def price(self, item: object) -> int:
            return 0

    for generic in (area, Shop.price, Shop().price):
        assert {"all", "component", "explain", "__wrapped__"} <= set(dir(generic))


def test_a_generic_function_is_pickled_and_copied_by_reference() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(area, protocol)) is area
    assert copy.copy(area) is area
    assert copy.deepcopy([area])[0] is area


def test_a_generic_function_has_attributes_of_its_own() -> None:
    @reg.generic
    def size(item: object) -> int:
        return 0

    size.note = "mine"  # type: ignore[attr-defined]
    assert vars(size)["note"] == "mine"


def test_a_class_that_begins_to_lie_about_its_instances_is_believed_at_once() -> None:
    class Document:
        pass

    class Other:
        pass

    @reg.generic
    def kind(item: object) -> str:
        return "unknown"

    registry = reg.Registry()
    registry.register(kind, [Document], lambda item: "document")
    other = Other()
    for _ in range(3):
        assert kind(other, lookup=registry) == "unknown"

    def lie(self: object, name: str) -> object:
        return Document if name == "__class__" else object.__getattribute__(self, name)

    Other.__getattribute__ = lie  # type: ignore[method-assign, assignment]
    for _ in range(3):
        assert kind(other, lookup=registry) == "document"
    del Other.__getattribute__
    for _ in range(3):
        assert kind(other, lookup=registry) == "unknown"


def test_names_of_keywords_need_not_be_interned() -> None:
    class Square:
        pass

    registry = reg.Registry()
    registry.register(area, [Square], lambda shape, **keywords: keywords)
    lookup_name, default_name = "".join(["look", "up"]), "".join(["def", "ault"])
    for _ in range(2):
        assert area(Square(), **{lookup_name: registry, "x": 1}) == {"x": 1}
        assert area(Square(), **{lookup_name: registry, default_name: 3}) == {}
        assert area(1, **{lookup_name: registry, default_name: 3}) == 3


def test_a_keyword_with_an_empty_name_is_no_argument_that_dispatches() -> None:
    @reg.generic
    def of_all(*shapes: object, **keywords: object) -> str:
        return "default"

    @reg.generic("shape")
    def of_one(shape: object = None, /, **keywords: object) -> str:
        return "default"

    class Square:
        pass

    registry = reg.Registry()
    for generic in (of_all, of_one):
        registry.register(generic, [Square], lambda *shapes, **keywords: "square")
    with reg.implicit.using(registry):
        for generic in (of_all, of_one):
            for _ in range(3):
                assert generic(Square()) == "square"
                assert generic(**{"": Square()}) == "default"
                assert generic(**{"": Square()}, lookup=registry) == "default"


def test_many_keywords_and_arguments_pass_through_with_an_explicit_lookup() -> None:
    @reg.generic("first")
    def collect(first: object, *rest: object, **keywords: object) -> object:
        return None

    registry = reg.Registry()
    registry.register(collect, [int], lambda first, *rest, **keywords: (first, rest, keywords))
    rest = tuple(range(50))
    keywords = {f"keyword_{index}": index for index in range(50)}
    for _ in range(2):
        assert collect(1, *rest, lookup=registry, **keywords) == (1, rest, keywords)
        assert collect(1, *rest, **keywords, lookup=registry) == (1, rest, keywords)


def test_a_call_with_many_arguments_dispatches_on_all_of_them() -> None:
    @reg.generic
    def collect(*items: object) -> str:
        return "default"

    registry = reg.Registry()
    for count in (0, 1, 3, 16, 17, 40):
        registry.register(collect, [int] * count, functools.partial(lambda n, *items: n, count))
    for _ in range(2):
        for count in (0, 1, 3, 16, 17, 40):
            assert collect(*range(count), lookup=registry) == count
        assert collect("no", lookup=registry) == "default"


def test_a_function_of_many_parameters_dispatches_on_all_of_them() -> None:
    names = [f"p{index}" for index in range(20)]
    namespace: dict[str, object] = {}
    exec(f"def many({', '.join(names)}): return 'default'", namespace)
    many = reg.generic(namespace["many"])  # type: ignore[arg-type]
    registry = reg.Registry()
    registry.register(many, [int] * 20, lambda *items: sum(items))
    for _ in range(3):
        assert many(*range(20), lookup=registry) == sum(range(20))
        assert many(*"abcdefghijklmnopqrst", lookup=registry) == "default"


def test_an_implementation_may_unregister_itself_while_it_runs() -> None:
    class Square:
        pass

    registry = reg.Registry()

    def once(shape: object) -> str:
        registry.unregister(area, [Square])
        gc.collect()
        return "once"

    registry.register(area, [Square], once)
    del once
    assert area(Square(), lookup=registry) == "once"
    assert area(Square(), lookup=registry) == "no area of Square"


def test_a_generic_function_may_be_dropped_while_it_runs() -> None:
    class Square:
        pass

    functions = {}

    @reg.generic
    def size(item: object) -> str:
        return "default"

    functions["size"] = size
    del size
    registry = reg.Registry()

    def drop(item: object) -> str:
        functions.clear()
        registry.clear()
        gc.collect()
        return "dropped"

    registry.register(functions["size"], [Square], drop)
    assert functions["size"](Square(), lookup=registry) == "dropped"


def test_a_stand_in_with_any_attribute_is_asked_by_its_methods() -> None:
    class Anything:
        def __getattr__(self, name: str) -> object:
            return lambda *args, **keywords: f"{name} of anything"

    for _ in range(3):
        assert area(1, lookup=Anything()) == "call of anything"
        with reg.implicit.using(Anything()):
            assert area(1) == "call of anything"


def test_a_changed_attribute_of_a_class_changes_no_answer() -> None:
    class Square:
        count = 0

    registry = reg.Registry()
    registry.register(area, [Square], lambda shape: "square")
    with reg.implicit.using(registry):
        for _ in range(3000):
            Square.count += 1
            assert area(Square()) == "square"


def test_cached_calls_follow_the_lookup_of_the_thread_the_scope_and_the_base() -> None:
    # In a process in which there has been nothing but the base.
    program = """if True:
        import contextvars
        import threading
        import reg

        @reg.generic
        def who(item):
            return "nobody"

        def warm():
            return {who(0) for _ in range(20)}

        def in_another_thread():
            found = []
            # In some builds, a thread begins with the context of the one that starts it.
            run = contextvars.Context().run
            thread = threading.Thread(target=lambda: found.append(run(warm)))
            thread.start()
            thread.join()
            return found[0]

        registries = {}
        for name in ("base", "thread", "scope", "other"):
            registries[name] = reg.Registry()
            registries[name].register(who, [int], lambda item, name=name: name)
        reg.implicit.initialize(registries["base"])
        assert warm() == in_another_thread() == {"base"}
        reg.implicit.initialize(registries["other"])
        assert warm() == in_another_thread() == {"other"}
        with reg.implicit.preserved():
            reg.implicit.lookup = registries["thread"]
            assert warm() == {"thread"} and in_another_thread() == {"other"}
            with reg.implicit.using(registries["scope"]):
                assert warm() == {"scope"} and in_another_thread() == {"other"}
            assert warm() == {"thread"} and in_another_thread() == {"other"}
        assert warm() == in_another_thread() == {"other"}
        reg.implicit.initialize(registries["base"])
        assert warm() == in_another_thread() == {"base"}
        with reg.implicit.using(registries["scope"]):
            assert warm() == {"scope"} and in_another_thread() == {"base"}
        assert warm() == in_another_thread() == {"base"}
        reg.implicit.clear()
        try:
            who(0)
        except reg.NoImplicitLookupError:
            print("found")
    """
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("found\n", "")


def _searches(call: Callable[[], object]) -> list[str]:
    """The names of the functions that run in a call besides its fast path."""
    names = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        # The fast path in Python has code of its own.
        file = pathlib.Path(frame.f_code.co_filename).name
        if event == "call" and file in {"_slow_path.py", "_fastcall_py.py"}:
            names.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return names


def _given(lookup: Any, call: Callable[..., object]) -> None:
    call(lookup=lookup)


def _in_scope(lookup: Any, call: Callable[..., object]) -> None:
    with reg.implicit.using(lookup):
        call()


def _in_thread(lookup: Any, call: Callable[..., object]) -> None:
    reg.implicit.initialize(reg.Registry())
    reg.implicit.lookup = lookup
    call()


def _everywhere(lookup: Any, call: Callable[..., object]) -> None:
    reg.implicit.initialize(lookup)
    call()


def _in_scope_and_outside(lookup: Any, call: Callable[..., object]) -> None:
    reg.implicit.initialize(lookup)
    for _ in range(2):
        _in_scope(lookup, call)
        call()


@pytest.mark.parametrize(
    "where", [_given, _in_scope, _in_thread, _everywhere, _in_scope_and_outside]
)
@pytest.mark.parametrize("is_composed", [False, True])
@pytest.mark.parametrize("has_abstract_classes", [False, True])
@pytest.mark.parametrize("order", ["int list", "int list Local", "Local int list"])
def test_a_repeated_call_is_not_searched_again(
    where: Callable[..., None],
    is_composed: bool,
    has_abstract_classes: bool,
    order: str,
) -> None:
    class Local:
        pass

    @reg.generic
    def kind(item: object) -> str:
        return "unknown"

    registry = reg.Registry()
    registry.register(kind, [int], lambda item: "int")
    registry.register(kind, [Local], lambda item: "local")
    if has_abstract_classes:
        registry.register(kind, [Sized], lambda item: "sized")
    lookup = reg.Lookup(reg.ListClassLookup([registry])) if is_composed else registry
    of_sized = "sized" if has_abstract_classes else "unknown"
    by_class = {"int": (1, "int"), "list": ([], of_sized), "Local": (Local(), "local")}
    answers = [by_class[name] for name in order.split()]
    searches: list[str] = []

    def call(**keywords: Any) -> None:
        # Each first call is searched, and the one after a class of another kind may be.
        for item, answer in answers * 2:
            assert kind(item, **keywords) == answer
        searches.extend(_searches(lambda: [kind(item, **keywords) for item, _ in answers]))

    with reg.implicit.preserved():
        where(lookup, call)
    assert searches == []


# In C, the slow path fills in the default of a parameter that dispatches by name.
@pytest.mark.skipif(compiled, reason="in C, such a default is filled in by the slow path")
@pytest.mark.parametrize("where", [_given, _in_scope, _in_thread, _everywhere])
def test_a_repeated_call_without_its_arguments_is_not_searched_again(
    where: Callable[..., None],
) -> None:
    @reg.generic("unit")
    def scale(*, unit: str | None = None) -> str:
        return "unknown"

    registry = reg.Registry()
    registry.register(scale, [type(None)], lambda unit=None: "of no unit")
    searches: list[str] = []

    def call(**keywords: Any) -> None:
        for _ in range(2):
            assert scale(**keywords) == "of no unit"
        searches.extend(_searches(lambda: scale(**keywords)))

    with reg.implicit.preserved():
        where(registry, call)
    # The fast path has no code for parameters that are passed by keyword only; the plan is found
    # without it.
    assert not {"call", "_plan"} & set(searches)


def test_the_marker_of_a_missing_argument_is_an_ordinary_argument() -> None:
    registry = reg.Registry()
    registry.register(area, [object, type(MISSING)], lambda shape, marker: "two")
    registry.register(area, [object], lambda shape: "one")
    with reg.implicit.using(registry):
        for _ in range(3):
            assert area(1, MISSING) == "two"
            assert area(1) == "one"


@pytest.mark.needs_refcounts
def test_calls_leave_reference_counts_where_they_were() -> None:
    class Item:
        pass

    def implementation(item: object, extra: object = None) -> None:
        return None

    registry = reg.Registry()
    registry.register(area, [Item], implementation)
    lookup = reg.Lookup(reg.ListClassLookup([registry]))
    item, marker = Item(), object()
    watched = [area, Item, implementation, registry, lookup, item, marker]

    def call() -> None:
        for _ in range(200):
            area(item, lookup=lookup)
            area(item, extra=marker, lookup=lookup)
            with reg.implicit.using(lookup):
                area(item)
                area(item, extra=marker)
            area(marker, lookup=lookup)
            area(marker, lookup=lookup, default=None)

    call()
    gc.collect()
    before = [sys.getrefcount(each) for each in watched]
    call()
    gc.collect()
    assert [sys.getrefcount(each) for each in watched] == before


def test_calls_for_more_classes_than_are_cached_at_once_stay_right() -> None:
    @reg.generic
    def name_of(item):
        return "unknown"

    classes = [type(f"Class{number}", (), {}) for number in range(6_000)]
    registry = reg.Registry()
    for cls in classes[::2]:
        registry.register(name_of, [cls], lambda item, cls=cls: cls.__name__)
    expected = [cls.__name__ if index % 2 == 0 else "unknown" for index, cls in enumerate(classes)]
    for _ in range(3):
        assert [name_of(cls(), lookup=registry) for cls in classes] == expected
    registry.register(name_of, [classes[1]], lambda item: "new")
    expected[1] = "new"
    assert [name_of(cls(), lookup=registry) for cls in classes] == expected


def test_a_class_that_changes_all_the_time_is_answered_by_its_bases_of_the_moment() -> None:
    class Former: ...

    class Later: ...

    class Changing(Former): ...

    @reg.generic
    def base_of(item):
        return "none"

    registry = reg.Registry()
    registry.register(base_of, [Former], lambda item: "former")
    registry.register(base_of, [Later], lambda item: "later")
    item = Changing()
    for number in range(3_000):
        Changing.number = number
        assert (Changing.number, base_of(item, lookup=registry)) == (number, "former")
    Changing.__bases__ = (Later,)
    assert not compiled or base_of(item, lookup=registry) == "later"
