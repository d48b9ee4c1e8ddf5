"""Requests and replies as WSGI has them (PEP 3333): how Flask's parts are called, and how Flask calls us."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote, unquote_to_bytes

from bluehour.openapi.messages import Headers, Request, is_host, phrase

from .reply import Disruption, Events, Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_KEY = "bluehour.sending"
_DRAINED_AT_MOST = 2**30
_BLOCK = 2**16
_UNQUOTED = "/:@!$&'()*+,;=~"
"""Characters that may stand in a path as they are (RFC 3986)."""


@dataclass(slots=True)
class Sending:
    """What a WSGI application can have done to its answer by a server of ours.

    Attributes:
        disruption: what is to go wrong.
        events: a body that goes on for ever, in place of the one that was returned.
        file: the body's file, to be sent as it is.
    """

    disruption: Disruption | None = None
    events: Events | None = None
    file: Path | None = None


def sending_of(environ: WSGIEnvironment) -> Sending:
    """Return how the answer to a request is sent."""
    sending: Sending = environ.setdefault(_KEY, Sending())
    return sending


# From WSGI.


def request_of(environ: WSGIEnvironment) -> Request:
    """Return the request that an environment stands for, without its body."""
    raw = environ.get("REQUEST_URI", "").partition("?")[0]
    path, query = environ.get("PATH_INFO", "").encode("latin-1"), environ.get("QUERY_STRING", "")
    if unquote_to_bytes(raw) != path:  # below a prefix, or with its path rewritten
        raw = quote(path, safe=_UNQUOTED)
    return Request(
        method=environ["REQUEST_METHOD"],
        target=_text(f"{raw}?{query}" if query else raw),
        headers=_Headers(list(_headers_of(environ))),
        origin=f"{environ['wsgi.url_scheme']}://{_host_of(environ)}",
        client=environ.get("REMOTE_ADDR", ""),
    )


class _Headers(Headers):
    """Headers of an environment, in which `api_key` and `api-key` are one, and nobody can tell which."""

    __slots__ = ()

    def get(self, name: str) -> str | None:
        return super().get(name.replace("_", "-"))

    def get_all(self, name: str) -> Sequence[str]:
        return super().get_all(name.replace("_", "-"))

    def __contains__(self, name: str) -> bool:
        return super().__contains__(name.replace("_", "-"))


def _host_of(environ: WSGIEnvironment) -> str:
    host: str = environ.get("HTTP_HOST", "")
    return host if is_host(host) else f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"


def _headers_of(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            yield key.replace("_", "-").title(), environ[key]
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").title(), value


def _text(value: str) -> str:
    """Return what an environment says, each character of which stands for a byte, as text."""
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")


def body_of(environ: WSGIEnvironment) -> BinaryIO:
    """Return the stream with a request's body, which ends where that does."""
    stream: BinaryIO = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return stream
    length = environ.get("CONTENT_LENGTH") or "0"
    return cast(BinaryIO, _Limited(stream, int(length) if length.isdecimal() else 0))


class _Limited(io.RawIOBase):
    """A stream of so many bytes, in front of one that may have more, or never end."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(min(len(buffer), self._left))
        self._left -= len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def send(reply: Reply, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Send a reply; what a server of ours does to it, another one leaves."""
    sending = sending_of(environ)
    sending.disruption = reply.disruption
    if callable(reply.body):
        sending.events = reply.body
    body = _pieces(reply, sending)
    headers = list(reply.headers)
    if reply.status not in (204, 304) and not callable(reply.body):
        headers.append(("Content-Length", str(reply.size)))
    start_response(f"{reply.status} {phrase(reply.status) or 'Unknown'}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else body


def _pieces(reply: Reply, sending: Sending) -> Iterable[bytes]:
    if isinstance(reply.body, Path):
        sending.file = reply.body
        return _blocks(reply.body)
    return [] if callable(reply.body) or reply.status in (204, 304) else [reply.body]


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def drain(body: BinaryIO) -> None:
    """Read what is left of a body that nobody wanted, so that the client is there to hear why."""
    left = _DRAINED_AT_MOST
    with suppress(OSError, ValueError):
        while left > 0 and (chunk := body.read(2**20)):
            left -= len(chunk)


# To WSGI.

_ENVIRON: WSGIEnvironment = {
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}


def answered(app: WSGIApplication, request: Request, body: BinaryIO | None) -> Reply:
    """Have a WSGI application answer a request.

    Args:
        app: what answers.
        request: what came; its body, where that is small.
        body: the body of any other.
    """
    environ = _environ_of(request, body or io.BytesIO(request.body))
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
        started[:] = [int(status[:3]), headers]

    pieces = app(environ, start_response)
    sending = sending_of(environ)
    try:
        content = b"" if sending.file or sending.events else b"".join(pieces)
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    status, headers = started
    if request.method != "HEAD":
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return Reply(status, headers, sending.events or sending.file or content, sending.disruption)


def _environ_of(request: Request, body: BinaryIO) -> WSGIEnvironment:
    scheme, _, server = request.origin.partition("://")
    host, _, port = server.rpartition(":")
    path, _, query = request.target.partition("?")
    environ = {
        **_ENVIRON,
        "REQUEST_METHOD": request.method,
        "REQUEST_URI": _bytes_as_text(request.target),
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": _bytes_as_text(query),
        "SERVER_NAME": host or "localhost",
        "SERVER_PORT": port or "80",
        "REMOTE_ADDR": request.client,
        "wsgi.url_scheme": scheme or "http",
        "wsgi.input": body,
    }
    for name, value in request.headers:
        if "_" in name:  # WSGI could not tell Content_Length from Content-Length; proxies drop these, too
            continue
        key = _environ_key(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


@lru_cache(maxsize=256)
def _environ_key(header: str) -> str:
    key = header.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _bytes_as_text(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")
