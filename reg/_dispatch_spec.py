"""What a generic function dispatches on."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ._signatures import signature_with_deferred
from .arginfo import is_positional
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from typing import Any, NoReturn

__all__ = ["Dispatch", "dispatch_of"]


class Dispatch:
    """Which arguments of a generic function decide, and how they are found in a call.

    :param function: the function that was made generic.
    :param names: the parameters that dispatch. None: every positional
      argument does, as many as a call has.
    :param class_first: whether the first of these arguments stands for itself
      instead of for its class.
    :raises TypeError: if the function has no parameter of such a name, or one
      that collects others.
    """

    #: the generic function; it is also the key of its registrations
    generic: Callable[..., Any]

    def __init__(
        self, function: Callable[..., Any], names: tuple[str, ...], class_first: bool
    ) -> None:
        self.function = function
        self.names = names
        self.class_first = class_first
        self.signature = _signature(function)
        parameters = self.signature.parameters
        order = [name for name, each in parameters.items() if is_positional(each)]
        if names:
            self._check_names()
        # A last parameter of that name is given the lookup, by keyword.
        dispatching = order[:-1] if order[-1:] == ["lookup"] else order
        #: the names of the parameters that dispatch
        self.parameters = names or tuple(dispatching)
        #: where these parameters stand among the positional ones; -1 for one
        #: that can be passed by keyword only
        self.positions = tuple(
            order.index(name) if name in order else -1 for name in self.parameters
        )
        #: the same parameters by the names that they can be passed by as
        #: keywords: empty for one that cannot; none at all without names
        self.keywords = tuple(
            "" if parameter.kind is parameter.POSITIONAL_ONLY else parameter.name
            for parameter in (parameters[name] for name in names)
        )
        #: the names of all positional parameters, in order
        self.order = order
        # Where to find each dispatch argument in a call.
        self._sources = [
            (name, order.index(name) if name in order else sys.maxsize, parameters[name])
            for name in self.parameters
        ]

    def arguments(
        self, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...]]:
        """Pick the arguments that dispatch from those of a call.

        :return: the positional and keyword arguments to call an implementation
          with, which are those of the call and any dispatch argument that was
          left to its default, and the dispatch arguments.
        :raises TypeError: if one is missing.
        """
        if not self.names:
            return args, keywords, args
        picked = []
        left_out: dict[str, Any] = {}
        for name, position, parameter in self._sources:
            if position < len(args):
                picked.append(args[position])
            elif name in keywords and parameter.kind is not parameter.POSITIONAL_ONLY:
                picked.append(keywords[name])
            elif parameter.default is not parameter.empty:
                picked.append(parameter.default)
                left_out[name] = parameter.default
            else:
                raise TypeError(
                    f"{self.function.__qualname__}() missing the argument {name!r},"
                    " which it dispatches on"
                )
        if left_out:
            args, keywords = self._fill_in(args, keywords, left_out)
        return args, keywords, tuple(picked)

    def _fill_in(
        self, args: tuple[Any, ...], keywords: dict[str, Any], left_out: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Pass on the defaults that chose the implementation: it is made for them."""
        keywords = dict(keywords)
        for name, position, parameter in sorted(self._sources, key=lambda source: source[1]):
            if name not in left_out:
                continue
            if position == len(args):
                args = (*args, left_out[name])
            elif parameter.kind is not parameter.POSITIONAL_ONLY:
                keywords[name] = left_out[name]
        return args, keywords

    def __reduce__(self) -> NoReturn:
        # Met by those who pickle functions by value, where the call is in Python.
        import pickle

        raise pickle.PicklingError(
            f"the generic function {self.function.__module__}.{self.function.__qualname__} is"
            " found in another process by its name: define it at the top of a module that can be"
            " imported there, and neither in a function nor in __main__"
        )

    def _check_names(self) -> None:
        parameters = self.signature.parameters
        usable = [p.name for p in parameters.values() if not _is_variadic(p)]
        for name in self.names:
            if name not in usable:
                raise TypeError(
                    f"{self.function.__qualname__}() has no parameter {name!r} to dispatch on;"
                    f" it has {', '.join(usable) or 'none'}"
                )
        if len(set(self.names)) < len(self.names):
            raise TypeError(
                f"{self.function.__qualname__}() cannot dispatch on the same parameter twice:"
                f" {', '.join(self.names)}"
            )


def dispatch_of(generic: object) -> Dispatch:
    """Get what a generic function dispatches on.

    :raises TypeError: if it is no generic function.
    """
    dispatch = getattr(generic, "__reg_dispatch__", MISSING)
    if not isinstance(dispatch, Dispatch):
        raise TypeError(
            f"expected a generic function, made by @reg.generic, as in"
            f" @registry.implements(generic_function); got {generic!r}"
        )
    return dispatch


def _is_variadic(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _signature(function: Callable[..., Any]) -> inspect.Signature:

    try:
        return signature_with_deferred(function)
    except (TypeError, ValueError):
        # A built-in function that does not tell: any arguments may come.
        return signature_with_deferred(lambda *args, **keywords: None)
