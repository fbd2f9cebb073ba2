"""Generic functions whose implementations live in registries that can be composed."""

from __future__ import annotations

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

# As type checkers know it: to import typing takes as long as all of the package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._build import build
    from .tools.check import check

#: The version of the package, as in its metadata.
__version__ = "1.0.0.dev0"

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
    "build",
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
    if name == "build":
        from ._build import build

        return build
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
