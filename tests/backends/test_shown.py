"""The signature and the docstring of a host's function, as users see them."""

import functools
import inspect
import sys
import textwrap
import types

import pytest

HOST = '''
def f(x, y=1, **options):
    """Do it.

    Parameters
    ----------
    x : int
        The x.

    Returns
    -------
    int
    """
'''


@pytest.fixture
def module(site):
    """A module of a host, made from source in which ``dispatcher`` is known."""
    module = types.ModuleType("shown_host_of_a_test")
    sys.modules[module.__name__] = module
    site.modules.append(module.__name__)

    def make(source, **names):
        vars(module).update(names)
        exec(textwrap.dedent(source), vars(module))
        return module

    return make


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_backends_add_their_parameters_after_discovery(host, site, module):
    site.backend("accel", "def f(x, y=1, *rest, _hid=1, device: int = 0, chunk=2, **kw): 'Fast.'")
    dispatcher = host()
    f = module("@dispatcher.backend_dispatch" + HOST, dispatcher=dispatcher).f
    assert parameters(f) == ["x", "y", "backend", "options"]
    with pytest.warns(UserWarning, match=r"'_hid'.*underscore"):
        dispatcher.discover()
    assert parameters(f) == ["x", "y", "device", "chunk", "backend", "options"]
    device = inspect.signature(f).parameters["device"]
    assert (device.kind, device.default, device.annotation) == (device.KEYWORD_ONLY, 0, int)
    dispatcher.discover()
    assert parameters(f) == ["x", "y", "device", "chunk", "backend", "options"]


def test_what_is_decorated_later_is_merged_at_once(host, site, module):
    site.backend("accel", "def f(x, device=0): pass")
    dispatcher = host()
    dispatcher.discover()
    f = module("@dispatcher.backend_dispatch" + HOST, dispatcher=dispatcher).f
    assert "device" in parameters(f)
    assert "device" in f.__doc__


def test_the_first_default_counts_and_loading_in_parts_gives_the_same(host, site, module):
    site.install("d", {"one": "one_of_a_test", "two": "two_of_a_test"})
    site.write("one_of_a_test", "name = 'one'\ndef f(x, device=1): ':param device: The one.'")
    site.write("two_of_a_test", "name = 'two'\ndef f(x, device=2, more=3): ':param more: M.'")
    texts = []
    for order in (["one", "two"], ["two", "one"], []):
        dispatcher = host()
        f = module("@dispatcher.backend_dispatch" + HOST, dispatcher=dispatcher).f
        for name in order:
            dispatcher.get_backend(name)
        dispatcher.discover()
        assert set(parameters(f)) == {"x", "y", "device", "more", "backend", "options"}
        texts.append(f.__doc__)
    assert texts[0] == texts[1] == texts[2]
    assert "device (one, two)\n" in texts[0]
    assert inspect.signature(f).parameters["device"].default == 1


def test_positional_only_and_variadic_parameters_are_not_shown(host, site, module):
    site.backend("accel", "def f(p, /, x, *a, **k): pass")
    dispatcher = host()
    f = module("@dispatcher.backend_dispatch" + HOST, dispatcher=dispatcher).f
    dispatcher.discover()
    assert parameters(f) == ["x", "y", "backend", "options"]


def test_a_parameter_that_a_backend_requires_is_not_required_of_all(host, site, module):
    site.backend("accel", "def f(x, *, device): pass")
    dispatcher = host()
    f = module("@dispatcher.backend_dispatch" + HOST, dispatcher=dispatcher).f
    dispatcher.discover()
    device = inspect.signature(f).parameters["device"]
    assert device.default is not device.empty
    assert "accel" in repr(device.default)
    inspect.signature(f).bind(1)


def test_the_outermost_wrapper_is_updated_too(host, site, module):
    site.backend("accel", "def f(x, device=0): ':param device: The card.'")
    dispatcher = host()

    def deprecated(function):
        @functools.wraps(function)
        def call(*args, **keywords):
            return function(*args, **keywords)

        call.__doc__ = "Old.\n" + function.__doc__ + "\n.. deprecated:: 1\n"
        return call

    source = "@deprecated\n@dispatcher.backend_dispatch" + HOST
    f = module(source, dispatcher=dispatcher, deprecated=deprecated).f
    dispatcher.discover()
    dispatcher.discover()
    assert "device" in parameters(f)
    assert f.__doc__.startswith("Old.\nDo it.")
    assert f.__doc__.endswith("\n.. deprecated:: 1\n")
    assert f.__doc__.count("device (accel)") == 1


