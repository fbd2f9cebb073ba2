"""Registries: where components are registered, and found by classes."""

from __future__ import annotations

import itertools

from ._ambiguity import refuse_ambiguity
from ._classes import (
    ClassKey,
    ForwardName,
    RestKey,
    class_of,
    class_tuple,
    members_of,
)
from ._declared import DeclaredMatcher
from ._definitions import file_and_line
from ._dispatch_spec import canonical_key
from ._errors import RegistrationError, describe
from ._lock import registry_lock
from ._matching import Matcher
from ._mro import mro_of
from ._observers import ObservableClassLookup
from ._reexecution import former_selves
from ._registering import (
    checked_key,
    key_names,
    read_classes,
    refuse_namesake,
    registration_for,
)
from ._replacing import (
    has_component,
    joined_by_predicates,
    predicate_names,
    refuse_to_replace,
    without_component,
)
from ._store import Registration, Store
from .implicit import implicit
from .interfaces import IClassLookup, IRegistry
from .lookup import Lookup
from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping
    from typing import Any, TypeVar

    from ._specifications import ClassSpecification

    _T = TypeVar("_T")

__all__ = [
    "ClassRegistry",
    "IClassLookup",
    "IRegistry",
    "Registration",
    "RegistrationError",
    "Registry",
]


