"""One POST to a receiver, and what is to be said of its answer."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from openapi.model import JSON


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
    except TimeoutError:
        problem = f"no answer within {answer_within:g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        problem = f"{getattr(error, 'strerror', None) or error or type(error).__name__}"
    seconds = time.monotonic() - started
    if status is not None and not 200 <= status < 300:
        problem = f"answered {status}, not 2XX"
    elif status is not None and seconds > answer_within:
        problem = f"answered only after {seconds:.1f} s; {answer_within:g} s are allowed"
    return status, problem, round(seconds * 1000, 1)


def _status(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
