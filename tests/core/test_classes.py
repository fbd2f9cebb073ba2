"""The ways to give a class."""

from __future__ import annotations

import abc
import collections.abc
import contextlib
import copy
import functools
import gc
import importlib
import pickle
import sys
import types
import typing
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reg
from reg._classes import ForwardName, NamedClass


@pytest.fixture(params=[reg.ClassRegistry, reg.Registry])
def registry(request):
    return request.param()


def look_up(registry, classes):
    return list(getattr(registry, "registry", registry).all("key", classes))


def test_none_means_the_class_of_none(registry):
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
    with pytest.raises(TypeError, match=r"position 0.*non-method.*isinstance\(value, Data\)"):
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
        (list[int], "use list"),
        (typing.List[int], "use list"),  # noqa: UP006
        (dict[str, int], "use dict"),
        (collections.abc.Sequence[int], "use collections.abc.Sequence: an argument does not know"),
        (typing.Type, "use type"),  # noqa: UP006
        (typing.Annotated[int, "meta"], "use int"),
        (typing.Annotated[typing.Any, ...], "use Any"),
        (typing.TypeVar("T"), "bounds it, or object"),
        (typing.NewType("UserId", int), "use int"),
        (typing.Callable, "use collections.abc.Callable: typing.Callable is another name"),
        (typing.Callable[[int], str], "use collections.abc.Callable: an argument does not"),
        (typing.TextIO, "use io.TextIOBase: no file is an instance of"),
        (typing.BinaryIO, "use io.IOBase: no file is an instance of"),
        (typing.IO, "use io.IOBase: no file is an instance of"),
        (typing.IO[str], "use io.IOBase: no file is an instance of"),
        (typing.IO[typing.Any], "use io.IOBase: no file is an instance of"),
        (5, "use a class, None, a union"),
        ("no name", "package.module:Class"),
        ("module", "package.module:Class"),
        ("module:", "package.module:Class"),
        (int | list[str], "use list"),
    ],
)
def test_an_annotation_without_a_class_is_refused_with_advice(registry, given, advice):
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
def test_an_alias_of_types_is_the_types_in_it(registry):
    number = typing.TypeAliasType("number", int | float)
    optional = typing.TypeAliasType("optional", number | None)
    parameter = typing.TypeVar("parameter")
    either = typing.TypeAliasType("either", parameter | bytes, type_params=(parameter,))
    for alias, classes in [
        (number, [int, float]),
        (optional, [int, float, type(None)]),
        (number | str, [int, float, str]),
        (either[str], [str, bytes]),
        (typing.TypeAliasType("items", list[typing.Any]), [list]),
        (typing.TypeAliasType("name", "decimal:Decimal"), ["decimal:Decimal"]),  # noqa: F722
    ]:
        registry.clear()
        registry.register("key", [alias], "component")
        assert [each.classes for each in registry.registrations()] == [(cls,) for cls in classes]
        registry.unregister("key", [alias])
        assert registry.registrations() == []


@pytest.mark.skipif(not hasattr(typing, "TypeAliasType"), reason="came with Python 3.12")
def test_an_alias_that_cannot_be_registered_for_is_refused(registry):
    names = {"Items": typing.TypeAliasType("Items", list[int])}
    exec("type Loop = int | Loop\ntype Later = int | Missing", names)
    for name, reason in {
        "Items": "use list",
        "Loop": "stands for itself",
        "Later": "define it below the classes",
    }.items():
        with pytest.raises(TypeError, match=rf"position 1 under 'key': .*{reason}"):
            registry.register("key", [int, names[name]], "component")
    assert registry.registrations() == []


def test_a_class_whose_items_are_of_anything_is_the_class_itself(registry):
    class Array(typing.Generic[typing.TypeVar("Shape"), typing.TypeVar("Type")]): ...

    registry.register("key", [Array[typing.Any, list[typing.Any]]], "array")
    registry.register("key", [Array[tuple[typing.Any, ...], typing.Any], int], "shaped")
    assert registry.exact("key", [Array]) == "array"
    assert registry.exact("key", [Array, int]) == "shaped"
    with pytest.raises(TypeError, match="Array: an argument does not know"):
        registry.register("key", [Array[typing.Any, list[int]]], "component")


