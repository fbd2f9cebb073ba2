"""An application: pages that can be read, and edited by everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from urllib.parse import quote

from .framework import Application, HtmlRequest, JsonRequest, Request, Response, child


@dataclass
class Page:
    name: str
    text: str


@dataclass
class Wiki:
    pages: dict[str, Page] = field(default_factory=dict)


wiki = Wiki({"tea": Page("tea", "Pour water on it & wait.")})
application = Application("wiki", lambda: wiki)


@application.registry.implements(child)
def page(model: Wiki, name: str) -> Page | None:
    return model.pages.get(name)


@application.registry.view(Wiki)
def index(wiki: Wiki, request: HtmlRequest) -> str:
    links = (f'<li><a href="/{quote(name)}">{escape(name)}</a>' for name in wiki.pages)
    return f"<ul>{''.join(links)}</ul>"


@application.registry.view(Page)
def read(page: Page, request: HtmlRequest) -> str:
    return f"<h1>{escape(page.name)}</h1><p>{escape(page.text)}</p>"


@application.registry.view(Page, JsonRequest)
def export(page: Page, request: JsonRequest) -> dict[str, str]:
    return {"name": page.name, "text": page.text}


@application.registry.view(Page, name="edit")
def edit(page: Page, request: HtmlRequest) -> str:
    return f'<form method="post"><textarea name="text">{escape(page.text)}</textarea></form>'


@application.registry.view(Page, Request, name="edit", method="POST")
def save(page: Page, request: Request) -> Response:
    page.text = request.form().get("text", "")
    headers = (("Location", f"/{quote(page.name)}"),)
    return Response("", status=HTTPStatus.SEE_OTHER, headers=headers)
