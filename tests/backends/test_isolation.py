"""Tests of a host that put in backends, and leave no trace."""

import inspect
import types

import pytest


@pytest.fixture
def f(host, site):
    site.backend("real", "def f(x, *, device=0): return 'real'")
    trusted = {"turbo": {"package": "turbo-dist"}, "real": {}}
    dispatcher = host(untrusted="warn", trusted_backends=trusted)

    @dispatcher.backend_dispatch
    def f(x):
        """Do it.

        Parameters
        ----------
        x
            The x.
        """
        return "host"

    f.dispatcher = dispatcher
    return f


class Turbo:
    aliases = ("fast",)
    array_types = (complex,)

    def f(self, x, *, streams=1):
        return f"turbo {streams}"


def test_a_backend_can_be_given_as_anything(f):
    module = types.ModuleType("a_module")
    module.f = lambda x: "module"
    backends = {
        "module": module,
        "class": Turbo,
        "object": types.SimpleNamespace(f=Turbo().f),
        "mapping": {"f": lambda x: "mapping"},
    }
    with f.dispatcher.testing.installed(backends):
        answers = {name: f(1, backend=name) for name in backends}
    assert answers == {
        "module": "module",
        "class": "turbo 1",
        "object": "turbo 1",
        "mapping": "mapping",
    }


def test_no_other_backend_is_there_in_the_block(f):
    assert f(1, backend="real") == "real"
    with f.dispatcher.testing.installed({"turbo": Turbo}):
        assert f.dispatcher.available_backend_names() == ["fast", "turbo"]
        assert f(1j, backend="auto") == "turbo 1"
        with pytest.raises(ImportError, match="'real' of example_host is not installed"):
            f(1, backend="real")
        f.dispatcher.discover()
        assert f.dispatcher.settings.available_backends() == ["turbo"]
    assert f(1, backend="real") == "real"
    with pytest.raises(ImportError, match="pip install turbo-dist"):
        f(1, backend="turbo")


def test_a_block_without_backends_is_one_where_nothing_is_installed(f):
    with f.dispatcher.testing.installed({}):
        assert f.dispatcher.available_backend_names() == []
        with pytest.raises(ValueError, match="no backends are installed"):
            f.dispatcher.settings.backend = "other"


def test_choices_are_put_back(f):
    settings = f.dispatcher.settings
    settings.backend = "real"
    settings.default_backend = "real"
    with f.dispatcher.testing.installed({"turbo": Turbo}):
        assert settings.backend == settings.default_backend == "cpu"
        settings.backend = settings.default_backend = "fast"
        assert f(1) == "turbo 1"
    assert settings.backend == settings.default_backend == f(1) == "real"
    settings.backend = "cpu"


def test_signatures_and_docstrings_are_put_back(f):
    f.dispatcher.discover()
    before = inspect.signature(f), f.__doc__
    with f.dispatcher.testing.installed({"turbo": Turbo}):
        assert "device" not in inspect.signature(f).parameters
        f.dispatcher.discover()
        assert list(inspect.signature(f).parameters) == ["x", "streams", "backend"]
        assert "streams (turbo)" in f.__doc__
        assert "device" not in f.__doc__
    assert (inspect.signature(f), f.__doc__) == before
    assert "device (real)" in f.__doc__


def test_an_isolated_block_begins_undiscovered(host, site):
    module = site.backend("accel", "class Made: pass\n")
    dispatcher = host()
    dispatcher.discover()
    with dispatcher.testing.isolated():
        assert [row.outcome for row in dispatcher.installed()] == ["not loaded"]
        dispatcher.settings.backend = "accel"
        assert site.imported(module)
    assert [row.outcome for row in dispatcher.installed()] == ["loaded"]
    assert dispatcher.settings.backend == "cpu"


@pytest.mark.parametrize("backends", [["turbo"], "turbo", None, {3: Turbo}])
def test_backends_are_given_by_name(f, backends):
    with pytest.raises(TypeError, match="mapping of backends by name"):  # noqa: SIM117
        with f.dispatcher.testing.installed(backends):
            pass


def test_a_given_backend_that_cannot_be_used_says_why(f):
    with f.dispatcher.testing.installed({"cpu": Turbo, "broken": lambda: 1 / 0}):
        with pytest.warns(UserWarning, match="its name 'cpu' is reserved"):
            f.dispatcher.discover()
        assert f.dispatcher.settings.available_backends() == ["broken"]
