"""The errors of a look-up."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ._classes import describe
from .sentinel import MISSING

__all__ = ["ComponentLookupError", "NoImplicitLookupError"]


class ComponentLookupError(LookupError):
    """No component was found, and no default was given.

    :param args: a message; the other parameters can be left out in favour of it.
    :param key: the key that was looked up.
    :param classes: the classes of the arguments it was looked up for.
    :param lookup: where; the error then lists the closest candidates, which are searched
      for only when the error is shown.
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
        #: the classes of the arguments it was looked up for
        self.classes = classes
        #: where it was looked up; ``None`` if that is not known
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
        # Another process needs to know what happened, and not a copy of the registry.
        state = {**self.__dict__, "lookup": None}
        return type(self), (self.args or (str(self),)), state


class NoImplicitLookupError(Exception):
    """A generic function was called without a lookup, and there is no implicit one.

    Call ``reg.implicit.initialize(lookup)``, enter ``reg.implicit.using(lookup)``,
    or pass ``lookup=`` to the call.
    """


ComponentLookupError.__module__ = "reg.lookup"
NoImplicitLookupError.__module__ = "reg.implicit"
