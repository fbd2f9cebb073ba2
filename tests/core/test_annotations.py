"""Registering for the classes that annotations name."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import importlib
import sys
import textwrap
import typing
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg

if typing.TYPE_CHECKING:
    import a_module_that_is_never_loaded


@pytest.fixture(params=[reg.ClassRegistry, reg.Registry])
def registry(request):
    return request.param()


class Animal: ...


class Cat(Animal): ...


@reg.generic
def meet(first, second):
    return "fallback"


@reg.generic("second", "first")
def meet_by_name(first, second):
    return "fallback"


@reg.generic
def size(thing):
    return "fallback"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load a module from its source."""
    names = []

    def load(source):
        name = f"a_module_of_annotations_{len(names)}"
        names.append(name)
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield load
    for name in names:
        sys.modules.pop(name, None)


def test_implements_takes_the_classes_from_annotations(registry):
    @registry.implements(meet)
    def cat_and_number(first: Cat, second: int) -> str:
        return "cat and number"

    assert registry.exact(meet, [Cat, int]) is cat_and_number
    assert cat_and_number(Cat(), 1) == "cat and number"
    assert cat_and_number.__name__ == "cat_and_number"


def test_parameters_are_matched_by_position_where_arguments_are_positional(registry):
    @registry.implements(meet)
    def other_names(one: str, two: bytes): ...

    assert registry.exact(meet, [str, bytes]) is other_names


def test_parameters_are_matched_by_name_where_names_dispatch_and_else_by_position(registry):
    @reg.generic("model", "kind")
    def export(model, *, kind, more=0): ...

    @registry.implements(export)
    def export_cat(model: Cat, more=0, *, kind: int): ...

    @registry.implements(meet_by_name)
    def other_names(one: str, two: bytes): ...

    assert registry.exact(export, [Cat, int]) is export_cat
    assert registry.exact(meet_by_name, [bytes, str]) is other_names


def test_only_the_parameters_that_dispatch_count(registry):
    @reg.generic("model")
    def render(target, model, size=None): ...

    @registry.implements(render)
    def render_cat(target: list[int], model: Cat, size: Literal["s", "m"] = "s") -> Any: ...

    assert registry.exact(render, [Cat]) is render_cat


def test_annotations_that_do_not_dispatch_need_not_be_understood(registry):
    @registry.implements(size)
    def cat_size(
        thing: Cat,
        unit: a_module_that_is_never_loaded.Unit | None = None,
        *more: "not [an expression",  # noqa: F722
    ) -> a_module_that_is_never_loaded.Size: ...

    assert registry.exact(size, [Cat]) is cat_size


def test_unions_none_abstract_classes_and_protocols_can_be_annotated(registry):
    @registry.implements(size)
    def either(thing: int | str | None): ...

    @registry.implements(size)
    def optional(thing: typing.Optional[bytes]): ...  # noqa: UP045

    @registry.implements(size)
    def sized(thing: collections.abc.Sized): ...

    for cls in (int, str):
        assert registry.exact(size, [cls]) is either
    assert registry.exact(size, [bytes]) is optional
    assert registry.exact(size, [None]) is either
    registry.unregister(size, [int | str | None])
    assert registry.exact(size, [None]) is optional
    assert registry.exact(size, [collections.abc.Sized]) is sized


def test_an_annotation_of_none_is_its_type(registry):
    @registry.implements(size)
    def nothing(thing: None): ...

    assert registry.exact(size, [None]) is nothing


def test_annotated_parameters_count_as_what_is_annotated(registry):
    @registry.implements(size)
    def annotated(thing: Annotated[Cat, "a note"]): ...

    assert registry.exact(size, [Cat]) is annotated


def test_local_classes_can_be_annotated(registry):
    class Local: ...

    @registry.implements(size)
    def local_size(thing: Local) -> Local: ...

    assert registry.exact(size, [Local]) is local_size


