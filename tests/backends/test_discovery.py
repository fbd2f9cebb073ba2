"""When backends are found and loaded, and what a broken one does to the others: nothing."""

import logging
import re
import threading
import warnings

import pytest


def test_nothing_is_loaded_before_somebody_asks(host, site):
    module = site.backend("accel")
    dispatcher = host(reserved_backends={"mine": "it is"})

    @dispatcher.backend_dispatch
    def f(x):
        return x

    f(1)
    f(1, backend="cpu")
    dispatcher.settings.backend = "cpu"
    assert dispatcher.get_backend("cpu") is None
    assert dispatcher.get_backend("mine") is None
    with pytest.raises(ValueError, match="mine"):
        dispatcher.settings.backend = "mine"
    assert not site.imported(module)


@pytest.mark.parametrize(
    "ask",
    [
        lambda d, f: d.discover(),
        lambda d, f: d.available_backend_names(),
        lambda d, f: d.settings.available_backends(),
        lambda d, f: d.get_backend("accel"),
        lambda d, f: d.settings.get_backend("accel"),
        lambda d, f: setattr(d.settings, "backend", "accel"),
        lambda d, f: d.settings.use_backend("accel").__enter__(),
        lambda d, f: f(1, backend="accel"),
        lambda d, f: f(1, backend="auto"),
    ],
)
def test_what_sets_off_discovery(host, site, ask):
    module = site.backend("accel")
    dispatcher = host()
    ask(dispatcher, dispatcher.backend_dispatch(_named("f", lambda x: x)))
    assert site.imported(module)
    dispatcher.settings.backend = "cpu"


def test_a_listing_discovers_once(host, site):
    module = site.backend("accel")
    dispatcher = host()
    for _ in range(2):
        assert dispatcher.settings.available_backends() == ["accel"]
    site.backend("late")
    assert dispatcher.settings.available_backends() == ["accel"]
    assert site.path.joinpath(f"{module}.py.imported").read_text() == "x"


def test_discover_finds_a_backend_that_was_installed_since(host, site):
    module = site.backend("accel")
    dispatcher = host()
    dispatcher.discover()
    site.backend("late")
    dispatcher.discover()
    assert dispatcher.settings.available_backends() == ["accel", "late"]
    assert site.path.joinpath(f"{module}.py.imported").read_text() == "x"


def test_a_missing_name_is_looked_for_again(host, site):
    dispatcher = host(trusted_backends={"late": {"aliases": ["l"], "package": "late-dist"}})
    with pytest.raises(ImportError, match="pip install late-dist"):
        dispatcher.settings.backend = "late"
    other = site.backend("other")
    site.backend("late", "def f(x): return 'late'")
    f = dispatcher.backend_dispatch(_named("f", lambda x: "host"))
    assert f(1, backend="l") == "late"
    assert site.imported(other)


def test_an_entry_point_may_name_an_object_or_a_class(host, site):
    site.write(
        "objects_of_a_test",
        """
        class Backend:
            def __init__(self): self.name = "from-class"
        made = Backend()
        made.name = "from-object"
        """,
    )
    site.install("d", {"a": "objects_of_a_test:Backend", "b": "objects_of_a_test:made"})
    dispatcher = host()
    assert dispatcher.settings.available_backends() == ["from-class", "from-object"]
    assert dispatcher.get_backend("from-class").name == "from-class"


@pytest.mark.parametrize("exception", ["SystemExit", "KeyboardInterrupt"])
def test_what_escapes_discovery_leaves_the_state_as_it_was(host, site, exception):
    site.backend("accel")
    module = "quits_of_a_test"
    site.write(
        module,
        f"""
        import os
        class Backend:
            name = "quits"
            def __init__(self):
                if not os.path.exists(__file__ + ".good"):
                    raise {exception}
        """,
    )
    site.install("quits-dist", {"quits": module + ":Backend"})
    dispatcher = host()
    for _ in range(2):
        with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
            dispatcher.discover()
        assert caught.type.__name__ == exception
    site.path.joinpath(f"{module}.py.good").touch()
    assert dispatcher.settings.available_backends() == ["accel", "quits"]


