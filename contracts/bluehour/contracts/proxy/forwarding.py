"""The way of one request: to the upstream, and its answer back, piece by piece and both at the same time.

head -> a connection -> the body goes up while the answer comes down -> what has passed is told
"""

from __future__ import annotations

import asyncio
import re
from asyncio import StreamWriter, Task, Timeout
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import orjson

from bluehour.mock_server.server.heads import Malformed, answer_head
from bluehour.openapi.errors import BluehourError
from bluehour.openapi.model import JSON

from ..http1 import (
    AnswerHead,
    Cut,
    Framing,
    Incoming,
    Line,
    RequestHead,
    answer_framing,
    request_framing,
    written_head,
)
from .guarding import VIA, is_for_a_console, without_our_cookie
from .passed import Passed
from .upstream import Link, NothingCame, Upstream, UpstreamFailed

_GRACE = 1.0
"""Seconds that a request's body has to end in once its answer is there."""

_DRAINED_FOR = 5.0
"""Seconds that a client may take for each further piece of a body that nobody wants any more."""

_CODES = {400: "invalid_request", 501: "not_implemented", 502: "bad_gateway", 504: "gateway_timeout"}

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*(.*)", re.DOTALL)


class ClientLeft(BluehourError):
    """The client has closed its connection before it had all of its answer."""


