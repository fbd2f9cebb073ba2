"""Calls in threads while other threads change all that they depend on.

``python -m tests.stress`` runs for ``REG_SOAK`` seconds. Each answer has to be one that was right
at some moment of its call. So each change is noted before it begins and after it is done.
"""

from __future__ import annotations

import abc
import faulthandler
import functools
import gc
import itertools
import random
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import reg

from .soak import PATIENCE, SOAK, for_a_while

#: the number of former values that a :class:`History` knows
_KNOWN = 2_000


class Animal:
    kind = "wild"


class Cat(Animal): ...


class Shape(abc.ABC): ...


class History:
    """The values that one thread has assigned, in the order of time."""

    def __init__(self, value: Any) -> None:
        self._values = {0: value}
        self._begun = self._done = 0

    def change(self, value: Any, make: Callable[[], Any]) -> None:
        self._values[self._begun + 1] = value
        self._values.pop(self._begun - _KNOWN, None)
        self._begun += 1
        make()
        self._done = self._begun

    def now(self) -> int:
        """The moment before a call, for :meth:`since`."""
        return self._done

    def since(self, moment: int) -> set[Any] | None:
        """The values since that moment; ``None`` if these are too many."""
        until = self._begun
        if until - moment > _KNOWN // 2:
            return None
        return {self._values[index] for index in range(moment, until + 1)}


def answering(answer: Any) -> Callable[..., Any]:
    """Make an implementation."""
    return lambda *things: answer


def kind_of(thing: Animal) -> str:
    return thing.kind