def test_a_class_that_isinstance_alone_affirms_is_refused(registry):
    class Parameter(type):
        def __instancecheck__(cls, instance):
            return getattr(instance, "is_parameter", False)

    class Tensor:
        is_parameter = True

    class TensorParameter(metaclass=Parameter): ...

    assert isinstance(Tensor(), TensorParameter)
    with pytest.raises(TypeError, match=r"Parameter defines __instancecheck__ without") as caught:
        registry.register("key", [TensorParameter], "component")
    # The name that the error offers is of the real subclasses.
    name = str(caught.value).rpartition("name, ")[2].strip("'")
    assert name == f"{__name__}:{TensorParameter.__qualname__}"

    class Checked(Parameter):
        def __subclasscheck__(cls, subclass):  # noqa: N805
            return getattr(subclass, "is_parameter", False)

    class CheckedParameter(metaclass=Checked): ...

    registry.register("key", [CheckedParameter], "checked")
    assert look_up(registry, [Tensor]) == ["checked"]


class Page: ...


@pytest.mark.parametrize(
    ("classes", "advice"),
    [
        ([Page()], r"an instance of Page, so give .*test_classes\.Page if you mean its class"),
        ([lambda item: item], "an implementation comes after the list of classes"),
        ([typing], "an instance of module$"),
        ([[int]], "an instance of list"),
        (int, "must come as a list"),
        ("module:Class", "must come as a list"),
        (5, "must come as a list"),
    ],
)
def test_something_else_in_place_of_a_class_is_refused(registry, classes, advice):
    with pytest.raises(TypeError, match=advice):
        registry.register("key", classes, "component")


def test_classes_that_come_without_a_list_are_refused_with_the_call_to_write(registry):
    def size(thing): ...

    with pytest.raises(TypeError, match=r"register\(size, \[int, str\], <lambda>\)"):
        registry.register(size, int, str, lambda one, two: None)


# Names for classes to come


class Shelf:
    class Note: ...


def size(thing): ...


def forward_name(name, namespace=None):
    return ForwardName(f"{__name__}:{name}", size, "thing", namespace)


def test_a_forward_name_is_the_name_of_a_class():
    name = forward_name("Shelf.Later")
    assert name == NamedClass(f"{__name__}:Shelf.Later")
    assert {name: 1}[f"{__name__}:Shelf.Later"] == 1
    assert (name.module, name.qualified_name) == (__name__, "Shelf.Later")
    assert (name.implementation, name.parameter) == (size, "thing")


def test_a_forward_name_resolves_once_the_class_is_there():
    namespace = {}
    name, nested = forward_name("Later", namespace), forward_name("Later.Inner", namespace)
    assert (name.resolve(), nested.resolve()) == (None, None)

    class Later:
        class Inner: ...

    namespace["Later"] = Later
    assert (name.resolve(), nested.resolve()) == (Later, Later.Inner)
    namespace["Later"] = "no class"
    assert (name.resolve(), nested.resolve()) == (None, None)


def test_a_forward_name_is_found_in_its_module_where_it_has_no_other_namespace(monkeypatch):
    name = forward_name("Later")
    assert name.resolve() is None

    class Later: ...

    monkeypatch.setattr(sys.modules[__name__], "Later", Later, raising=False)
    assert name.resolve() is Later


@pytest.mark.needs_mortal_classes
def test_a_forward_name_does_not_resolve_to_the_class_of_a_previous_run():
    class Former: ...

    class Later: ...

    namespace = {"Later": Former}
    name = forward_name("Later", namespace)
    assert name.resolve() is None
    namespace["Later"] = Later
    assert name.resolve() is Later
    reference = weakref.ref(Former)
    del Former
    gc.collect()
    assert reference() is None


def test_a_forward_name_matches_a_local_class_by_its_qualified_name():
    class Local: ...

    class Other: ...

    name = forward_name(Local.__qualname__)
    assert name.is_local
    assert name.resolve() is None
    assert name.matches(Local)
    assert not name.matches(Other)
    assert not forward_name("Shelf.Note").is_local
    assert forward_name("Shelf.Note").matches(Shelf.Note)


def test_a_forward_name_matches_the_class_of_one_run_of_its_body():
    def make():
        class Local:
            def method(self): ...

            body = sys._getframe().f_locals

        return Local

    def name_of(cls):
        return ForwardName(f"{__name__}:{cls.__qualname__}", size, "thing", None, cls.body)

    first, second = make(), make()
    names = name_of(first), name_of(second)
    assert [name.matches(first) for name in names] == [True, False]
    assert [name.matches(second) for name in names] == [False, True]
    assert names[0] == name_of(first)
    assert names[0] != names[1]
    assert names[0] == str(names[1])
    assert len({*names, name_of(first)}) == 2
    # A class decorator may make the class anew.
    again = type("Local", (), {"method": first.method, "__qualname__": first.__qualname__})
    assert names[0].matches(again)


