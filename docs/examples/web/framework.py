"""A web framework: models below models, and views of them.

Three generic functions are the extension points. The framework's own
implementations are in ``registry``, and an application puts its own in front.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qs

import reg

_F = TypeVar("_F", bound=Callable[..., Any])


class Request:
    """A request to a model. Views are chosen by its class, ``name`` and ``method``."""

    def __init__(self, environ: dict[str, Any], name: str = "") -> None:
        self.environ = environ
        self.name = name
        method: str = environ.get("REQUEST_METHOD", "GET")
        self.method = "GET" if method == "HEAD" else method

    def form(self) -> dict[str, str]:
        length = int(self.environ.get("CONTENT_LENGTH") or 0)
        body = self.environ["wsgi.input"].read(length).decode(errors="replace")
        return {name: values[-1] for name, values in parse_qs(body).items()}


class HtmlRequest(Request):
    """A request of a browser."""


class JsonRequest(Request):
    """A request of a client that asks for JSON."""


@dataclass
class Response:
    body: str
    content_type: str = "text/html"
    status: HTTPStatus = HTTPStatus.OK
    headers: tuple[tuple[str, str], ...] = ()


class HTTPError(Exception):
    """A model like others: it is shown by a view."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    headers: tuple[tuple[str, str], ...] = ()


class NotFoundError(HTTPError):
    status = HTTPStatus.NOT_FOUND


class MethodNotAllowedError(HTTPError):
    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, allowed: list[str]) -> None:
        self.headers = (("Allow", ", ".join(allowed)),)


@reg.generic("model")
def child(model: Any, name: str) -> Any:
    """Find the model below another one; ``None`` if there is none of that name."""
    return None


def no_such_method(model: Any, request: Request) -> Any:
    """There are views of this name, but none for this method: tell which methods have one."""
    allowed = []
    for method in "DELETE", "GET", "POST", "PUT":
        predicates = {"name": request.name, "method": method}
        if view.component(model, request, predicates=predicates, default=None) is not None:
            allowed.append(method)
    raise MethodNotAllowedError(allowed)


@reg.generic(
    predicates=[
        reg.Predicate("name", calc=lambda model, request: request.name, default=""),
        reg.Predicate(
            "method",
            calc=lambda model, request: request.method,
            default="GET",
            fallback=no_such_method,
        ),
    ]
)
def view(model: Any, request: Request) -> Any:
    """Show a model; there is no such view."""
    raise NotFoundError


@reg.generic
def respond(result: Any, request: Request) -> Response:
    """Make a response of the result of a view."""
    raise TypeError(f"a view returned {result!r}, which nothing makes a response of")


class Registry(reg.Registry):
    """A registry with a decorator for views."""

    def view(
        self, model: type, request: type = HtmlRequest, name: str = "", method: str = "GET"
    ) -> Callable[[_F], _F]:
        return self.register(view, [model, request, reg.By(name=name, method=method)])


registry = Registry(name="framework")


@registry.implements(respond)
def as_it_is(result: Response, request: Request) -> Response:
    return result


@registry.implements(respond)
def html(result: str, request: Request) -> Response:
    return Response(f"<!doctype html>{result}")


@registry.implements(respond)
def data(result: dict, request: Request) -> Response:  # type: ignore[type-arg]
    return Response(json.dumps(result), "application/json")


@registry.view(HTTPError)
def error_page(error: HTTPError, request: HtmlRequest) -> Response:
    text = f"<h1>{escape(error.status.phrase)}</h1>"
    return Response(text, status=error.status, headers=error.headers)


@registry.view(HTTPError, JsonRequest)
def error_data(error: HTTPError, request: JsonRequest) -> Response:
    text = json.dumps({"error": error.status.phrase})
    return Response(text, "application/json", error.status, error.headers)


class Application:
    """A WSGI application.

    :param root: makes the model that a path begins at.
    :param behind: an application that this one overrides.
    """

    def __init__(
        self, name: str, root: Callable[[], Any], behind: Application | None = None
    ) -> None:
        self.root = root
        self.registry = Registry(name=name)
        next: reg.Lookup = behind.lookup if behind else registry
        self.lookup: reg.Lookup = reg.Lookup(reg.ListClassLookup([self.registry, next]))

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        with reg.implicit.using(self.lookup):
            response = self.publish(environ)
        body = response.body.encode()
        content_type = f"{response.content_type}; charset=utf-8"
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        start_response(
            f"{response.status.value} {response.status.phrase}", [*headers, *response.headers]
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def publish(self, environ: dict[str, Any]) -> Response:
        accepts_json = "application/json" in environ.get("HTTP_ACCEPT", "")
        request = JsonRequest(environ) if accepts_json else HtmlRequest(environ)
        path = environ.get("PATH_INFO", "").encode("latin-1").decode(errors="replace")
        names = [name for name in path.split("/") if name]
        try:
            model = self.root()
            while names and (below := child(model, names[0])) is not None:
                model = below
                del names[0]
            if len(names) > 1:
                raise NotFoundError
            request.name = names[0] if names else ""
            result = view(model, request)
        except HTTPError as error:
            request.name, request.method = "", "GET"
            result = view(error, request)
        return respond(result, request)
