"""Generic functions whose implementations live in registries that can be composed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .arginfo import arginfo, mapply
from .compose import CachingClassLookup, ChainClassLookup, ListClassLookup, MergedClassLookup
from .generic import classgeneric, generic
from .implicit import NoImplicitLookupError, implicit
from .interfaces import IClassLookup, IRegistry
from .lookup import CallNext, ComponentLookupError, Lookup, Matcher
from .predicate import (
    ANY,
    KeyIndex,
    Predicate,
    PredicateMatcher,
    PredicateRegistry,
    PredicateRegistryError,
)
from .registry import ClassRegistry, Registration, RegistrationError, Registry
from .sentinel import Sentinel

if TYPE_CHECKING:
    from .generic_function import GenericFunction
    from .tools.check import check

    __version__: str

__all__ = [
    "ANY",
    "CachingClassLookup",
    "CallNext",
    "ChainClassLookup",
    "ClassRegistry",
    "ComponentLookupError",
    "GenericFunction",
    "IClassLookup",
    "IRegistry",
    "KeyIndex",
    "ListClassLookup",
    "Lookup",
    "Matcher",
    "MergedClassLookup",
    "NoImplicitLookupError",
    "Predicate",
    "PredicateMatcher",
    "PredicateRegistry",
    "PredicateRegistryError",
    "Registration",
    "RegistrationError",
    "Registry",
    "Sentinel",
    "arginfo",
    "check",
    "classgeneric",
    "generic",
    "implicit",
    "mapply",
]


def __getattr__(name: str) -> Any:
    # Imported when they are used: a program that only calls generic functions needs none of them.
    if name == "check":
        from .tools.check import check

        return check
    if name == "GenericFunction":
        from .generic_function import GenericFunction

        return GenericFunction
    if name == "__version__":
        from importlib.metadata import version

        return version("reg")
    advice = ""
    if name == "dispatch":
        advice = "; make a function generic with @reg.generic, or @reg.generic('parameter', ...)"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{advice}")


def __dir__() -> list[str]:
    return sorted(__all__)
