"""Links from the source of a module back to the descriptions of its classes and functions.

Sphinx names them all alike: by the package, if one of them is documented as imported from there. So
a link to another one, which is documented by its module, would lead nowhere.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx


def _mend(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    if not page.startswith("_modules/"):
        return
    module = page.removeprefix("_modules/").replace("/", ".")
    documented = app.env.domains.python_domain.objects

    def mended(link: re.Match[str]) -> str:
        parts = link[1].split(".")
        names = [link[1], *(".".join([module, *parts[i:]]) for i in range(1, len(parts)))]
        return next((f'#{name}"' for name in names if name in documented), link[0])

    context["body"] = re.sub(r'#(reg\.[\w.]+)"', mended, context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", _mend)
    return {"version": "1", "parallel_read_safe": True}
