"""Classes that are registered by name, while modules are loaded, reloaded and removed."""

from __future__ import annotations

import abc
import contextlib
import gc
import sys
import types

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from reg._fastcall import compiled

from . import model
from .changing_classes import MOST_CLASSES, PLAIN, ChangingClassesMachine
from .classes import KINDS, METHODS, make_class, register_virtual
from .figures import explore
from .machine import INDEX

MODULES = ("_library_of_shapes", "_library_of_shapes.more")
NAMES = [
    "_library_of_shapes:Shape",
    "_library_of_shapes:Holder.Circle",
    "_library_of_shapes.more:Shape",
]
MOST_CLASSES_AND_OLD_ONES = MOST_CLASSES + 6


def new_module(name):
    module = types.ModuleType(name)
    module.Holder = type("Holder", (), {"__module__": name})
    return module


class NamedClassesMachine(ChangingClassesMachine):
    """The class behind a name comes, goes, and changes into another or a virtual base."""

    shapes = ("one", "two", "named", "of class")
    remembered_questions = 6

    def __init__(self):
        super().__init__()
        #: by name, one that is in ``sys.modules``, or will come there
        self.modules = {name: new_module(name) for name in MODULES}
        for name in MODULES:
            assert name not in sys.modules
            self.put_back.callback(sys.modules.pop, name, None)
        # Only some of the classes with registered names are in the MRO of an argument.
        for name in NAMES:
            self.define(name, [], "abstract", [])
            register_virtual(self.classes[-1], self.classes[3])

    def registered(self):
        """Classes in modules are not for others to drop either."""
        modules = [*self.modules.values(), *(sys.modules.get(name) for name in MODULES)]
        modules = [module for module in modules if module is not None]
        places = [*modules, *(module.Holder for module in modules)]
        in_modules = [value for place in places for value in vars(place).values()]
        return [*super().registered(), *(each for each in in_modules if isinstance(each, type))]

    def is_cached_for_its_module(self, cls):
        return not compiled and cls is not None and cls.__module__ in MODULES

    def pick(self, indexes):
        """Pick mostly classes with one of the names, or with a virtual base that has one."""
        named = [each for each in self.classes if f"{each.__module__}:{each.__qualname__}" in NAMES]
        choices = [*self.classes, *[self.classes[3], *named] * 3]
        return tuple(self.pick_from(choices, index) for index in indexes)

    def answer_to(self, number, indexes):
        key, classes = super().answer_to(number, indexes)
        named = [index % 2 == 1 for index in [number // 2, *indexes, number, number, number]]
        return key, tuple(
            self.pick_from(NAMES, number + position) if named[position] else cls
            for position, cls in enumerate(classes)
        )

    def place_of(self, name):
        """The holder of the class with that name, and the attribute there."""
        module, _, path = name.partition(":")
        holder, _, attribute = path.rpartition(".")
        module = self.modules[module]
        return (module.Holder if holder else module), attribute

    # Changes

    @initialize()
    def register_for_virtual_bases(self):
        """Register for all names at first, so that the bases of the named classes decide."""
        key = self.keys[0]
        self.questions = [*self.questions, (key, (self.classes[3],))]
        for name in NAMES:
            self.register_in(*self.registries[0], key, (name,), self.make_function(key, PLAIN))

    @rule(first=INDEX, second=INDEX, registry=INDEX)
    def derive_a_virtual_base_from_another(self, first, second, registry):
        loaded = [model.loaded_class(name) for name in NAMES]
        abstract = [each for each in self.classes if each in loaded and type(each) is abc.ABCMeta]
        if not abstract:
            return
        base, derived = self.pick_from(abstract, first), self.pick_from(abstract, second)
        if self.classes.index(base) < self.classes.index(derived):
            with contextlib.suppress(TypeError):  # One of them has another layout.
                derived.__bases__ = (base,)
            if not compiled:
                self.have_changed_bases_noticed(registry)

    @rule(name=st.sampled_from(NAMES))
    def lose(self, name):
        """Have a class die that only a module had."""
        place, attribute = self.place_of(name)
        lost = vars(place).get(attribute)
        if lost in self.classes[4:]:
            delattr(place, attribute)
            self.classes.remove(lost)
            self.questions = [each for each in self.questions if lost not in each[1]]
        self.log.clear()
        del lost
        gc.collect()

    @rule(
        name=st.sampled_from(NAMES),
        bases=st.lists(INDEX, max_size=2),
        kind=st.sampled_from(sorted(KINDS)),
        methods=st.lists(st.sampled_from(METHODS), max_size=1),
    )
    def define(self, name, bases, kind, methods):
        """Have a module with a class of that name; one that was there lives on as another."""
        chosen = tuple(cls for cls in dict.fromkeys(self.pick(bases)) if cls is not object)
        cls = make_class(name, chosen or (self.root,), kind, methods)
        if cls is None or len(self.classes) == MOST_CLASSES_AND_OLD_ONES:
            return
        cls.__module__, _, cls.__qualname__ = name.partition(":")
        place, attribute = self.place_of(name)
        setattr(place, attribute, cls)
        sys.modules[cls.__module__] = self.modules[cls.__module__]
        self.classes.append(cls)

    @rule(name=st.sampled_from(NAMES), cls=INDEX)
    def export(self, name, cls):
        """Have a class that may be another module's under that name as well."""
        place, attribute = self.place_of(name)
        setattr(place, attribute, self.pick_from(self.classes[3:], cls))
        sys.modules[name.partition(":")[0]] = self.modules[name.partition(":")[0]]

    @rule(name=st.sampled_from(NAMES), value=st.sampled_from([None, 1, "Shape"]))
    def remove_the_class(self, name, value):
        place, attribute = self.place_of(name)
        if value is not None:
            setattr(place, attribute, value)
        elif attribute in vars(place):
            delattr(place, attribute)

    @rule(name=st.sampled_from(MODULES))
    def load(self, name):
        """Have a module in place again that was loaded before, with all that is in it."""
        sys.modules[name] = self.modules[name]

    @rule(name=st.sampled_from(MODULES))
    def unload(self, name):
        sys.modules.pop(name, None)

    @rule(name=st.sampled_from(MODULES))
    def forbid(self, name):
        """Have it as Python does for a module that must not be imported."""
        sys.modules[name] = None

    @rule(name=st.sampled_from(MODULES), loaded=st.booleans())
    def replace_module(self, name, loaded):
        """Have another module object of that name, with nothing in it yet."""
        self.modules[name] = new_module(name)
        if loaded:
            sys.modules[name] = self.modules[name]


def test_classes_given_by_name_agree_with_the_model():
    explore(NamedClassesMachine, examples=12)