class Stress:
    """Registries, their implementations, and threads that call and change them."""

    def __init__(self) -> None:
        self.calls = 0
        self.errors: list[BaseException] = []
        self.over = False
        self.numbers = itertools.count()
        self.size = reg.generic(_fallback)
        self.next_size = reg.generic(_fallback)
        self.pair = reg.generic(_fallback)
        self.by_kind = reg.generic(_fallback)
        self.area = reg.generic(_fallback)
        self.registries = {name: reg.Registry(name=name) for name in ("front", "back")}
        front, back = self.registries.values()
        self.parts = [front, back]
        self.lookups: dict[str, Any] = {
            "front": front,
            "back": back,
            "chain": reg.Lookup(reg.ChainClassLookup(front, back)),
            "list": reg.Lookup(reg.ListClassLookup(self.parts)),
        }
        #: the answer of the implementation for animals in each registry; ``None`` without one
        self.registered = {name: History(None) for name in self.registries}
        #: the names of the registries in the list
        self.listed = History(("front", "back"))
        self.base = History("front")
        self.by_value = History("first")
        self.matcher = self.matcher_for("first")
        reg.implicit.initialize(front)
        front.register(self.pair, [Animal, Animal], answering("animals"))
        front.register(self.pair, [Cat, object], answering("cat"))
        front.register(self.by_kind, [Animal], self.matcher)
        front.register(self.area, [Shape], answering("area"))
        for lookup in (front, back):
            lookup.register(self.next_size, [Animal], answering("animal"))
        front.register(self.next_size, [Cat], lambda thing, call_next: ("cat", call_next()))

    @staticmethod
    def matcher_for(answer: str) -> reg.PredicateMatcher:
        matcher = reg.PredicateMatcher([reg.Predicate("kind", reg.KeyIndex, kind_of)])
        matcher.register({"kind": "wild"}, answering(answer))
        return matcher

    def names_of(self, lookup: str, listed: tuple[str, ...]) -> tuple[str, ...]:
        """The names of the registries that a lookup asks, in order."""
        return {"chain": ("front", "back"), "list": listed}.get(lookup, (lookup,))

    # -- Changes

    def registering(self, name: str) -> Iterator[int]:
        registry, history = self.registries[name], self.registered[name]
        while True:
            for _ in range(random.randrange(1, 5)):
                answer = (name, next(self.numbers))
                register = functools.partial(
                    registry.register, self.size, [Animal], answering(answer)
                )
                history.change(answer, register)
                yield 0
            history.change(None, lambda: registry.unregister(self.size, [Animal]))
            yield 0

    def listing(self) -> Iterator[int]:
        """Change the list in place, in all ways in which a list is changed."""
        parts = self.parts
        front, back = self.registries.values()

        def replace_all() -> None:
            parts[:] = [front]

        def replace_one() -> None:
            parts[0] = back

        while True:
            for value, change in (
                (("back", "front"), parts.reverse),
                (("back",), parts.pop),
                (("back", "front"), lambda: parts.append(front)),
                ((), parts.clear),
                (("front", "back"), lambda: parts.extend([front, back])),
                (("front",), replace_all),
                (("back",), replace_one),
                (("front", "back"), lambda: parts.insert(0, front)),
            ):
                self.listed.change(value, change)
                yield 0
            # An array of another size, and back.
            parts.extend([front, back] * 20)
            del parts[2:]
            yield 0

    def composing(self) -> Iterator[int]:
        """Compose lookups out of the same registries, and drop them."""
        front, back = self.registries.values()
        while True:
            chain = reg.ChainClassLookup(front, front)
            lookup = reg.Lookup(chain)
            assert self.pair(Cat(), Cat(), lookup=back) == "fallback"
            assert self.pair(Cat(), Cat(), lookup=lookup) == "cat"
            chain.lookup = chain.next = reg.Registry()
            assert self.pair(Cat(), Cat(), lookup=lookup) == "fallback"
            chain.next = front
            assert self.pair(Cat(), 1, lookup=lookup) == "cat"
            yield 4

    def initializing(self) -> Iterator[int]:
        while True:
            for name in ("back", "chain", "list", "front"):
                initialize = functools.partial(reg.implicit.initialize, self.lookups[name])
                self.base.change(name, initialize)
                yield 0

    def deciding(self) -> Iterator[int]:
        """Give the matcher of predicates another registry, which answers something else."""
        while True:
            for answer in ("second", "third", "first"):
                registry = self.matcher_for(answer).registry
                self.by_value.change(
                    answer, functools.partial(setattr, self.matcher, "registry", registry)
                )
                self.matcher.register({"kind": str(next(self.numbers) % 50)}, answering("other"))
                yield 0

    def dropping(self) -> Iterator[int]:
        """Make classes, give them other bases, and drop them; and collect."""
        front = self.registries["front"]
        while True:
            classes = [type("Kitten", (Cat,), {}) for _ in range(5)]
            for cls in classes:
                assert self.pair(cls(), 1, lookup=front) == "cat"
                shape = type("Round", (), {})
                assert self.area(shape(), lookup=front) == "fallback"
                Shape.register(shape)
                assert self.area(shape(), lookup=front) == "area"
                front.register(self.pair, [cls, int], answering("kitten"))
                assert self.pair(cls(), 1, lookup=front) == "kitten"
                front.unregister(self.pair, [cls, int])
                if reg.build.name == "C":
                    # The pure-Python build notices that at the next change of a registry.
                    cls.__bases__ = (Animal,)
                    assert self.pair(cls(), 1, lookup=front) == "fallback"
            del cls, classes, shape
            yield 20
            # A collection stops all threads, which have to get on in between.
            if random.randrange(10) == 0:
                gc.collect()

    # -- Calls

    def check_size(self, lookups: History | str, thing: Animal, **keywords: Any) -> int:
        """Call, and compare the answer with those that were right meanwhile.

        :return: how many calls were made.
        """
        histories = [*self.registered.values(), self.listed]
        moments = [history.now() for history in histories]
        moment = 0 if isinstance(lookups, str) else lookups.now()
        answer = self.size(thing, **keywords)
        sets = [history.since(at) for history, at in zip(histories, moments, strict=True)]
        names = {lookups} if isinstance(lookups, str) else lookups.since(moment)
        if names is None or None in sets:
            return 1
        *registered, listings = sets
        by_name = dict(zip(self.registered, registered, strict=True))
        right = set()
        for name, listing in itertools.product(names, listings or ()):
            right |= self.answers_of(self.names_of(name, listing), by_name)
        if answer not in right:
            raise AssertionError(f"got {answer!r} through {names!r}, expected one of {right!r}")
        return 1

    def answers_of(self, names: tuple[str, ...], by_name: dict[str, Any]) -> set[Any]:
        right: set[Any] = set()
        for name in names:
            right |= by_name[name] - {None}
            if None not in by_name[name]:
                return right
        return right | {"fallback"}

    def calling(self) -> Iterator[int]:
        things: list[Any] = [Animal(), Cat()]
        for turn in itertools.count():
            if turn % 50 == 0:
                things[2:] = [type("Kitten", (Cat,), {})()]
            for thing in things:
                made = 0
                for name, lookup in self.lookups.items():
                    for _ in range(3):
                        made += self.check_size(name, thing, lookup=lookup)
                    with reg.implicit.using(lookup):
                        made += self.check_size(name, thing)
                        made += self.check_size(name, thing)
                    reg.implicit.lookup = lookup
                    made += self.check_size(name, thing)
                    made += self.check_size(name, thing, default="fallback")
                    reg.implicit.reset()
                made += self.check_size(self.base, thing)
                made += self.check_size(self.base, thing)
                made += self.check_others(thing)
                yield made

    def check_others(self, thing: Any) -> int:
        """Call by predicates, ``call_next`` and two arguments, and compare the answers.

        :return: how many calls were made.
        """
        front, back = self.lookups["front"], self.lookups["back"]
        moment = self.by_value.now()
        answer = self.by_kind(thing, lookup=front)
        right = self.by_value.since(moment)
        if right is not None and answer not in right:
            raise AssertionError(f"got {answer!r} by predicates, expected one of {right!r}")
        is_cat = isinstance(thing, Cat)
        with reg.implicit.using(front):
            nexts = self.next_size(thing), self.pair(thing, 1), self.pair(thing, thing)
        expected = (
            ("cat", "animal") if is_cat else "animal",
            "cat" if is_cat else "fallback",
            "cat" if is_cat else "animals",
        )
        assert nexts == expected, (nexts, expected)
        assert self.next_size(thing, lookup=back) == "animal"
        assert self.next_size.component(1, default=None, lookup=front) is None
        return 6

    # -- Threads

    def run(self, seconds: float, share: float) -> None:
        """Run all threads at once for some seconds, and raise the first error of any of them."""
        changes: list[Iterator[int]] = [
            self.registering("front"),
            self.registering("back"),
            self.listing(),
            self.composing(),
            self.initializing(),
            self.deciding(),
            self.dropping(),
            *[itertools.repeat(0)] * 3,
        ]
        threads = [threading.Thread(target=self.repeat, args=(changing,)) for changing in changes]
        for thread in threads:
            thread.start()
        for _ in for_a_while(seconds, share):
            if self.errors:
                break
            threads[0].join(0.05)
        self.over = True
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), f"{thread} does not end"
        reg.implicit.initialize(None)
        if self.errors:
            raise self.errors[0]

    def repeat(self, changes: Iterator[int]) -> None:
        """Call until all is over, with some changes in between."""
        counted = 0
        calls = self.calling()
        try:
            while not self.over and not self.errors:
                counted += next(changes)
                for _ in range(random.randrange(4)):
                    counted += next(calls)
        except BaseException as error:
            self.errors.append(error)
        with _counting:
            self.calls += counted


_counting = threading.Lock()


def _fallback(*things: Any) -> Any:
    return "fallback"


def main() -> None:
    """Run for ``REG_SOAK`` seconds, and print how many calls were made."""
    faulthandler.dump_traceback_later(SOAK + PATIENCE, exit=True)
    stress = Stress()
    try:
        stress.run(1.0, share=1.0)
    except BaseException:
        traceback.print_exc()
        sys.exit(f"failed after {stress.calls} calls, in the {reg.build}")
    print(f"{stress.calls} calls, none wrong, in the {reg.build}")


if __name__ == "__main__":
    main()
