"""Backends as class lookups of the dispatch core."""

import sys
import types

import pytest

import reg


@pytest.fixture
def f(host, site):
    """A host's function that a backend can import."""
    module = types.ModuleType("core_host_of_a_test")
    sys.modules[module.__name__] = module
    site.modules.append(module.__name__)
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x, y=None):
        return "host"

    module.f = f
    f.dispatcher = dispatcher
    return f


WITH_REGISTRY = """
    import reg
    from core_host_of_a_test import f as host_f
    registry = reg.ClassRegistry(name="accel's own")

    @registry.register(host_f, [int])
    def f_of_int(x, y=None, more=0): return "int", more

    @registry.register(host_f, [int, str])
    def f_of_int_and_str(x, y): return "int and str"
    """


def test_exports_are_components_under_the_hosts_function(f, site):
    site.backend("accel", "def f(x, y=None): return 'accel'")
    accel = f.dispatcher.get_backend("accel")
    lookup = f.dispatcher.lookup("accel")
    assert isinstance(lookup, reg.Lookup)
    assert lookup.component(f, ()) is accel.f
    assert lookup.all(f, ()) == [accel.f, f.__wrapped__]
    assert f.dispatcher.lookup().all(f, ()) == [f.__wrapped__]


def test_a_choice_is_a_composition_that_ends_with_the_host(f, site):
    site.backend("accel")
    site.backend("other", "def f(x): return 'other'")
    lookup = f.dispatcher.lookup(["accel", "other"])
    parts = lookup.class_lookup.lookups
    assert len(parts) == 3
    other = f.dispatcher.get_backend("other")
    assert lookup.all(f, ()) == [other.f, f.__wrapped__]


def test_a_backend_may_register_for_classes(f, site):
    site.backend("accel", WITH_REGISTRY + "\n    def f(x, y=None): return 'any'\n")
    for _ in range(2):
        assert f(1, backend="accel") == ("int", 0)
        assert f(True, more=2, backend="accel") == ("int", 2)
        assert f(1, "a", backend="accel") == "int and str"
        assert f("a", backend="accel") == "any"
        assert f(1) == "host"


def test_what_it_does_not_register_for_the_host_runs(f, site):
    site.backend("accel", WITH_REGISTRY)
    assert f("a", backend="accel") == "host"
    assert f(1, backend="accel") == ("int", 0)


def test_a_later_registration_is_seen(f, site):
    site.backend("accel", WITH_REGISTRY)
    assert f("a", backend="accel") == "host"
    registry = f.dispatcher.get_backend("accel").registry
    registry.register(f, [str], lambda x: "later")
    assert f("a", backend="accel") == "later"
    registry.unregister(f, [str])
    assert f("a", backend="accel") == "host"


def test_the_cores_tools_see_what_is_registered(f, site):
    site.backend("accel", WITH_REGISTRY)
    lookup = f.dispatcher.lookup("accel")
    registry = f.dispatcher.get_backend("accel").registry
    assert {each.classes for each in registry.registrations()} == {(int,), (int, str)}
    assert lookup.component(f, [1]).__name__ == "f_of_int"
    exports = lookup.class_lookup.lookups[0].lookups[-1]
    assert [each.key for each in exports.registrations()] == [f]


def test_a_warm_call_is_forgotten_by_the_core_when_it_changes(f, site):
    site.backend("accel", "def f(x): return 'accel'")
    for _ in range(2):
        assert f(1, backend="accel") == "accel"
    lookup = f.dispatcher.lookup("accel")
    exports = lookup.class_lookup.lookups[0].lookups[-1]
    exports.register(f, (), lambda x: "registered")
    assert f(1, backend="accel") == "registered"