def test_the_error_for_a_missing_class_names_function_parameter_and_class():
    error = forward_name("Later").missing_error()
    assert isinstance(error, TypeError)
    for part in (f"{__name__}.size", "'thing'", "Later", f"module {__name__}", "register()"):
        assert part in str(error)


def test_a_forward_name_can_be_copied_and_pickled():
    name = forward_name("Shelf.Later", {"unpicklable": lambda: None})
    for copied in (copy.copy(name), copy.deepcopy(name), pickle.loads(pickle.dumps(name))):
        assert type(copied) is ForwardName
        assert (copied, copied.implementation, copied.parameter) == (name, size, "thing")


# The class itself, and its real MRO


class Pingable(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other):
        return True if any("ping" in vars(base) for base in other.__mro__) else NotImplemented


def test_a_class_comes_before_an_abstract_class_that_derives_from_it(registry):
    class Base:
        def ping(self): ...

    class Sub(Base): ...

    class Derived(Pingable, Base): ...

    registry.register("key", [Base], "base")
    registry.register("key", [Derived], "derived")
    assert issubclass(Base, Derived)
    assert look_up(registry, [Base]) == ["base", "derived"]
    assert look_up(registry, [Sub]) == ["derived", "base"]
    assert look_up(registry, [Derived]) == ["derived", "base"]


def test_object_comes_before_an_abstract_class_for_object_alone(registry):
    registry.register("key", [object], "object")
    registry.register("key", [collections.abc.Hashable], "hashable")
    assert look_up(registry, [object]) == ["object", "hashable"]
    assert look_up(registry, [int]) == ["hashable", "object"]


@st.composite
def hierarchies(draw):
    """Classes, some of them abstract, and which of them are registered."""
    classes = []
    for number in range(draw(st.integers(2, 6))):
        metaclass = draw(st.sampled_from([type, abc.ABCMeta]))
        bases = draw(st.lists(st.sampled_from(classes), max_size=2, unique=True)) if classes else []
        if any(isinstance(base, abc.ABCMeta) for base in bases):
            metaclass = abc.ABCMeta
        try:
            classes.append(metaclass(f"C{number}", tuple(bases), {}))
        except TypeError:
            # The bases have no common MRO.
            classes.append(metaclass(f"C{number}", (), {}))
    for base, cls in draw(st.lists(st.tuples(*[st.sampled_from(classes)] * 2), max_size=4)):
        if isinstance(base, abc.ABCMeta):
            with contextlib.suppress(RuntimeError):
                base.register(cls)
    registered = draw(st.lists(st.sampled_from(classes), min_size=1, unique=True))
    return classes, registered


@given(hierarchies())
def test_the_order_keeps_the_real_mro_and_is_else_that_of_singledispatch(hierarchy):
    classes, registered = hierarchy
    registry = reg.ClassRegistry()
    dispatched = functools.singledispatch(lambda thing: None)
    for cls in registered:
        registry.register("key", [cls], cls)
        dispatched.register(cls, lambda thing, cls=cls: cls)
    for cls in classes:
        answers = registry.all("key", [cls])
        real = [base for base in cls.__mro__ if base in registered]
        assert [each for each in answers if each in real] == real
        assert answers[:1] == [cls] or cls not in registered
        try:
            expected = dispatched.dispatch(cls)(None)
            composed = functools._compose_mro(cls, registered)
        except RuntimeError:
            # It finds the classes ambiguous, or without a common order.
            continue
        if [base for base in composed if base in cls.__mro__] == list(cls.__mro__):
            assert registry.get("key", [cls]) is expected


def test_a_typed_dictionary_is_refused(registry):
    class Movie(typing.TypedDict):
        name: str

    for specification in Movie, Movie | None:
        with pytest.raises(TypeError, match=r"position 0.*: use dict, the class of the objects"):
            registry.register("key", [specification], "component")


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


def test_exact_finds_a_class_given_by_name_under_that_name(registry, library):
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


@pytest.mark.needs_mortal_classes
def test_a_name_does_not_keep_its_class_alive(registry, library):
    registry.register("key", [f"{library}:Circle"], "circle")
    shapes = importlib.import_module(library)
    lookup = reg.Lookup(getattr(registry, "registry", registry))
    assert lookup.all("key", [shapes.Circle()]) == ["circle"]
    reference = weakref.ref(shapes.Circle)
    del shapes.Circle
    gc.collect()
    assert reference() is None
    assert lookup.all("key", [1]) == []
