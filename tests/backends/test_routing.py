"""How the arguments of a call reach a backend's implementation."""

import pytest

from reg.backends import BackendFallbackError


@pytest.fixture
def route(host, site):
    """Makes a host's function that is run by an implementation given as source."""

    def make(source, function):
        site.backend("accel", source)
        return host(default="accel").backend_dispatch(name="f")(function)

    return make


def test_shared_parameters_are_passed_only_if_given(route):
    def f(a, b=2, c=3):
        pass

    g = route("def f(a, b='own b', c='own c'): return a, b, c", f)
    for _ in range(3):
        assert g(1) == (1, "own b", "own c")
        assert g(1, 5) == (1, 5, "own c")
        assert g(1, c=5) == (1, "own b", 5)
        assert g(c=1, b=2, a=3) == (3, 2, 1)
        assert g(1, 2, 3) == (1, 2, 3)


def test_arguments_go_by_name_whatever_their_order(route):
    def f(a, b, *, c):
        pass

    g = route("def f(c, b, a): return a, b, c", f)
    for _ in range(3):
        assert g(1, 2, c=3) == (1, 2, 3)


def test_what_only_the_backend_knows_is_forwarded(route):
    def f(a, b=2):
        pass

    g = route("def f(a, b=2, *, device=0, **more): return a, b, device, more", f)
    for _ in range(3):
        assert g(1, device=5, unknown=6) == (1, 2, 5, {"unknown": 6})
        assert g(1, 7, device=5) == (1, 7, 5, {})


def test_an_unknown_keyword_is_the_backends_error(route):
    def f(a):
        pass

    g = route("def f(a): return a", f)
    for _ in range(2):
        with pytest.raises(TypeError, match="unexpected keyword argument 'unknown'"):
            g(1, unknown=6)


def test_the_hosts_own_keywords_are_forwarded(route):
    def f(a, **options):
        pass

    g = route("def f(a, z=0, **more): return a, z, more", f)
    for _ in range(3):
        assert g(1, z=2, strict=True) == (1, 2, {"strict": True})


def test_a_host_only_argument_is_dropped_silently_if_it_is_the_default(route):
    def f(a, b=2, c=None):
        pass

    g = route("def f(a): return a", f)
    for _ in range(3):
        assert g(1) == 1
        assert g(1, 2, None) == 1
        assert g(1, 2.0) == 1


class Ambiguous:
    def __eq__(self, other):
        return self

    __hash__ = None

    def __bool__(self):
        raise ValueError("ambiguous")


class Raising:
    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None


@pytest.mark.parametrize("value", [3, Ambiguous(), Raising(), "2"])
def test_otherwise_it_is_dropped_with_a_warning(route, value):
    def f(a, b=2):
        pass

    g = route("def f(a): return a", f)
    for _ in range(3):
        with pytest.warns(UserWarning, match=r"f.*'accel'.*'b'"):
            assert g(1, value) == 1


def test_a_required_host_only_argument_is_dropped_with_a_warning(route):
    def f(a, b):
        pass

    g = route("def f(a): return a", f)
    with pytest.warns(UserWarning, match="'b'") as warned:
        assert g(1, 2) == 1
    assert warned[0].filename == __file__


def test_an_identical_default_is_never_compared(route):
    raising = Raising()

    def f(a, b=raising):
        pass

    assert route("def f(a): return a", f)(1, raising) == 1


def test_positional_only_parameters_are_honoured(route):
    def f(a, b, c=3):
        pass

    g = route("def f(b, a, /, c='own', d='own d'): return a, b, c, d", f)
    for _ in range(3):
        assert g(1, 2) == (1, 2, "own", "own d")
        assert g(1, b=2, c=4, d=5) == (1, 2, 4, 5)


def test_gaps_are_filled_from_defaults(route):
    def f(a, b=2, c=3):
        pass

    g = route("def f(a, b='own b', c='own c', /): return a, b, c", f)
    for _ in range(3):
        assert g(1) == (1, "own b", "own c")
        assert g(1, c=4) == (1, "own b", 4)


def test_a_required_gap_is_a_type_error(route):
    def f(a, b=2):
        pass

    g = route("def f(b, a, z=1, /): return a, b", f)
    with pytest.raises(TypeError, match="'b'"):
        g(1)
    assert g(1, 3, z=3) == (1, 3)


def test_host_positional_only_parameters_go_by_name(route):
    def f(a, b=2, /):
        pass

    g = route("def f(*, b='own', a): return a, b", f)
    for _ in range(3):
        assert g(1) == (1, "own")
        assert g(1, 3) == (1, 3)


def test_a_backend_that_takes_any_keyword_gets_the_hosts(route):
    def f(a, b=2):
        pass

    g = route("def f(**keywords): return keywords", f)
    for _ in range(3):
        assert g(1, 3) == {"a": 1, "b": 3}
        assert g(1) == {"a": 1}


