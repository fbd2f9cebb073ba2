"""The changes of classes while calls dispatch on them."""

from __future__ import annotations

import abc
import contextlib
import functools
import gc
import itertools
import operator
import sys
import sysconfig
import types
import weakref

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

import reg
from reg._fastcall import compiled

from .classes import KINDS, METHODS, Ordering, make_class, register_virtual
from .machine import INDEX, Drawn, Machine

MOST_CLASSES = 13
# In free-threaded builds of 3.13, classes are immortal as soon as a thread was started.
CLASSES_DIE = not sysconfig.get_config_var("Py_GIL_DISABLED") or sys.version_info >= (3, 14)
PLAIN = Drawn("plain", False, False, [])


class Unasked:
    """A class that no question is about."""


class ChangingClassesMachine(Machine):
    """Classes are made, become virtual subclasses, change their bases, and die."""

    def __init__(self):
        super().__init__()
        for kind in ("plain", "plain", "abstract", "abstract", "protocol"):
            self.classes.append(make_class(f"C{next(self.names)}", (self.root,), kind))
        self.classes.append(make_class("Ordered", (self.classes[4], self.classes[3]), "ordered"))
        register_virtual(self.classes[5], self.classes[-1])
        self.put_back.callback(setattr, Ordering, "reverses", Ordering.reverses)
        self.put_back.callback(setattr, Ordering, "adopts", Ordering.adopts)

    @rule(
        bases=st.lists(INDEX, max_size=3),
        kind=st.sampled_from(sorted(KINDS)),
        methods=st.lists(st.sampled_from(METHODS), max_size=2, unique=True),
    )
    def add_class(self, bases, kind, methods):
        if len(self.classes) < MOST_CLASSES:
            chosen = tuple(cls for cls in dict.fromkeys(self.pick(bases)) if cls is not object)
            cls = make_class(f"C{next(self.names)}", chosen or (self.root,), kind, methods)
            if cls is not None:
                self.classes.append(cls)

    @rule(base=INDEX, cls=INDEX)
    def add_virtual_subclass(self, base, cls):
        bases = [each for each in self.registered() if isinstance(each, abc.ABCMeta)]
        bases += [each for each in self.classes if isinstance(each, abc.ABCMeta)]
        if bases:
            asked = [each for _, classes in self.questions for each in classes] or self.classes
            base, cls = self.pick_from(bases, base), self.pick_from(asked, cls)
            # Bases come from among the earlier classes: an earlier one must not become
            # a subclass, or issubclass() would go round in circles.
            order = [*self.classes, base, cls]
            if not isinstance(cls, abc.ABCMeta) or order.index(base) < order.index(cls):
                register_virtual(base, cls)

    def registered(self):
        """Every class that something is registered for, with the other members of its union."""
        entries = [entry for _, expected in self.registries for entry in expected.registered]
        return [
            cls
            for _, classes, _, unions in entries
            for cls in itertools.chain(classes, *(union or () for union in unions))
        ]

    @rule(cls=INDEX, bases=st.lists(INDEX, min_size=1, max_size=2), registry=INDEX)
    def change_bases(self, cls, bases, registry):
        asked = [each for _, classes in self.questions for each in classes]
        asked += self.registered()
        choices = [each for each in self.classes[4:] if each in asked] or self.classes[4:]
        changed = self.pick_from(choices, cls)
        earlier = self.classes[1 : self.classes.index(changed)]
        earlier = [each for each in earlier if each in self.registered()] or earlier
        chosen = tuple(dict.fromkeys(self.pick_from(earlier, index) for index in bases))
        try:
            changed.__bases__ = chosen
        except TypeError:
            return  # They have no common order, or another layout.
        if not compiled:
            self.have_changed_bases_noticed(registry)

    @rule(cls=INDEX, reverses=st.booleans(), adopts=st.booleans(), registry=INDEX)
    def change_order(self, cls, reverses, adopts, registry):
        """Have a class find out its MRO anew, which its metaclass makes another one."""
        ordered = [each for each in self.classes if isinstance(each, Ordering)]
        if ordered:
            Ordering.reverses, Ordering.adopts = reverses, adopts
            changed = self.pick_from(ordered, cls)
            with contextlib.suppress(TypeError):  # Its subclasses have no common order.
                changed.__bases__ = changed.__bases__
            if not compiled:
                self.have_changed_bases_noticed(registry)

    def have_changed_bases_noticed(self, registry):
        """Without C, that is at the latest with the next registration in one that is asked."""
        for lookup in self.over:
            leaves = list(self.leaves(lookup.class_lookup))
            if leaves:
                # Under a key that stands for nothing that is equal to it.
                self.pick_from(leaves, registry).register(object(), [object], "component")

    def leaves(self, real):
        """The registries that answer, and not through something that keeps its answers."""
        if isinstance(real, reg.ClassRegistry):
            yield real
        elif isinstance(real, reg.Lookup):
            yield from self.leaves(real.class_lookup)
        elif isinstance(real, reg.ListClassLookup):
            for part in real.lookups:
                yield from self.leaves(part)
        elif isinstance(real, reg.ChainClassLookup):
            yield from self.leaves(real.lookup)
            yield from self.leaves(real.next)

    @precondition(lambda self: CLASSES_DIE)
    @rule(cls=INDEX, bases=st.lists(INDEX, min_size=1, max_size=2))
    def drop_class(self, cls, bases):
        """Let a class die, and ask for another in its place, which may get its address."""
        asked = {each for _, classes in self.questions for each in classes}
        choices = [each for each in self.classes[4:] if each in asked] or self.classes[4:]
        index = self.classes.index(self.pick_from(choices, cls))
        dropped = weakref.ref(self.classes.pop(index))
        questions = [
            (key, [weakref.ref(each) for each in each_of]) for key, each_of in self.questions
        ]
        self.questions = []
        self.log.clear()
        del asked, choices
        gc.collect()
        if self.is_cached_for_its_module(dropped()):
            self.invalidate({key.generic for key, _ in questions})
            gc.collect()
        # Only registrations and subclasses may keep it alive.
        assert dropped() is None or dropped() in self.registered() or dropped().__subclasses__()
        chosen = tuple(dict.fromkeys(self.pick_from(self.classes[1:index], each) for each in bases))
        name = f"C{next(self.names)}"
        new = make_class(name, chosen) or make_class(name, (self.root,))
        self.classes.insert(index, new)
        for key, references in questions:
            classes = [reference() for reference in references]
            self.questions.append((key, tuple(new if each is None else each for each in classes)))

    def is_cached_for_its_module(self, cls):
        """Whether the cache may keep a class alive until something is registered."""
        return False

    def invalidate(self, generics):
        """Drop what is cached, by registrations that come and go."""
        for generic in generics:
            for real, _ in self.registries:
                real.register(generic, [Unasked], lambda thing: None)
                real.unregister(generic, [Unasked])

    @rule(registry=INDEX, number=INDEX, indexes=st.lists(INDEX, min_size=2, max_size=3))
    def register_union(self, registry, number, indexes):
        key, classes = self.question(number, indexes)
        if classes:
            alternatives, combinations = self.union(indexes, classes[1:])
            real, expected = self.pick_from(self.registries, registry)
            component = self.make_function(key, PLAIN)
            self.same(
                lambda: real.register(key.generic, alternatives, self.real_of[component]),
                lambda: expected.register_each(key.generic, combinations, component),
            )

    def union(self, indexes, others):
        """A union in front of other classes, and the combinations that it stands for."""
        union = functools.reduce(operator.or_, (*self.pick(indexes), None))
        alternatives = dict.fromkeys((*self.pick(indexes), types.NoneType))
        return [union, *others], [(each, *others) for each in alternatives]
