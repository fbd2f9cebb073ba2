"""The statements of ``docs/coming-from`` about other libraries: ``tox -e peers``.

It needs these libraries, and so it is not among the tests that always run. The pages' code in the
other library runs here; each further test is named by a statement of a table. Annotations are
not postponed, since not all of these libraries support that.
"""

# Three of these libraries collect functions of one name, and one has names of classes in brackets.
# ruff: noqa: F722, F811, F821

import abc
import asyncio
import collections.abc
import functools
import inspect
import pickle
import sys
import threading
import typing
from pathlib import Path

import multimethod
import multipledispatch
import ovld
import plum
import pytest
import zope.component
from ovld import call_next as ovld_call_next
from ovld import recurse as ovld_recurse
from ovld.dependent import Regexp
from ovld.types import Deferred
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.rest import CodeBlockParser
from zope.component.hooks import setHooks, site
from zope.interface import Interface, directlyProvides, implementedBy
from zope.interface.common.collections import ISized
from zope.interface.registry import Components

PAGES = Path(__file__).parents[2] / "docs" / "coming-from"


class Item:
    pass


class Text(Item):
    pass


class Page:
    pass


class Screen:
    pass


class Pretender:
    """An object whose ``__class__`` is that of a text, as with a proxy."""

    @property
    def __class__(self):
        return Text


class Virtual(abc.ABC):
    pass


@typing.runtime_checkable
class Closes(typing.Protocol):
    def close(self): ...


class Door:
    def close(self):
        pass


@pytest.mark.parametrize("page", ["multipledispatch", "ovld", "plum", "zope-component"])
def test_the_code_of_a_page_runs_in_the_other_library(page):
    # The blocks of the other library are marked "py", which the tests of all pages leave out.
    parser = CodeBlockParser("py", PythonEvaluator())
    document = Sybil(parsers=[parser]).parse(PAGES / f"{page}.rst")
    document.namespace.update(Item=Item, Text=Text, Page=Page, Screen=Screen)
    examples = list(document.examples())
    assert examples
    for example in examples:
        example.evaluate()


# --- functools.singledispatch -------------------------------------------------------------


def test_singledispatch_takes_no_keyword():
    show = functools.singledispatch(lambda item: "nothing")
    with pytest.raises(TypeError, match="requires at least 1 positional argument"):
        show(item=Text())


def test_singledispatch_takes_unions_abstract_classes_and_protocols():
    show = functools.singledispatch(lambda item: "nothing")
    show.register(int | str, lambda item: "union")
    show.register(collections.abc.Sized, lambda item: "sized")
    show.register(Closes, lambda item: "closes")
    assert [show(1), show([]), show(Door())] == ["union", "sized", "closes"]


def test_singledispatch_refuses_to_choose_between_abstract_classes():
    class Other(abc.ABC):
        pass

    class Both:
        pass

    Virtual.register(Both)
    Other.register(Both)
    show = functools.singledispatch(lambda item: "nothing")
    show.register(Virtual, lambda item: "virtual")
    show.register(Other, lambda item: "other")
    with pytest.raises(RuntimeError, match="Ambiguous"):
        show(Both())


def test_singledispatch_sees_what_abc_register_has_changed():
    class Registered:
        pass

    show = functools.singledispatch(lambda item: "nothing")
    show.register(Virtual, lambda item: "virtual")
    assert show(Registered()) == "nothing"
    Virtual.register(Registered)
    assert show(Registered()) == "virtual"


def test_singledispatch_refuses_generic_aliases_and_literals():
    show = functools.singledispatch(lambda item: "nothing")
    with pytest.raises(TypeError, match="not a class"):
        show.register(list[int], lambda item: "ints")
    with pytest.raises(TypeError, match="not a class"):
        show.register(typing.Literal[1], lambda item: "one")


def test_singledispatch_of_a_method_looks_past_self():
    class Shop:
        @functools.singledispatchmethod
        def price(self, item):
            return 0

        @price.register
        def _(self, item: str):
            return len(item)

    class Discounter(Shop):
        pass

    assert (Shop().price("poem"), Discounter().price("poem")) == (4, 4)


