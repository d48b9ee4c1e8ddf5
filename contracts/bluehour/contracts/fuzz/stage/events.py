"""Events for a client's receiver: who is sent them, and the sending.

One is sent while the client waits for an answer, which follows once the receiver has answered. So nothing
depends on who is faster, and no time of the client's passes meanwhile.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bluehour.mock_server.api.representation import events_of
from bluehour.mock_server.server.heads import Malformed
from bluehour.mock_server.webhooks.signature import delivery_rules
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import JSON
from bluehour.openapi.wording import cut

from ...http1 import Cut, Incoming, request_head
from ...loopback import is_loopback
from ..performance import Delivered

_HERE = "127.0.0.1"


@dataclass(frozen=True)
class Webhook:
    """Where a client's receiver listens, and what its events are signed with.

    Attributes:
        host, port: of the receiver, an address of this machine.
        url: the whole of it.
        secret: the one that the client is told.
    """

    host: str
    port: int
    url: str
    secret: str

    @property
    def target(self) -> str:
        """What is asked for there: path and query."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def authority(self) -> str:
        """Host and port as the URL has them."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def webhook_at(url: str, secret: str | None, contract: Contract, kind: str | None = None) -> Webhook:
    """Return what a URL names.

    Args:
        url: the receiver's.
        secret: made up where none is given.
        contract: has the events.
        kind: of the projects that are to be told of; None for any.

    Raises:
        ValueError: nothing can be sent there, or there is nothing to send; the message says which.
    """
    kinds = {known for known, _ in events_of(contract)}
    if not kinds or kind not in {None, *kinds}:
        raise ValueError("the contract has no events of what the client is to create")
    problem = f"{cut(url)} is no receiver on this machine; one is http://{_HERE}:8000/hook"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        webhook = Webhook(_address(host), port or 0, url, secret or made_up())
        request_head("POST", webhook.target, [("Host", webhook.authority.encode())])
    except (ValueError, Malformed):
        raise ValueError(problem) from None
    if parts.scheme != "http" or not port or not is_loopback(host):
        raise ValueError(problem)
    return webhook


def made_up() -> str:
    """Return a secret as the vendor's are."""
    return str(delivery_rules()["secret-prefix"]) + secrets.token_hex(16)


def _address(host: str) -> str:
    """An address, which needs no looking up."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return _HERE


@dataclass(frozen=True)
class Due:
    """An event before it is sent.

    Attributes:
        told: what it is.
        body: JSON.
        headers: those that prove it.
        files: digests of the files that it tells of.
    """

    told: Delivered
    body: bytes
    headers: Mapping[str, str]
    files: frozenset[str] = frozenset()


async def deliver(webhook: Webhook, events: Sequence[Due], within: float, delivered: list[Delivered]) -> None:
    """Send events, one after the other.

    Args:
        webhook: the receiver.
        events: what to send.
        within: seconds in which all of them have to be answered.
        delivered: gets what became of each.
    """
    for due in events:
        delivered.append(await _sent(webhook, due, within / len(events)))


async def _sent(webhook: Webhook, due: Due, within: float) -> Delivered:
    try:
        async with asyncio.timeout(within):
            status = await _posted(webhook, due)
    except TimeoutError:
        return replace(due.told, problem=f"not answered within {within:g} s", is_open=True)
    except ConnectionRefusedError:
        return replace(due.told, problem=f"nobody listens at {webhook.url}")
    except (OSError, Malformed, Cut):
        status = None
    if status is None:
        return replace(due.told, problem="the connection ended without an answer")
    return replace(due.told, status=status)


async def _posted(webhook: Webhook, due: Due) -> int | None:
    """The status of the answer; None where the connection ended before one."""
    reader, writer = await asyncio.open_connection(webhook.host, webhook.port)
    try:
        headers = {
            "Host": webhook.authority,
            "Content-Type": JSON,
            "Content-Length": str(len(due.body)),
            "Connection": "close",
            **due.headers,
        }
        lines = [(name, value.encode()) for name, value in headers.items()]
        writer.write(request_head("POST", webhook.target, lines) + due.body)
        await writer.drain()
        head = await Incoming(reader.read).answer()
        return head.status if head else None
    finally:
        with suppress(OSError):
            writer.close()