def test_annotations_need_not_be_strings(load):
    module = load(
        """
        import reg

        class Cat: ...

        @reg.generic
        def size(thing): return "fallback"

        registry = reg.Registry()

        @registry.implements(size)
        def cat_size(thing: Cat) -> int: return "cat"

        @registry.implements(size)
        def quoted_size(thing: "str") -> "int": return "str"
        """
    )
    assert module.size(module.Cat(), lookup=module.registry) == "cat"
    assert module.size("a", lookup=module.registry) == "str"


@pytest.mark.parametrize("future", ["from __future__ import annotations", ""])
@pytest.mark.parametrize("annotation", ["'Later'", "'Later | None'", "'int | Later'"])
def test_a_class_that_is_defined_later_can_be_annotated(load, future, annotation):
    module = load(
        f"""
        {future}
        import reg

        @reg.generic
        def size(thing): return "fallback"

        registry = reg.Registry()

        @registry.implements(size)
        def later_size(thing: {annotation}): return "later"

        class Later: ...
        class Sub(Later): ...
        """
    )
    assert module.size(module.Later(), lookup=module.registry) == "later"
    assert module.size(module.Sub(), lookup=module.registry) == "later"
    assert module.size(1.5, lookup=module.registry) == "fallback"


def test_methods_and_classes_can_implement(registry):
    class Boxed:
        def __init__(self, thing: int): ...

    class Holder:
        def method(self, thing: str): ...

    registry.implements(size)(Boxed)
    method = registry.implements(size)(Holder().method)
    assert registry.exact(size, [int]) is Boxed
    assert registry.exact(size, [str]) == method


def test_an_implementation_in_a_class_body_is_registered(registry):
    class Shop:
        @reg.generic
        def price(self, thing): ...

    class Bakery(Shop): ...

    @registry.implements(Shop.price)
    def price_in_bakery(self: Bakery, thing: int): ...

    assert registry.exact(Shop.price, [Bakery, int]) is price_in_bakery


def test_a_class_generic_takes_the_class_or_type_of_it(registry):
    @reg.classgeneric
    def make(cls, number): ...

    @registry.implements(make)
    def make_cat(cls: type[Cat], number: int): ...

    @registry.implements(make)
    def make_animal(cls: Animal, number: int): ...

    assert registry.exact(make, [Cat, int]) is make_cat
    assert registry.exact(make, [Animal, int]) is make_animal


@pytest.mark.parametrize(
    "annotation",
    [type[Cat] | type[int], type[Cat | int], type[Cat | int] | None, type[Cat] | int],
)
def test_a_class_generic_takes_unions_of_types(registry, annotation):
    @reg.classgeneric
    def make(cls): ...

    def implementation(cls): ...

    implementation.__annotations__["cls"] = annotation
    registry.implements(make)(implementation)
    assert registry.exact(make, [Cat]) is implementation
    assert registry.exact(make, [int]) is implementation


@pytest.mark.parametrize(
    ("annotation", "advice"),
    [
        (Any, "use object"),
        (list[int], "use list"),
        (typing.TypeVar("T"), "bounds it"),
        (typing.NewType("UserId", int), "use int"),
        (collections.abc.Callable[[], int], "use collections.abc.Callable"),
    ],
)
def test_what_cannot_be_dispatched_on_is_refused_with_what_to_use(registry, annotation, advice):
    def implementation(thing): ...

    implementation.__annotations__["thing"] = annotation
    with pytest.raises(TypeError, match="position 0") as caught:
        registry.implements(size)(implementation)
    assert advice in str(caught.value)


@pytest.mark.parametrize("annotation", ["package.module:Class", "'package.module:Class'", "a b"])
def test_an_annotation_that_is_no_expression_is_refused_with_what_to_use(registry, annotation):
    def implementation(thing): ...

    implementation.__annotations__["thing"] = annotation
    with pytest.raises(TypeError, match=r"'thing'.* is no expression.* use register\(\)"):
        registry.implements(size)(implementation)
    assert not registry.registrations()


