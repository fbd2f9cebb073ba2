"""Links to Python's own documentation, without the network.

Sphinx reads the names of another project from its inventory. This extension writes a small one from
``python_objects.txt``.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

_OBJECTS = Path(__file__).with_name("python_objects.txt")
_HEADER = b"# Sphinx inventory version 2\n# Project: Python\n# Version: 3\n# zlib compressed.\n"


def write_inventory(path: Path) -> None:
    """Write the inventory of the objects in the text file."""
    lines = [line.split() for line in _OBJECTS.read_text().splitlines() if not line.startswith("#")]
    entries = "".join(f"{name} py:{role} 1 {page}#$ -\n" for name, role, page in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_HEADER + zlib.compress(entries.encode()))


def _configure(app: Sphinx, config: Config) -> None:
    inventory = Path(app.doctreedir) / "python.inv"
    write_inventory(inventory)
    config.intersphinx_mapping = {"python": ("https://docs.python.org/3", str(inventory))}


def setup(app: Sphinx) -> dict[str, Any]:
    # Before intersphinx reads the configuration.
    app.connect("config-inited", _configure, priority=100)
    return {"version": "1", "parallel_read_safe": True}
