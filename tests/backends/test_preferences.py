"""Choices that bend: optional names, defaults of the process, blocks, and passing on."""

import asyncio
import contextvars
import threading

import pytest

from reg.backends import BackendFallbackError

# Optional names


def test_an_optional_name_is_used_if_it_is_there(host, site):
    dispatcher = host(default=["accel?", "other?"])
    f = dispatcher.backend_dispatch(_f)
    assert dispatcher.settings.backend == "cpu"
    assert f(1) == "host"
    site.backend("other", "def f(x): return 'other'")
    dispatcher = host(default=["accel?", "other?"])
    f = dispatcher.backend_dispatch(_f)
    assert f(1) == "other"
    assert dispatcher.settings.backend == "other"


def test_a_list_of_names_that_must_be_there_is_an_error(host):
    dispatcher = host(default=["accel", "cpu"])
    with pytest.raises(ValueError, match="no backend 'accel'"):
        dispatcher.backend_dispatch(_f)(1)


def test_an_optional_name_that_is_there_and_broken_is_told_of(host, site):
    site.backend("accel", "1 / 0")
    f = host().backend_dispatch(_f)
    with pytest.warns(UserWarning, match="'accel-dist'.*ZeroDivisionError.*next choice") as warned:
        assert f(1, backend=["accel?", "cpu"]) == "host"
    assert warned[0].filename == __file__
    assert f(1, backend=["accel?", "cpu"]) == "host"


def test_an_optional_name_in_the_environment(host, site, monkeypatch):
    site.backend("other", "def f(x): return 'other'")
    monkeypatch.setenv("EXAMPLE_BACKEND", "accel?, other")
    f = host(environment_variable="EXAMPLE_BACKEND").backend_dispatch(_f)
    assert f(1) == "other"


def test_an_optional_name_is_checked_as_any_other(host):
    dispatcher = host(reserved_backends={"mine": "it is for later"})
    for name in ("mine?", "cpu?"):
        with pytest.raises(ValueError, match="reserved"):
            dispatcher.settings.backend = [name]
    with pytest.raises(ValueError, match="non-empty"):
        dispatcher.settings.backend = "?"


# The default of the process


def test_the_default_of_the_process_holds_in_all_threads(host, site):
    site.backend("accel", "aliases = ['acc']\ndef f(x): return 'accel'")
    dispatcher = host()
    f, settings = dispatcher.backend_dispatch(_f), dispatcher.settings
    assert f(1) == "host"
    settings.default_backend = "acc"
    assert settings.default_backend == settings.backend == f(1) == "accel"
    assert in_a_thread(lambda: f(1)) == "accel"
    with settings.use_backend("cpu"):
        assert (f(1), in_a_thread(lambda: f(1))) == ("host", "accel")
    assert "settings.default_backend" in dispatcher.explain(f, 1).reason
    settings.default_backend = "cpu"
    assert (f(1), in_a_thread(lambda: f(1))) == ("host", "host")


def test_calls_that_are_recorded_follow_the_default_of_the_process(host, site):
    site.backend("accel", "def f(x): return 'accel'")
    dispatcher = host()
    f, settings = dispatcher.backend_dispatch(_f), dispatcher.settings
    with dispatcher.record() as calls:
        for name in ("cpu", "accel", "cpu"):
            settings.default_backend = name
            assert f(1) == f(1) == {"cpu": "host"}.get(name, name)
    assert [call.backend for call in calls] == ["cpu"] * 2 + ["accel"] * 2 + ["cpu"] * 2


def test_a_default_that_is_not_there_changes_nothing(host):
    settings = host().settings
    with pytest.raises(ValueError, match="no backend 'accel'"):
        settings.default_backend = "accel"
    assert settings.default_backend == "cpu"


