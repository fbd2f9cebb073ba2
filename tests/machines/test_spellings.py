"""A call spelled by position, by name, with and without defaults, gives one answer.

Where nothing is registered for the number of positional arguments, the call is bound to the
signature. So all spellings of the same arguments find the same, for calls, ``component``, ``all``
and ``explain``, through every kind of lookup, at the first call and at later ones.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import reg

from . import model
from .figures import DONE, explore
from .functions import DEFAULT, function_with
from .machine import INDEX


class Animal: ...


class Cat(Animal): ...


ARGUMENTS = [Animal(), Cat(), DEFAULT]
CLASSES = [object, Animal, Cat, int]


class Signature(NamedTuple):
    """The parameters of a generic function, all of which dispatch."""

    names: str
    #: how many of them can only be passed by position
    positional_only: int
    #: how many of the last ones have a default, which is ``DEFAULT``
    defaults: int

    @property
    def text(self):
        optional = len(self.names) - self.defaults
        parameters = [
            name if index < optional else f"{name}=DEFAULT" for index, name in enumerate(self.names)
        ]
        if self.positional_only:
            parameters.insert(self.positional_only, "/")
        return ", ".join([*parameters, "*", "note='own'"])

    def spellings(self, arguments):
        """All ways to pass these arguments: by position or by name, or left to their default."""
        for split in range(self.positional_only, len(self.names) + 1):
            named = dict(zip(self.names[split:], arguments[split:], strict=True))
            by_default = [
                name
                for name, value in named.items()
                if value is DEFAULT and self.names.index(name) >= len(self.names) - self.defaults
            ]
            for count in range(len(by_default) + 1):
                for left_out in itertools.combinations(by_default, count):
                    kept = [name for name in named if name not in left_out]
                    for order in (kept, kept[::-1]):
                        yield arguments[:split], {name: named[name] for name in order}
        # Positional-only parameters may be left to their defaults too, from the last one on.
        for split in range(self.positional_only):
            if split >= len(self.names) - self.defaults and all(
                value is DEFAULT for value in arguments[split:]
            ):
                yield arguments[:split], {}


SIGNATURES = [
    Signature("a", 0, 0),
    Signature("a", 0, 1),
    Signature("ab", 0, 0),
    Signature("ab", 0, 1),
    Signature("ab", 1, 1),
    Signature("ab", 2, 2),
    Signature("abc", 0, 2),
    Signature("abc", 1, 3),
]


class ThirdParty:
    """A class lookup of which nothing is known but its methods."""

    def __init__(self, registry):
        self._registry = registry

    def all(self, key, classes):
        return iter(self._registry.all(key, classes))

    def get(self, key, classes):
        return self._registry.get(key, classes)


class SpellingsMachine(RuleBasedStateMachine):
    """Registers for any number of classes, and asks with every spelling after each step."""

    @initialize(signature=st.sampled_from(SIGNATURES))
    def begin(self, signature):
        self.figures = DONE.setdefault(type(self).__name__, Counter())
        self.figures["examples"] += 1
        self.signature = signature
        self.generic = reg.generic(self.returning("fallback"))
        self.registry, self.expected = reg.ClassRegistry(), model.Registry(True)
        self.numbers = itertools.count()
        self.step = 0
        self.lookups = [
            reg.Lookup(self.registry),
            reg.Lookup(reg.ListClassLookup([reg.ClassRegistry(), self.registry])),
            reg.Lookup(ThirdParty(self.registry)),
        ]

    def returning(self, answer):
        return function_with(
            self.signature.text,
            lambda received: (answer, {name: received[name] for name in self.signature.names}),
        )

    @rule(count=st.sampled_from([None, None, None, 0, 1, 2, 3]), indexes=st.lists(INDEX))
    def register(self, count, indexes):
        """Register for all parameters, or for another number of arguments."""
        count = len(self.signature.names) if count is None else count
        indexes = [*indexes, 1, 1, 1]
        classes = tuple(CLASSES[index % len(CLASSES)] for index in indexes[:count])
        answer = next(self.numbers)
        if count == len(self.signature.names):
            component = self.returning(answer)
        else:

            def component(*args, note="own", **keywords):
                return answer, args, keywords

        self.registry.register(self.generic, classes, component)
        self.expected.register(self.generic, classes, component)

    @rule(number=INDEX)
    def unregister(self, number):
        if self.expected.registered:
            classes = self.expected.registered[number % len(self.expected.registered)][1]
            self.registry.unregister(self.generic, classes)
            self.expected.unregister(self.generic, classes)

    def is_bound(self, args, lookup):
        """The rule itself; a third-party class lookup answers for classes only."""
        if lookup is self.lookups[-1]:
            return not self.components(args)
        return len(args) not in {len(entry[1]) for entry in self.expected.registered}

    def components(self, arguments):
        return self.expected.all(self.generic, tuple(type(each) for each in arguments))

    def dispatched(self, args, keywords, lookup):
        """The arguments that dispatch, and the call of an implementation."""
        if not self.is_bound(args, lookup):
            return args, args, keywords
        names = self.signature.names
        values = dict.fromkeys(names, DEFAULT) | dict(zip(names, args, strict=False)) | keywords
        bound = tuple(values[name] for name in names)
        return bound, bound, {}

    @invariant()
    def every_spelling_gives_the_answer_of_the_rule(self):
        self.figures["steps"] += 1
        self.step += 1
        arguments = itertools.product(ARGUMENTS, repeat=len(self.signature.names))
        for turn, values in enumerate(arguments):
            for args, keywords in self.signature.spellings(values):
                # A lookup is cold after each step, and warm for the spellings that follow.
                self.agree(args, keywords, self.lookups[(turn + self.step) % 3])

    def agree(self, args, keywords, lookup):
        self.figures["comparisons"] += 1
        dispatched, called_args, called_keywords = self.dispatched(args, keywords, lookup)
        components = self.components(dispatched)
        first = components[0] if components else None
        end = first or self.generic.__wrapped__
        generic, spelled = self.generic, f"{args} {keywords}"
        expected = end(*called_args, **called_keywords)
        assert generic(*args, **keywords, lookup=lookup) == expected, spelled
        with reg.implicit.using(lookup):
            assert generic(*args, **keywords) == expected, spelled
        with_default = generic(*args, **keywords, lookup=lookup, default="default")
        assert with_default == (expected if first else "default"), spelled
        assert generic.component(*args, **keywords, lookup=lookup, default=None) is first, spelled
        assert list(generic.all(*args, **keywords, lookup=lookup)) == components, spelled
        if lookup is not self.lookups[-1] or len(args) == len(self.signature.names):
            explained = generic.explain(*args, **keywords, lookup=lookup)
            assert explained.component is first, spelled
            assert [each.component for each in explained.candidates] == components, spelled
        assert lookup.component(generic, dispatched, None) is first
        assert list(lookup.all(generic, dispatched)) == components


def test_every_spelling_of_a_call_gives_one_answer():
    explore(SpellingsMachine, examples=25, steps=8)
