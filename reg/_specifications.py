"""The ways to write the classes that a component is registered for.

A class, which may be written ``list[Any]``; ``None``, for its type; a union, for each of its
members; an alias of one of these; or ``"package.module:Class"``, for a class of a library that need
not be loaded. Of a class, those objects alone count that are values of a ``Literal``, subclasses
``type[X]``, or for which conditions hold.
"""

from __future__ import annotations

import enum
import itertools
import types
import typing
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from ._class_advice import advice_for, file_advice
from ._classes import (
    ClassKey,
    ForwardClass,
    NamedClass,
    RegisteredClass,
    is_abstract,
    is_class,
    rest_key,
    single_keys,
)
from ._errors import describe
from ._refinements import ItemsOf, Refinement, SubclassOf
from ._signatures import takes, unfinished_kind

__all__ = [
    "By",
    "ClassSpecification",
    "Items",
    "Rest",
    "Where",
    "alias_value",
    "conditions_in",
    "registered_classes",
    "split_predicates",
    "union_members",
]

#: Anything that :meth:`reg.ClassRegistry.register` takes for each class.
ClassSpecification: TypeAlias = "type | types.UnionType | str | Any | None"


class Rest:
    """Any number of further arguments of one class, as the last item of a list of classes.

    :param cls: the class of each of them, in any of the ways in which a class can be given.

    The parameter ``*rest: cls`` of an implementation stands for the same.
    """

    __slots__ = ("cls",)

    def __init__(self, cls: ClassSpecification) -> None:
        self.cls = cls

    def __repr__(self) -> str:
        return f"Rest({self.cls!r})"


class By:
    """The values of predicates that a generic function declares, behind a list of classes.

    :param predicates: the values by name. One that is left out may have any value.

    The keywords of ``registry.implements(generic, name=value)`` stand for the same.
    """

    __slots__ = ("predicates",)

    def __init__(self, /, **predicates: Any) -> None:
        self.predicates = predicates

    def __repr__(self) -> str:
        return f"By({', '.join(f'{name}={value!r}' for name, value in self.predicates.items())})"


class Where:
    """A class of which only those objects count for which conditions hold.

    :param cls: the class, in any of the ways in which a class can be given.
    :param conditions: functions that are called with the argument, in every call that reaches
      them; all of them have to return something true.

    In an annotation, ``Annotated[cls, condition]`` stands for the same.
    """

    __slots__ = ("cls", "conditions")

    def __init__(self, cls: ClassSpecification, *conditions: Callable[[Any], object]) -> None:
        for condition in conditions:
            if not callable(condition):
                raise TypeError(
                    f"{type(self).__name__} takes a class, and functions that are called with an"
                    f" argument of it; got {condition!r}, which cannot be called"
                )
        if not conditions:
            raise TypeError(f"{type(self).__name__} takes a condition after the class {cls!r}")
        self.cls = cls
        self.conditions = conditions

    def __repr__(self) -> str:
        return f"Where({', '.join(map(repr, (self.cls, *self.conditions)))})"


class Items(Where):
    """A collection of which all items are of a class: ``Items(list, int)``.

    :param cls: the class of the collection.
    :param kinds: the class of the items, or a union; of a mapping, the class of its keys and that
      of its values. An empty collection has no item of another class.

    All items are looked at in every call that reaches this condition, which takes as long as the
    collection is. As an annotation, write ``Annotated[list[int], reg.Items(list, int)]``.
    """

    __slots__ = ()

    def __init__(self, cls: ClassSpecification, *kinds: type | types.UnionType) -> None:
        number = 2 if isinstance(cls, type) and issubclass(cls, Mapping) else 1
        if len(kinds) != number or not all(isinstance(k, (type, types.UnionType)) for k in kinds):
            wanted = "the class of its items" if number == 1 else "those of its keys and values"
            raise TypeError(
                f"Items takes the class of a collection and {wanted}, which isinstance() is asked"
                f" about; got {cls!r} and {', '.join(map(repr, kinds)) or 'nothing else'}"
            )
        if isinstance(cls, type) and not issubclass(cls, Collection):
            raise TypeError(
                "Items takes the class of a collection, such as list, whose items can be looked at"
                f" more than once; got {cls!r}"
            )
        super().__init__(cls, ItemsOf(kinds))


