"""The classes to register an implementation for, read from its annotations."""

from __future__ import annotations

import builtins
import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ForwardRef, Protocol, TypeVar

from ._classes import ForwardClass
from ._declared import declared_by
from ._dispatch_spec import DispatchSpec, dispatch_spec_of
from ._errors import describe
from ._registering import refuse_namesake
from ._scopes import Names, alias_namespaces, evaluate
from ._signatures import signature_with_deferred
from ._specifications import (
    By,
    ClassSpecification,
    Rest,
    alias_value,
    conditions_in,
    registered_classes,
    union_members,
)
from .arginfo import is_positional

__all__ = ["classes_from_annotations", "registering"]

# The parameters that are filled in by keyword, and do not dispatch.
_FILLED_IN = ("lookup", "call_next")

_C = TypeVar("_C", bound=Callable[..., Any])


class _Registers(Protocol):
    def register(self, key: Any, classes: Any, component: Any) -> Any: ...

    def _reg_replaced(self, key: Any, classes: Any) -> list[Any]: ...


def registering(
    registry: _Registers, generic: Callable[..., Any], predicates: Mapping[str, Any]
) -> Callable[[_C], _C]:
    """Make the decorator that :meth:`reg.IRegistry.implements` returns.

    :param registry: the registry that decorated functions are registered in.
    :param generic: a generic function.
    :param predicates: the values of its predicates that they are registered for.
    :return: the decorator.
    :raises TypeError: if ``generic`` is not a generic function, or declares no predicates.
    :raises PredicateRegistryError: if it does not declare one of them.
    """
    spec = dispatch_spec_of(generic)
    declared_by(spec.generic, predicates)
    by = [By(**predicates)] if predicates else []

    def register(function: _C) -> _C:
        if isinstance(function, (classmethod, property)):
            raise TypeError(
                f"{function!r} cannot be called as an implementation of {describe(spec.generic)}:"
                " decorate a function, or a staticmethod"
            )
        refuse_namesake(spec.generic, function)
        classes = [*classes_from_annotations(spec, function), *by]
        if replaced := registry._reg_replaced(spec.generic, classes):
            # Imported here: only an implementation that replaces another one is compared with it.
            from ._lookalikes import refuse_lookalike

            refuse_lookalike(spec, function, replaced)
        registry.register(spec.generic, classes, function)
        return function

    return register


def classes_from_annotations(
    spec: DispatchSpec, implementation: Callable[..., Any]
) -> list[ClassSpecification]:
    """Read from the annotations for which classes a function implements a generic function.

    :param spec: the parameters that the generic function dispatches on.
    :param implementation: a function; or a class, by its constructor.
    :return: a class, union or name for each dispatch parameter, in their order; a :class:`Rest`
      for a parameter that collects any number of them.
    :raises TypeError: if the implementation lacks a parameter or an annotation, or has one that
      does not name a class.
    """
    classes: list[ClassSpecification] = []
    for parameter in _counterparts(spec, implementation):
        if parameter.annotation is parameter.empty:
            raise TypeError(
                f"{describe(implementation)} does not annotate its parameter {parameter.name!r},"
                f" on which {describe(spec.generic)} dispatches; annotate it, or name the"
                " classes with register()"
            )
        annotation = _Annotation(implementation, parameter)
        specification = annotation.specification(spec.class_first and not classes)
        try:
            registered_classes(spec.generic, [*[object] * len(classes), specification])
        except TypeError as error:
            raise annotation.refusal(f": {error}") from error
        is_rest = parameter.kind is parameter.VAR_POSITIONAL
        classes.append(Rest(specification) if is_rest else specification)
    return classes


def _counterparts(
    spec: DispatchSpec, implementation: Callable[..., Any]
) -> list[inspect.Parameter]:
    """Find the implementation's parameters that will get the dispatch arguments."""
    try:
        parameters = signature_with_deferred(implementation).parameters
    except Exception as error:
        # A __signature__, or an annotation that is evaluated now, may raise any error.
        raise TypeError(
            f"the annotations of {describe(implementation)} cannot be read: {error}; name the"
            " classes with register()"
        ) from error
    positional = [parameter for parameter in parameters.values() if is_positional(parameter)]
    if spec.collects:
        return _all_positional(spec, implementation, parameters, positional)
    counterparts = []
    dispatching = [parameter for parameter in positional if parameter.name not in _FILLED_IN]
    for name, position in zip(spec.parameters, spec.positions, strict=True):
        if spec.names and name in parameters:
            counterparts.append(parameters[name])
        elif 0 <= position < len(positional) and (
            positional[position].name == name or positional[position] in dispatching
        ):
            counterparts.append(positional[position])
        elif 0 <= position < len(dispatching):
            filled_in = positional[position].name
            raise TypeError(
                f"{describe(implementation)} would get the argument for {name!r} as its parameter"
                f" {filled_in!r}, which is filled in by keyword; put that behind the others"
            )
        else:
            raise TypeError(
                f"{describe(implementation)} has no parameter for {name!r}, on which"
                f" {describe(spec.generic)} dispatches; add and annotate it, or name the"
                " classes with register()"
            )
    return counterparts