def test_a_missing_annotation_is_an_error_that_names_the_parameter(registry):
    with pytest.raises(TypeError, match=r"does not annotate its parameter 'second'.*meet"):

        @registry.implements(meet)
        def implementation(first: int, second): ...


def test_a_parameter_that_is_filled_in_does_not_stand_for_a_missing_one(registry):
    def annotated(first: int, call_next: reg.CallNext): ...
    def plain(first: int, call_next): ...
    def with_lookup(first: int, lookup: reg.Lookup): ...

    for implementation in annotated, plain, with_lookup:
        with pytest.raises(TypeError, match=r"has no parameter for 'second', on which .*meet disp"):
            registry.implements(meet)(implementation)
    assert not registry.registrations()


def test_a_parameter_that_is_filled_in_comes_behind_those_that_dispatch(registry):
    with pytest.raises(TypeError, match=r"argument for 'second' as its parameter 'call_next'"):

        @registry.implements(meet)
        def implementation(first: int, call_next, second: int): ...

    assert not registry.registrations()


def test_a_missing_parameter_is_an_error_that_names_it(registry):
    with pytest.raises(TypeError, match=r"has no parameter for 'second'"):

        @registry.implements(meet)
        def implementation(first: int): ...


@pytest.mark.parametrize("value", [len, lambda thing: None, "size", None])
def test_what_is_no_generic_function_is_refused(registry, value):
    with pytest.raises(TypeError, match=r"@reg\.generic"):
        registry.implements(value)


def test_refused_implementations_change_nothing(registry):
    with pytest.raises(TypeError):

        @registry.implements(meet)
        def implementation(first: int | str, second: list[int]): ...

    assert registry.registrations() == []


def test_implementations_can_be_stacked(registry):
    @registry.implements(size)
    @registry.register(size, [bytes])
    def implementation(thing: int | str): ...

    for cls in (int, str, bytes):
        assert registry.exact(size, [cls]) is implementation


def test_a_registry_of_an_applications_own_has_implements(registry):
    class Own(reg.IRegistry):
        def __init__(self):
            self.registered = []

        def register(self, key, classes, component):
            self.registered.append((key, tuple(classes), component))

    own = Own()

    @own.implements(size)
    def implementation(thing: int): ...

    assert own.registered == [(size, (int,), implementation)]


# Where a name is looked up


def test_a_name_means_what_it_does_in_the_module_of_the_implementation(registry, load):
    plugin = load("class Text: ...\ndef show_text(thing: 'Text'): ...")

    class Text: ...

    registry.implements(size)(plugin.show_text)
    assert registry.exact(size, [plugin.Text]) is plugin.show_text
    assert registry.exact(size, [Text]) is None


def test_a_local_class_of_the_caller_is_not_looked_at(registry, load):
    plugin = load("def show_text(thing: 'Text'): ...")

    class Text: ...

    with pytest.raises(TypeError, match="'Text' is not defined"):
        registry.implements(size)(plugin.show_text)
    assert registry.registrations() == []


class Note: ...


class Shelf:
    class Note: ...

    def method(self, thing: Note): ...

    def __call__(self, thing: Note): ...

    @staticmethod
    def static(thing: Note): ...


def note_size(thing: Note, unit): ...


class Noted(NamedTuple):
    thing: Note


@dataclasses.dataclass
class Kept:
    thing: Note | None


class Made:
    def __new__(cls, thing: Note): ...


class Remade(Made):
    def __init__(self, other): ...


@functools.wraps(note_size)
def wrapper(*args, **keywords): ...


@pytest.mark.parametrize(
    ("implementation", "cls"),
    [
        (note_size, Note),
        (functools.partial(note_size, unit="m"), Note),
        (functools.partial(functools.partial(note_size), unit="m"), Note),
        (wrapper, Note),
        (functools.lru_cache(note_size), Note),
        (Noted, Note),
        (Kept, Note),
        (Made, Note),
        (Shelf().method, Shelf.Note),
        (Shelf(), Shelf.Note),
        (Shelf.static, Shelf.Note),
        (functools.partial(Shelf.method, Shelf()), Shelf.Note),
    ],
)
def test_every_kind_of_implementation_is_looked_up_where_it_is_defined(
    registry, implementation, cls
):
    registry.implements(size)(implementation)
    assert registry.exact(size, [cls]) == implementation