_MARKERS: Final = (Rest, By, Where, Items)


def split_predicates(
    classes: Iterable[ClassSpecification],
) -> tuple[Iterable[ClassSpecification], dict[str, Any]]:
    """Split what something is registered for into the classes, and the values of a :class:`By`."""
    if isinstance(classes, (type, str)) or not isinstance(classes, Iterable):
        return classes, {}
    items: list[Any] = list(classes)
    by: Any = items.pop() if items and isinstance(items[-1], By) else By()
    return items, dict(by.predicates)


def registered_classes(
    key: Hashable, classes: Iterable[ClassSpecification]
) -> list[tuple[ClassKey, ...]]:
    """List the combinations of classes that a registration is for.

    :param key: named in the errors.
    :param classes: as in :meth:`reg.ClassRegistry.register`.
    :return: a list of one tuple; of several if there are unions, each member with its union.
      The union of a :class:`Rest`, the last key, stays whole.
    :raises TypeError: if ``classes`` is not an iterable, or one of them is not a class in one of
      the ways that this module allows.
    """
    if isinstance(classes, (type, str)) or not isinstance(classes, Iterable):
        raise TypeError(
            f"the classes registered under {describe(key)} must come as a list or another"
            f" iterable, one class for each argument; got {classes!r}"
        )
    specifications = list(classes)
    alternatives: list[list[ClassKey]] = []
    for position, specification in enumerate(specifications):
        if not isinstance(specification, Rest):
            alternatives.append([*single_keys(_alternatives(key, position, specification))])
        elif position == len(specifications) - 1:
            alternatives.append([rest_key(_alternatives(key, position, specification.cls))])
        else:
            advice = "it stands for all further arguments, so put it last"
            raise _refusal(key, position, specification, advice)
    return list(itertools.product(*alternatives))


def union_members(specification: Any) -> tuple[Any, ...]:
    """Return the members of a union; an empty tuple for anything else."""
    if isinstance(specification, types.UnionType):
        return specification.__args__
    is_union = typing.get_origin(specification) is typing.Union
    return typing.get_args(specification) if is_union else ()


def alias_value(specification: Any) -> Any:
    """Return the type that ``type X = …`` stands for; anything else as it is.

    :raises TypeError: if the value of the alias cannot be evaluated.
    """
    alias, arguments = specification, typing.get_args(specification)
    if _is_alias(typing.get_origin(specification)):
        alias = typing.get_origin(specification)
    if not _is_alias(alias):
        return specification
    try:
        return _with_arguments(alias, arguments)
    except Exception as error:
        raise TypeError(
            f"the alias {alias} has no value ({error}); define it below the classes it names"
        ) from error


def _with_arguments(alias: Any, arguments: tuple[Any, ...]) -> Any:
    """Return the value of an alias, its type parameters replaced by arguments."""
    value = alias.__value__
    if not arguments:
        return value
    if len(arguments) != len(alias.__type_params__):
        raise TypeError(f"it takes {len(alias.__type_params__)} arguments, not {len(arguments)}")
    replaced = dict(zip(alias.__type_params__, arguments, strict=True))
    if isinstance(value, typing.TypeVar):
        return replaced.get(value, value)
    parameters = getattr(value, "__parameters__", ())
    return value[tuple(replaced[parameter] for parameter in parameters)] if parameters else value


def _is_alias(value: object) -> bool:
    # By name: typing has it from Python 3.12 on, typing_extensions before.
    return type(value).__name__ == "TypeAliasType"


