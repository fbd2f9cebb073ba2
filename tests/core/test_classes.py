"""What may be given as a class."""

from __future__ import annotations

import abc
import collections.abc
import functools
import gc
import importlib
import sys
import types
import typing

import pytest

import reg


@pytest.fixture(params=[reg.ClassRegistry, reg.Registry])
def registry(request):
    return request.param()


def look_up(registry, classes):
    return list(getattr(registry, "registry", registry).all("key", classes))


def test_none_stands_for_its_type(registry):
    registry.register("key", [None], "none")
    assert registry.exact("key", [None]) == "none"
    assert registry.exact("key", [type(None)]) == "none"
    assert look_up(registry, [type(None)]) == ["none"]


@pytest.mark.parametrize(
    "union",
    [int | str, typing.Union[int, str], typing.Optional[int] | str],  # noqa: UP007, UP045
)
def test_a_union_stands_for_each_alternative(registry, union):
    registry.register("key", [union, int], "either")
    assert look_up(registry, [int, int]) == ["either"]
    assert look_up(registry, [str, int]) == ["either"]
    assert look_up(registry, [float, int]) == []
    assert registry.exact("key", [str, int]) == "either"


def test_unions_at_several_positions_make_each_combination(registry):
    registry.register("key", [int | str, None | bytes], "found")
    for first in (int, str):
        for second in (type(None), bytes):
            assert look_up(registry, [first, second]) == ["found"]
    assert len(registry.registrations()) == 4


def test_exact_takes_no_union(registry):
    registry.register("key", [int | str], "either")
    with pytest.raises(TypeError, match="union"):
        registry.exact("key", [int | str])


def test_a_registered_virtual_subclass_is_found(registry):
    class Shape(abc.ABC): ...

    class Square: ...

    class Small(Square): ...

    Shape.register(Square)
    registry.register("key", [Shape], "shape")
    registry.register("key", [object], "object")
    assert look_up(registry, [Small]) == ["shape", "object"]
    registry.register("key", [Square], "square")
    assert look_up(registry, [Small]) == ["square", "shape", "object"]


def test_the_abstract_classes_of_collections_are_found(registry):
    for cls in (
        collections.abc.Sized,
        collections.abc.Iterable,
        collections.abc.Sequence,
        collections.abc.Mapping,
    ):
        registry.register("key", [cls], cls.__name__)
    assert look_up(registry, [dict]) == ["Mapping", "Sized", "Iterable"]
    assert look_up(registry, [list])[0] == "Sequence"
    assert look_up(registry, [int]) == []


def test_an_abstract_class_stands_where_singledispatch_has_it(registry):
    class Sized:
        def __len__(self):
            return 0

    class Both(Sized, dict): ...

    @functools.singledispatch
    def oracle(thing):
        return "object"

    registered = [
        collections.abc.Sized,
        collections.abc.MutableMapping,
        collections.abc.Container,
        dict,
        object,
    ]
    for cls in registered:
        registry.register("key", [cls], cls.__name__)
        oracle.register(cls, lambda thing, cls=cls: cls.__name__)
    for cls in (Both, dict, collections.OrderedDict, Sized, int):
        assert look_up(registry, [cls])[0] == oracle.dispatch(cls)(None)


def test_a_runtime_protocol_is_found_by_its_methods(registry):
    @typing.runtime_checkable
    class Closing(typing.Protocol):
        def close(self): ...

    class File:
        def close(self): ...

    registry.register("key", [Closing], "closing")
    assert look_up(registry, [File]) == ["closing"]
    assert look_up(registry, [int]) == []


def test_a_protocol_that_cannot_be_asked_is_refused_with_its_reason(registry):
    class Plain(typing.Protocol):
        def close(self): ...

    @typing.runtime_checkable
    class Data(typing.Protocol):
        name: str

    with pytest.raises(TypeError, match=r"position 0.*runtime"):
        registry.register("key", [Plain], "component")
    with pytest.raises(TypeError, match=r"position 0.*non-method"):
        registry.register("key", [Data], "component")


def test_a_protocol_that_cannot_be_asked_may_inherit_from_an_abstract_class(registry):
    class Growing(collections.abc.Sized, typing.Protocol):
        def grow(self): ...

    @typing.runtime_checkable
    class Named(collections.abc.Sized, typing.Protocol):
        name: str

    registry.register("key", [collections.abc.Sized], "sized")
    assert look_up(registry, [list]) == ["sized"]
    assert issubclass(Growing, collections.abc.Sized)
    assert issubclass(Named, collections.abc.Sized)


def test_a_subclass_of_two_virtual_bases_prefers_neither_for_ambiguity(registry):
    class First(abc.ABC): ...

    class Second(abc.ABC): ...

    class Thing: ...

    First.register(Thing)
    Second.register(Thing)
    registry.register("key", [First], "first")
    registry.register("key", [Second], "second")
    assert look_up(registry, [Thing]) == ["first", "second"]


