"""The errors of a look-up and of a registration."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ._classes import describe
from ._dispatch_spec import is_plain_function
from .sentinel import MISSING

__all__ = ["ComponentLookupError", "NoImplicitLookupError", "RegistrationError"]


class ComponentLookupError(LookupError):
    """No component was found, and no default was given.

    :param args: a message, in place of the one made of the other parameters.
    :param key: the key that was looked up.
    :param classes: the classes of the arguments.
    :param lookup: the lookup that was asked. With it, the message lists the closest candidates;
      they are searched for when the error is shown, and not before.
    """

    def __init__(
        self,
        *args: object,
        key: Hashable = MISSING,
        classes: tuple[type, ...] = (),
        lookup: Any = None,
    ) -> None:
        super().__init__(*args)
        #: the key that was looked up; ``MISSING`` if the error only has a message
        self.key = key
        #: the classes of the arguments
        self.classes = classes
        #: the lookup that was asked; ``None`` if it is not known
        self.lookup = lookup

    def __str__(self) -> str:
        if self.key is MISSING or self.args:
            return super().__str__()
        classes = ", ".join(f"{cls.__module__}.{cls.__qualname__}" for cls in self.classes)
        problem = f"no component is registered under {describe(self.key)} for ({classes})"
        if is_plain_function(self.key):
            problem += (
                "; it is a plain function and no generic function: decorate it with @reg.generic"
                " if its calls are to dispatch"
            )
        if self.lookup is None:
            return problem
        from .tools.explain import closest_candidates

        return "\n".join([problem, *closest_candidates(self.lookup, self.key, self.classes)])

    def __reduce__(self) -> tuple[Any, ...]:
        # The message goes to another process; the registry stays in this one.
        state = {**self.__dict__, "lookup": None}
        return type(self), (self.args or (str(self),)), state


class NoImplicitLookupError(Exception):
    """A generic function was called without a lookup, and there is no implicit one.

    Call ``reg.implicit.initialize(lookup)``, enter ``reg.implicit.using(lookup)``,
    or pass ``lookup=`` to the call.
    """


class RegistrationError(ValueError):
    """A registration exists already, or does not exist."""


ComponentLookupError.__module__ = "reg.lookup"
NoImplicitLookupError.__module__ = "reg.implicit"
RegistrationError.__module__ = "reg.registry"
