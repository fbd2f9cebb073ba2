"""The registries of a composition, and from which of them a component comes.

The tools read the inner state of lookups and registries here only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from .._classes import RegisteredClass
from .._composition import leaves, parts_of
from .._dispatch_spec import DispatchSpec, dispatch_of
from .._observers import Observable, ObservableClassLookup
from .._position import ranking
from .._refinements import RefinedMatcher
from .._store import Registration
from ..compose import CachingClassLookup, MergedClassLookup
from ..lookup import Lookup, classes_of
from ..registry import ClassRegistry
from ..sentinel import MISSING
from .names import names_of

__all__ = [
    "Located",
    "Registered",
    "Source",
    "applicable",
    "applies",
    "completed_classes",
    "dispatch_arguments",
    "for_classes",
    "forwarded_arguments",
    "is_lookup",
    "located",
    "lookup_name",
    "registered_by_key",
    "registered_for",
    "registrations",
    "sources",
]


class Source(NamedTuple):
    """A class lookup that answers on its own, with its name in a composition."""

    name: str
    class_lookup: Any
    #: the outermost merged class lookup that it is part of
    merged: Any = None


class Located(NamedTuple):
    """A component that applies, and where it comes from."""

    #: as the class lookup gives it: perhaps a matcher that asks whether refinements hold
    candidate: Any
    #: ``None`` if it comes from a third-party class lookup
    registration: Registration | None
    source: Source
    #: the values of declared predicates, if these decided for it; and its rank by them
    predicates: Mapping[str, Any] | None = None
    rank: tuple[float, ...] = ()

    @property
    def component(self) -> Any:
        """The registered object."""
        candidate = self.candidate
        return candidate.component if isinstance(candidate, RefinedMatcher) else candidate


#: The registrations under one key by registry, in the order in which these are asked.
Registered: TypeAlias = "list[tuple[Source, list[Registration]]]"


def is_lookup(value: object) -> bool:
    """Return whether a value is a lookup, a registry or a class lookup of this package."""
    return isinstance(value, Observable)


def dispatch_arguments(
    dispatch: DispatchSpec, args: tuple[Any, ...], keywords: dict[str, Any], lookup: Any
) -> tuple[Any, ...]:
    """Pick the arguments of a call on which a generic function dispatches.

    :param dispatch: of the generic function.
    :param args: the positional arguments of the call.
    :param keywords: its keyword arguments, without ``lookup`` and ``default``.
    :param lookup: the lookup of the call.
    :return: the arguments, in the order of the classes in a registration.
    :raises TypeError: if one is missing.
    """
    counts = 0
    for _, registration in registrations(lookup) if isinstance(lookup, Lookup) else ():
        if registration.key == dispatch.generic:
            counts |= registration.counts
    return dispatch.bound(args, keywords, counts)[2]


def completed_classes(lookup: Any, key: Hashable, classes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Add the classes of the defaults on which a call with fewer arguments dispatches.

    :param lookup: any lookup.
    :param key: any key.
    :param classes: the classes of the arguments of the call.
    :return: these classes, followed by those of the defaults of a generic function; the same
      classes if they are enough, if something is registered for their number, or if an argument
      without a default is missing.
    """
    dispatch = dispatch_of(key)
    if dispatch is None or dispatch.collects or not isinstance(lookup, Lookup):
        return classes
    missing = dispatch.defaults[len(classes) :]
    if any(default is MISSING for default in missing):
        return classes
    if dispatch.binds and (
        any(r.counts >> len(classes) & 1 for _, r in registrations(lookup) if r.key == key)
        # A third-party class lookup does not say for which numbers it has components.
        or located(lookup, key, classes, None)
    ):
        return classes
    return (*classes, *classes_of(missing, dispatch.class_first and not classes))


