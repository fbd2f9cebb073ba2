"""Calling functions through backends."""

import asyncio
import functools
import gc
import inspect
import weakref

import pytest

from reg.backends import BackendFallbackError

from ..interpreters import HAS_OTHERS, another_interpreter
from .conftest import GROUP


def decorated(dispatcher, function):
    return dispatcher.backend_dispatch(function)


class Callable:
    def __call__(self, x):
        return x


class Owner:
    def method(self, x):
        return x


def named_self(self, x):
    return x


def named_cls(cls):
    return cls


def variadic(x, *rest):
    return x


def has_backend(x, backend=None):
    return x


def has_backends(x, **backend):
    return x


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (Owner, "Owner"),
        (3, "3"),
        (Owner().method, "method"),
        (named_self, "named_self"),
        (named_cls, "named_cls"),
        (variadic, "variadic"),
        (has_backend, "has_backend"),
        (has_backends, "has_backends"),
        (min, "min"),
    ],
)
def test_what_cannot_dispatch_is_a_type_error_that_names_it(host, function, name):
    with pytest.raises(TypeError, match=name):
        host().backend_dispatch(function)


def test_decorating_twice_is_a_type_error(host):
    dispatcher = host()

    def f(x):
        return x

    once = dispatcher.backend_dispatch(f)
    with pytest.raises(TypeError, match="f has a parameter 'backend' already"):
        dispatcher.backend_dispatch(once)


def test_a_keyword_only_backend_is_added_before_the_keywords(host):
    def f(x, *, y=1, **options):
        return x, y, options

    g = host().backend_dispatch(f)
    names = list(inspect.signature(g).parameters)
    assert names == ["x", "y", "backend", "options"]
    parameter = inspect.signature(g).parameters["backend"]
    assert parameter.kind is parameter.KEYWORD_ONLY
    assert parameter.default is None
    assert g(1, z=2) == (1, 1, {"z": 2})
    assert g.__wrapped__ is f
    assert (g.__name__, g.__module__, g.__qualname__) == (f.__name__, f.__module__, f.__qualname__)


def test_the_host_is_called_with_what_was_given(host):
    def f(a, /, b, c=3, d=4, *, e, g=7):
        return a, b, c, d, e, g

    for dispatcher in (host(),):
        g = dispatcher.backend_dispatch(f)
        for backend in (None, "cpu"):
            assert g(1, 2, e=5, backend=backend) == f(1, 2, e=5)
            assert g(1, b=2, e=5, backend=backend) == f(1, b=2, e=5)
            assert g(1, 2, d=9, e=5, backend=backend) == f(1, 2, d=9, e=5)
            assert g(1, 2, 9, e=5, g=1, backend=backend) == f(1, 2, 9, e=5, g=1)
            assert g(1, 2, 9, 8, e=5, backend=backend) == f(1, 2, 9, 8, e=5)


@pytest.mark.parametrize("backend", [None, "cpu", "accel"])
def test_a_binding_error_is_the_hosts(host, site, backend):
    site.backend("accel", "def f(*args, **keywords): return 'accel'")

    def f(x, y=1):
        return x

    g = host().backend_dispatch(f)
    with pytest.raises(TypeError, match=r"f\(\) missing 1 required positional argument: 'x'"):
        g(backend=backend)
    with pytest.raises(TypeError, match=r"f\(\) takes from 1 to 2 positional arguments"):
        g(1, 2, 3, backend=backend)
    with pytest.raises(TypeError, match=r"f\(\) got multiple values for argument 'x'"):
        g(1, x=1, backend=backend)


def test_a_backend_only_keyword_on_the_host_is_the_hosts_error(host):
    def f(x):
        return x

    g = host().backend_dispatch(f)
    for backend in (None, "cpu"):
        with pytest.raises(TypeError, match=r"f\(\) got an unexpected keyword argument 'device'"):
            g(1, device=2, backend=backend)


def test_the_call_beats_the_setting(host, site):
    site.backend("accel", "def f(x): return 'accel'")
    site.backend("other", "def f(x): return 'other'")
    dispatcher = host()

    def f(x):
        return "host"

    g = dispatcher.backend_dispatch(f)
    with dispatcher.settings.use_backend("accel"):
        assert g(1) == "accel"
        assert g(1, backend=None) == "accel"
        assert g(1, backend="other") == "other"
        assert g(1, backend="cpu") == "host"