def test_the_constructor_that_python_calls_first_is_the_one_that_counts(registry):
    with pytest.raises(TypeError, match="does not annotate its parameter 'other'"):
        registry.implements(size)(Remade)


def test_a_class_body_goes_before_its_module_while_it_runs_as_well(registry):
    class Shelf:
        class Note: ...

        @registry.implements(size)
        def note_size(self: Note): ...

    assert registry.exact(size, [Shelf.Note]) is Shelf.note_size
    assert registry.exact(size, [Note]) is None


def test_a_class_of_the_function_around_is_known_while_that_runs(registry):
    class Note: ...

    def plain(thing: Note): ...

    @dataclasses.dataclass
    class Kept:
        thing: Note

    class Call:
        def __call__(self, thing: Note): ...

    for implementation in (plain, functools.partial(plain), Kept, Call()):
        registry.clear()
        registry.implements(size)(implementation)
        assert registry.exact(size, [Note]) == implementation


def test_a_decorator_of_an_applications_own_can_stand_between(registry):
    def sized(function):
        return registry.implements(size)(function)

    class Note: ...

    @sized
    def note_size(thing: Note): ...

    assert registry.exact(size, [Note]) is note_size


def test_a_class_of_a_function_that_has_returned_is_known_to_those_who_use_it(registry):
    def make(used):
        class Note: ...

        def knows(thing: Note):
            return Note

        def does_not(thing: Note): ...

        return Note, (knows if used else does_not)

    made, knows = make(used=True)
    registry.implements(size)(knows)
    assert registry.exact(size, [made]) is knows
    _, does_not = make(used=False)
    registry.clear()
    registry.implements(size)(does_not)
    # As Python has it: the name is that of the module then.
    assert registry.exact(size, [Note]) is does_not


def test_a_function_that_runs_twice_has_its_own_classes(registry):
    def make(outer=None):
        class Own: ...

        def implementation(thing: Own): ...

        if outer is None:
            inner = make(implementation)
            assert registry.exact(size, [Own]) is implementation
            assert inner is not Own
        else:
            registry.implements(size)(outer)
            assert registry.exact(size, [Own]) is None
            registry.implements(size)(implementation)
            assert registry.exact(size, [Own]) is implementation
        return Own

    make()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs type parameters")
def test_a_type_parameter_is_refused_by_its_name_too(registry):
    names = {}
    exec(
        "def one[T: int](thing: 'T'): ...\n"
        "class Box[T]:\n    def size(self, thing: 'T'): ...\n"
        "    def __init__(self, thing: 'T'): ...",
        names,
    )
    for implementation in (names["one"], names["Box"], names["Box"](1).size):
        with pytest.raises(TypeError, match=r"its parameter 'thing' .*bounds it"):
            registry.implements(size)(implementation)


# Names that are not defined yet


@pytest.mark.parametrize("annotation", ["Outer", "Outer.Inner", "Inner", "Inner | None"])
@pytest.mark.parametrize("is_local", [False, True])
def test_the_class_that_is_being_defined_can_be_named(load, annotation, is_local):
    classes = f"""
        class Outer:
            class Inner:
                @registry.implements(plus)
                def plus_int(self: {annotation!r}, other: int): return "int"
        """
    if is_local:
        classes = f"def make():{classes}return Outer\nOuter = make()\n"
    else:
        classes = textwrap.dedent(classes)
    names = "import reg\nregistry = reg.Registry()\nplus = reg.generic(lambda first, second: '')\n"
    module = load(names + classes)
    meant = module.Outer if annotation == "Outer" else module.Outer.Inner
    assert module.plus(meant(), 1, lookup=module.registry) == "int"
    assert module.plus(meant(), "", lookup=module.registry) == ""
    assert module.plus("", 1, lookup=module.registry) == ""


