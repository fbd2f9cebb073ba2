"""The command ``reg``, or ``python -m reg``: look into registries and at installed backends."""

from __future__ import annotations

import argparse
import ast
import builtins
import json
import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

try:
    from .. import __version__
except ImportError:
    sys.exit(
        "reg: the distribution reg, another library, has overwritten files of reg-dispatch:"
        " run 'pip uninstall reg reg-dispatch', and install the one that you use"
    )
from .._build import build
from ..implicit import implicit
from ..lookup import Lookup
from . import backends_command
from .browse import write
from .check import check
from .explain import explain_call
from .listing import Registrations
from .provenance import is_lookup
from .targets import TargetError, import_target
from .usage import UsageError, show, such_as

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *given: object) -> NoReturn:
        print(f"reg {__version__} ({build})")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :param arguments: the words behind its name; ``None`` for the words that were typed.
    :return: 0; 1 if a check has findings; 2 if the command was typed wrong.
    """
    directory = os.getcwd()
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        options = _parser().parse_args(arguments)
        status: int = options.run(options)
    except (UsageError, TargetError) as error:
        print(f"reg: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has closed the pipe. Nothing may be left to be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="reg",
        description="Look into registries of generic functions, and at installed backends.",
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="show the version and the build, and exit"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    explain = commands.add_parser("explain", help="show which implementation is found, and why")
    _add_arguments_of_explain(explain)
    explain.set_defaults(run=_explain)
    listing = commands.add_parser("list", help="list the registrations with their places")
    listing.add_argument("target", help="a registry or lookup, as package.module:name")
    listing.set_defaults(run=_list)
    checking = commands.add_parser("check", help="find mistakes in the registrations")
    checking.add_argument("target", help="a registry or lookup, as package.module:name")
    checking.add_argument(
        "--accept", action="append", default=[], help="a kind of finding, or kind:name of a key"
    )
    checking.set_defaults(run=_check)
    browsing = commands.add_parser("browse", help="write a page that shows all registrations")
    _add_arguments_of_browse(browsing)
    browsing.set_defaults(run=_browse)
    backends = commands.add_parser("backends", help="list the installed backends of a host")
    backends_command.add_arguments(backends)
    backends.set_defaults(run=backends_command.run)
    for command, formats in (
        (explain, ["text", "table", "json", "dot"]),
        (listing, ["text", "table", "json", "dot"]),
        (checking, ["text", "json"]),
        (backends, ["text", "table", "json", "html"]),
    ):
        command.add_argument(
            "--format",
            choices=formats,
            help="by default text; on a terminal a table, if rich is installed"
            if "table" in formats
            else "by default text",
        )
    return parser


def _add_arguments_of_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("generic", help="a generic function, as package.module:name")
    parser.add_argument(
        "classes",
        nargs="*",
        metavar="CLASS",
        help="a class, by its name in that module or in Python, or as module:name",
    )
    parser.add_argument("--lookup", help="where to look, as package.module:name")
    parser.add_argument(
        "--predicate",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a predicate, so that matchers are asked: a literal of Python, or text",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="show all registrations for other classes, and not only the closest",
    )


def _add_arguments_of_browse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", help="a registry or lookup, as package.module:name")
    parser.add_argument(
        "--output",
        metavar="FILE",
        default="registrations.html",
        help="the page, which is replaced; by default %(default)s in the current directory",
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser")


def _explain(options: argparse.Namespace) -> int:
    generic = import_target(options.generic)
    lookup = implicit.lookup if options.lookup is None else import_target(options.lookup)
    if lookup is None:
        hint = such_as(options.generic, None, is_lookup)
        raise UsageError(f"there is no implicit lookup; add --lookup package.module:name{hint}")
    if not isinstance(lookup, Lookup):
        lookup = Lookup(_class_lookup(options.lookup or "the implicit lookup", lookup))
    classes = tuple(_class(name, options.generic) for name in options.classes)
    try:
        resolution = explain_call(lookup, generic, classes, _predicates(options.predicate))
    except ValueError as error:
        raise UsageError(str(error)) from error
    if resolution.fallback is None and not (resolution.candidates or resolution.inapplicable):
        raise UsageError(
            f"{options.generic} is not a generic function, and nothing is registered under it;"
            " type the name of one"
        )
    show(
        options.format,
        text=lambda: resolution.as_text(all=options.all),
        table=lambda: resolution.as_table(all=options.all),
        json=resolution.as_dict,
        dot=resolution.as_dot,
    )
    return 0


def _predicates(given: list[str]) -> dict[str, Any] | None:
    """Read the values of predicates; ``None`` if none were given."""
    predicates = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not (name and equals):
            raise UsageError(f"{word!r} is not a predicate with its value; type NAME=VALUE")
        try:
            predicates[name] = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            predicates[name] = text
    return predicates or None


def _list(options: argparse.Namespace) -> int:
    target = _class_lookup(options.target, import_target(options.target))
    try:
        registrations = Registrations(target)
    except ValueError as error:
        raise UsageError(str(error)) from error
    show(
        options.format or (None if registrations else "text"),
        text=registrations.__str__,
        table=registrations.as_table,
        json=registrations.as_data,
        dot=registrations.as_dot,
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    target = _class_lookup(options.target, import_target(options.target))
    try:
        findings = check(target, accept=options.accept)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if options.format == "json":
        print(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(finding)
        print(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0


def _browse(options: argparse.Namespace) -> int:
    target = _class_lookup(options.target, import_target(options.target))
    path = Path(options.output)
    try:
        summary = write(target, path, title=options.target)
    except ValueError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(
            f"cannot write {options.output!r} ({error.strerror}); type --output with the name of a"
            " file in a directory that exists"
        ) from error
    print(f"{path}: {summary}")
    if options.open and not webbrowser.open(path.resolve().as_uri()):
        raise UsageError(f"no browser was found; open {path.resolve()}")
    return 0


def _class(name: str, generic: str) -> type:
    """Find the class of a name beside a generic function, in Python, or by its module."""
    if ":" in name:
        value = import_target(name)
    else:
        module = generic.partition(":")[0]
        value = vars(sys.modules[module]).get(name, vars(builtins).get(name))
        if value is None:
            raise UsageError(
                f"there is no {name!r} in {module}, nor in Python; type a class as"
                " package.module:Name"
            )
    if not isinstance(value, type):
        raise UsageError(f"{name!r} is not a class; type a class as package.module:Name")
    return value


def _class_lookup(target: str, value: Any) -> Any:
    if not is_lookup(value):
        hint = such_as(target, value, is_lookup)
        raise UsageError(f"{target} is not a registry or lookup; type the name of one{hint}")
    return value
