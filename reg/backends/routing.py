"""Passing the arguments of a host's call to an implementation of a backend.

What goes where follows from two signatures. It is worked out once for each
pair of them, and written down as a function that passes arguments in just this
way. Such functions are made from text, for the same reason as in
:mod:`reg._fastcall_py`: what is decided beforehand costs nothing in the call.
"""

from __future__ import annotations

import functools
import inspect
import linecache
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from reg.sentinel import MISSING

from .notices import warn_caller

__all__ = ["PREFIX", "Layout", "Route", "RouteError", "compiled", "route"]

# Up to how many optional arguments each usual call is written out, and for how
# many options of the backend's own.
_SPELT_OUT = 4
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


#: What all names in a text begin with that are not those of a host's parameters,
#: which may be called like anything, ``dict`` included.
PREFIX: Final = "_reg_"


class RouteError(TypeError):
    """A call that a backend's implementation has no way to be given."""


class Layout(NamedTuple):
    """The parameters of a host's function, as far as text depends on them."""

    #: name, and whether a call must give it
    required: tuple[tuple[str, bool], ...]
    #: how many of them are positional
    positional: int
    #: how many of them can only be given by position
    positional_only: int
    variadic: bool

    @classmethod
    def of(cls, signature: inspect.Signature) -> Layout:
        parameters = [
            each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD
        ]
        return cls(
            tuple((each.name, each.default is each.empty) for each in parameters),
            sum(each.kind in _POSITIONAL for each in parameters),
            sum(each.kind is each.POSITIONAL_ONLY for each in parameters),
            len(parameters) < len(signature.parameters),
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.required)

    @property
    def values(self) -> str:
        """The values of a call, as they are handed on: one of each parameter, and the others."""
        return ", ".join((*self.names, "_reg_extra"))


class _Shape(NamedTuple):
    """The parameters of an implementation, as far as text depends on them."""

    #: names and kinds
    parameters: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, signature: inspect.Signature) -> _Shape:
        return cls(tuple((each.name, each.kind) for each in signature.parameters.values()))

    @property
    def positional_only(self) -> list[str]:
        return [n for n, kind in self.parameters if kind is inspect.Parameter.POSITIONAL_ONLY]

    def options(self, given: Iterable[str]) -> list[str]:
        """What can be passed by keyword, but for the parameters of the host."""
        return [
            name
            for name, kind in self.parameters
            if name not in given and kind not in (inspect.Parameter.POSITIONAL_ONLY, *_VARIADIC)
        ]

    @property
    def takes_any(self) -> bool:
        return any(kind is inspect.Parameter.VAR_KEYWORD for _, kind in self.parameters)

    def takes(self, name: str) -> bool:
        return self.takes_any or any(
            name == each and kind is not inspect.Parameter.VAR_POSITIONAL
            for each, kind in self.parameters
        )


class Route(NamedTuple):
    """How calls of a host's function reach one implementation.

    :param call: ``call(implementation, *values, extra)``: a value for each of
      the host's parameters, ``MISSING`` where none was given, and the other
      keyword arguments.
    :param text: the body of that function, to be put into others.
    :param names: what that body refers to.
    :param forwarded: the host's parameters that are passed on.
    :param parameters: those of the implementation.
    """

    call: Callable[..., Any]
    text: tuple[str, ...]
    names: dict[str, Any]
    forwarded: tuple[str, ...]
    parameters: frozenset[str]


def route(
    function: str, host: inspect.Signature, backend: str, implementation: inspect.Signature
) -> Route:
    """Work out how arguments are passed; see :class:`Route`.

    :param function: name of the host's function, for warnings and errors.
    :param host: its signature.
    :param backend: name of the backend, likewise.
    :param implementation: the signature of its implementation.
    """
    layout, shape = Layout.of(host), _Shape.of(implementation)
    names: dict[str, Any] = {
        "_reg_len": len,
        "_reg_missing": MISSING,
        "_reg_drop": _dropper(function, backend, host),
        "_reg_fill": _filler(function, backend, implementation),
    }
    text = _body(layout, shape)
    call = compiled("route", ("_reg_function", layout.values), text, names)
    parameters = frozenset(
        name
        for name, kind in shape.parameters
        if kind is not inspect.Parameter.VAR_POSITIONAL
        and kind is not inspect.Parameter.VAR_KEYWORD
    )
    forwarded = tuple(name for name in layout.names if shape.takes(name))
    return Route(call, text, names, forwarded, parameters)


def compiled(
    name: str,
    parameters: Iterable[str],
    body: Iterable[str],
    names: dict[str, Any],
    before: str = "",
) -> Callable[..., Any]:
    """Make a function from text.

    :param parameters: as they are written.
    :param body: its lines.
    :param names: what it refers to.
    :param before: what is written before ``def``.

    In its body, ``_reg_identity`` is its own identity.
    """
    lines = [f"def make({', '.join(names)}):", f"    {before}def {name}({', '.join(parameters)}):"]
    lines += [f"        {line}" for line in body]
    lines += [f"    _reg_identity = id({name})", f"    return {name}"]
    make: Callable[..., Callable[..., Any]] = _maker("\n".join(lines) + "\n")
    return make(**names)


