"""Publish a directory: make a site of it, and tell what rendered what.

    python docs/examples/publish.py docs
    python docs/examples/publish.py docs --application handbook --output /tmp/site
    python docs/examples/publish.py docs/index.rst --terminal

The framework and the two applications that this runs are in ``publishing``.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

try:
    from publishing.framework import Terminal, model, render
    from publishing.handbook import application as handbook
    from publishing.models import Model
    from publishing.plain import application as plain
    from publishing.site import Rendered, publish
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    import reg
except ModuleNotFoundError as error:
    sys.exit(f"{error}: the example needs what comes with pip install '.[examples]'")

APPLICATIONS = {application.name: application for application in (plain, handbook)}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    application = APPLICATIONS[options.application]
    console = Console()
    if options.terminal:
        with reg.implicit.using(application.lookup):
            try:
                console.print(render(model(options.directory), Terminal()))
            except (OSError, ValueError) as error:
                return _failed(error)
        return 0
    try:
        rendered = publish(application, options.directory, options.output, options.skip)
    except (OSError, ValueError) as error:
        return _failed(error)
    console.print(report(rendered))
    fell_back = sum(bool(each.fell_back) for each in rendered)
    console.print(
        f"{application.name} published {len(rendered)} files and directories,"
        f" of which {fell_back} fell back.",
        f"The site begins at {options.output / 'index.html'}",
        sep="\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    return 0


def report(rendered: Sequence[Rendered]) -> Table:
    """Tabulate which implementation rendered what, and what fell back."""
    table = Table("File", "Model", "Rendered by", "Fell back because", box=SIMPLE_HEAD)
    for column in table.columns:
        column.overflow = "fold"
    for each in rendered:
        indentation = "  " * min(len(each.path.parts) - 1, 8)
        implementation = "render" if each.implementation is None else _name(each.implementation)
        reason = "".join(c if c.isprintable() else " " for c in "; ".join(each.fell_back))
        table.add_row(
            Text(indentation + (Model(Path(each.path)).name or ".")),
            Text(type(each.model).__name__),
            Text(implementation, style="" if each.implementation else "yellow"),
            Text(reason, style="yellow"),
        )
    return table


def _name(implementation: object) -> str:
    module = inspect.getmodule(implementation)
    package = "" if module is None else module.__name__.rpartition(".")[2]
    return f"{package}.{getattr(implementation, '__qualname__', implementation)}"


def _failed(error: Exception) -> int:
    print(f"publish.py: {error}", file=sys.stderr)
    return 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Publish a directory as an HTML site.")
    parser.add_argument("directory", type=Path, help="what to publish")
    parser.add_argument(
        "--application",
        choices=sorted(APPLICATIONS),
        default="plain",
        help="decides how things are rendered (default: %(default)s)",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("site"), help="where to (default: ./%(default)s)"
    )
    parser.add_argument(
        "--skip",
        action="append",
        default=[".*", "__pycache__"],
        metavar="PATTERN",
        help="leave out such names, besides hidden ones and __pycache__",
    )
    parser.add_argument(
        "--terminal", action="store_true", help="show a file here instead of writing a site"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
