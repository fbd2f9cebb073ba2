"""Registering for the classes that annotations name."""

from __future__ import annotations

import collections.abc
import importlib
import sys
import textwrap
import typing
from typing import Annotated, Any, Literal

import pytest

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
        (Literal["a"], "use the class of the values"),
        (list[int], "use list"),
        (type[int], "use type"),
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
