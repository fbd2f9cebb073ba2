"""What may be given as a class in a registration.

A class, which may be written ``list[Any]``; ``None``, for its type; a union,
for each of its alternatives; or ``"package.module:Class"``, for a class of a
library that need not be loaded.
"""

from __future__ import annotations

import itertools
import sys
import types
from collections.abc import Hashable, Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

__all__ = [
    "ClassSpecification",
    "ForwardClass",
    "NamedClass",
    "RegisteredClass",
    "is_abstract",
    "loaded_class",
    "registered_classes",
    "united",
]

#: What :meth:`reg.ClassRegistry.register` takes for each class.
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


class ForwardClass(type):
    """Stands, in an evaluated annotation, for a class that is not defined yet."""

    def __new__(cls, module: str, name: str) -> ForwardClass:
        return super().__new__(cls, name, (), {"__module__": module})

    def __init__(cls, module: str, name: str) -> None:
        super().__init__(name, (), {})


#: What a component is registered for, at one position.
RegisteredClass: TypeAlias = "type | NamedClass"


def registered_classes(
    key: Hashable, classes: Iterable[ClassSpecification]
) -> list[tuple[RegisteredClass, ...]]:
    """Work out for which class tuples a registration is made.

    :param key: named in the errors.
    :param classes: as in :meth:`reg.ClassRegistry.register`.
    :return: one tuple; several where there are unions.
    :raises TypeError: if ``classes`` is no iterable of what this module allows.
    """
    if isinstance(classes, (type, str)) or not isinstance(classes, Iterable):
        raise TypeError(
            f"the classes registered under {describe(key)} must come as a list or another"
            f" iterable, one class for each argument; got {classes!r}"
        )
    alternatives = [
        _alternatives(key, position, specification)
        for position, specification in enumerate(classes)
    ]
    return list(dict.fromkeys(itertools.product(*alternatives)))


def is_abstract(cls: type) -> bool:
    """Tell whether classes may be subclasses of this one without inheriting from it."""
    return type(cls).__subclasscheck__ is not type.__subclasscheck__


def loaded_class(name: NamedClass) -> type | None:
    """Find the class of that name if it is there already, and import nothing.

    Attributes are read from ``__dict__``, since a module's ``__getattr__`` may
    import as well.

    :return: the class; ``None`` if its module is not loaded, or has no such class.
    """
    found: Any = sys.modules.get(name.module)
    for attribute in name.qualified_name.split("."):
        found = getattr(found, "__dict__", {}).get(attribute)
    return found if _is_class(found) else None


def united(specification: Any) -> tuple[Any, ...]:
    """The alternatives of a union; none if it is no union."""
    if isinstance(specification, types.UnionType):
        return specification.__args__
    import typing

    is_union = typing.get_origin(specification) is typing.Union
    return typing.get_args(specification) if is_union else ()


def describe(key: object) -> str:
    """Name a key in an error: functions by where they are defined."""
    module, name = getattr(key, "__module__", None), getattr(key, "__qualname__", None)
    if callable(key) and isinstance(module, str) and isinstance(name, str):
        return f"{module}.{name}"
    return repr(key)


def _is_class(value: object) -> bool:
    # Not isinstance(): an instance can claim any __class__.
    return issubclass(type(value), type)


def _alternatives(key: Hashable, position: int, specification: Any) -> list[RegisteredClass]:
    if specification is None:
        return [types.NoneType]
    if type(specification) is ForwardClass:
        return [NamedClass(f"{specification.__module__}:{specification.__name__}")]
    # That one is a class as well, though of nothing. Who gave it has imported it.
    any_class = getattr(sys.modules.get("typing"), "Any", None)
    if _is_class(specification) and specification is not any_class:
        _refuse_what_cannot_be_hashed(key, position, specification)
        _refuse_what_cannot_be_asked(key, position, specification)
        return [specification]
    if isinstance(specification, str):
        if not _looks_like_a_name(specification):
            raise _refusal(key, position, specification, 'a name looks like "package.module:Class"')
        return [NamedClass(specification)]
    if alternatives := united(specification):
        return [cls for each in alternatives for cls in _alternatives(key, position, each)]
    if cls := _class_of_anything(specification):
        return _alternatives(key, position, cls)
    raise _refusal(key, position, specification, _what_to_use_instead(specification))


def _class_of_anything(specification: Any) -> type | None:
    """The class that ``list[Any]`` is for type checkers, which may refuse ``list`` alone."""
    import typing

    origin: Any = typing.get_origin(specification)
    arguments = typing.get_args(specification)
    if not isinstance(origin, type) or origin is typing.Annotated or not arguments:
        return None
    return origin if all(each is typing.Any or each is ... for each in arguments) else None


def _looks_like_a_name(specification: str) -> bool:
    module, _, qualified_name = specification.partition(":")
    return all(
        part.isidentifier() for dotted in (module, qualified_name) for part in dotted.split(".")
    )


def _refuse_what_cannot_be_hashed(key: Hashable, position: int, cls: type) -> None:
    """Registrations are kept by class; those of some metaclasses cannot be kept so."""
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


def _refuse_what_cannot_be_asked(key: Hashable, position: int, cls: type) -> None:
    """Some protocols refuse to be asked about subclasses; better hear of it now."""
    if not is_abstract(cls):
        return
    try:
        issubclass(object, cls)
    except TypeError as error:
        advice = f"it cannot be asked which classes are its subclasses ({error})"
        raise _refusal(key, position, cls, advice) from error


def _what_to_use_instead(specification: Any) -> str:
    import typing

    origin = typing.get_origin(specification)
    if specification is typing.Any:
        return "use object, which every argument is an instance of"
    if origin is typing.Literal:
        return "use the class of the values, and a predicate to tell them apart"
    if origin is type or specification is typing.Type:  # noqa: UP006
        return "use type, or a class generic, which dispatches on the class it is given"
    if origin is typing.Annotated:
        return f"use {_name(typing.get_args(specification)[0])}"
    if isinstance(origin, type):
        reason = "an argument does not know the types of its items"
        if not typing.get_args(specification):
            reason = f"{specification!r} is another name of it for type checkers"
        return f"use {_full_name(origin)}: {reason}"
    if type(specification).__name__ == "TypeAliasType":  # since Python 3.12
        return f"use what it is an alias of, {_name(specification)}.__value__"
    if isinstance(specification, typing.TypeVar):
        return "use the class that bounds it, or object"
    if isinstance(specification, typing.NewType):
        return f"use {_name(specification.__supertype__)}, which its values are instances of"
    return (
        "use a class, None, a union of them, or the name of one such as"
        f' "package.module:Class"; {specification!r} is an instance of'
        f" {type(specification).__name__}"
    )


def _name(cls: Any) -> str:
    return getattr(cls, "__name__", repr(cls))


def _full_name(cls: type) -> str:
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _refusal(key: Hashable, position: int, specification: object, advice: str) -> TypeError:
    return TypeError(
        f"cannot register for {specification!r}, at position {position} under"
        f" {describe(key)}: {advice}"
    )
