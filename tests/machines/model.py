"""The dispatch core again: slow, and so short that one can see that it is right.

Nothing is remembered, nothing is skipped: each look-up walks the whole product
of the MROs and compares every combination with everything registered.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
import weakref

import reg

# Registrations


class Function:
    """An implementation.

    :param kind: ``plain`` ends a call, ``next`` calls the next one as well,
      ``none`` returns ``None``, ``failing`` raises what ``error``
      makes.
    :param takes_lookup: whether it has a parameter ``lookup``.
    """

    def __init__(self, name, kind, takes_lookup=False, error=None):
        self.name = name
        self.kind = kind
        self.takes_lookup = takes_lookup
        self.error = error or (lambda: reg.ComponentLookupError(name))

    def __repr__(self):
        return f"<{self.kind} {self.name}>"


class Matcher:
    """Stands for another component; or for nothing, if that is ``None``."""

    predicates = ()

    def __init__(self, name, stands_for):
        self.name = name
        self.stands_for = stands_for

    def answer(self, values):
        return self.stands_for


class Predicate:
    """Its ``calc`` is that of the real one; equal to nothing but itself."""

    def __init__(self, name, calc, default):
        self.name = name
        self.calc = calc
        self.default = default

    def value(self, arguments):
        return self.default if self.calc is None else self.calc(*arguments)


class PredicateMatcher:
    def __init__(self, name, predicates):
        self.name = name
        self.predicates = predicates
        self.registry = Predicates([predicate.name for predicate in predicates])

    def answer(self, values):
        found = self.registry.get(values)
        if len(found) > 1:
            raise reg.PredicateRegistryError("several")
        return found[0] if found else None


class Predicates:
    """A predicate registry that tries every combination of values and ``ANY``.

    :param fits: tells, by name, whether a registered value fits one that is
      asked for, where that does not mean that they are equal.
    """

    def __init__(self, names, fits=None):
        self.names = names
        self.fits = fits or {}
        self.entries = []

    def register(self, predicates, value):
        self.entries.append(([predicates.get(name, reg.ANY) for name in self.names], value))

    def get(self, predicates):
        """All values under the first full key that has any."""
        asked = [predicates[name] for name in self.names]
        for named in itertools.product([True, False], repeat=len(self.names)):
            found = [value for keys, value in self.entries if self._fit(keys, asked, named)]
            if found:
                return found
        return []

    def _fit(self, keys, asked, named):
        return all(
            (key is not reg.ANY and value is not reg.ANY and self._fits(name, key, value))
            if is_named
            else key is reg.ANY
            for name, key, value, is_named in zip(self.names, keys, asked, named, strict=True)
        )

    def _fits(self, name, key, value):
        return self.fits[name](key, value) if name in self.fits else key == value


# Where it is found


def loaded_class(name):
    """The class that is there under a name now, or ``None``."""
    module, _, path = name.partition(":")
    found = sys.modules.get(module)
    for attribute in path.split("."):
        found = getattr(found, "__dict__", {}).get(attribute)
    return found if isinstance(found, type) else None


def order_of(cls, registered):
    """The MRO with all else that is registered: each class is followed by its names."""
    names = [each for each in registered if isinstance(each, str)]
    classes = [each for each in registered if not isinstance(each, str)]
    loaded = [loaded_class(name) for name in names]
    classes += [each for each in loaded if each is not None]
    order = []
    for base in order_of_classes(cls, list(dict.fromkeys(classes))):
        own_name = f"{base.__module__}:{base.__qualname__}"
        called = [each for each in names if loaded_class(each) is base or each == own_name]
        order += [base, *(each for each in called if each not in order)]
    return order


def order_of_classes(cls, registered):
    """The class itself, and then its MRO with the abstract classes among the registered ones."""
    return [cls, *(each for each in composed_mro(cls, registered) if each is not cls)]


def composed_mro(cls, registered):
    """The MRO as singledispatch composes it, unless it contradicts the real one."""
    mro = inspect.getmro(cls)
    virtual = [each for each in registered if each not in mro and issubclass(cls, each)]
    if not virtual:
        return list(mro)
    try:
        order = functools._compose_mro(cls, registered)
    except RuntimeError:
        # The classes contradict each other: classes outside of the MRO come before object.
        return [*mro[:-1], *virtual, mro[-1]]
    if [each for each in order if each in mro] == list(mro):
        return order
    # The metaclass has made the MRO, and that stays: behind the last of its subclasses, each.
    order = list(mro[:-1])
    for each in reversed(virtual):
        places = [place for place, base in enumerate(order) if issubclass(base, each)]
        order.insert(places[-1] + 1 if places else len(order), each)
    return [*order, mro[-1]]


def unions_of(combinations):
    """For each position the union of its classes, or ``None`` for a single one."""
    unions = [frozenset(classes) for classes in zip(*combinations, strict=True)]
    return tuple(union if len(union) > 1 else None for union in unions)


def keys_of(cls, union):
    """The note about a class at a position: the class, and the union that it is a member of."""
    return [cls] if union is None else [cls, (cls, union)]


def keys_in_order(cls, known):
    """The order of classes, each alone and then with the unions that it is a member of."""
    plain = [each for each in known if not isinstance(each, tuple)]
    members = [each for each in known if isinstance(each, tuple)]
    return [
        key
        for base in order_of(cls, plain)
        for key in [(base, None), *(each for each in members if each[0] == base)]
    ]


class Registry:
    def __init__(self, replace=True):
        self.replace = replace
        self.clear()

    def copy(self):
        """Another one with the same components, each of them the same thing."""
        other = Registry(self.replace)
        other.registered = [list(entry) for entry in self.registered]
        for place, noted in self.positions.items():
            other.positions[place] = [list(known) for known in noted]
        return other

    def clear(self):
        self.registered = []
        self.positions = {}

    def register(self, key, classes, component):
        self.register_each(key, [classes], component)

    def register_each(self, key, combinations, component):
        unions = unions_of(combinations)
        known = [
            entry
            for entry in self.registered
            if entry[0] == key and entry[1] in combinations and entry[3] == unions
        ]
        if known and not self.replace:
            raise reg.RegistrationError("there already")
        for entry in known:
            entry[2] = component
        for classes in combinations:
            if classes not in [entry[1] for entry in known]:
                self.registered.append([key, classes, component, unions])
                self._note_positions(key, len(classes))

    def unregister(self, key, classes):
        self.unregister_each(key, [classes])

    def unregister_each(self, key, combinations):
        unions = unions_of(combinations)
        removed = [self._entry(key, classes, unions) for classes in combinations]
        if None in removed:
            raise reg.RegistrationError("not there")
        for removed_entry in removed:
            self.registered = [entry for entry in self.registered if entry is not removed_entry]
            self._note_positions(key, len(removed_entry[1]))

    def _note_positions(self, key, arity):
        """Keep for how long each class has been registered at each position."""
        noted = self.noted(key, arity)
        entries = [entry for entry in self.registered if self._concerns(entry, key, arity)]
        for position, known in enumerate(noted):
            now = [
                key
                for _, classes, _, unions in entries
                for key in keys_of(classes[position], unions[position])
            ]
            known[:] = [cls for cls in known if cls in now]
            known += [cls for cls in dict.fromkeys(now) if cls not in known]
        self.positions[key, arity] = noted

    def noted(self, key, arity):
        return self.positions.get((key, arity), [[] for _ in range(arity)])

    @staticmethod
    def _concerns(entry, key, arity):
        return entry[0] == key and len(entry[1]) == arity

    def exact(self, key, classes):
        found = self._entry(key, classes, unions_of([classes]))
        return found and found[2]

    def _entry(self, key, classes, unions):
        """The entry for classes as they are given; alone, they may be members of unions."""
        order = [unions] if any(unions) else itertools.product(*self._unions_with(key, classes))
        return next(
            (
                entry
                for each in order
                for entry in self.registered
                if entry[:2] == [key, classes] and entry[3] == tuple(each)
            ),
            None,
        )

    def _unions_with(self, key, classes):
        """For each class: no union, and then the unions it was registered with as a member."""
        noted = self.noted(key, len(classes))
        return [
            [None, *(each[1] for each in known if isinstance(each, tuple) and each[0] == cls)]
            for cls, known in zip(classes, noted, strict=True)
        ]

    def all(self, key, classes):
        return merged([self], key, classes)

    def get(self, key, classes):
        return next(iter(self.all(key, classes)), None)

    def misfits(self, key, classes):
        """The registrations under the key that do not apply to these classes."""
        return [
            component
            for known, registered, component, _ in self.registered
            if known == key and not fit(classes, registered)
        ]


def fit(classes, registered):
    return len(classes) == len(registered) and all(
        base in order_of(cls, [base]) for cls, base in zip(classes, registered, strict=True)
    )


def merged(registries, key, classes):
    """The components of registries as if they were in one, the earlier ones first."""
    known = [
        [cls for each in registries for cls in each.noted(key, len(classes))[position]]
        for position in range(len(classes))
    ]
    orders = [
        keys_in_order(cls, list(dict.fromkeys(noted)))
        for cls, noted in zip(classes, known, strict=True)
    ]
    combinations = [
        [key, tuple(cls for cls, _ in each), tuple(union for _, union in each)]
        for each in itertools.product(*orders)
    ]
    return [
        component
        for combination in combinations
        for each in registries
        for *entry, component, unions in each.registered
        if [*entry, unions] == combination
    ]


class Merged:
    def __init__(self, parts):
        self.parts = parts

    def registries(self):
        return [
            registry
            for part in self.parts
            for registry in (part.registries() if isinstance(part, Merged) else [part])
        ]

    def all(self, key, classes):
        return merged(self.registries(), key, classes)

    def get(self, key, classes):
        return next(iter(self.all(key, classes)), None)

    def misfits(self, key, classes):
        return [component for part in self.parts for component in part.misfits(key, classes)]


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

    def misfits(self, key, classes):
        return [component for part in self.parts for component in part.misfits(key, classes)]


class Caching:
    def __init__(self, part):
        self.part = part
        self.clear()

    def clear(self):
        self.memory = []

    def __getstate__(self):
        """A copy, which starts without cached answers."""
        return {"part": self.part, "memory": []}

    def all(self, key, classes):
        return self._answer("all", key, classes)

    def get(self, key, classes):
        return self._answer("get", key, classes)

    def misfits(self, key, classes):
        return self.part.misfits(key, classes)

    def _answer(self, method, key, classes):
        for known_method, known_key, references, answer in self.memory:
            known = tuple(reference() for reference in references)
            if (known_method, known_key, known) == (method, key, classes):
                return answer
        answer = getattr(self.part, method)(key, classes)
        self.memory.append((method, key, [weakref.ref(cls) for cls in classes], answer))
        return answer


# Calls


def asked(components, arguments, given, log):
    """Each component with its meaning: itself, a matcher's answer or error, or ``None``.

    :param given: the caller's predicates; ``None`` to have them computed.
    :param log: is told which matchers were asked, and with which predicates.
    """
    handed_on, computed = given, {}
    for component in components:
        if isinstance(component, Function):
            yield component, component
            continue
        if handed_on is None:
            handed_on = {each.name: each.value(arguments) for each in component.predicates}
        missing = [each for each in component.predicates if each.name not in handed_on]
        for each in missing:
            if each not in computed:
                computed[each] = each.default if given is not None else each.value(arguments)
        values = {**handed_on, **{each.name: computed[each] for each in missing}}
        log.append((component.name, values))
        try:
            yield component, component.answer(values)
        except reg.PredicateRegistryError as error:
            yield component, error


def resolved(components, arguments, given, log):
    """The resolved components of a lookup, as far as they are asked for."""
    for _, answer in asked(components, arguments, given, log):
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            yield answer


def explained(components, arguments, given, log):
    """Each component with its answer and its outcome."""
    decided, said = False, []
    for component, answer in asked(components, arguments, given, log):
        if answer is None:
            said.append((component, None, "declined"))
        elif isinstance(answer, Exception):
            said.append((component, None, "shadowed" if decided else "failed"))
            decided = True
        else:
            said.append((component, answer, "shadowed" if decided else "chosen"))
            decided = True
    return said


NO_DEFAULT = object()


def call(components, end, received, lookup, default=NO_DEFAULT):
    """The result of a call: the arguments of each function, with the next one's inside.

    :param components: an iterator of functions.
    :param end: the function that comes after all of them.
    """
    first = next(components, None)
    if first is None and default is not NO_DEFAULT:
        return default
    chain = itertools.chain([] if first is None else [first], components, [end])
    result = call_next(chain, received, lookup)
    return default if result is None and default is not NO_DEFAULT else result


def call_next(components, received, lookup):
    function = next(components)
    if function.kind == "none":
        return None
    if function.kind == "failing":
        raise function.error()
    result = [function.name, received, lookup if function.takes_lookup else None]
    if function.kind == "next":
        result.append(call_next(components, received, lookup))
    return result


# Which lookup a call asks


class Implicit:
    """By thread: the assigned lookup, and the scopes around it, the innermost last."""

    BASE = object()

    def __init__(self, threads):
        self.base = None
        self.assigned = dict.fromkeys(threads, self.BASE)
        self.scopes = {thread: [] for thread in threads}

    def initialize(self, thread, lookup):
        self.base = lookup
        self.reset(thread)

    def assign(self, thread, lookup):
        if self.scopes[thread]:
            self.scopes[thread][-1] = lookup
        else:
            self.assigned[thread] = lookup

    def reset(self, thread):
        self.assigned[thread] = self.BASE
        if self.scopes[thread]:
            self.scopes[thread][-1] = self.BASE

    def lookup(self, thread, context=None):
        """The lookup for a thread, in its own context or in a copy of another thread's."""
        scopes = self.scopes[thread if context is None else context]
        found = scopes[-1] if scopes else self.assigned[thread]
        return self.base if found is self.BASE else found