def test_the_default_of_the_process_takes_the_place_of_a_bad_variable(host, site, monkeypatch):
    site.backend("accel", "def f(x): return 'accel'")
    monkeypatch.setenv("EXAMPLE_BACKEND", "nonsense")
    dispatcher = host(environment_variable="EXAMPLE_BACKEND")
    f = dispatcher.backend_dispatch(_f)
    with pytest.raises(ValueError, match="EXAMPLE_BACKEND"):
        f(1)
    dispatcher.settings.default_backend = "accel"
    assert f(1) == "accel"


# Blocking


@pytest.mark.parametrize("value", ["accel", "other, ACCEL", "acc", "Accel.Dist", "x,fast-er"])
def test_a_blocked_backend_is_never_imported(host, site, monkeypatch, value):
    module = site.backend("accel", "def f(x): return 'accel'")
    monkeypatch.setenv("EXAMPLE_BLOCKED", value)
    trusted = {"accel": {"aliases": ["acc", "fast_er"], "package": "accel-dist"}}
    dispatcher = host(blocking_variable="EXAMPLE_BLOCKED", trusted_backends=trusted)
    dispatcher.discover()
    with pytest.raises(ImportError, match="blocked by the environment variable EXAMPLE_BLOCKED"):
        dispatcher.settings.backend = "acc"
    assert dispatcher.settings.available_backends() == []
    assert not site.imported(module)
    row = dispatcher.installed()[0]
    assert (row.outcome, row.trusted) == ("refused", False)
    assert "EXAMPLE_BLOCKED" in row.reasons[0]


def test_a_backend_that_turns_out_to_be_blocked_is_not_used(host, site, monkeypatch):
    site.backend("accel", entry_point="something")
    site.backend("other")
    monkeypatch.setenv("EXAMPLE_BLOCKED", "accel")
    dispatcher = host(blocking_variable="EXAMPLE_BLOCKED")
    assert dispatcher.settings.available_backends() == ["other"]
    with pytest.raises(ImportError, match="EXAMPLE_BLOCKED"):
        dispatcher.settings.backend = "accel"


@pytest.mark.parametrize("value", ["", " ", "accelerator"])
def test_other_backends_are_not_blocked(host, site, monkeypatch, value):
    site.backend("accel")
    monkeypatch.setenv("EXAMPLE_BLOCKED", value)
    dispatcher = host(blocking_variable="EXAMPLE_BLOCKED")
    assert dispatcher.settings.available_backends() == ["accel"]


# Passing a call on

FAILING = """
    import asyncio
    array_types = [complex]
    def f(x): raise NotImplementedError(f"no {x}")
    async def g(x):
        await asyncio.sleep(0)
        raise NotImplementedError(f"no {x}")
    def full(x): raise MemoryError("out of memory")
    """


def test_a_call_that_is_not_implemented_goes_to_the_next_in_line(host, site):
    site.backend("accel", FAILING)
    site.backend("other", "def f(x): return 'other'")
    dispatcher = host()
    f = dispatcher.backend_dispatch(_f)
    for _ in range(2):
        assert f(1, backend=["accel", "other"]) == "other"
        assert f(1j, backend="auto") == "host"
        with dispatcher.settings.use_backend(["accel", "cpu"]):
            assert f(1) == "host"
        with pytest.raises(NotImplementedError, match="no 1"):
            f(1, backend="accel")
    with dispatcher.record() as calls:
        f(1, backend=["accel", "other"])
        f(1j, backend="auto")
    assert [call.backend for call in calls] == ["other", "cpu"]
    assert calls[1].reason == "accel: it raised NotImplementedError: no 1j"


def test_a_coroutine_that_is_not_implemented_goes_to_the_next_in_line(host, site):
    site.backend("accel", FAILING)
    dispatcher = host()

    @dispatcher.backend_dispatch
    async def g(x):
        return "host"

    with dispatcher.record() as calls:
        assert asyncio.run(g(1, backend=["accel", "cpu"])) == "host"
    assert [call.backend for call in calls] == ["cpu"]
    with pytest.raises(NotImplementedError):
        asyncio.run(g(1, backend="accel"))


