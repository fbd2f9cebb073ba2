"""Class lookups made of class lookups, changed while they are asked."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

import reg

from . import model
from .changing_classes import ChangingClassesMachine
from .figures import explore
from .machine import INDEX


class ThirdParty:
    """A class lookup of which nothing is known but its two methods: here and in the model."""

    def __init__(self, part):
        self.part = part

    def all(self, key, classes):
        return self.part.all(key, classes)

    def get(self, key, classes):
        return self.part.get(key, classes)

    def misfits(self, key, classes):
        return []


class CompositionMachine(ChangingClassesMachine):
    """Lists, chains and caches are composed otherwise, from outside and from inside."""

    shapes = ("one", "two", "many", "with keyword")
    remembered_questions = 3
    #: the lists of merged registries, here and there, and the levels that may be put into them
    merged: ClassVar[list] = []

    def compose(self):
        # Lists that were passed in stay ours to change.
        self.lists = []
        self.add_changing_list([0, 1])
        self.add_chain(2, 3)
        self.add_caching(4)
        self.add_changing_list([4, 1])
        self.add_chain(3, 2)
        self.add(*(ThirdParty(part) for part in self.lookups[3]))
        self.add_changing_list([6, 7])
        self.add_caching(9)
        self.add_chain(6, 10)
        # Of registries alone: some are in the list from the beginning, as a lookup, or merged.
        self.merged = []
        self.add_merged([0, 1])
        self.add_merged([2, len(self.lookups) - 1])
        self.add_list([4, len(self.lookups) - 1])

    def add_merged(self, levels):
        real = [self.over[level] if level % 2 else self.lookups[level][0] for level in levels]
        expected = [self.lookups[level][1] for level in levels]
        self.merged.append((real, expected, levels))
        self.add(reg.MergedClassLookup(real), model.Merged(expected))

    @precondition(lambda self: self.merged)
    @rule(which=INDEX, numbers=st.lists(INDEX, max_size=3))
    def change_a_merged_list_in_place(self, which, numbers):
        real, expected, levels = self.pick_from(self.merged, which)
        levels = [*range(len(self.registries)), *levels]
        parts = [self.pick_from(levels, number) for number in numbers]
        real[:] = [self.over[each] if each % 2 else self.lookups[each][0] for each in parts]
        expected[:] = [self.lookups[each][1] for each in parts]

    def add_changing_list(self, levels):
        level = len(self.lookups)
        self.lists.append((*self.add_list(levels), level))

    def add_chain(self, first, second):
        expected = model.Composition([self.lookups[first][1], self.lookups[second][1]])
        self.add(reg.ChainClassLookup(self.lookups[first][0], self.over[second]), expected)

    def add_caching(self, level):
        real, expected = self.lookups[level]
        self.add(reg.CachingClassLookup(real), model.Caching(expected))

    def parts(self, numbers, level):
        """Class lookups for one at a level, and the model's."""
        levels = [number % level for number in numbers]
        # A lookup stands for its class lookup.
        real = [
            self.over[each] if number % 2 else self.lookups[each][0]
            for number, each in zip(numbers, levels, strict=True)
        ]
        return real, [self.lookups[each][1] for each in levels]

    @rule(which=INDEX, numbers=st.lists(INDEX, max_size=3))
    def change_a_list_in_place(self, which, numbers):
        real, expected, level = self.pick_from(self.lists, which)
        real[:], expected[:] = self.parts(numbers, level)

    @rule(which=INDEX)
    def reverse_a_list_in_place(self, which):
        real, expected, _ = self.pick_from(self.lists, which)
        real.reverse()
        expected.reverse()

    @rule(
        which=INDEX, numbers=st.lists(INDEX, max_size=3), container=st.sampled_from([list, tuple])
    )
    def assign_another_list(self, which, numbers, container):
        number = which % len(self.lists)
        _, _, level = self.lists[number]
        parts, expected_parts = self.parts(numbers, level)
        real, expected = self.lookups[level]
        real.lookups, expected.parts = container(parts), expected_parts
        if container is list:
            self.lists[number] = (real.lookups, expected_parts, level)
        else:
            # Only the composition counts from now on, no more the list it had.
            self.lists[number] = ([], [], level)

    def levels_of(self, kind):
        return [level for level, (real, _) in enumerate(self.lookups) if isinstance(real, kind)]

    @rule(which=INDEX, number=INDEX, second=st.booleans())
    def change_a_chain(self, which, number, second):
        level = self.pick_from(self.levels_of(reg.ChainClassLookup), which)
        real, expected = self.lookups[level]
        (new,), (expected_new,) = self.parts([number], level)
        setattr(real, "next" if second else "lookup", new)
        lookup, next = expected.parts
        expected.parts = [lookup, expected_new] if second else [expected_new, next]

    @rule(which=INDEX, number=INDEX)
    def keep_the_answers_of_another(self, which, number):
        level = self.pick_from(self.levels_of(reg.CachingClassLookup), which)
        real, expected = self.lookups[level]
        (real.class_lookup,), (expected.part,) = self.parts([number], level)

    @rule(which=INDEX)
    def clear_a_cache(self, which):
        for each in self.lookups[self.pick_from(self.levels_of(reg.CachingClassLookup), which)]:
            each.clear()

    @rule(which=INDEX, number=INDEX)
    def ask_another_class_lookup(self, which, number):
        """Give a lookup another class lookup, and put it back: it has to notice twice."""
        level = 1 + which % (len(self.over) - 1)
        lookup, before = self.over[level], self.over[level].class_lookup
        lookup.class_lookup = self.lookups[number % level][0]
        # For a class that is asked for nowhere else, since some may keep the answer.
        self.outcome(lambda: lookup.all(self.keys[0].generic, [b""]))
        lookup.class_lookup = before


def test_compositions_agree_with_the_model():
    explore(CompositionMachine, examples=7)
