"""How the documentation is built: ``tox -e docs``."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path[:0] = [str(Path(__file__).parent / place) for place in ("_ext", "examples")]

project = "reg"
author = "The reg developers"
copyright = "the reg developers"
release = importlib.metadata.version("reg")

extensions = [
    "sphinx.ext.autodoc",
    "reg.tools.sphinx",
    "composition_figure",
    "resolution_figure",
]
exclude_patterns = ["_build", "examples"]
nitpicky = True
# The web framework's parts are shown on a page, but it is no part of the API.
nitpick_ignore_regex = [("py:.*", r"web\.framework\..*")]

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True

pygments_dark_style = "github-dark"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"reg {release}"
html_theme_options = {"navigation_with_keys": True}


def _uri_to_try(app: Sphinx, uri: str) -> str | None:
    # The pages of PyPI are for browsers; whether there is such a project, it tells everybody.
    project = re.fullmatch(r"https://pypi\.org/project/([^/]+)/", uri)
    return f"https://pypi.org/pypi/{project[1]}/json" if project else None


def setup(app: Sphinx) -> None:
    app.connect("linkcheck-process-uri", _uri_to_try)
