"""Generic functions whose implementations live in registries that can be composed."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from ._specifications import By, Items, Rest, Where
from .arginfo import arginfo, mapply
from .compose import CachingClassLookup, ChainClassLookup, ListClassLookup, MergedClassLookup
from .generic import classgeneric, generic
from .implicit import NoImplicitLookupError, implicit
from .interfaces import IClassLookup, IRegistry
from .lookup import CallNext, ComponentLookupError, Lookup, Matcher
from .predicate import (
    ANY,
    ClassIndex,
    KeyIndex,
    Predicate,
    PredicateMatcher,
    PredicateRegistry,
    PredicateRegistryError,
)
from .registry import ClassRegistry, Registration, RegistrationError, Registry
from .sentinel import Sentinel

if TYPE_CHECKING:
    from ._build import build
    from .generic_function import GenericFunction
    from .tools.check import check
    from .tools.trace import trace

#: The version of the package, as in its metadata.
__version__ = "1.0.0.dev0"

__all__ = [
    "ANY",
    "By",
    "CachingClassLookup",
    "CallNext",
    "ChainClassLookup",
    "ClassIndex",
    "ClassRegistry",
    "ComponentLookupError",
    "GenericFunction",
    "IClassLookup",
    "IRegistry",
    "Items",
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
    "Rest",
    "Sentinel",
    "Where",
    "arginfo",
    "build",
    "check",
    "classgeneric",
    "generic",
    "implicit",
    "mapply",
    "trace",
]


# The older library has this file, and this package has not.
if os.path.exists(os.path.join(os.path.dirname(__file__), "dispatch.py")):
    warnings.warn(
        "the distributions reg and reg-dispatch are both installed, and overwrite each other's"
        " files, since both are imported as reg: run 'pip uninstall reg reg-dispatch', and install"
        " the one that you use",
        RuntimeWarning,
        stacklevel=2,
    )


def __getattr__(name: str) -> Any:
    # Imported when they are used: a program that only calls generic functions needs none of them.
    if name == "check":
        from .tools.check import check

        return check
    if name == "trace":
        from .tools.trace import trace

        return trace
    if name == "build":
        from ._build import build

        return build
    if name == "GenericFunction":
        from .generic_function import GenericFunction

        return GenericFunction
    advice = ""
    if name == "dispatch":
        advice = "; make a function generic with @reg.generic, or @reg.generic('parameter', ...)"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{advice}")


def __dir__() -> list[str]:
    return sorted(__all__)
