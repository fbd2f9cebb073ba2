"""The page of an application: ``reg browse`` writes all that is registered as one HTML file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..provenance import lookup_name
from .model import application
from .page import page

__all__ = ["application", "page", "write"]


def write(lookup: Any, path: str | os.PathLike[str], *, title: str | None = None) -> str:
    """Write the page of an application to a file.

    :param lookup: a lookup, a registry or a class lookup.
    :param path: the file, which is replaced.
    :param title: the heading of the page; ``None`` for the name of the lookup.
    :return: the numbers of generic functions, implementations, registries and findings, in words.
    :raises TypeError: if ``lookup`` is no lookup.
    :raises ValueError: if the lookup is composed of itself.
    :raises OSError: if the file cannot be written.

    Places are written relative to the current directory.
    """
    model = application(lookup, lookup_name(lookup) if title is None else title)
    # A name may have any characters, also some that cannot be encoded.
    Path(path).write_text(page(model), "utf-8", "backslashreplace")
    return model.summary
