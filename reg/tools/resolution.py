"""The result of an explanation: the candidates of a call in order, and the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .._classes import RegisteredClass
from .formats import Edge, Node, dot_graph, html_table, rich_table
from .names import full_name, names_of, short_name, shown_place, to_json
from .tables import aligned, shortened_path, wrapped

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Candidate", "Outcome", "Resolution"]

#: The fate of a candidate. ``"chosen"``: it is called. ``"shadowed"``: it
#: applies, but another comes first. ``"declined"``: a matcher that answered
#: ``None``. ``"failed"``: a matcher that raised an error, as the call would.
#: ``"undecided"``: it depends on the arguments. ``"inapplicable"``: it is
#: registered for other classes.
Outcome: TypeAlias = Literal[
    "chosen", "shadowed", "declined", "failed", "undecided", "inapplicable"
]

# The number of inapplicable registrations shown, unless all are asked for.
_SHOWN = 5

_HEADINGS = ("", "component", "registered for", "in", "place", "why")


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One registration, and its fate in a look-up."""

    #: the registered object: often a function, or a matcher
    registered: Any
    #: the object that a call would call: the registered object, or a matcher's
    #: answer; ``None`` where a matcher has no answer
    component: Any
    #: the classes it is registered for; ``None`` if the class lookup does not say
    classes: tuple[RegisteredClass, ...] | None
    #: the file; ``None`` if it is not known
    filename: str | None
    #: the line in it
    lineno: int | None
    #: the name of the class lookup that gave it
    lookup: str
    #: its fate: ``"chosen"``, ``"shadowed"``, ``"declined"``, ``"failed"``,
    #: ``"undecided"`` or ``"inapplicable"``
    outcome: Outcome
    #: the reason of this outcome, in a few words
    reason: str
    #: the predicates that a matcher was asked with; ``None`` if it was not asked
    predicates: Mapping[str, Any] | None = None
    #: the error that a matcher raised
    error: Exception | None = None
    #: the target of its ``call_next``; ``None`` if it has no such parameter
    call_next: str | None = None
    #: for each class the members of the union that it was registered by; empty for a class that
    #: was given itself
    unions: tuple[tuple[RegisteredClass, ...], ...] = ()
    #: the class of each further argument, of which there may be any number, or the members of a
    #: union; empty if the number of arguments is fixed
    rest: tuple[RegisteredClass, ...] = ()

    @property
    def name(self) -> str:
        """The short name of the registered object."""
        return short_name(self.registered)

    @property
    def registered_for(self) -> str:
        """The names of the classes; a question mark if the class lookup does not say."""
        return "?" if self.classes is None else names_of(self.classes, self.unions, self.rest)

    @property
    def place(self) -> str:
        """File and line, or an empty string."""
        return "" if self.filename is None else f"{self.filename}:{self.lineno}"

    def as_dict(self) -> dict[str, Any]:
        """Convert it to data.

        :return: all fields by name, with values that JSON has.
        """
        return {
            "registered": full_name(self.registered),
            "component": None if self.component is None else full_name(self.component),
            "classes": None if self.classes is None else list(map(full_name, self.classes)),
            "filename": self.filename,
            "lineno": self.lineno,
            "lookup": self.lookup,
            "outcome": self.outcome,
            "reason": self.reason,
            "predicates": None
            if self.predicates is None
            else {name: to_json(value) for name, value in self.predicates.items()},
            "error": None if self.error is None else repr(self.error),
            "call_next": self.call_next,
            "unions": [list(map(full_name, union)) for union in self.unions],
            "rest": list(map(full_name, self.rest)),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Resolution:
    """The component that a look-up finds, and the reasons.

    ``str()`` shows it as text; rich and notebooks show it as a table.
    """

    #: the key that was looked up
    key: Hashable
    #: the classes it was looked up for
    classes: tuple[type, ...]
    #: the name of the lookup
    lookup: str
    #: the registrations that apply to these classes, in the order of the lookup
    candidates: tuple[Candidate, ...]
    #: the registrations under the key that do not apply, the closest first
    inapplicable: tuple[Candidate, ...]
    #: the function that was made generic, which runs if nothing is found;
    #: ``None`` if the key is not a generic function
    fallback: Callable[..., Any] | None
    #: probable mistakes in the question, such as an unknown predicate
    notes: tuple[str, ...] = ()

    @property
    def chosen(self) -> Candidate | None:
        """The candidate that is found; ``None`` if there is no such candidate."""
        return next(
            (candidate for candidate in self.candidates if candidate.outcome == "chosen"), None
        )

    @property
    def component(self) -> Any:
        """The component that is found; ``None`` if nothing is found."""
        return None if self.chosen is None else self.chosen.component

    @property
    def error(self) -> Exception | None:
        """The error that the look-up raises because a matcher does; else ``None``."""
        return next(
            (candidate.error for candidate in self.candidates if candidate.outcome == "failed"),
            None,
        )

    @property
    def implementation(self) -> Any:
        """The function that a call runs; ``None`` if that is undecided, or an error."""
        if any(candidate.outcome in ("failed", "undecided") for candidate in self.candidates):
            return self.component
        return self.fallback if self.chosen is None else self.component

    def as_dict(self) -> dict[str, Any]:
        """Convert it to data.

        :return: all fields by name, with values that JSON has.
        """
        return {
            "key": full_name(self.key),
            "classes": list(map(full_name, self.classes)),
            "lookup": self.lookup,
            "component": None if self.chosen is None else full_name(self.component),
            "fallback": None if self.fallback is None else full_name(self.fallback),
            "candidates": [candidate.as_dict() for candidate in self.candidates],
            "inapplicable": [candidate.as_dict() for candidate in self.inapplicable],
            "notes": list(self.notes),
        }

    def as_text(self, *, all: bool = False) -> str:
        """Write it as aligned text.

        :param all: whether to show all registrations that do not apply, and not
          only the closest five.
        :return: lines of at most 100 columns.
        """
        lines = wrapped(_headline(self), "")
        inapplicable = self._shown_inapplicable(all)
        rows = [
            (_mark(index, candidate), candidate.name, candidate.registered_for, candidate.lookup)
            for index, candidate in enumerate(self.candidates, 1)
        ]
        rows += [
            ("-", candidate.name, candidate.registered_for, candidate.lookup)
            for candidate in inapplicable
        ]
        columns = aligned(rows, (6, 34, 34, 20))
        for candidate, line in zip([*self.candidates, *inapplicable], columns, strict=True):
            if inapplicable and candidate is inapplicable[0]:
                lines += ["", "registered, but for other classes:"]
            lines.append(line)
            for detail in _details(candidate):
                lines += wrapped(detail, " " * 8)
            if candidate.place:
                lines.append(shortened_path(shown_place(candidate.place), " " * 8))
        if left_out := len(self.inapplicable) - len(inapplicable):
            lines.append(f"and {left_out} more that do not apply")
        for note in self.notes:
            lines += ["", *wrapped(f"note: {note}", "")]
        return "\n".join(line.rstrip() for line in lines)

    def as_table(self, *, all: bool = False) -> Table:
        """Make a table for rich.

        :param all: as for :meth:`as_text`.
        :return: the table.
        :raises ImportError: if rich is not installed.
        """
        rows = list(self._rows(all))
        bold = [index for index, (candidate, _) in enumerate(rows) if candidate.outcome == "chosen"]
        return rich_table(_title(self), _HEADINGS, [cells for _, cells in rows], bold)

    def as_dot(self) -> str:
        """Write a graph for Graphviz: the call, the candidates in order, the fallback.

        :return: the graph, in the language DOT.
        """
        styles = {"chosen": "style=bold", "shadowed": "", "undecided": "style=dashed"}
        nodes = [Node("call", _call(self), "shape=oval")]
        edges = []
        for index, candidate in enumerate(self.candidates, 1):
            label = f"{candidate.name}\nfor {candidate.registered_for}\nin {candidate.lookup}"
            style = styles.get(candidate.outcome, "style=dotted")
            edges.append(Edge(nodes[-1].name, f"candidate{index}", candidate.outcome))
            nodes.append(Node(f"candidate{index}", label, style))
        if self.fallback is not None:
            style = "style=bold" if self.implementation is self.fallback else ""
            edges.append(Edge(nodes[-1].name, "fallback"))
            nodes.append(Node("fallback", f"{short_name(self.fallback)}\nthe fallback", style))
        return dot_graph("resolution", nodes, edges)

    def __str__(self) -> str:
        return self.as_text()

    def __rich__(self) -> Table:
        return self.as_table()

    def _repr_html_(self) -> str:
        rows = list(self._rows(False))
        bold = [index for index, (candidate, _) in enumerate(rows) if candidate.outcome == "chosen"]
        cells = [(f"reg-{candidate.outcome}", cells) for candidate, cells in rows]
        return html_table(_title(self), _HEADINGS, cells, bold)

    def __repr__(self) -> str:
        chosen = "nothing" if self.chosen is None else short_name(self.component)
        return f"<Resolution of {_call(self)}: {chosen}>"

    def _rows(self, all: bool) -> Iterator[tuple[Candidate, list[str]]]:
        """The cells of each row of a table."""
        numbered = [(str(index), candidate) for index, candidate in enumerate(self.candidates, 1)]
        numbered += [("-", candidate) for candidate in self._shown_inapplicable(all)]
        for number, candidate in numbered:
            details = "\n".join(_details(candidate))
            cells = [
                number,
                candidate.name,
                candidate.registered_for,
                candidate.lookup,
                shown_place(candidate.place),
                details,
            ]
            yield candidate, cells

    def _shown_inapplicable(self, all: bool) -> tuple[Candidate, ...]:
        return self.inapplicable if all else self.inapplicable[:_SHOWN]


def _headline(resolution: Resolution) -> str:
    call = f"{_call(resolution)} in {resolution.lookup}"
    if resolution.error is not None:
        return f"{call} raises {resolution.error!r}"
    if resolution.chosen is not None:
        return f"{call} finds {short_name(resolution.component)}"
    if any(candidate.outcome == "undecided" for candidate in resolution.candidates):
        return f"{call} depends on the arguments, which a matcher is asked about"
    if resolution.fallback is None:
        return f"{call} finds nothing"
    return f"{call} finds nothing, so that {short_name(resolution.fallback)} itself runs"


def _title(resolution: Resolution) -> str:
    """The headline of a table, with the notes below it."""
    return "\n".join([_headline(resolution), *(f"note: {note}" for note in resolution.notes)])


def _call(resolution: Resolution) -> str:
    return f"{short_name(resolution.key)}{names_of(resolution.classes)}"


def _mark(index: int, candidate: Candidate) -> str:
    return f"{'->' if candidate.outcome == 'chosen' else '  '} {index}"


def _details(candidate: Candidate) -> Iterator[str]:
    """The outcome of a candidate, with the reason and the answer of a matcher."""
    if candidate.outcome == "inapplicable":
        yield candidate.reason
    else:
        yield f"{candidate.outcome}: {candidate.reason}"
    if candidate.predicates is not None and candidate.error is None:
        asked = ", ".join(f"{name}={value!r}" for name, value in candidate.predicates.items())
        answer = "None" if candidate.component is None else short_name(candidate.component)
        yield f"asked with {asked or 'no predicates'}: answered {answer}"
    if candidate.call_next is not None:
        yield f"call_next goes to {candidate.call_next}"
