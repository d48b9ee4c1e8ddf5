"""What of the mock's console a proxy has, at /_mock: the same pages and journal, from the same code.

It has a port of its own. At the proxy's, a page of the upstream would be of the same origin, and could read
the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

import orjson
from granian._granian import RSGIProtocolClosed

from bluehour.mock_server.app import create_console
from bluehour.mock_server.gateway import Gateway
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.requests import LARGEST_BODY
from bluehour.openapi.model import JSON

from ..http1 import Cut, NotHttp, Pairs, RequestHead, answer_head, read_body, request_framing
from .forwarding import Client, ClientLeft


class Console:
    """Answers what is asked at its port.

    Args:
        mock: whose journal it shows.
    """

    def __init__(self, mock: Mock) -> None:
        self._gateway = Gateway(create_console(mock), lambda *_: "control", lambda _path: LARGEST_BODY)

    def close(self) -> None:
        """Let go of its threads."""
        self._gateway.close()

    async def answer(self, head: RequestHead, client: Client) -> bool:
        """Answer a request; tell whether the client may send another one."""
        try:
            # No more of it than any call of the control API may have.
            body = await read_body(client.reader, request_framing(head), LARGEST_BODY)
        except NotHttp as error:
            await client.send(_refusal(error))
            return False
        except Cut:
            return False
        protocol = _Protocol(head, client, body)
        with suppress(RSGIProtocolClosed):
            await self._gateway(cast(Any, _scope(head, client)), cast(Any, protocol))
        return await protocol.end()

    async def refuse(self, client: Client, error: NotHttp) -> None:
        """Answer what is no request at all."""
        with suppress(ClientLeft):
            await client.send(_answer_head(400, [("Content-Length", "0")], closes=True))


@dataclass(frozen=True, slots=True)
class _Headers:
    pairs: Pairs

    def items(self) -> list[tuple[str, str]]:
        return [(name.lower(), value) for name, value in self.pairs]


@dataclass(frozen=True, slots=True)
class _Scope:
    """A request as granian's interface RSGI has it, which the gateway was made for; its path is decoded."""

    method: str
    path: str
    query_string: str
    headers: _Headers
    server: str
    client: str
    http_version: str = "1.1"
    scheme: str = "http"


def _scope(head: RequestHead, client: Client) -> _Scope:
    path, _, query = head.target.decode("utf-8", "replace").partition("?")
    addresses = (client.writer.get_extra_info(name) for name in ("sockname", "peername"))
    server, peer = (f"{address[0]}:{address[1]}" if address else ":" for address in addresses)
    return _Scope(head.method.decode(), unquote(path), query, _Headers(head.fields.pairs), server, peer)


class _Protocol:
    """Where the gateway takes a body from, and gives its answer to; called from its threads as well."""

    def __init__(self, head: RequestHead, client: Client, body: bytes) -> None:
        self._head = head
        self._client = client
        self._body = body
        self._whole: tuple[int, list[tuple[str, str]], bytes] | None = None

    async def __call__(self) -> bytes:
        return self._body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body

    async def client_disconnect(self) -> None:
        await asyncio.Event().wait()  # never: what is sent to a client that has left fails

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._whole = status, headers, body

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> _Stream:
        return _Stream(self._client, _answer_head(status, headers, closes=True))

    async def end(self) -> bool:
        """Send what was answered in one piece; what was streamed ends with its connection."""
        if self._whole is None:
            return False
        status, headers, body = self._whole
        closes = self._head.wants_close
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers = [*headers, ("Content-Length", f"{len(body)}")]
        await self._client.send(_answer_head(status, headers, closes=closes) + body)
        return not closes


class _Stream:
    """An answer that is sent as it comes."""

    def __init__(self, client: Client, head: bytes) -> None:
        self._client = client
        self._head = head

    async def send_bytes(self, data: bytes) -> None:
        head, self._head = self._head, b""
        try:
            await self._client.send(head + data)
        except ClientLeft:
            raise RSGIProtocolClosed from None


def _answer_head(status: int, headers: list[tuple[str, str]], *, closes: bool) -> bytes:
    return answer_head(status, [*headers, ("Connection", "close")] if closes else headers)


def _refusal(error: NotHttp) -> bytes:
    """The answer to a request whose end nobody can tell."""
    body = orjson.dumps({"code": "invalid_request", "message": f"This request can't be read: {error}"})
    headers = [("Content-Type", JSON), ("Content-Length", f"{len(body)}")]
    return _answer_head(400, headers, closes=True) + body