def test_abstract_classes_that_contradict_each_other_come_before_object(registry):
    class First(abc.ABC): ...

    class Second(abc.ABC): ...

    class Forward(First, Second): ...

    class Backward(Second, First): ...

    class Thing: ...

    Forward.register(Thing)
    Backward.register(Thing)
    for cls in (object, Forward, Backward, Thing):
        registry.register("key", [cls], cls.__name__)
    assert look_up(registry, [Thing]) == ["Thing", "Forward", "Backward", "object"]


def test_an_abstract_class_leaves_the_mro_as_a_metaclass_has_made_it(registry):
    class Adopted: ...

    class Reversing(type):
        def mro(cls):
            own, *bases, last = super().mro()
            return [own, *reversed(bases), Adopted, last]

    class General: ...

    class Special(General): ...

    class Thing(Special, metaclass=Reversing): ...

    class Sellable(abc.ABC): ...

    class Priced(abc.ABC): ...

    for cls in (Priced, Sellable, Adopted, General, Special):
        registry.register("key", [cls], cls.__name__)
    Sellable.register(Thing)
    Priced.register(General)
    assert Thing.__mro__ == (Thing, General, Special, Adopted, object)
    assert look_up(registry, [Thing]) == [
        "Sellable", "General", "Special", "Priced", "Adopted",
    ]  # fmt: skip


def test_abstract_classes_count_at_every_position(registry):
    registry.register("key", [collections.abc.Sized, collections.abc.Sized], "sized")
    registry.register("key", [list, collections.abc.Sized], "list")
    assert look_up(registry, [list, str]) == ["list", "sized"]
    assert look_up(registry, [str, int]) == []


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (typing.Any, "use object"),
        (typing.Literal["a"], "use the class of the values"),
        (list[int], "use list"),
        (typing.List[int], "use list"),  # noqa: UP006
        (dict[str, int], "use dict"),
        (collections.abc.Sequence[int], "use collections.abc.Sequence: an argument does not know"),
        (type[int], "use type"),
        (typing.Type[int], "use type"),  # noqa: UP006
        (typing.Type, "use type"),  # noqa: UP006
        (typing.Annotated[int, "meta"], "use int"),
        (typing.Annotated[typing.Any, ...], "use Any"),
        (typing.TypeVar("T"), "bounds it, or object"),
        (typing.NewType("UserId", int), "use int"),
        (typing.Callable, "use collections.abc.Callable: typing.Callable is another name"),
        (typing.Callable[[int], str], "use collections.abc.Callable: an argument does not"),
        (5, "use a class, None, a union"),
        ("no name", "package.module:Class"),
        ("module", "package.module:Class"),
        ("module:", "package.module:Class"),
        (int | list[str], "use list"),
    ],
)
def test_what_cannot_be_dispatched_on_is_refused_with_what_to_use_instead(registry, given, advice):
    with pytest.raises(TypeError, match=r"position 1 under 'key'") as caught:
        registry.register("key", [int, given], "component")
    assert advice in str(caught.value)
    assert list(registry.registrations()) == []


@pytest.mark.parametrize(
    ("given", "cls"),
    [
        (list[typing.Any], list),
        (typing.Dict[typing.Any, typing.Any], dict),  # noqa: UP006
        (tuple[typing.Any, ...], tuple),
        (type[typing.Any], type),
        (collections.abc.Callable[..., typing.Any], collections.abc.Callable),
    ],
)
def test_a_class_of_anything_is_the_class_itself(registry, given, cls):
    registry.register("key", [given | None], "component")
    assert registry.exact("key", [cls]) == "component"


@pytest.mark.skipif(not hasattr(typing, "TypeAliasType"), reason="came with Python 3.12")
def test_an_alias_of_types_is_refused_with_what_to_use_instead(registry):
    alias = typing.TypeAliasType("Number", int | float)
    with pytest.raises(TypeError, match=r"an alias of, Number\.__value__"):
        registry.register("key", [alias], "component")
    registry.register("key", [alias.__value__], "component")
    assert look_up(registry, [float]) == ["component"]