def test_singledispatch_tells_which_implementation_would_answer():
    show = functools.singledispatch(lambda item: "nothing")
    text = show.register(Text, lambda item: "text")
    assert show.dispatch(Text) is text
    assert show.registry[Text] is text


# --- plum ---------------------------------------------------------------------------------


def test_plum_does_not_find_what_is_passed_by_keyword():
    dispatch = plum.Dispatcher()

    @dispatch
    def show(item: Text, place: Page):
        return "page"

    with pytest.raises(plum.NotFoundLookupError):
        show(item=Text(), place=Page())
    with pytest.raises(plum.NotFoundLookupError):
        show(Text(), place=Page())


def test_plum_makes_methods_of_defaults():
    dispatch = plum.Dispatcher()

    @dispatch
    def show(item: Text, place: int = 3):
        return place

    assert show(Text()) == 3
    assert len(show.methods) == 2


def test_plum_looks_at_one_element_of_a_list():
    dispatch = plum.Dispatcher()

    @dispatch
    def name(items: list[int]):
        return "ints"

    @dispatch
    def name(items: list[str]):
        return "strs"

    assert (name([1]), name(["a"])) == ("ints", "strs")
    heard = set()
    for _ in range(200):
        try:
            heard.add(name([1, "a"]))
        except LookupError as error:
            heard.add(type(error).__name__)
    assert len(heard) > 1


def test_plum_takes_literals_conditions_and_any_number_of_arguments():
    from beartype.vale import Is

    dispatch = plum.Dispatcher()

    @dispatch
    def name(value: typing.Literal[1]):
        return "one"

    @dispatch
    def name(value: typing.Annotated[int, Is[lambda value: value < 0]]):
        return "negative"

    @dispatch
    def name(value: int):
        return "int"

    @dispatch
    def name(value: str, *rest: int):
        return rest

    assert (name(1), name(-5), name(2)) == ("one", "negative", "int")
    assert name("a", 1, 2) == (1, 2)


def test_plum_dispatches_on_parameters_of_ones_own_classes():
    dispatch = plum.Dispatcher()

    @plum.parametric
    class Box:
        def __init__(self, value):
            self.value = value

        @classmethod
        def __infer_type_parameter__(cls, value):
            return type(value)

    @dispatch
    def name(box: Box[int]):
        return "int"

    @dispatch
    def name(box: Box[str]):
        return "str"

    assert (name(Box(1)), name(Box("a"))) == ("int", "str")


def test_plum_converts_results():
    class Wrapped:
        pass

    dispatch = plum.Dispatcher()

    @dispatch
    def wrap(item: Text) -> Wrapped:
        return item

    plum.add_conversion_method(Text, Wrapped, lambda item: Wrapped())
    assert isinstance(wrap(Text()), Wrapped)


def test_plum_promotes_by_rules():
    class Metres(float):
        pass

    class Feet(float):
        pass

    plum.add_promotion_rule(Metres, Feet, Metres)
    plum.add_conversion_method(Feet, Metres, lambda feet: Metres(feet * 0.3048))
    assert [type(each) for each in plum.promote(Metres(1), Feet(1))] == [Metres, Metres]


