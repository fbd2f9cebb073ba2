"""Generic functions whose implementations live in registries that can be composed."""

from __future__ import annotations

import os

from .arginfo import arginfo, mapply
from .generic import classgeneric, generic
from .implicit import NoImplicitLookupError, implicit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._build import build
    from ._specifications import By, Items, Rest, Where
    from .compose import CachingClassLookup, ChainClassLookup, ListClassLookup, MergedClassLookup
    from .generic_function import GenericFunction
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

# The names that are loaded when they are used, by module. Those imported above are needed by the
# first generic function; or, as arginfo, they have the name of their module, which importing it
# would put in their place.
_MODULES = {
    "_build": ["build"],
    "_specifications": ["By", "Items", "Rest", "Where"],
    "compose": ["CachingClassLookup", "ChainClassLookup", "ListClassLookup", "MergedClassLookup"],
    "generic_function": ["GenericFunction"],
    "interfaces": ["IClassLookup", "IRegistry"],
    "lookup": ["CallNext", "ComponentLookupError", "Lookup", "Matcher"],
    "predicate": [
        "ANY",
        "ClassIndex",
        "KeyIndex",
        "Predicate",
        "PredicateMatcher",
        "PredicateRegistry",
        "PredicateRegistryError",
    ],
    "registry": ["ClassRegistry", "Registration", "RegistrationError", "Registry"],
    "sentinel": ["Sentinel"],
    "tools.check": ["check"],
    "tools.trace": ["trace"],
}


# The older library has this file, and this package has not.
if os.path.exists(os.path.join(os.path.dirname(__file__), "dispatch.py")):
    import warnings

    warnings.warn(
        "the distributions reg and reg-dispatch are both installed, and overwrite each other's"
        " files, since both are imported as reg: run 'pip uninstall reg reg-dispatch', and install"
        " the one that you use",
        RuntimeWarning,
        stacklevel=2,
    )


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
            return value
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    advice = ""
    if name == "dispatch":
        advice = "; make a function generic with @reg.generic, or @reg.generic('parameter', ...)"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{advice}")


def __dir__() -> list[str]:
    return sorted(__all__)
