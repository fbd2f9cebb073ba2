"""Functions of which the second would replace the first, although their author means both."""

from __future__ import annotations

import importlib
import sys

import pytest

import reg


class Doc: ...


@reg.generic("doc")
def show(doc, detail=None, *, style=None):
    return "fallback"


@pytest.fixture(params=[reg.Registry, reg.ClassRegistry])
def registry(request):
    return request.param()


def first(doc: Doc, detail: int, *, style=None): ...


def second(doc: Doc, detail: str, *, style=None): ...


def same_annotations(doc: Doc, detail: int, *, style=None): ...


def bare(doc: Doc, detail=None, *, style=None): ...


def by_style(doc: Doc, detail=None, *, style: str): ...


def by_other_style(doc: Doc, detail=None, *, style: int): ...


def other_name(doc: Doc, how: str, *, style=None): ...


def either(doc: Doc | str, detail: int, *, style=None): ...


def either_again(doc: str | Doc, detail: str, *, style=None): ...


@pytest.mark.parametrize(
    ("former", "latter", "parameter"),
    [
        (first, second, "detail"),
        (first, other_name, "how"),
        (first, bare, "detail"),
        (bare, first, "detail"),
        (by_style, by_other_style, "style"),
        (either, either_again, "detail"),
    ],
)
def test_a_parameter_that_does_not_dispatch_cannot_tell_implementations_apart(
    registry, former, latter, parameter
):
    registry.implements(show)(former)
    with pytest.raises(reg.RegistrationError) as caught:
        registry.implements(show)(latter)
    problem = str(caught.value)
    assert f"show dispatches on 'doc' and not on {parameter!r}" in problem
    assert f"{latter.__name__} at {__file__}:{latter.__code__.co_firstlineno}" in problem
    assert f"{former.__name__} at {__file__}:{former.__code__.co_firstlineno}" in problem
    assert f"name {parameter!r} in @reg.generic(...)" in problem
    assert "unregister it, or make the registry with replace=True" in problem
    assert {one.component for one in registry.registrations()} == {former}


def test_a_keyword_only_parameter_does_not_dispatch_either(registry):
    @reg.generic
    def draw(doc, *, style): ...

    @registry.implements(draw)
    def plain(doc: Doc, *, style: int): ...

    with pytest.raises(reg.RegistrationError, match="dispatches on 'doc' and not on 'style'"):

        @registry.implements(draw)
        def fancy(doc: Doc, *, style: str): ...


def test_a_replacement_that_is_meant_replaces(registry):
    registry.implements(show)(first)
    registry.implements(show)(same_annotations)
    assert registry.exact(show, [Doc]) is same_annotations
    registry.register(show, [Doc], second)
    assert registry.exact(show, [Doc]) is second
    registry.implements(show)(second)
    registry.unregister(show, [Doc])
    registry.implements(show)(first)
    assert registry.exact(show, [Doc]) is first


@pytest.mark.parametrize("kind", [reg.Registry, reg.ClassRegistry])
def test_a_registry_that_is_made_to_replace_replaces(kind):
    registry = kind(replace=True)
    registry.implements(show)(first)
    registry.implements(show)(second)
    assert registry.exact(show, [Doc]) is second


def test_another_registry_overrides(registry):
    registry.implements(show)(first)
    other = reg.Registry()
    other.implements(show)(second)
    assert (registry.exact(show, [Doc]), other.exact(show, [Doc])) == (first, second)


def test_other_classes_and_arguments_that_dispatch_tell_implementations_apart(registry):
    @reg.generic
    def meet(doc, other): ...

    @registry.implements(meet)
    def meet_int(doc: Doc, other: int): ...

    @registry.implements(meet)
    def meet_str(doc: Doc, other: str): ...

    assert len(registry.registrations()) == 2


