"""One POST to a receiver, and what is to be said of its answer."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Mapping
from threading import Timer
from urllib.parse import quote, urlsplit

from openapi.model import JSON

_AS_WRITTEN = "!#$%&'()*+,/:;=?@[]~"
"""What of a URL needs no quotes, or has them already."""


def check_url(url: str) -> None:
    """Let a URL pass that something can be sent to.

    Raises:
        ValueError: it is none; the message says what one is.
    """
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, an address that is none
        is_one = False
    if not is_one or any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError(f"{url!r} is no URL that events can be sent to; one is http://127.0.0.1:8000/hook")


def post(
    url: str, body: bytes, headers: Mapping[str, str], answer_within: float
) -> tuple[int | None, str | None, float]:
    """Send an event.

    Args:
        url: the receiver's, http or https; redirects are not followed.
        body: JSON.
        headers: beside the Content-Type.
        answer_within: seconds that the receiver has.

    Returns:
        The status or None, what is wrong or None, and the milliseconds that it took.
    """
    started = time.monotonic()
    status, problem = None, None
    try:
        status = _status(
            url, body, {"Content-Type": JSON, "User-Agent": "bluehour", **headers}, answer_within
        )
    except (OSError, http.client.HTTPException, ValueError) as error:
        problem = f"{getattr(error, 'strerror', None) or error or type(error).__name__}"
    seconds = time.monotonic() - started
    if status is None and seconds >= answer_within:
        problem = f"no answer within {answer_within:g} s"
    if status is not None and not 200 <= status < 300:
        problem = f"answered {status}, not 2XX"
    elif status is not None and seconds >= answer_within:
        problem = f"answered only after {seconds:.1f} s; {answer_within:g} s are allowed"
    return status, problem, round(seconds * 1000, 1)


def _status(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    # The timeout is that of one read; a receiver that trickles makes many.
    alarm = Timer(timeout, _hang_up, [connection])
    alarm.daemon = True
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        path = quote(path, safe=_AS_WRITTEN)
        alarm.start()
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        alarm.cancel()
        connection.close()


def _hang_up(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):  # it is over already
        connection.sock.shutdown(socket.SHUT_RDWR)
