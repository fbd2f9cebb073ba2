"""How the documentation is built: ``tox -e docs``."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

sys.path[:0] = [str(Path(__file__).parent / place) for place in ("_ext", "examples")]
# The classes in C have no source that Sphinx can show.
os.environ["REG_PURE_PYTHON"] = "1"

_metadata = importlib.metadata.metadata("reg-dispatch")
_urls = dict(url.split(", ", 1) for url in _metadata.get_all("Project-URL") or [])

project = "reg"
author = "The reg developers"
copyright = "the reg developers"
release = _metadata["Version"]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinxext.opengraph",
    "reg.tools.sphinx",
    "python_links",
    "composition_figure",
    "resolution_figure",
    "browse_example",
    "source_links",
    "check_links",
]
exclude_patterns = ["_build", "examples"]
nitpicky = True
nitpick_ignore_regex = [
    # The web framework's parts are shown on a page, but they are not part of the API.
    ("py:.*", r"web\.framework\..*"),
    # Type variables, and private classes in annotations.
    ("py:class", r"~?(reg\..*\.)?_[A-Z]"),
    ("py:class", r"(reg\..*\.)?(ClassKey|ClassSpecification|Completeness|NamedClass|Outcome)"),
    ("py:class", r"(reg\..*\.)?(LookupScope|Preserved|RegisteredClass|Selection|Selector)"),
    ("py:class", r"(reg\..*\.)?(SingleKey|Untrusted|UseBackend)"),
    # Of the standard library; of rich and OpenTelemetry, which are not installed for the pages.
    ("py:class", r"collections\.abc\.Set|types\.UnionType|Table|Tracer"),
]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True

# Prompts and output are not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_baseurl = ogp_site_url = _urls.get("Documentation", "")
ogp_enable_meta_description = True
ogp_social_cards = {"enable": False}

pygments_dark_style = "github-dark"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"reg {release}"
html_theme_options: dict[str, object] = {"navigation_with_keys": True}
if _source := _urls.get("Source"):
    _link = {"name": "Source code", "url": _source, "html": "Source code", "class": ""}
    html_theme_options |= {
        "source_view_link": f"{_source}/blob/HEAD/docs/{{filename}}",
        "footer_icons": [_link],
    }


def _uri_to_try(app: Sphinx, uri: str) -> str | None:
    # The pages of PyPI are for browsers; whether there is such a project, it tells everybody.
    project = re.fullmatch(r"https://pypi\.org/project/([^/]+)/", uri)
    return f"https://pypi.org/pypi/{project[1]}/json" if project else None


def _signature_of_valid_calls(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str, result: str
) -> tuple[str, str] | None:
    # These parameters collect arguments by position for an error message.
    if signature is None:
        return None
    signature = re.sub(r"\*misplaced(: object)?, ", "*, ", signature)
    return re.sub(r", \*(surplus|more)(: Any)?", "", signature), result


def _warn_without_description(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    if lines and lines[0].startswith("Alias for field number"):
        logging.getLogger(__name__).warning("the field %s has no description", name)


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", _warn_without_description)
    app.connect("autodoc-process-signature", _signature_of_valid_calls)
    app.connect("linkcheck-process-uri", _uri_to_try)
