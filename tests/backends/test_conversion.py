"""Arguments of the host's kind that are converted for a backend, and results that come back."""

import asyncio
import gc
import importlib
import weakref

import pytest

from reg.backends import BackendFallbackError

SOURCE = """
    converts = ["graphs_of_a_test:Graph"]
    conversions = []

    class Fast:
        def __init__(self, nodes): self.nodes = list(nodes)

    array_types = [Fast]

    def convert_from_host(graph):
        conversions.append(graph.nodes[:])
        return Fast(graph.nodes)

    def convert_to_host(result):
        from graphs_of_a_test import Graph
        return Graph(result.nodes) if isinstance(result, Fast) else result

    def size(graph, other=None): return type(graph).__name__, len(graph.nodes)
    def reverse(graph): return Fast(graph.nodes[::-1])
    def add(graph, node): graph.nodes.append(node)
    def relabel(graph, copy=True): return Fast([f"fast {node}" for node in graph.nodes])
    async def fetch(graph): return Fast(graph.nodes)
    def walk(graph): yield from graph.nodes
    def fails(graph): raise NotImplementedError(type(graph).__name__)
    """
GRAPHS = """
    class Graph:
        def __init__(self, nodes):
            self.nodes, self.version = list(nodes), 0
        def append(self, node):
            self.nodes.append(node)
            self.version += 1
    class Slotted(Graph):
        __slots__ = ()
    """


@pytest.fixture
def graphs(site):

    site.write("graphs_of_a_test", GRAPHS)
    return importlib.import_module("graphs_of_a_test")


@pytest.fixture
def world(host, site, graphs):
    """Makes the functions of a host; ``world.fast`` is the backend."""
    site.backend("fast", SOURCE)

    class World:
        def __init__(self, **options):
            self.dispatcher = dispatcher = host(**options)
            self.fast = dispatcher.get_backend("fast")

            @dispatcher.backend_dispatch
            def size(graph, other=None):
                return "host", len(graph.nodes)

            @dispatcher.backend_dispatch
            def reverse(graph):
                return graphs.Graph(graph.nodes[::-1])

            @dispatcher.backend_dispatch(mutates_input=["graph"])
            def add(graph, node):
                graph.nodes.append(node)

            @dispatcher.backend_dispatch(
                mutates_input=lambda given: [] if given.get("copy", True) else ["graph"]
            )
            def relabel(graph, copy=True):
                graph = graphs.Graph(graph.nodes) if copy else graph
                graph.nodes[:] = [f"host {node}" for node in graph.nodes]
                return graph

            @dispatcher.backend_dispatch
            async def fetch(graph):
                return graph

            @dispatcher.backend_dispatch
            def walk(graph):
                yield from ()

            @dispatcher.backend_dispatch
            def fails(graph):
                return "host"

            self.size, self.reverse, self.add, self.relabel = size, reverse, add, relabel
            self.fetch, self.walk, self.fails = fetch, walk, fails

    return World


def cached(world):
    return world(convert=True, version_of=lambda graph: graph.version)


def test_nothing_is_converted_unless_the_host_turns_it_on(world, graphs):
    w = world()
    assert w.size(graphs.Graph("ab"), backend="fast") == ("Graph", 2)
    assert w.fast.conversions == []


def test_arguments_are_converted_and_results_come_back(world, graphs):
    w = world(convert=True)
    graph = graphs.Graph("abc")
    for _ in range(2):
        assert w.size(graph, backend="fast") == w.size(graph=graph, backend="fast") == ("Fast", 3)
        result = w.reverse(graph, backend="fast")
        assert (type(result), result.nodes) == (graphs.Graph, ["c", "b", "a"])
    assert w.fast.conversions == [["a", "b", "c"]] * 6
    assert w.size(graph) == ("host", 3)


def test_arguments_of_the_backends_own_kind_are_left_and_so_are_their_results(world, graphs):
    w = world(convert=True)
    result = w.reverse(w.fast.Fast("ab"), backend="fast")
    assert (type(result), result.nodes) == (w.fast.Fast, ["b", "a"])
    assert w.size(w.fast.Fast("ab"), backend="auto") == ("Fast", 2)
    assert w.fast.conversions == []


def test_a_derived_class_is_converted_too(world, graphs):
    assert world(convert=True).size(graphs.Slotted("ab"), backend="fast") == ("Fast", 2)


def test_coroutines_and_generators_get_converted_arguments(world, graphs):
    w = world(convert=True)
    graph = graphs.Graph("ab")
    assert type(asyncio.run(w.fetch(graph, backend="fast"))) is graphs.Graph
    assert list(w.walk(graph, backend="fast")) == ["a", "b"]
    assert len(w.fast.conversions) == 2


def test_the_next_in_line_gets_the_arguments_as_they_were(world, graphs):
    w = world(convert=True)
    assert w.fails(graphs.Graph("ab"), backend=["fast", "cpu"]) == "host"
    with pytest.raises(NotImplementedError, match="Fast"):
        w.fails(graphs.Graph("ab"), backend="fast")


