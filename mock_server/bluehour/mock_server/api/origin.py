"""What a client reaches the server by."""

from __future__ import annotations

import re

from bluehour.openapi.messages import Request

# What people call a host; a container's name may have an underscore, though DNS allows none.
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?", re.ASCII)


def base_url_of(request: Request) -> str:
    """Return what a client reaches this server by, such as `http://127.0.0.1:4010`: its Host header tells."""
    host = request.headers.get("host") or ""
    return f"{request.origin.partition('://')[0]}://{host}" if _HOST.fullmatch(host) else request.origin
