"""A server that does not keep the contract: its projects lack a field, and it tells everybody's token."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from bluehour.openapi.contract import load

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MISSING = "image_count"


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, *_: Any) -> None:
        """Say nothing."""


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    project = dict(load().operation("imageProjects.getDetails").success[1].json.example)  # type: ignore[union-attr]
    del project[MISSING]
    project["name"] = environ.get("HTTP_AUTHORIZATION", "")
    body = json.dumps(project).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", f"{len(body)}"),
        ("X-Caller", environ.get("HTTP_AUTHORIZATION", "")),
        ("Set-Cookie", "session=0123456789abcdefghijklmnop; Path=/; HttpOnly"),
    ]
    start_response("200 OK", headers)
    return [body]


@contextmanager
def lying_server() -> Iterator[str]:
    """Serve it, and give its base URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
