"""A Sphinx extension: ``reg-implementations`` lists the implementations of a generic function.

Add ``"reg.tools.sphinx"`` to ``extensions`` in ``conf.py``. Autodoc shows
the signature and docstring of a generic function as of any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .._classes import RegisteredClass
from .names import full_name, short_name
from .provenance import is_lookup, registrations
from .targets import TargetError, import_target

__all__ = ["Implementations", "setup"]

_HEADINGS = ("Registered for", "Implementation", "In")


class Implementations(SphinxDirective):
    """The table of the implementations of a generic function in a lookup."""

    required_arguments = 1
    option_spec = {"lookup": directives.unchanged_required}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        if "lookup" not in self.options:
            raise self.error("add :lookup: package.module:name, where the implementations are")
        generic = self._import(self.arguments[0])
        lookup = self._import(self.options["lookup"])
        if not is_lookup(lookup):
            raise self.error(f"{self.options['lookup']} is not a lookup or registry: {lookup!r}")
        rows = [
            (
                [*_references(registration.classes), *_rest(registration.rest)],
                _reference(registration.component, "func"),
                source.name,
            )
            for source, registration in registrations(lookup)
            if registration.key == generic
        ]
        if not rows:
            return [nodes.paragraph(text="Nothing is registered.")]
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for index, heading in enumerate(_HEADINGS):
            lines.append(f"   {'* -' if index == 0 else '  -'} {heading}")
        for classes, component, name in rows:
            lines.append(f"   * - {', '.join(classes) or 'nothing'}")
            lines.append(f"     - {component}")
            lines.append(f"     - {name}")
        return self.parse_text_to_nodes("\n".join(lines))

    def _import(self, target: str) -> Any:
        try:
            return import_target(target)
        except TargetError as error:
            raise self.error(str(error)) from error


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive to Sphinx."""
    app.add_directive("reg-implementations", Implementations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _references(classes: Iterable[RegisteredClass]) -> list[str]:
    return [_reference(cls, "class") for cls in classes]


def _rest(classes: Iterable[RegisteredClass]) -> list[str]:
    """Write the class of any number of further arguments; a star needs an escape."""
    union = " | ".join(_references(classes))
    return [rf"\* {union}"] if union else []


def _reference(value: Any, role: str) -> str:
    """Write a link to a documented object, or its name if it cannot be a target."""
    target, text = full_name(value), short_name(value)
    if not all(part.isidentifier() for part in target.split(".")):
        return f"``{text}``"
    return f":py:{role}:`{text} <{target}>`"
