"""One installed backend: a class lookup with a name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final

from reg import (
    ClassRegistry,
    IClassLookup,
    ListClassLookup,
    Lookup,
    Matcher,
    RegistrationError,
    Sentinel,
)
from reg.sentinel import MISSING

from .trust import Origin

__all__ = ["OWNER", "Backend", "Export"]

#: The key under which backends are registered for the classes that they own.
OWNER: Final = Sentinel("OWNER")


class Export(Matcher):
    """What a backend exports under a name, as a component.

    It is read from the backend at each look-up: a backend may replace what it
    exports, or make it up when it is asked.
    """

    def __init__(self, backend: str, source: Any, name: str) -> None:
        self.backend = backend
        self.source = source
        self.name = name

    def __call__(self, *args: Any, **predicates: Any) -> Any:
        """Get the export; ``None`` if there is none at present."""
        return getattr(self.source, self.name, None)

    def __repr__(self) -> str:
        return f"<{self.name!r} of the backend {self.backend!r}>"


class Backend:
    """An installed backend of one host.

    :param name: its canonical name.
    :param source: the module or object that its entry point names.
    :param origin: where it comes from.
    :param trusted: whether the host lists it.
    :param position: its place among the entry points.

    What it implements are components of :attr:`class_lookup`, under the host's
    functions as keys. Its exports are registered there for no classes: they
    apply to any arguments. If it has a ``registry``, that is asked first; a
    component registered there for *n* classes applies to calls whose first *n*
    positional arguments are of these classes.
    """

    def __init__(
        self, name: str, source: Any, origin: Origin, trusted: bool, position: int = 0
    ) -> None:
        self.name = name
        self.source = source
        self.origin = origin
        self.trusted = trusted
        self.position = position
        #: the names that it can be chosen by besides
        self.aliases: list[str] = []
        #: what it declares that will not do, and is left out
        self.complaints: list[str] = []
        self.exports = ClassRegistry(name=name)
        #: this backend, under ``OWNER``, for the classes it declares to own
        self.owned = ClassRegistry(name=f"{name} owns")
        registry = getattr(source, "registry", None)
        #: the registry of the backend's own, or ``None``
        self.registry = registry if isinstance(registry, (IClassLookup, Lookup)) else None
        parts: list[Any] = [] if self.registry is None else [self.registry]
        #: what it implements
        self.class_lookup = ListClassLookup((*parts, self.exports))
        self._lookup = Lookup(self.class_lookup)

    def __repr__(self) -> str:
        return f"<backend {self.name!r}, {self.origin}>"

    def own(self, classes: Iterable[Any]) -> list[str]:
        """Take note of the classes that this backend owns.

        :param classes: classes, or names such as ``"package.module:Class"``.
        :return: what is wrong with those that could not be taken.
        """
        wrong = []
        for cls in classes:
            try:
                self.owned.register(OWNER, [cls], self)
            except (TypeError, RegistrationError) as error:
                wrong.append(f"{cls!r} in its array_types is no class: {error}")
        return wrong

    def offer(self, key: Hashable, name: str) -> None:
        """Register what is exported under a name for a function of the host."""
        self.exports.register(key, (), Export(self.name, self.source, name))

    def implementation(self, key: Hashable, name: str, args: tuple[Any, ...]) -> Any:
        """Find what this backend runs for a function of the host.

        :param key: the function.
        :param name: what its export is called.
        :param args: the positional arguments that were given.
        :return: the implementation, or ``MISSING``.
        """
        counts = range(len(args), -1, -1) if self.registry is not None else (0,)
        for count in counts:
            found = self._lookup.component(key, args[:count], None)
            if found is not None:
                return found
        # An export that is None is there, and wrong.
        return getattr(self.source, name, MISSING)

    @property
    def can_run(self) -> Callable[[str, dict[str, Any]], Any] | None:
        """What says whether this backend wants to run a call; ``None`` if it runs any."""
        found: Callable[[str, dict[str, Any]], Any] | None = getattr(self.source, "can_run", None)
        return found
