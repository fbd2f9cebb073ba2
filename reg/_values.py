"""Plans in which values decide: behind the classes come the values of ``Literal``.

A plan for classes has a part for each combination of the values that are registered, made when it
is needed, and one for all other values. A call finds its part by one look-up for each position
that has values. So nothing is remembered of a value that is not registered.
"""

from __future__ import annotations

import operator

from ._refinements import RefinedMatcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from ._fastcall import Plan

__all__ = ["ValueChain", "plan_for"]

#: A value with its class, since ``True`` and ``1`` are equal; ``None`` for a value that is not
#: registered.
_ValueKey: TypeAlias = "tuple[type, Any] | None"


class ValueChain:
    """Candidates in order, some of which are registered for values.

    :param components: the components and matchers.
    :param make: makes the plan of the components that are left for some values.
    """

    __slots__ = ("_groups", "_keys", "_make", "_parts", "components")

    def __init__(
        self, components: tuple[Any, ...], make: Callable[[tuple[Any, ...]], Plan]
    ) -> None:
        self.components = components
        self._make = make
        # By position, class and value: the key of a value.
        self._keys: dict[int, dict[type, dict[Any, _ValueKey]]] = {}
        for component in components:
            for position, (cls, value) in _values_of(component).items():
                by_class = self._keys.setdefault(position, {})
                by_class.setdefault(cls, {})[value] = (cls, value)
        # By the value at the first of these positions: places of candidates.
        first = next(iter(self._keys))
        self._groups: dict[_ValueKey, list[int]] = {None: []}
        for index, component in enumerate(components):
            self._groups.setdefault(_values_of(component).get(first), []).append(index)
        self._parts: dict[tuple[_ValueKey, ...], Plan] = {}

    def part(self, args: tuple[Any, ...]) -> Plan:
        """Get the plan for the values among these arguments.

        :param args: the dispatch arguments.
        """
        values: list[_ValueKey] = []
        for position, by_class in self._keys.items():
            argument = args[position]
            known = by_class.get(argument.__class__)
            values.append(None if known is None else known.get(argument))
        key = tuple(values)
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = self._make(self._left_for(key))
        return part

    def caller(
        self, dispatched: Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...]] | None
    ) -> Callable[..., Any]:
        """Make the function that a call of the generic function calls."""
        part = self.part
        if len(self._keys) == 1 and dispatched is None:
            return self._caller_for_one()

        def call_part(*args: Any, **keywords: Any) -> Any:
            given = args if dispatched is None else dispatched(args, keywords)
            return part(given).call(*args, **keywords)

        return call_part

    def _caller_for_one(self) -> Callable[..., Any]:
        """Make the same function where there are values at one position only."""
        ((position, by_class),) = self._keys.items()
        parts, make, unknown = self._parts, self.part, (None,)
        keys = {cls: {value: (key,) for value, key in of.items()} for cls, of in by_class.items()}

        def call_part_of_one(*args: Any, **keywords: Any) -> Any:
            argument = args[position]
            known = keys.get(argument.__class__)
            part = parts.get(unknown if known is None else known.get(argument, unknown))
            if part is None:
                part = make(args)
            return part.call(*args, **keywords)

        return call_part_of_one

    def _left_for(self, key: tuple[_ValueKey, ...]) -> tuple[Any, ...]:
        """List the candidates for these values, without the question for the values."""
        values = dict(zip(self._keys, key, strict=True))
        places = self._groups[None] if key[0] is None else self._groups[None] + self._groups[key[0]]
        left = []
        for component in map(self.components.__getitem__, sorted(places)):
            wanted = _values_of(component)
            if all(map(operator.eq, wanted.values(), map(values.__getitem__, wanted))):
                left.append(component.without_values() if wanted else component)
        return tuple(left)


def _values_of(component: Any) -> dict[int, tuple[type, Any]]:
    """The values that a candidate is registered for, with their classes, by position."""
    return component.values if isinstance(component, RefinedMatcher) else {}


def plan_for(plan: Plan, args: tuple[Any, ...]) -> Plan:
    """Return the part of a plan for these dispatch arguments, where values decide; or the plan."""
    return plan.chain.part(args) if isinstance(plan.chain, ValueChain) else plan