def test_the_class_that_is_being_defined_may_be_of_anything(load):
    module = load(
        """
        import reg
        from typing import Any, Generic, TypeVar

        T = TypeVar("T")
        registry = reg.Registry()

        @reg.generic
        def put(box, item): return "fallback"

        class Box(Generic[T]):
            @registry.implements(put)
            def put_int(self: "Box[Any]", item: int): return "int"

            @registry.implements(put)
            def put_none(self: "Box[Any] | Crate[Any, Any]", item: None): return "none"

        class Crate(dict[Any, Any]): ...
        """
    )
    assert module.put(module.Crate(), None, lookup=module.registry) == "none"
    for _ in range(2):
        assert module.put(module.Box(), 1, lookup=module.registry) == "int"
        assert module.put(module.Box[int](), None, lookup=module.registry) == "none"
        importlib.reload(module)


def test_items_of_the_class_that_is_being_defined_are_refused_with_advice(load):
    with pytest.raises(TypeError, match=r"'Box\[int\]'.*use Box, or Box\[Any\]: an argument"):
        load(
            """
            import reg

            @reg.generic
            def put(box, item): return "fallback"

            class Box:
                @reg.Registry().implements(put)
                def put_int(self: "Box[int]", item: int): return "int"
            """
        )


@pytest.mark.parametrize("quote", ['"', ""])
def test_the_class_of_a_reloaded_module_is_the_one_that_is_being_defined(load, quote):
    if not quote and sys.version_info < (3, 14):
        pytest.skip("annotations are evaluated later from Python 3.14 on")
    module = load(
        f"""
        import reg

        registry = reg.Registry()

        @reg.generic
        def plus(first, second): return "fallback"

        class Money:
            @registry.implements(plus)
            def plus_int(self: {quote}Money{quote}, other: int): return "money"
        """
    )
    assert module.plus(module.Money(), 1, lookup=module.registry) == "money"
    former = module.Money
    importlib.reload(module)
    assert module.Money is not former
    assert module.plus(module.Money(), 1, lookup=module.registry) == "money"


@pytest.mark.parametrize("quote", ['"', ""])
@pytest.mark.parametrize("annotation", ["Money", "Money | None", "Money.Coin", "Money[Any]"])
def test_a_class_further_down_a_reloaded_module_is_the_one_that_is_defined_there(
    load, quote, annotation
):
    if not quote and sys.version_info < (3, 14):
        pytest.skip("annotations are evaluated later from Python 3.14 on")
    module = load(
        f"""
        from typing import Any, Generic, TypeVar
        import reg

        registry = reg.Registry()

        @reg.generic
        def worth(thing): return "fallback"

        class Shop:
            class Till: ...

            @registry.implements(worth)
            def worth_till(till: {quote}Shop.Till{quote}): return "till"

        @registry.implements(worth)
        def worth_money(thing: {quote}{annotation}{quote}): return "money"

        @registry.implements(worth)
        def worth_shop(thing: {quote}Shop{quote}): return "shop"

        class Money(Generic[TypeVar("T")]):
            class Coin: ...
        """
    )
    for _ in range(3):
        thing = module.Money.Coin() if "Coin" in annotation else module.Money()
        things = [thing, module.Shop.Till(), module.Shop()]
        found = [module.worth(thing, lookup=module.registry) for thing in things]
        assert found == ["money", "till", "shop"]
        importlib.reload(module)


def test_the_class_being_defined_is_not_another_one_of_its_name(registry):
    class Note:
        @reg.generic
        def plus(self, other):
            return "fallback"

        @registry.implements(plus)
        def plus_int(self: Note, other: int):
            return "local"

    assert Note().plus(1, lookup=reg.Lookup(registry)) == "local"
    assert Note.plus(globals()["Note"](), 1, lookup=reg.Lookup(registry)) == "fallback"


