"""What is on this machine, and keeping clients of its servers from going through a proxy."""

from __future__ import annotations

import ipaddress
import os

_HERE = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def without_proxies() -> dict[str, str]:
    """Return variables by which clients use no proxy for this machine, and for whom they name already."""
    return {name: ",".join(filter(None, [os.environ.get(name), _HERE])) for name in ("NO_PROXY", "no_proxy")}
