"""Finding components by more than classes: predicates of the arguments."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

from ._lock import registry_lock
from .lookup import Matcher
from .sentinel import MISSING, Sentinel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Protocol, TypeVar, overload

    _T = TypeVar("_T")

    class _Index(Protocol):
        def add(self, key: Any, value: Any, /) -> object: ...
        def get(self, key: Any, /) -> Any: ...


__all__ = [
    "ANY",
    "KeyIndex",
    "Predicate",
    "PredicateMatcher",
    "PredicateRegistry",
    "PredicateRegistryError",
]

#: Matches whatever a predicate's value is. Compared by identity.
ANY: Final = Sentinel("ANY")


class PredicateRegistryError(ValueError):
    """Something cannot be registered for predicates, or has been registered twice."""


class KeyIndex:
    """An index that finds values by equal keys."""

    def __init__(self) -> None:
        self._values: dict[Hashable, set[Any]] = {}

    def add(self, key: Hashable, value: Any) -> None:
        """Add a value under a key, which may have several."""
        self._values.setdefault(key, set()).add(value)

    def get(self, key: Hashable) -> set[Any]:
        """Get the values under a key, as a new set."""
        return set(self._values.get(key, ()))


class Predicate:
    """Something about the arguments that can decide which component is found.

    :param name: its name in the dictionaries of a :class:`PredicateRegistry`.
    :param index_factory: makes its index, such as :class:`KeyIndex`: an object
      with ``add(key, value)`` and with ``get(key)``, which returns a set.
    :param calc: computes its value from all dispatch arguments.
    :param default: its value where the caller gives predicates, but not this
      one, or where there is no ``calc``.
    :raises TypeError: if ``index_factory`` or ``calc`` cannot be called.
    """

    def __init__(
        self,
        name: str,
        index_factory: Callable[[], Any],
        calc: Callable[..., Any] | None = None,
        default: Any = None,
    ) -> None:
        if not callable(index_factory):
            raise TypeError(
                f"the predicate {name!r} is to be given what makes its index, such as the class"
                f" reg.KeyIndex; got {index_factory!r}, which cannot be called"
            )
        if calc is not None and not callable(calc):
            raise TypeError(
                f"the predicate {name!r} is to be given, after its index, a function that computes"
                f" its value, or None; got {calc!r}, which cannot be called; pass default= by name"
            )
        self.name = name
        self.index_factory = index_factory
        self.calc = calc
        self.default = default

    def create_index(self) -> Any:
        """Make a new, empty index for the values of this predicate."""
        return self.index_factory()

    def __repr__(self) -> str:
        return f"Predicate({self.name!r})"


class _Entry:
    """A registered value, told from every other, also from an equal one."""

    __slots__ = ("keys", "value")

    def __init__(self, keys: list[Any], value: Any) -> None:
        self.keys = keys
        self.value = value


class _Pattern:
    """The entries that name the same predicates, the others being ``ANY``.

    :param named: for each predicate, whether it is named.
    :param indexed: for each predicate, whether it has an index to be asked.

    The rest of the predicates are keys of a dictionary, all in one.
    """

    def __init__(self, named: tuple[bool, ...], indexed: list[bool]) -> None:
        self.named = named
        self.asked = [place for place, name in enumerate(named) if name and indexed[place]]
        self._keyed = [place for place, name in enumerate(named) if name and not indexed[place]]
        self._entries: dict[tuple[Any, ...], list[_Entry]] = {}

    def add(self, keys: list[Any], entry: _Entry) -> None:
        self._entries.setdefault(tuple([keys[place] for place in self._keyed]), []).append(entry)

    def get(self, keys: list[Any]) -> list[_Entry]:
        return self._entries.get(tuple([keys[place] for place in self._keyed]), [])

    def entries(self) -> list[_Entry]:
        return [entry for entries in list(self._entries.values()) for entry in list(entries)]


class _Registering:
    """What is common to those in which something is registered for predicates."""

    if TYPE_CHECKING:

        @overload
        def register(self, predicates: Mapping[str, Any]) -> Callable[[_T], _T]: ...

        @overload
        def register(self, predicates: Mapping[str, Any], value: object) -> None: ...

    def register(self, predicates: Mapping[str, Any], value: Any = MISSING) -> Any:
        """Register a value, often a function, for predicates.

        :param predicates: the value of each predicate by name. One that is
          left out, or ``ANY``, may have any value.
        :param value: what is to be found. Left out, a decorator is returned
          that registers what it decorates.
        :raises PredicateRegistryError: if there is no predicate of such a name.

        The same predicates may be registered more than once; it is the look-up
        that refuses to choose.
        """
        return self._reg_register(predicates, value)

    def _reg_register(self, predicates: Mapping[str, Any], value: Any) -> Any:
        raise NotImplementedError


class PredicateRegistry(_Registering):
    """Values by the predicates that they are registered for.

    :param predicates: the predicates; an earlier one weighs more.
    :raises PredicateRegistryError: if two have the same name.

    A look-up takes one step for each combination of named predicates that
    something is registered for, however many entries there are.
    """

    def __init__(self, predicates: Iterable[Predicate]) -> None:
        #: the predicates, in order of weight
        self.predicates = list(predicates)
        self._names = [predicate.name for predicate in self.predicates]
        if len(set(self._names)) < len(self._names):
            raise PredicateRegistryError(
                f"each predicate must have a name of its own; got {', '.join(self._names)}"
            )
        self._indexes: list[_Index] = [p.create_index() for p in self.predicates]
        # A dictionary does what a KeyIndex does. Any other index is asked.
        self._indexed = [type(index) is not KeyIndex for index in self._indexes]
        # Replaced, never changed: who looks something up reads it without a lock.
        self._patterns: list[_Pattern] = []

    def _reg_register(self, predicates: Mapping[str, Any], value: Any) -> Any:
        for name in predicates:
            if name not in self._names:
                what = "" if value is MISSING else f"{value!r} "
                raise PredicateRegistryError(
                    f"cannot register {what}for the unknown predicate {name!r};"
                    f" the predicates are {', '.join(self._names) or 'none'}"
                )
        keys = [predicates.get(name, ANY) for name in self._names]
        for key, indexed in zip(keys, self._indexed, strict=True):
            if not indexed:
                hash(key)  # refused before anything is changed
        if value is not MISSING:
            self._add(keys, value)
            return None

        def register(value: _T) -> _T:
            self._add(keys, value)
            return value

        return register

    def _add(self, keys: list[Any], value: Any) -> None:
        entry = _Entry(keys, value)
        with registry_lock:
            for key, index, indexed in zip(keys, self._indexes, self._indexed, strict=True):
                if indexed and key is not ANY:
                    index.add(key, entry)
            self._pattern(tuple(key is not ANY for key in keys)).add(keys, entry)

    def get(self, predicates: Mapping[str, Any], default: Any = None) -> Any:
        """Find the value that is registered most specifically for these predicates.

        :param predicates: the value of each predicate by name; other names do
          not matter. ``ANY`` finds only what is registered for ``ANY``.
        :param default: returned if nothing is registered for them.
        :raises KeyError: if the value of a predicate is missing.
        :raises PredicateRegistryError: if two values are registered for the
          same predicates, and those are what is found.
        """
        keys = [predicates[name] for name in self._names]
        found: dict[int, Any] = {}
        for pattern in self._patterns:
            if any(key is ANY and named for key, named in zip(keys, pattern.named, strict=True)):
                continue
            entries = pattern.get(keys)
            for place in pattern.asked if entries else ():
                if place not in found:
                    found[place] = self._indexes[place].get(keys[place])
                entries = [entry for entry in entries if entry in found[place]]
            if len(entries) > 1:
                raise PredicateRegistryError(
                    "more than one value is registered for the predicates"
                    f" {dict(zip(self._names, keys, strict=True))!r}:"
                    f" {', '.join(repr(entry.value) for entry in entries)}"
                )
            if entries:
                return entries[0].value
        return default

    def entries(self) -> list[tuple[dict[str, Any], Any]]:
        """List everything that is registered.

        :return: a new list of predicates and value, those that name an earlier
          predicate first. A predicate that may have any value is ``ANY``.
        """
        return [
            (dict(zip(self._names, entry.keys, strict=True)), entry.value)
            for pattern in self._patterns
            for entry in pattern.entries()
        ]

    def _pattern(self, named: tuple[bool, ...]) -> _Pattern:
        for pattern in self._patterns:
            if pattern.named == named:
                return pattern
        pattern = _Pattern(named, self._indexed)
        # An entry that names an earlier predicate goes before one that does not.
        self._patterns = sorted(
            [*self._patterns, pattern], key=lambda each: each.named, reverse=True
        )
        return pattern


class PredicateMatcher(_Registering, Matcher):
    """A matcher that finds its component by predicates.

    :param predicates: as for :class:`PredicateRegistry`.

    It can be filled before or after it is registered as a component.
    """

    def __init__(self, predicates: Iterable[Predicate]) -> None:
        #: what is registered, by predicates
        self.registry = PredicateRegistry(predicates)

    def _reg_register(self, predicates: Mapping[str, Any], value: Any) -> Any:
        return self.registry.register(predicates, value)

    def predicates(self, *args: Any) -> dict[str, Any]:
        """Compute the value of each predicate.

        :param args: the dispatch arguments, all of which each ``calc`` is given.
        :return: the values by name.
        """
        return {predicate.name: _value(predicate, args) for predicate in self.registry.predicates}

    def __call__(self, *args: Any, **predicates: Any) -> Any:
        """Find the component that is registered for the predicates of these arguments.

        :param args: the dispatch arguments.
        :param predicates: values that are known already; the others are computed.
        :return: the most specific component, or ``None``.
        :raises PredicateRegistryError: if two are registered for the same predicates.
        """
        return self.registry.get(self._reg_keywords(args, predicates, {}, False))

    def _reg_keywords(
        self,
        args: tuple[Any, ...],
        handed_on: Mapping[str, Any],
        computed: dict[Any, Any],
        given: bool,
    ) -> Mapping[str, Any]:
        missing = [p for p in self.registry.predicates if p.name not in handed_on]
        if not missing:
            return handed_on
        if given:
            return {**handed_on, **{predicate.name: predicate.default for predicate in missing}}
        for predicate in missing:
            # By identity: a framework's predicates may have an equality of their own.
            if id(predicate) not in computed:
                computed[id(predicate)] = _value(predicate, args)
        return {**handed_on, **{each.name: computed[id(each)] for each in missing}}


def _value(predicate: Predicate, args: tuple[Any, ...]) -> Any:
    return predicate.default if predicate.calc is None else predicate.calc(*args)
