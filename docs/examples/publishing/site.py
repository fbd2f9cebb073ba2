"""Writing a directory as a site: a folder for each file, with a page for each of its views."""

from __future__ import annotations

import fnmatch
import functools
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path, PurePath
from typing import Any, NamedTuple
from urllib.parse import quote

from pygments.formatters import HtmlFormatter

import reg

from .framework import HTML, Application, kind, model, render, title
from .models import Directory, Model, Text, Unknown

#: Marks a folder as one that may be deleted and written anew.
MARK = ".published-with-reg"

# A file of this name would be taken for the page of its directory.
_RESERVED = re.compile(r"_*(index\.html|source\.html|\.published-with-reg)", re.IGNORECASE)


class Rendered(NamedTuple):
    """One file, the implementation that rendered it, and the reasons for falling back."""

    path: PurePath
    model: Model
    implementation: Callable[..., object] | None
    fell_back: list[str]


def publish(
    application: Application, directory: Path, output: Path, skip: Iterable[str] = ()
) -> list[Rendered]:
    """Write a directory as a site.

    :param application: decides how; its lookup is the implicit one meanwhile.
    :param directory: the directory to publish.
    :param output: the folder for the site; the result of an earlier run is replaced.
    :param skip: patterns for the names of files and directories to leave out.
    :return: each file and the implementation that rendered it, in the order of the paths.
    :raises ValueError: if writing there would destroy something else.
    """
    root, output = _prepared(directory, output)
    return _write(_Site(application, root, output, list(skip), output))


def publish_all(
    applications: Iterable[Application], directory: Path, output: Path, skip: Iterable[str] = ()
) -> dict[str, list[Rendered]]:
    """Write a directory as one site for each application, and a page that links to them.

    :param applications: the applications; each gets a folder of its name.
    :return: the result of :func:`publish` for each application, by its name.
    :raises ValueError: if writing there would destroy something else.
    """
    root, output = _prepared(directory, output)
    skip = list(skip)
    rendered = {
        application.name: _write(_Site(application, root, output / application.name, skip, output))
        for application in applications
    }
    links = (f'<li><a href="{quote(name)}/index.html">{escape(name)}</a>' for name in rendered)
    page = _START.format(name=escape(Model(root).name), style=_STYLE, links="".join(links))
    (output / "index.html").write_text(page, encoding="utf-8")
    return rendered


def _prepared(directory: Path, output: Path) -> tuple[Path, Path]:
    """Check both paths, and empty the output folder."""
    root, output = directory.resolve(), output.resolve()
    if not root.is_dir():
        raise ValueError(f"{directory} is not a directory")
    if root.is_relative_to(output):
        raise ValueError(f"a site in {output} would replace the directory to publish")
    if output.exists():
        if not output.is_dir() or (any(output.iterdir()) and not (output / MARK).exists()):
            raise ValueError(f"{output} is in the way: it is not empty, and no site is in it")
        shutil.rmtree(output)
    output.mkdir(parents=True)
    (output / MARK).touch()
    return root, output


def _write(site: _Site) -> list[Rendered]:
    with reg.implicit.using(site.application.lookup):
        return [site.write(path) for path in site.paths]


