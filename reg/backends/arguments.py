"""Passing the arguments of a host's call to an implementation of a backend.

Where each argument goes follows from two signatures and from the shape of the call: how many
arguments are positional, and which names are keywords. It is worked out once for each shape. In
most calls the implementation takes them as they are.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from .caller_warnings import warn_caller

__all__ = [
    "MOST_SHAPES",
    "ArgumentsError",
    "BackendFallbackError",
    "HostParameters",
    "Passing",
    "Route",
    "read_signature",
]

#: Up to how many shapes of calls are remembered for one function.
MOST_SHAPES: Final = 256
#: Stands for a shape that is not in the cache.
UNKNOWN: Final[Any] = object()

#: A call of an implementation whose arguments have other places:
#: ``passing(implementation, args, keywords, strict)``.
Passing: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any], bool], Any]


class BackendFallbackError(RuntimeError):
    """Strict mode is on, and a backend cannot run a call as it was made.

    The host's own code would have run in place of the backend, or an argument would have been
    dropped.
    """


class ArgumentsError(TypeError):
    """An implementation of a backend cannot be given the arguments of a call."""


def read_signature(callable: Any) -> inspect.Signature:
    """Like ``inspect.signature()``; an annotation that names nothing yet is a ``ForwardRef``."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(callable, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(callable)


