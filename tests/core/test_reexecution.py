"""Implementations that are registered again, by the same module or cell executed again."""

from __future__ import annotations

import importlib
import sys

import pytest

import reg


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Write a module, and load it, the second time again."""
    monkeypatch.syspath_prepend(str(tmp_path))
    # Two versions written within a second have the same size and time, perhaps.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    host = importlib.import_module("types").ModuleType("host_of_shop")
    host.registry = reg.Registry()
    host.price = reg.generic(_price)
    monkeypatch.setitem(sys.modules, "host_of_shop", host)

    def load(source):
        (tmp_path / "shop_again.py").write_text(
            "import reg\nfrom host_of_shop import price, registry\n" + source
        )
        importlib.invalidate_caches()
        if "shop_again" in sys.modules:
            return importlib.reload(sys.modules["shop_again"])
        return importlib.import_module("shop_again")

    load.registry, load.price = host.registry, host.price
    yield load
    sys.modules.pop("shop_again", None)


def _price(item):
    return 0


ONE = """
class Item: pass

@registry.implements(price)
def of_item(item: Item):
    return 1
"""


def classes_of(registry):
    return [registration.classes for registration in registry.registrations()]


@pytest.mark.parametrize("replace", [True, False])
def test_an_implementation_replaces_its_former_self_for_a_class_made_anew(shop, replace):
    shop.registry.registry._reg_replace = replace
    former = shop(ONE).Item
    module = shop(ONE)
    assert former is not module.Item
    assert classes_of(shop.registry) == [(module.Item,)]
    assert shop.price(module.Item(), lookup=shop.registry) == 1
    assert reg.check(shop.registry) == []


def test_an_implementation_replaces_its_former_self_for_another_class(shop):
    shop(ONE)
    shop(ONE.replace("item: Item", "item: int"))
    assert classes_of(shop.registry) == [(int,)]


def test_all_members_of_a_former_union_go(shop):
    shop(ONE.replace("item: Item", "item: Item | str | int"))
    shop(ONE.replace("item: Item", "item: int"))
    assert classes_of(shop.registry) == [(int,)]


SAME_NAMES = """
class Item: pass
class Book: pass

@registry.implements(price)
def _(item: Item):
    return 1

@registry.implements(price)
def _(item: Book):
    return 2
"""


def test_functions_of_one_name_replace_their_former_selves_by_their_lines(shop):
    shop(SAME_NAMES)
    module = shop(SAME_NAMES)
    assert classes_of(shop.registry) == [(module.Item,), (module.Book,)]
    assert shop.price(module.Item(), lookup=shop.registry) == 1
    assert shop.price(module.Book(), lookup=shop.registry) == 2


IN_A_LOOP = """
for cls in (int, str):
    @registry.implements(price)
    def _(item: cls):
        return 1

    @registry.implements(price)
    def _(item: list[cls] if False else (float if cls is int else bytes)):
        return 2
"""


def test_what_a_loop_registers_stays(shop):
    shop(IN_A_LOOP)
    assert classes_of(shop.registry) == [(int,), (float,), (str,), (bytes,)]


IN_A_FUNCTION = """
def register(cls):
    @registry.implements(price)
    def of_cls(item: cls):
        return cls

    return of_cls

register(int)
register(str)
"""


def test_what_a_function_registers_several_times_stays(shop):
    shop(IN_A_FUNCTION)
    assert classes_of(shop.registry) == [(int,), (str,)]
    assert shop.price("", lookup=shop.registry) is str


IN_A_CLASS = """
class Item: pass

class Prices:
    @staticmethod
    @registry.implements(price)
    def of_item(item: Item):
        return 1
"""


def test_an_implementation_in_a_class_replaces_its_former_self(shop):
    shop(IN_A_CLASS)
    module = shop(IN_A_CLASS)
    assert classes_of(shop.registry) == [(module.Item,)]


def test_code_from_text_registers_several_functions_of_one_name():
    registry = reg.Registry()
    price = reg.generic(_price)
    namespace = {"registry": registry, "price": price}
    for cls in ("int", "str"):
        exec(f"@registry.implements(price)\ndef _(item: {cls}): return 1", namespace)
    assert classes_of(registry) == [(int,), (str,)]


def test_another_registry_keeps_its_registration(shop):
    shop(ONE)
    other = reg.Registry()
    function = sys.modules["shop_again"].of_item
    other.register(shop.price, [int], function)
    shop(ONE)
    assert classes_of(other) == [(int,)]


def test_registrations_under_other_keys_stay(shop):
    both = ONE + "\nregistry.register('key', [int], of_item)\n"
    shop(both)
    shop(both)
    keys = [registration.key for registration in shop.registry.registrations()]
    assert len(keys) == 2
    assert set(keys) == {shop.price, "key"}
