"""The parameters of a function are read as ``inspect`` reads them."""

import inspect
from functools import partial, wraps

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reg._signatures import parameters_of
from reg.sentinel import MISSING


def read_by_inspect(function):
    return [
        (
            parameter.name,
            int(parameter.kind),
            MISSING if parameter.default is parameter.empty else parameter.default,
        )
        for parameter in inspect.signature(function).parameters.values()
    ]


@st.composite
def functions(draw):
    """Functions with parameters of all kinds, some with defaults, and with local variables."""
    counts = st.integers(0, 3)
    positional_only, positional, by_keyword = draw(counts), draw(counts), draw(counts)
    names = [f"p{index}" for index in range(positional_only + positional)]
    without_default = draw(st.integers(0, len(names)))
    parts = [
        name if index < without_default else f"{name}={index}" for index, name in enumerate(names)
    ]
    if positional_only:
        parts.insert(positional_only, "/")
    if draw(st.booleans()):
        parts.append("*args")
    elif by_keyword:
        parts.append("*")
    parts += [f"k{index}" + draw(st.sampled_from(["", "=None"])) for index in range(by_keyword)]
    if draw(st.booleans()):
        parts.append("**keywords")
    namespace = {}
    exec(f"def function({', '.join(parts)}):\n    local = 1\n    return local", namespace)
    return namespace["function"]


@given(function=functions())
def test_parameters_of_a_function_are_those_of_its_signature(function):
    assert parameters_of(function) == read_by_inspect(function)


def plain(a, b=2, /, c=3, *args, d, e=5, **keywords):
    """A function with a parameter of each kind."""


@wraps(plain)
def wrapping(*args, **keywords):
    """A function that has the signature of another one."""


class Callable:
    def __call__(self, a, *, b=1):
        """Its parameters are those behind ``self``."""


@pytest.mark.parametrize("callable", [plain, wrapping, partial(plain, 1, d=2), Callable(), len])
def test_parameters_of_any_callable_are_those_of_its_signature(callable):
    assert parameters_of(callable) == read_by_inspect(callable)
