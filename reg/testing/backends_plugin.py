"""The pytest plugin that runs a host's own tests on its backends.

``pytest --reg-backend numexpr --reg-backend dask`` runs each test once on each backend. It is
loaded, and the option is known, where a ``conftest.py`` configures a host::

    def pytest_reg_host():
        return reg.backends.testing.HostSuite(dispatcher, tolerances=…)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from reg.backends.testing import HostSuite

__all__ = ["reg_tolerance"]

_RECORDS = pytest.StashKey[tuple[str, list[Any]]]()


class _Hooks:
    @pytest.hookspec(firstresult=True)
    def pytest_reg_host(self, config: pytest.Config) -> HostSuite | None:
        """Return the dispatcher under test, with the tolerances and failures of its backends."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(_Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("reg").addoption(
        "--reg-backend",
        action="append",
        default=[],
        metavar="NAME",
        help="run every test on this backend; can be given several times",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "backend_functions(*names): the functions this test is about;"
        " it is skipped for backends that lack one of them",
    )


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    names = _backends(config)
    if not names:
        return
    suite = _suite(config)
    if suite is None:
        raise pytest.UsageError(
            "--reg-backend needs a conftest.py that defines pytest_reg_host(), which returns a"
            " reg.backends.testing.HostSuite"
        )
    for name in names:
        try:
            suite.dispatcher.get_backend(name)
            with suite.isolated(), suite.dispatcher.settings.use_backend(name):
                pass
        except (ImportError, ValueError) as error:
            raise pytest.UsageError(f"--reg-backend {name}: {error}") from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = _backends(metafunc.config)
    if names:
        metafunc.parametrize("_reg_backend", names, indirect=True)


@pytest.fixture(autouse=True)
def _reg_backend(request: pytest.FixtureRequest) -> Generator[str | None]:
    """Run the test on the backend it is parametrized with, and restore the settings afterwards."""
    suite = _suite(request.config)
    if suite is None:
        yield None
        return
    names = _backends(request.config)
    name = getattr(request, "param", names[0] if names else None)
    if name is None:
        with suite.isolated():
            yield None
        return
    with suite.running_on(name) as records:
        marker = request.node.get_closest_marker("backend_functions")
        functions = marker.args if marker is not None else ()
        backend = suite.dispatcher.get_backend(name)
        for function in functions:
            if getattr(backend, function, None) is None:
                pytest.skip(f"{name} does not implement {function}()")
        test = getattr(request.node, "originalname", None) or request.node.name
        reason = suite.expected_failure(name, (test, *functions))
        if reason is not None:
            request.applymarker(pytest.mark.xfail(reason=f"{name}: {reason}", strict=True))
        canonical = suite.dispatcher.settings.backend
        request.node.stash[_RECORDS] = (str(canonical), records)
        yield name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Skip, afterwards, a test that passed without the backend having run anything."""
    result = yield
    name, records = item.stash.get(_RECORDS, ("", []))
    if name and all(record.backend != name for record in records):
        pytest.skip(f"{name} ran nothing in this test")
    return result


@pytest.fixture
def reg_tolerance(
    request: pytest.FixtureRequest, _reg_backend: str | None
) -> Callable[[str], Mapping[str, float]]:
    """The tolerances of the backend under test: ``reg_tolerance(function)`` → keyword arguments.

    Empty where the host itself is under test.
    """
    suite = _suite(request.config)

    def tolerance(function: str) -> Mapping[str, float]:
        if suite is None or _reg_backend is None:
            return {}
        return suite.tolerances.get(function, {})

    return tolerance


def _backends(config: pytest.Config) -> list[str]:
    # Without the option where a conftest.py of a lower directory configures the host.
    return list(config.getoption("reg_backend", None) or ())


def _suite(config: pytest.Config) -> HostSuite | None:
    suite: HostSuite | None = config.hook.pytest_reg_host(config=config)
    return suite