@pytest.mark.parametrize(
    "name", ["implementation", "keywords", "extra", "state", "call", "make", "self", "p0", "id"]
)
def test_parameters_may_have_any_name(route, name):
    namespace = {}
    exec(f"def f(first, {name}=1, last=2): return first, {name}, last", namespace)
    g = route(f"def f(first, {name}=1, last=2): return first, {name}, last", namespace["f"])
    for backend in ("accel", "cpu"):
        for _ in range(3):
            assert g(1, 2, backend=backend) == (1, 2, 2)
            assert g(1, **{name: 5}, backend=backend) == (1, 5, 2)
            assert g(1, last=5, backend=backend) == (1, 1, 5)


def test_many_optional_parameters(route):
    source = "def f(a, b=1, c=2, d=3, e=4, g=5, h=6): return a, b, c, d, e, g, h"
    namespace = {}
    exec(source, namespace)
    f = route(source, namespace["f"])
    for backend in ("accel", "cpu"):
        for _ in range(2):
            assert f(0, backend=backend) == (0, 1, 2, 3, 4, 5, 6)
            assert f(0, 9, g=8, backend=backend) == (0, 9, 2, 3, 4, 8, 6)
            assert f(0, 9, 9, 9, 9, 9, 9, backend=backend) == (0, 9, 9, 9, 9, 9, 9)


def test_parameters_may_be_called_like_anything(host, site):
    site.backend(
        "accel",
        "def f(x, dict=1, len=2, getattr=3, *, KeyError=4): return 'accel', x, dict, len, KeyError",
    )
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(x, dict=1, len=2, getattr=3, isinstance=None, type=None):
        return "host", x, dict, len, type

    for _ in range(2):
        assert f(1, len=7) == ("host", 1, 1, 7, None)
        assert f(1, 5, type=6) == ("host", 1, 5, 2, 6)
        assert f(1, len=7, backend="accel") == ("accel", 1, 1, 7, 4)
        assert f(1, len=7, KeyError=8, backend="accel") == ("accel", 1, 1, 7, 8)


def test_what_the_host_takes_by_position_only_is_not_taken_by_keyword(host, site):
    site.backend(
        "accel", "def f(a, b=3, /): return 'accel', a, b\ndef g(a, b=3): return 'accel', a, b"
    )
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(a, b=2, /):
        return "host", a, b

    @dispatcher.backend_dispatch
    def g(a, b=2, /, **more):
        return "host", a, b, more

    for _ in range(2):
        assert [f(1), f(1, 5), f(1, backend="accel")] == [
            ("host", 1, 2),
            ("host", 1, 5),
            ("accel", 1, 3),
        ]
        for choice in (None, "cpu", "accel"):
            with pytest.raises(TypeError, match="positional-only"):
                f(1, b=5, backend=choice)
        assert g(1, 7, b=5) == ("host", 1, 7, {"b": 5})
        assert g(1, b=5) == ("host", 1, 2, {"b": 5})
        assert g(1, b=5, backend="accel") == ("accel", 1, 5)


def test_strict_mode_forbids_to_drop_an_argument_that_is_not_the_default(host, site):
    site.backend("accel", "calls = []\ndef f(a): calls.append(a)\n")
    dispatcher = host()

    @dispatcher.backend_dispatch
    def f(a, copy=False):
        return "host"

    for strict in (False, True):
        f(1, copy=False, backend="accel", strict=strict)
    calls = dispatcher.get_backend("accel").calls
    for _ in range(2):
        with pytest.raises(BackendFallbackError, match=r"f\(\) of the backend 'accel'.*'copy'"):
            f(1, copy=True, backend="accel", strict=True)
        with (
            dispatcher.settings.use_backend("accel", strict=True),
            pytest.raises(BackendFallbackError, match="'copy'"),
        ):
            f(1, True)
    assert calls == [1, 1]


def test_auto_passes_over_a_backend_that_cannot_be_given_its_argument(host, site):
    source = "array_types = [complex]\ndef f(x{}): return {!r}"
    site.backend("accel", source.format("", "accel"))
    site.backend("other", source.format(", y=None", "other"))
    dispatcher = host(default="auto")

    @dispatcher.backend_dispatch
    def f(x, y=None, z=None):
        return "host"

    for _ in range(2):
        assert f(1j) == "accel"
        assert f(1j, None) == "accel"
        assert f(1, 1j) == f(1, y=1j) == f(1j, 1j) == "other"
        assert f(1, z=1j) == "host"
    reason = dispatcher.explain(f, 1, 1j).candidates[0].reason
    assert reason == "its f() cannot be given 'y', whose class it owns"


def test_an_option_comes_on_top_of_arguments_in_other_places(route):
    def f(a, b):
        pass

    g = route("def f(b, a, *, device=0): return a, b, device", f)
    for _ in range(2):
        assert g(1, 2) == (1, 2, 0)
        assert g(1, 2, device=3) == (1, 2, 3)
        assert g(b=2, a=1, device=3) == (1, 2, 3)
        assert g(1, device=3, b=2) == (1, 2, 3)


def test_one_name_for_two_arguments_is_a_type_error(route):
    def f(a, /, **more):
        pass

    g = route("def f(*, a): return a", f)
    with pytest.raises(TypeError, match="two values for the argument 'a'"):
        g(1, a=2)
