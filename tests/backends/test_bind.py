"""A choice that is taken along."""

import asyncio
import inspect
import pickle
import sys
import threading
import types

import pytest

from reg.backends import BackendFallbackError


@pytest.fixture
def module(host, site):
    """A host's module, which other processes would import."""
    module = types.ModuleType("bound_host_of_a_test")
    sys.modules[module.__name__] = module
    site.modules.append(module.__name__)
    site.backend("accel", "def f(x): return 'accel'")
    exec(
        """
from reg.backends import BackendDispatcher
dispatcher = BackendDispatcher(
    entrypoint_group="example_host.backends", host_name="host", untrusted="allow"
)
@dispatcher.backend_dispatch
def f(x): return "host"
@dispatcher.backend_dispatch
def g(x): return "host"
""",
        vars(module),
    )
    return module


def test_a_bound_function_keeps_the_choice(module):
    settings = module.dispatcher.settings
    with settings.use_backend("accel"):
        bound = settings.bind(module.f)
    assert (bound(1), module.f(1), settings.backend) == ("accel", "host", "cpu")
    with settings.use_backend("accel"):
        assert settings.bind(settings.bind(module.f))(x=1) == "accel"


def test_in_a_thread(module):
    settings = module.dispatcher.settings
    seen = []
    with settings.use_backend("accel"):
        bound = settings.bind(lambda: seen.append(module.f(1)))
        for target in (bound, lambda: seen.append(module.f(1))):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == ["accel", "host"]


def test_it_is_pickled_with_choice_and_strictness(module):
    settings = module.dispatcher.settings
    with settings.use_backend(["accel", "auto"], strict=True):
        bound = pickle.loads(pickle.dumps(settings.bind(module.f)))
        strict = pickle.loads(pickle.dumps(settings.bind(module.g)))
    assert bound(1) == "accel"
    with pytest.raises(BackendFallbackError):
        strict(1)


def test_dispatcher_and_settings_are_pickled_by_name(module):
    assert pickle.loads(pickle.dumps(module.dispatcher)) is module.dispatcher
    settings = module.dispatcher.settings
    assert pickle.loads(pickle.dumps(settings)) is settings


def test_a_dispatcher_without_a_name_says_so(host):
    with pytest.raises(pickle.PicklingError, match="global variable"):
        pickle.dumps(host())


def test_coroutine_functions_are_bound_too(module):
    async def call():
        await asyncio.sleep(0)
        return module.f(1)

    with module.dispatcher.settings.use_backend("accel"):
        bound = module.dispatcher.settings.bind(call)
    assert asyncio.run(_await(bound)) == "accel"
    assert inspect.iscoroutinefunction(bound._call)


async def _await(bound):
    return await bound()