def test_strict_mode_forbids_the_host_at_the_end_of_the_line(host, site):
    site.backend("accel", FAILING)
    f = host(strict=True).backend_dispatch(_f)
    with pytest.raises(BackendFallbackError, match="no 1j"):
        f(1j, backend="auto")
    assert f(1, backend=["accel", "cpu"]) == "host"


def test_a_host_says_which_exceptions_pass_a_call_on(host, site):
    site.backend("accel", FAILING)
    for moves_on, passes in (((NotImplementedError,), False), ((MemoryError,), True)):
        full = host(moves_on=moves_on).backend_dispatch(name="full")(_f)
        if passes:
            assert full(1, backend=["accel", "cpu"]) == "host"
        else:
            with pytest.raises(MemoryError):
                full(1, backend=["accel", "cpu"])
    with pytest.raises(ValueError, match="moves_on"):
        host(moves_on=MemoryError)


def test_an_error_of_the_host_says_why_it_ran(host, site):
    site.backend("accel", "def can_run(name, arguments): return 'too small'\ndef f(x): pass")

    @host().backend_dispatch
    def f(x):
        raise KeyError(x)

    for choice in ("accel", ["accel"]):
        with pytest.raises(KeyError) as caught:
            f(1, backend=choice)
        assert caught.value.__notes__ == [
            "f() ran on the host's own code: accel: it declined: too small"
        ]
    for choice in (None, "cpu", "auto"):
        with pytest.raises(KeyError) as caught:
            f(1, backend=choice)
        assert not hasattr(caught.value, "__notes__")


# Which arguments decide


@pytest.fixture
def owner(site):
    site.backend(
        "owner", "def f(x, y=None): return 'owner'\nclass Array: pass\narray_types = [Array]"
    )


@pytest.mark.parametrize(
    ("deciding", "expected"),
    [
        (None, ["owner", "owner", "owner"]),
        (["x"], ["owner", "host", "owner"]),
        (["y"], ["host", "owner", "host"]),
        (lambda arguments: [arguments.get("y")], ["host", "owner", "host"]),
    ],
)
def test_the_host_says_which_arguments_decide(host, owner, deciding, expected):
    dispatcher = host(default="auto")

    @dispatcher.backend_dispatch(deciding=deciding)
    def f(x, y=None):
        return "host"

    array = dispatcher.get_backend("owner").Array()
    for _ in range(2):
        assert [f(array), f(1, y=array), f([1, array])] == expected


def test_a_list_is_looked_into_one_level(host, owner):
    dispatcher = host(default="auto")

    @dispatcher.backend_dispatch
    def f(x, y=None):
        return "host"

    array = dispatcher.get_backend("owner").Array()
    for _ in range(2):
        assert f([1, array]) == f((array,)) == f(1, y=[array]) == "owner"
        assert f([[array]]) == f([1, 2]) == f([]) == "host"


@pytest.mark.parametrize("deciding", ["x", ["z"], [3]])
def test_arguments_that_decide_are_parameters(host, deciding):
    with pytest.raises(TypeError, match="deciding"):
        host().backend_dispatch(deciding=deciding)(_f)


# Willing, not only able


def test_a_backend_may_say_that_a_call_is_not_worth_it(host, site):
    site.backend(
        "accel",
        """
        array_types = [complex]
        def should_run(name, arguments): return abs(arguments["x"]) > 9 or "too little to do"
        def f(x): return "accel"
        """,
    )
    dispatcher = host()
    f = dispatcher.backend_dispatch(_f)
    for _ in range(2):
        assert f(1, backend="accel") == "accel"
        assert f(1j, backend="auto") == f(1, backend=["accel", "cpu"]) == "host"
        assert f(10j, backend="auto") == f(10, backend=["accel", "cpu"]) == "accel"
    assert "too little to do" in dispatcher.explain(f, 1j, backend="auto").reason


