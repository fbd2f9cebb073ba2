"""One installed backend: a class lookup with a name."""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from reg import (
    ClassRegistry,
    IClassLookup,
    ListClassLookup,
    Lookup,
    Matcher,
)
from reg.sentinel import MISSING

from .owned_classes import OwnedClasses
from .trust import Origin

__all__ = ["Backend"]


class _Export(Matcher):
    """An export of a backend, as a component that reads it at each look-up.

    A backend may replace its exports, or make them up when they are asked for.
    """

    def __init__(self, backend: str, source: Any, name: str) -> None:
        self._backend = backend
        self._source = source
        self._name = name

    def __call__(self, *args: Any, **predicates: Any) -> Any:
        """Get the export; ``None`` if there is none at present."""
        return getattr(self._source, self._name, None)

    def __repr__(self) -> str:
        return f"<{self._name!r} of the backend {self._backend!r}>"


class _Exports(ClassRegistry):
    """The exports of a backend as registrations, for the tools of the core.

    :param backend: the backend; it is told of registrations that others make here.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__(name=backend.name)
        self._backend = backend

    def register(self, key: Hashable, classes: Any, *args: Any, **options: Any) -> Any:
        result = super().register(key, classes, *args, **options)
        self._backend.look_up_everything()
        return result


class Backend:
    """An installed backend of one host.

    Its implementations are its exports, which apply to any arguments, and before them the
    components of its ``registry``, if it has one: a component that is registered there for
    *n* classes applies to calls whose first *n* positional arguments are of these classes.

    :param name: its canonical name.
    :param source: the module or object that its entry point names.
    :param origin: where it comes from.
    :param trusted: true if the host lists it.
    :param position: the position of its entry point among all.
    """

    def __init__(
        self, name: str, source: Any, origin: Origin, trusted: bool, position: int = 0
    ) -> None:
        self.name = name
        self.source = source
        self.origin = origin
        self.trusted = trusted
        self.position = position
        #: the other names that it can be chosen by
        self.aliases: list[str] = []
        #: declarations of it that cannot be used, and are left out
        self.complaints: list[str] = []
        #: true once a warning has said that the host does not list it
        self.warned_of = False
        #: reads an attribute of the source: ``read(name, default)``
        self.read: Callable[[str, Any], Any] = functools.partial(getattr, source)
        if type(source) is types.ModuleType and "__getattr__" not in vars(source):
            # Python looks for a missing attribute of a module for a long time.
            self.read = vars(source).get
        registry = self.read("registry", None)
        #: its own registry, or ``None``
        self.registry = registry if isinstance(registry, (IClassLookup, Lookup)) else None
        #: where registered implementations are looked up; ``None`` if all are exports
        self.lookup: Lookup | None = None
        if self.registry is not None:
            self.lookup = Lookup(ListClassLookup([self.registry]))
        self._exports: _Exports | None = None
        #: the classes that it owns
        self.owned = OwnedClasses(name, ())
        #: the classes of the host that it converts to its own
        self.converts = OwnedClasses(name, ())
        # The modes that remember calls of exports.
        self._modes: weakref.WeakSet[Any] = weakref.WeakSet()

    def __repr__(self) -> str:
        return f"<backend {self.name!r}, {self.origin}>"

    def implementation(self, key: Hashable, name: str, args: tuple[Any, ...]) -> Any:
        """Find the implementation of a function of the host.

        :param key: the function.
        :param name: the name of the export.
        :param args: the positional arguments of the call.
        :return: the implementation, or ``MISSING``.
        """
        if self.lookup is not None:
            for count in range(len(args), -1, -1):
                component = self.lookup.component(key, args[:count], None)
                if component is not None:
                    return component
        # An export that is None is not missing: it is an error, which the call reports.
        return self.read(name, MISSING)

    def implements(self, key: Hashable, name: str) -> bool:
        """True if it has an implementation of a function, for some arguments at least.

        :param key: the function.
        :param name: the name of the export.
        """
        if self.read(name, None) is not None:
            return True
        registrations = getattr(self.registry, "registrations", None)
        return registrations is not None and any(one.key is key for one in registrations())

    # For the tools of the core

    def class_lookup(self, functions: Iterable[tuple[Hashable, str]]) -> ListClassLookup:
        """The implementations as a class lookup, the registry before the exports.

        :param functions: the functions of the host, as keys, with the names of their exports.
        """
        if self._exports is None:
            self._exports = _Exports(self)
        known = {registration.key for registration in self._exports.registrations()}
        for key, name in functions:
            if key not in known:
                export = _Export(self.name, self.source, name)
                ClassRegistry.register(self._exports, key, (), export)
        parts = [self._exports] if self.registry is None else [self.registry, self._exports]
        return ListClassLookup(parts)

    def look_up_everything(self) -> None:
        """From now on, look up exports too, since others register among them."""
        if self._exports is not None:
            self.lookup = Lookup(self.class_lookup(()))
        for mode in list(self._modes):
            mode.forget_calls()

    def remembered_in(self, mode: Any) -> None:
        """Note a mode that remembers calls of exports, to be told if they are not all."""
        self._modes.add(mode)
        if self.lookup is not None:
            mode.forget_calls()
