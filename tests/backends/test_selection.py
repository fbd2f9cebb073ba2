"""Choosing a backend: settings, scopes, errors, defaults."""

import asyncio
import sys
import threading

import pytest

from ..interpreters import THREADS_INHERIT_CONTEXT


@pytest.fixture
def dispatcher(host, site):
    site.backend("accel", "aliases = ['acc']")
    site.backend("other")
    dispatcher = host(
        trusted_backends={"gone": {"package": "gone-pip", "aliases": ["g"]}},
        reserved_backends={"mine": "it is for later"},
    )
    yield dispatcher
    dispatcher.settings.backend = "cpu"


@pytest.mark.parametrize("name", ["", "  ", None, 3, [], [""], ["accel", None], b"accel", {}])
def test_a_name_is_a_non_empty_string(dispatcher, name):
    with pytest.raises(ValueError):
        dispatcher.settings.backend = name


def test_a_reserved_name_is_refused_with_host_and_reason(dispatcher):
    with pytest.raises(ValueError, match=r"example_host.*it is for later"):
        dispatcher.settings.backend = "mine"


def test_an_unknown_name_is_met_with_the_closest_and_what_there_is(dispatcher):
    with pytest.raises(ValueError, match=r"'accel'.*acc, accel, other"):
        dispatcher.settings.backend = "acel"


def test_an_unknown_name_where_nothing_is_installed(host):
    with pytest.raises(ValueError, match="no backends are installed"):
        host().settings.backend = "accel"


@pytest.mark.parametrize("name", ["gone", "g"])
def test_a_trusted_backend_that_is_absent_says_what_to_install(dispatcher, name):
    with pytest.raises(ImportError, match="pip install gone-pip"):
        dispatcher.settings.backend = name


def test_a_failed_choice_changes_nothing(dispatcher):
    dispatcher.settings.backend = "other"
    with pytest.raises(ValueError):
        dispatcher.settings.backend = "nonsense"
    assert dispatcher.settings.backend == "other"


def test_the_setting_is_canonical(dispatcher):
    settings = dispatcher.settings
    assert settings.backend == "cpu"
    settings.backend = "acc"
    assert settings.backend == "accel"
    settings.backend = ["acc", "other", "accel"]
    assert settings.backend == ("accel", "other")
    settings.backend = ["acc"]
    assert settings.backend == "accel"
    settings.backend = "auto"
    assert settings.backend == "auto"


def test_a_setting_that_there_is_not_cannot_be_made(dispatcher):
    with pytest.raises(AttributeError, match="backends"):
        dispatcher.settings.backends = "accel"


def test_use_backend_restores_what_was(dispatcher):
    settings = dispatcher.settings
    settings.backend = "other"
    with settings.use_backend("accel"):
        with settings.use_backend("cpu"):
            assert settings.backend == "cpu"
        assert settings.backend == "accel"
        settings.backend = "cpu"
    assert settings.backend == "other"
    with pytest.raises(ZeroDivisionError), settings.use_backend("accel"):
        raise ZeroDivisionError
    assert settings.backend == "other"


def test_use_backend_validates_on_entry(dispatcher):
    scope = dispatcher.settings.use_backend("nonsense")
    with pytest.raises(ValueError), scope:
        pass
    assert dispatcher.settings.backend == "cpu"


def test_one_scope_can_be_entered_again_while_it_is_open(dispatcher):
    settings = dispatcher.settings
    scope = settings.use_backend("accel")
    with scope:
        with settings.use_backend("other"), scope:
            assert settings.backend == "accel"
        assert settings.backend == "accel"
    assert settings.backend == "cpu"


def test_use_backend_decorates_functions_of_every_kind(dispatcher):
    settings = dispatcher.settings

    @settings.use_backend("accel")
    def function():
        return settings.backend

    @settings.use_backend("accel")
    async def coroutine():
        await asyncio.sleep(0)
        return settings.backend

    @settings.use_backend("accel")
    def generator():
        yield settings.backend
        yield settings.backend

    @settings.use_backend("accel")
    async def agenerator():
        yield settings.backend
        await asyncio.sleep(0)
        yield settings.backend

    async def collect():
        found = []
        async for each in agenerator():
            found += [each, settings.backend]
        return found

    assert function() == "accel"
    assert function.__name__ == "function"
    assert asyncio.run(coroutine()) == "accel"
    found = []
    for each in generator():
        found += [each, settings.backend]
    assert found == ["accel", "cpu"] * 2
    assert asyncio.run(collect()) == ["accel", "cpu"] * 2


