"""Answers that go wrong on their way: late, byte by byte, cut off, or lost with their connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from granian._granian import RSGIProtocolClosed

from .connection import end_connection
from ..api.trace import Disruption

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

_DRIPS = 100
"""In how many pieces a slow answer comes at most; they are single bytes where it has fewer."""

_SETTLING = 0.05
"""Seconds until granian has surely written what it took; it drops what it holds once an answer is cut."""


async def send_disrupted(
    scope: Scope,
    protocol: HTTPProtocol,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
    disruption: Disruption,
) -> None:
    """Send an answer as a disruption has it; a client that leaves meanwhile is no error."""
    if disruption.delay:
        await asyncio.sleep(disruption.delay)
    with contextlib.suppress(RSGIProtocolClosed):
        if disruption.kind == "drop":
            end_connection(scope.client)
        elif disruption.kind == "cut":
            await _send_part(protocol, status, headers, body)
        elif disruption.kind == "drip":
            await _drip(protocol, status, headers, body, disruption.drip_seconds)
        else:
            protocol.response_bytes(status, headers, body)


async def _send_part(
    protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Announce the whole body and send half of it; granian then closes the connection."""
    stream = protocol.response_stream(status, _with_length(headers, max(len(body), 2)))
    await stream.send_bytes(body[: len(body) // 2] or b" ")
    await asyncio.sleep(_SETTLING)


async def _drip(
    protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]], body: bytes, seconds: float
) -> None:
    stream = protocol.response_stream(status, _with_length(headers, len(body)))
    size = max(1, len(body) // _DRIPS)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    for piece in pieces:
        await stream.send_bytes(piece)
        await asyncio.sleep(seconds / len(pieces))


def _with_length(headers: list[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    others = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return [*others, ("Content-Length", str(length))]
