"""The errors of look-ups and registrations, and the name that a key has in errors."""

from __future__ import annotations

from .sentinel import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

__all__ = ["ComponentLookupError", "NoImplicitLookupError", "RegistrationError", "describe"]


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


def describe(key: object) -> str:
    """Name a key in an error; a function by its module and qualified name."""
    module, name = getattr(key, "__module__", None), getattr(key, "__qualname__", None)
    if callable(key) and isinstance(module, str) and isinstance(name, str):
        return f"{module}.{name}"
    return repr(key)


ComponentLookupError.__module__ = "reg.lookup"
NoImplicitLookupError.__module__ = "reg.implicit"
RegistrationError.__module__ = "reg.registry"
