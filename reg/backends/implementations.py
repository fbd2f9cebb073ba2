"""Which backend implements which function of a host: as the backends are, and as they declare."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from .backend import Backend
from .caller_warnings import describe_error
from .decision import Dispatched
from .declarations import Declaration
from .discovery import Discovery
from .inventory import Failure

__all__ = [
    "Implementation",
    "Implementations",
    "Verified",
    "list_implementations",
    "verify_declarations",
]

#: ``"yes"``: the backend is loaded, and implements the function. ``"no"``: it does not, or its
#: metadata do not declare it. ``"declared"``: its metadata say so, and it is not loaded.
#: ``"unknown"``: it is not loaded, and declares no functions.
Implementation: TypeAlias = Literal["yes", "no", "declared", "unknown"]


class Implementations(NamedTuple):
    """The functions of a host, and for each the backends that implement it."""

    #: the name of the host
    host: str
    #: the columns: backends by name; by the name of the entry point, if they are not loaded
    backends: tuple[str, ...]
    #: the rows: functions by the name of the backends' exports, with an answer for each backend
    functions: Mapping[str, tuple[Implementation, ...]]

    def as_dict(self) -> dict[str, dict[str, str]]:
        """Convert it to data.

        :return: by name of a function and name of a backend, the answers.
        """
        return {
            function: dict(zip(self.backends, answers, strict=True))
            for function, answers in self.functions.items()
        }


def list_implementations(
    host: str, discovery: Discovery, dispatched: Iterable[Dispatched]
) -> Implementations:
    """List the backends that implement each function, importing nothing.

    :param host: the name of the host.
    :param discovery: the backends.
    :param dispatched: the functions and classes of the host.
    :return: the functions in the order of their names. A backend that failed, or is refused
      or ignored, is left out.
    """
    columns: list[tuple[str, Backend | Declaration | None]] = []
    for entry, outcome in discovery.outcomes():
        if isinstance(outcome, Backend):
            columns.append((outcome.name, outcome))
        elif outcome is None:
            columns.append((entry.origin.entry_point, entry.declared))
    functions: dict[str, tuple[Implementation, ...]] = {
        one.name: tuple([_answer(one, column) for _, column in columns])
        for one in sorted(dispatched, key=lambda one: one.name)
    }
    return Implementations(host, tuple([name for name, _ in columns]), functions)


def _answer(dispatched: Dispatched, column: Backend | Declaration | None) -> Implementation:
    if isinstance(column, Backend):
        return "yes" if column.implements(dispatched.key, dispatched.name) else "no"
    if column is None or not column.functions:
        return "unknown"
    return "declared" if dispatched.name in column.functions else "no"


class Verified(NamedTuple):
    """One entry point, and how its declarations differ from the backend that it gives."""

    #: the name of the entry point
    entry_point: str
    #: the name of its distribution; ``None`` if that is not known
    distribution: str | None
    #: true if its distribution declares functions or classes
    declares: bool
    #: a sentence for each difference
    problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Convert it to data.

        :return: all fields by name, with values that JSON has.
        """
        return {**self._asdict(), "problems": list(self.problems)}


def verify_declarations(discovery: Discovery, dispatched: Iterable[Dispatched]) -> list[Verified]:
    """Compare the declarations of all backends with the backends, which are loaded for it.

    :param discovery: the backends.
    :param dispatched: the functions and classes of the host.
    :return: one row for each entry point, in their order.
    """
    discovery.discover()
    functions = list(dispatched)
    rows = []
    for entry, outcome in discovery.outcomes():
        problems: list[str] = []
        if entry.declared is not None:
            problems = list(_problems(entry.origin.entry_point, entry.declared, outcome, functions))
        origin = entry.origin
        declares = entry.declared is not None
        rows.append(Verified(origin.entry_point, origin.distribution, declares, tuple(problems)))
    return rows


def _problems(
    name: str, declared: Declaration, outcome: Any, functions: list[Dispatched]
) -> Iterable[str]:
    yield from declared.complaints
    if not isinstance(outcome, Backend):
        reason = outcome.reason if isinstance(outcome, Failure) else "it is not loaded"
        yield f"its declarations cannot be compared: {reason}"
        return
    known = {one.name: one for one in functions}
    for function, reference in declared.functions.items():
        one = known.get(function)
        if known and one is None:
            yield f"it declares {function!r}, which the host does not have"
        elif not outcome.implements(None if one is None else one.key, function):
            yield f"it declares {function!r}, and does not implement it"
        error = _reference_error(function, reference)
        if error is not None:
            yield f"{name}.{function} refers to {reference!r}, which cannot be imported: {error}"
    if declared.functions:
        for one in functions:
            if one.name not in declared.functions and outcome.implements(one.key, one.name):
                yield f"it implements {one.name!r}, and does not declare it"
    if declared.array_types:
        is_declared = set(map(_loaded, declared.array_types))
        is_owned = set(map(_loaded, outcome.read("array_types", None) or ()))
        for cls in sorted(is_declared - is_owned, key=str):
            yield f"it declares that it owns {cls!r}, which is not in its array_types"
        for cls in sorted(is_owned - is_declared, key=str):
            yield f"it owns {cls!r}, and does not declare it"


def _reference_error(name: str, reference: str) -> str | None:
    try:
        importlib.metadata.EntryPoint(name, reference, "").load()
    except Exception as error:
        return describe_error(error)
    return None


def _loaded(cls: Any) -> Any:
    """The class that a name stands for, if its module is loaded; else the name."""
    if not isinstance(cls, str):
        return cls
    module, _, name = cls.partition(":")
    loaded: Any = sys.modules.get(module)
    for part in name.split("."):
        loaded = getattr(loaded, part, None)
    return cls if loaded is None else loaded