class _Site:
    """The site of one application.

    :param output: the folder for its pages.
    :param excluded: a folder that is not published, because sites are written there.
    """

    def __init__(
        self, application: Application, root: Path, output: Path, skip: list[str], excluded: Path
    ) -> None:
        self.application = application
        self._root = root
        self._output = output
        self._skip = skip
        self._excluded = excluded

    @functools.cached_property
    def paths(self) -> dict[Path, None]:
        """The paths to publish, in order. The models of the application decide which there are."""
        return dict.fromkeys(self._walk())

    def write(self, path: Path) -> Rendered:
        """Write the pages of a path. A file that fails does not stop the others."""
        found = model(path)
        target = self._target(path)
        implementation = render.component(found, target, default=None)
        try:
            pages = self._pages(found, render(found, target))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            target.fell_back.append(reason)
            implementation, found = None, Unknown(path)
            pages = self._pages(found, target.message(f"It could not be rendered. {reason}"))
        else:
            if implementation is None:
                target.fell_back.append(f"nothing is registered for {type(found).__name__}")
        try:
            folder = self._folder(path)
            folder.mkdir(parents=True, exist_ok=True)
            for filename, page in pages.items():
                (folder / filename).write_bytes(page.encode(errors="replace"))
        except OSError as error:
            target.fell_back.append(f"not written: {error.strerror}")
        return Rendered(path.relative_to(self._root), found, implementation, target.fell_back)

    def _walk(self) -> Iterator[Path]:
        below = [self._root]
        while below:
            path = below.pop()
            yield path
            found = model(path)
            if isinstance(found, Directory):
                try:
                    below += reversed([each for each in found.paths if self._is_wanted(each)])
                except OSError:
                    continue  # the page of the directory will say so

    def _is_wanted(self, path: Path) -> bool:
        return path != self._excluded and not any(
            fnmatch.fnmatch(path.name, pattern) for pattern in self._skip
        )

    def _pages(self, found: Model, content: str) -> dict[str, str]:
        """The pages of a model, by file name; text has one more for its source."""
        if not isinstance(found, Text):
            return {"index.html": self._page(found, content)}
        source = render(found, self._target(found.path, "source"))
        return {
            "index.html": self._page(found, content, '<a href="source.html">Source</a>'),
            "source.html": self._page(found, source, '<a href="index.html">Page</a>'),
        }

    def _page(self, found: Model, content: str, other: str = "") -> str:
        return _PAGE.format(
            title=escape(title(found)),
            kind=escape(type(found).__name__),
            summary=escape(render(found, HTML("summary"))),
            application=escape(self.application.name),
            trail="".join(self._trail(found.path)),
            other=other,
            style=_STYLE,
            content=content,
        )

    def _trail(self, path: Path) -> Iterator[str]:
        for parent in reversed(path.parents):
            if parent.is_relative_to(self._root):
                address = escape(self._url(path, parent))
                yield f'<a href="{address}">{escape(Model(parent).name)}</a>/'
        yield escape(Model(path).name)

    def _target(self, path: Path, view: str = "") -> HTML:
        return HTML(
            view,
            url=lambda to: self._url(path, _clean(to)) if _clean(to) in self.paths else None,
            original=lambda to: self._copy(path, _clean(to)),
        )

    def _folder(self, path: Path) -> Path:
        parts = path.relative_to(self._root).parts
        return self._output.joinpath(
            *(f"_{part}" if _RESERVED.fullmatch(part) else part for part in parts)
        )

    def _url(self, page: Path, to: Path, filename: str = "index.html") -> str:
        return quote(os.fsencode(os.path.relpath(self._folder(to) / filename, self._folder(page))))

    def _copy(self, page: Path, path: Path) -> str | None:
        if path not in self.paths or kind(path) != "file":
            return None
        copy = self._folder(path) / f"original{path.suffix}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        return self._url(page, path, copy.name)


def _clean(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _colours(style: str) -> str:
    formatter: Any = HtmlFormatter(style=style, nobackground=True)
    return str(formatter.get_style_defs([".source", ".code"]))


_STYLE = f"""
:root {{ color-scheme: light dark; --link: #0b57d0 }}
@media (prefers-color-scheme: dark) {{ :root {{ --link: #8ab4f8 }} }}
a {{ color: var(--link) }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }}
header {{ border-bottom: 1px solid #8886; margin-bottom: 1.5rem }}
header p, .message, figcaption {{ opacity: .9; margin: .25rem 0 }}
h1 {{ margin: .25rem 0; overflow-wrap: anywhere }}
img {{ max-width: 100%; height: auto }}
pre, .source {{ overflow-x: auto; font-size: .875rem }}
p, li, dd, td {{ overflow-wrap: anywhere }}
td {{ padding: .125rem 1rem .125rem 0; vertical-align: top }}
.linenos {{ opacity: .5; user-select: none; overflow-wrap: normal }}
.code td {{ overflow-wrap: normal }}
.system-message {{ border-left: 4px solid #c33; padding-left: 1rem }}
{_colours("default")}
@media (prefers-color-scheme: dark) {{
{_colours("github-dark")}
}}
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="script-src 'none'; object-src 'none'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<p>{trail}</p>
<h1>{title}</h1>
<p>{kind}, {summary} {other}</p>
</header>
<main>
{content}
</main>
<footer><p class="message">Published by {application}.</p></footer>
</body>
</html>
"""

_START = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name}, published twice</title>
<style>{style}</style>
</head>
<body>
<header><h1>{name}, published twice</h1></header>
<main>
<p>Two applications on one framework made a site of the same folder:</p>
<ul>{links}</ul>
</main>
</body>
</html>
"""
