"""Publish a directory as a website, with two applications built on one framework.

    python docs/examples/publish.py docs/examples/folder
    python docs/examples/publish.py docs --application handbook --output /tmp/site
    python docs/examples/publish.py docs/index.rst --terminal

It reports which implementation rendered each file. The framework and the applications are in
``publishing``.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

try:
    from publishing.framework import Application, Terminal, model, render
    from publishing.handbook import application as handbook
    from publishing.models import Model
    from publishing.plain import application as plain
    from publishing.site import Rendered, publish, publish_all
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    import reg
except ModuleNotFoundError as error:
    sys.exit(f"{error}: the example needs pip install '.[examples]'")

APPLICATIONS = {application.name: application for application in (plain, handbook)}
#: In place of an implementation: the generic function itself ran.
FALLBACK = "render"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        if options.terminal:
            _show(options.directory, APPLICATIONS[options.application or "plain"])
        else:
            _publish(options)
    except (OSError, ValueError) as error:
        print(f"publish.py: {error}", file=sys.stderr)
        return 1
    return 0


def _show(path: Path, application: Application) -> None:
    with reg.implicit.using(application.lookup):
        Console().print(render(model(path), Terminal()))


def _publish(options: argparse.Namespace) -> None:
    paths = options.directory, options.output, options.skip
    if options.application:
        application = APPLICATIONS[options.application]
        rendered = {application.name: publish(application, *paths)}
    else:
        rendered = publish_all(APPLICATIONS.values(), *paths)
    console = Console()
    console.print(report(rendered))
    lines = [*reasons(rendered), ""]
    for name, files in rendered.items():
        fell_back = sum(bool(file.fell_back) for file in files)
        lines.append(
            f"{name} published {len(files)} files and folders, {fell_back} by falling back."
        )
    lines.append(f"Open {options.output.resolve() / 'index.html'}")
    console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)


def report(rendered: Mapping[str, Sequence[Rendered]]) -> Table:
    """Tabulate which implementation rendered each file, with a column for each application.

    :param rendered: the rendered files by the name of the application.
    """
    table = Table("File", *rendered, box=SIMPLE_HEAD)
    for column in table.columns:
        column.overflow = "fold"
    by_path = [{file.path: file for file in files} for files in rendered.values()]
    for path in dict.fromkeys(path for files in by_path for path in files):
        names = [_name(files[path].implementation) if path in files else "" for files in by_path]
        style = "bold" if len(set(names)) > 1 else ""
        indentation = "  " * min(len(path.parts) - 1, 8)
        table.add_row(
            Text(indentation + (Model(Path(path)).name or ".")),
            *(Text(name, style="yellow" if name == FALLBACK else style) for name in names),
        )
    return table


def reasons(rendered: Mapping[str, Sequence[Rendered]]) -> Iterator[str]:
    """Give a line for each file that fell back, with the reasons."""
    lines = (
        f"{file.path} fell back: {'; '.join(file.fell_back)}"
        for files in rendered.values()
        for file in files
        if file.fell_back
    )
    for line in dict.fromkeys(lines):
        yield "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def _name(implementation: object) -> str:
    if implementation is None:
        return FALLBACK
    module = inspect.getmodule(implementation)
    package = "" if module is None else module.__name__.rpartition(".")[2]
    return f"{package}.{getattr(implementation, '__qualname__', implementation)}"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Publish a directory as an HTML site.")
    parser.add_argument("directory", type=Path, help="the directory to publish")
    parser.add_argument(
        "--application",
        choices=sorted(APPLICATIONS),
        help="publish with this one only (default: with both)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("site"),
        help="the folder for the site (default: ./%(default)s)",
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
