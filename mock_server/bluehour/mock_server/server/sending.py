"""Sending answers that take their time: files, events that go on for ever, and what a disruption spoils."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import cast

from ..api.refusals import envelope
from ..api.reply import Events
from .disrupting import send_disrupted
from .files import OpenFile
from .outgoing import Outgoing, outgoing
from .outlet import Outlet


async def send(outlet: Outlet, answer: Outgoing) -> bool:
    """Send an answer; tell whether the connection is to live on."""
    content = answer.content
    if isinstance(content, OpenFile):
        outlet.write(answer.head)
        with contextlib.closing(content):
            lives_on = await content.send(outlet)
    elif isinstance(content, bytes):
        assert answer.disruption is not None  # noqa: S101 - else it would have been sent at once
        lives_on = await send_disrupted(outlet, answer.head, content, answer.disruption)
    else:
        await _send_events(outlet, answer.head, content)
        lives_on = False
    return lives_on and not answer.is_last


async def _send_events(outlet: Outlet, head: bytes, opened: Events) -> None:
    """Send what comes, when it comes and there is room for it."""
    async with contextlib.aclosing(cast("AsyncGenerator[bytes, None]", opened())) as events:
        first = await anext(events, None)
        if first is None:
            full = outgoing(
                envelope("service_unavailable", "Too many read the events already; close a console")
            )
            outlet.write(full.head + cast(bytes, full.content))
            return
        outlet.write(head + first)
        await outlet.room()
        async for event in events:
            outlet.write(event)
            await outlet.room()
