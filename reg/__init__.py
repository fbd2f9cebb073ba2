"""Generic functions whose implementations live in registries that can be composed."""

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
    "classgeneric",
    "generic",
    "implicit",
    "mapply",
]
