"""The dispatch parameters of a generic function, and binding of calls to them."""

from __future__ import annotations

import functools
import operator
import types

from ._errors import describe
from ._functions import is_coroutine, with_checked_result
from ._signatures import (
    KEYWORD_ONLY,
    POSITIONAL_ONLY,
    POSITIONAL_OR_KEYWORD,
    VAR_KEYWORD,
    VAR_POSITIONAL,
    parameters_of,
    signature_with_deferred,
)
from .arginfo import accepted_keywords, arginfo
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable
    from typing import Any, Final, NoReturn, TypeAlias

    from .predicate import Predicate

__all__ = [
    "DispatchSpec",
    "canonical_key",
    "dispatch_of",
    "dispatch_spec_of",
    "generic_in_partial",
    "is_plain_function",
]


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
        parameters = _parameters(function)
        positional = [
            name
            for name, (kind, _) in parameters.items()
            if kind in (POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD)
        ]
        self._refuse_reserved_names(parameters)
        if names:
            self._check_names(parameters)
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
            "" if parameters[name][0] == POSITIONAL_ONLY else name for name in self.parameters
        )
        #: the names of all parameters that can be passed as keywords
        self.all_keywords = frozenset(
            name
            for name, (kind, _) in parameters.items()
            if kind in (POSITIONAL_OR_KEYWORD, KEYWORD_ONLY)
        )
        #: the defaults of these parameters; ``MISSING`` for one without
        self.defaults = tuple([parameters[name][1] for name in self.parameters])
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
        #: whether the result of a call is awaited, and so its ``default=``
        self.awaits = is_coroutine(function)
        #: whether any number of arguments dispatches
        self.collects = not names and any(kind == VAR_POSITIONAL for kind, _ in parameters.values())
        #: whether calls are bound to the signature where nothing is registered for the number
        #: of positional arguments
        self.binds = not names and not self.collects

    @property
    def layout(self) -> tuple[Any, ...]:
        """All that the fast path in C has to know."""
        flags = bool(self.names), self.awaits, self.collects, self.class_first
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
        """Adapt a component with other parameters than the function, or of another kind.

        :param component: an implementation.
        :return: the component itself, or a function that calls it.
        """
        if not callable(component) or _is_matcher_class(component):
            return self._refusal_of(component)
        call = self._named_call(component) if self.names else component
        return with_checked_result(self.function, component, call)

    def _named_call(self, component: Any) -> Any:
        """Make the call of a component with named dispatch, where arguments can come by keyword.

        A component that does not take all of their names gets them by position; one that has
        them in another order, by name.
        """
        order = self.order
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

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """The signature of the function, read when a tool asks for it."""
        try:
            return signature_with_deferred(self.function)
        except (TypeError, ValueError):
            return signature_with_deferred(lambda *args, **keywords: None)

    def _refuse_reserved_names(self, parameters: _Parameters) -> None:
        meanings = {
            "call_next": "the next implementation, which is filled in for an implementation",
            "default": "the result of a call for which nothing is registered",
        }
        for name, (kind, _) in parameters.items():
            if name in meanings and kind in (POSITIONAL_OR_KEYWORD, KEYWORD_ONLY):
                raise TypeError(
                    f"{self.function.__qualname__}() cannot be generic with a parameter"
                    f" {name!r}: that keyword is {meanings[name]}; rename it,"
                    " or make it positional-only"
                )

    def _check_names(self, parameters: _Parameters) -> None:
        usable = [name for name, (kind, _) in parameters.items() if kind not in _VARIADIC]
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
    generic = canonical_key(generic)
    spec = getattr(generic, "__reg_dispatch__", MISSING)
    if not isinstance(spec, DispatchSpec):
        problem = ""
        if (inside := generic_in_partial(generic)) is not None:
            problem = f", with some arguments of {describe(inside)}: give that"
        elif is_plain_function(generic):
            problem = (
                f", a plain function: decorate it with @reg.generic; or, if {describe(generic)} is"
                " the implementation, name the generic function in parentheses"
            )
        raise TypeError(
            f"expected a generic function, made by @reg.generic, as in"
            f" @registry.implements(generic_function); got {generic!r}{problem}"
        )
    return spec


def dispatch_of(key: object) -> DispatchSpec | None:
    """Get the dispatch parameters of a generic function; ``None`` for any other key."""
    spec = getattr(key, "__reg_dispatch__", None)
    return spec if isinstance(spec, DispatchSpec) else None


def is_plain_function(key: object) -> bool:
    """Return whether a key is a function that is not generic, whose calls do not dispatch.

    :param key: any key.
    """
    return type(key) in _FUNCTIONS and dispatch_of(key) is None


_FUNCTIONS: Final = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)

# The attributes in which the descriptors of a class body have their function.
_INSIDE: Final = {
    staticmethod: "__func__",
    classmethod: "__func__",
    property: "fget",
    functools.cached_property: "func",
}


def canonical_key(key: Any) -> Any:
    """Get the generic function of a copy that ``functools.wraps`` or a cache made of it.

    :param key: a key.
    :return: the generic function, also for a ``staticmethod``, ``property`` or the like around
      it; any other key as it is.
    """
    spec = getattr(key, "__dict__", {}).get("__reg_dispatch__")
    if isinstance(spec, DispatchSpec):
        return spec.generic
    if type(key) in _INSIDE:
        inside = canonical_key(getattr(key, _INSIDE[type(key)]))
        if "__reg_dispatch__" in getattr(inside, "__dict__", ()):
            return inside
    return key


def generic_in_partial(key: Any) -> Any:
    """Get the generic function of which a key has some arguments already; else ``None``."""
    inside = key
    while isinstance(inside, (functools.partial, functools.partialmethod)):
        inside = canonical_key(inside.func)
    is_generic = inside is not key and "__reg_dispatch__" in getattr(inside, "__dict__", ())
    return inside if is_generic else None


def _is_matcher_class(component: Any) -> bool:
    if not isinstance(component, type):
        return False
    from ._matching import Matcher

    return issubclass(component, Matcher)


# By name: the kind and the default of each parameter, in order.
_Parameters: TypeAlias = "dict[str, tuple[int, Any]]"

_VARIADIC = (VAR_POSITIONAL, VAR_KEYWORD)


def _parameters(function: Callable[..., Any]) -> _Parameters:
    try:
        parameters = parameters_of(function)
    except (TypeError, ValueError):
        # A built-in function without a signature: it may take any arguments.
        parameters = parameters_of(lambda *args, **keywords: None)
    return {name: (kind, default) for name, kind, default in parameters}