@pytest.mark.parametrize("source", ["1 / 0", "import sys; sys.exit(3)"])
def test_a_backend_that_does_not_load_breaks_nothing_else(host, site, caplog, source):
    caplog.set_level(logging.DEBUG, "reg.backends")
    site.backend("broken", source)
    names = [f"good{number}" for number in range(7)]
    for name in names:
        site.backend(name, f"def f(x): return {name!r}")
    dispatcher = host()
    f = dispatcher.backend_dispatch(_named("f", lambda x: "host"))
    assert dispatcher.settings.available_backends() == names
    assert [f(1, backend=name) for name in names] == names
    assert "did not load" in caplog.text
    for ask in (dispatcher.get_backend, lambda name: setattr(dispatcher.settings, "backend", name)):
        with pytest.raises(ImportError, match="'broken-dist'") as caught:
            ask("broken")
        assert isinstance(caught.value.__cause__, (ZeroDivisionError, SystemExit))


def test_a_backend_that_cannot_be_registered_is_warned_about(host, site):
    site.write(
        "raising_of_a_test",
        """
        class Backend:
            name = "raising"
            @property
            def aliases(self): raise RuntimeError("no aliases today")
        """,
    )
    site.install("raising-dist", {"raising": "raising_of_a_test:Backend"})
    site.backend("accel")
    dispatcher = host()
    with pytest.warns(UserWarning, match=r"raising-dist.*no aliases today"):
        dispatcher.discover()
    assert dispatcher.available_backend_names() == ["accel"]
    with pytest.raises(ImportError, match="no aliases today"):
        dispatcher.settings.backend = "raising"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (None, "no name"),
        ("un safe", "cannot be called"),
        (3, "cannot be called"),
        ("cpu", "reserved"),
        ("auto", "reserved"),
        ("mine", "it is mine"),
        ("acc", "alias of the trusted"),
    ],
)
def test_backends_that_are_ignored(host, site, name, why):
    site.write("nameless_of_a_test", f"name = {name!r}")
    site.install("nameless-dist", {"e": "nameless_of_a_test"})
    dispatcher = host(
        reserved_backends={"mine": "it is mine"}, trusted_backends={"accel": {"aliases": ["acc"]}}
    )
    with pytest.warns(UserWarning, match=f"nameless-dist.*{why}"):
        dispatcher.discover()
    assert dispatcher.available_backend_names() == []


def test_the_first_of_a_name_wins(host, site):
    site.write("first_of_a_test", "name = 'same'; aliases = ['other']; number = 1")
    site.write("second_of_a_test", "name = 'same'; number = 2")
    site.write("third_of_a_test", "name = 'other'; number = 3")
    site.install("d", {"a": "first_of_a_test", "b": "second_of_a_test", "c": "third_of_a_test"})
    dispatcher = host()
    with pytest.warns(UserWarning, match="is ignored") as warned:
        dispatcher.discover()
    assert len(warned) == 2
    assert dispatcher.get_backend("same").number == 1
    assert dispatcher.get_backend("other").number == 1


def test_bad_aliases_are_dropped_and_the_backend_stays(host, site):
    site.backend("other", "aliases = ['shared']")
    site.backend(
        "zaccel", "aliases = ['good', 'b d', 'cpu', 'mine', 'shared', 'other', 'trusty', 7]"
    )
    dispatcher = host(
        reserved_backends={"mine": "it is"}, trusted_backends={"trusted": {"aliases": ["trusty"]}}
    )
    dispatcher.get_backend("other")
    with pytest.warns(UserWarning, match="dropped") as warned:
        dispatcher.discover()
    assert len(warned) == 7
    assert dispatcher.available_backend_names() == ["good", "other", "shared", "zaccel"]


@pytest.mark.parametrize("aliases", ["acc", None, 3])
def test_aliases_of_the_wrong_type_are_warned_about(host, site, aliases):
    site.backend("accel", f"aliases = {aliases!r}")
    dispatcher = host()
    with pytest.warns(UserWarning, match="aliases"):
        dispatcher.discover()
    assert dispatcher.available_backend_names() == ["accel"]


