"""The statements of ``docs/web-servers.rst`` about web frameworks: ``tox -e web``.

These tests need the frameworks, so they are not among those that always run. The requests of
different tenants are in the server at the same time: each waits for the other in the middle of
its work.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django.conf
import django.http
import django.urls
import fastapi
import httpx2 as httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient as StarletteClient

import reg

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "examples"))

from tenants import asgi, shop, with_dependency, with_fastapi, with_flask, wsgi

INVOICES = {"north": "10.00 EUR", "south": "10.00 EUR, plus 19 % tax"}


@pytest.fixture(autouse=True)
def no_implicit_lookup():
    with reg.implicit.preserved():
        reg.implicit.clear()
        yield


@contextmanager
def serving(app) -> Iterator[str]:
    """Run a real server on a free port in a thread; give its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def responses(app, path, number=20):
    """Send requests of both tenants at once; give each tenant with the text of the response."""

    async def send(client, tenant):
        response = await client.get(path, headers={"Host": f"{tenant}.example.org"})
        assert response.status_code == 200, response.text
        return tenant, response.json()

    async def send_all(address):
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            return await asyncio.gather(
                *(send(client, tenant) for _ in range(number) for tenant in INVOICES)
            )

    with serving(app) as address:
        return asyncio.run(send_all(address))


@pytest.mark.parametrize("path", ["/invoice/10", "/in-a-thread/10"])
def test_the_middleware_gives_each_tenant_its_own_lookup(path):
    texts = responses(with_fastapi.app, path)
    assert len(texts) == 40
    assert all(text == INVOICES[tenant] for tenant, text in texts)


def test_requests_that_wait_for_each_other_keep_their_lookups():
    barrier = asyncio.Barrier(2)

    async def meet(request):
        before = shop.invoice(shop.Order(10))
        await barrier.wait()
        return fastapi.responses.JSONResponse([before, shop.invoice(shop.Order(10))])

    app = Starlette(routes=[Route("/", meet)], middleware=[Middleware(asgi.TenantMiddleware)])
    for tenant, texts in responses(app, "/", number=1):
        assert texts == [INVOICES[tenant]] * 2


def test_an_assignment_of_one_request_serves_another():
    """This is the mistake that the page warns of."""
    barrier = asyncio.Barrier(2)

    async def assign(request):
        with pytest.warns(RuntimeWarning, match=r"all tasks in it get this lookup"):
            reg.implicit.lookup = shop.lookup_of(request.headers["host"])
        await barrier.wait()
        return fastapi.responses.JSONResponse(shop.invoice(shop.Order(10)))

    app = Starlette(routes=[Route("/", assign)])
    texts = dict(responses(app, "/", number=1))
    assert texts["north"] == texts["south"]


def test_bodies_background_tasks_and_web_sockets_run_with_the_lookup_of_the_request():
    written = []

    async def stream(request):
        async def body():
            yield shop.invoice(shop.Order(10))

        task = BackgroundTask(lambda: written.append(shop.invoice(shop.Order(10))))
        return StreamingResponse(body(), background=task)

    async def talk(websocket):
        await websocket.accept()
        await websocket.send_text(shop.invoice(shop.Order(10)))
        await websocket.close()

    app = Starlette(
        routes=[Route("/", stream), WebSocketRoute("/talk", talk)],
        middleware=[Middleware(asgi.TenantMiddleware)],
    )
    with StarletteClient(app, base_url="http://south.example.org") as client:
        assert client.get("/").text == INVOICES["south"]
        assert written == [INVOICES["south"]]
        with client.websocket_connect("/talk", headers={"Host": "south.example.org"}) as socket:
            assert socket.receive_text() == INVOICES["south"]


def test_a_middleware_of_starlettes_base_class_works_too():
    async def dispatch(request, call_next):
        with reg.implicit.using(shop.lookup_of(request.headers["host"])):
            return await call_next(request)

    async def show(request):
        return PlainTextResponse(shop.invoice(shop.Order(10)))

    app = Starlette(
        routes=[Route("/", show)],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=dispatch)],
    )
    client = StarletteClient(app, base_url="http://south.example.org")
    assert client.get("/").text == INVOICES["south"]


def test_a_dependency_that_returns_the_lookup_serves_concurrent_tenants():
    texts = responses(with_dependency.app, "/invoice/10")
    assert all(text == INVOICES[tenant] for tenant, text in texts)


def test_an_asynchronous_dependency_with_yield_holds_for_the_request():
    async def tenant(request: fastapi.Request):
        with reg.implicit.using(shop.lookup_of(request.headers["host"])):
            yield

    app = fastapi.FastAPI(dependencies=[fastapi.Depends(tenant)])

    @app.get("/coroutine")
    async def coroutine() -> str:
        return shop.invoice(shop.Order(10))

    @app.get("/thread")
    def thread() -> str:
        return shop.invoice(shop.Order(10))

    for path in "/coroutine", "/thread":
        texts = responses(app, path, number=5)
        assert all(text == INVOICES[tenant] for tenant, text in texts)


def test_a_synchronous_dependency_with_yield_does_not_reach_the_handler():
    """This is the mistake that the page warns of."""

    def tenant(request: fastapi.Request):
        with reg.implicit.using(shop.lookup_of(request.headers["host"])):
            yield

    app = fastapi.FastAPI()
    texts = []

    @app.get("/", dependencies=[fastapi.Depends(tenant)])
    async def show() -> None:
        try:
            texts.append(shop.invoice(shop.Order(10)))
        except reg.NoImplicitLookupError as error:
            texts.append(type(error).__name__)

    client = TestClient(app, base_url="http://south.example.org")
    with pytest.raises(ValueError, match="created in a different Context"):
        client.get("/")
    assert texts == ["NoImplicitLookupError"]


def test_an_executor_does_not_inherit_the_lookup_and_to_thread_does():
    async def both():
        with reg.implicit.using(shop.lookups["south"]):
            loop = asyncio.get_running_loop()
            in_executor = await loop.run_in_executor(None, lambda: reg.implicit.lookup)
            in_thread = await asyncio.to_thread(lambda: reg.implicit.lookup)
        return in_executor, in_thread

    assert asyncio.run(both()) == (None, shop.lookups["south"])


def test_flask_runs_with_the_wsgi_middleware():
    client = with_flask.app.test_client()
    for tenant, text in INVOICES.items():
        assert client.get("/invoice/10.0", base_url=f"http://{tenant}.example.org").text == text


def test_a_streamed_body_of_a_wsgi_application_is_made_after_the_block():
    def app(environ, start_response):
        start_response("200 OK", [])

        def body():
            yield str(reg.implicit.lookup).encode()

        return body()

    body = wsgi.for_tenants(app)({"HTTP_HOST": "south.example.org"}, lambda status, headers: None)
    assert list(body) == [b"None"]


def test_django_runs_with_its_middleware():
    if not django.conf.settings.configured:
        django.conf.settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=__name__,
            MIDDLEWARE=["tenants.with_django.tenant_middleware"],
        )
        django.setup()
    from django.test import Client

    for tenant, text in INVOICES.items():
        response = Client().get("/invoice", headers={"host": f"{tenant}.example.org"})
        assert response.content.decode() == text


def _show_invoice(request):
    return django.http.HttpResponse(shop.invoice(shop.Order(10)))


# The application above has this module as its ROOT_URLCONF.
urlpatterns = [django.urls.path("invoice", _show_invoice)]
