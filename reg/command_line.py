"""The command ``reg``, or ``python -m reg``: explain, list and check what is registered."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .answers import Observed
from .checking import check
from .components import Registration
from .implicit import implicit
from .lookup import Lookup
from .origin import parts
from .registry import ClassRegistry
from .rendering import aligned
from .resolution import Resolution, class_names, full_name, short_name

__all__ = ["main"]


class _UsageError(Exception):
    """What was typed cannot be done; the message says what to type instead."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :param arguments: what was typed behind its name.
    :return: 0; 1 if a check found something; 2 if it was not used right.
    """
    directory = os.getcwd()
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        options = _parser().parse_args(arguments)
        status: int = options.run(options)
    except _UsageError as error:
        print(f"reg: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever reads has seen enough; and nothing is left to be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="reg", description="Look into registries of generic functions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    explain = commands.add_parser("explain", help="tell which implementation is found, and why")
    explain.add_argument("generic", help="a generic function, as package.module:name")
    explain.add_argument("classes", nargs="*", metavar="CLASS", help="a class; int, or module:name")
    explain.add_argument("--lookup", help="where to look, as package.module:name")
    explain.add_argument("--format", choices=["text", "json", "dot"], default="text")
    explain.set_defaults(run=_explain)
    listing = commands.add_parser("list", help="list what is registered, with places")
    listing.add_argument("target", help="a registry or lookup, as package.module:name")
    listing.add_argument("--format", choices=["text", "json", "dot"], default="text")
    listing.set_defaults(run=_list)
    checking = commands.add_parser("check", help="find mistakes in what is registered")
    checking.add_argument("target", help="a registry or lookup, as package.module:name")
    checking.add_argument(
        "--accept", action="append", default=[], help="a kind of finding, or kind:name of a key"
    )
    checking.add_argument("--format", choices=["text", "json"], default="text")
    checking.set_defaults(run=_check)
    return parser


def _explain(options: argparse.Namespace) -> int:
    generic = _imported(options.generic)
    lookup = implicit.lookup if options.lookup is None else _imported(options.lookup)
    if lookup is None:
        raise _UsageError("there is no implicit lookup; add --lookup package.module:name")
    if not isinstance(lookup, Lookup):
        lookup = Lookup(_class_lookup(options.lookup or "the implicit lookup", lookup))
    classes = [_class(name) for name in options.classes]
    resolution = lookup.explain_classes(generic, classes)
    if options.format == "json":
        print(json.dumps(resolution.as_dict(), indent=2))
    elif options.format == "dot":
        print(resolution.as_dot())
    else:
        _show(resolution)
    return 0


def _list(options: argparse.Namespace) -> int:
    found = _registrations(_class_lookup(options.target, _imported(options.target)))
    if options.format == "json":
        print(json.dumps([_as_dict(name, each) for name, each in found], indent=2))
    elif options.format == "dot":
        print(_as_dot(found))
    else:
        print(_as_text(found))
    return 0


def _check(options: argparse.Namespace) -> int:
    target = _class_lookup(options.target, _imported(options.target))
    try:
        findings = check(target, accept=[*_accepted_by_project(), *options.accept])
    except ValueError as error:
        raise _UsageError(str(error)) from error
    if options.format == "json":
        print(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(finding)
        print(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0


def _accepted_by_project() -> list[str]:
    """The kinds that ``accept`` in ``[tool.reg]`` of a ``pyproject.toml`` here names."""
    path = Path("pyproject.toml")
    if not path.exists():
        return []
    try:
        accept = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("reg", {})
        accept = accept.get("accept", [])
    except (tomllib.TOMLDecodeError, AttributeError) as error:
        raise _UsageError(f"pyproject.toml cannot be read: {error}") from error
    if not isinstance(accept, list) or not all(isinstance(each, str) for each in accept):
        raise _UsageError("accept in [tool.reg] of pyproject.toml must be a list of strings")
    return accept


def _imported(target: str) -> Any:
    """What a target such as ``package.module:name`` names."""
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise _UsageError(f"{target!r} names nothing; type package.module:name")
    try:
        found: Any = importlib.import_module(module)
    except Exception as error:
        raise _UsageError(
            f"cannot import {module!r} ({type(error).__name__}: {error}); type a module that can"
            " be imported from the current directory"
        ) from error
    for attribute in name.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            names = [each for each in dir(found) if not each.startswith("_")]
            raise _UsageError(
                f"{target!r} names nothing: there is no {attribute!r} among {', '.join(names)}"
            ) from None
    return found


def _class(name: str) -> type:
    found = _imported(name if ":" in name else f"builtins:{name}")
    if not isinstance(found, type):
        raise _UsageError(f"{name!r} is no class; type a class as package.module:Name")
    return found


def _class_lookup(target: str, found: Any) -> Any:
    if not isinstance(found, Observed):
        raise _UsageError(f"{target} is no registry or lookup; type the name of one")
    return found


def _registrations(lookup: Any) -> list[tuple[str, Registration]]:
    return [
        (part.name, registration)
        for part in parts(lookup)
        if isinstance(part.class_lookup, ClassRegistry)
        for registration in part.class_lookup.registrations()
    ]


def _as_text(found: list[tuple[str, Registration]]) -> str:
    by_key: dict[Any, list[tuple[str, Registration]]] = {}
    for name, registration in found:
        by_key.setdefault(registration.key, []).append((name, registration))
    lines = []
    for key, registered in by_key.items():
        lines.append(full_name(key))
        rows = [
            (
                f"  ({', '.join(map(short_name, each.classes))})",
                short_name(each.component),
                name,
                each.place.removeprefix(os.path.join(os.getcwd(), "")),
            )
            for name, each in registered
        ]
        lines += aligned(rows, (40, 40, 20, sys.maxsize))
    return "\n".join(lines) or "nothing is registered"


def _as_dict(name: str, registration: Registration) -> dict[str, Any]:
    return {
        "key": full_name(registration.key),
        "classes": class_names(registration.classes),
        "component": full_name(registration.component),
        "filename": registration.filename,
        "lineno": registration.lineno,
        "lookup": name,
    }


def _as_dot(found: list[tuple[str, Registration]]) -> str:
    lines = ["digraph registrations {", "  rankdir=LR;", "  node [shape=box];"]
    for name, registration in found:
        classes = ", ".join(map(short_name, registration.classes))
        ends = (full_name(registration.key), full_name(registration.component))
        # A JSON string is one of Graphviz too.
        key, component = map(json.dumps, ends)
        lines.append(f"  {key} -> {component} [label={json.dumps(f'({classes}) in {name}')}];")
    return "\n".join([*lines, "}"])


def _show(resolution: Resolution) -> None:
    """As a table where there is a terminal to show it and rich to make it; else as text."""
    if sys.stdout.isatty():
        try:
            from rich.console import Console
        except ImportError:
            pass
        else:
            Console().print(resolution)
            return
    print(resolution)
