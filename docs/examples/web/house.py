"""Another application: the wiki as one house has it, with the same pages.

It changes two views, adds one, and has the rest from the wiki and the
framework. Not a line of those is changed, and the wiki does not notice.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from . import wiki
from .framework import Application, HtmlRequest, NotFoundError, Request, Response

application = Application("house", lambda: wiki.wiki, behind=wiki.application)


@application.registry.view(wiki.Page)
def signed(page: wiki.Page, request: HtmlRequest, call_next: Callable[[], str]) -> str:
    return f"{call_next()}<footer>The house</footer>"


@application.registry.view(wiki.Page, Request, name="edit", method="POST")
def refuse(page: wiki.Page, request: Request) -> Response:
    return Response("Only the house may edit.", status=HTTPStatus.FORBIDDEN)


@application.registry.view(NotFoundError)
def lost(error: NotFoundError, request: HtmlRequest) -> Response:
    return Response("<h1>No such page in this house</h1>", status=error.status)
