"""The classes that a component can be registered for, and the keys made of them."""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Iterable

from ._errors import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from ._refinements import Refinement

__all__ = [
    "ClassKey",
    "ForwardClass",
    "ForwardName",
    "NamedClass",
    "RegisteredClass",
    "RestKey",
    "SingleKey",
    "UnionMember",
    "class_at",
    "class_of",
    "class_tuple",
    "is_abstract",
    "is_class",
    "loaded_class",
    "members_of",
    "rest_key",
    "single_keys",
]


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

    def __getitem__(cls, arguments: Any) -> ForwardClass:
        # Imported here: the core does without typing.
        from typing import Any

        given = arguments if isinstance(arguments, tuple) else (arguments,)
        if not all(argument is Any or argument is ... for argument in given):
            raise TypeError(
                f"use {cls.__name__}, or {cls.__name__}[Any]: an argument does not know the types"
                " of its items"
            )
        return cls


#: A class that a component is registered for, at one position; perhaps only for some objects.
RegisteredClass: TypeAlias = "type | NamedClass | Refinement"


class UnionMember:
    """A class as a member of a union, which is less specific than the class itself.

    Equal to the same class as a member of the same union, with its members in any order.

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
    return RestKey(tuple(single_keys(list(classes))))


def single_keys(alternatives: list[RegisteredClass]) -> list[SingleKey]:
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
    return value if is_class(value) else None


def class_tuple(key: object, classes: Iterable[type]) -> tuple[type, ...]:
    """Make a tuple of the classes that a look-up is for.

    :param key: the key of the look-up, for the error.
    :param classes: the classes, one for each argument.
    :raises TypeError: if it is a class or a name in place of a list, or if an item is not a class.
    """
    if type(classes) is not tuple:
        if isinstance(classes, (type, str)) or not isinstance(classes, Iterable):
            raise TypeError(
                f"{describe(key)} is looked up for a list or tuple of classes, one for each"
                f" argument; got {classes!r}"
            )
        classes = tuple(classes)
    for position, cls in enumerate(classes, 1):
        if not is_class(cls):
            kind = getattr(cls, "__origin__", type(cls)).__qualname__
            advice = "give the class itself" if kind == "str" else f"give its class, {kind}"
            raise TypeError(
                f"{describe(key)} is looked up for a class as its argument {position}; got {cls!r},"
                f" which is not a class but an instance: {advice}"
            )
    return classes


def is_class(value: object) -> bool:
    """Return whether an object is a class."""
    # Not isinstance(): an instance can claim any __class__.
    return issubclass(type(value), type)
