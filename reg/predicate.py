"""Finding components by more than classes: predicates of the arguments."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from . import _trie
from ._errors import describe
from ._fastcall import Deciding
from ._lock import registry_lock
from ._matching import Matcher, Query
from ._mro import mro_of
from ._predicate_trie import ANY, IndexedKey, branches_below, first_value, given_key
from ._signatures import takes, unfinished_kind
from ._trie import keys_of, new_entry, order_of, value_of
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import Any, Protocol, TypeVar, overload

    _T = TypeVar("_T")

    class _Index(Protocol):
        def add(self, key: Any, value: Any, /) -> object: ...
        def get(self, key: Any, /) -> Any: ...


__all__ = [
    "ANY",
    "ClassIndex",
    "KeyIndex",
    "Predicate",
    "PredicateMatcher",
    "PredicateRegistry",
    "PredicateRegistryError",
]


class PredicateRegistryError(ValueError):
    """Something cannot be registered for predicates, or has been registered twice."""


class KeyIndex:
    """An index that finds values by equal keys."""

    def __init__(self) -> None:
        self._values: dict[Hashable, set[Any]] = {}

    def add(self, key: Hashable, value: Any) -> None:
        """Add a value under a key, which may have several.

        :param key: the key.
        :param value: the value.
        """
        self._values.setdefault(key, set()).add(value)

    def get(self, key: Hashable) -> set[Any]:
        """Get the values under a key.

        :param key: the key.
        :return: a new set, an empty one if there is no such key.
        """
        return set(self._values.get(key, ()))


class ClassIndex:
    """An index that finds values by the class of an object: those for the class and its bases.

    The keys are classes. Those of the MRO of the object's class are found in its order, so that
    the most specific one comes first.
    """

    def __init__(self) -> None:
        self._values: dict[type, list[Any]] = {}

    def add(self, key: type, value: Any) -> None:
        """Add a value under a class, which may have several.

        :param key: the class.
        :param value: the value.
        :raises TypeError: if the key is not a class.
        """
        if not isinstance(key, type):
            raise TypeError(f"a class is to be given for a predicate by class; got {key!r}")
        self._values.setdefault(key, []).append(value)

    def get(self, key: Any) -> list[Any]:
        """Get the values for an object.

        :param key: the object; its ``__class__`` counts.
        :return: a new list, the values for the class itself first, then those for its bases.
        """
        return [value for _, value in self._reg_ranked(key)]

    def _reg_ranked(self, key: Any) -> list[tuple[int, Any]]:
        """Get the same, each with the place of its class in the MRO."""
        bases = enumerate(mro_of(key.__class__))
        return [(place, value) for place, cls in bases for value in self._values.get(cls, ())]


class Predicate:
    """Something about the arguments that can decide which component is found.

    :param name: its name in the dictionaries of a :class:`PredicateRegistry`.
    :param index_factory: makes its index: :class:`KeyIndex`, :class:`ClassIndex`, or another
      object with ``add(key, value)`` and with ``get(key)``, which returns a set.
    :param calc: computes its value from all dispatch arguments.
    :param default: its value where the caller gives predicates, but not this
      one, or where there is no ``calc``.
    :param fallback: called in place of the decorated function where a generic function
      declares this predicate, and it is the first for whose value nothing is registered.
    :raises TypeError: if ``index_factory``, ``calc`` or ``fallback`` cannot be called.

    The attributes of these names cannot be assigned again, since plans of calls hold them;
    ``fallback`` can, until a generic function declares the predicate.
    """

    _reg_is_declared = False

    def __init__(
        self,
        name: str,
        index_factory: Callable[[], Any] = KeyIndex,
        calc: Callable[..., Any] | None = None,
        default: Any = None,
        *,
        fallback: Callable[..., Any] | None = None,
    ) -> None:
        if not callable(index_factory):
            raise TypeError(
                f"the predicate {name!r} is to be given a callable that makes its index, such"
                f" as the class reg.KeyIndex; got {index_factory!r}, which cannot be called"
            )
        if not takes(index_factory, 0):
            raise TypeError(
                f"the index of the predicate {name!r} is made by a call without arguments, such as"
                f" reg.KeyIndex(); got {index_factory!r}; give a function that computes the value"
                " after it, or as calc="
            )
        if calc is not None and not callable(calc):
            raise TypeError(
                f"the predicate {name!r} is to be given, after its index, a function that computes"
                f" its value, or None; got {calc!r}, which cannot be called; pass default= by name"
            )
        if calc is not None and (kind := unfinished_kind(calc)) is not None:
            raise TypeError(
                f"the predicate {name!r} is to be computed by a plain function; got {calc!r},"
                f" {kind}, whose result is not the value"
            )
        if fallback is not None and not callable(fallback):
            raise TypeError(
                f"the fallback of the predicate {name!r} is to be a function; got {fallback!r},"
                " which cannot be called"
            )
        self.name = name
        self.index_factory = index_factory
        self.calc = calc
        self.default = default
        self.fallback = fallback

    def __setattr__(self, name: str, value: Any) -> None:
        # A framework may have a fallback of its own, until a generic function declares this.
        is_fixed = name in ("name", "index_factory", "calc", "default") and name in self.__dict__
        if is_fixed or (name == "fallback" and self._reg_is_declared):
            raise AttributeError(
                f"cannot assign the attribute {name!r} of {self!r} again: it may be in use by"
                " calls; make another predicate, and a matcher for it"
            )
        super().__setattr__(name, value)

    def create_index(self) -> Any:
        """Make a new index for the values of this predicate.

        :return: the result of ``index_factory``, an empty index.
        """
        return self.index_factory()

    def __repr__(self) -> str:
        return f"Predicate({self.name!r})"


class _Registering(Deciding):
    """The registration that predicate registries and predicate matchers share."""

    if TYPE_CHECKING:

        @overload
        def register(self, predicates: Mapping[str, Any]) -> Callable[[_T], _T]: ...

        @overload
        def register(self, predicates: Mapping[str, Any], value: object) -> None: ...

    def register(self, predicates: Mapping[str, Any], value: Any = MISSING) -> Any:
        """Register a value, often a function, for predicates.

        :param predicates: the value of each predicate by name. One that is
          left out, or ``ANY``, may have any value.
        :param value: the value to find.
        :return: ``None``; without a value, a decorator that registers the function and returns it
          as it was.
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

    A look-up descends a trie of the keys: at each predicate the value, then ``ANY``. It goes
    only where something is registered, so that it hardly depends on how many entries there are.
    """

    def __init__(self, predicates: Iterable[Predicate]) -> None:
        if not isinstance(predicates, Iterable) or isinstance(predicates, str):
            raise TypeError(
                f"{type(self).__name__}() takes a list of instances of reg.Predicate; got"
                f" {predicates!r}"
            )
        #: the predicates, in order of weight
        self.predicates = list(predicates)
        for predicate in self.predicates:
            if not hasattr(predicate, "create_index"):
                raise TypeError(
                    f"{type(self).__name__}() takes instances of reg.Predicate; got"
                    f" {predicate!r}: make one, such as reg.Predicate({predicate!r}, reg.KeyIndex,"
                    " calc)"
                )
        self._names = [predicate.name for predicate in self.predicates]
        if len(set(self._names)) < len(self._names):
            raise PredicateRegistryError(
                f"each predicate must have a name of its own; got {', '.join(self._names)}"
            )
        self._indexes: list[_Index] = [p.create_index() for p in self.predicates]
        # A dictionary does the work of a KeyIndex. Any other index is asked which of the
        # registered keys match, and is given an object for each of them.
        self._indexed = [type(index) is not KeyIndex for index in self._indexes]
        self._has_indexes = any(self._indexed)
        self._indexed_keys: list[dict[Hashable, IndexedKey]] = [{} for _ in self._indexes]
        # A trie of tuples of values, by the key of each predicate. Never changed, but replaced.
        self._root: Any = _trie.EMPTY
        self._order = 0

    def _reg_register(self, predicates: Mapping[str, Any], value: Any) -> Any:
        for name in predicates:
            if name not in self._names:
                described = "" if value is MISSING else f"{value!r} "
                raise PredicateRegistryError(
                    f"cannot register {described}for the unknown predicate {name!r};"
                    f" the predicates are {', '.join(self._names) or 'none'}"
                )
        keys = self._keys(predicates)
        if value is not MISSING:
            self._add(keys, value)
            return None

        def register(value: _T) -> _T:
            self._add(keys, value)
            return value

        return register

    def _keys(self, predicates: Mapping[str, Any]) -> list[Any]:
        keys = [predicates.get(name, ANY) for name in self._names]
        for name, key, indexed in zip(self._names, keys, self._indexed, strict=True):
            try:
                if not indexed:
                    hash(key)  # refused before anything is changed
            except TypeError as error:
                raise TypeError(
                    f"the value of the predicate {name!r} must be hashable; got {key!r}: {error}"
                ) from error
        return keys

    def _add(self, keys: list[Any], value: Any) -> None:
        with registry_lock:
            path = tuple([self._key(position, key) for position, key in enumerate(keys)])
            known = _trie.exact(self._root, path)
            values = (value,) if known is None else (*value_of(known), value)
            order = self._order if known is None else order_of(known)
            self._order += 1
            self._root = _trie.add(self._root, new_entry(path, values, order))

    def _key(self, position: int, key: Any) -> Any:
        """The key in the trie."""
        if key is ANY or not self._indexed[position]:
            return key
        known = self._indexed_keys[position]
        try:
            indexed = known.get(key)
        except TypeError:
            # It cannot be hashed, which such an index may not need.
            indexed = IndexedKey(key)
            self._indexes[position].add(key, indexed)
            return indexed
        if indexed is None:
            indexed = IndexedKey(key)
            self._indexes[position].add(key, indexed)
            known[key] = indexed
        return indexed

    def get(self, predicates: Mapping[str, Any], default: Any = None) -> Any:
        """Find the value that is registered most specifically for these predicates.

        :param predicates: the value of each predicate by name; other names do
          not matter. ``ANY`` finds only what is registered for ``ANY``.
        :param default: returned if nothing is registered for them.
        :return: the value, or the default.
        :raises KeyError: if the value of a predicate is missing.
        :raises PredicateRegistryError: if two values are registered for the
          same predicates, and the look-up finds them.
        """
        return self._reg_get([predicates[name] for name in self._names], default)

    def _reg_get(self, keys: list[Any], default: Any) -> Any:
        """Find the value for the keys of all predicates, in their order."""
        root = self._root
        try:
            if self._has_indexes:
                values = self._matching([root], keys, 0) if root else ()
            else:
                values = (first_value(root, keys) if root else None) or ()
        except TypeError as error:
            self._refuse_unhashable(keys, error)
            raise
        if len(values) == 1:
            return values[0]
        if not values:
            return default
        raise PredicateRegistryError(
            "more than one value is registered for the predicates"
            f" {dict(zip(self._names, keys, strict=True))!r}:"
            f" {', '.join(repr(value) for value in values)}"
        )

    def _refuse_unhashable(self, keys: list[Any], error: TypeError) -> None:
        for name, key in zip(self._names, keys, strict=True):
            try:
                hash(key)
            except TypeError:
                raise TypeError(
                    f"the value {key!r} of the predicate {name!r} cannot be hashed: compute one"
                    " that can, such as a tuple instead of a list"
                ) from error

    def _reg_with(
        self, predicates: Mapping[str, Any], values: tuple[Any, ...]
    ) -> PredicateRegistry:
        """Return a registry with these values in place of those for the same predicates."""
        changed = PredicateRegistry(self.predicates)
        keys = self._keys(predicates)
        if self._has_indexes:
            # An index cannot be copied.
            known = _trie.entries(self._root)
            listed = [(list(map(given_key, keys_of(entry))), value_of(entry)) for entry in known]
            replaced = [(each, values if each == keys else of) for each, of in listed]
            if keys not in [each for each, _ in listed]:
                replaced.append((keys, values))
            for each, of in replaced:
                for value in of:
                    changed._add(each, value)
            return changed
        former = _trie.exact(self._root, tuple(keys))
        changed._root, changed._order = self._root, self._order + 1
        if values:
            order = self._order if former is None else order_of(former)
            changed._root = _trie.add(self._root, new_entry(tuple(keys), values, order))
        elif former is not None:
            changed._root = _trie.remove(self._root, tuple(keys))
        return changed

    def _reg_exact(self, predicates: Mapping[str, Any]) -> Any:
        """Get the value for exactly these predicates, or ``None``."""
        keys = self._keys(predicates)
        if not self._has_indexes:
            entry = _trie.exact(self._root, tuple(keys))
            return None if entry is None else value_of(entry)[0]
        known = _trie.entries(self._root)
        return next(
            (value_of(e)[0] for e in known if list(map(given_key, keys_of(e))) == keys), None
        )

    def _reg_ranked(self, keys: list[Any]) -> list[tuple[tuple[float, ...], Any]]:
        """Find all values for the keys of all predicates, the most specific first.

        :return: the values, each with its rank: for each predicate the place of the registered
          key among those that match, infinity for ``ANY``.
        """
        found: list[tuple[tuple[float, ...], int, Any]] = []

        def descend(node: Any, position: int, rank: tuple[float, ...]) -> None:
            if position == len(keys):
                found.extend((rank, order_of(node), value) for value in value_of(node))
                return
            for place, match in self._reg_matches(keys[position], position):
                for below in branches_below(node, (match,), position):
                    descend(below, position + 1, (*rank, place))

        try:
            if self._root:
                descend(self._root, 0, ())
        except TypeError as error:
            self._refuse_unhashable(keys, error)
            raise
        found.sort(key=lambda item: item[:2])
        return [(rank, value) for rank, _, value in found]

    def _reg_below(self, node: Any, key: Any, position: int) -> list[Any]:
        """The parts of the trie below a node that match a key."""
        if not node:
            return []
        matches = [match for _, match in self._reg_matches(key, position)]
        return branches_below(node, matches, position)

    def _reg_matches(self, key: Any, position: int) -> list[tuple[float, Any]]:
        """The registered keys that match one of a look-up, with their places; ``ANY`` is last."""
        matches: list[tuple[float, Any]] = []
        if key is not ANY and not self._indexed[position]:
            matches = [(0, key)]
        elif key is not ANY:
            index = self._indexes[position]
            if isinstance(index, ClassIndex):
                matches = [*index._reg_ranked(key)]
            else:
                matches = [(0, match) for match in index.get(key)]
        return [*matches, (float("inf"), ANY)]

    def _matching(self, nodes: list[Any], keys: list[Any], position: int) -> Sequence[Any]:
        """Find the most specific values below nodes, where predicates have indexes to be asked.

        :param nodes: the parts of the trie whose keys match up to the position; several,
          since several registered keys can match one value.
        """
        if position == len(keys):
            return [value for node in nodes for value in value_of(node)]
        key = keys[position]
        if key is ANY:
            matches: Any = ()
        elif self._indexed[position]:
            matches = self._indexes[position].get(key)
        else:
            matches = (key,)
        # In a list, the preferred ones come first.
        groups = [(match,) for match in matches] if isinstance(matches, list) else [matches]
        for these in [*groups, (ANY,)]:
            group = [below for node in nodes for below in branches_below(node, these, position)]
            if group and (values := self._matching(group, keys, position + 1)):
                return values
        return []

    def entries(self) -> list[tuple[dict[str, Any], Any]]:
        """List everything that is registered.

        :return: a new list of predicates and value; entries with an earlier predicate come
          first. A predicate that may have any value is ``ANY``.
        """
        listed = [
            (list(map(given_key, keys_of(entry))), value)
            for entry in _trie.entries(self._root)
            for value in value_of(entry)
        ]
        listed.sort(key=lambda keys_and_value: [key is ANY for key in keys_and_value[0]])
        return [(dict(zip(self._names, keys, strict=True)), value) for keys, value in listed]


class PredicateMatcher(_Registering, Matcher):
    """A matcher that finds its component by predicates.

    :param predicates: as for :class:`PredicateRegistry`.

    It can be filled before or after it is registered as a component.
    """

    def __init__(self, predicates: Iterable[Predicate]) -> None:
        #: the registered values, by predicates
        self.registry = PredicateRegistry(predicates)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "registry" and not isinstance(value, PredicateRegistry):
            raise TypeError(f"{name!r} is to be a reg.PredicateRegistry; got {value!r}")
        super().__setattr__(name, value)

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
        return self.registry.get(self._reg_keywords(Query(args), predicates))

    def _reg_check(self, key: Hashable, count: int) -> None:
        for predicate in self.registry.predicates:
            if predicate.calc is not None and not takes(predicate.calc, count):
                raise TypeError(
                    f"the predicate {predicate.name!r} cannot be computed for {count}"
                    f" argument{'' if count == 1 else 's'} of {describe(key)}: its calc,"
                    f" {describe(predicate.calc)}, is called with all of the arguments that"
                    " dispatch, by position"
                )

    def _reg_calculations(self) -> tuple[Callable[..., Any], ...] | None:
        cls = type(self)
        predicates = self.registry.predicates
        if (
            not predicates
            or type(self.registry) is not PredicateRegistry
            or self.registry._has_indexes
            or cls.__call__ is not PredicateMatcher.__call__
            or cls.predicates is not PredicateMatcher.predicates
            or any(type(predicate) is not Predicate for predicate in predicates)
        ):
            return None
        return calculations_of(predicates)

    def _reg_keywords(self, query: Query, predicates: Mapping[str, Any]) -> Mapping[str, Any]:
        missing = [p for p in self.registry.predicates if p.name not in predicates]
        if not missing:
            return predicates
        if query.given:
            return {**predicates, **{predicate.name: predicate.default for predicate in missing}}
        for predicate in missing:
            # By identity: a framework's predicates may have an equality of their own.
            if id(predicate) not in query.computed:
                query.computed[id(predicate)] = _value(predicate, query.args)
        return {**predicates, **{each.name: query.computed[id(each)] for each in missing}}


def calculations_of(predicates: Iterable[Predicate]) -> tuple[Callable[..., Any], ...]:
    """Return the functions that compute the values of predicates from the dispatch arguments."""
    return tuple([p.calc or functools.partial(_default, p.default) for p in predicates])


def _default(default: Any, *args: Any) -> Any:
    return default


def _value(predicate: Predicate, args: tuple[Any, ...]) -> Any:
    calc = predicate.calc
    return predicate.default if calc is None else calc(*args)
