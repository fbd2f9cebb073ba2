"""The docstring that users of a host see: the host's, with the parameters of backends.

A parser reads the docstring of a backend. In the host's docstring only the places are looked
for where lines are put in: the rest stays as it is, byte for byte, in each of three styles.
"""

from __future__ import annotations

import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import docstring_parser

__all__ = ["Documentation", "documentation_of", "documented"]

_UNDERLINE = re.compile(r"\s*-{3,}\s*$")
_GOOGLE_HEADER = re.compile(r"\s*(Args|Arguments|Parameters|Params):\s*$")
_GOOGLE_OTHER = re.compile(r"\s*Other Parameters:\s*$")
_FIELD = re.compile(r"\s*:(param|parameter|arg|argument|key|keyword|type)\s[^:]*:")


class Documentation(NamedTuple):
    """The documentation of a parameter."""

    type: str = ""
    description: str = ""
    #: the backends that have the parameter; none for a parameter of the host
    backends: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.type or self.description)

    def joined(self, other: Documentation) -> Documentation:
        """Add the backends of another, and its documentation if this one is empty."""
        backends = tuple(dict.fromkeys((*self.backends, *other.backends)))
        return (self or other)._replace(backends=backends)


def documentation_of(implementation: Any) -> dict[str, Documentation]:
    """Read the documentation of the parameters of an implementation.

    :param implementation: the function.
    :return: by name; empty if its docstring is empty or cannot be read.
    """
    text = inspect.getdoc(implementation)
    if not text:
        return {}
    try:
        parsed = docstring_parser.parse(_with_dedented_sections(text))
    except docstring_parser.ParseError:
        return {}
    known: dict[str, Documentation] = {}
    for parameter in parsed.params:
        for name in parameter.arg_name.split(","):
            known[name.strip().lstrip("*")] = Documentation(
                parameter.type_name or "", parameter.description or ""
            )
    return known


def _with_dedented_sections(text: str) -> str:
    """Dedent the bodies of numpydoc sections, which some write one level below the header."""
    lines = text.splitlines()
    headers = [i - 1 for i, line in enumerate(lines) if i and _UNDERLINE.match(line)]
    for start, end in itertools.pairwise([*headers, len(lines)]):
        lines[start + 2 : end] = textwrap.dedent("\n".join(lines[start + 2 : end])).split("\n")
    return "\n".join(lines)


def documented(
    text: str | None,
    own: Mapping[str, Documentation],
    other: Mapping[str, Documentation],
) -> str | None:
    """Put parameters into a docstring.

    :param text: the docstring; one without a section of parameters stays as it is.
    :param own: parameters by name, for the end of that section.
    :param other: parameters by name, for *Other Parameters*, which is made if missing.
    :return: the new docstring.
    """
    if not text:
        return text
    lines = text.splitlines(keepends=True)
    for find in (_numpydoc, _google, _fields):
        style = find(lines)
        if style is not None:
            return style.write(lines, own, other)
    return text


class _Style(NamedTuple):
    """The style of a docstring, and the ends of its sections."""

    #: the line behind the last parameter
    end: int
    #: the line behind the last of the other parameters; ``None`` without such a section
    other: int | None
    #: writes one parameter
    entry: Callable[[str, Documentation], list[str]]
    #: the first lines of a section of other parameters
    header: tuple[str, ...]

    def write(
        self,
        lines: list[str],
        own: Mapping[str, Documentation],
        other: Mapping[str, Documentation],
    ) -> str:
        first = [line for name, one in own.items() for line in self.entry(name, one)]
        second = [line for name, one in other.items() for line in self.entry(name, one)]
        if second and self.other is None:
            first += [*self.header, *second]
        result = list(lines)
        if second and self.other is not None:
            _put(result, self.other, second)
        _put(result, self.end, first)
        return "".join(result)


def _put(lines: list[str], index: int, new: Iterable[str]) -> None:
    """Insert lines behind one that may not end in a newline."""
    added = [f"{line}\n" for line in new]
    if added and not lines[index - 1].endswith("\n"):
        added = ["\n", *added]
        added[-1] = added[-1][:-1]
    lines[index:index] = added


