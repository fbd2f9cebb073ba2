"""NetworkX as a host of ``reg.backends``, whose decorator stands for NetworkX's own.

Import this module before NetworkX; as a plugin of pytest, that is ``pytest -p networkx_host``.
"""

import functools
import importlib.abc
import importlib.machinery
import inspect
import sys
import time

from reg.backends import BackendDispatcher
from reg.backends.testing import HostSuite

dispatcher = BackendDispatcher(
    entrypoint_group="networkx_host.backends",
    host_name="networkx",
    trusted_backends={"parallel": {"package": "networkx-host"}},
    environment_variable="NETWORKX_HOST_BACKEND",
    convert=True,
)
settings = dispatcher.settings
#: the functions of NetworkX that dispatch, by the name of the exports of backends
functions = {}
#: why others do not, by name
left_as_they_are = {}
#: how long the decoration took
seconds = 0.0


def dispatchable(
    function=None, *, name=None, graphs="G", mutates_input=False, implemented_by_nx=True, **others
):
    """Stand for the decorator of NetworkX, whose further arguments are about its conversions."""
    if function is None:
        return lambda one: dispatchable(one, name=name, graphs=graphs, mutates_input=mutates_input)
    global seconds
    name = name or function.__name__
    graphs = [graphs] if isinstance(graphs, str) else list(graphs or ())
    graphs = [graph.strip("?[]") for graph in graphs]
    begin = time.perf_counter()
    try:
        functions[name] = dispatcher.backend_dispatch(
            name=name, deciding=graphs or None, mutates_input=changing(graphs, mutates_input)
        )(function)
    except TypeError as error:
        # It takes *args, which cannot be passed on by name.
        left_as_they_are[name] = str(error)
        return function
    finally:
        seconds += time.perf_counter() - begin
    return with_fixed_signature(functions[name], function)


def with_fixed_signature(dispatched, function):
    """Wrap a function for the decorators of NetworkX, which compile other functions of it later.

    They take the defaults when they decorate, and the signature at the first call; meanwhile,
    backends may have added parameters. So these are ``**backend_kwargs``, as in NetworkX.
    """

    @functools.wraps(dispatched)
    def hosted(*args, **keywords):
        return dispatched(*args, **keywords)

    signature = inspect.signature(dispatched)
    parameters = [*signature.parameters.values()]
    if parameters[-1].kind is not inspect.Parameter.VAR_KEYWORD:
        parameters.append(inspect.Parameter("backend_kwargs", inspect.Parameter.VAR_KEYWORD))
    hosted.__signature__ = signature.replace(parameters=parameters)
    hosted.__defaults__ = function.__defaults__
    hosted.__kwdefaults__ = {**(function.__kwdefaults__ or {}), "backend": None}
    hosted.orig_func = function
    return hosted


def changing(graphs, mutates_input):
    """Translate ``mutates_input`` of NetworkX: true, or names of arguments on which it depends."""
    if not mutates_input or mutates_input is True:
        return graphs if mutates_input else None

    def changed(given):
        for condition in mutates_input:
            name = condition.removeprefix("not ")
            # Left out, an argument has its default, which changes nothing.
            if name in given and bool(given[name]) is (name == condition):
                return graphs
        return []

    return changed


class Finder(importlib.abc.MetaPathFinder):
    """Finds the module with NetworkX's decorator, and replaces that before others import it."""

    def find_spec(self, name, path, target=None):
        if name != "networkx.utils.backends":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def execute_and_replace(module):
            execute(module)
            module._dispatchable = dispatchable

        spec.loader.exec_module = execute_and_replace
        return spec


if "networkx" in sys.modules:
    raise ImportError("import networkx_host before networkx: its functions are decorated already")
sys.meta_path.insert(0, Finder())

import networkx  # noqa: E402, F401 (behind the finder that replaces its decorator)


def pytest_reg_host():
    return HostSuite(dispatcher)