@pytest.mark.parametrize(("asked_before", "found"), [(False, "found"), (True, "object")])
def test_plum_sees_a_class_by_name_if_it_is_loaded_before_the_first_call(
    asked_before, found, monkeypatch, tmp_path
):
    (tmp_path / "loaded_later.py").write_text("class Thing: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "loaded_later", raising=False)
    dispatch = plum.Dispatcher()
    named = plum.ModuleType("loaded_later", "Thing")

    @dispatch
    def name(value: named):
        return "found"

    @dispatch
    def name(value: object):
        return "object"

    if asked_before:
        assert name(1) == "object"
    from loaded_later import Thing

    assert name(Thing()) == found


def test_plum_remembers_what_abc_register_has_changed():
    class Late:
        pass

    dispatch = plum.Dispatcher()

    @dispatch
    def name(value: Virtual):
        return "virtual"

    @dispatch
    def name(value: object):
        return "object"

    assert name(Late()) == "object"
    Virtual.register(Late)
    assert name(Late()) == "object"


def test_plum_decides_by_precedence():
    dispatch = plum.Dispatcher()

    @dispatch(precedence=1)
    def meet(item: Text, place: object):
        return "by item"

    @dispatch
    def meet(item: Item, place: Page):
        return "by place"

    assert meet(Text(), Page()) == "by item"


def test_plum_takes_a_proxy_for_what_it_claims_to_be():
    dispatch = plum.Dispatcher()

    @dispatch
    def show(item: Text):
        return "text"

    assert show(Pretender()) == "text"


def test_plum_tells_which_method_would_answer():
    dispatch = plum.Dispatcher()

    @dispatch
    def show(item: Text):
        return "text"

    method, _ = show.resolve_method((Text(),))
    assert method(Text()) == "text"
    assert len(show.methods) == 1


def test_plum_functions_cannot_be_pickled():
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(plum_function)


@plum.Dispatcher()
def plum_function(item: Text):
    return "text"


# --- multipledispatch ---------------------------------------------------------------------


def test_multipledispatch_shares_names_in_the_process():
    def one():
        @multipledispatch.dispatch(Text)
        def shared_name(item):
            return "one"

        return shared_name

    def another():
        @multipledispatch.dispatch(Item)
        def shared_name(item):
            return "another"

        return shared_name

    assert one() is another()


def test_multipledispatch_does_not_find_what_is_passed_by_keyword():
    @multipledispatch.dispatch(Text, namespace={})
    def show(item):
        return "text"

    with pytest.raises(NotImplementedError):
        show(item=Text())


def test_multipledispatch_takes_types_from_annotations():
    @multipledispatch.dispatch(namespace={})
    def show(item: Text):
        return "text"

    assert show(Text()) == "text"


def test_multipledispatch_refuses_a_list_of_a_type():
    with pytest.raises(TypeError, match="list"):
        multipledispatch.dispatch(list[int], namespace={})(lambda items: "ints")


def test_multipledispatch_takes_a_tuple_and_no_union():
    @multipledispatch.dispatch((int, str), namespace={})
    def name(value):
        return "either"

    assert name(1) == name("a") == "either"
    with pytest.raises(TypeError, match="non-type"):
        multipledispatch.dispatch(int | str, namespace={})(lambda value: "either")


def test_multipledispatch_remembers_what_abc_register_has_changed():
    class Late:
        pass

    names = {}

    @multipledispatch.dispatch(Virtual, namespace=names)
    def name(value):
        return "virtual"

    @multipledispatch.dispatch(object, namespace=names)
    def name(value):
        return "object"

    assert name(Late()) == "object"
    Virtual.register(Late)
    assert name(Late()) == "object"


def test_multipledispatch_takes_abstract_classes_and_any_number_of_arguments():
    names = {}

    @multipledispatch.dispatch(collections.abc.Sized, namespace=names)
    def name(value):
        return "sized"

    @multipledispatch.dispatch([int], namespace=names)
    def name(*values):
        return values

    assert name([]) == "sized"
    assert (name(), name(1, 2)) == ((), (1, 2))


def test_multipledispatch_has_one_function_for_different_numbers_of_arguments():
    names = {}

    @multipledispatch.dispatch(int, namespace=names)
    def name(value):
        return "one"

    @multipledispatch.dispatch(int, int, namespace=names)
    def name(value, other):
        return "two"

    assert (name(1), name(1, 2)) == ("one", "two")


def test_multipledispatch_goes_on_when_an_implementation_gives_up():
    names = {}

    @multipledispatch.dispatch(int, namespace=names)
    def name(value):
        if value < 0:
            raise multipledispatch.MDNotImplementedError
        return "int"

    @multipledispatch.dispatch(object, namespace=names)
    def name(value):
        return "object"

    assert (name(1), name(-1)) == ("int", "object")


def test_multipledispatch_tells_nothing_of_the_signature_but_what_would_answer():
    @multipledispatch.dispatch(Text, namespace={})
    def show(item):
        return "text"

    assert str(inspect.signature(show)) == "(*args, **kwargs)"
    assert show.dispatch(Text)(Text()) == "text"
    assert show.dispatch(Page) is None
    with pytest.raises(NotImplementedError):
        show(Page())


def test_multipledispatch_asks_for_the_class_and_not_for_the_claim():
    @multipledispatch.dispatch(Text, namespace={})
    def show(item):
        return "text"

    with pytest.raises(NotImplementedError):
        show(Pretender())


def test_multipledispatch_functions_cannot_be_pickled():
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(multipledispatch_function)


@multipledispatch.dispatch(Text, namespace={})
def multipledispatch_function(item):
    return "text"


# --- multimethod, which has no page, but a column in the table of docs/why.rst -----------


def test_multimethod_binds_keywords_only_in_its_other_decorator():
    @multimethod.multimethod
    def show(item: Text, place: object):
        return "a text"

    assert show(Text(), 1) == "a text"
    with pytest.raises(multimethod.DispatchError, match="0 methods found"):
        show(item=Text(), place=1)

    @multimethod.multidispatch
    def bound(item: object, place: object = None):
        return "nothing"

    @bound.register
    def _(item: Text, place: object = None):
        return "a text"

    assert [bound(item=Text()), bound(Text())] == ["a text", "a text"]


def test_multimethod_refuses_an_ambiguous_call():
    @multimethod.multimethod
    def meet(item: Text, place: object):
        return "by item"

    @multimethod.multimethod
    def meet(item: Item, place: Page):
        return "by place"

    with pytest.raises(multimethod.DispatchError, match="2 methods found"):
        meet(Text(), Page())


def test_multimethod_takes_literals_and_looks_at_the_first_item_of_a_list():
    @multimethod.multimethod
    def kind(value: list[int]):
        return "numbers"

    @multimethod.multimethod
    def kind(value: list):
        return "a list"

    @multimethod.multimethod
    def kind(value: typing.Literal["a"]):
        return "the letter"

    assert [kind([1, "a"]), kind(["a", 1]), kind("a")] == ["numbers", "a list", "the letter"]


def test_multimethod_keeps_a_cached_result_after_abc_register():
    class Late(abc.ABC):
        pass

    class Registered:
        pass

    @multimethod.multimethod
    def kind(value: object):
        return "an object"

    @multimethod.multimethod
    def kind(value: Late):
        return "late"

    assert kind(Registered()) == "an object"
    Late.register(Registered)
    assert kind(Registered()) == "an object"


def test_multimethod_needs_the_classes_of_annotations_to_be_there():
    @multimethod.multimethod
    def kind(value: "not_loaded.Class"):
        return "never"

    with pytest.raises(NameError, match="not_loaded"):
        kind(1)


def test_multimethod_gives_the_implementation_for_types():
    @multimethod.multimethod
    def show(item: Text):
        return "a text"

    @multimethod.multimethod
    def show(item: Item):
        return "an item"

    assert show[(Item,)](Text()) == "an item"


# --- ovld ---------------------------------------------------------------------------------


def test_ovld_dispatches_on_keywords():
    @ovld.ovld
    def show(item: Text, *, place: Page):
        return "page"

    @ovld.ovld
    def show(item: Text, *, place: str):
        return "str"

    assert (show(Text(), place=Page()), show(Text(), place="")) == ("page", "str")
    assert show(place="", item=Text()) == "str"


def test_ovld_looks_at_the_first_element_of_a_list():
    @ovld.ovld
    def name(items: list[int]):
        return "ints"

    @ovld.ovld
    def name(items: list[str]):
        return "strs"

    assert (name([1, "a"]), name(["a", 1])) == ("ints", "strs")


def test_ovld_takes_literals_and_dependent_types():
    @ovld.ovld
    def name(value: typing.Literal[1]):
        return "one"

    @ovld.ovld
    def name(value: int):
        return "int"

    @ovld.ovld
    def name(value: Regexp[r"^a"]):
        return "with a"

    @ovld.ovld
    def name(value: str):
        return "str"

    assert (name(1), name(2), name("ab"), name("ba")) == ("one", "int", "with a", "str")


def test_ovld_sees_a_class_by_name_when_it_is_loaded(monkeypatch, tmp_path):
    (tmp_path / "loaded_latest.py").write_text("class Thing: pass\n")
    monkeypatch.syspath_prepend(tmp_path)

    @ovld.ovld
    def name(value: Deferred["loaded_latest.Thing"]):
        return "found"

    @ovld.ovld
    def name(value: object):
        return "object"

    assert name(1) == "object"
    from loaded_latest import Thing

    assert name(Thing()) == "found"


def test_ovld_refuses_to_choose_unless_there_is_a_priority():
    @ovld.ovld
    def meet(item: Text, place: object):
        return "by item"

    @ovld.ovld
    def meet(item: Item, place: Page):
        return "by place"

    @ovld.ovld(priority=1)
    def prefer(item: Text, place: object):
        return "by item"

    @ovld.ovld
    def prefer(item: Item, place: Page):
        return "by place"

    with pytest.raises(TypeError, match="Ambiguous"):
        meet(Text(), Page())
    assert prefer(Text(), Page()) == "by item"


def test_ovld_calls_the_next_with_arguments():
    @ovld.ovld
    def name(value: int):
        return f"int, {ovld_call_next(value)}"

    @ovld.ovld
    def name(value: object):
        return "object"

    assert name(1) == "int, object"


def test_ovld_chooses_the_next_for_the_arguments_given_to_it():
    @ovld.ovld
    def name(value: int):
        return ovld_call_next("a")

    @ovld.ovld
    def name(value: str):
        return "str"

    assert name(1) == "str"


def test_ovld_recurses_into_the_variant():
    @ovld.ovld
    def add(value: list):
        return [ovld_recurse(each) for each in value]

    @ovld.ovld
    def add(value: int):
        return value + 1

    @add.variant
    def tenfold(value: int):
        return value * 10

    assert (add([1, 2]), tenfold([1, 2])) == ([2, 3], [10, 20])


def test_ovld_registers_after_a_call_but_not_after_a_variant():
    @ovld.ovld
    def name(value: object):
        return "object"

    assert name(1) == "object"

    @name.register
    def of_int(value: int):
        return "int"

    assert name(1) == "int"

    @name.variant
    def other(value: float):
        return "float"

    assert other(1.0) == "float"
    with pytest.raises(Exception, match="locked for modifications"):

        @name.register
        def of_str(value: str):
            return "str"

    @other.register
    def of_bytes(value: bytes):
        return "bytes"

    assert other(b"") == "bytes"


def test_ovld_takes_no_variable_arguments():
    @ovld.ovld
    def name(value: str, *rest: int):
        return rest

    with pytest.raises(TypeError, match="does not support"):
        name("a", 1)


def test_ovld_asks_for_the_class_and_not_for_the_claim():
    @ovld.ovld
    def show(item: Text):
        return "text"

    with pytest.raises(TypeError):
        show(Pretender())


def test_ovld_remembers_what_abc_register_has_changed():
    class Late:
        pass

    @ovld.ovld
    def name(value: Virtual):
        return "virtual"

    @ovld.ovld
    def name(value: object):
        return "object"

    assert name(Late()) == "object"
    Virtual.register(Late)
    assert name(Late()) == "object"


def test_ovld_mixes_behaviour_into_classes():
    class Named(ovld.Medley):
        name: str

        def show(self, place: str):
            return self.name

    class Priced(ovld.Medley):
        price: int

        def show(self, place: int):
            return self.price

    tea = (Named + Priced)(name="tea", price=3)
    assert (tea.show(""), tea.show(1)) == ("tea", 3)


def test_ovld_tells_what_would_answer(capsys):
    @ovld.ovld
    def show(item: Text):
        return "text"

    show.display_resolution(Text())
    assert "will be called first" in capsys.readouterr().out
    assert show.resolve(Text)(Text()) == "text"


def test_ovld_functions_can_be_pickled():
    assert pickle.loads(pickle.dumps(ovld_function)) is ovld_function


@ovld.ovld
def ovld_function(item: Text):
    return "text"


# --- zope.component -----------------------------------------------------------------------


class IShown(Interface):
    """The look of an item."""


class IMarked(Interface):
    """Provided by single objects."""


def test_zope_lets_the_first_object_decide():
    components = Components()
    components.registerAdapter(lambda item, place: "by item", (Text, Interface), IShown)
    components.registerAdapter(lambda item, place: "by place", (Item, Page), IShown)
    assert components.queryMultiAdapter((Text(), Page()), IShown) == "by item"


def test_zope_knows_what_one_object_provides():
    components = Components()
    components.registerAdapter(lambda item: "marked", (IMarked,), IShown)
    marked = Text()
    directlyProvides(marked, IMarked)
    assert components.queryAdapter(marked, IShown) == "marked"
    assert components.queryAdapter(Text(), IShown) is None


def test_zope_finds_no_virtual_subclass_but_interfaces_of_the_standard_abstract_classes():
    class Late:
        pass

    Virtual.register(Late)
    components = Components()
    components.registerAdapter(lambda item: "virtual", (Virtual,), IShown)
    components.registerAdapter(lambda item: "sized", (ISized,), IShown)
    assert components.queryAdapter(Late(), IShown) is None
    assert components.queryAdapter([], IShown) == "sized"


def test_zope_takes_none_for_not_found():
    components = Components()
    components.registerAdapter(lambda item: None, (Text,), IShown)
    assert components.queryAdapter(Text(), IShown, default="not found") == "not found"
    with pytest.raises(zope.component.ComponentLookupError):
        components.getAdapter(Text(), IShown)


def test_zope_has_one_name_for_each_adapter():
    components = Components()
    components.registerAdapter(lambda item: "a form", (Text,), IShown, name="edit")
    assert components.queryAdapter(Text(), IShown, name="edit") == "a form"
    assert components.queryAdapter(Text(), IShown) is None


def test_zope_asks_the_registry_in_front_first():
    behind = Components("behind")
    front = Components("front", bases=(behind,))
    behind.registerAdapter(lambda item, place: "behind", (Text, Page), IShown)
    front.registerAdapter(lambda item, place: "front", (Item, Interface), IShown)
    assert front.queryMultiAdapter((Text(), Page()), IShown) == "front"


def test_zope_looks_up_for_specifications():
    def text(item):
        return "text"

    components = Components()
    components.registerAdapter(text, (Text,), IShown)
    assert components.adapters.lookup((implementedBy(Text),), IShown) is text


def test_zope_finds_all_subscribers_and_unregisters():
    def second(item):
        return "second"

    components = Components()
    components.registerSubscriptionAdapter(lambda item: "first", (Item,), IShown)
    components.registerSubscriptionAdapter(second, (Text,), IShown)
    assert components.subscribers((Text(),), IShown) == ["first", "second"]
    assert components.unregisterSubscriptionAdapter(second, (Text,), IShown)


def test_zope_has_utilities():
    utility = object()
    components = Components()
    components.registerUtility(utility, IShown)
    assert components.getUtility(IShown) is utility


def test_zope_takes_a_proxy_for_what_it_claims_to_be():
    components = Components()
    components.registerAdapter(lambda item: "text", (Text,), IShown)
    assert components.queryAdapter(Pretender(), IShown) == "text"


def test_zope_has_a_current_site_for_each_thread_and_not_for_each_task():
    components = Components()

    class Place:
        def getSiteManager(self):  # noqa: N802
            return components

    def here():
        return zope.component.getSiteManager() is components

    async def inside(entered, left):
        with site(Place()):
            entered.set()
            await left.wait()

    async def beside(entered, left):
        await entered.wait()
        seen = here()
        left.set()
        return seen

    async def both():
        entered, left = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(inside(entered, left), beside(entered, left))

    setHooks()
    seen = []
    with site(Place()):
        assert here()
        thread = threading.Thread(target=lambda: seen.append(here()))
        thread.start()
        thread.join()
    assert seen == [False]
    assert asyncio.run(both()) == [None, True]


def test_zope_registries_of_the_default_kind_cannot_be_pickled():
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pickle.dumps(Components())
