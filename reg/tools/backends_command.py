"""The command ``reg backends``: the backends that are installed for a host, and its functions."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib.metadata
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from .backend_functions import FunctionTable, VerifiedList, html_page
from .formats import html_table, rich_table
from .tables import aligned, wrapped
from .targets import describe_error, import_target
from .usage import UsageError, show, such_as

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["BackendList", "add_arguments", "run"]

_HEADINGS = ("backend", "aliases", "entry point", "distribution", "trusted", "outcome")


class _Installed(Protocol):
    """An installed backend, as a dispatcher of backends describes it."""

    @property
    def name(self) -> str | None: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...
    @property
    def entry_point(self) -> str: ...
    @property
    def distribution(self) -> str | None: ...
    @property
    def version(self) -> str | None: ...
    @property
    def trusted(self) -> bool | None: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reasons(self) -> tuple[str, ...]: ...
    @property
    def declared_functions(self) -> tuple[str, ...]: ...
    @property
    def declared_array_types(self) -> tuple[str, ...]: ...
    def as_dict(self) -> dict[str, Any]: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=["functions", "verify"],
        help="functions: list the functions of the host, with the backends that implement them;"
        " verify: compare the declarations of backends with the backends",
    )
    parser.add_argument(
        "host",
        metavar="GROUP",
        help="the group of their entry points; or the host's dispatcher, as package.module:name,"
        " which knows whom the host trusts",
    )
    parser.add_argument(
        "--no-load",
        dest="load",
        action="store_false",
        help="import none of them, and show their metadata only",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command.

    :param options: the parsed arguments.
    :return: 0; 1 if a backend is not as it declares.
    :raises UsageError: if the host is not named correctly, or does not load.
    """
    dispatcher = _dispatcher(options.host)
    if options.action == "verify":
        return _verify(dispatcher, options)
    if options.load:
        _discover(dispatcher)
    if options.action == "functions":
        return _functions(dispatcher, options)
    installed, unknown = dispatcher.installed(), "unknown"
    if ":" not in options.host:
        # Only a host knows whom it trusts.
        installed = [backend._replace(trusted=None) for backend in installed]
        unknown = "no host given"
    backends = BackendList(dispatcher.entrypoint_group, installed, unknown)
    show(
        options.format or (None if backends else "text"),
        text=backends.__str__,
        table=backends.as_table,
        json=backends.as_data,
        html=backends.as_html,
    )
    return 0


def _verify(dispatcher: Any, options: argparse.Namespace) -> int:
    if options.format not in (None, "text", "json") or not options.load:
        raise UsageError("verify loads the backends, and shows text or json; type it without that")
    _discover(dispatcher)
    verified = VerifiedList(dispatcher.verify())
    show(options.format, text=verified.__str__, json=verified.as_data)
    return 1 if verified.has_problems else 0


def _functions(dispatcher: Any, options: argparse.Namespace) -> int:
    if ":" not in options.host:
        raise UsageError(
            "only a host knows its functions; type the name of its dispatcher, such as"
            " package.module:dispatcher"
        )
    left_out = [
        f"{row.entry_point} ({row.distribution or 'unknown'}) is left out: {row.outcome}"
        for row in dispatcher.installed()
        if row.outcome not in ("loaded", "not loaded")
    ]
    table = FunctionTable(dispatcher.implementations(), left_out)
    show(
        options.format,
        text=table.__str__,
        table=table.as_table,
        json=table.as_data,
        html=table.as_html,
    )
    return 0


class BackendList:
    """The backends that are installed for a host.

    :param group: the group of their entry points.
    :param backends: the backends.
    :param unknown: shown where it is not known whether a backend is trusted.
    """

    def __init__(self, group: str, backends: Iterable[_Installed], unknown: str) -> None:
        self._group = group
        self._title = f"backends in the group {group}"
        self._unknown = unknown
        self._backends = sorted(backends, key=lambda backend: backend.name or backend.entry_point)

    def __len__(self) -> int:
        return len(self._backends)

    def __str__(self) -> str:
        if not self._backends:
            groups = importlib.metadata.entry_points().groups
            close = difflib.get_close_matches(self._group, groups, 1)
            hint = f"; there are some in {close[0]!r}" if close else ""
            return f"no distribution has entry points in the group {self._group!r}{hint}"
        rows = map(self._cells, self._backends)
        heading, *shown = aligned([_HEADINGS, *rows], (30, 30, 30, 40, 13, 10))
        lines = [heading]
        for line, backend in zip(shown, self._backends, strict=True):
            lines.append(line)
            for reason in (*backend.reasons, *_declarations(backend)):
                lines += wrapped(reason, " " * 8)
        return "\n".join(lines)

    def as_table(self) -> Table:
        """Make a table for rich.

        :return: the table.
        :raises ImportError: if rich is not installed.
        """
        return rich_table(self._title, (*_HEADINGS, "why"), self._long_rows())

    def as_html(self) -> str:
        """Make a page of it, which needs no other file."""
        rows = [("", row) for row in self._long_rows()]
        return html_page(self._title, html_table(self._title, (*_HEADINGS, "why"), rows), ())

    def _long_rows(self) -> list[tuple[str, ...]]:
        return [
            (*self._cells(backend), "\n".join([*backend.reasons, *_declarations(backend)]))
            for backend in self._backends
        ]

    def as_data(self) -> list[dict[str, Any]]:
        """Convert it to data.

        :return: a dictionary for each backend, with values that JSON has.
        """
        return [backend.as_dict() for backend in self._backends]

    def _cells(self, backend: _Installed) -> tuple[str, ...]:
        trusted = {True: "yes", False: "no", None: self._unknown}[backend.trusted]
        distribution = " ".join(filter(None, (backend.distribution or "unknown", backend.version)))
        names = (backend.name or "?", ", ".join(backend.aliases), backend.entry_point)
        return (*names, distribution, trusted, backend.outcome)


def _declarations(backend: _Installed) -> list[str]:
    lines = []
    if backend.declared_functions:
        lines.append(f"declares {', '.join(backend.declared_functions)}")
    if backend.declared_array_types:
        lines.append(f"declares that it owns {', '.join(backend.declared_array_types)}")
    return lines


def _dispatcher(host: str) -> Any:
    """Find the dispatcher of a host, or make one for a group that trusts all."""
    try:
        from ..backends import BackendDispatcher
    except ImportError as error:
        raise UsageError(str(error)) from error
    if ":" in host:
        dispatcher = import_target(host)
        if not isinstance(dispatcher, BackendDispatcher):
            hint = such_as(host, dispatcher, lambda value: isinstance(value, BackendDispatcher))
            raise UsageError(
                f"{host} is no dispatcher of backends; type a group of entry points, or the name"
                f" of a dispatcher{hint}"
            )
        return dispatcher
    if not host.strip():
        raise UsageError("a group of entry points has a name; type that")
    return BackendDispatcher(entrypoint_group=host, host_name=host, untrusted="allow")


def _discover(dispatcher: Any) -> None:
    """Load all backends of a host. Their output goes to the standard error."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        # The reasons of all warnings stand beside the backends in the list.
        warnings.simplefilter("ignore")
        try:
            dispatcher.discover()
        except (Exception, SystemExit) as error:
            raise UsageError(
                f"the backends cannot be loaded ({describe_error(error)}); type --no-load to list"
                " them nevertheless"
            ) from error
