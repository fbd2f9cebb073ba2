"""The dispatch parameters of a generic function, and binding of calls to them."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from ._classes import describe
from ._matching import Matcher
from ._signatures import signature_with_deferred
from .arginfo import accepted_keywords, arginfo, is_positional
from .sentinel import MISSING

if TYPE_CHECKING:
    from .predicate import Predicate

__all__ = ["DispatchSpec", "canonical_key", "dispatch_spec_of"]


class DispatchSpec:
    """The dispatch parameters of a generic function, and their positions in a call.

    :param function: the function that was made generic.
    :param names: the parameters that dispatch. Without names, every positional
      argument does, as many as a call has.
    :param class_first: whether the first of these arguments stands for itself
      instead of for its class.
    :param predicates: the predicates that decide beside the classes.
    :param predicates_first: whether they weigh more than the classes.
    :raises TypeError: if the function has no parameter of such a name, or one
      that collects others.
    """

    #: the generic function; it is also the key of its registrations
    generic: Callable[..., Any]

    def __init__(
        self,
        function: Callable[..., Any],
        names: tuple[str, ...],
        class_first: bool,
        predicates: tuple[Predicate, ...] = (),
        predicates_first: bool = False,
    ) -> None:
        self.function = function
        self.names = names
        self.class_first = class_first
        self.predicates = predicates
        self.predicates_first = predicates_first
        self.signature = _signature(function)
        parameters = self.signature.parameters
        positional = [name for name, parameter in parameters.items() if is_positional(parameter)]
        self._refuse_reserved_names()
        if names:
            self._check_names()
        # A last parameter of that name is filled in with the lookup, by keyword.
        dispatching = positional[:-1] if positional[-1:] == ["lookup"] else positional
        #: the names of the parameters that dispatch
        self.parameters = names or tuple(dispatching)
        #: the positions of these parameters; -1 for one that is keyword-only
        self.positions = tuple(
            positional.index(name) if name in positional else -1 for name in self.parameters
        )
        #: the names of all positional parameters, in order
        self.order = positional
        #: the names by which these parameters can be passed as keywords; "" for one that is
        #: positional-only
        self.keywords = tuple(
            "" if parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY else name
            for name in self.parameters
        )
        #: the defaults of these parameters; ``MISSING`` for one without
        self.defaults = tuple(
            MISSING if default is inspect.Parameter.empty else default
            for default in (parameters[name].default for name in self.parameters)
        )
        self._optional = list(zip(self.keywords, self.defaults, strict=True))
        # For each dispatch parameter: its name; its position; its keyword and default.
        self._sources = [
            (name, position if position >= 0 else None, optional)
            for name, position, optional in zip(
                self.parameters, self.positions, self._optional, strict=True
            )
        ]
        self._in_order = sorted(
            self._sources, key=lambda source: len(positional) if source[1] is None else source[1]
        )
        #: whether any number of arguments dispatches
        self.collects = not names and any(
            parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters.values()
        )
        #: whether calls are bound to the signature where nothing is registered for the number
        #: of positional arguments
        self.binds = not names and not self.collects

    @property
    def layout(self) -> tuple[Any, ...]:
        """All that the fast path in C has to know."""
        flags = bool(self.names), self.collects, self.class_first
        return self.positions, self.keywords, self.defaults, *flags

    def bound(
        self, args: tuple[Any, ...], keywords: dict[str, Any], counts: int
    ) -> tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...]]:
        """Pick the dispatch arguments of a call, and the arguments of an implementation.

        :param args: the positional arguments of the call.
        :param keywords: its keyword arguments; not changed.
        :param counts: the numbers of arguments, as bits, that something is registered for.
        :return: the positional and the keyword arguments for an implementation, and the
          arguments that dispatch. Without names, these are all positional arguments; but if
          nothing is registered for their number, the call is bound to the signature, so that
          arguments passed by keyword and defaults dispatch as well.
        :raises TypeError: if a named parameter is missing.
        """
        if self.names:
            return self._named(args, keywords)
        if not self.binds or counts >> len(args) & 1 or len(args) >= len(self.parameters):
            return args, keywords, args
        values, passed = list(args), keywords
        for name, default in self._optional[len(args) :]:
            value = keywords.get(name, MISSING) if name else MISSING
            if value is MISSING:
                value = default
            elif passed is keywords:
                passed = {key: keywords[key] for key in keywords if key != name}
            else:
                del passed[name]
            if value is MISSING:
                # A call of the decorated function raises Python's error for a missing argument.
                return args, keywords, args
            values.append(value)
        dispatched = tuple(values)
        return dispatched, passed, dispatched

    def dispatched(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """Pick the dispatch arguments of a call, with named dispatch.

        :param args: the positional arguments of the call.
        :param keywords: its keyword arguments; not changed.
        :return: the dispatch arguments, in the order of :attr:`parameters`.
        :raises TypeError: if one is missing.
        """
        return self._named(args, keywords)[2]

    def _named(
        self, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...]]:
        dispatched = []
        defaulted: dict[str, Any] = {}
        given = len(args)
        for name, position, (keyword, default) in self._sources:
            if position is not None and position < given:
                dispatched.append(args[position])
            elif keyword and keyword in keywords:
                dispatched.append(keywords[keyword])
            elif default is not MISSING:
                dispatched.append(default)
                defaulted[name] = default
            else:
                raise TypeError(
                    f"{self.function.__qualname__}() missing the argument {name!r},"
                    " which it dispatches on"
                )
        if defaulted:
            args, keywords = self._with_defaults(args, keywords, defaulted)
        return args, keywords, tuple(dispatched)

    def _with_defaults(
        self, args: tuple[Any, ...], keywords: dict[str, Any], defaulted: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Pass on the defaults that chose the implementation: it is made for them."""
        keywords = dict(keywords)
        for name, position, (keyword, _) in self._in_order:
            if name in defaulted:
                if position == len(args):
                    args = (*args, defaulted[name])
                elif keyword:
                    keywords[keyword] = defaulted[name]
        return args, keywords

    def adapt(self, component: Any) -> Any:
        """Adapt a component whose parameters have other names, or another order.

        With named dispatch, arguments can come by keyword. A component that does not take all
        of their names gets them by position; one that has them in another order, by name.

        :param component: an implementation.
        :return: the component itself, or a function that calls it.
        """
        if not callable(component) or _is_matcher_class(component):
            return self._refusal_of(component)
        order = self.order
        if not self.names:
            return component
        has_order, misplaced = self._placed(component)
        if len(accepted_keywords(component, order)) == len(order):
            return component if has_order else self._by_name(component)
        if misplaced:
            return self._refusal_of_order(component, misplaced)

        @functools.wraps(component)
        def by_position(*args: Any, **keywords: Any) -> Any:
            if keywords:
                for name in order[len(args) :]:
                    if name not in keywords:
                        break
                    args = (*args, keywords.pop(name))
            return component(*args, **keywords)

        return by_position

    def _placed(self, component: Any) -> tuple[bool, list[str]]:
        """Compare the positional parameters of a component with those of the generic function.

        :return: whether they have the same names at the same places, and the names that are at
          other places.
        """
        try:
            names, varargs = arginfo(component)[:2]
        except TypeError:
            # It has no signature.
            return True, []
        misplaced = [
            name for at, name in enumerate(self.order) if name in names and names.index(name) != at
        ]
        is_alike = all(map(operator.eq, names, self.order))
        return is_alike and (len(names) >= len(self.order) or varargs is not None), misplaced

    def _by_name(self, component: Any) -> Callable[..., Any]:
        order = self.order

        @functools.wraps(component)
        def by_name(*args: Any, **keywords: Any) -> Any:
            if len(args) > len(order):
                return component(*args, **keywords)
            return component(**dict(zip(order, args, strict=False)), **keywords)

        return by_name

    def _refusal_of_order(self, component: Any, misplaced: list[str]) -> Callable[..., NoReturn]:
        def refuse(*args: Any, **keywords: Any) -> NoReturn:
            raise TypeError(
                f"{component!r}, registered under the generic function {describe(self.generic)},"
                f" has {', '.join(map(repr, misplaced))} at another place and not all of its"
                f" names, so that arguments would be mixed up; give it the parameters"
                f" {', '.join(self.order)}"
            )

        return refuse

    def _refusal_of(self, component: Any) -> Callable[..., NoReturn]:
        """Make the call of a component that cannot be called."""

        remedy = "register a function there"
        if isinstance(component, type):
            remedy = f"register an instance of it there, {component.__qualname__}()"

        def refuse(*args: Any, **keywords: Any) -> NoReturn:
            raise TypeError(
                f"{component!r} is registered under the generic function {describe(self.generic)},"
                f" and cannot be called; {remedy}, or ask for the component with"
                f" {self.generic.__name__}.component(). Its place is shown by"
                f" {self.generic.__name__}.explain()."
            )

        return refuse

    def __reduce__(self) -> NoReturn:
        # Imported here, since it takes a quarter of the time that `import reg` takes.
        import pickle

        # cloudpickle and the like pickle functions by value, and so their attributes.
        raise pickle.PicklingError(
            f"the generic function {self.function.__module__}.{self.function.__qualname__} is"
            " found in another process by its name: define it at the top of a module that can be"
            " imported there, and neither in a function nor in __main__"
        )

    def _refuse_reserved_names(self) -> None:
        meanings = {
            "call_next": "the next implementation, which is filled in for an implementation",
            "default": "the result of a call for which nothing is registered",
        }
        for parameter in self.signature.parameters.values():
            if parameter.name in meanings and not (
                _is_variadic(parameter) or parameter.kind is inspect.Parameter.POSITIONAL_ONLY
            ):
                raise TypeError(
                    f"{self.function.__qualname__}() cannot be generic with a parameter"
                    f" {parameter.name!r}: that keyword is {meanings[parameter.name]}; rename it,"
                    " or make it positional-only"
                )

    def _check_names(self) -> None:
        parameters = self.signature.parameters
        usable = [p.name for p in parameters.values() if not _is_variadic(p)]
        for name in self.names:
            if name not in usable:
                raise TypeError(
                    f"{self.function.__qualname__}() has no parameter {name!r} to dispatch on;"
                    f" it has {', '.join(usable) or 'no parameters'}"
                )
        if len(set(self.names)) < len(self.names):
            raise TypeError(
                f"{self.function.__qualname__}() cannot dispatch on the same parameter twice:"
                f" {', '.join(self.names)}"
            )


def dispatch_spec_of(generic: object) -> DispatchSpec:
    """Get the dispatch parameters of a generic function.

    :param generic: a generic function.
    :raises TypeError: if it is not a generic function.
    """
    spec = getattr(generic, "__reg_dispatch__", MISSING)
    if not isinstance(spec, DispatchSpec):
        raise TypeError(
            f"expected a generic function, made by @reg.generic, as in"
            f" @registry.implements(generic_function); got {generic!r}"
        )
    return spec


def canonical_key(key: Any) -> Any:
    """Get the generic function of a copy that ``functools.wraps`` or a cache made of it.

    :param key: a key.
    :return: the generic function; any other key as it is.
    """
    spec = getattr(key, "__dict__", {}).get("__reg_dispatch__")
    return spec.generic if isinstance(spec, DispatchSpec) else key


def _is_matcher_class(component: Any) -> bool:
    return isinstance(component, type) and issubclass(component, Matcher)


def _is_variadic(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return signature_with_deferred(function)
    except (TypeError, ValueError):
        # A built-in function without a signature: it may take any arguments.
        return inspect.signature(lambda *args, **keywords: None)