@dataclass(slots=True)
class Client:
    """A client's connection; `knows_chunks` is false for one of HTTP/1.0."""

    incoming: Incoming
    writer: StreamWriter
    knows_chunks: bool = True

    async def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            ClientLeft: there is nobody to send them to.
        """
        if self.writer.is_closing():
            raise ClientLeft
        self.writer.write(data)
        try:
            await self.writer.drain()
        except ConnectionError:
            raise ClientLeft from None


class Forwarder:
    """Passes requests on.

    Args:
        upstream: where to.
        timeout: seconds that the upstream may be silent for, and that connecting to it may take.
        tell: called with each request and its answer, once that has ended.
    """

    def __init__(self, upstream: Upstream, timeout: float, tell: Callable[[Passed], None]) -> None:
        self._upstream = upstream
        self._timeout = timeout
        self._tell = tell

    async def answer(self, head: RequestHead, client: Client) -> bool:
        """Pass a request on, and its answer back; tell whether the client may send another one."""
        head = without_our_cookie(head)
        passed = Passed(head.method, _own_form(head.target), head.headers.pairs)
        client.knows_chunks = not head.is_old
        try:
            return await _Passage(self._upstream, self._timeout, head, client, passed).go()
        except Malformed as error:
            await self._refuse(client, passed, error)
        except ClientLeft:
            passed.left = passed.left or "in the middle of its answer"
        finally:
            passed.end()
            self._tell(passed)
        return False

    async def refuse(self, client: Client, error: Malformed) -> None:
        """Answer what is no request at all."""
        passed = Passed("-", "-")
        await self._refuse(client, passed, error)
        passed.end()
        self._tell(passed)

    async def _refuse(self, client: Client, passed: Passed, error: Malformed) -> None:
        passed.malformed = f"{error}"
        with suppress(ClientLeft):
            await _answer(client, passed, 400, "http_request_error", f"can't pass this request on: {error}")


class _Passage:
    """One request on its way, and its answer.

    Raises:
        Malformed: nobody can tell where the request ends.
    """

    def __init__(
        self, upstream: Upstream, timeout: float, head: RequestHead, client: Client, passed: Passed
    ) -> None:
        self._upstream = upstream
        self._timeout = timeout
        self._head = head
        self._client = client
        self._passed = passed
        self._framing = request_framing(head)
        self._link: Link | None = None
        self._sending: Task[None] | None = None
        self._limit: Timeout | None = None
        self._has_begun = False  # the answer, at the client
        self._link_lasts = False
        self._client_stays = False

    async def go(self) -> bool:
        """Go all the way; tell whether the client's connection may be used again.

        Raises:
            Malformed, ClientLeft: because of the client, it can't.
        """
        try:
            await self._there_and_back()
        except UpstreamFailed as failure:
            await self._answer_instead(failure)
        except (ClientLeft, asyncio.CancelledError):
            if self._sending is not None:
                self._sending.cancel()
            raise
        finally:
            all_sent = await self._settled()
        return self._client_stays and all_sent

    async def _there_and_back(self) -> None:
        # A server may close a connection that was kept in the moment in which it is used again. Only what can
        # be sent twice goes by such a one.
        repeatable = self._framing == 0 and self._head.method in ("GET", "HEAD")
        link = await self._connect(fresh=not repeatable)
        try:
            await self._over(link)
        except NothingCame:
            if not link.used:
                raise
            link.close()
            await self._over(await self._connect(fresh=True))

    async def _connect(self, *, fresh: bool) -> Link:
        try:
            async with asyncio.timeout(self._timeout):
                self._link = await self._upstream.link(fresh=fresh)
        except TimeoutError:
            message = f"it can't be connected within {self._timeout:g} s"
            raise UpstreamFailed(504, "connection_timeout", message) from None
        return self._link

    async def _over(self, link: Link) -> None:
        """Send the request over a connection, and its answer back."""
        link.writer.write(_sent_head(self._head, self._upstream))
        try:
            async with asyncio.timeout(self._timeout) as self._limit:
                if self._framing != 0:
                    self._sending = asyncio.create_task(self._send_body(link))
                await self._receive(link)
        except TimeoutError:
            where = " in the middle of its answer" if self._has_begun else ""
            error = "connection_read_timeout" if self._has_begun else "http_response_timeout"
            raise UpstreamFailed(504, error, f"it was silent for {self._timeout:g} s{where}") from None
        finally:
            self._limit = None

    async def _answer_instead(self, failure: UpstreamFailed) -> None:
        """Answer in the upstream's place, where it is not to blame the client."""
        if self._passed.left:  # that is why the connection to the upstream was cut
            raise ClientLeft from failure
        if self._passed.malformed and not self._has_begun:
            raise Malformed(self._passed.malformed) from failure
        self._passed.failure = f"{failure}"
        if self._has_begun:  # what the client has of the answer must not look whole
            self._client.writer.transport.abort()
            return
        message = f"got no answer from {self._upstream.url}: {failure}"
        await _answer(self._client, self._passed, failure.status, failure.error, message)

    async def _settled(self) -> bool:
        """End what goes on though the answer is over; tell whether all of the request was passed on."""
        all_sent = self._sending is None or await self._is_sent(self._sending)
        if self._link is not None:
            if self._link_lasts and all_sent:
                self._upstream.keep(self._link)
            else:
                self._link.close()
        return all_sent

    # The request's body.

    async def _send_body(self, link: Link) -> None:
        """Pass the body on as it comes; read it to its end, though the upstream may have had enough."""
        try:
            self._wait_for_client()
            async for piece in self._client.incoming.pieces(self._framing):
                self._wait_for_upstream()
                self._passed.request_body.add(piece.content)
                await _offer(link, piece.wire)
                self._wait_for_client()
            self._wait_for_upstream()
        except (Cut, ConnectionError):
            self._passed.left = "in the middle of its request"
            link.close()
        except Malformed as error:
            self._passed.malformed = f"{error}"
            link.close()

    async def _is_sent(self, sending: Task[None]) -> bool:
        """Tell whether the body has ended; where it has not, read on for whoever reads no answer before."""
        done, _ = await asyncio.wait({sending}, timeout=_GRACE)
        if done:
            return not (sending.cancelled() or self._passed.left or self._passed.malformed)
        if self._link is not None:
            self._link.close()
        size = -1
        while not sending.done() and size != self._passed.request_body.size:
            size = self._passed.request_body.size
            await asyncio.wait({sending}, timeout=_DRAINED_FOR)
        sending.cancel()
        return False

    # The answer.

    async def _receive(self, link: Link) -> None:
        """Pass the answer on as it comes."""
        try:
            head = await self._final_head(link)
            framing = answer_framing(head, self._head.method)
            await self._begin(head, framing)
            async for piece in link.incoming.pieces(framing):
                self._passed.answer_body.add(piece.content)
                self._wait_for_client()
                await self._client.send(piece.wire if self._client.knows_chunks else piece.content)
                self._wait_for_upstream()
        except Malformed as error:
            raise UpstreamFailed(502, "http_protocol_error", f"what came is no HTTP/1.1: {error}") from error
        except Cut as error:
            raise _cut_off(f"{error}") from error
        if framing == "close" and link.reader.is_broken:
            raise _cut_off("the connection broke")
        self._passed.end()
        self._link_lasts = framing != "close" and not head.wants_close

    async def _final_head(self, link: Link) -> AnswerHead:
        """Read heads until the one that answers; those before, such as a 100 and a 103, are passed on."""
        while True:
            head = await link.incoming.answer()
            if head is None:
                raise NothingCame
            if head.status >= 200:
                return head
            if head.status == 101:
                raise Malformed("it switches protocols, and nobody has asked it to")
            if self._client.knows_chunks:
                await self._client.send(_joined(f"HTTP/1.1{head.line}", head.passed_on()))
            self._wait_for_upstream()

    async def _begin(self, head: AnswerHead, framing: Framing) -> None:
        """Send the answer's head."""
        self._has_begun = True
        self._passed.status, self._passed.answer_headers = head.status, head.headers.pairs
        keeps_chunks = framing != "chunked" or self._client.knows_chunks
        self._client_stays = not self._head.wants_close and framing != "close" and keeps_chunks
        lines = head.passed_on()
        if "transfer-encoding" in head.headers:
            lines = [line for line in lines if line.name != "content-length"]
        if not keeps_chunks:
            lines = [line for line in lines if line.name != "transfer-encoding"]
        if not self._client_stays:
            lines.append(_CLOSE)
        self._wait_for_client()
        await self._client.send(_joined(f"HTTP/1.1{head.line}", lines))
        self._wait_for_upstream()

    # Patience.

    def _wait_for_upstream(self) -> None:
        self._wait_until(asyncio.get_running_loop().time() + self._timeout)

    def _wait_for_client(self) -> None:
        """For as long as it takes: that is no fault of the upstream's."""
        self._wait_until(None)

    def _wait_until(self, when: float | None) -> None:
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(when)