def test_an_outer_docstring_of_its_own_is_merged_too(host, site, module):
    site.backend("accel", "def f(x, device=0): ':param device: The card.'")
    dispatcher = host()

    def rewritten(function):
        @functools.wraps(function)
        def call(*args, **keywords):
            return function(*args, **keywords)

        call.__doc__ = "Other.\n\nParameters\n----------\nx\n    X!\n"
        return call

    source = "@rewritten\n@dispatcher.backend_dispatch" + HOST
    f = module(source, dispatcher=dispatcher, rewritten=rewritten).f
    dispatcher.discover()
    dispatcher.discover()
    assert f.__doc__.startswith("Other.\n\nParameters\n----------\nx\n    X!\nbackend : ")
    assert f.__doc__.count("device (accel)") == 1


# Docstrings

STYLES = {
    "numpydoc": (
        "Do.\n\nParameters\n----------\nx : int\n    The x.\n\nReturns\n-------\nint\n",
        "Do.\n\nParameters\n----------\nx : int\n    The x.\nbackend : str, list of str or None\n",
        "\nOther Parameters\n----------------\ndevice (accel) : int\n    The card.\n"
        "plain (accel)\n",
    ),
    "google": (
        "Do.\n\nArgs:\n    x (int): The x.\n        More of it.\n\nReturns:\n    int: It.\n",
        "    backend (str, list of str or None): Backend",
        "\nOther Parameters:\n    device (accel): ``int``. The card.\n"
        "    plain (accel):\n\nReturns:",
    ),
    "fields": (
        "Do.\n\n:param x: The x,\n    all of it.\n:returns: It.\n",
        ":param backend: Backend that",
        ":param device: (accel) The card.\n:type device: int\n"
        ":param plain: (accel)\n:returns: It.\n",
    ),
}
BACKENDS = {
    "numpydoc": "F.\n\nParameters\n----------\ndevice : int\n    The card.\n",
    "google": "F.\n\nArgs:\n    device (int): The card.\n",
    "fields": "F.\n\n:param device: The card.\n:type device: int\n",
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("indent", ["", "    "])
def test_docstrings_of_every_style_are_merged(host, site, style, backend, indent):
    site.backend(
        "accel",
        f"""
        def f(x, device=0, plain=1): pass
        f.__doc__ = {BACKENDS[backend]!r}
        """,
    )
    text, own, other = STYLES[style]
    original = textwrap.indent(text, indent).lstrip() + indent

    def f(x):
        pass

    f.__doc__ = original
    dispatcher = host()
    g = dispatcher.backend_dispatch(f)
    assert inspect.cleandoc(own).strip() in inspect.cleandoc(g.__doc__)
    assert "device" not in g.__doc__
    dispatcher.discover()
    shown = g.__doc__
    for line in other.strip("\n").splitlines():
        assert f"{indent}{line}" in shown.splitlines() or not line.strip()
    assert inspect.cleandoc(other) in inspect.cleandoc(shown)
    kept = iter(shown.splitlines(keepends=True))
    assert all(line in kept for line in original.splitlines(keepends=True))
    assert f.__doc__ == original


def test_an_existing_section_of_other_parameters_is_continued(host, site):
    site.backend("accel", "def f(x, device=0): ':param device: The card.'")

    def f(x, z=0):
        pass

    f.__doc__ = (
        "D.\n\nParameters\n----------\nx\n    X.\n\nReturns\n-------\nint\n\n"
        "Other Parameters\n----------------\nz\n    Z."
    )
    dispatcher = host()
    g = dispatcher.backend_dispatch(f)
    dispatcher.discover()
    assert g.__doc__.count("Other Parameters") == 1
    assert g.__doc__.endswith("z\n    Z.\ndevice (accel)\n    The card.")


@pytest.mark.parametrize("text", [None, "", "Do it.", "Do.\n\nReturns\n-------\nint\n"])
def test_without_a_section_of_parameters_nothing_changes(host, site, text):
    site.backend("accel", "def f(x, device=0): ':param device: The card.'")

    def f(x):
        pass

    f.__doc__ = text
    dispatcher = host()
    g = dispatcher.backend_dispatch(f)
    dispatcher.discover()
    assert g.__doc__ == text


def test_help_shows_the_merged_function(host, site, module, capsys):
    site.backend("accel", "def f(x, device=0): ':param device: The card.'")
    dispatcher = host()
    f = module("@dispatcher.backend_dispatch" + HOST, dispatcher=dispatcher).f
    dispatcher.discover()
    help(f)
    shown = capsys.readouterr().out
    assert "f(x, y=1, *, device=0, backend" in shown
    assert "The card." in shown


@pytest.mark.parametrize(
    "source",
    [
        """
        def __getattr__(name):
            if name == "f": raise RuntimeError("not today")
            raise AttributeError(name)
        """,
        """
        def __getattr__(name):
            return __getattr__(name) if name == "f" else object.__getattribute__(1, name)
        """,
        """
        class Odd:
            def __call__(self, x): return x
            @property
            def __signature__(self): raise RuntimeError("not today")
        f = Odd()
        """,
        """
        class Odd:
            def __call__(self, x, more=1): return x
            @property
            def __doc__(self): raise RuntimeError("not today")
        f = Odd()
        """,
    ],
)
def test_a_backend_that_cannot_be_asked_for_parameters_breaks_nothing_else(
    host, site, module, source
):
    site.backend("odd", source)
    site.backend("accel", "def f(x, device=0): return 'accel'")
    dispatcher = host()
    f = module("@dispatcher.backend_dispatch" + HOST, dispatcher=dispatcher).f
    with pytest.warns(UserWarning, match=r"f\(\) of the backend 'odd'.*'odd-dist'.*not shown"):
        dispatcher.discover()
    assert dispatcher.settings.available_backends() == ["accel", "odd"]
    assert f(1, backend="accel") == "accel"
    assert "device" in parameters(f)
    dispatcher.discover()


def test_the_order_of_parameters_does_not_depend_on_what_is_loaded_first(host, site, module):
    site.install("d", {"one": "one_of_a_test", "two": "two_of_a_test"})
    site.write("one_of_a_test", "name = 'one'\ndef f(x, device=1, first=1): pass")
    site.write("two_of_a_test", "name = 'two'\ndef f(x, second=2, device=2): pass")
    wrapped = textwrap.dedent(
        """
        import functools
        def outermost(function):
            @functools.wraps(function)
            def outer(*args, **keywords): return function(*args, **keywords)
            return outer

        @outermost
        @dispatcher.backend_dispatch
        """
    )
    for source in ("@dispatcher.backend_dispatch", wrapped.rstrip()):
        signatures = set()
        for order in (["one", "two"], ["two", "one"], []):
            dispatcher = host()
            f = module(source + HOST, dispatcher=dispatcher).f
            for name in order:
                dispatcher.get_backend(name)
            dispatcher.discover()
            signatures.add(str(inspect.signature(f)))
        assert len(signatures) == 1
        assert "device=1, first=1, second=2, backend" in signatures.pop()


def test_text_that_a_decorator_fills_in_in_place_survives(host, site, module):
    site.backend("accel", "def f(x, device=0): ':param device: The card.'")
    site.backend("other", "def f(x, streams=1): ':param streams: How many.'")

    def filled(**values):
        def decorate(function):
            function.__doc__ = function.__doc__.format_map(values)
            return function

        return decorate

    source = "@filled(what='metres')\n@dispatcher.backend_dispatch" + HOST.replace(
        "The x", "{what}"
    )
    dispatcher = host()
    f = module(source, dispatcher=dispatcher, filled=filled).f
    for names in (["accel"], ["accel", "other"]):
        for name in names:
            dispatcher.get_backend(name)
        assert "{what}" not in f.__doc__
        assert f.__doc__.count("metres.") == 1
        assert f.__doc__.count("device (accel)") == 1
    f.__doc__ = f.__doc__.replace("metres", "feet")
    dispatcher.discover()
    assert f.__doc__.count("device (accel)") == f.__doc__.count("streams (other)") == 1
    assert "feet." in f.__doc__


def test_entries_that_are_indented_below_their_header_are_read(host, site):
    text = (
        "Fast.\n\nParameters\n----------\n    device : int\n        The card.\n\n        Or none.\n"
        "    chunk\n        The rows.\n\nReturns\n-------\n    A number.\n"
    )
    site.backend("accel", f"def f(x, device=0, chunk=1): pass\nf.__doc__ = {text!r}")

    def f(x):
        pass

    f.__doc__ = "Do.\n\nParameters\n----------\nx\n    X."
    dispatcher = host()
    g = dispatcher.backend_dispatch(f)
    dispatcher.discover()
    assert g.__doc__.endswith(
        "Other Parameters\n----------------\n"
        "device (accel) : int\n    The card.\n\n    Or none.\nchunk (accel)\n    The rows."
    )