def _alternatives(
    key: Hashable, position: int, specification: Any, aliases: tuple[Any, ...] = ()
) -> list[RegisteredClass]:
    """Return the classes that are given at one position.

    :param aliases: the aliases that ``specification`` is part of.
    """
    if specification is None:
        return [types.NoneType]
    if type(specification) is ForwardClass:
        return [specification.forward_name]
    if any(specification is marker for marker in _MARKERS):
        advice = f"give an instance of it, such as reg.{specification.__name__}(…)"
        raise _refusal(key, position, specification, advice)
    # Any is a class too, but not one of objects.
    if is_class(specification) and specification is not Any:
        _refuse_unhashable(key, position, specification)
        if (replacement := file_advice(specification)) is not None:
            raise _refusal(key, position, specification, replacement)
        _refuse_without_subclass_check(key, position, specification)
        return [specification]
    if isinstance(specification, NamedClass):
        return [specification]
    if isinstance(specification, By):
        raise _refusal(key, position, specification, "it comes last, behind all classes")
    if (refined := _refined(key, position, specification, aliases)) is not None:
        return refined
    if isinstance(specification, str):
        if not _looks_like_a_name(specification):
            raise _refusal(key, position, specification, 'a name looks like "package.module:Class"')
        return [NamedClass(specification)]
    members = union_members(specification)
    if not members:
        try:
            value = alias_value(specification)
        except TypeError as error:
            raise _refusal(key, position, specification, str(error)) from error
        if value is not specification:
            if specification in aliases:
                raise _refusal(key, position, specification, "the alias stands for itself")
            members, aliases = (value,), (*aliases, specification)
        elif _is_of_anything(specification):
            members = (typing.get_origin(specification),)
        else:
            raise _refusal(key, position, specification, advice_for(specification))
    return [cls for member in members for cls in _alternatives(key, position, member, aliases)]


def _refined(
    key: Hashable, position: int, specification: Any, aliases: tuple[Any, ...]
) -> list[RegisteredClass] | None:
    """Return the refinements that are given at one position; ``None`` if these are no such."""
    origin = typing.get_origin(specification)
    if origin is typing.Literal:
        for value in typing.get_args(specification):
            _refuse_unhashable_part(key, position, specification, value)
        return [
            types.NoneType if value is None else Refinement(type(value), (), value)
            for value in typing.get_args(specification)
        ]
    if isinstance(specification, enum.Enum):
        return [Refinement(type(specification), (), specification)]
    if origin is type and typing.get_args(specification):
        return _subclasses(key, position, specification, aliases)
    given: Any = specification
    if origin is typing.Annotated:
        given = _annotated(key, position, specification)
    if not isinstance(given, Where):
        return None
    for condition in given.conditions:
        _refuse_unhashable_part(key, position, given, condition)
        if not takes(condition, 1):
            advice = f"a condition is called with the argument alone; {condition!r} cannot be"
            raise _refusal(key, position, given, advice)
        if (kind := unfinished_kind(condition)) is not None:
            advice = f"{condition!r} is {kind}, whose result is always true; give a plain function"
            raise _refusal(key, position, given, advice)
    return [
        Refinement(cls.base, (*cls.conditions, *given.conditions), cls.value)
        if isinstance(cls, Refinement)
        else Refinement(cls, given.conditions)
        for cls in _alternatives(key, position, given.cls, aliases)
    ]


def _refuse_unhashable_part(
    key: Hashable, position: int, specification: object, part: object
) -> None:
    try:
        hash(part)
    except TypeError as error:
        raise _refusal(key, position, specification, f"{part!r} cannot be hashed") from error


def conditions_in(annotated: Any) -> list[Any]:
    """List the conditions in ``Annotated[cls, …]``: all that can be called, and is no class."""
    return [
        item
        for item in annotated.__metadata__
        if isinstance(item, Where) or (callable(item) and not is_class(item))
    ]


def _annotated(key: Hashable, position: int, annotated: Any) -> Where | None:
    """Return the class and the conditions in ``Annotated[cls, …]``; ``None`` without conditions.

    A :class:`Where` in it names its class itself, so that ``cls`` may be ``list[int]``.
    """
    cls, conditions = annotated.__origin__, []
    for item in conditions_in(annotated):
        if not isinstance(item, Where):
            conditions.append(item)
            continue
        if is_class(cls) and cls is not item.cls:
            advice = f"{item!r} names another class; give the same one, or the condition alone"
            raise _refusal(key, position, annotated, advice)
        cls = item.cls
        conditions += item.conditions
    return Where(cls, *conditions) if conditions else None