@functools.lru_cache(4096)
def _maker(source: str) -> Callable[..., Callable[..., Any]]:
    # So that a traceback through the call shows its lines.
    filename = f"<reg.backends call {hash(source):x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(compile(source, filename, "exec"), namespace)
    make: Callable[..., Callable[..., Any]] = namespace["make"]
    return make


@functools.lru_cache(4096)
def _body(layout: Layout, shape: _Shape) -> tuple[str, ...]:
    """The body of a route. All names in it begin with ``_reg_``, but for keywords."""
    lines: list[str] = []
    required = dict(layout.required)
    for name in layout.names:
        if not shape.takes(name):
            condition = "" if required[name] else f"if {name} is not _reg_missing: "
            lines.append(f"{condition}_reg_drop({name!r}, {name})")
    taken = {name: name for name in layout.names if shape.takes(name)}
    if not all(required.get(name) for name in shape.positional_only):
        values = ", ".join(f"{name!r}: {name}" for name in taken)
        lines.append(f"_reg_args, _reg_keywords = _reg_fill({{{values}}}, _reg_extra)")
        lines.append("return _reg_function(*_reg_args, **_reg_keywords)")
        return tuple(lines)
    always = {name: name for name in taken if required[name]}
    optional = [name for name in taken if not required[name]]
    lines.append("if not _reg_extra:")
    lines += [f"    {line}" for line in _usual_calls(shape, taken, optional)]
    for name in shape.options(layout.names)[:_SPELT_OUT]:
        lines.append(f"elif {name!r} in _reg_extra and _reg_len(_reg_extra) == 1:")
        calls = _usual_calls(shape, {**taken, name: f"_reg_extra[{name!r}]"}, optional)
        lines += [f"    {line}" for line in calls]
    if optional:
        lines.append("_reg_extra = {**_reg_extra}")
        lines += [
            f"if {name} is not _reg_missing: _reg_extra[{name!r}] = {name}" for name in optional
        ]
    call = _call(shape, always)
    lines.append(f"return _reg_function({call}{', ' if call else ''}**_reg_extra)")
    return tuple(lines)


def _usual_calls(shape: _Shape, taken: dict[str, str], optional: list[str]) -> list[str]:
    """Calls that give none of the optional arguments, or the first, or the first two …

    :param taken: what is passed, by name.
    """
    if not optional:
        return [f"return _reg_function({_call(shape, taken)})"]
    lines = []
    every = range(len(optional) + 1)
    for count in every if len(optional) <= _SPELT_OUT else (0, len(optional)):
        condition = " and ".join(
            f"{name} is {'not ' if index < count else ''}_reg_missing"
            for index, name in enumerate(optional)
        )
        values = {name: value for name, value in taken.items() if name not in optional[count:]}
        lines.append(f"if {condition}: return _reg_function({_call(shape, values)})")
    return lines


def _call(shape: _Shape, values: dict[str, str]) -> str:
    """The arguments of a call: by position as long as they come first, then by name."""
    written = []
    by_name = dict(values)
    for name, kind in shape.parameters:
        if kind not in _POSITIONAL or name not in by_name:
            break
        written.append(by_name.pop(name))
    return ", ".join([*written, *(f"{name}={variable}" for name, variable in by_name.items())])


def _dropper(function: str, backend: str, host: inspect.Signature) -> Callable[[str, Any], None]:
    """Make what warns of an argument that the backend cannot be given."""
    defaults = {each.name: each.default for each in host.parameters.values()}

    def drop(name: str, value: Any) -> None:
        default = defaults[name]
        if value is default:
            return
        try:
            equal = default is not inspect.Parameter.empty and bool(value == default)
        except Exception:
            # Arrays, and whatever else has no answer, are not the default.
            equal = False
        if not equal:
            warn_caller(
                f"{function}() of the backend {backend!r} has no parameter {name!r}:"
                f" the argument is dropped"
            )

    return drop


def _filler(
    function: str, backend: str, implementation: inspect.Signature
) -> Callable[[dict[str, Any], dict[str, Any]], tuple[list[Any], dict[str, Any]]]:
    """Make what puts arguments by name into positions."""
    positional = [
        (each.name, each.default)
        for each in implementation.parameters.values()
        if each.kind is each.POSITIONAL_ONLY
    ]

    def fill(values: dict[str, Any], extra: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        keywords = {k: v for k, v in values.items() if v is not MISSING}
        # What the host has by position only is another thing if it is given by name.
        keywords.update((k, v) for k, v in extra.items() if k not in values)
        last = max((i for i, (name, _) in enumerate(positional) if name in keywords), default=-1)
        args = []
        for index, (name, default) in enumerate(positional):
            if name in keywords:
                args.append(keywords.pop(name))
            elif default is inspect.Parameter.empty:
                raise RouteError(
                    f"{function}() of the backend {backend!r} needs the positional-only argument"
                    f" {name!r}, which was not given"
                )
            elif index < last:
                args.append(default)
        return args, {**keywords, **{k: v for k, v in extra.items() if k in values}}

    return fill