def test_what_a_backend_lacks_the_host_runs(host, site):
    site.backend("accel")

    def f(x):
        return "host"

    assert host().backend_dispatch(f)(1, backend="accel") == "host"


@pytest.mark.parametrize("export", ["None", "3", "type('C', (), {'__call__': 1})"])
def test_an_export_that_is_not_callable_is_a_type_error(host, site, export):
    site.backend("accel", f"f = {export}\nif f is not None and f != 3: f = f()\n")

    def f(x):
        return "host"

    with pytest.raises(TypeError, match=r"'f' of the backend 'accel'.*accel-dist"):
        host().backend_dispatch(f)(1, backend="accel")


def test_an_export_without_a_signature_is_a_type_error(host, site):
    site.backend("accel", "f = min")

    def f(x):
        return "host"

    with pytest.raises(TypeError, match="which arguments"):
        host().backend_dispatch(f)(1, backend="accel")


# Nested calls


@pytest.fixture
def nested(host, site):
    """A host with two functions, outer calling inner; accel implements the given ones."""

    def make(source):
        site.write("nested_host_of_a_test", "dispatcher = f = g = None")
        import nested_host_of_a_test as module

        site.backend("accel", "import nested_host_of_a_test as host\n" + source)
        module.dispatcher = dispatcher = host()

        @dispatcher.backend_dispatch
        def f(x):
            return ["host f", *module.g(x)]

        @dispatcher.backend_dispatch
        def g(x):
            return ["host g"]

        module.f, module.g = f, g
        return module

    return make


def test_a_choice_in_a_call_holds_for_the_calls_inside(nested):
    module = nested("def g(x): return ['accel g']")
    assert module.f(1, backend="accel") == ["host f", "accel g"]
    with module.dispatcher.settings.use_backend("accel"):
        assert module.f(1) == ["host f", "accel g"]
        for _ in range(2):
            assert module.f(1, backend="cpu") == ["host f", "host g"]
    assert module.f(1) == ["host f", "host g"]


def test_a_backend_that_calls_the_hosts_function_gets_the_hosts_code(nested):
    module = nested("def f(x): return ['accel f', *host.f(x)]\ndef g(x): return ['accel g']")
    for _ in range(3):
        assert module.f(1, backend="accel") == ["accel f", "host f", "accel g"]
        with module.dispatcher.settings.use_backend("accel"):
            assert module.f(1) == ["accel f", "host f", "accel g"]


def test_even_if_it_chooses_itself(nested):
    module = nested("def f(x): return ['accel f', *host.f(x, backend='accel')]")
    for _ in range(3):
        assert module.f(1, backend="accel") == ["accel f", "host f", "host g"]


def test_the_next_in_a_list_is_not_the_hosts_code(nested, site):
    module = nested("def f(x): return ['accel f', *host.f(x)]")
    site.backend("other", "def f(x): return ['other f']")
    for _ in range(2):
        with module.dispatcher.settings.use_backend(["accel", "other"]):
            assert module.f(1) == ["accel f", "host f", "host g"]
        nested_call = module.f(1, backend=["accel", "other"])
        assert nested_call == ["accel f", "host f", "host g"]


def test_a_backend_may_choose_another_inside(nested, site):
    module = nested("def f(x): return ['accel f', *host.f(x, backend='other')]")
    site.backend("other", "def f(x): return ['other f']")
    assert module.f(1, backend="accel") == ["accel f", "other f"]


def test_a_backend_may_export_the_hosts_function(nested):
    module = nested("f = host.f")
    module.dispatcher.get_backend("accel").f = module.f
    for _ in range(2):
        assert module.f(1, backend="accel") == ["host f", "host g"]


# What is worked out once


def test_routing_is_worked_out_once(host, site, monkeypatch):
    site.backend("accel", "def f(x): return 'accel'")
    dispatcher = host()

    def f(x):
        return "host"

    g = dispatcher.backend_dispatch(f)
    g(1, backend="accel")
    implementation = dispatcher.get_backend("accel").f
    asked = []
    real = inspect.signature
    monkeypatch.setattr(
        inspect, "signature", lambda *a, **k: (asked.append(a[0]), real(*a, **k))[1]
    )
    for choice in ("accel", ["accel"], ["accel", "cpu"], "accel"):
        assert g(1, backend=choice) == "accel"
    assert implementation not in asked