def _subclasses(
    key: Hashable, position: int, specification: Any, aliases: tuple[Any, ...]
) -> list[RegisteredClass]:
    """Return the refinements that ``type[X]`` stands for; of a union, one for each member."""
    spec = getattr(key, "__reg_dispatch__", None)
    if position == 0 and spec is not None and spec.class_first:
        advice = "give the class in it: the first argument of a class generic stands for itself"
        raise _refusal(key, position, specification, advice)
    (of,) = typing.get_args(specification)
    if of is Any or of is object:
        return [type]
    refined: list[RegisteredClass] = []
    for cls in _alternatives(key, position, of, aliases):
        if isinstance(cls, Refinement):
            raise _refusal(key, position, specification, "give a class in it, and no refinement")
        refined.append(Refinement(type, (SubclassOf(cls),)))
    return refined


def _is_of_anything(specification: Any) -> bool:
    """Return whether all type arguments are ``Any``, as in ``list[Any]``: it stands for its class.

    Type checkers demand this form of a bare ``list``. ``ndarray[Any, dtype[Any]]`` counts as well.
    """
    origin: Any = typing.get_origin(specification)
    arguments = typing.get_args(specification)
    if not isinstance(origin, type) or origin is typing.Annotated or not arguments:
        return False
    if getattr(specification, "__unpacked__", False):
        return False
    return all(
        argument is Any or argument is ... or _is_of_anything(argument) for argument in arguments
    )


def _looks_like_a_name(specification: str) -> bool:
    module, _, qualified_name = specification.partition(":")
    return all(
        part.isidentifier() for dotted in (module, qualified_name) for part in dotted.split(".")
    )


def _refuse_unhashable(key: Hashable, position: int, cls: type) -> None:
    """Refuse a class that cannot be hashed: registrations are stored by class."""
    try:
        hash(cls)
    except TypeError as error:
        metaclass = type(cls)
        advice = f"it cannot be hashed ({error})"
        if metaclass.__hash__ is None:
            advice = (
                f"it cannot be hashed, since its metaclass {metaclass.__qualname__} has"
                " __eq__ but no __hash__; define one that agrees with __eq__, such as"
                " __hash__ = type.__hash__ where a class equals only itself"
            )
        raise _refusal(key, position, cls, advice) from error


def _refuse_without_subclass_check(key: Hashable, position: int, cls: type) -> None:
    """Refuse a class that ``issubclass()`` cannot be asked about, or answers wrongly for."""
    if is_abstract(cls):
        try:
            issubclass(object, cls)
        except TypeError as error:
            # Such as a protocol with other members than methods.
            advice = f"it cannot be asked which classes are its subclasses ({error})"
            if getattr(cls, "_is_runtime_protocol", False):
                advice += (
                    "; ask about the argument instead, by the condition reg.Where(object, lambda"
                    f" value: isinstance(value, {cls.__name__}))"
                )
            if dict in cls.__mro__ and hasattr(cls, "__required_keys__"):
                advice = f"use dict, the class of the objects that {cls.__qualname__} describes"
            raise _refusal(key, position, cls, advice) from error
    elif type(cls).__instancecheck__ is not type.__instancecheck__:
        advice = (
            f"its metaclass {type(cls).__qualname__} defines __instancecheck__ without"
            " __subclasscheck__, so that isinstance() may affirm it for objects of other classes,"
            " and calls are dispatched by class; register a reg.Matcher that asks isinstance() for"
            " a base class of theirs, or, for real subclasses alone, give its name,"
            f" '{cls.__module__}:{cls.__qualname__}'"
        )
        raise _refusal(key, position, cls, advice)


def _refusal(key: Hashable, position: int, specification: object, advice: str) -> TypeError:
    return TypeError(
        f"cannot register for {specification!r}, at position {position} under"
        f" {describe(key)}: {advice}"
    )