def test_configured_aliases_are_listed_once_the_backend_is_installed(host, site):
    dispatcher = host(trusted_backends={"accel": {"aliases": ["acc"]}, "gone": {"aliases": ["g"]}})
    site.backend("accel", "aliases = ['own']")
    assert dispatcher.available_backend_names() == ["acc", "accel", "own"]
    assert dispatcher.settings.available_backends() == ["accel"]
    assert dispatcher.get_backend("acc") is dispatcher.get_backend("own")
    assert dispatcher.get_backend("g") is None
    assert dispatcher.get_backend("whatever") is None


# Loading only what is asked for


@pytest.mark.parametrize("label", ["accel", "acc", "accelerated"])
def test_only_the_backend_that_is_asked_for_is_imported(host, site, label):
    slow = site.backend("slow")
    entry_point = {"accelerated": "accelerated"}.get(label, "accel")
    accel = site.backend("accel", "aliases = ['accelerated']", entry_point=entry_point)
    dispatcher = host(trusted_backends={"accel": {"aliases": ["acc"]}})
    dispatcher.settings.backend = label
    assert dispatcher.settings.backend == "accel"
    assert site.imported(accel)
    assert not site.imported(slow)
    dispatcher.discover()
    assert site.imported(slow)


def test_the_others_are_imported_if_the_name_is_not_found(host, site):
    site.backend("accel", "aliases = ['fast']", entry_point="something")
    dispatcher = host()
    dispatcher.settings.backend = "fast"
    assert dispatcher.settings.backend == "accel"


def test_a_failed_load_does_not_set_off_the_others(host, site):
    other = site.backend("other")
    site.backend("broken", "1 / 0")
    dispatcher = host()
    with pytest.raises(ImportError):
        dispatcher.settings.backend = "broken"
    assert not site.imported(other)


@pytest.mark.parametrize("label", ["my-accel", "my_accel", "accel", "acc", "fast-accel"])
def test_a_failed_load_is_found_under_every_name(host, site, label):
    site.backend("x", "1 / 0", entry_point="my_accel", distribution="Accel.Dist")
    dispatcher = host(
        trusted_backends={"accel": {"aliases": ["acc", "fast_accel"], "package": "accel-dist"}}
    )
    with pytest.raises(ImportError, match=r"Accel.Dist") as caught:
        dispatcher.settings.backend = label
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "pip install" not in str(caught.value)


def test_a_backend_may_ask_for_others_while_it_is_imported(host, site):
    dispatcher = host()
    site.write("asking_of_a_test_host", "dispatcher = None")
    import asking_of_a_test_host

    asking_of_a_test_host.dispatcher = dispatcher
    site.backend("other")
    site.backend(
        "asking",
        """
        from asking_of_a_test_host import dispatcher
        seen = dispatcher.available_backend_names()
        """,
    )
    assert dispatcher.get_backend("asking").seen == ["other"]
    assert dispatcher.available_backend_names() == ["asking", "other"]


