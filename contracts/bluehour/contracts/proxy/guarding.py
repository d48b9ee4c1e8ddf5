"""What a proxy owes to consoles, though it changes nothing else of a request.

To its own: browsers send a cookie to every port of a host, so the console's must not go on to the upstream.
To that of a mock which is the upstream: it would take whoever the proxy speaks for to be on this machine.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from bluehour.mock_server import control
from bluehour.mock_server.control.access import COOKIE

from ..http1 import Field, Fields

_OURS = re.compile(rb"(?:^|;)[ \t]*%s=[^;]*" % COOKIE.encode())
_CONSOLE = control.PREFIX.encode()

VIA = Field(b"Via: 1.1 bluehour", b"via", b"1.1 bluehour")
"""Tells a console that its caller may be elsewhere, as RFC 9110, section 7.6.3, has a proxy do."""


def without_our_cookie(fields: Fields) -> Fields:
    """Return headers without the console's cookie."""
    if not any(COOKIE.encode() in value for value in fields.values(b"cookie")):
        return fields
    kept = []
    for field in fields.all:
        if field.name == b"cookie":
            value = _OURS.sub(b"", field.value).lstrip(b"; \t")
            if not value:
                continue
            field = Field(field.line[:6] + b": " + value, field.name, value)
        kept.append(field)
    return Fields(tuple(kept))


def is_for_a_console(target: bytes) -> bool:
    """Tell whether a target, as a server gets it, is a console's, however it is spelled."""
    path = unquote_to_bytes(target.partition(b"?")[0])
    return path == _CONSOLE or path.startswith(_CONSOLE + b"/")