def _numpydoc(lines: list[str]) -> _Style | None:
    start = _underlined(lines, "Parameters")
    if start is None:
        return None
    indent = _indent(lines[start])

    def entry(name: str, documentation: Documentation) -> list[str]:
        kind = f" : {documentation.type}" if documentation.type else ""
        return [
            f"{indent}{_marked(name, documentation)}{kind}",
            *_described(f"{indent}    ", documentation),
        ]

    other = _underlined(lines, "Other Parameters")
    header = ("", f"{indent}Other Parameters", f"{indent}----------------")
    end = _numpydoc_end(lines, start)
    return _Style(end, None if other is None else _numpydoc_end(lines, other), entry, header)


def _underlined(lines: list[str], title: str) -> int | None:
    for index, line in enumerate(lines[:-1]):
        if line.strip() == title and _UNDERLINE.match(lines[index + 1]):
            return index
    return None


def _numpydoc_end(lines: list[str], start: int) -> int:
    """The line behind the last one of a section that is not blank."""
    end = next(
        (
            index
            for index in range(start + 2, len(lines) - 1)
            if lines[index].strip() and _UNDERLINE.match(lines[index + 1])
        ),
        len(lines),
    )
    return _behind_text(lines, start, end)


def _google(lines: list[str]) -> _Style | None:
    start = _matching(lines, _GOOGLE_HEADER)
    if start is None:
        return None
    indent = _indent(lines[start])
    first = next((line for line in lines[start + 1 :] if line.strip()), "")
    inner = _indent(first) if len(_indent(first)) > len(indent) else f"{indent}    "

    def entry(name: str, documentation: Documentation) -> list[str]:
        if not documentation:
            return [f"{inner}{_marked(name, documentation)}:"]
        if not documentation.backends:
            kind = f" ({documentation.type})" if documentation.type else ""
            first, *more = _described("", documentation) or [""]
            written = [f"{inner}{name}{kind}: {first}".rstrip()]
        else:
            kind = f"``{documentation.type}``. " if documentation.type else ""
            first, *more = _described("", documentation) or [""]
            written = [f"{inner}{_marked(name, documentation)}: {kind}{first}".rstrip()]
        return [*written, *(f"{inner}    {line}".rstrip() for line in more)]

    other = _matching(lines, _GOOGLE_OTHER)
    end = _google_end(lines, start)
    return _Style(
        end,
        None if other is None else _google_end(lines, other),
        entry,
        ("", f"{indent}Other Parameters:"),
    )


def _google_end(lines: list[str], start: int) -> int:
    depth = len(_indent(lines[start]))
    end = next(
        (
            index
            for index in range(start + 1, len(lines))
            if lines[index].strip() and len(_indent(lines[index])) <= depth
        ),
        len(lines),
    )
    return _behind_text(lines, start, end)


def _fields(lines: list[str]) -> _Style | None:
    last = None
    for index, line in enumerate(lines):
        if _FIELD.match(line):
            last = index
    if last is None:
        return None
    indent = _indent(lines[last])
    end = last + 1
    while end < len(lines) and lines[end].strip() and len(_indent(lines[end])) > len(indent):
        end += 1

    def entry(name: str, documentation: Documentation) -> list[str]:
        marker = f" ({', '.join(documentation.backends)})" if documentation.backends else ""
        if not documentation:
            return [f"{indent}:param {name}:{marker}"]
        first, *more = _described("", documentation) or [""]
        written = [f"{indent}:param {name}:{marker} {first}".rstrip()]
        written += [f"{indent}    {line}".rstrip() for line in more]
        if documentation.type:
            written.append(f"{indent}:type {name}: {documentation.type}")
        return written

    return _Style(end, None, entry, ())


def _matching(lines: list[str], pattern: re.Pattern[str]) -> int | None:
    return next((index for index, line in enumerate(lines) if pattern.match(line)), None)


def _behind_text(lines: list[str], start: int, end: int) -> int:
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _marked(name: str, documentation: Documentation) -> str:
    return f"{name} ({', '.join(documentation.backends)})" if documentation.backends else name


def _described(indent: str, documentation: Documentation) -> list[str]:
    return [f"{indent}{line}".rstrip() for line in documentation.description.splitlines()]
