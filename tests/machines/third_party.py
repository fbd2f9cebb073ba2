"""Third-party lookups, which find in a way of their own, and their models."""

from __future__ import annotations

import inspect

import reg

from . import model

_NOTHING = object()


class ThirdPartyLookup:
    """A lookup of which nothing is known but its methods.

    It finds the last component first. It knows neither matchers nor what comes
    next.
    """

    def __init__(self, class_lookup):
        self.class_lookup = class_lookup

    def all(self, key, args, predicates=None, class_method=False):
        found = self.class_lookup.all(key, self._classes(args, class_method))
        return [each for each in reversed(found) if not isinstance(each, reg.Matcher)]

    def component(self, key, args, default=_NOTHING, predicates=None, class_method=False):
        for component in self.all(key, args, predicates, class_method):
            return component
        if default is _NOTHING:
            raise reg.ComponentLookupError(key=key, classes=self._classes(args, class_method))
        return default

    def call(self, key, args, default=_NOTHING, class_method=False, **keywords):
        component = self.component(key, args, default, class_method=class_method)
        if component is default:
            return default
        own = {"lookup": self, "call_next": lambda: None}
        parameters = inspect.signature(component).parameters
        keywords |= {name: value for name, value in own.items() if name in parameters}
        result = component(*args, **keywords)
        return default if result is None and default is not _NOTHING else result

    def _classes(self, args, class_method):
        classes = [each.__class__ for each in args]
        return (args[0], *classes[1:]) if class_method and args else tuple(classes)


class OverridingAll(reg.Lookup):
    """Has all in the opposite order, but finds the same."""

    def all(self, *args, **keywords):
        return super().all(*args, **keywords)[::-1]


class OverridingComponent(reg.Lookup):
    """Finds the second, where there is one."""

    def component(self, key, args, default=_NOTHING, predicates=None, *, class_method=False):
        found = self.all(key, args, predicates, class_method=class_method)
        if len(found) > 1:
            return found[1]
        given = [] if default is _NOTHING else [default]
        return super().component(
            key, args, *given, predicates=predicates, class_method=class_method
        )


THIRD_PARTY = (ThirdPartyLookup, OverridingAll, OverridingComponent)


# In the model


def every(lookup, found, arguments, given, log):
    """The result of ``all()``, from the components of the class lookup."""
    if isinstance(lookup, ThirdPartyLookup):
        return [each for each in reversed(found) if isinstance(each, model.Function)]
    answers = list(model.resolved(found, arguments, given, log))
    return answers[::-1] if isinstance(lookup, OverridingAll) else answers


def chain(lookup, found, arguments, given, log):
    """The result of ``component()``, and then all components behind it in ``all()``."""
    if isinstance(lookup, OverridingAll):
        first = next(model.resolved(found, arguments, given, log), None)
    else:
        first = next(iter(every(lookup, found, arguments, given, log)), None)
    if isinstance(lookup, OverridingComponent):
        first = [first, *every(lookup, found, arguments, given, log)[:2]][-1]
    if first is None:
        return
    yield first
    behind = every(lookup, found, arguments, given, log)
    yield from behind[behind.index(first) + 1 :]


def call(lookup, shape, components, end, received, default=model.NO_DEFAULT):
    """The result of a call, which a third-party lookup makes if it gets all arguments."""
    if isinstance(lookup, ThirdPartyLookup) and not shape.names:
        first = next(components, None)
        if first is not None:
            nothing_next = model.Function("nothing next", "none")
            return model.call(iter([first]), nothing_next, received, lookup, default)
    return model.call(components, end, received, lookup, default)