class HostParameters:
    """The parameters of a host's function or constructor.

    :param function: the function, which is called to raise its own error for arguments that
      do not fit.
    :param signature: its signature.
    """

    def __init__(self, function: Any, signature: inspect.Signature) -> None:
        self._function = function
        self.signature = signature
        names, positional, positional_only = [], [], []
        #: the defaults of all parameters with a name
        self.defaults: dict[str, Any] = {}
        #: true if it takes any keyword
        self.is_variadic = False
        for name, parameter in signature.parameters.items():
            kind = parameter.kind
            if kind is parameter.VAR_KEYWORD:
                self.is_variadic = True
            elif kind is not parameter.VAR_POSITIONAL:
                names.append(name)
                self.defaults[name] = parameter.default
                if kind is not parameter.KEYWORD_ONLY:
                    positional.append(name)
                if kind is parameter.POSITIONAL_ONLY:
                    positional_only.append(name)
        self.names = tuple(names)
        self.positional = tuple(positional)
        self.positional_only = frozenset(positional_only)
        #: true if ``strict`` is an argument of the host, and not of the dispatcher
        self.has_own_strict = self.is_variadic or "strict" in names
        #: the cache: the shapes of calls that fit
        self.fitting: set[Any] = set()

    def by_name(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name, the positional ones first."""
        given = dict(zip(self.positional, args))  # noqa: B905 (a third of the time)
        return {**given, **keywords} if keywords else given

    def leading(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """The values of the first positional parameters, also of those given by keyword."""
        for name in self.positional[len(args) :]:
            if name not in keywords:
                break
            args = (*args, keywords[name])
        return args

    def takes(self, name: str) -> bool:
        """True if a keyword is a parameter, and no option of a backend."""
        return name in self.defaults and name not in self.positional_only

    def check(self, args: tuple[Any, ...], keywords: dict[str, Any], name: str) -> None:
        """Check that the arguments fit, leaving out those that only a backend may know.

        :param args: the positional arguments.
        :param keywords: the keyword arguments.
        :param name: the name of the function, for the error.
        :raises TypeError: the host's own error, if they do not.
        """
        shape = (len(args), *keywords) if keywords else len(args)
        own = {key: value for key, value in keywords.items() if self.takes(key)}
        try:
            self.signature.bind(*args, **own)
            if len(self.fitting) >= MOST_SHAPES:
                self.fitting.clear()
            self.fitting.add(shape)
            return
        except TypeError as error:
            message = str(error)
        function = self._function
        if type(function) is types.FunctionType and "__wrapped__" not in vars(function):
            # It says so in the usual words. Its body does not run, since they do not fit.
            function(*args, **own)
        raise TypeError(f"{name}() {message}")


class Route:
    """How calls of a host's function reach one implementation.

    :param function: the name of the host's function, for messages.
    :param host: its parameters.
    :param backend: the name of the backend, for messages.
    :param signature: the signature of the implementation.
    """

    def __init__(
        self, function: str, host: HostParameters, backend: str, signature: inspect.Signature
    ) -> None:
        self._function = function
        self._host = host
        self._backend = backend
        self._signature = signature
        self._only: list[tuple[str, Any]] = []
        self._either: list[str] = []
        self._takes_any = False
        named = []
        for name, parameter in signature.parameters.items():
            kind = parameter.kind
            if kind is parameter.VAR_KEYWORD:
                self._takes_any = True
            elif kind is parameter.POSITIONAL_ONLY:
                self._only.append((name, parameter.default))
            elif kind is not parameter.VAR_POSITIONAL:
                named.append(name)
                if kind is parameter.POSITIONAL_OR_KEYWORD:
                    self._either.append(name)
        #: the keywords of the implementation that are no parameters of the host
        self.options = frozenset(named).difference(host.names, ("strict",))
        self._parameters = {*named, *[name for name, _ in self._only]}
        #: the cache: by shape, ``None`` if the arguments are passed as they are
        self.shapes: dict[Any, Passing | None] = {}
        #: those of them whose arguments are passed as they are
        self.in_place: dict[Any, None] = {}

    def takes(self, name: str) -> bool:
        """True if the implementation can be given an argument of this name."""
        return self._takes_any or name in self._parameters

    def passing(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Passing | None:
        """Find out how a call of this shape is passed on.

        :param args: the positional arguments.
        :param keywords: the keyword arguments.
        :return: ``None`` if ``implementation(*args, **keywords)`` does it; this also holds if
          :attr:`options` are added to the keywords.
        :raises ArgumentsError: if a positional-only parameter of the implementation is missing.
        """
        shape: Any = len(args)
        names: tuple[str, ...] = ()
        if keywords:
            names = tuple([name for name in keywords if name not in self.options])
            shape = (shape, *names) if names else shape
        passing = self.shapes.get(shape, UNKNOWN)
        if passing is not UNKNOWN:
            return passing  # type: ignore[no-any-return]
        passing = self._passing(len(args), names)
        # Where it says how strict the call is, each call is decided.
        if self._host.has_own_strict or "strict" not in keywords:
            if len(self.shapes) >= MOST_SHAPES:
                self.shapes.clear()
                self.in_place.clear()
            self.shapes[shape] = passing
            if passing is None:
                self.in_place[shape] = None
        return passing

    def sorted_arguments(self, count: int, names: tuple[str, ...]) -> tuple[Any, Any, Any, Any]:
        """Sort the arguments of a shape; positional ones are called by index, others by name.

        :param count: how many arguments are positional.
        :param names: the names of the keyword arguments.
        :return: the arguments that are passed by position; those passed by keyword, with their
          keywords; those that are dropped, with their names; and the defaults that fill gaps.
        """
        host = self._host
        given: dict[str, Any] = dict(zip(host.positional, range(count), strict=False))
        given.update([(name, name) for name in names if host.takes(name)])
        dropped = {name: one for name, one in given.items() if not self.takes(name)}
        left = {name: one for name, one in given.items() if name not in dropped}
        left.update([(name, name) for name in names if name not in host.defaults])
        # Named like a positional-only parameter of the host, it is another argument.
        other = [(name, name) for name in names if name in host.positional_only]
        positional, fillers = self._positional_only(left)
        if len(positional) == len(self._only):
            for name in self._either:
                if name not in left:
                    break
                positional.append(left.pop(name))
        for name, _ in other:
            if name in left:
                raise ArgumentsError(
                    f"{self._function}() of the backend {self._backend!r} got two values for the"
                    f" argument {name!r}"
                )
        return positional, [*left.items(), *other], dropped, fillers

    def _positional_only(self, left: dict[str, Any]) -> tuple[list[Any], dict[Any, Any]]:
        """Take the arguments of positional-only parameters out of those that are left."""
        positional: list[Any] = []
        fillers: dict[Any, Any] = {}
        last = max([i for i, (name, _) in enumerate(self._only) if name in left], default=-1)
        for index, (name, default) in enumerate(self._only):
            if name in left:
                positional.append(left.pop(name))
            elif default is inspect.Parameter.empty:
                raise ArgumentsError(
                    f"{self._function}() of the backend {self._backend!r} needs the"
                    f" positional-only argument {name!r}, which was not given"
                )
            elif index < last:
                fillers[(name,)] = default
                positional.append((name,))
        return positional, fillers

    def _passing(self, count: int, names: tuple[str, ...]) -> Passing | None:
        positional, by_keyword, dropped, fillers = self.sorted_arguments(count, names)
        in_place = positional == list(range(count)) and not dropped
        if in_place and by_keyword == [(name, name) for name in names]:
            return None

        def passing(
            implementation: Any, args: tuple[Any, ...], keywords: dict[str, Any], strict: bool
        ) -> Any:
            values: dict[Any, Any] = {**fillers, **dict(enumerate(args)), **keywords}
            for name, one in dropped.items():
                self._drop(name, values[one], strict)
            # Options of the backend may come on top of the shape.
            more = {name: value for name, value in keywords.items() if name not in names}
            more.update((name, values[one]) for name, one in by_keyword)
            return implementation(*[values[one] for one in positional], **more)

        return passing

    def _drop(self, name: str, value: Any, strict: bool) -> None:
        """Drop an argument: silently if it is the default, else with a warning or an error."""
        default = self._host.defaults[name]
        if value is default:
            return
        try:
            equal = default is not inspect.Parameter.empty and bool(value == default)
        except Exception:
            # Arrays, and other values whose comparison has no answer, are not the default.
            equal = False
        if equal:
            return
        message = f"{self._function}() of the backend {self._backend!r} has no parameter {name!r}"
        if strict:
            raise BackendFallbackError(
                f"{message}, and strict mode forbids to drop the argument; it differs from the"
                " host's default"
            )
        warn_caller(f"{message}: the argument is dropped")

    def check(self, count: int, names: tuple[str, ...]) -> str | None:
        """Say why the implementation would raise a ``TypeError``, without calling it.

        :param count: how many arguments are positional.
        :param names: the names of the keyword arguments.
        :return: the message; ``None`` if it can be called.
        """
        try:
            positional, by_keyword, _, _ = self.sorted_arguments(count, names)
            self._signature.bind(*positional, **dict(by_keyword))
        except TypeError as error:
            return str(error)
        return None
