"""The command ``reg``, or ``python -m reg``: look into registries and at installed backends."""

from __future__ import annotations

import argparse
import builtins
import contextlib
import json
import os
import sys
import tomllib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .._observers import Observable
from ..implicit import implicit
from ..lookup import Lookup
from .check import check
from .formats import as_table
from .listing import Backends, Registrations
from .targets import TargetError, imported, one_line

__all__ = ["main"]


class _UsageError(Exception):
    """What was typed cannot be done; the message says what to type instead."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message}; see {self.prog} --help")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *given: object) -> NoReturn:
        # Read only here: it takes longer than all else.
        from importlib.metadata import version

        print(f"reg {version('reg')}")
        parser.exit()


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
    except (_UsageError, TargetError) as error:
        print(f"reg: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever reads has seen enough; and nothing is left to be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="reg",
        description="Look into registries of generic functions, and at installed backends.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    explain = commands.add_parser("explain", help="tell which implementation is found, and why")
    explain.add_argument("generic", help="a generic function, as package.module:name")
    explain.add_argument(
        "classes",
        nargs="*",
        metavar="CLASS",
        help="a class, by its name in that module or in Python, or as module:name",
    )
    explain.add_argument("--lookup", help="where to look, as package.module:name")
    explain.set_defaults(run=_explain)
    listing = commands.add_parser("list", help="list what is registered, with places")
    listing.add_argument("target", help="a registry or lookup, as package.module:name")
    listing.set_defaults(run=_list)
    checking = commands.add_parser("check", help="find mistakes in what is registered")
    checking.add_argument("target", help="a registry or lookup, as package.module:name")
    checking.add_argument(
        "--accept", action="append", default=[], help="a kind of finding, or kind:name of a key"
    )
    checking.set_defaults(run=_check)
    backends = commands.add_parser("backends", help="list the installed backends of a host")
    backends.add_argument(
        "host",
        metavar="GROUP",
        help="the group of their entry points; or the host's dispatcher, as package.module:name,"
        " which knows whom the host trusts",
    )
    backends.add_argument(
        "--no-load",
        dest="load",
        action="store_false",
        help="import none of them, and tell what their metadata say",
    )
    backends.set_defaults(run=_backends)
    for command, formats in (
        (explain, ["text", "table", "json", "dot"]),
        (listing, ["text", "table", "json", "dot"]),
        (checking, ["text", "json"]),
        (backends, ["text", "table", "json"]),
    ):
        command.add_argument(
            "--format",
            choices=formats,
            help="by default text; on a terminal a table, if rich is installed"
            if "table" in formats
            else "by default text",
        )
    return parser


def _explain(options: argparse.Namespace) -> int:
    generic = imported(options.generic)
    lookup = implicit.lookup if options.lookup is None else imported(options.lookup)
    if lookup is None:
        hint = _such_as(options.generic, None, Observable)
        raise _UsageError(f"there is no implicit lookup; add --lookup package.module:name{hint}")
    if not isinstance(lookup, Lookup):
        lookup = Lookup(_class_lookup(options.lookup or "the implicit lookup", lookup))
    classes = [_class(name, options.generic) for name in options.classes]
    resolution = lookup.explain_classes(generic, classes)
    if resolution.fallback is None and not (resolution.candidates or resolution.misfits):
        raise _UsageError(
            f"{options.generic} is no generic function, and nothing is registered under it; type"
            " the name of one"
        )
    _show(
        options.format,
        text=resolution.__str__,
        table=lambda: as_table(resolution),
        json=resolution.as_dict,
        dot=resolution.as_dot,
    )
    return 0


def _list(options: argparse.Namespace) -> int:
    found = Registrations(_class_lookup(options.target, imported(options.target)))
    _show(
        options.format or (None if found else "text"),
        text=found.__str__,
        table=found.as_table,
        json=found.as_data,
        dot=found.as_dot,
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    target = _class_lookup(options.target, imported(options.target))
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


def _backends(options: argparse.Namespace) -> int:
    try:
        from ..backends import BackendDispatcher
    except ImportError as error:
        raise _UsageError(str(error)) from error
    if ":" in options.host:
        dispatcher = imported(options.host)
        if not isinstance(dispatcher, BackendDispatcher):
            hint = _such_as(options.host, dispatcher, BackendDispatcher)
            raise _UsageError(
                f"{options.host} is no dispatcher of backends; type a group of entry points, or the"
                f" name of a dispatcher{hint}"
            )
    elif options.host.strip():
        dispatcher = BackendDispatcher(
            entrypoint_group=options.host, host_name=options.host, untrusted="allow"
        )
    else:
        raise _UsageError("a group of entry points has a name; type that")
    if options.load:
        _discover(dispatcher)
    installed, unknown = dispatcher.installed(), "unknown"
    if ":" not in options.host:
        # Only a host can say whom it trusts.
        installed = [each._replace(trusted=None) for each in installed]
        unknown = "no host given"
    found = Backends(dispatcher.entrypoint_group, installed, unknown)
    _show(
        options.format or (None if found else "text"),
        text=found.__str__,
        table=found.as_table,
        json=found.as_data,
    )
    return 0


def _discover(dispatcher: Any) -> None:
    """Load all backends of a host. What they say meanwhile is not what was asked for."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        # What there is to warn of stands beside each in the list.
        warnings.simplefilter("ignore")
        try:
            dispatcher.discover()
        except (Exception, SystemExit) as error:
            raise _UsageError(
                f"the backends cannot be loaded ({one_line(error)}); type --no-load to list them"
                " nevertheless"
            ) from error


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


def _class(name: str, generic: str) -> type:
    """The class that is meant where a generic function is explained."""
    if ":" in name:
        found = imported(name)
    else:
        module = generic.partition(":")[0]
        found = vars(sys.modules[module]).get(name, vars(builtins).get(name))
        if found is None:
            raise _UsageError(
                f"there is no {name!r} in {module}, nor in Python; type a class as"
                " package.module:Name"
            )
    if not isinstance(found, type):
        raise _UsageError(f"{name!r} is no class; type a class as package.module:Name")
    return found


def _class_lookup(target: str, found: Any) -> Any:
    if not isinstance(found, Observable):
        hint = _such_as(target, found, Observable)
        raise _UsageError(f"{target} is no registry or lookup; type the name of one{hint}")
    return found


def _such_as(target: str, found: object, kind: type) -> str:
    """What of that kind there is in something, or beside it in its module, as a hint."""
    module = target.partition(":")[0]
    places = [(f"{target}.", found), (f"{module}:", sys.modules.get(module))]
    for prefix, place in places:
        for name, value in getattr(place, "__dict__", {}).items():
            if issubclass(type(value), kind) and not name.startswith("_"):
                return f", such as {prefix}{name}"
    return ""


def _show(format: str | None, **ways: Callable[[], Any]) -> None:
    """Show something in the format that was asked for.

    :param format: if it is ``None``, a table where there is a terminal to show
      it and rich to make it; else text.
    :param ways: makes what is to be shown, by format.
    """
    if format == "table" or (format is None and sys.stdout.isatty()):
        try:
            table = ways["table"]()
            from rich.console import Console
        except ImportError as error:
            if format is not None:
                raise _UsageError(f"{error}; or type --format text") from error
        else:
            Console().print(table)
            return
    made = ways[format or "text"]()
    print(made if isinstance(made, str) else json.dumps(made, indent=2))
