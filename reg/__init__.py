"""Generic functions whose implementations live in registries that can be composed."""

from __future__ import annotations

from .arginfo import arginfo, mapply
from .compose import CachingClassLookup, ChainClassLookup, ListClassLookup, MergedClassLookup
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

# As type checkers know it: to import typing takes as long as all of the package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
    # Whoever imports the package to call something needs no tools for it.
    if name == "check":
        from .tools.check import check

        return check
    advice = ""
    if name == "dispatch":
        advice = "; make a function generic with @reg.generic, or @reg.generic('parameter', ...)"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{advice}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