class ClassRegistry(IRegistry, ObservableClassLookup, IClassLookup):
    """Components by key and classes.

    :param name: the name that tools show for this registry.
    :param replace: whether a registration replaces the one for the same key and classes. With
      ``False``, that is a :class:`RegistrationError`. If it is left out, the only error is an
      implementation in the same file that differs in a parameter which does not dispatch; see
      :meth:`IRegistry.implements`.
    :param ambiguous: whether two registrations may both apply to some classes although neither
      is more specific, so that the first argument or the order of registration decides. With
      ``False``, the second one is a :class:`RegistrationError`, unless something is registered
      for these classes already.

    It can be mixed into a framework's own class: ``__init__`` and
    :meth:`clear` work called unbound, in any order, and the names of all its attributes in
    the instance begin with ``_reg_``.
    """

    _reg_name: str | None = None
    _reg_replace: bool | None = None
    _reg_ambiguous = True
    _reg_store: Store = Store()

    def __init__(
        self,
        *misplaced: object,
        name: str | None = None,
        replace: bool | None = None,
        ambiguous: bool = True,
    ) -> None:
        _refuse_positional(self, misplaced)
        self._reg_name = name
        self._reg_replace = None if replace is None else bool(replace)
        self._reg_ambiguous = ambiguous
        # Not through self: a subclass may not be ready for its own clear() yet.
        ClassRegistry.clear(self)

    # Repeated here so that the register() of a mixin cannot take precedence.
    register = IRegistry.register

    def _reg_register(
        self, key: Hashable, classes: Iterable[ClassSpecification], component: Any
    ) -> Any:
        key = checked_key(key)
        combinations, predicates = read_classes(key, classes)
        if component is not MISSING:
            self._reg_add(key, combinations, component, predicates)
            return None

        def register(component: _T) -> _T:
            refuse_namesake(key, component)
            self._reg_add(key, combinations, component, predicates)
            return component

        return register

    def unregister(self, key: Hashable, classes: Iterable[ClassSpecification]) -> None:
        """Remove the registration for exactly these classes.

        :param key: as it was registered.
        :param classes: as they were registered. A union is forgotten for each of its members that
          is left of it; of a class alone, the registration that :meth:`exact` gets, which may be
          that for one member of a union.
        :raises RegistrationError: if there is nothing registered for them; then
          nothing has changed.
        """
        key = checked_key(key)
        combinations, predicates = read_classes(key, classes)
        with registry_lock:
            self._reg_settle(key, itertools.chain(*combinations))
            registrations, remaining = [], []
            for combination in combinations:
                registration = self._reg_store.for_classes(key, combination)
                # A member of a union may have been unregistered by itself.
                if registration is not None and has_component(registration, predicates):
                    registrations.append(registration)
                    remaining += without_component(registration, predicates)
            if not registrations:
                given = "" if predicates is None else f" and {predicate_names(predicates)}"
                raise RegistrationError(
                    f"nothing is registered under {describe(key)} for"
                    f" {key_names(combinations[0])}{given}"
                )
            store = self._reg_store.removing(registrations).adding(remaining)
            replaced = self._reg_publish(store, {key})
        # Dropped without the lock: a component that dies may wait for another thread.
        del replaced

    def exact(self, key: Hashable, classes: Iterable[ClassSpecification]) -> Any:
        """Get the component that is registered for exactly these classes.

        :param key: as it was registered.
        :param classes: as they were registered.
        :return: the component, a matcher as it is; one that was registered for a union with a
          class among its members, where there is no other; ``None`` if nothing is registered.
        :raises TypeError: if something that is not a class is given, or a
          union, which stands for more than one combination.
        """
        key = checked_key(key)
        combinations, predicates = read_classes(key, classes)
        if len(combinations) > 1:
            raise TypeError(
                f"exact() takes one class at each position, not a union; got"
                f" {len(combinations)} combinations under {describe(key)}"
            )
        self._reg_settle(key, combinations[0])
        registration = self._reg_store.for_classes(key, combinations[0])
        component = None if registration is None else registration.component
        if isinstance(component, DeclaredMatcher) and predicates is not None:
            return component.exact(predicates)
        return component

    def get(self, key: Hashable, classes: Iterable[type]) -> Any:
        """Find the component that is registered most specifically for these classes.

        :param key: the key of the registration.
        :param classes: the classes of the arguments.
        :return: the first of :meth:`all`, or ``None``.
        """
        return next(self._reg_candidates(canonical_key(key), class_tuple(key, classes)), None)

    def all(self, key: Hashable, classes: Iterable[type]) -> list[Any]:
        """Find all components registered for these classes or for bases of them.

        :param key: the key of the registrations.
        :param classes: the classes of the arguments.
        :return: a new list, in the lexicographic order of the Cartesian product
          of the classes' MROs: the first class weighs most, and ``object``
          comes last.
        """
        return list(self._reg_candidates(canonical_key(key), class_tuple(key, classes)))

    def registrations(self) -> list[Registration]:
        """List all registrations, in the order in which they were made.

        :return: a new list; for a union, a registration for each of its members.
        """
        for key in self._reg_store.all_keys():
            self._reg_settle(key, ())
        return self._reg_store.registrations()

    def clear(self) -> None:
        """Remove all registrations. The registry remains in its compositions."""
        with registry_lock:
            replaced = self._reg_publish(Store(), self._reg_store.all_keys())
        del replaced

    def __repr__(self) -> str:
        name = "" if self._reg_name is None else f" {self._reg_name!r}"
        return f"<{type(self).__name__}{name} at {id(self):#x}>"

    def __getstate__(self) -> dict[str, Any]:
        # Not super(): another base class of a framework's class may define it differently.
        return ObservableClassLookup.__getstate__(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _reg_replaced(self, key: Hashable, classes: Iterable[ClassSpecification]) -> list[Any]:
        if self._reg_replace is not None:
            return []
        combinations, predicates = read_classes(key, classes)
        self._reg_settle(key, itertools.chain(*combinations))
        replaced = []
        for combination in combinations:
            if (known := self._reg_store.exact(key, combination)) is None:
                continue
            component = known.component
            if isinstance(component, DeclaredMatcher):
                component = component.exact(predicates or {})
            replaced.append(component)
        return replaced

    def _reg_settle(self, key: Hashable, classes: Iterable[ClassKey]) -> list[ForwardName]:
        """Replace the names of classes in annotations by the classes, once these are defined.

        :param key: the key.
        :param classes: classes that may have such a name; a class in a function can be found
          in no other way.
        :return: the names of classes that are not defined yet.
        """
        names = self._reg_store.forward_names(key)
        if not names:
            return []
        given = [class_of(member) for cls in classes for member in members_of(cls)]
        bases = [base for cls in given if isinstance(cls, type) for base in mro_of(cls)]
        defined: dict[ForwardName, type] = {}
        for name in names:
            cls = name.resolve() or next((base for base in bases if name.matches(base)), None)
            if cls is not None:
                defined[name] = cls
        if defined:
            with registry_lock:
                replaced = self._reg_publish(self._reg_store.settled(key, defined), {key})
            del replaced
        return [name for name in names if name not in defined and not name.is_local]

    def _reg_prepare(self, key: Hashable, classes: tuple[type, ...]) -> None:
        for name in self._reg_settle(key, classes):
            raise name.missing_error()

    def _reg_candidates(self, key: Hashable, classes: tuple[type, ...]) -> Iterator[Any]:
        self._reg_prepare(key, classes)
        for registration in self._reg_store.matching(key, classes):
            yield registration.candidate

    def _reg_add(
        self,
        key: Hashable,
        combinations: list[tuple[ClassKey, ...]],
        component: Any,
        predicates: Mapping[str, Any] | None,
    ) -> None:
        if component is None:
            raise TypeError(
                f"cannot register None under {describe(key)} for {key_names(combinations[0])}:"
                " None means that there is no component"
            )
        if isinstance(component, Matcher):
            classes = combinations[0]
            component._reg_check(key, len(classes))
            if classes and isinstance(classes[-1], RestKey):
                component._reg_check(key, len(classes) - 1)
        filename, lineno = file_and_line(component)
        added = [
            registration_for(key, combination, component, filename, lineno)
            for combination in combinations
        ]
        with registry_lock:
            self._reg_settle(key, itertools.chain(*combinations))
            store = self._reg_store.removing(former_selves(self._reg_store, key, component))
            if predicates is not None and not isinstance(component, Matcher):
                replaces = self._reg_replace is not False
                added = [joined_by_predicates(store, one, predicates, replaces) for one in added]
            elif self._reg_replace is False:
                for registration in added:
                    refuse_to_replace(store, registration)
            store = store.adding(added)
            if not self._reg_ambiguous:
                for registration in added:
                    refuse_ambiguity(store, registration)
            replaced = self._reg_publish(store, {key})
        del replaced

    def _reg_publish(self, store: Store, keys: set[Hashable]) -> Store:
        """Replace the store, and invalidate the caches under these keys.

        If an exception interrupts it, nothing has changed.

        :param store: the new store.
        :param keys: the keys whose registrations differ.
        :return: the former store.
        """
        before = self._reg_store
        try:
            self._reg_store = store
            for cache in self._reg_caches():
                cache.invalidate(keys)
        except BaseException:
            # A store that a signal handler has published since stays.
            if self._reg_store is store:
                self._reg_store = before
            for cache in self._reg_caches():
                cache.invalidate_all()
            raise
        return before


class Registry(IRegistry, Lookup):
    """A registry that looks up in itself: all that a small application needs.

    :param name: the name that tools show for this registry.
    :param replace: as for :class:`ClassRegistry`.
    :param ambiguous: as for :class:`ClassRegistry`.
    """

    def __init__(
        self,
        *misplaced: object,
        name: str | None = None,
        replace: bool | None = None,
        ambiguous: bool = True,
    ) -> None:
        _refuse_positional(self, misplaced)
        #: the :class:`ClassRegistry` with the registrations
        self.registry = ClassRegistry(name=name, replace=replace, ambiguous=ambiguous)
        super().__init__(self.registry)

    def _reg_register(
        self, key: Hashable, classes: Iterable[ClassSpecification], component: Any
    ) -> Any:
        return self._reg_own().register(key, classes, component)

    def _reg_own(self) -> ClassRegistry:
        if "registry" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__} has no registry: its __init__() did not call that of"
                " reg.Registry"
            )
        return self.registry

    def _reg_replaced(self, key: Hashable, classes: Iterable[ClassSpecification]) -> list[Any]:
        return self._reg_own()._reg_replaced(key, classes)

    def unregister(self, key: Hashable, classes: Iterable[ClassSpecification]) -> None:
        """Remove a registration.

        :param key: as it was registered.
        :param classes: as they were registered; of a union, all alternatives are removed.
        :raises RegistrationError: if there is no such registration; then nothing has changed.
        :raises TypeError: as for :meth:`register`.
        """
        self.registry.unregister(key, classes)

    def exact(self, key: Hashable, classes: Iterable[ClassSpecification]) -> Any:
        """Get the component that is registered for exactly these classes.

        :param key: as it was registered.
        :param classes: as they were registered.
        :return: the component, or ``None``; a matcher as it is.
        :raises TypeError: as for :meth:`ClassRegistry.exact`.
        """
        return self.registry.exact(key, classes)

    def registrations(self) -> list[Registration]:
        """List all registrations.

        :return: a new list, as of :meth:`ClassRegistry.registrations`.
        """
        return self.registry.registrations()

    def clear(self) -> None:
        """Remove all registrations. The registry remains in its compositions."""
        self.registry.clear()

    def __repr__(self) -> str:
        name = "" if self.registry._reg_name is None else f" {self.registry._reg_name!r}"
        return f"<{type(self).__name__}{name} at {id(self):#x}>"

    def __copy__(self) -> Registry:
        import copy

        # A copy has registrations of its own, as that of a ClassRegistry has.
        state = self.__getstate__()
        state["registry"] = copy.copy(self.registry)
        if self.class_lookup is self.registry:
            state["_reg_class_lookup"] = state["registry"]
        copied = type(self).__new__(type(self))
        copied.__setstate__(state)
        return copied


implicit._add_own_lookup(Registry)


def _refuse_positional(registry: object, misplaced: tuple[object, ...]) -> None:
    if misplaced:
        kind = type(registry).__name__
        raise TypeError(
            f"{kind}() takes its name by keyword, {kind}(name=...), and is made without"
            f" registrations; got {', '.join(map(repr, misplaced))}"
        )