def test_explain_says_which_arguments_are_converted(world, graphs):
    w = world(convert=True)
    explanation = w.dispatcher.explain(w.size, graphs.Graph("ab"), other=3, backend="fast")
    assert explanation.converted == ("graph",)
    assert "  converted: graph" in str(explanation).splitlines()
    assert w.dispatcher.explain(w.size, 3, backend="fast").converted == ()


# The cache


def test_an_unchanged_argument_is_converted_once(world, graphs):
    w = cached(world)
    graph, other = graphs.Graph("ab"), graphs.Graph("xyz")
    for _ in range(3):
        assert w.size(graph, backend="fast") == ("Fast", 2)
        assert w.size(other, backend="fast") == ("Fast", 3)
    assert len(w.fast.conversions) == 2


def test_a_changed_argument_is_converted_again(world, graphs):
    w = cached(world)
    graph = graphs.Graph("ab")
    assert w.size(graph, backend="fast") == ("Fast", 2)
    graph.append("c")
    assert w.size(graph, backend="fast") == ("Fast", 3)


@pytest.mark.parametrize("backend", [None, "cpu", "fast", ["fast", "cpu"], "auto"])
def test_a_function_that_changes_its_input_ends_the_conversion(world, graphs, backend):
    w = cached(world)
    graph = graphs.Graph("ab")
    assert w.size(graph, backend="fast") == ("Fast", 2)
    # It changes the nodes, and not the version.
    w.add(graph, "c", backend=backend)
    assert graph.nodes == ["a", "b", "c"]
    assert w.size(graph, backend="fast") == ("Fast", 3)


def test_an_argument_that_is_changed_is_not_converted(world, graphs):
    w = cached(world)
    graph = graphs.Graph("ab")
    with w.dispatcher.record() as calls:
        w.add(graph, "c", backend="fast")
    assert [call.backend for call in calls] == ["cpu"]
    assert "changes 'graph', and would change a converted copy" in calls[0].reason
    with pytest.raises(BackendFallbackError, match="would change a converted copy"):
        w.add(graph, "c", backend="fast", strict=True)
    own = w.fast.Fast("ab")
    w.add(own, "c", backend="fast")
    assert own.nodes == ["a", "b", "c"]
    assert w.fast.conversions == []


def test_the_host_says_when_a_function_changes_its_input(world, graphs):
    w = cached(world)
    graph = graphs.Graph("ab")
    assert w.relabel(graph, backend="fast").nodes == ["fast a", "fast b"]
    assert w.relabel(graph, copy=False, backend="fast").nodes == ["host a", "host b"]
    assert w.relabel(graph, backend="fast").nodes == ["fast host a", "fast host b"]


def test_a_coroutine_function_that_changes_its_input_ends_the_conversion(world, graphs):
    w = cached(world)
    graph = graphs.Graph("ab")

    @w.dispatcher.backend_dispatch(name="add_later", mutates_input=["graph"])
    async def add_later(graph, node):
        assert w.size(graph, backend="fast") == ("Fast", 2)
        await asyncio.sleep(0)
        graph.nodes.append(node)

    asyncio.run(add_later(graph, "c"))
    assert w.size(graph, backend="fast") == ("Fast", 3)


def test_conversions_die_with_their_arguments(world, graphs):
    w = cached(world)
    graph, copies = graphs.Graph("ab"), []
    w.fast.size = lambda graph, other=None: copies.append(weakref.ref(graph))
    w.size(graph, backend="fast")
    assert copies[0]() is not None
    del graph
    gc.collect()
    assert copies[0]() is None


def test_an_argument_that_is_changed_while_it_is_converted_is_not_cached(world, graphs):
    w = cached(world)
    graph, convert = graphs.Graph("ab"), w.fast.convert_from_host

    def convert_and_change(given):
        converted = convert(given)
        given.append("c")
        return converted

    w.fast.convert_from_host = convert_and_change
    assert w.size(graph, backend="fast") == ("Fast", 2)
    w.fast.convert_from_host = convert
    assert w.size(graph, backend="fast") == ("Fast", 3)


# Declarations that cannot be used


def test_classes_without_a_function_to_convert_them_are_warned_about(host, site):
    site.backend("fast", "converts = [complex]\ndef f(x): return type(x).__name__")
    dispatcher = host(convert=True)

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    with pytest.warns(UserWarning, match="it has converts, and no function convert_from_host"):
        assert f(1j, backend="fast") == "complex"


@pytest.mark.parametrize("options", [{"version_of": id}, {"convert": True, "version_of": 3}])
def test_a_version_is_a_function_that_goes_with_conversion(host, options):
    with pytest.raises(ValueError, match="version_of"):
        host(**options)


@pytest.mark.parametrize("mutates_input", ["x", ["z"], [3]])
def test_arguments_that_are_changed_are_parameters(host, mutates_input):
    with pytest.raises(TypeError, match="mutates_input"):
        host().backend_dispatch(name="f", mutates_input=mutates_input)(lambda x: x)


def test_a_generator_function_cannot_say_that_it_changes_its_input(host):
    def f(x):
        yield x

    with pytest.raises(TypeError, match="generator function"):
        host().backend_dispatch(mutates_input=["x"])(f)
