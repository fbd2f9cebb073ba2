"""Which backend ran, and why."""

import asyncio
import logging
import re
import threading

import pytest

from ..interpreters import THREADS_INHERIT_CONTEXT


@pytest.fixture
def f(host, site):
    site.backend(
        "accel",
        """
        array_types = [complex]
        def can_run(name, arguments): return "too small" if arguments["x"] == 0 else True
        def f(x, device=0): return "accel"
        """,
    )
    site.backend("other", "def f(x, y): return 'other'")
    site.backend("empty")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x, y=1):
        return "host"

    f.dispatcher = dispatcher
    return f


def test_explain_tells_choice_candidates_and_arguments(f):
    explain = f.dispatcher.explain
    found = explain(f, 0, y=1, backend=["empty", "accel", "other"])
    assert found.choice == ("empty", "accel", "other")
    assert found.backend == "other"
    assert [(each.name, each.reason) for each in found.candidates] == [
        ("empty", "it does not implement f()"),
        ("accel", "it declined: too small"),
        ("other", None),
    ]
    assert found.forwarded == ("x", "y")
    found = explain(f, 1, 2, device=3, backend="accel")
    assert (found.forwarded, found.dropped) == (("x", "device"), ("y",))
    text = str(found)
    for part in ("f() runs on accel", "accel-dist 1.0", "forwarded: x, device", "dropped:   y"):
        assert part in text


def test_explain_runs_nothing_and_checks_the_arguments(f):
    accel = f.dispatcher.get_backend("accel")
    accel.f = lambda x: 1 / 0
    assert f.dispatcher.explain(f, 1, backend="accel").implementation is accel.f
    with pytest.raises(TypeError, match="x"):
        f.dispatcher.explain(f, backend="accel")


def test_explain_of_the_host(f):
    found = f.dispatcher.explain(f, 1)
    assert (found.backend, found.reason) == ("cpu", "chosen by the default")
    found = f.dispatcher.explain(f, 1, backend="auto")
    assert (found.backend, found.reason) == ("cpu", "no backend owns the class of an argument")
    with f.dispatcher.settings.use_backend("empty"):
        assert f.dispatcher.explain(f, 1).reason == "empty: it does not implement f()"


def test_an_explanation_is_a_table_in_a_notebook(f):
    f.dispatcher.get_backend("accel").can_run = lambda name, arguments: "<b>no</b>"
    shown = f.dispatcher.explain(f, 1, backend="accel")._repr_html_()
    assert shown.startswith("<table>")
    assert "&lt;b&gt;no&lt;/b&gt;" in shown
    assert "accel-dist 1.0" in shown


def test_explain_wants_a_function_of_this_host(f, host):
    for wrong in (len, 3, host().backend_dispatch(f.__wrapped__)):
        with pytest.raises(TypeError, match=rf"^{re.escape(repr(wrong))} does not dispatch"):
            f.dispatcher.explain(wrong)


def test_every_dispatched_call_is_recorded(f):
    with f.dispatcher.record() as calls:
        f(1)
        f(1, backend="other", y=2)
        f(1, backend="other", y=2)
        f(0, backend="accel")
        with f.dispatcher.settings.use_backend("accel"):
            f(1)
    f(1)
    assert [(call.function, call.backend) for call in calls] == [
        ("f", "cpu"),
        ("f", "other"),
        ("f", "other"),
        ("f", "cpu"),
        ("f", "accel"),
    ]
    assert calls[1][2:4] == ("other-dist", "1.0")
    assert calls[0][2:4] == (None, None)
    assert calls[3].reason == "accel: it declined: too small"
    assert calls[4].reason == "chosen by use_backend()"
    assert str(calls[1]) == "f: other (other-dist 1.0): chosen by backend='other' in the call"


def test_records_nest_and_follow_tasks(f):
    async def main():
        with f.dispatcher.record() as outer:
            f(1)
            with f.dispatcher.record() as inner:
                await asyncio.gather(asyncio.to_thread(f, 1), asyncio.to_thread(f, 1))
            return len(outer), len(inner)

    assert asyncio.run(main()) == (3, 2)