def test_threads_discover_together_once(host, site):
    module = site.backend("accel")
    dispatcher = host()
    threads = [threading.Thread(target=dispatcher.discover) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.path.joinpath(f"{module}.py.imported").read_text() == "x"


@pytest.mark.parametrize("error", ["MemoryError", "RecursionError"])
def test_what_may_have_been_a_matter_of_the_moment_is_tried_again(host, site, error):
    module = site.backend(
        "accel",
        f"""
        import os
        if not os.path.exists(__file__ + ".good"): raise {error}
        """,
    )
    other = site.backend("other")
    dispatcher = host()
    for label in ("accel", "unknown"):
        with pytest.raises(ImportError, match="'accel-dist'") as caught:
            dispatcher.settings.backend = label
        assert type(caught.value.__cause__).__name__ == error
    assert dispatcher.settings.available_backends() == ["other"]
    site.path.joinpath(f"{module}.py.good").touch()
    assert dispatcher.settings.available_backends() == ["accel", "other"]
    assert dispatcher.get_backend("accel").name == "accel"
    assert site.path.joinpath(f"{other}.py.imported").read_text() == "x"


@pytest.mark.parametrize(
    "attribute",
    [
        "def __bool__(self): return False",
        "def __bool__(self): 1 / 0",
        "__cause__ = __class__ = __context__ = __traceback__ = property(lambda self: 1 / 0)",
    ],
)
def test_an_exception_of_another_kind_breaks_nothing_else(host, site, attribute):
    site.backend("odd", f"class Odd(Exception):\n    {attribute}\nraise Odd('odd')")
    module = site.backend("accel")
    dispatcher = host()
    for _ in range(2):
        with pytest.raises(ImportError, match=r"'odd-dist'.*Odd: odd"):
            dispatcher.settings.backend = "odd"
        assert not site.imported(module)
    assert dispatcher.settings.available_backends() == ["accel"]


@pytest.mark.parametrize("begin", ["raise Silent", "pass"])
def test_an_exception_without_a_message_breaks_nothing_else(host, site, begin):
    site.write(
        "silent_of_a_test",
        f"""
        class Silent(Exception):
            def __str__(self): raise RuntimeError("no message")
        class Made:
            name = "silent"
            def __init__(self): {begin}
            @property
            def aliases(self): raise Silent
        """,
    )
    site.install("silent-dist", {"silent": "silent_of_a_test:Made"})
    site.backend("accel")
    dispatcher = host()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert dispatcher.settings.available_backends() == ["accel"]
    with pytest.raises(ImportError, match="Silent, whose message cannot be had"):
        dispatcher.settings.backend = "silent"


def test_a_backend_that_chooses_by_argument_while_it_is_loaded_is_chosen_so_later(host, site):
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    site.write("called_by_a_test", "f = None")
    import called_by_a_test

    called_by_a_test.f = f
    site.backend(
        "accel",
        """
        import called_by_a_test
        array_types = [int]
        def f(x): return "accel"
        seen = called_by_a_test.f(1, backend="auto")
        """,
    )
    assert dispatcher.get_backend("accel").seen == "host"
    assert f(1, backend="auto") == "accel"


@pytest.mark.parametrize("name", ["CPU", "Auto", "MINE", "m-ine"])
def test_a_name_that_can_be_mistaken_for_a_reserved_one_is_ignored(host, site, name):
    site.backend("accel", f"aliases = [{name!r}]")
    site.write("alike_of_a_test", f"name = {name!r}")
    site.install("alike-dist", {"alike": "alike_of_a_test"})
    dispatcher = host(reserved_backends={"mine": "it is mine", "m_ine": "it is mine too"})
    with pytest.warns(UserWarning, match="can be mistaken") as warned:
        dispatcher.discover()
    assert len(warned) == 2
    assert dispatcher.available_backend_names() == ["accel"]
    with pytest.raises(ValueError, match=r"is ignored.*'alike-dist'"):
        dispatcher.settings.backend = name


# Warnings as errors (which they are in this suite)


def test_a_warning_as_an_error_does_not_stop_discovery_of_the_others(host, site):
    site.write("bad_of_a_test", "name = 'b d'")
    site.install("aaa", {"a": "bad_of_a_test"})
    site.backend("good")
    dispatcher = host()
    with pytest.raises(UserWarning, match="aaa"):
        dispatcher.discover()
    assert dispatcher.available_backend_names() == ["good"]


def test_warnings_point_at_the_caller(host, site):
    site.write("bad_of_a_test", "name = 'b d'")
    site.install("aaa", {"a": "bad_of_a_test"})
    site.backend("good", "def f(): return 1")
    dispatcher = host(untrusted="warn")
    f = dispatcher.backend_dispatch(_named("f", lambda drop=1: 0))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        dispatcher.discover()
        with dispatcher.settings.use_backend("good"):
            f(drop=3, backend="good")
    assert len(warned) == 3
    assert {re.sub(r".*/", "", each.filename) for each in warned} == {"test_discovery.py"}


def _named(name, function):
    function.__name__ = function.__qualname__ = name
    return function
