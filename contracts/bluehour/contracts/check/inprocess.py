"""A wire to an application in this process: for rehearsals, and for tests that have no time for a network."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from ..exchange import Answer, Request
from .connection import NoAnswer
from .wire import LARGEST_ANSWER

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class AppWire:
    """Answers by a WSGI application.

    Args:
        app: what answers. What it raises is no answer.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def send(self, request: Request, timeout: float, *, fresh: bool, most: int = LARGEST_ANSWER) -> Answer:
        """Answer a request; see `Wire`."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            started[:] = [int(status[:3]), headers]

        began = time.monotonic()
        try:
            chunks = self._app(_environ(request), start_response)
            body = b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        except Exception as error:
            raise NoAnswer(f"it failed: {error!r}") from error
        if request.method == "HEAD" or started[0] in (204, 304):
            body = b""
        return Answer(started[0], tuple(started[1]), body, time.monotonic() - began)


def _environ(request: Request) -> WSGIEnvironment:
    parts = urlsplit(request.url)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        latin = value.encode("utf-8", "surrogateescape").decode("latin-1")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = latin
    return environ