def test_nested_calls_are_recorded(host, site):
    site.backend("accel", "def f(): return host_f()")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f():
        return "host"

    dispatcher.get_backend("accel").host_f = f
    with dispatcher.record() as calls:
        assert f(backend="accel") == "host"
    assert [call.backend for call in calls] == ["accel", "cpu"]
    assert "running this function" in calls[1].reason


def test_the_debug_log_says_the_same(f, caplog):
    f(1, backend="other", y=2)
    with caplog.at_level(logging.DEBUG, "reg.backends"):
        f(1, backend="other", y=2)
        f(1, backend="other", y=2)
    assert (
        caplog.messages == ["f: other (other-dist 1.0): chosen by backend='other' in the call"] * 2
    )
    caplog.clear()
    f(1, backend="other", y=2)
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["reg.backends", "reg", None])
def test_a_log_that_is_turned_on_later_has_the_calls_from_then_on(f, caplog, name):
    for level, count in ((logging.DEBUG, 1), (logging.INFO, 0), (logging.DEBUG, 1)):
        f(1, backend="other", y=2)
        with caplog.at_level(level, name):
            caplog.clear()
            f(1, backend="other", y=2)
            assert len(caplog.messages) == count


def test_a_log_that_is_disabled_stays_empty(f, caplog):
    logger = logging.getLogger("reg.backends")
    with caplog.at_level(logging.DEBUG, "reg.backends"):
        logger.disabled = True
        try:
            for _ in range(3):
                assert f(1, backend="other", y=2) == "other"
        finally:
            logger.disabled = False
        assert caplog.messages == []
        f(1, backend="other", y=2)
    assert len(caplog.messages) == 1


def test_what_a_plain_new_thread_calls_is_not_on_record(f):
    settings = f.dispatcher.settings
    with f.dispatcher.record() as calls:
        for called in (f, settings.bind(f)):
            thread = threading.Thread(target=called, args=(1,))
            thread.start()
            thread.join()
        asyncio.run(asyncio.to_thread(f, 1, backend="other", y=1))
    in_threads = ["cpu", "cpu"] if THREADS_INHERIT_CONTEXT else []
    assert [each.backend for each in calls] == [*in_threads, "other"]


def test_a_choice_that_is_made_while_calls_are_recorded_holds_afterwards(f):
    settings = f.dispatcher.settings
    with settings.use_backend("empty"):
        with f.dispatcher.record() as outer:
            with f.dispatcher.record() as inner:
                f(1, 2)
                settings.backend = "other"
                f(1, 2)
            assert (settings.backend, f(1, 2)) == ("other", "other")
        assert (settings.backend, f(1, 2)) == ("other", "other")
    assert settings.backend == "cpu"
    assert [call.backend for call in outer] == ["cpu", "other", "other"]
    assert [call.backend for call in inner] == ["cpu", "other"]


def test_explain_says_that_a_call_would_be_a_type_error(f):
    found = f.dispatcher.explain(f, 1, wibble=3, backend="accel")
    assert found.error == "got an unexpected keyword argument 'wibble'"
    assert str(found).startswith("f() on accel would be a TypeError: got an unexpected")
    assert "runs the call" not in str(found)
    assert f.dispatcher.explain(f, 1, wibble=3).error == found.error
    assert f.dispatcher.explain(f, 1, backend="other").error == "missing a required argument: 'y'"
    assert f.dispatcher.explain(f, 1, 2, device=1, backend="accel").error is None


def test_calls_by_auto_and_of_backends_that_may_decline_are_recorded(f):
    for _ in range(2):
        with f.dispatcher.record() as calls:
            for _ in range(2):
                f(1j, backend="auto")
                f(1, backend="auto")
                f(0j, backend="auto")
        assert [call.backend for call in calls] == ["accel", "cpu", "cpu"] * 2
        assert calls[1].reason == "no backend owns the class of an argument"
        assert calls[2].reason == "accel: it declined: too small"