def test_a_typed_dictionary_is_refused(registry):
    class Movie(typing.TypedDict):
        name: str

    with pytest.raises(TypeError, match="position 0"):
        registry.register("key", [Movie], "component")


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library that is installed, but not loaded."""
    name = "a_library_of_shapes"
    (tmp_path / f"{name}.py").write_text(
        "class Shape:\n    class Inner: ...\n\nclass Square(Shape): ...\n\nclass Circle: ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)
    importlib.invalidate_caches()


def test_a_class_given_by_name_is_matched_without_importing(registry, library):
    registry.register("key", [f"{library}:Shape"], "shape")
    assert look_up(registry, [int]) == []
    assert library not in sys.modules
    shapes = importlib.import_module(library)
    assert look_up(registry, [shapes.Shape]) == ["shape"]
    assert look_up(registry, [shapes.Square]) == ["shape"]
    assert look_up(registry, [shapes.Circle]) == []
    registry.register("key", [shapes.Square], "square")
    assert look_up(registry, [shapes.Square]) == ["square", "shape"]


def test_a_class_given_by_name_is_found_by_warm_calls_after_the_import(library):
    @reg.generic
    def area(shape):
        return "fallback"

    registry = reg.Registry()
    registry.register(area, [f"{library}:Shape"], lambda shape: "shape")
    reg.implicit.initialize(registry)
    assert [area(1), area(1)] == ["fallback"] * 2
    shapes = importlib.import_module(library)
    assert [area(shapes.Square()), area(shapes.Square())] == ["shape"] * 2
    assert area(shapes.Circle()) == "fallback"


def test_a_reloaded_class_is_found_by_its_name(registry, library):
    registry.register("key", [f"{library}:Shape"], "shape")
    shapes = importlib.import_module(library)
    old = shapes.Square
    lookup = reg.Lookup(getattr(registry, "registry", registry))
    assert lookup.all("key", [old()]) == ["shape"]
    importlib.reload(shapes)
    assert shapes.Square is not old
    assert lookup.all("key", [shapes.Square()]) == ["shape"]
    assert lookup.all("key", [old()]) == ["shape"]


def test_a_class_that_derives_from_the_one_that_had_its_name_is_found_once(registry, monkeypatch):
    class Shape:
        __module__, __qualname__ = "a_library_of_shapes", "Shape"

    class Derived(Shape):
        __module__, __qualname__ = "a_library_of_shapes", "Shape"

    shapes = types.ModuleType("a_library_of_shapes")
    shapes.Shape = Derived
    monkeypatch.setitem(sys.modules, "a_library_of_shapes", shapes)
    registry.register("key", ["a_library_of_shapes:Shape"], "shape")
    registry.register("key", ["a_library_of_shapes:Shape", int], "shape and number")
    assert look_up(registry, [Derived]) == ["shape"]
    assert look_up(registry, [Derived, int]) == ["shape and number"]


def test_the_exact_name_is_what_exact_finds(registry, library):
    name = f"{library}:Shape"
    registry.register("key", [name], "shape")
    assert registry.exact("key", [name]) == "shape"
    assert registry.exact("key", [f"{library}:Circle"]) is None
    registry.unregister("key", [name])
    assert registry.exact("key", [name]) is None


def test_a_nested_class_can_be_named(registry, library):
    registry.register("key", [f"{library}:Shape.Inner"], "inner")
    shapes = importlib.import_module(library)
    assert look_up(registry, [shapes.Shape.Inner]) == ["inner"]


def test_a_name_of_a_class_that_lives_elsewhere_is_found_where_it_is_exported(registry):
    registry.register("key", ["collections:OrderedDict"], "ordered")
    registry.register("key", ["collections.abc:Sized"], "sized")
    assert look_up(registry, [collections.OrderedDict]) == ["ordered", "sized"]
    assert look_up(registry, [list]) == ["sized"]
    assert look_up(registry, [int]) == []


def test_an_abstract_class_given_by_name_has_its_virtual_subclasses(registry, library, tmp_path):
    (tmp_path / f"{library}.py").write_text("import abc\nclass Shape(abc.ABC): ...\n")
    registry.register("key", [f"{library}:Shape"], "shape")

    class Triangle: ...

    lookup = reg.Lookup(getattr(registry, "registry", registry))
    assert lookup.all("key", [Triangle()]) == []
    shapes = importlib.import_module(library)
    assert lookup.all("key", [Triangle()]) == []
    shapes.Shape.register(Triangle)
    assert lookup.all("key", [Triangle()]) == ["shape"]


def test_a_module_that_imports_on_attribute_access_is_left_alone(registry, monkeypatch):
    lazy = types.ModuleType("a_lazy_module")

    def fail(name):
        raise AssertionError(f"asked for {name}")

    lazy.__getattr__ = fail
    monkeypatch.setitem(sys.modules, "a_lazy_module", lazy)
    registry.register("key", ["a_lazy_module:Thing"], "thing")
    assert look_up(registry, [int]) == []


def test_an_abstract_class_given_by_several_names_is_found_once_for_each(registry, monkeypatch):
    shapes = types.ModuleType("a_library_of_shapes")
    monkeypatch.setitem(sys.modules, "a_library_of_shapes", shapes)

    class First(abc.ABC): ...

    class Second(abc.ABC): ...

    class Forward(First, Second): ...

    class Backward(Second, First): ...

    class Thing: ...

    # They contradict each other.
    Forward.register(Thing)
    Backward.register(Thing)
    shapes.Forward = shapes.Other = Forward
    registry.register("key", ["a_library_of_shapes:Forward"], "forward")
    registry.register("key", ["a_library_of_shapes:Other"], "other")
    registry.register("key", [Forward], "class")
    registry.register("key", [Backward], "backward")
    assert look_up(registry, [Thing]) == ["class", "forward", "other", "backward"]


def test_a_name_does_not_keep_its_class_alive(registry, library):
    import weakref

    registry.register("key", [f"{library}:Circle"], "circle")
    shapes = importlib.import_module(library)
    lookup = reg.Lookup(getattr(registry, "registry", registry))
    assert lookup.all("key", [shapes.Circle()]) == ["circle"]
    reference = weakref.ref(shapes.Circle)
    del shapes.Circle
    gc.collect()
    assert reference() is None
    assert lookup.all("key", [1]) == []
