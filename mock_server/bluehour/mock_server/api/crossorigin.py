"""Pages of other origins may call the mocked API and its links, as a web client in development does (CORS).

https://fetch.spec.whatwg.org/#http-cors-protocol. The control API and the console are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bluehour.openapi.messages import Headers, Request

_SECONDS = 600
"""For which a browser need not ask again."""


def asked_before(request: Request) -> str | None:
    """Return the method that a browser asks to be allowed; None where it asks nothing of the kind."""
    is_asked = request.method == "OPTIONS" and request.headers.get("origin") is not None
    return request.headers.get("access-control-request-method") if is_asked else None


def shared_with(origin: str, asked: Headers, answered: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers by which a browser hands an answer to the page that has asked.

    Args:
        origin: the page's.
        asked: the request's headers; in a preflight they name the method and the headers to come.
        answered: those of the answer.
    """
    shared = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    ]
    if asked.get("access-control-request-method") is None:
        names = dict.fromkeys(name for name, _ in answered)
        return [*shared, ("Access-Control-Expose-Headers", ", ".join(names))] if names else shared
    allowed = [value for name, value in answered if name == "Allow"]
    named = asked.get("access-control-request-headers")
    shared += [("Access-Control-Allow-Methods", value) for value in allowed]
    shared += [("Access-Control-Allow-Headers", named)] if named else []
    return [*shared, ("Access-Control-Max-Age", f"{_SECONDS}")]
