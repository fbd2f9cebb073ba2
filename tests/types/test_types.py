"""Type checkers reveal and refuse exactly the types and errors written beside the lines.

``# reveals: T`` beside a line: both reveal that type. ``# error: both`` or
``# error: pyright``: these find a mistake in it. In all other lines there is none.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

_FILES = sorted(Path(__file__).parent.glob("[!t]*.py"))


def _said_by_mypy(path):
    pytest.importorskip("mypy", reason="mypy is installed where types are checked")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--no-incremental"]
    shown = subprocess.run([*command, str(path)], capture_output=True, text=True)
    for line in shown.stdout.splitlines():
        if match := re.match(r".+?:(\d+): (error|note): (.*)", line):
            yield int(match[1]), match[2] == "error", match[3]


def _said_by_pyright(path):
    pytest.importorskip("pyright", reason="pyright is installed where types are checked")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"]
    shown = subprocess.run([*command, str(path)], capture_output=True, text=True)
    for each in json.loads(shown.stdout)["generalDiagnostics"]:
        line = each["range"]["start"]["line"] + 1
        yield line, each["severity"] == "error", each["message"]


def _revealed(message):
    """The type in a message, without the modules."""
    match = re.match(r'(?:Revealed type is|Type of .* is) "(.*)"$', message, re.DOTALL)
    return match and re.sub(r"\b[a-z_]\w*\.", "", match[1])


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("said_by", [_said_by_mypy, _said_by_pyright])
def test_types_are_as_written(path, said_by):
    checker = said_by.__name__.removeprefix("_said_by_")
    said = list(said_by(path))
    revealed = {line: _revealed(message) for line, _, message in said if _revealed(message)}
    errors = {line for line, is_error, _ in said if is_error}
    lines = list(enumerate(path.read_text().splitlines(), 1))
    expected = {
        line: text.partition("# reveals: ")[2] for line, text in lines if "# reveals: " in text
    }
    refused = {line for line, text in lines if re.search(f"# error: (both|{checker})$", text)}
    assert expected
    assert revealed == expected
    assert errors == refused, [each for each in said if each[0] in errors ^ refused]
