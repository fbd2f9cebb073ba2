"""How the documentation is built: ``tox -e docs``."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "reg"
author = "The reg developers"
copyright = "the reg developers"
release = importlib.metadata.version("reg")

extensions = ["sphinx.ext.autodoc", "composition_figure", "resolution_figure"]
exclude_patterns = ["_build", "examples"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"

pygments_dark_style = "github-dark"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["beside.css"]
html_title = f"reg {release}"
html_theme_options = {"navigation_with_keys": True}