def _all_positional(
    spec: DispatchSpec,
    implementation: Callable[..., Any],
    parameters: Mapping[str, inspect.Parameter],
    positional: list[inspect.Parameter],
) -> list[inspect.Parameter]:
    """Return all positional parameters: any number of arguments dispatches."""
    dispatching = [parameter for parameter in positional if parameter.name not in _FILLED_IN]
    for parameter in dispatching:
        if parameter.default is not parameter.empty:
            raise TypeError(
                f"{describe(implementation)} takes fewer arguments by the default of its parameter"
                f" {parameter.name!r}, but is registered for one number of arguments of"
                f" {describe(spec.generic)}; leave out the default, or name the classes with"
                " register(), once for each number"
            )
    rest = [p for p in parameters.values() if p.kind is p.VAR_POSITIONAL]
    if rest and len(dispatching) < len(positional):
        filled_in = next(p.name for p in positional if p.name in _FILLED_IN)
        raise TypeError(
            f"{describe(implementation)} would get an argument as its parameter {filled_in!r},"
            f" which is filled in by keyword; put it behind *{rest[0].name}"
        )
    return [*dispatching, *rest]


class _Annotation:
    """The annotation of one parameter of an implementation."""

    def __init__(self, implementation: Callable[..., Any], parameter: inspect.Parameter) -> None:
        self._implementation = implementation
        self._parameter = parameter

    def specification(self, is_class: bool) -> ClassSpecification:
        """Return the class, union or name that the annotation stands for.

        :param is_class: whether the argument is a class, which stands for itself.
        :raises TypeError: if it cannot be evaluated.
        """
        try:
            hint = self._evaluated(self._parameter.annotation)
        except RecursionError as error:
            raise self.refusal(", which refers to itself") from error
        if is_class:
            hint = self._without_type(hint)
        return hint.forward_name if type(hint) is ForwardClass else hint

    def refusal(self, reason: str) -> TypeError:
        """Make the error for an annotation that does not name a class."""
        annotation = self._parameter.annotation
        if isinstance(annotation, ForwardRef):
            annotation = annotation.__forward_arg__
        return TypeError(
            f"{describe(self._implementation)} annotates its parameter {self._parameter.name!r}"
            f" with {annotation!r}{reason}"
        )

    @functools.cached_property
    def _names(self) -> Names:
        # Made for quoted annotations only, since it searches the stack.
        return Names(self._implementation, self._parameter.name)

    def _evaluated(self, hint: Any, aliases: tuple[Any, ...] = ()) -> Any:
        """Evaluate quoted names and aliases, also in unions, and leave metadata out.

        :param aliases: the aliases that ``hint`` is part of, the outermost first.
        """
        if isinstance(hint, (str, ForwardRef)):
            return self._evaluated(self._from_text(hint, aliases), aliases)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            cls, conditions = self._evaluated(arguments[0], aliases), conditions_in(hint)
            # Other metadata is left out.
            return typing.Annotated[(cls, *conditions)] if conditions else cls
        members = union_members(hint)
        if members or origin is type:
            parts = members or arguments
            evaluated = tuple(self._evaluated(part, aliases) for part in parts)
            is_same = [*map(id, evaluated)] == [*map(id, arguments)]
            return hint if is_same else self._put_in(hint, evaluated)
        if isinstance(hint, type):
            return self._names.forward_class(hint.__qualname__) if self._is_former(hint) else hint
        # Of other items, the former class is refused as well.
        is_of_anything = all(argument is Any for argument in arguments)
        if isinstance(origin, type) and is_of_anything and self._is_former(origin):
            return self._names.forward_class(origin.__qualname__)
        return self._from_alias(hint, aliases)

    def _put_in(self, hint: Any, members: tuple[Any, ...]) -> Any:
        try:
            # Not with |, which a metaclass may have for something else.
            return typing.Union[members] if union_members(hint) else type[members]  # noqa: UP007
        except TypeError as error:
            raise self.refusal(f", which cannot be evaluated: {error}") from error

    def _is_former(self, cls: type) -> bool:
        """Return whether a class is the former version of one being defined, or further down."""
        name = getattr(self._implementation, "__qualname__", "")
        if name.startswith(f"{cls.__qualname__}."):
            return self._names.is_redefined(cls)
        # Of an annotation that Python evaluates at once, the author means the present class.
        is_later = sys.version_info >= (3, 14) or "_names" in vars(self)
        is_of_module = cls.__module__ == getattr(self._implementation, "__module__", None)
        return is_later and is_of_module and self._names.is_to_be_redefined(cls)

    def _from_alias(self, hint: Any, aliases: tuple[Any, ...]) -> Any:
        try:
            value = alias_value(hint)
        except TypeError as error:
            raise self.refusal(f": {error}") from error
        if value is hint:
            return hint
        if hint in aliases:
            raise self.refusal(f": the alias {hint} stands for itself")
        return self._evaluated(value, (*aliases, hint))

    def _from_text(self, text: str | ForwardRef, aliases: tuple[Any, ...]) -> Any:
        """Evaluate a quoted annotation, in the module that it is written in."""
        expression = text if isinstance(text, str) else text.__forward_arg__
        meanings: list[Any] = []
        undefined: NameError | None = None
        for names in self._names_for(text, aliases):
            try:
                meaning = evaluate(expression, names)
            except NameError as error:
                undefined = error
            except RecursionError:
                raise
            except SyntaxError as error:
                raise self.refusal(
                    ", which is no expression; to register for a class by its name, such as"
                    " 'package.module:Class', use register()"
                ) from error
            except Exception as error:
                raise self.refusal(
                    f", which cannot be evaluated: {error}; correct it, or name the classes with"
                    " register()"
                ) from error
            else:
                if not any(meaning is known or meaning == known for known in meanings):
                    meanings.append(meaning)
        if not meanings:
            raise self._undefined(expression, undefined) from undefined
        if len(meanings) > 1:
            raise self.refusal(
                f": {expression!r}, quoted in an alias, is"
                f" {' or '.join(map(repr, meanings))}, depending on the module; put the whole"
                " annotation in quotes, or name the classes with register()"
            )
        return meanings[0]

    def _names_for(
        self, text: str | ForwardRef, aliases: tuple[Any, ...]
    ) -> Iterator[Mapping[str, Any]]:
        """Go through the modules that quoted text may be written in, each with its names."""
        if aliases:
            yield getattr(sys.modules.get(aliases[-1].__module__), "__dict__", {})
            return
        if isinstance(text, ForwardRef):
            # Python's own, for an annotation that it could not evaluate, has an owner.
            is_own = text is self._parameter.annotation or getattr(text, "__owner__", None)
            if not is_own:
                yield from alias_namespaces(text)
            self._names.update(getattr(text, "__extra_names__", None) or {})
        yield self._names

    def _undefined(self, expression: str, error: NameError | None) -> TypeError:
        # Imported here: only this error needs it.
        import difflib

        name = getattr(error, "name", None) or expression
        known = [
            known
            for namespace in [*self._names.namespaces, vars(builtins)]
            for known, value in namespace.items()
            if isinstance(value, type)
        ]
        similar = difflib.get_close_matches(name, known, 1, cutoff=0.5)
        return self.refusal(
            f", but {name!r} is not defined where the annotation is written, nor further down in"
            f" module {self._names.module!r}"
            + (f" (did you mean {similar[0]!r}?)" if similar else "")
            + "; define or import it there, or name the class with register(), which takes"
            " 'package.module:Class' for a class that is imported for type checkers only"
        )

    def _without_type(self, hint: Any) -> Any:
        """Replace ``type[X]`` by ``X``: the argument of a class generic is the class itself."""
        if members := union_members(hint):
            return self._put_in(hint, tuple(self._without_type(member) for member in members))
        if hint is type or hint is typing.Type:  # noqa: UP006
            return object
        if typing.get_origin(hint) is not type:
            return hint
        (cls,) = typing.get_args(hint)
        return object if cls is Any else cls
