"""The models: one for each file. The class stands for the kind of the file."""

from __future__ import annotations

import configparser
import functools
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import docutils.core
from docutils import nodes

#: A text that is longer than this is not shown.
LONGEST_TEXT = 1_000_000

#: A document may name files and contain HTML, but must not bring them into the site.
SAFE_DOCUTILS = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "warning_stream": False,
    "report_level": 3,
    "halt_level": 5,
    "initial_header_level": 2,
    "syntax_highlight": "short",
    "image_loading": "link",
}


class Model:
    """Something at a path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The file name, fit to be shown: some file systems allow any bytes in it."""
        readable = os.fsencode(self.path.name).decode(errors="replace")
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in readable)


class Unknown(Model):
    """A file without a model class."""


class Directory(Model):
    @property
    def paths(self) -> list[Path]:
        return sorted(self.path.iterdir())


class Link(Model):
    """A symbolic link. It is not followed: that could lead out of the directory, or in circles."""


class Image(Model):
    pass


class Text(Model):
    @functools.cached_property
    def text(self) -> str:
        with self.path.open("rb") as file:
            content = file.read(LONGEST_TEXT + 1)
        if len(content) > LONGEST_TEXT:
            raise ValueError(f"the text is longer than {LONGEST_TEXT} bytes")
        if b"\0" in content:
            raise ValueError("there are null bytes in the text")
        return content.decode("utf-8-sig")

    def is_readable(self) -> bool:
        try:
            self.text  # noqa: B018
        except (OSError, ValueError):
            return False
        return True


class ReST(Text):
    @functools.cached_property
    def document(self) -> nodes.document:
        return docutils.core.publish_doctree(self.text, settings_overrides=SAFE_DOCUTILS)


class Source(Text):
    pass


class Python(Source):
    pass


class Data(Source):
    def load(self) -> Any:
        """Read the data.

        :raises ValueError: if it is not well-formed.
        """
        raise NotImplementedError


class Toml(Data):
    def load(self) -> Any:
        return tomllib.loads(self.text)


class Json(Data):
    def load(self) -> Any:
        return json.loads(self.text)


class Ini(Data):
    def load(self) -> Any:
        parser = configparser.ConfigParser(interpolation=None, default_section="")
        try:
            parser.read_string(self.text)
        except configparser.Error as error:
            raise ValueError(error.message) from error
        return {name: dict(section) for name, section in parser.items() if name}
