"""Who may use the control API: callers on this machine, or whoever has the token."""

from __future__ import annotations

import hmac
import ipaddress

from bluehour.openapi.messages import Request

from .exchange import ControlRefusal

COOKIE = "bluehour_control"

# What proxies write about whom they call for, in lower case; and what such names begin with.
_FORWARDED = frozenset(
    {
        "cf-connecting-ip",
        "client-ip",
        "fastly-client-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-real-ip",
    }
)
_FORWARDED_PREFIXES = ("x-forwarded", "x-original-", "x-envoy-")

_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain"})


def check_access(token: str | None, request: Request) -> None:
    """Let a caller pass.

    Args:
        token: what `--control-token` was given; None where it was not.
        request: the caller's.

    Raises:
        ControlRefusal: 401 without the right token; without any being set, 403 for callers elsewhere, or
            behind a proxy, who may be. 403 in any case for somebody else's page in the caller's browser.
    """
    _refuse_other_sites(request)
    if token is not None:
        if not _has_token(token, request):
            raise ControlRefusal(
                401,
                "unauthorized",
                "The control API wants the token of --control-token: send Authorization: Bearer TOKEN, or "
                "open /_mock?token=TOKEN in the browser",
            )
        return
    if not _is_local(request.client):
        raise ControlRefusal(
            403,
            "forbidden",
            "The control API is open to callers on the mock's own machine; start it with --control-token "
            "to open it to others",
        )
    if (header := _forwarded_by(request)) is not None:
        raise ControlRefusal(
            403,
            "forbidden",
            f"The request has come by a proxy ({header}), so its caller may be anywhere; start the mock with "
            "--control-token to open the control API to those behind proxies",
        )
    # A page that somebody lured the browser to may call by a name of its own that leads here.
    if not _names_this_machine(_host_of(request)):
        raise ControlRefusal(
            403,
            "forbidden",
            "The control API is called by 127.0.0.1 or localhost; other names need --control-token",
        )


def _refuse_other_sites(request: Request) -> None:
    """A browser sends a simple request from any page, with cookies, and tells where it is from."""
    site = request.headers.get("sec-fetch-site") or "none"
    origin = request.headers.get("origin")
    is_navigation = request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"
    if is_navigation or (site in ("same-origin", "none") and _is_own(origin, request)):
        return
    raise ControlRefusal(403, "forbidden", "The control API takes no calls from other sites' pages")


def _is_own(origin: str | None, request: Request) -> bool:
    """Tell whether a page is one of ours; the scheme may be that of a proxy before us."""
    return origin is None or origin.partition("://")[2] == _host_of(request)


def _forwarded_by(request: Request) -> str | None:
    """Return the name of a header that only a proxy writes, or None."""
    for name, _ in request.headers:
        lower = name.lower()
        if lower in _FORWARDED or lower.startswith(_FORWARDED_PREFIXES):
            return name
    return None


def _has_token(token: str, request: Request) -> bool:
    scheme, _, sent = (request.headers.get("authorization") or "").partition(" ")
    candidates = (sent if scheme.lower() == "bearer" else "", *request.cookies.get(COOKIE, ()))
    return any(
        hmac.compare_digest(one.strip().encode(errors="replace"), token.encode()) for one in candidates
    )


def _host_of(request: Request) -> str:
    return request.headers.get("host") or "localhost"


def _is_local(address: str) -> bool:
    if address in ("", "localhost"):  # no network at all: a test client, a Unix socket
        return True
    try:
        ip = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def _names_this_machine(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else host
    return name.lower() in _LOCAL_NAMES or _is_local(name)