def test_calls_stay_warm_from_scope_to_scope(host, site):
    site.backend("accel", "def f(x): return 'accel'")
    dispatcher = host()

    def f(x):
        return "host"

    g = dispatcher.backend_dispatch(f)
    asked = []
    real = type(g.__reg_dispatched__).decide
    g.__reg_dispatched__.decide = lambda *args: (
        asked.append(args), real(g.__reg_dispatched__, *args)
    )[1]  # fmt: skip
    for _ in range(3):
        with dispatcher.settings.use_backend("accel"):
            assert g(1) == "accel"
    assert len(asked) == 1


def test_an_error_of_a_backend_comes_without_the_search_for_it(host, site):
    site.backend("accel", "def f(x): return 1 / x")

    @host().backend_dispatch
    def f(x):
        return "host"

    for choice in ("accel", ["accel", "cpu"], "accel"):
        with pytest.raises(ZeroDivisionError) as caught:
            f(0, backend=choice)
        assert caught.value.__context__ is None


def test_a_replaced_export_is_seen_and_the_old_one_dropped(host, site):
    # In a function: Python 3.13 without the lock keeps those of a module for ever, once there was
    # a second thread.
    site.backend(
        "accel",
        """
        def make():
            def f(x): return "old"
            return f
        f = make()
        """,
    )
    dispatcher = host()

    def f(x):
        return "host"

    g = dispatcher.backend_dispatch(f)
    assert [g(1, backend="accel") for _ in range(3)] == ["old"] * 3
    accel = dispatcher.get_backend("accel")
    old = weakref.ref(accel.f)
    accel.f = lambda x, *, more=1: "new"
    assert g(1, backend="accel", more=2) == "new"
    gc.collect()
    assert old() is None
    del accel.f
    assert g(1, backend="accel") == "host"
    accel.f = lambda x: "again"
    assert g(1, backend="accel") == "again"


def test_a_dynamic_backend_is_asked_each_time(host, site):
    site.backend(
        "dynamic",
        """
        count = 0
        def __getattr__(name):
            if name != "f": raise AttributeError(name)
            global count
            count += 1
            number = count
            return lambda x: number
        """,
    )

    def f(x):
        return 0

    g = host().backend_dispatch(f)
    numbers = [g(1, backend="dynamic") for _ in range(4)]
    assert numbers == sorted(set(numbers))
    assert 0 not in numbers


@pytest.mark.parametrize("kind", ["method", "static", "partial", "slots"])
def test_exports_of_any_kind_are_called(host, site, kind):
    site.write(
        "kinds_of_a_test",
        """
        import functools
        class Slots:
            __slots__ = ()
            def __call__(self, x, *, more=0): return ("accel", x, more)
        def function(y, x, *, more=0): return ("accel", x, more)
        class Backend:
            name = "accel"
            def method(self, x, *, more=0): return ("accel", x, more)
            @staticmethod
            def static(x, *, more=0): return ("accel", x, more)
            partial = staticmethod(functools.partial(function, 1))
            slots = Slots()
        """,
    )
    site.install("accel-dist", {"accel": "kinds_of_a_test:Backend"})

    def f(x):
        return "host"

    g = host().backend_dispatch(name=kind)(f)
    for _ in range(3):
        assert g(1, backend="accel") == ("accel", 1, 0)
        assert g(x=1, backend="accel", more=5) == ("accel", 1, 5)


# Kinds of functions


def test_an_async_function_stays_one(host, site):
    site.backend(
        "accel",
        """
        import asyncio
        async def f(x):
            await asyncio.sleep(0)
            return "accel"
        def plain(x): return "plain"
        """,
    )
    dispatcher = host()

    @dispatcher.backend_dispatch
    async def f(x):
        return "host"

    @dispatcher.backend_dispatch
    async def plain(x):
        return "host"

    assert inspect.iscoroutinefunction(f)

    async def main():
        with dispatcher.settings.use_backend("accel"):
            inside = [await f(1), await f(1), await plain(1), await plain(1)]
        return [*inside, await f(1), await f(1, backend="accel"), await f(1, backend="cpu")]

    assert asyncio.run(main()) == [
        *("accel", "accel", "plain", "plain"), *("host", "accel", "host")
    ]  # fmt: skip


