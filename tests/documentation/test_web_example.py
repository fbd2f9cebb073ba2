"""The small web framework, and two applications on it, behind a real server."""

from __future__ import annotations

import http.client
import importlib
import json
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from types import SimpleNamespace
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

import reg

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


class Server(ThreadingMixIn, WSGIServer):
    """A server with a thread for each request, all of which end with it."""

    daemon_threads = False


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


@contextmanager
def serving(application):
    """Serve an application, and give a function that makes requests of it."""
    server = make_server("127.0.0.1", 0, application, Server, QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()

    def request(method, path, form=None, accept="text/html"):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        try:
            body = None if form is None else urlencode(form)
            connection.request(method, path, body, {"Accept": accept})
            response = connection.getresponse()
            text = response.read().decode()
            return SimpleNamespace(status=response.status, headers=response.headers, text=text)
        finally:
            connection.close()

    try:
        yield request
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def web():
    """The modules of the example, freshly imported."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        names = ["framework", "wiki", "house"]
        yield SimpleNamespace(**{name: importlib.import_module(f"web.{name}") for name in names})
    finally:
        sys.path.remove(str(EXAMPLES))
        for name in [name for name in sys.modules if name == "web" or name.startswith("web.")]:
            del sys.modules[name]


@pytest.fixture
def wiki(web):
    with serving(web.wiki.application) as request:
        yield request


@pytest.fixture
def house(web):
    with serving(web.house.application) as request:
        yield request


def test_a_path_leads_to_a_model_and_to_the_view_of_it(wiki):
    assert '<a href="/tea">tea</a>' in wiki("GET", "/").text
    response = wiki("GET", "/tea")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<p>Pour water on it &amp; wait.</p>" in response.text


def test_the_class_of_the_request_decides_which_view_there_is(wiki):
    response = wiki("GET", "/tea", accept="application/json")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(response.text) == {"name": "tea", "text": "Pour water on it & wait."}


def test_the_name_of_a_view_is_what_is_left_of_the_path(wiki):
    assert "<textarea" in wiki("GET", "/tea/edit").text
    assert wiki("GET", "/tea/nonsense").status == 404
    assert wiki("GET", "/tea/edit/nonsense").status == 404


def test_the_method_decides_as_well(wiki):
    response = wiki("POST", "/tea/edit", {"text": "Drink it: é"})
    assert (response.status, response.headers["Location"]) == (303, "/tea")
    assert "<p>Drink it: é</p>" in wiki("GET", "/tea").text


def test_a_method_without_a_view_is_told_from_a_name_without_one(wiki):
    response = wiki("DELETE", "/tea/edit")
    assert (response.status, response.headers["Allow"]) == (405, "GET, POST")
    assert wiki("DELETE", "/coffee").status == 404


def test_head_is_get_without_the_body(wiki):
    response = wiki("HEAD", "/tea")
    assert (response.status, response.text) == (200, "")
    assert response.headers["Content-Length"] == str(len(wiki("GET", "/tea").text.encode()))


def test_an_error_is_shown_as_the_client_wants_it(wiki):
    assert "<h1>Not Found</h1>" in wiki("GET", "/coffee").text
    response = wiki("GET", "/coffee", accept="application/json")
    assert (response.status, json.loads(response.text)) == (404, {"error": "Not Found"})


def test_an_application_overrides_another_and_has_the_rest_from_it(house):
    assert house("GET", "/tea").text.endswith("wait.</p><footer>The house</footer>")
    assert house("POST", "/tea/edit", {"text": "cold"}).status == 403
    assert "<h1>No such page in this house</h1>" in house("GET", "/coffee").text
    assert "<textarea" in house("GET", "/tea/edit").text
    assert house("DELETE", "/tea").headers["Allow"] == "GET"
    assert json.loads(house("GET", "/tea", accept="application/json").text)["name"] == "tea"


def test_both_applications_run_at_once_and_neither_notices_the_other(wiki, house):
    requests = [wiki, house] * 8
    texts = [""] * len(requests)

    def ask(place):
        texts[place] = requests[place]("GET", "/tea").text

    threads = [threading.Thread(target=ask, args=[place]) for place in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [("<footer>" in text) for text in texts] == [False, True] * 8
    assert all("Pour water" in text for text in texts)


def test_a_test_lays_a_registry_over_the_application(web):
    test = web.framework.Application("test", lambda: web.wiki.wiki, behind=web.wiki.application)

    @test.registry.view(web.wiki.Page)
    def stub(page, request):
        return "instead of the page"

    with serving(test) as request:
        assert "instead of the page" in request("GET", "/tea").text
        assert "<textarea" in request("GET", "/tea/edit").text


def test_a_view_is_tested_without_a_server(web):
    page, request = web.wiki.Page("tea", "<hot>"), web.framework.HtmlRequest({}, name="edit")
    with reg.implicit.using(web.wiki.application.lookup):
        assert "&lt;hot&gt;" in web.framework.view(page, request)


def test_it_can_be_asked_which_view_would_answer(web):
    page, request = web.wiki.Page("tea", ""), web.framework.HtmlRequest({})
    found = web.framework.view.all(page, request, lookup=web.house.application.lookup)
    assert [function.__name__ for function in found] == ["signed", "read"]


def test_the_registrations_of_both_applications_are_without_mistakes(web):
    assert reg.check(web.wiki.application.lookup) == []
    assert reg.check(web.house.application.lookup) == []


def test_the_page_about_it_shows_parts_that_are_there():
    page = (EXAMPLES.parent / "web-framework.rst").read_text()
    lines = page.splitlines()
    included = [line.split("::")[1].strip() for line in lines if "literalinclude::" in line]
    assert {"examples/web/framework.py", "examples/web/wiki.py", "examples/web/house.py"} <= {
        *included
    }
    assert all((EXAMPLES.parent / name).is_file() for name in included)