def test_predicates_tell_implementations_apart(registry):
    name = reg.Predicate("name", reg.KeyIndex, lambda doc: "edit", default="")

    @reg.generic("doc", predicates=[name])
    def view(doc, detail): ...

    @registry.implements(view, name="edit")
    def edit(doc: Doc, detail: int): ...

    @registry.implements(view, name="save")
    def save(doc: Doc, detail: str): ...

    with pytest.raises(reg.RegistrationError, match="not on 'detail'"):

        @registry.implements(view, name="edit")
        def again(doc: Doc, detail: str): ...


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write a module that registers in ``registry``, and load it, the second time again."""
    monkeypatch.syspath_prepend(str(tmp_path))
    # Two versions written within a second have the same size and time, perhaps.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loaded = []

    def load(name, source, registry):
        (tmp_path / f"{name}.py").write_text(source)
        importlib.invalidate_caches()
        module = sys.modules.get(name)
        if module is None:
            module = type(sys)(name)
            module.__spec__ = importlib.machinery.PathFinder.find_spec(name, [str(tmp_path)])
            module.registry, module.show, module.Doc = registry, show, Doc
            sys.modules[name] = module
            loaded.append(name)
        module.__spec__.loader.exec_module(module)
        return module

    yield load
    for name in loaded:
        del sys.modules[name]


IMPLEMENTATION = """
@registry.implements(show)
def show_doc(doc: Doc, detail: int, *, style=None): ...
"""


def test_an_implementation_in_another_module_overrides(load):
    registry = reg.Registry()
    load("lookalike_first", IMPLEMENTATION, registry)
    module = load("lookalike_second", IMPLEMENTATION.replace("int", "str"), registry)
    assert registry.exact(show, [Doc]) is module.show_doc


@pytest.mark.parametrize("before", ["", "# a line\n# another one\n", "def show_page(): ...\n\n"])
def test_a_module_that_is_edited_and_loaded_again_replaces_what_it_registered(load, before):
    registry = reg.Registry()
    load("lookalike_edited", IMPLEMENTATION, registry)
    module = load("lookalike_edited", before + IMPLEMENTATION.replace("int", "str"), registry)
    assert registry.exact(show, [Doc]) is module.show_doc


def test_two_versions_in_one_loaded_module_are_refused(load):
    both = IMPLEMENTATION + IMPLEMENTATION.replace("int", "str")
    with pytest.raises(reg.RegistrationError, match="not on 'detail'"):
        load("lookalike_both", both, reg.Registry())


@pytest.mark.parametrize("is_other_cell", [True, False])
def test_a_cell_that_is_edited_and_run_again_replaces_what_it_registered(is_other_cell):
    registry = reg.Registry()
    names = {"registry": registry, "show": show, "Doc": Doc, "__name__": "__main__"}
    # A notebook gives each version of a cell another file name; a prompt gives all the same.
    for number, text in enumerate([IMPLEMENTATION, IMPLEMENTATION.replace("int", "str")]):
        filename = f"<cell {number}>" if is_other_cell else "<stdin>"
        exec(compile(text, filename, "exec"), names)
    assert registry.exact(show, [Doc]) is names["show_doc"]


@pytest.mark.parametrize(
    "decorator", ["@registry.implements(area)", "@registry.register(area, [int])"]
)
@pytest.mark.parametrize("kind", [reg.Registry, reg.ClassRegistry])
def test_an_implementation_with_the_name_of_its_generic_function_is_refused(decorator, kind):
    names = {"registry": kind(), "reg": reg, "__name__": "shapes"}
    exec("@reg.generic\ndef area(shape): ...", names)
    with pytest.raises(TypeError, match=r"shapes\.area has the same name, .* as area_of_something"):
        exec(f"{decorator}\ndef area(shape: int): ...", names)
    assert names["registry"].registrations() == []


def test_a_method_with_the_name_of_its_generic_function_is_refused():
    with pytest.raises(TypeError, match=r"Shape\.area has the same name"):

        class Shape:
            @reg.generic
            def area(self): ...

            @reg.Registry().implements(area)
            def area(self: int): ...


def test_a_method_of_a_subclass_may_have_the_name_of_its_generic_function():
    registry = reg.Registry()

    class Shape:
        @reg.generic
        def area(self): ...

    class Square(Shape):
        @registry.register(Shape.area, [object])
        def area(self):
            return "square"

    assert Shape.area(Square(), lookup=registry) == "square"


def test_the_decorated_function_itself_may_be_an_implementation():
    registry = reg.Registry()

    def area(shape):
        return "plain"

    general = reg.generic(area)
    registry.register(general, [int])(area)
    assert general(1, lookup=registry) == "plain"


TWO_GENERICS = """
import reg

@reg.generic
def area(shape: int): ...

@reg.generic
def area(shape: str): ...
"""


def test_a_second_generic_function_of_one_name_is_refused(load):
    with pytest.raises(TypeError, match=r"area is a generic function already, at .*\.py:4, which"):
        load("lookalike_generics", TWO_GENERICS, reg.Registry())


def test_a_module_with_a_generic_function_is_edited_and_loaded_again(load):
    former = load("lookalike_generic", TWO_GENERICS.rpartition("@")[0], reg.Registry()).area
    edited = "\n# A line more.\n" + TWO_GENERICS.rpartition("@")[0]
    assert load("lookalike_generic", edited, reg.Registry()).area is not former


def test_another_function_may_be_where_a_generic_function_was_before_an_edit(load):
    before, after = TWO_GENERICS.rpartition("@")[0], TWO_GENERICS.replace("area", "volume", 1)
    former = load("lookalike_moved", before, reg.Registry()).area
    module = load("lookalike_moved", after, reg.Registry())
    assert module.area is not former
    assert module.volume.__name__ == "volume"


def test_a_generic_function_replaces_a_plain_one_and_may_be_made_of_another(load):
    source = """
import reg

def area(shape): ...

area = reg.generic(area)
area = reg.generic(area)
try:
    from no_such_module import other
except ImportError:
    @reg.generic
    def other(shape): ...
"""
    module = load("lookalike_plain", source, reg.Registry())
    for generic in (module.area, module.other):
        assert generic.__reg_dispatch__.generic is generic