def test_two_requests_at_once_run_on_their_backends(host, site):
    source = """
        import asyncio
        async def f(x):
            await asyncio.sleep(0)
            return __name__
        """
    site.backend("accel", source)
    site.backend("other", source)
    dispatcher = host()

    @dispatcher.backend_dispatch
    async def f(x):
        return "host"

    async def request(name):
        results = set()
        with dispatcher.settings.use_backend(name):
            for _ in range(20):
                results.add(await f(1))
        return results

    async def main():
        return await asyncio.gather(request("accel"), request("other"), request("cpu"))

    assert asyncio.run(main()) == [{"accel_of_a_test"}, {"other_of_a_test"}, {"host"}]


def test_generators_stay_generators(host, site):
    site.backend(
        "accel",
        """
        def f(x):
            try:
                got = yield x
            except KeyError:
                got = yield "caught"
            yield got
            return "returned"
        def listed(x): return [x, x]
        """,
    )
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x):
        yield "host"

    @dispatcher.backend_dispatch
    def listed(x):
        yield "host"

    assert inspect.isgeneratorfunction(f)
    assert list(f(1)) == ["host"]
    assert list(listed(1, backend="accel")) == [1, 1]
    generator = f(1, backend="accel")
    assert next(generator) == 1
    assert dispatcher.settings.backend == "cpu"
    assert generator.send("sent") == "sent"
    with pytest.raises(StopIteration) as stopped:
        next(generator)
    assert stopped.value.value == "returned"
    generator = f(1, backend="accel")
    next(generator)
    assert generator.throw(KeyError()) == "caught"
    generator.close()
    with pytest.raises(TypeError, match="missing 1 required"):
        f()


def test_async_generators_stay_async_generators(host, site):
    site.backend(
        "accel",
        """
        async def f(x):
            try:
                got = yield x
            except KeyError:
                got = yield "caught"
            yield got
        """,
    )
    dispatcher = host()

    @dispatcher.backend_dispatch
    async def f(x):
        yield "host"

    assert inspect.isasyncgenfunction(f)

    async def main():
        found = [each async for each in f(1)]
        generator = f(1, backend="accel")
        found += [await generator.__anext__(), dispatcher.settings.backend]
        found += [await generator.asend("sent")]
        await generator.aclose()
        generator = f(1, backend="accel")
        await generator.__anext__()
        found += [await generator.athrow(KeyError())]
        await generator.aclose()
        return found

    assert asyncio.run(main()) == ["host", 1, "cpu", "sent", "caught"]


def test_a_generator_keeps_the_choice_it_began_with(nested_generator):
    f, settings = nested_generator
    generator = f(1, backend="accel")
    assert next(generator) == "accel"
    with settings.use_backend("cpu"):
        assert next(generator) == "accel"
    assert settings.backend == "cpu"


@pytest.fixture
def nested_generator(host, site):
    dispatcher = host()
    site.backend("accel")

    @dispatcher.backend_dispatch
    def f(x):
        while True:
            yield dispatcher.settings.backend

    return f, dispatcher.settings


# Another keyword, another name


def test_another_keyword(host, site):
    site.backend("accel", "def f(x, backend=1): return ('accel', backend)")
    dispatcher = host(keyword="engine")

    @dispatcher.backend_dispatch
    def f(x, backend=1):
        return ("host", backend)

    assert f(1, 2) == ("host", 2)
    assert f(1, backend=2, engine="accel") == ("accel", 2)

    def g(engine):
        return engine

    with pytest.raises(TypeError, match="engine"):
        dispatcher.backend_dispatch(g)


def test_an_explicit_name(host, site):
    site.backend("accel", "def sparse_norm(x): return 'sparse'\ndef norm(x): return 'dense'")
    dispatcher = host()

    def make():
        def norm(x):
            return "host"

        return norm

    dense = dispatcher.backend_dispatch(make())
    sparse = dispatcher.backend_dispatch(name="sparse_norm")(make())
    assert dense(1, backend="accel") == "dense"
    assert sparse(1, backend="accel") == "sparse"
    with pytest.raises(TypeError, match="name"):
        dispatcher.backend_dispatch(name="not a name")(make())


# Choice by argument, declining, strictness


def test_auto_chooses_the_backend_that_owns_a_class(host, site):
    site.backend(
        "accel",
        """
        class Array: pass
        array_types = [Array, "decimal:Decimal"]
        def f(x, y=None): return "accel"
        """,
    )
    site.backend("other", "array_types = [complex]\ndef f(x, y=None): return 'other'")
    dispatcher = host(default="auto")

    @dispatcher.backend_dispatch
    def f(x, y=None):
        return "host"

    array = dispatcher.get_backend("accel").Array
    assert f(1) == "host"
    assert f(array()) == "accel"
    assert f(1, y=1j) == "other"
    assert f(1j, array()) == "accel"
    assert f(type("Sub", (array,), {})()) == "accel"
    import decimal

    assert f(decimal.Decimal(1)) == "accel"


