"""The classes that a component can be registered for, and the ways to write them.

A class, which may be written ``list[Any]``; ``None``, for its type; a union, for each of its
members; an alias of one of these; or ``"package.module:Class"``, for a class of a library that need
not be loaded.
"""

from __future__ import annotations

import itertools
import sys
import types
import typing
import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeAlias

from ._class_advice import advice_for

__all__ = [
    "ClassKey",
    "ClassSpecification",
    "ForwardClass",
    "ForwardName",
    "NamedClass",
    "RegisteredClass",
    "Rest",
    "RestKey",
    "UnionMember",
    "alias_value",
    "class_at",
    "class_of",
    "describe",
    "is_abstract",
    "loaded_class",
    "members_of",
    "registered_classes",
    "rest_key",
    "union_members",
]

#: Anything that :meth:`reg.ClassRegistry.register` takes for each class.
ClassSpecification: TypeAlias = "type | types.UnionType | str | Any | None"


class NamedClass(str):
    """A class by its name, ``"package.module:Class"``; nothing is imported for it."""

    __slots__ = ()

    @property
    def module(self) -> str:
        return self.partition(":")[0]

    @property
    def qualified_name(self) -> str:
        return self.partition(":")[2]


class ForwardName(NamedClass):
    """A class that an annotation names before it is defined.

    :param name: module and qualified name, ``"package.module:Class"``.
    :param implementation: the annotated function, for the error.
    :param parameter: its annotated parameter, for the error.
    :param namespace: the global variables among which the class will be; those of the module of
      that name if left out.
    :param body: for a class in a function, the variables of its running class body. Each call of
      the function makes another class, with functions of its own.

    Equal to a :class:`NamedClass` of the same name, but not to a name with another ``body``.
    """

    __slots__ = ("_former", "body", "implementation", "namespace", "parameter")

    implementation: Callable[..., Any]
    parameter: str
    namespace: dict[str, Any] | None
    body: Mapping[str, Any] | None
    _former: weakref.ref[type] | None

    def __new__(
        cls,
        name: str,
        implementation: Callable[..., Any],
        parameter: str,
        namespace: dict[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> ForwardName:
        self = super().__new__(cls, name)
        self.implementation = implementation
        self.parameter = parameter
        self.namespace = namespace
        self.body = body
        self._former = None
        # A module that is reloaded, or a notebook cell that runs again, still has the class of
        # the previous run.
        former = self.resolve()
        self._former = None if former is None else weakref.ref(former)
        return self

    def __eq__(self, other: object) -> bool:
        is_other_run = isinstance(other, ForwardName) and other.body is not self.body
        return not is_other_run and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = NamedClass.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.implementation, self.parameter)

    @property
    def is_local(self) -> bool:
        """True for a class in a function: it can be recognized, but not found by its name."""
        return "<locals>" in self.qualified_name

    def attribute(self, name: str) -> ForwardName:
        """Name a class in the body of this class."""
        return ForwardName(f"{self}.{name}", self.implementation, self.parameter, self.namespace)

    def resolve(self) -> type | None:
        """Find the class, and import nothing.

        :return: the class; ``None`` if it is not defined yet, or :attr:`is_local`.
        """
        namespace = self.namespace
        if namespace is None:
            namespace = getattr(sys.modules.get(self.module), "__dict__", {})
        cls = class_at(namespace, self.qualified_name)
        return None if self._former is not None and self._former() is cls else cls

    def matches(self, cls: type) -> bool:
        """Return whether a class has this name, and functions of the same class body."""
        if f"{cls.__module__}:{cls.__qualname__}" != str(self):
            return False
        functions = [
            (name, function)
            for name, function in (self.body or {}).items()
            if isinstance(function, types.FunctionType)
        ]
        return not functions or any(vars(cls).get(name) is function for name, function in functions)

    def missing_error(self) -> TypeError:
        """Make the error for a class that is needed now and was never defined."""
        return TypeError(
            f"{describe(self.implementation)} annotates its parameter {self.parameter!r} with"
            f" {self.qualified_name}, which module {self.module} does not define; correct the"
            " name, define the class before the generic function is called, or name the class of"
            ' another module in register(), as in "package.module:Class"'
        )


class ForwardClass(type):
    """Stands in an evaluated annotation for the class of a :class:`ForwardName`.

    A class, since ``|`` and the generic types of ``typing`` take nothing else.
    """

    forward_name: ForwardName

    def __new__(cls, name: ForwardName) -> ForwardClass:
        return super().__new__(cls, name.qualified_name, (), {"forward_name": name})

    def __init__(cls, name: ForwardName) -> None:
        super().__init__(name.qualified_name, (), {})

    def __getattr__(cls, name: str) -> ForwardClass:
        if name.startswith("__"):
            raise AttributeError(name)
        return ForwardClass(cls.forward_name.attribute(name))


#: A class that a component is registered for, at one position.
RegisteredClass: TypeAlias = "type | NamedClass"


class UnionMember:
    """A class as a member of a union, which is less specific than the class itself.

    Equal to the same class as a member of the same union, in whatever order it names its members.

    :param cls: the class.
    :param union: all members of the union.
    """

    __slots__ = ("_hash", "_members", "cls", "union")

    def __init__(self, cls: RegisteredClass, union: tuple[RegisteredClass, ...]) -> None:
        self.cls = cls
        self.union = union
        self._members = frozenset(union)
        self._hash = hash((cls, self._members))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnionMember):
            return NotImplemented
        return self.cls == other.cls and self._members == other._members

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has other hashes.
        return UnionMember, (self.cls, self.union)


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


