"""A choice that is taken along."""

import asyncio
import concurrent.futures
import gc
import importlib
import inspect
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import threading
import types
import warnings

import cloudpickle
import pytest

from reg.backends import BackendDispatcher, BackendFallbackError

from ..interpreters import THREADS_INHERIT_CONTEXT


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
    assert seen == ["accel", "accel" if THREADS_INHERIT_CONTEXT else "host"]


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


def test_a_dispatcher_that_a_helper_made_is_found_in_the_module_of_its_functions(host):
    module = types.ModuleType("helped_host_of_a_test")
    sys.modules[module.__name__] = module
    try:
        module.dispatcher = host()
        exec("@dispatcher.backend_dispatch\ndef f(x): return 'host'", vars(module))
        assert pickle.loads(pickle.dumps(module.dispatcher)) is module.dispatcher
        bound = pickle.loads(pickle.dumps(module.dispatcher.settings.bind(module.f)))
        assert bound(1) == "host"
        # One that keeps its settings alone.
        module.settings = module.dispatcher.settings
        del module.dispatcher
        assert pickle.loads(pickle.dumps(module.settings)) is module.settings
    finally:
        del sys.modules[module.__name__]


def test_a_dispatcher_without_a_name_is_found_by_its_host_and_group():
    options = {"entrypoint_group": "nameless.backends", "host_name": "nameless"}
    dispatcher = BackendDispatcher(**options)
    pickled = pickle.dumps(dispatcher)
    assert pickle.loads(pickled) is dispatcher
    another = BackendDispatcher(**options)
    with pytest.raises(pickle.PicklingError, match=r"there are 2.*global variable"):
        pickle.dumps(dispatcher)
    del another, dispatcher
    gc.collect()
    with pytest.raises(pickle.UnpicklingError, match="there are 0 backend dispatchers of nameless"):
        pickle.loads(pickled)


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


def in_a_program(site, program):
    """Run a program that finds the host and its backends, as another process does."""
    return subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site.path)},
    ).stdout.split()


HOST = """
import sys
from reg.backends import BackendDispatcher

dispatcher = BackendDispatcher(
    entrypoint_group="example_host.backends", host_name="host", untrusted="allow"
)

@dispatcher.backend_dispatch
def f(x):
    return "host"

@dispatcher.backend_class
class Model:
    def fit(self):
        return "host"

def work(x):
    return f(x), Model().fit(), dispatcher.settings.backend
"""


@pytest.fixture
def installed(site):
    site.write("installed_host_of_a_test", HOST)
    site.backend(
        "accel",
        """
        def f(x): return "accel"
        class Model:
            def fit(self): return "accel"
        """,
    )
    return importlib.import_module("installed_host_of_a_test")


@pytest.mark.parametrize("pickler", [pickle, cloudpickle], ids=lambda each: each.__name__)
def test_a_choice_is_taken_into_another_program(installed, site, pickler):
    settings = installed.dispatcher.settings
    with settings.use_backend("accel"):
        bound = settings.bind(installed.work)
        expected = bound(1)
    printed = in_a_program(
        site,
        f"""
import pickle
bound = pickle.loads({pickler.dumps(bound)!r})
print(*bound(1))
import installed_host_of_a_test as host
print(*host.work(1))
""",
    )
    assert expected == ("accel", "accel", "accel")
    assert tuple(printed) == (*expected, "host", "host", "cpu")


@pytest.mark.parametrize(
    "start", sorted({"spawn", "fork"} & set(multiprocessing.get_all_start_methods()))
)
def test_a_choice_is_taken_into_a_pool_of_processes(installed, start):
    settings = installed.dispatcher.settings
    with settings.use_backend("accel"):
        bound = settings.bind(installed.work)
    with warnings.catch_warnings():
        # From Python 3.12 on, of forking where there are threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        context = multiprocessing.get_context(start)
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            assert list(pool.map(bound, [1, 2])) == [("accel", "accel", "accel")] * 2
            assert pool.submit(installed.work, 1).result() == ("host", "host", "cpu")


def test_a_function_without_a_name_is_bound_for_a_pickler_that_takes_functions(installed, site):
    settings = installed.dispatcher.settings
    with settings.use_backend("accel"):
        data = cloudpickle.dumps(settings.bind(lambda x: installed.f(x)))
    assert in_a_program(site, f"import pickle; print(pickle.loads({data!r})(1))") == ["accel"]


HIDDEN = """
from types import SimpleNamespace
from helper_of_a_test import make

parts = SimpleNamespace(dispatcher=make())

@parts.dispatcher.backend_dispatch
def f(x):
    return "host"
"""
HELPER = """
from reg.backends import BackendDispatcher

def make():
    return BackendDispatcher(
        entrypoint_group="example_host.backends", host_name="hidden", untrusted="allow"
    )
"""


def test_a_dispatcher_that_no_variable_holds_is_found_over_there(site):
    site.write("helper_of_a_test", HELPER)
    site.write("hidden_host_of_a_test", HIDDEN)
    site.backend("accel", "def f(x): return 'accel'")
    hidden = importlib.import_module("hidden_host_of_a_test")
    settings = hidden.parts.dispatcher.settings
    with settings.use_backend("accel"):
        data = pickle.dumps(settings.bind(hidden.f))
    assert in_a_program(site, f"import pickle; print(pickle.loads({data!r})(1))") == ["accel"]


def test_a_choice_that_is_not_installed_over_there_says_so_at_the_call(installed, site):
    settings = installed.dispatcher.settings
    with settings.use_backend("accel"):
        data = pickle.dumps(settings.bind(installed.f))
    for path in site.path.glob("*.dist-info"):
        shutil.rmtree(path)
    program = f"""
import pickle
bound = pickle.loads({data!r})
try:
    bound(1)
except ValueError as error:
    print("accel" in str(error))
"""
    assert in_a_program(site, program) == ["True"]