def test_auto_follows_the_hosts_order_of_trust(host, site):
    for name in ("aa", "bb", "cc"):
        site.backend(name, f"array_types = [complex]\ndef f(x): return {name!r}")
    dispatcher = host(trusted_backends={"cc": {}, "bb": {}})

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    assert f(1j, backend="auto") == "cc"
    del dispatcher.get_backend("cc").f
    assert f(1j, backend="auto") == "bb"


def test_array_types_that_are_none_are_warned_about(host, site):
    site.backend("accel", "array_types = [3, complex]\ndef f(x): return 'accel'")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    with pytest.warns(UserWarning, match=r"accel-dist.*3 in its array_types"):
        dispatcher.discover()
    assert f(1j, backend="auto") == "accel"


def test_a_class_by_name_is_matched_without_import(host, site):
    import sys

    site.write("never_of_a_test", "class Array: pass")
    site.backend("accel", "array_types = ['never_of_a_test:Array']\ndef f(x): return 'accel'")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    assert f(1, backend="auto") == "host"
    assert "never_of_a_test" not in sys.modules
    import never_of_a_test

    assert f(never_of_a_test.Array(), backend="auto") == "accel"


def test_a_list_is_tried_in_order(host, site):
    site.backend("accel", "def g(x): return 'accel'")
    site.backend("other", "def f(x): return 'other'\ndef g(x): return 'other'")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    @dispatcher.backend_dispatch
    def g(x):
        return "host"

    with dispatcher.settings.use_backend(["accel", "other"]):
        assert (f(1), g(1)) == ("other", "accel")
    assert f(1, backend=["accel", "cpu", "other"]) == "host"


def test_a_backend_may_decline(host, site):
    site.backend(
        "accel",
        """
        def can_run(name, arguments):
            return True if arguments["x"] > 0 else f"{name} needs a positive x: {arguments}"
        def f(x, y=1): return "accel"
        """,
    )
    site.backend("other", "def f(x, y=1): return 'other'")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x, y=1):
        return "host"

    for _ in range(2):
        assert f(1, backend="accel") == "accel"
        assert f(-1, backend="accel") == "host"
        assert f(-1, backend=["accel", "other"]) == "other"
    with dispatcher.record() as calls:
        f(-1, backend="accel")
    assert "f needs a positive x: {'x': -1}" in calls[0].reason


def test_a_backend_may_decline_without_a_reason(host, site):
    site.backend("accel", "def can_run(name, arguments): return False\ndef f(x): return 1")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    assert f(1, backend="accel") == "host"
    assert dispatcher.explain(f, 1, backend="accel").reason == "accel: it declined"


def test_can_run_must_answer(host, site):
    site.backend("accel", "def can_run(name, arguments): return None\ndef f(x): return 1")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    with pytest.raises(TypeError, match=r"can_run.*'accel'"):
        f(1, backend="accel")


def test_strict_turns_a_fall_back_into_an_error(host, site):
    site.backend("accel", "def can_run(name, a): return 'not today'\ndef f(x): return 1")
    lenient, strict = host(), host(strict=True)
    for dispatcher in (lenient, strict):

        def f(x):
            return "host"

        def g(x):
            return "host"

        f, g = dispatcher.backend_dispatch(f), dispatcher.backend_dispatch(g)
        settings = dispatcher.settings
        if dispatcher is strict:
            with pytest.raises(BackendFallbackError, match="not today"):
                f(1, backend="accel")
            assert f(1, backend="accel", strict=False) == "host"
        assert f(1) == f(1, backend="cpu") == "host"
        with pytest.raises(BackendFallbackError, match="no backend owns"):
            f(1, backend="auto", strict=True)
        assert f(1, backend="auto", strict=False) == "host"
        with settings.use_backend("accel", strict=True):
            with pytest.raises(BackendFallbackError, match="does not implement"):
                g(1)
            with pytest.raises(BackendFallbackError, match="not today"):
                f(1, backend="accel")
        with pytest.raises(BackendFallbackError, match="not today"):
            f(1, backend="accel", strict=True)
    assert f(1, backend="accel", strict=False) == "host"