_CLOSE = Line("connection", b"Connection: close")


async def _offer(link: Link, data: bytes) -> None:
    """Send bytes to the upstream, if it still takes any."""
    if link.writer.is_closing():
        return
    link.writer.write(data)
    with suppress(ConnectionError):
        await link.writer.drain()


def _cut_off(how: str) -> UpstreamFailed:
    return UpstreamFailed(502, "http_response_incomplete", f"its answer is cut off: {how}")


def _own_form(target: str) -> str:
    """A target as a server gets it: without a scheme and a host, which clients write for other proxies."""
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        return target
    return absolute[1] if absolute[1].startswith("/") else f"/{absolute[1]}"


def _sent_head(head: RequestHead, upstream: Upstream) -> bytes:
    """The request's head as it goes to the upstream: as it came, but for what is between neighbours."""
    target = _own_form(head.target)
    if target.startswith("/"):
        target = upstream.prefix + target
    host = upstream.netloc.encode()
    lines = [
        Line("host", line.raw[:4] + b": " + host) if line.name == "host" else line
        for line in head.passed_on()
    ]
    if "host" not in head.headers:
        lines.insert(0, Line("host", b"Host: " + host))
    own = {name.lower() for name, _ in upstream.headers}
    lines = [line for line in lines if line.name not in own]
    lines += [Line(name.lower(), f"{name}: {value}".encode()) for name, value in upstream.headers]
    if is_for_a_console(target.encode("latin-1")):
        lines.append(VIA)
    return _joined(f"{head.method} {target} HTTP/1.1", lines)


def _joined(start: str, lines: Iterable[Line]) -> bytes:
    return written_head(start.encode("latin-1"), (line.raw for line in lines))


async def _answer(client: Client, passed: Passed, status: int, error: str, message: str) -> None:
    """Answer in the upstream's place, in the contract's envelope, and say so."""
    body = orjson.dumps({"code": _CODES[status], "message": f"Bluehour's proxy {message}"})
    passed.is_own, passed.status = True, status
    passed.answer_headers = (
        ("Content-Type", JSON),
        ("Content-Length", f"{len(body)}"),
        ("Proxy-Status", f"bluehour; error={error}"),
        ("Connection", "close"),
    )
    passed.answer_body.add(body)
    passed.end()
    await client.send(answer_head(status, passed.answer_headers) + (b"" if passed.method == "HEAD" else body))
