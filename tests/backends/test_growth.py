"""The objects that a host makes and drops for ever leave nothing behind."""

from __future__ import annotations

import contextvars
import functools

import pytest

from reg.backends import BackendDispatcher

from ..growth import assert_leaves_nothing


class Animal: ...


@pytest.fixture
def accel(site):
    """A backend that is installed, and owns a class."""
    site.backend("accel", "def of(thing): return 'accel'")


def options():
    return {
        "entrypoint_group": "example_host.backends",
        "host_name": "example_host",
        "untrusted": "allow",
    }


def host_of(dispatcher):
    @dispatcher.backend_dispatch
    def of(thing):
        return "host"

    return of


def in_a_context_of_its_own(make):
    """A context keeps every variable that was ever set in it, and so its maker."""

    @functools.wraps(make)
    def made():
        return contextvars.copy_context().run(make)

    return made


def test_dispatchers_and_their_functions_leave_nothing():
    def a_dispatcher():
        dispatcher = BackendDispatcher(**options())
        of = host_of(dispatcher)
        assert of(Animal()) == "host"
        assert dispatcher.settings.backend == "cpu"
        assert dispatcher.settings.bind(of)(1) == "host"
        return dispatcher

    assert_leaves_nothing(in_a_context_of_its_own(a_dispatcher), 500)


def test_choices_and_calls_that_come_and_go_leave_nothing(accel):
    dispatcher = BackendDispatcher(**options())
    of = host_of(dispatcher)
    settings = dispatcher.settings

    def a_call():
        bound = settings.bind(of)
        with settings.use_backend("accel", strict=True):
            assert of(Animal()) == "accel"
        with settings.use_backend(["accel", "cpu"]), dispatcher.record() as records:
            assert of(Animal()) == "accel"
        assert len(records) == 1
        assert dispatcher.explain(of, 1, backend="accel").backend == "accel"
        assert bound(1) == of(1) == "host"
        return bound

    assert_leaves_nothing(a_call, 1_000)


@pytest.mark.needs_mortal_classes
def test_classes_of_arguments_leave_nothing(accel):
    dispatcher = BackendDispatcher(**options())
    of = host_of(dispatcher)

    def a_class():
        cls = type("Kitten", (Animal,), {})
        assert of(cls(), backend="auto") == "host"
        assert of(cls(), backend="accel") == "accel"
        return cls

    assert_leaves_nothing(a_class, 2_000)


@pytest.mark.needs_mortal_classes
def test_classes_that_dispatch_leave_nothing():
    def a_dispatched_class():
        dispatcher = BackendDispatcher(**options())
        cls = dispatcher.backend_class(type("Model", (), {"__module__": __name__}))
        assert isinstance(cls(), cls)
        assert isinstance(cls(backend="cpu"), cls)
        return cls

    assert_leaves_nothing(in_a_context_of_its_own(a_dispatched_class), 500)


def test_dispatchers_that_discovered_backends_leave_nothing(accel):
    def a_discovery():
        dispatcher = BackendDispatcher(**options())
        of = host_of(dispatcher)
        with dispatcher.settings.use_backend("accel"):
            assert of(1) == "accel"
        assert of(1, backend="auto") == "host"
        return dispatcher

    # Each reads the metadata of all distributions there are.
    assert_leaves_nothing(in_a_context_of_its_own(a_discovery), 10)
