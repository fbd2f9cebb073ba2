"""Where in a composition of class lookups a component comes from."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, NamedTuple

from .._observers import Observable, ObservableClassLookup
from .._store import Registration
from ..compose import CachingClassLookup, ChainClassLookup
from ..lookup import Lookup
from ..registry import ClassRegistry

__all__ = ["Found", "Part", "find", "name_of", "parts"]


class Part(NamedTuple):
    """A class lookup of a composition, with what tools call it."""

    name: str
    class_lookup: Any


class Found(NamedTuple):
    """A component that applies, and where it comes from."""

    component: Any
    registration: Registration | None
    part: Part


def parts(lookup: Any) -> Iterator[Part]:
    """Walk a composition, in the order it is asked: every class lookup that answers on its own.

    What a :class:`reg.CachingClassLookup` asks is walked as well.
    """
    return _walk(lookup, "")


def name_of(lookup: Any) -> str:
    """What tools call a lookup: kind and name, as it was given one."""
    kind = type(lookup).__name__
    registry = lookup if isinstance(lookup, ClassRegistry) else getattr(lookup, "registry", None)
    name = registry._reg_name if isinstance(registry, ClassRegistry) else None
    return kind if name is None else f"{kind} {name!r}"


def find(
    lookup: Any, key: Hashable, classes: tuple[type, ...], args: tuple[Any, ...] | None
) -> list[Found]:
    """What the lookup itself finds, in its order, with where it comes from."""
    if isinstance(lookup, Lookup):
        components = list(lookup._reg_all_candidates(key, classes))
        known = _given(lookup, "", key, classes)
    else:
        components = [] if args is None else list(lookup.all(key, args))
        known = []
    return _with_origin(components, known, Part(name_of(lookup), lookup))


def _with_origin(components: Iterable[Any], known: list[Found], giver: Part) -> list[Found]:
    """Find out, for each component, which of the known ones it is."""
    found = []
    for component in components:
        # By identity: what is registered may have any idea of equality.
        place = next((i for i, each in enumerate(known) if each.component is component), None)
        found.append(Found(component, None, giver) if place is None else known.pop(place))
    return found


def _given(part: Any, path: str, key: Hashable, classes: tuple[type, ...]) -> list[Found]:
    """What a part of a composition gives."""
    below = [
        found for step, each in _steps(part, path) for found in _given(each, step, key, classes)
    ]
    own = _part(part, path)
    if isinstance(part, ClassRegistry):
        below = [Found(r.component, r, own) for r in part._reg_store.matching(key, classes)]
    return below if _only_passes_on(part) else _with_origin(part.all(key, classes), below, own)


def _only_passes_on(part: Any) -> bool:
    """Tell whether what is below a part, or registered in it, is what it gives."""
    if isinstance(part, (Lookup, CachingClassLookup)):
        return isinstance(part, Lookup)
    return isinstance(part, ObservableClassLookup) and part._reg_uses_builtin_all()


def _steps(part: Any, path: str) -> list[tuple[str, Any]]:
    """The parts that a part is composed of, each with the way to it."""
    if isinstance(part, Lookup):
        return [(path, part.class_lookup)]
    prefix = f"{path}." if path else ""
    if isinstance(part, CachingClassLookup):
        return [(f"{prefix}class_lookup", part.class_lookup)]
    if isinstance(part, ChainClassLookup):
        return [(f"{prefix}lookup", part.lookup), (f"{prefix}next", part.next)]
    composed = part._reg_parts() if isinstance(part, Observable) else None
    return [(f"{prefix}lookups[{index}]", each) for index, each in enumerate(composed or ())]


def _walk(part: Any, path: str) -> Iterator[Part]:
    steps = _steps(part, path)
    for step, each in steps:
        yield from _walk(each, step)
    if not steps:
        yield _part(part, path)


def _part(part: Any, path: str) -> Part:
    name = part._reg_name if isinstance(part, ClassRegistry) else None
    return Part(name or path or type(part).__name__, part)
