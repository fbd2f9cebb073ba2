"""What an explanation says: the candidates of a call in order, and which one was chosen."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .._classes import NamedClass, RegisteredClass

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "Candidate",
    "Outcome",
    "Resolution",
    "class_names",
    "full_name",
    "plain",
    "short_name",
    "short_names",
]

#: What became of a candidate. ``"chosen"``: it is called. ``"beaten"``: it
#: would do, but another comes first. ``"declined"``: a matcher that answered
#: ``None``. ``"failed"``: a matcher that raised an error, as the call would.
#: ``"undecided"``: only arguments could tell. ``"misfit"``: it is registered
#: for other classes.
Outcome: TypeAlias = Literal["chosen", "beaten", "declined", "failed", "undecided", "misfit"]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One registration, and what became of it."""

    #: what is registered: often a function, or a matcher
    registered: Any
    #: what a call would call: what is registered, or a matcher's answer;
    #: ``None`` where a matcher has none
    component: Any
    #: the classes it is registered for; ``None`` if the class lookup does not tell
    classes: tuple[RegisteredClass, ...] | None
    #: the file; ``None`` if it is not known
    filename: str | None
    #: the line in it
    lineno: int | None
    #: the name of the class lookup that gave it
    lookup: str
    #: what became of it: ``"chosen"``, ``"beaten"``, ``"declined"``, ``"failed"``,
    #: ``"undecided"`` or ``"misfit"``
    outcome: Outcome
    #: why that became of it, in a few words
    reason: str
    #: the predicates that a matcher was asked with; ``None`` if it was not asked
    predicates: Mapping[str, Any] | None = None
    #: what a matcher raised
    error: Exception | None = None
    #: where its ``call_next`` goes; ``None`` if it does not ask for one
    call_next: str | None = None

    @property
    def name(self) -> str:
        """What it is, as short as possible."""
        return short_name(self.registered)

    @property
    def place(self) -> str:
        """File and line, or an empty string."""
        return "" if self.filename is None else f"{self.filename}:{self.lineno}"

    def as_dict(self) -> dict[str, Any]:
        """Everything, as what JSON can hold."""
        return {
            "registered": full_name(self.registered),
            "component": None if self.component is None else full_name(self.component),
            "classes": None if self.classes is None else class_names(self.classes),
            "filename": self.filename,
            "lineno": self.lineno,
            "lookup": self.lookup,
            "outcome": self.outcome,
            "reason": self.reason,
            "predicates": None
            if self.predicates is None
            else {name: plain(value) for name, value in self.predicates.items()},
            "error": None if self.error is None else repr(self.error),
            "call_next": self.call_next,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Resolution:
    """Which component a look-up finds, and why.

    It is shown as text by ``str()``, as a table by rich and in notebooks.
    """

    #: what was looked up
    key: Hashable
    #: for which classes
    classes: tuple[type, ...]
    #: the name of the lookup
    lookup: str
    #: everything registered for these classes, in the order that decides
    candidates: tuple[Candidate, ...]
    #: what is registered under the key for other classes, the nearest first
    misfits: tuple[Candidate, ...]
    #: the function that was made generic, which runs if nothing is found;
    #: ``None`` if the key is no generic function
    fallback: Callable[..., Any] | None

    @property
    def chosen(self) -> Candidate | None:
        """The candidate that is found; ``None`` if none is."""
        return next((each for each in self.candidates if each.outcome == "chosen"), None)

    @property
    def component(self) -> Any:
        """The component that is found; ``None`` if none is."""
        return None if self.chosen is None else self.chosen.component

    @property
    def error(self) -> Exception | None:
        """What the look-up raises, since a matcher does; else ``None``."""
        return next((each.error for each in self.candidates if each.outcome == "failed"), None)

    @property
    def implementation(self) -> Any:
        """What a call of the generic function runs; ``None`` if that is open, or an error."""
        if any(each.outcome in ("failed", "undecided") for each in self.candidates):
            return self.component
        return self.fallback if self.chosen is None else self.component

    def as_dict(self) -> dict[str, Any]:
        """Everything, as what JSON can hold."""
        return {
            "key": full_name(self.key),
            "classes": class_names(self.classes),
            "lookup": self.lookup,
            "component": None if self.chosen is None else full_name(self.component),
            "fallback": None if self.fallback is None else full_name(self.fallback),
            "candidates": [candidate.as_dict() for candidate in self.candidates],
            "misfits": [candidate.as_dict() for candidate in self.misfits],
        }

    def as_dot(self) -> str:
        """A graph in the language of Graphviz: the candidates, in the order of ``call_next``."""
        from .formats import as_dot

        return as_dot(self)

    def __str__(self) -> str:
        from .formats import as_text

        return as_text(self)

    def __rich__(self) -> Table:
        from .formats import as_table

        return as_table(self)

    def _repr_html_(self) -> str:
        from .formats import as_html

        return as_html(self)

    def __repr__(self) -> str:
        chosen = "nothing" if self.chosen is None else short_name(self.component)
        names = ", ".join(short_names(self.classes))
        return f"<Resolution of {short_name(self.key)}({names}): {chosen}>"


def full_name(value: Any) -> str:
    """Name a function or class by module and qualified name, anything else by its ``repr()``."""
    if isinstance(value, NamedClass):
        return str(value)
    name = getattr(value, "__qualname__", None)
    if not isinstance(name, str):
        return f"{full_name(type(value))} object" if _is_plain(value) else reprlib.repr(value)
    module = getattr(value, "__module__", None)
    return name if module in (None, "builtins") else f"{module}.{name}"


def short_name(value: Any) -> str:
    """Name a function or class by what is behind the last dot, or locals; others by ``repr()``."""
    if isinstance(value, NamedClass):
        return str(value)
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        return name.rpartition("<locals>.")[2]
    return f"{short_name(type(value))} object" if _is_plain(value) else reprlib.repr(value)


def _is_plain(value: Any) -> bool:
    """Tell whether the ``repr()`` is by address, which would tell nobody anything."""
    return getattr(type(value), "__repr__") is object.__repr__  # noqa: B009


def class_names(classes: tuple[RegisteredClass, ...]) -> list[str]:
    """The full names of classes."""
    return [full_name(cls) for cls in classes]


def short_names(classes: tuple[RegisteredClass, ...]) -> list[str]:
    """The short names of classes."""
    return [short_name(cls) for cls in classes]


def plain(value: Any) -> Any:
    """What JSON can hold of a value: itself, or its name."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return full_name(value)
