"""The framework: the extension points, the registries and the applications.

An application can override each of the three generic functions. The framework's
own implementations are in ``defaults``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import reg

from .models import Model, Text, Unknown

_C = TypeVar("_C", bound=type[Model])
_F = TypeVar("_F", bound=Callable[..., Any])


class Target:
    """The medium for which a model is rendered.

    :param view: the name of a view; the unnamed one shows all there is.

    The view ``summary`` is one line of plain text on every target.
    """

    def __init__(self, view: str = "") -> None:
        self.view = view
        #: why an implementation could not do it, and called the next one
        self.fell_back: list[str] = []

    def message(self, text: str) -> Any:
        """Make a text into a result of ``render`` for this target."""
        return text


class Terminal(Target):
    """Implementations return objects that ``rich`` can print."""


class HTML(Target):
    """Implementations return HTML, and must escape all content of files.

    :param url: gives the address of the page of another path, relative to the
      one that is rendered; ``None`` if it is not on the site.
    :param original: does so for the file itself, which is copied to the site.
    """

    def __init__(
        self,
        view: str = "",
        url: Callable[[Path], str | None] = lambda path: None,
        original: Callable[[Path], str | None] = lambda path: None,
    ) -> None:
        super().__init__(view)
        self.url = url
        self.original = original

    def message(self, text: str) -> str:
        return f'<p class="message">{escape(text)}</p>'


@reg.generic
def model(path: Path) -> Model:
    """Make the model of a path. Its implementations are the model classes."""
    text = Text(path)
    return text if kind(path) == "file" and text.is_readable() else Unknown(path)


@reg.generic
def title(model: Model) -> str:
    """The title of a model in headings and links."""
    return model.name


@reg.generic
def render(model: Model, target: Target) -> Any:
    """Show a model: by its class, the class of the target, and the view's name."""
    return target.message(f"There is nothing to show of {model.name}.")


def kind(path: Path) -> str:
    """Classify a path without opening it: reading some special files takes for ever."""
    if path.is_symlink():
        return "link"
    return "directory" if path.is_dir() else "file" if path.is_file() else "special"


class Registry(reg.Registry):
    """A registry with decorators in the framework's own words."""

    def model(self, *suffixes: str, kind: str = "file") -> Callable[[_C], _C]:
        """Register a class as the model of files with one of these suffixes."""
        matcher = self._matcher(model, [Path], _PATH_PREDICATES)

        def register(cls: _C) -> _C:
            for suffix in suffixes or [reg.ANY]:
                matcher.register({"kind": kind, "suffix": suffix}, cls)
            return cls

        return register

    def view(self, model: type[Model], target: type[Target], name: str = "") -> Callable[[_F], _F]:
        """Register a function that renders a model for a target."""
        matcher = self._matcher(render, [model, target], _VIEW_PREDICATES)

        def register(function: _F) -> _F:
            matcher.register({"view": name}, function)
            return function

        return register

    def _matcher(
        self, key: Hashable, classes: list[type], predicates: Sequence[reg.Predicate]
    ) -> reg.PredicateMatcher:
        known: reg.PredicateMatcher | None = self.exact(key, classes)
        if known is not None:
            return known
        matcher = reg.PredicateMatcher(predicates)
        self.register(key, classes, matcher)
        return matcher


_PATH_PREDICATES = [
    reg.Predicate("kind", reg.KeyIndex, kind),
    reg.Predicate("suffix", reg.KeyIndex, lambda path: path.suffix.lower()),
]
_VIEW_PREDICATES = [reg.Predicate("view", reg.KeyIndex, lambda model, target: target.view)]

#: The framework's own implementations, behind those of every application.
registry = Registry(name="framework")


class Application:
    """An application: its registry in front of the framework's.

    :param name: appears on its pages and in explanations.

    Registrations in its ``registry`` come first. An application without any is
    the framework as it comes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.registry = Registry(name=name)
        self.lookup = reg.Lookup(reg.ListClassLookup([self.registry, registry]))
