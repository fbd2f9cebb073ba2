"""Isolating a test of a host from the choices and the installed backends."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .entry_points import EntryPoint
from .inventory import Inventory, assign_together
from .selection import Selector

__all__ = ["Isolation"]


class Isolation:
    """The value of ``BackendDispatcher.testing``."""

    def __init__(self, selector: Selector) -> None:
        self._selector = selector

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Begin a ``with`` block with no choice made and nothing discovered.

        Afterwards, choices, discovered backends, signatures and docstrings are as before.

        :return: a context manager.
        """
        with self._beginning_with(Inventory()):
            yield

    @contextmanager
    def installed(self, backends: Mapping[str, Any]) -> Iterator[None]:
        """Run a ``with`` block in which these backends, and no others, are installed.

        They are not checked against the host's trust configuration, since a test gives them.
        Each is loaded when it is first asked for, as one of an entry point is.

        :param backends: by name a module, an object, a class that is called without
          arguments, or a mapping of functions by name.
        :return: a context manager.
        :raises TypeError: if it is not a mapping by name.
        """
        if not isinstance(backends, Mapping) or not all(isinstance(one, str) for one in backends):
            raise TypeError(f"installed() takes a mapping of backends by name; got {backends!r}")
        entries = tuple(
            EntryPoint(_Given(name, backend), position, is_given=True)
            for position, (name, backend) in enumerate(backends.items())
        )
        with self._beginning_with(Inventory(entries, pending=entries, closed=True)):
            yield

    @contextmanager
    def _beginning_with(self, inventory: Inventory) -> Iterator[None]:
        selector = self._selector
        before, base, state = selector.discovery.inventory, selector.base, selector.state.get()
        default = [(base, "mode", base.mode), (base, "is_host", base.is_host)]
        selector.discovery.restore(inventory)
        selector.forget_default()
        selector.state.set(base)
        try:
            yield
        finally:
            selector.state.set(state)
            selector.discovery.restore(before)
            assign_together(default)


class _Given:
    """Stands for an entry point, where a test gives the backend."""

    dist = None

    def __init__(self, name: str, backend: Any) -> None:
        self.name = name
        self.value = f"a_test:{type(backend).__name__}"
        self._backend = backend

    def load(self) -> Any:
        if isinstance(self._backend, Mapping):
            return types.SimpleNamespace(**self._backend)
        return self._backend