class RestKey:
    """The key of a :class:`Rest`: the last one of its registration.

    :param members: a class; or the members of a union, each of which an argument may be of.
    """

    __slots__ = ("_set", "members")

    def __init__(self, members: tuple[SingleKey, ...]) -> None:
        self.members = members
        self._set = frozenset(members)

    def rank(self, ranks: Mapping[ClassKey, int]) -> int | None:
        """Return the rank of the most specific member; ``None`` if no member has one."""
        return min((ranks[member] for member in self.members if member in ranks), default=None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RestKey):
            return NotImplemented
        return self._set == other._set

    def __hash__(self) -> int:
        return hash(self._set)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has other hashes.
        return RestKey, (self.members,)


#: A key of registrations for one argument: a class, or a class as a member of a union.
SingleKey: TypeAlias = "RegisteredClass | UnionMember"

#: A key of registrations at one position.
ClassKey: TypeAlias = "SingleKey | RestKey"


def class_of(key: SingleKey) -> RegisteredClass:
    """Return the class itself of a key."""
    return key.cls if isinstance(key, UnionMember) else key


def members_of(key: ClassKey) -> tuple[SingleKey, ...]:
    """Return the keys that a key for any number of arguments consists of; else the key itself."""
    return key.members if isinstance(key, RestKey) else (key,)


def rest_key(classes: Iterable[RegisteredClass]) -> RestKey:
    """Make the key of a :class:`Rest` of one class, or of the members of a union."""
    return RestKey(tuple(_keys(list(classes))))


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
            alternatives.append([*_keys(_alternatives(key, position, specification))])
        elif position == len(specifications) - 1:
            alternatives.append([rest_key(_alternatives(key, position, specification.cls))])
        else:
            advice = "it stands for all further arguments, so put it last"
            raise _refusal(key, position, specification, advice)
    return list(itertools.product(*alternatives))


def _keys(alternatives: list[RegisteredClass]) -> list[SingleKey]:
    """Return the keys of the classes given at one position; several are a union."""
    union = tuple(dict.fromkeys(alternatives))
    return list(union) if len(union) == 1 else [UnionMember(cls, union) for cls in union]


def is_abstract(cls: type) -> bool:
    """Return whether a class can have virtual subclasses, which do not inherit from it."""
    return type(cls).__subclasscheck__ is not type.__subclasscheck__


def loaded_class(name: NamedClass) -> type | None:
    """Find the class of that name if it is loaded, and import nothing.

    :return: the class; ``None`` if its module is not loaded, or has no such class.
    """
    if isinstance(name, ForwardName):
        return name.resolve()
    module = sys.modules.get(name.module)
    return class_at(getattr(module, "__dict__", {}), name.qualified_name)


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


def describe(key: object) -> str:
    """Name a key in an error; a function by its module and qualified name."""
    module, name = getattr(key, "__module__", None), getattr(key, "__qualname__", None)
    if callable(key) and isinstance(module, str) and isinstance(name, str):
        return f"{module}.{name}"
    return repr(key)


def class_at(namespace: Mapping[str, Any], qualified_name: str) -> type | None:
    """Find a class by its qualified name, and import nothing.

    :param namespace: the global variables of its module.
    :param qualified_name: the names that lead to it.
    :return: the class, or ``None``.
    """
    # From __dict__ alone: a module's __getattr__ may import.
    first, *attributes = qualified_name.split(".")
    value = namespace.get(first)
    for attribute in attributes:
        value = getattr(value, "__dict__", {}).get(attribute)
    return value if _is_class(value) else None


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


def _is_class(value: object) -> bool:
    # Not isinstance(): an instance can claim any __class__.
    return issubclass(type(value), type)


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
    # Any is a class too, but not one of objects.
    if _is_class(specification) and specification is not Any:
        _refuse_unhashable(key, position, specification)
        _refuse_without_subclass_check(key, position, specification)
        return [specification]
    if isinstance(specification, NamedClass):
        return [specification]
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