# Options of a backend


@pytest.fixture
def shapes(host, site):
    site.backend(
        "accel",
        """
        def f(x, *, device=0, streams=1): return "accel", x, device, streams
        def g(x): return "accel", x
        class Model:
            def __init__(self, x, device=0): self.device = device
        """,
    )
    dispatcher = host(trusted_backends={"accel": {"aliases": ["acc"]}})
    dispatcher.f = dispatcher.backend_dispatch(_f)
    dispatcher.g = dispatcher.backend_dispatch(name="g")(_f)
    dispatcher.model = dispatcher.backend_class(
        type("Model", (), {"__init__": lambda self, x: None})
    )
    return dispatcher


def test_options_hold_in_a_block_for_implementations_that_have_them(shapes):
    use = shapes.settings.use_backend
    for _ in range(2):
        with use("accel", options={"acc": {"device": 3}}):
            for _ in range(2):
                assert shapes.f(1) == ("accel", 1, 3, 1)
                assert shapes.f(1, device=4, streams=2) == ("accel", 1, 4, 2)
                assert shapes.g(1) == ("accel", 1)
                assert shapes.model(1).device == 3
                assert shapes.f(1, backend="cpu") == "host"
                assert shapes.f(1, backend="accel") == ("accel", 1, 3, 1)
            with use("accel", options={"accel": {"streams": 9}}):
                assert shapes.f(1) == ("accel", 1, 0, 9)
            with use("accel"), shapes.record() as calls:
                assert shapes.f(1) == ("accel", 1, 3, 1)
            assert len(calls) == 1
        assert shapes.f(1, backend="accel") == ("accel", 1, 0, 1)


def test_options_are_taken_along(shapes):
    with shapes.settings.use_backend("accel", options={"accel": {"device": 3}}):
        bound = shapes.settings.bind(shapes.f)
    assert in_a_thread(lambda: bound(1)) == ("accel", 1, 3, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accel": {"devices": 3}}, "no implementation of the backend 'accel' has the option"),
        ({"accel": 3}, "by name of a backend"),
        ({"device": 3}, "by name of a backend"),
        ([3], "by name of a backend"),
    ],
)
def test_options_that_no_implementation_has_are_an_error(shapes, options, message):
    with (
        pytest.raises(TypeError, match=message),
        shapes.settings.use_backend("accel", options=options),
    ):
        pytest.fail("the block is entered")
    assert shapes.settings.backend == "cpu"


# Choices for single functions


def test_a_function_may_have_a_choice_of_its_own(shapes, site):
    site.backend("other", "def f(x): return 'other'\ndef g(x): return 'other'")
    f, g, use = shapes.f, shapes.g, shapes.settings.use_backend
    for _ in range(2):
        with use("accel", functions={"f": ["other", "cpu"]}):
            for _ in range(2):
                assert (f(1), g(1)) == ("other", ("accel", 1))
                assert f(1, backend="accel") == ("accel", 1, 0, 1)
            assert shapes.settings.backend == "accel"
            reason = shapes.explain(f, 1).reason
            with use("cpu"):
                assert (f(1), g(1)) == ("other", "host")
            with use("cpu", functions={"g": "acc"}), shapes.record() as calls:
                assert (f(1), g(1)) == ("host", ("accel", 1))
        assert (f(1), g(1)) == ("host", "host")
    assert reason == "chosen for f by use_backend()"
    assert [call.backend for call in calls] == ["cpu", "accel"]


def test_a_choice_for_a_function_goes_with_options_and_holds_for_classes(shapes):
    use = shapes.settings.use_backend
    with use("cpu", options={"accel": {"device": 3}}, functions={"f": "accel", "Model": "accel"}):
        assert (shapes.f(1), shapes.g(1)) == (("accel", 1, 3, 1), "host")
        assert shapes.model(1).device == 3
        with use("accel", options={"accel": {"device": 4}}):
            assert shapes.f(1) == ("accel", 1, 4, 1)