def test_strict_is_the_implementations_where_it_has_it(host, site):
    site.backend("accel", "def f(x, *, strict=0): return strict")

    def f(x):
        return "host"

    g = host().backend_dispatch(f)
    for _ in range(2):
        assert g(1, backend="accel", strict=True) is True


def test_a_decorator_outside_may_call_on(host, site):
    site.backend("accel", "def f(x): return 'accel'")

    def outer(function):
        @functools.wraps(function)
        def call(*args, **keywords):
            return function(*args, **keywords)

        return call

    @outer
    @host().backend_dispatch
    def f(x):
        return "host"

    assert f(1, backend="accel") == "accel"


def test_synchronous_and_other_iterables_do_for_async_generators(host, site):
    site.backend(
        "accel",
        """
        def f(x): return [x, x]
        class g:
            def __init__(self, x): self.left = [x]
            def __aiter__(self): return self
            async def __anext__(self):
                if not self.left: raise StopAsyncIteration
                return self.left.pop()
        """,
    )
    dispatcher = host(default="accel")

    @dispatcher.backend_dispatch
    async def f(x):
        yield "host"

    @dispatcher.backend_dispatch
    async def g(x):
        yield "host"

    async def main():
        return [each async for each in f(1)] + [each async for each in g(2)]

    assert asyncio.run(main()) == [1, 1, 2]


def test_functions_of_all_kinds_choose_when_they_are_called(host, site):
    site.backend(
        "accel",
        """
        def rows(x): yield "accel"
        async def fetch(x): return "accel"
        async def lines(x): yield "accel"
        """,
    )
    dispatcher = host()

    @dispatcher.backend_dispatch
    def rows(x):
        yield dispatcher.settings.backend

    @dispatcher.backend_dispatch
    async def fetch(x):
        return dispatcher.settings.backend

    @dispatcher.backend_dispatch
    async def lines(x):
        yield dispatcher.settings.backend

    async def main():
        use = dispatcher.settings.use_backend
        with use("accel"):
            on_backend = rows(1), fetch(1), lines(1)
        on_host = rows(1), fetch(1), lines(1)
        answers = []
        for generator, coroutine, async_generator in (on_backend, on_host):
            with use("cpu" if generator is on_backend[0] else "accel"):
                answers.append([*generator, await coroutine, *[x async for x in async_generator]])
        return answers

    assert asyncio.run(main()) == [["accel"] * 3, ["cpu"] * 3]


def test_arguments_that_do_not_fit_are_an_error_before_anything_is_loaded(host, site):
    module = site.backend("accel")
    dispatcher = host()

    @dispatcher.backend_dispatch
    async def f(x):
        return x

    for choice in ("accel", ["nonsense"]):
        with pytest.raises(TypeError, match="missing 1 required"):
            f(backend=choice)
    assert not site.imported(module)


def test_a_wrapped_function_of_the_host_is_not_run_to_say_what_is_wrong(host, site):
    site.backend("accel")
    calls = []

    def f(x):
        pass

    @host().backend_dispatch
    @functools.wraps(f)
    def g(*args):
        calls.append(args)

    with pytest.raises(TypeError, match=r"f\(\) too many positional arguments"):
        g(1, 2, backend="accel")
    assert calls == []


@pytest.mark.skipif(not HAS_OTHERS, reason="only CPython has other interpreters")
def test_functions_of_several_interpreters_call_backends_of_their_own(host, site):
    site.backend("accel", "calls = []\ndef f(x): calls.append(x); return len(calls)")
    program = f"""
import sys
sys.path.insert(0, {str(site.path)!r})
from reg.backends import BackendDispatcher
dispatcher = BackendDispatcher(
    entrypoint_group={GROUP!r}, host_name="example_host", untrusted="allow"
)

@dispatcher.backend_dispatch
def f(x):
    return "host"

assert [f(1), f(1, backend="accel"), f(1, backend="accel"), f(2)] == ["host", 1, 2, "host"]
"""
    for _ in range(2):
        with another_interpreter() as run, another_interpreter() as run_elsewhere:
            run(program)
            run_elsewhere(program)
            run("assert f(3, backend='accel') == 3")
            run_elsewhere("assert f(3, backend='accel') == 3")

    @host().backend_dispatch
    def f(x):
        return "host"

    assert [f(1), f(1, backend="accel")] == ["host", 1]