def test_each_call_of_a_function_defines_a_class_of_its_own(registry):
    def make():
        class Local:
            @registry.implements(meet)
            def meet_local(self: Local, other: Local | int): ...

        return Local

    classes = [make(), make()]
    names = {name for each in registry.registrations() for name in each.classes if name is not int}
    assert [[name.matches(cls) for name in names].count(True) for cls in classes] == [1, 1]


@pytest.mark.parametrize(
    "annotation", ["'Later'", "'Later.Inner'", "'Later | None'", "typing.Optional['Later']"]
)
def test_a_class_further_down_the_module_can_be_named(load, annotation):
    module = load(
        f"""
        import reg
        import typing

        registry = reg.Registry()

        @reg.generic
        def size(thing): return "fallback"

        @registry.implements(size)
        def later_size(thing: {annotation}): return "later"

        class Later:
            class Inner: ...
        """
    )
    cls = module.Later.Inner if "Inner" in annotation else module.Later
    assert module.size(cls(), lookup=module.registry) == "later"


@pytest.mark.parametrize("annotation", ["import_of_a_class.Page", "import_of_a_class.Page | None"])
def test_a_class_of_a_module_in_a_circular_import_can_be_named(tmp_path, monkeypatch, annotation):
    (tmp_path / "import_of_a_class.py").write_text(
        "import import_of_an_implementation\nclass Page: ...\n"
    )
    (tmp_path / "import_of_an_implementation.py").write_text(
        "import import_of_a_class, reg\n"
        "registry = reg.Registry()\n"
        "size = reg.generic(lambda thing: 'fallback')\n"
        "@registry.implements(size)\n"
        f"def page_size(thing: {annotation!r}): return 'page'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("import_of_a_class", "import_of_an_implementation"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    pages = importlib.import_module("import_of_a_class")
    module = pages.import_of_an_implementation
    assert module.size(pages.Page(), lookup=module.registry) == "page"
    for name in ("import_of_a_class", "import_of_an_implementation"):
        del sys.modules[name]


@pytest.mark.parametrize(
    ("annotation", "advice"),
    [
        ("itn", r"did you mean 'int'\?"),
        ("no_such_import.DataFrame", r"register\(\), which takes 'package.module:Class'"),
        ("no_such_import.DataFrame | None", "'no_such_import' is not defined"),
        ("typing.Nothing", "has no attribute 'Nothing'"),
        ("int + None", "cannot be evaluated"),
        ("", "an instance of tuple"),
        ("typing", "an instance of module"),
    ],
)
def test_an_annotation_that_means_nothing_is_refused_with_what_to_write(
    registry, annotation, advice
):
    def implementation(thing): ...

    implementation.__annotations__["thing"] = annotation
    with pytest.raises(
        TypeError, match=rf"implementation annotates its parameter 'thing'.*{advice}"
    ):
        registry.implements(size)(implementation)
    assert registry.registrations() == []


Loop = "Loop"


def test_a_quoted_name_that_is_a_quoted_name_is_refused_if_it_has_no_end(registry):
    def implementation(thing: Loop): ...

    with pytest.raises(TypeError, match="'thing' with 'Loop', which refers to itself"):
        registry.implements(size)(implementation)


@pytest.mark.parametrize("annotation", ["itn", "pathlib.Path", "Later"])
def test_a_name_that_its_module_does_not_go_on_to_define_is_refused_at_once(load, annotation):
    source = f"""
        import reg
        import typing

        if typing.TYPE_CHECKING:
            import pathlib
            from somewhere import Later

        registry = reg.Registry()

        @reg.generic
        def size(thing): return "fallback"

        @registry.implements(size)
        def path_size(thing: "{annotation}"): ...

        registry.is_reached = True
        """
    with pytest.raises(TypeError, match="is not defined where the annotation is written"):
        load(source)


def test_a_module_that_imports_all_names_may_have_one_further_down(load):
    names = load("class Later: ...")
    module = load(
        f"""
        import reg

        registry = reg.Registry()

        @reg.generic
        def size(thing): return "fallback"

        @registry.implements(size)
        def later_size(thing: "Later"): return "later"

        from {names.__name__} import *
        """
    )
    assert module.size(names.Later(), lookup=module.registry) == "later"


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated when defined")
def test_annotations_that_python_evaluates_later_need_no_quotes(load):
    module = load(
        """
        import typing
        import reg

        if typing.TYPE_CHECKING:
            import pathlib

        registry = reg.Registry()

        @reg.generic
        def size(thing: Later, unit: pathlib.Path | None = None): return "fallback"

        @registry.implements(size)
        def later_size(
            thing: Later | Later.Inner, unit: None, *, lookup: pathlib.Path
        ) -> pathlib.Path:
            return "later"

        @registry.implements(size)
        def optional_size(thing: typing.Optional[Other], unit: int): return "other"

        def make():
            class Local: ...

            @registry.implements(size)
            def local_size(thing: Local | Later, unit: Local): return "local"

            return Local

        Local = make()

        class Later:
            class Inner: ...
        class Other: ...
        """
    )
    for cls, unit, expected in [
        (module.Later, None, "later"),
        (module.Later.Inner, None, "later"),
        (module.Other, 1, "other"),
        (type(None), 1, "other"),
        (module.Local, module.Local(), "local"),
        (module.Later, module.Local(), "local"),
        (module.Later, 1, "fallback"),
    ]:
        assert module.size(cls(), unit, lookup=module.registry) == expected
    assert reg.arginfo(module.later_size).args == ["thing", "unit"]
    assert reg.arginfo(module.size).args == ["thing", "unit"]
    with pytest.raises(TypeError, match="'pathlib' is not defined where"):

        @module.registry.implements(module.size)
        def path_size(thing: pathlib.Path, unit: int): ...  # noqa: F821


# Aliases


def test_a_quoted_name_in_an_alias_means_what_it_does_where_the_alias_is(registry, load):
    scope = load("import typing\nFilter = typing.Union[bool, 'Denied']\nclass Denied: ...")
    user = load(
        f"import {scope.__name__} as scope\ndef one(thing: scope.Filter): ...\n"
        "def two(thing: 'scope.Filter | None'): ..."
    )
    for implementation in (user.one, user.two):
        registry.clear()
        registry.implements(size)(implementation)
        assert registry.exact(size, [bool]) is implementation
        assert registry.exact(size, [scope.Denied]) is implementation


def test_a_quoted_name_in_an_alias_that_means_two_things_is_refused(registry, load):
    scope = load("import typing\nFilter = typing.Union[bool, 'Denied']\nclass Denied: ...")
    user = load(
        f"import {scope.__name__} as scope\nclass Denied: ...\ndef one(thing: scope.Filter): ..."
    )
    with pytest.raises(TypeError, match=r"'thing'.*'Denied', quoted in an alias, is .* or .*"):
        registry.implements(size)(user.one)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs the type statement")
@pytest.mark.parametrize(
    "annotation",
    ["Number", "'Number'", "Nested", "Number | None", "Quoted", "Noted", "Either[int, float]"],
)
def test_an_alias_is_what_it_stands_for(registry, load, annotation):
    module = load(
        f"""
        import typing
        type Number = int | float
        type Nested = Number | str
        type Quoted = "int | float"
        type Noted = typing.Annotated[Number, "a note"]
        type Either[A, B] = B | A
        def implementation(thing: {annotation}): ...
        """
    )
    registry.implements(size)(module.implementation)
    for cls in (int, float):
        assert registry.exact(size, [cls]) is module.implementation


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs the type statement")
@pytest.mark.parametrize("annotation", ["Loop", "int | Loop", "Undefined", "Either[int]"])
def test_an_alias_without_a_value_is_refused(registry, load, annotation):
    module = load(
        f"""
        type Loop = int | Loop
        type Undefined = Missing | int
        type Either[A, B] = A | B
        def implementation(thing: {annotation}): ...
        """
    )
    with pytest.raises(TypeError, match=r"its parameter 'thing' .*alias"):
        registry.implements(size)(module.implementation)


# Any number of arguments


def test_all_positional_parameters_count_where_any_number_dispatches(registry):
    @reg.generic
    def join(*parts):
        return "fallback"

    @reg.generic
    def join_to(first, *rest):
        return "fallback"

    for generic in (join, join_to):

        @registry.implements(generic)
        def join_two(first: int, second: str, call_next=None, *, lookup, more=0): ...

        assert registry.exact(generic, [int, str]) is join_two
    assert len(registry.registrations()) == 2


def test_an_implementation_for_fewer_arguments_by_a_default_is_refused(registry):
    @reg.generic
    def join(*parts): ...

    def implementation(first: int, second: str = ""): ...

    with pytest.raises(TypeError, match=r"of its parameter 'second'.*once for each number"):
        registry.implements(join)(implementation)


# Class generics


@pytest.mark.parametrize("annotation", [type, "type", typing.Type, type[Any], "type[Any]"])  # noqa: UP006
def test_a_class_generic_takes_any_class(registry, annotation):
    @reg.classgeneric
    def make(cls): ...

    def implementation(cls): ...

    implementation.__annotations__["cls"] = annotation
    registry.implements(make)(implementation)
    assert registry.exact(make, [object]) is implementation


# Refusals


@pytest.mark.parametrize(
    "implementation",
    [
        *(5, None, dict, object()),
        pytest.param(
            iter,
            marks=pytest.mark.skipif(
                sys.implementation.name == "pypy", reason="there it has a signature"
            ),
        ),
    ],
)
def test_an_implementation_without_a_signature_is_refused(registry, implementation):
    with pytest.raises(TypeError, match=r"cannot be read: .*register\(\)"):
        registry.implements(size)(implementation)


def test_an_implementation_whose_signature_raises_is_refused(registry):
    class Broken:
        @property
        def __signature__(self):
            raise ZeroDivisionError("broken")

        def __call__(self, thing: int): ...

    with pytest.raises(TypeError, match=r"cannot be read: broken; name the classes"):
        registry.implements(size)(Broken())


def test_a_class_that_isinstance_alone_affirms_is_refused_as_an_annotation(registry):
    class Parameter(type):
        def __instancecheck__(cls, instance):
            return getattr(instance, "is_parameter", False)

    class TensorParameter(metaclass=Parameter): ...

    def implementation(thing: TensorParameter): ...

    with pytest.raises(
        TypeError, match=r"its parameter 'thing' .*Parameter defines __instancecheck__"
    ):
        registry.implements(size)(implementation)


# Spellings

_CLASSES = {"int": int, "str": str, "Animal": Animal, "Cat": Cat, "None": None}


@given(st.lists(st.sampled_from(sorted(_CLASSES)), min_size=2, unique=True), st.data())
def test_every_spelling_of_an_annotation_is_registered_alike(names, data):
    members = [_CLASSES[name] for name in names]
    union = functools.reduce(lambda first, second: first | second, members)
    spellings = [
        union,
        typing.Union[tuple(members)],  # noqa: UP007
        Annotated[union, "a note"],
        " | ".join(names),
        " |\n    ".join(reversed(names)),
        repr(" | ".join(names)),
        f"typing.Union[{', '.join(names)}]",
        f"typing.Union[{', '.join(map(repr, names))}]",
        typing.Union[tuple(names)],  # noqa: UP007
    ]
    if sys.version_info >= (3, 12):
        spellings.append(typing.TypeAliasType("Alias", union))

    def implementation(thing): ...

    implementation.__annotations__["thing"] = data.draw(st.sampled_from(spellings))
    registry = reg.Registry()
    registry.implements(size)(implementation)
    expected = {(type(None) if cls is None else cls,) for cls in members}
    assert {registration.classes for registration in registry.registrations()} == expected
