"""The dispatch core again: slow, and so short that one can see that it is right.

Nothing is remembered, nothing is skipped: each look-up walks the whole product
of the MROs and compares every combination with everything registered.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import weakref


class Component:
    """What is registered: ``kind`` says how it takes part in a call.

    ``plain`` ends a call, ``next`` calls the next one as well, ``matcher``
    stands for a plain one, ``silent`` is a matcher that answers ``None``.
    """

    def __init__(self, name, kind):
        self.name = name
        self.kind = kind

    def __repr__(self):
        return f"<{self.kind} {self.name}>"


def order_of(cls, registered):
    """The MRO with the abstract classes among the registered ones, as singledispatch has it."""
    mro = inspect.getmro(cls)
    virtual = [each for each in registered if each not in mro and issubclass(cls, each)]
    if not virtual:
        return list(mro)
    try:
        return functools._compose_mro(cls, registered)
    except RuntimeError:
        # The classes contradict each other: those that are not in the MRO come before object.
        virtual = [each for each in virtual if is_abstract(each)]
        return [*mro[:-1], *virtual, mro[-1]]


def is_abstract(cls):
    return hasattr(cls, "__abstractmethods__")


class Registry:
    def __init__(self):
        self.clear()

    def clear(self):
        self.registered = []
        self.positions = {}

    def register(self, key, classes, component):
        for entry in self.registered:
            if entry[:2] == [key, classes]:
                entry[2] = component
                return
        self.registered.append([key, classes, component])
        self._note_positions(key, len(classes))

    def unregister(self, key, classes):
        self.registered = [entry for entry in self.registered if entry[:2] != [key, classes]]
        self._note_positions(key, len(classes))

    def _note_positions(self, key, arity):
        """Keep for how long each class has been registered at each position."""
        noted = self.positions.get((key, arity), [[] for _ in range(arity)])
        entries = [entry for entry in self.registered if self._concerns(entry, key, arity)]
        for position, known in enumerate(noted):
            now = [classes[position] for _, classes, _ in entries]
            known[:] = [cls for cls in known if cls in now]
            known += [cls for cls in dict.fromkeys(now) if cls not in known]
        self.positions[key, arity] = noted

    @staticmethod
    def _concerns(entry, key, arity):
        return entry[0] == key and len(entry[1]) == arity

    def exact(self, key, classes):
        found = [entry[2] for entry in self.registered if entry[:2] == [key, classes]]
        return found[0] if found else None

    def all(self, key, classes):
        noted = self.positions.get((key, len(classes)), [[] for _ in classes])
        orders = [order_of(cls, known) for cls, known in zip(classes, noted, strict=True)]
        found = [self.exact(key, combination) for combination in itertools.product(*orders)]
        return [component for component in found if component is not None]

    def get(self, key, classes):
        return next(iter(self.all(key, classes)), None)


class Composition:
    """Both a list and a chain."""

    def __init__(self, parts):
        self.parts = parts

    def all(self, key, classes):
        return [component for part in self.parts for component in part.all(key, classes)]

    def get(self, key, classes):
        for part in self.parts:
            found = part.get(key, classes)
            if found is not None:
                return found
        return None


class Caching:
    def __init__(self, part):
        self.part = part
        self.clear()

    def clear(self):
        self.memory = []

    def all(self, key, classes):
        return self._answer("all", key, classes)

    def get(self, key, classes):
        return self._answer("get", key, classes)

    def _answer(self, method, key, classes):
        for known_method, known_key, references, answer in self.memory:
            known = tuple(reference() for reference in references)
            if (known_method, known_key, known) == (method, key, classes):
                return answer
        answer = getattr(self.part, method)(key, classes)
        self.memory.append((method, key, [weakref.ref(cls) for cls in classes], answer))
        return answer


def resolved(components):
    """What a lookup makes of what it found: matchers that say nothing are passed over."""
    return [component for component in components if component.kind != "silent"]


def called(components):
    """The names of those who take part in a call, in order."""
    names = []
    for component in resolved(components):
        names.append(component.name)
        if component.kind != "next":
            return names
    return [*names, "fallback"]


class Predicates:
    """A predicate registry that tries every combination of values and ANY."""

    def __init__(self, names, any_value):
        self.names = names
        self.any = any_value
        self.entries = []

    def register(self, predicates, value):
        self.entries.append(([predicates.get(name, self.any) for name in self.names], value))

    def get(self, predicates):
        """All values under the first full key that has any."""
        choices = [
            [self.any] if predicates[name] is self.any else [predicates[name], self.any]
            for name in self.names
        ]
        for keys in itertools.product(*choices):
            found = [value for registered, value in self.entries if registered == list(keys)]
            if found:
                return found
        return []
