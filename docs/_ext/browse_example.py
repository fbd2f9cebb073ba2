"""The page of the publishing example, written by ``reg browse`` whenever the pages are built."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from reg.tools.browse import write

_NAME = "browse-example.html"
_EXAMPLES = Path(__file__).parents[1] / "examples"


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        from publishing.handbook import application

        # Places are relative to the current directory.
        with contextlib.chdir(_EXAMPLES):
            title = "publishing.handbook:application.lookup"
            write(application.lookup, Path(app.outdir) / _NAME, title=title)


def setup(app: Sphinx) -> dict[str, Any]:
    app.config.linkcheck_ignore += [rf"(\.\./)?{_NAME}(#.*)?"]
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True}
