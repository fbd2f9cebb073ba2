"""The cache of calls: how a call of a host's function runs whose decision is always the same.

An entry holds as long as the backend exports the same object. It is kept in the mode that the
call is made in, see :class:`~reg.backends.state.Mode`, and dies with it.
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from .backend import Backend
from .decision import MOST_ELEMENTS, Decision
from .inventory import Inventory
from .reports import Record
from .selection import Selector
from .state import State

__all__ = ["CallsByOwner", "Entry", "backend_entry", "host_entry", "subject_of"]


class Entry:
    """An entry of the cache: how one backend, or the host, runs calls of one function.

    :param inside: the state that its body runs in.
    :param exports: the exports by name, as they are now.
    :param known: a weak reference to the export that the rest is about; if that is a bound
      method, to its function.
    :param is_method: true if it is a bound method.
    :param options: the keywords that only the backend knows, which change nothing for the other
      arguments.
    :param shapes: by shape, how the arguments are passed; see ``Route.shapes``.
    :param moves_on: the exceptions after which the next in line runs.
    :param inventory: the state of discovery in which the name of the choice was resolved.
    :param ran: the backend; ``None`` for the host.
    :param asks: the questions that it has to be asked; see ``Dispatched.questions()``.
    :param record: the entry for the lists of records.
    """

    __slots__ = (
        *("asks", "count", "exports", "inside", "inventory", "is_by_owner", "is_method"),
        *("is_recorded", "known", "moves_on", "options", "ran", "record", "shapes"),
    )

    def __init__(
        self,
        inside: State,
        exports: Any,
        known: Callable[[], Any],
        is_method: bool,
        options: frozenset[str],
        shapes: Any,
        moves_on: tuple[type[BaseException], ...],
        inventory: Inventory,
        ran: Backend | None,
        asks: tuple[str, ...],
        record: Record,
    ) -> None:
        #: true for :class:`CallsByOwner`, which finds the entry of a call
        self.is_by_owner = False
        #: the number of arguments of calls whose shape need not be looked up
        self.count = -1
        #: true if there are lists of records to put calls into
        self.is_recorded = bool(inside.records)
        self.inside = inside
        self.exports = exports
        self.known = known
        self.is_method = is_method
        self.options = options
        self.shapes = shapes
        self.moves_on = moves_on
        self.inventory = inventory
        self.ran = ran
        self.asks = asks
        self.record = record

    def is_method_of(self, export: Any) -> bool:
        """True if an export is a bound method of the function that the entry is about."""
        return self.is_method and export.__func__ is self.known()


def host_entry(
    name: str,
    function: Callable[..., Any],
    inside: State,
    shapes: Mapping[Any, Any],
    inventory: Inventory,
    record: Record,
) -> Entry:
    """Make the entry of a call that the host runs, which takes its arguments as they are.

    :param name: the name of the exports of backends.
    :param function: the host's own function.
    :param inside: the state that its body runs in.
    :param shapes: the shapes of calls.
    :param inventory: the present state of discovery.
    :param record: the entry for the lists of records.
    """
    exports, known = {name: function}, weakref.ref(function)
    return Entry(
        *(inside, exports, known, False, frozenset(), shapes, (), inventory, None, (), record)
    )


def backend_entry(
    name: str,
    decision: Decision,
    options: frozenset[str],
    shapes: Mapping[Any, Any],
    asks: tuple[str, ...],
    moves_on: tuple[type[BaseException], ...],
    inside: State,
    inventory: Inventory,
    record: Record,
) -> Entry | None:
    """Make the entry of a call that a backend runs.

    :param name: the name of its export.
    :param decision: the decision for the call.
    :param options: the keywords that only the backend knows.
    :param shapes: by shape, how the arguments are passed.
    :param asks: the questions that the backend has to be asked.
    :param moves_on: the exceptions after which the next in line runs.
    :param inside: the state that its body runs in.
    :param inventory: the present state of discovery.
    :param record: the entry for the lists of records.
    :return: ``None`` if the export cannot be referred to weakly: it must not be kept alive.
    """
    backend, implementation = decision.backend, decision.implementation
    source: Any = None if backend is None else backend.source
    is_module = type(source) is types.ModuleType and name in vars(source)
    exports: Any = vars(source) if is_module else _Exports(source)
    try:
        known = weakref.ref(subject_of(implementation))
    except TypeError:
        return None
    is_method = type(implementation) is types.MethodType
    return Entry(
        *(inside, exports, known, is_method, options, shapes),
        *(moves_on, inventory, backend, asks, record),
    )


def subject_of(implementation: Any) -> Any:
    """The object that stands for an implementation: not a bound method, which dies at once."""
    if type(implementation) is types.MethodType:
        return implementation.__func__
    return implementation


class CallsByOwner:
    """The remembered calls of a function by ``"auto"``, for each owner of arguments.

    :param selector: the choices of the host.
    :param function: the name of the function.
    :param inventory: the state of discovery that they belong to.
    """

    __slots__ = (
        *("_declared", "_discovery", "_first_owner", "_function", "_owners", "calls"),
        *("inventory", "is_by_owner"),
    )

    def __init__(self, selector: Selector, function: str, inventory: Inventory) -> None:
        self.is_by_owner = True
        self.inventory = inventory
        self.calls: dict[Backend | None, Entry | None] = {}
        self._discovery = selector.discovery
        self._owners = selector.owners()
        self._function = function
        # Of entry points that a call with other arguments may need.
        self._declared = [
            entry.declared for entry in inventory.pending if entry.declared is not None
        ]
        # Asked before all else, unless a backend that is not loaded may come before it.
        self._first_owner = self._owners[0] if self._owners and not self._declared else None

    def by_owner(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Entry:
        """Get the remembered call of the first backend that owns an argument.

        :raises KeyError: if it has to be decided.
        """
        if self.inventory is not self._discovery.inventory:
            raise KeyError(self)
        values = (*args, *keywords.values()) if keywords else args
        owner = self._first_owner
        if owner is None or not owner.owned.one_of(values):
            owner = self._owner(values)
        remembered = self.calls[owner]
        if remembered is None:
            raise KeyError(self)
        return remembered

    def _owner(self, values: tuple[Any, ...]) -> Backend | None:
        """Find the first owner of arguments, or of their elements; ``None`` if there is none.

        :raises KeyError: if a backend that is not loaded may be the first.
        """
        for value in values:
            if isinstance(value, (list, tuple)):
                values = (*values, *value[:MOST_ELEMENTS])
        for declared in self._declared:
            if declared.may_answer(self._function, values):
                raise KeyError(self)
        for backend in self._owners:
            if backend.owned.one_of(values):
                return backend
        return None


class _Exports:
    """The exports of an object, by name."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __getitem__(self, name: str) -> Any:
        return getattr(self._source, name, None)