def test_tasks_inherit_the_choice_and_do_not_leak_theirs(dispatcher):
    settings = dispatcher.settings
    seen = {}

    async def task(name, ready, go):
        seen[name, "before"] = settings.backend
        settings.backend = name
        ready.set()
        await go.wait()
        seen[name, "after"] = settings.backend
        seen[name, "thread"] = await asyncio.to_thread(lambda: settings.backend)

    async def main():
        with settings.use_backend("other"):
            first, second = asyncio.Event(), asyncio.Event()
            await asyncio.gather(task("accel", first, second), task("cpu", second, first))
            seen["main"] = settings.backend

    asyncio.run(main())
    assert seen == {
        ("accel", "before"): "other",
        ("cpu", "before"): "other",
        ("accel", "after"): "accel",
        ("cpu", "after"): "cpu",
        ("accel", "thread"): "accel",
        ("cpu", "thread"): "cpu",
        "main": "other",
    }


def test_a_new_thread_starts_at_the_default(dispatcher):
    seen = []
    with dispatcher.settings.use_backend("accel"):
        thread = threading.Thread(target=lambda: seen.append(dispatcher.settings.backend))
        thread.start()
        thread.join()
    assert seen == ["accel" if THREADS_INHERIT_CONTEXT else "cpu"]


@pytest.mark.parametrize("name", ["ACCEL", "Acc", "OTHER", "GONE", "G"])
def test_a_name_in_another_case_is_met_with_the_right_one(dispatcher, name):
    with pytest.raises(ValueError, match=f"did you mean '{name.lower()}'"):
        dispatcher.settings.backend = name


def test_a_misspelt_name_of_a_trusted_backend_is_met_with_the_right_one(host):
    dispatcher = host(trusted_backends={"turbo": {"aliases": ["quick"]}})
    with pytest.raises(ValueError, match=r"did you mean 'quick'.*no backends are installed"):
        dispatcher.settings.backend = "quik"


# From outside


def test_a_host_may_have_another_default(host, site):
    site.backend("accel", "def f(x): return 'accel'")
    dispatcher = host(default="accel")

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    assert f(1) == "accel"
    assert f(1, backend="cpu") == "host"
    assert dispatcher.settings.backend == "accel"


def test_an_environment_variable_makes_the_default_choice(host, site, monkeypatch):
    site.backend("accel", "def f(x): return 'accel'")
    monkeypatch.setenv("EXAMPLE_BACKEND", "accel")
    dispatcher = host(environment_variable="EXAMPLE_BACKEND")

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    assert f(1) == "accel"
    assert "EXAMPLE_BACKEND" in dispatcher.explain(f, 1).reason
    with dispatcher.settings.use_backend("cpu"):
        assert f(1) == "host"


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_environment_variable_says_nothing(host, monkeypatch, value):
    monkeypatch.setenv("EXAMPLE_BACKEND", value)
    assert host(environment_variable="EXAMPLE_BACKEND").settings.backend == "cpu"


def test_an_environment_variable_may_hold_a_list(host, site, monkeypatch):
    site.backend("accel")
    monkeypatch.setenv("EXAMPLE_BACKEND", "accel, auto")
    dispatcher = host(environment_variable="EXAMPLE_BACKEND")
    assert dispatcher.settings.backend == ("accel", "auto")


def test_a_bad_environment_variable_is_reported_on_first_use(host, monkeypatch):
    monkeypatch.setenv("EXAMPLE_BACKEND", "nonsense")
    dispatcher = host(environment_variable="EXAMPLE_BACKEND", trusted_backends={"gone": {}})

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    for _ in range(2):
        with pytest.raises(ValueError, match=r"EXAMPLE_BACKEND.*'nonsense'"):
            f(1)
    with pytest.raises(ValueError, match="EXAMPLE_BACKEND"):
        dispatcher.settings.backend  # noqa: B018
    assert f(1, backend="cpu") == "host"
    monkeypatch.setenv("EXAMPLE_BACKEND", "gone")
    with pytest.raises(ImportError, match="EXAMPLE_BACKEND"):
        f(1)


def test_a_block_that_is_interrupted_when_the_choice_is_made_is_not_entered(host, site):
    site.backend("accel")
    settings = host().settings
    with settings.use_backend("accel"):
        assert settings.backend == "accel"

    def interrupt(frame, event, argument):
        # Python handles signals when it returns from C.
        if event == "c_return" and argument.__name__ == "set":
            raise KeyboardInterrupt

    block = settings.use_backend("accel")
    sys.setprofile(interrupt)
    try:
        with block:
            pytest.fail("the block is entered")
    except KeyboardInterrupt:
        found = settings.backend
    finally:
        sys.setprofile(None)
    assert found == "cpu"
