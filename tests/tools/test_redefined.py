"""Classes and generic functions that are defined again: a notebook cell, a module reloaded."""

import functools
import importlib
import linecache
import sys
import textwrap

import pytest

import reg
from reg import Registry


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of an application that can be loaded again."""
    (tmp_path / "shop_to_reload.py").write_text(
        textwrap.dedent(
            """
            import reg

            class Item: pass
            class Book(Item): pass
            class Label: pass

            @reg.generic
            def price(item): return 0

            @reg.generic
            def name(item): return ""
            """
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("shop_to_reload")
    del sys.modules["shop_to_reload"]


@pytest.fixture
def size():
    @reg.generic
    def size(item):
        return 0

    return size


def test_a_registration_for_a_class_that_was_defined_again_is_found(module, size):
    registry = Registry()
    registry.register(size, [module.Item], lambda item: 1)
    registry.register(size, [module.Label], lambda item: 2)
    registry.register(size, [int], lambda item: 3)
    assert reg.check(registry) == []
    importlib.reload(module)
    first, second = reg.check(registry)
    assert (first.kind, first.severity) == ("redefined", "error")
    assert "is registered for a class shop_to_reload.Item that was defined again" in first.problem
    assert "shop_to_reload.Label" in second.problem
    assert "run the cell or module of the registration again" in first.advice


def test_registering_again_for_the_present_class_ends_it_where_the_former_is_unregistered(
    module, size
):
    registry = Registry()
    former = module.Item
    registry.register(size, [former], lambda item: 1)
    importlib.reload(module)
    registry.register(size, [module.Item], lambda item: 1)
    assert [finding.kind for finding in reg.check(registry)] == ["redefined"]
    registry.unregister(size, [former])
    assert reg.check(registry) == []


def test_registrations_under_a_generic_that_was_defined_again_are_one_finding(module):
    registry = Registry()
    registry.register(module.price, [int], lambda item: 1)
    registry.register(module.price, [str], lambda item: 2)
    importlib.reload(module)
    (finding,) = reg.check(registry)
    assert finding.kind == "redefined"
    assert finding.problem == (
        "shop_to_reload.price was defined again after 2 registrations were made under it, which no"
        " call finds"
    )
    assert len(finding.places) == 2


def test_an_explanation_names_the_class_that_was_defined_again(module, size):
    registry = Registry()
    registry.register(size, [module.Item], lambda item: 1)
    importlib.reload(module)
    for argument in module.Item(), module.Book():
        (candidate,) = size.explain(argument, lookup=registry).inapplicable
        assert candidate.reason == (
            "item: shop_to_reload.Item is another class of the same name, defined again since or"
            " before; register for the present one"
        )
    with pytest.raises(reg.ComponentLookupError, match="another class of the same name"):
        size.component(module.Item(), lookup=registry)


def test_an_explanation_lists_the_registrations_under_the_former_generic(module):
    registry = Registry()
    registry.register(module.price, [int], lambda item: 1)
    importlib.reload(module)
    resolution = module.price.explain(1, lookup=registry)
    (candidate,) = resolution.inapplicable
    assert candidate.reason == (
        "is registered under a shop_to_reload.price that was defined again since; register it again"
    )
    assert module.name.explain(1, lookup=registry).inapplicable == ()


def test_an_explanation_of_the_former_generic_lists_the_registrations_under_the_present_one(module):
    registry = Registry()
    former = module.price
    importlib.reload(module)
    registry.register(module.price, [int], lambda item: 1)
    (candidate,) = former.explain(1, lookup=registry).inapplicable
    assert candidate.reason == (
        "is registered under the present shop_to_reload.price, and this is a former one; import it"
        " again"
    )


def test_a_subclass_that_takes_the_name_of_its_base_is_no_finding(module, size):
    registry = Registry()
    registry.register(size, [module.Item], lambda item: 1)
    module.Item = type("Item", (module.Item,), {"__module__": module.__name__})
    assert size(module.Item(), lookup=registry) == 1
    assert reg.check(registry) == []


def test_a_name_that_is_used_for_another_object_is_no_finding(module, size):
    registry = Registry()
    registry.register(size, [module.Item], lambda item: 1)
    registry.register(module.price, [int], lambda item: 1)
    module.Item = module.Label
    module.price = lambda item: 0
    assert reg.check(registry) == []


def test_a_generic_made_of_the_former_one_is_no_finding(module):
    registry = Registry()
    registry.register(module.price, [int], lambda item: 1)
    module.price = reg.generic(module.price)
    with reg.implicit.using(registry):
        assert module.price(1) == 1
    assert reg.check(registry) == []


def test_classes_of_one_name_in_two_calls_of_a_function_are_no_finding(size):
    def make():
        class Local:
            pass

        return Local

    first, second = make(), make()
    registry = Registry()
    registry.register(size, [first], lambda item: 1)
    registry.register(size, [second], lambda item: 2)
    assert reg.check(registry) == []


def test_generics_of_one_name_in_two_calls_of_a_function_have_nothing_to_do_with_each_other():
    def make():
        @reg.generic
        def price(item):
            return 0

        return price

    first, second = make(), make()
    registry = Registry()
    registry.register(first, [int], lambda item: 1)
    registry.register(second, [str], lambda item: 2)
    assert reg.check(registry) == []
    assert [one.classes for one in first.explain("", lookup=registry).inapplicable] == [(int,)]


def _run_cell(source, number, names):
    """Run a notebook cell; the name of its file is made of its text."""
    filename = f"/tmp/ipykernel_{number}.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), names)


@pytest.fixture
def notebook(module, size):
    """The names of a module whose code is typed in cells."""
    registry = Registry(name="cells")
    names = module.__dict__ | {"registry": registry, "size": size}
    module.__dict__.update(names)
    return module.__dict__


def test_an_implementation_whose_edited_version_is_registered_beside_it_is_found(notebook, size):
    registry = notebook["registry"]
    cell = "@registry.implements(size)\ndef any_size(item: {}): return {}\n"
    _run_cell(cell.format("object", 1), 1, notebook)
    assert reg.check(registry) == []
    _run_cell(cell.format("int", 2), 2, notebook)
    assert (size(1, lookup=registry), size("", lookup=registry)) == (2, 1)
    (finding,) = reg.check(registry)
    assert (finding.kind, finding.severity) == ("redefined", "warning")
    assert finding.problem == (
        "any_size was defined again: its former version is still registered for (object), and"
        " called there, beside the present one for (int)"
    )
    assert finding.advice.startswith("Unregister it: registry.unregister(size, [object]); or ")
    assert finding.places == ("/tmp/ipykernel_1.py:1", "/tmp/ipykernel_2.py:1")
    registry.unregister(size, [object])
    assert reg.check(registry) == []


def test_an_implementation_that_moved_in_its_reloaded_module_is_found(tmp_path, monkeypatch):
    path = tmp_path / "sizes_to_reload.py"
    source = (
        "@registry.implements(size)\ndef any_size(item: object): return 1\n"
        "@registry.implements(size)\ndef _(item: str): return 1\n"
        "@registry.implements(size)\ndef _(item: list): return 1\n"
    )
    names = "import reg\nif 'registry' not in globals():\n    registry = reg.Registry()\n"
    names += "    size = reg.generic(lambda item: 0)\n"
    path.write_text(names + source)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("sizes_to_reload")
    assert reg.check(module.registry) == []
    path.write_text(names + "\n# moved\n" + source.replace("object", "float"))
    importlib.reload(module)
    (finding,) = reg.check(module.registry)
    assert finding.problem.startswith("any_size was defined again")
    del sys.modules["sizes_to_reload"]


@pytest.mark.parametrize(
    "cells",
    [
        # names for any implementation
        ("def _(item): pass\nregister([int], _)", "def _(item): pass\nregister([str], _)"),
        ("def f(i): pass\nregister([int], f)\ndef f(i): pass\nregister([str], f)",),
        # one definition, several functions
        ("for cls in int, str:\n    def f(item): pass\n    register([cls], f)",),
        (
            "def f(item): pass\nregister([int], f)",
            "f = functools.wraps(f)(lambda i: 1)\nregister([str], f)",
        ),
        # an object of another name, and one that is not registered
        ("def f(item): pass\nregister([int], f)", "def g(item): pass\nf = g\nregister([str], g)"),
        ("def f(item): pass\nregister([int], f)", "def f(item): pass"),
        # functions in functions
        (
            "def make():\n    def f(item): pass\n    return f\nregister([int], make())"
            "\nregister([str], make())",
        ),
    ],
)
def test_functions_of_one_name_that_are_all_meant_are_no_finding(notebook, size, cells):
    registry = notebook["registry"]
    notebook["functools"] = functools
    notebook["register"] = lambda classes, function: registry.register(size, classes, function)
    for number, cell in enumerate(cells):
        _run_cell(cell, number, notebook)
    assert len(list(registry.registrations())) >= 1
    assert reg.check(registry) == []
