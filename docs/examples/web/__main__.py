"""Serve both applications at once: ``python -m web``, in this file's parent directory."""

from __future__ import annotations

from threading import Thread
from wsgiref.simple_server import make_server

from . import house, wiki

for port, application in (8000, wiki.application), (8001, house.application):
    server = make_server("127.0.0.1", port, application)
    Thread(target=server.serve_forever).start()
    print(f"http://127.0.0.1:{port}/")
