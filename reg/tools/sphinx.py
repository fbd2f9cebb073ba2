"""A Sphinx extension: ``reg-implementations`` shows what implements a generic function.

Add ``"reg.tools.sphinx"`` to ``extensions`` in ``conf.py``. Autodoc shows
the signature and docstring of a generic function as of any other.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .._observers import Observable
from .listing import registrations
from .resolution import full_name, short_name
from .targets import TargetError, imported

__all__ = ["Implementations", "setup"]

_HEADINGS = ("Registered for", "Implementation", "In")


class Implementations(SphinxDirective):
    """The table of what is registered for a generic function in a lookup."""

    required_arguments = 1
    option_spec = {"lookup": directives.unchanged_required}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        if "lookup" not in self.options:
            raise self.error("add :lookup: package.module:name, where the implementations are")
        generic = self._imported(self.arguments[0])
        lookup = self._imported(self.options["lookup"])
        if not isinstance(lookup, Observable):
            raise self.error(f"{self.options['lookup']} is no lookup or registry: {lookup!r}")
        rows = [
            (
                [(full_name(cls), "class", short_name(cls)) for cls in each.classes],
                [(full_name(each.component), "func", short_name(each.component))],
                name,
            )
            for name, each in registrations(lookup)
            if each.key == generic
        ]
        if not rows:
            return [nodes.paragraph(text="Nothing is registered.")]
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for index, heading in enumerate(_HEADINGS):
            lines.append(f"   {'* -' if index == 0 else '  -'} {heading}")
        for classes, component, name in rows:
            lines.append(f"   * - {', '.join(_reference(*each) for each in classes) or 'nothing'}")
            lines.append(f"     - {_reference(*component[0])}")
            lines.append(f"     - {name}")
        return self.parse_text_to_nodes("\n".join(lines))

    def _imported(self, target: str) -> Any:
        try:
            return imported(target)
        except TargetError as error:
            raise self.error(str(error)) from error


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive to Sphinx."""
    app.add_directive("reg-implementations", Implementations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _reference(target: str, role: str, text: str) -> str:
    if not all(part.isidentifier() for part in target.split(".")):
        return f"``{text}``"
    return f":py:{role}:`{text} <{target}>`"
