"""Generic functions whose implementations live in registries that can be composed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .arginfo import arginfo, mapply
from .compose import CachingClassLookup, ChainClassLookup, ListClassLookup
from .generic import classgeneric, generic
from .implicit import NoImplicitLookupError, implicit
from .interfaces import IClassLookup, IRegistry
from .lookup import ComponentLookupError, Lookup, Matcher
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
    from .tools.check import check

__all__ = [
    "ANY",
    "CachingClassLookup",
    "ChainClassLookup",
    "ClassRegistry",
    "ComponentLookupError",
    "IClassLookup",
    "IRegistry",
    "KeyIndex",
    "ListClassLookup",
    "Lookup",
    "Matcher",
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
    # A program that only calls generic functions needs no tools.
    if name == "check":
        from .tools.check import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
