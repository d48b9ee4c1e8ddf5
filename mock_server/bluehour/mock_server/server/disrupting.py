"""Answers that go wrong on their way: late, byte by byte, cut off, or lost with their connection."""

from __future__ import annotations

import asyncio

from ..api.reply import Disruption
from .outlet import Outlet

_DRIPS = 100
"""In how many pieces a slow answer comes at most; they are single bytes where it has fewer."""


async def send_disrupted(outlet: Outlet, head: bytes, body: bytes, disruption: Disruption) -> bool:
    """Send an answer as a disruption has it; tell whether the connection is to live on.

    Args:
        outlet: where to.
        head: already says what a cut body should have had.
        body: what is to be sent of it.
        disruption: what is to go wrong.
    """
    if disruption.delay:
        await asyncio.sleep(disruption.delay)
    match disruption.kind:
        case "drop":
            return False
        case "drip":
            outlet.write(head)
            await _drip(outlet, body, disruption.drip_seconds)
        case _:
            outlet.write(head + body)
    return True


async def _drip(outlet: Outlet, body: bytes, seconds: float) -> None:
    size = max(1, len(body) // _DRIPS)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    for piece in pieces:
        outlet.write(piece)
        await asyncio.sleep(seconds / len(pieces))
        await outlet.room()
