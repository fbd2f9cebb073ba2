"""Classes that the running program has loaded."""

from __future__ import annotations

import builtins
import collections
import inspect
from collections.abc import Container, Iterable, Iterator
from typing import Any

from .._classes import RegisteredClass
from .._refinements import loaded_base
from .names import full_name

__all__ = [
    "is_concrete",
    "is_likely",
    "loaded_classes",
    "loaded_subclasses",
    "package_of",
    "preferred",
]


def loaded_classes(registered: Iterable[RegisteredClass]) -> tuple[type, ...] | None:
    """Get the classes of a registration.

    :param registered: classes, names of classes, or refinements.
    :return: the classes, of a refinement its class; ``None`` if one of a name is not loaded.
    """
    classes = [loaded_base(cls) for cls in registered]
    return None if None in classes else tuple(cls for cls in classes if cls is not None)


def loaded_subclasses(cls: type) -> Iterator[type]:
    """Walk the loaded classes that inherit from a class.

    :param cls: a class; virtual subclasses are left out.
    :return: the class itself and its subclasses, each once.
    """
    # By identity: a metaclass may define equality, or no hash.
    seen = {id(cls): cls}
    pending = [cls]
    while pending:
        current = pending.pop()
        yield current
        # Not current.__subclasses__(), which a metaclass may define in its own way.
        subclasses: list[type] = type.__subclasses__(current)
        for subclass in subclasses:
            if id(subclass) not in seen:
                seen[id(subclass)] = subclass
                pending.append(subclass)


def is_concrete(cls: type) -> bool:
    """Return whether a class may have instances: it has no abstract methods, and is no protocol."""
    return not inspect.isabstract(cls) and not cls.__dict__.get("_is_protocol", False)


def package_of(value: Any) -> str:
    """Get the top-level package in which a function or class is defined."""
    return str(getattr(value, "__module__", None)).partition(".")[0]


def is_likely(cls: type, packages: Container[str]) -> bool:
    """Return whether a class is likely to be that of an argument.

    :param cls: a loaded class.
    :param packages: the packages of an application.
    :return: ``True`` for the public classes of these packages, for the
      built-in ones and those of ``collections``.
    """
    module = {"builtins": builtins, "collections": collections}.get(cls.__module__)
    if module is not None:
        return vars(module).get(cls.__name__) is cls
    parts = full_name(cls).split(".")
    private = any(part.startswith("_") and not part.startswith("__") for part in parts)
    return package_of(cls) in packages and not private


def preferred(candidates: Iterable[type], beside: Iterable[type]) -> type:
    """Choose the class that people know best, the same one in each run.

    :param candidates: at least one class.
    :param beside: classes of the application; one of the same modules is
      preferred, then a built-in one.
    :return: the chosen class.
    """
    modules = {cls.__module__ for cls in beside}

    def rank(cls: type) -> tuple[bool, bool, str]:
        name = full_name(cls)
        return cls.__module__ not in modules, cls.__module__ != "builtins", name

    return min(candidates, key=rank)
