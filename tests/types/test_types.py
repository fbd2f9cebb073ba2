"""Type checkers reveal and refuse exactly the types and errors written beside the lines.

``# reveals: T`` beside a line: both reveal that type. ``# error: both`` or
``# error: pyright``: these find a mistake in it. In all other lines there is none.
"""

import functools
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

_FILES = sorted(Path(__file__).parent.glob("[!t]*.py"))


def _run(*command):
    arguments = [sys.executable, "-m", *command, *map(str, _FILES)]
    # Seconds; in place of a type checker that does not end.
    return subprocess.run(arguments, capture_output=True, text=True, timeout=300).stdout


def _said_by_mypy():
    pytest.importorskip("mypy", reason="mypy is installed where types are checked")
    shown = _run("mypy", "--strict", "--no-pretty", "--no-incremental", "--show-absolute-path")
    for line in shown.splitlines():
        if match := re.match(r"(.+?):(\d+): (error|note): (.*)", line):
            yield match[1], int(match[2]), match[3] == "error", match[4]


def _said_by_pyright():
    pytest.importorskip("pyright", reason="pyright is installed where types are checked")
    shown = _run("pyright", "--pythonpath", sys.executable, "--outputjson")
    for said in json.loads(shown)["generalDiagnostics"]:
        line = said["range"]["start"]["line"] + 1
        yield said["file"], line, said["severity"] == "error", said["message"]


@functools.cache
def _by_file(said_by):
    """The lines, severities and messages of a type checker, by their file."""
    by_file = defaultdict(list)
    for file, *said in said_by():
        by_file[Path(file)].append(said)
    return by_file


def _revealed(message):
    """The type in a message, without the modules."""
    match = re.match(r'(?:Revealed type is|Type of .* is) "(.*)"$', message, re.DOTALL)
    return match and re.sub(r"\b[a-z_]\w*\.", "", match[1])


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("said_by", [_said_by_mypy, _said_by_pyright])
def test_types_are_as_written(path, said_by):
    checker = said_by.__name__.removeprefix("_said_by_")
    said = _by_file(said_by)[path]
    revealed = {line: _revealed(message) for line, _, message in said if _revealed(message)}
    errors = {line for line, is_error, _ in said if is_error}
    lines = list(enumerate(path.read_text().splitlines(), 1))
    expected = {
        line: text.partition("# reveals: ")[2] for line, text in lines if "# reveals: " in text
    }
    refused = {line for line, text in lines if re.search(f"# error: (both|{checker})$", text)}
    assert expected
    assert revealed == expected
    assert errors == refused, [one for one in said if one[0] in errors ^ refused]