def test_the_calls_inside_follow_the_block_or_the_outer_call(host, site):
    site.backend("accel", "def inner(x): return 'accel'")
    site.backend("other", "def inner(x): return 'other'")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def inner(x):
        return "host"

    @dispatcher.backend_dispatch
    def outer(x):
        return inner(x)

    use = dispatcher.settings.use_backend
    for _ in range(2):
        with use("accel", functions={"outer": "cpu"}):
            assert outer(1) == "accel"
        with use("accel", functions={"inner": "other"}):
            assert outer(1) == "other"
            assert outer(1, backend="accel") == "accel"
            assert outer(1, backend="cpu") == "host"


def test_empty_wishes_end_those_of_an_outer_block(shapes):
    use = shapes.settings.use_backend
    wishes = {"options": {"accel": {"device": 3}}, "functions": {"g": "cpu"}}
    with use("accel", **wishes):
        plain = shapes.settings.bind(lambda: (shapes.f(1), shapes.g(1)))
        with use("accel", options={}, functions={}):
            assert (shapes.f(1), shapes.g(1)) == (("accel", 1, 0, 1), ("accel", 1))
            bound = shapes.settings.bind(lambda: (shapes.f(1), shapes.g(1)))
        assert bound() == (("accel", 1, 0, 1), ("accel", 1))
        assert plain() == (shapes.f(1), shapes.g(1)) == (("accel", 1, 3, 1), "host")
    for name in wishes:
        with pytest.raises(TypeError, match="by name"), use("accel", **{name: []}):
            pytest.fail("the block is entered")


def test_choices_for_functions_are_taken_along(shapes):
    with shapes.settings.use_backend("cpu", functions={"f": "accel"}):
        bound = shapes.settings.bind(lambda: (shapes.f(1), shapes.g(1)))
    assert in_a_thread(bound) == (("accel", 1, 0, 1), "host")


@pytest.mark.parametrize(
    ("functions", "message"),
    [({"ff": "accel"}, "no function 'ff'.*did you mean 'f'"), (["f"], "by name of a function")],
)
def test_choices_for_functions_that_there_are_not_are_an_error(shapes, functions, message):
    with (
        pytest.raises(TypeError, match=message),
        shapes.settings.use_backend("cpu", functions=functions),
    ):
        pytest.fail("the block is entered")
    with (
        pytest.raises(ValueError, match="no backend 'nonsense'"),
        shapes.settings.use_backend("cpu", functions={"f": "nonsense"}),
    ):
        pytest.fail("the block is entered")


# Who implements a function


def test_a_function_knows_its_backends(host, site):
    site.backend("accel", "aliases = ['acc']\ndef f(x): pass")
    site.backend("empty")
    site.backend("zaccel", "def f(x): pass")
    dispatcher = host(trusted_backends={"zaccel": {}})
    f = dispatcher.backend_dispatch(_f)
    assert list(f.backends) == ["zaccel", "accel"]
    assert f.backends == {"accel", "zaccel"}
    assert len(f.backends) == 2
    assert "acc" in f.backends
    assert "empty" not in f.backends
    assert "nonsense" not in f.backends
    assert 3 not in f.backends
    assert f.backends & {"accel", "other"} == {"accel"}
    assert repr(f.backends) == "<implemented by zaccel, accel>"
    del dispatcher.get_backend("accel").f
    assert list(f.backends) == ["zaccel"]


def _f(x):
    return "host"


_f.__name__ = _f.__qualname__ = "f"


def in_a_thread(function):
    answers = []
    # In some builds, a thread begins with the context of the one that starts it.
    run = contextvars.Context().run
    thread = threading.Thread(target=lambda: answers.append(run(function)))
    thread.start()
    thread.join()
    return answers[0]
