"""What a proxy owes to consoles, though it changes nothing else of a request.

To its own: browsers send a cookie to every port of a host, so the console's must not go on to the upstream.
To that of a mock which is the upstream: it would take whoever the proxy speaks for to be on this machine.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from bluehour.mock_server import control
from bluehour.mock_server.control.access import COOKIE
from bluehour.openapi.messages import Headers

from ..http1 import Line, RequestHead

_OURS = re.compile(rf"(?:^|;)[ \t]*{COOKIE}=[^;]*")

VIA = Line("via", b"Via: 1.1 bluehour")
"""Tells a console that its caller may be elsewhere, as RFC 9110, section 7.6.3, has a proxy do."""


def without_our_cookie(head: RequestHead) -> RequestHead:
    """Return a request's head without the console's cookie."""
    if COOKIE not in (head.headers.get("cookie") or ""):
        return head
    kept = []
    for (name, value), raw in zip(head.headers, head.raw, strict=True):
        if name.lower() != "cookie":
            kept.append(((name, value), raw))
        elif cookies := _OURS.sub("", value).lstrip("; \t"):
            kept.append(((name, cookies), f"{name}: {cookies}".encode("latin-1")))
    pairs, lines = zip(*kept, strict=True) if kept else ((), ())
    return replace(head, headers=Headers(pairs), raw=lines)


def is_for_a_console(target: bytes) -> bool:
    """Tell whether a target, as a server gets it, is a console's, however it is spelled."""
    path = unquote_to_bytes(target.partition(b"?")[0]).decode("latin-1")
    return path == control.PREFIX or path.startswith(f"{control.PREFIX}/")