def forwarded_arguments(
    dispatch: DispatchSpec, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Work out the arguments with which a call reaches an implementation.

    :param dispatch: of a generic function with named dispatch.
    :param args: the positional arguments of the call.
    :param keywords: its keyword arguments.
    :return: the positional and keyword arguments; among them those that
      dispatch by name and were left to their defaults.
    """
    args, keywords, _ = dispatch.bound(args, keywords, 0)
    return args, keywords


def sources(lookup: Any) -> list[Source]:
    """Walk a composition in the order in which it is asked.

    :param lookup: a lookup or class lookup.
    :return: each class lookup that answers on its own. Those behind a
      :class:`reg.CachingClassLookup` are among them.
    :raises ValueError: if the composition contains itself.
    """
    listed = []
    for path, part, above in leaves(lookup):
        merged = [outer for outer in above if isinstance(outer, MergedClassLookup)]
        listed.append(_source(part, path, merged[0] if merged else None))
    return listed


def registered_by_key(lookup: Any) -> dict[Hashable, Registered]:
    """Sort everything that is registered in a composition by key.

    :param lookup: a lookup or class lookup.
    :return: the registrations. A registry that is composed twice is asked
      once, where it comes first.
    :raises ValueError: if the composition contains itself.
    """
    by_key: dict[Hashable, Registered] = {}
    first: dict[int, Source] = {}
    for source, registration in registrations(lookup):
        if first.setdefault(id(source.class_lookup), source) is not source:
            continue
        groups = by_key.setdefault(registration.key, [])
        if not groups or groups[-1][0] is not source:
            groups.append((source, []))
        groups[-1][1].append(registration)
    return by_key


def registrations(lookup: Any) -> list[tuple[Source, Registration]]:
    """List everything that is registered in a composition.

    :param lookup: a lookup or class lookup.
    :return: the registrations with their registries. A registry that is
      composed twice is in the list twice.
    :raises ValueError: if the composition contains itself.
    """
    return [
        (source, registration)
        for source in sources(lookup)
        if isinstance(source.class_lookup, ClassRegistry)
        for registration in source.class_lookup.registrations()
    ]


def applicable(
    registry: ClassRegistry | MergedClassLookup, key: Hashable, classes: tuple[type, ...]
) -> Iterator[Registration]:
    """Find the registrations of one registry, or of a merged composition, that apply to classes.

    :param registry: the registry.
    :param key: the key that they are registered under.
    :param classes: the classes of the arguments.
    :return: the registrations, most specific first.
    """
    if isinstance(registry, MergedClassLookup):
        return iter(registry._reg_registrations(key, classes))
    return registry._reg_store.matching(key, classes)


def registered_for(registration: Registration) -> str:
    """Name the classes of a registration in parentheses, with the unions they came by."""
    return names_of(registration.classes, registration.unions, registration.rest)


def for_classes(registration: Registration, classes: tuple[type, ...]) -> Registration:
    """Write a registration for any number of arguments as one for these.

    :param registration: the registration; one for a fixed number stays as it is.
    :param classes: the classes of the arguments.
    :return: of a union, each argument gets the first member that applies to it.
    """
    fewest = len(registration.classes)
    if not registration.rest or len(classes) < fewest:
        return registration
    rest = registration.rest
    members = [
        next((member for member in rest if applies(member, cls)), rest[0])
        for cls in classes[fewest:]
    ]
    unions = (rest if len(rest) > 1 else (),) * len(members)
    return registration._replace(
        classes=(*registration.classes, *members), unions=(*registration.unions, *unions), rest=()
    )


def applies(registered: RegisteredClass, cls: type) -> bool:
    """Return whether a registration for one class applies to arguments of another."""
    return bool(ranking([registered])(cls))


def lookup_name(lookup: Any) -> str:
    """Name a lookup by its class and the name of its registry."""
    class_name = type(lookup).__name__
    registry = lookup if isinstance(lookup, ClassRegistry) else getattr(lookup, "registry", None)
    name = registry._reg_name if isinstance(registry, ClassRegistry) else None
    if name is None and isinstance(lookup, Lookup):
        name = lookup._reg_name
    return class_name if name is None else f"{class_name} {name!r}"


def located(
    lookup: Any, key: Hashable, classes: tuple[type, ...], args: tuple[Any, ...] | None
) -> list[Located]:
    """Find all components that apply, as the lookup itself finds them.

    :param lookup: any lookup. Of a third-party lookup, only the result of its
      ``all()`` is known.
    :param key: the key that they are registered under.
    :param classes: the classes of the arguments.
    :param args: the arguments; ``None`` if they are not known.
    :return: the components, matchers as they are, in the order of the lookup.
    :raises ValueError: if the composition contains itself.
    """
    if isinstance(lookup, Lookup):
        sources(lookup)
        components = list(lookup._reg_all_candidates(key, classes))
        known = _located_in(lookup, "", key, classes)
    else:
        components = [] if args is None else list(lookup.all(key, args))
        known = []
    return _identified(components, known, Source(lookup_name(lookup), lookup))


def _identified(components: Iterable[Any], known: list[Located], giver: Source) -> list[Located]:
    """Find each component among the known ones; the others come from ``giver``."""
    result = []
    for component in components:
        # By identity: a component may define any equality.
        index = next((i for i, other in enumerate(known) if other.candidate is component), None)
        result.append(Located(component, None, giver) if index is None else known.pop(index))
    return result


def _located_in(
    part: Any, path: str, key: Hashable, classes: tuple[type, ...], merged: Any = None
) -> list[Located]:
    """Find the components that a part of a composition gives."""
    source = _source(part, path, merged)
    if merged is None and isinstance(part, MergedClassLookup):
        merged = part
    if isinstance(part, ClassRegistry):
        below = [Located(r.candidate, r, source) for r in applicable(part, key, classes)]
    else:
        below = [
            candidate
            for step, child in parts_of(part, path)
            for candidate in _located_in(child, step, key, classes, merged)
        ]
        if merged is part and _passes_on(part):
            order = [id(registration) for registration in part._reg_registrations(key, classes)]
            below.sort(key=lambda located: order.index(id(located.registration)))
    return below if _passes_on(part) else _identified(part.all(key, classes), below, source)


def _passes_on(part: Any) -> bool:
    """Return whether a part gives its registrations, or the results of its parts, as they are."""
    if isinstance(part, (Lookup, CachingClassLookup)):
        return isinstance(part, Lookup)
    return isinstance(part, ObservableClassLookup) and part._reg_uses_builtin_all()


def _source(part: Any, path: str, merged: Any) -> Source:
    name = part._reg_name if isinstance(part, ClassRegistry) else None
    return Source(name or path or type(part).__name__, part, merged)
