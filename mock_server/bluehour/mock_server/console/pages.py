"""The console's page at `/_mock` and its files. It is static: what it shows, the control API tells it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from flask import Flask, Response, abort, request

from ..api.wsgi import sending_of
from ..control import PREFIX
from .feed import Feed, follow

_HERE = Path(__file__).parent
_PAGE = _HERE / "index.html"
# The palette is the reference's. It comes from here, since a contract may have taken `/docs` for itself.
_FILES = {
    path.name: path
    for path in (
        *_HERE.joinpath("static").iterdir(),
        _HERE.with_name("reference_page") / "static" / "base.css",
    )
}
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# What clients send is shown as text only. Should it ever come out as HTML, it can still do nothing.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_routes(app: Flask, feed: Feed) -> None:
    """Serve the console at `/_mock`, and its style, scripts and events below it."""
    app.add_url_rule(PREFIX, "console", _page, strict_slashes=False)
    app.add_url_rule(f"{PREFIX}/static/<name>", "console file", _file)
    app.add_url_rule(f"{PREFIX}/events", "console events", partial(_events, feed))
    app.add_url_rule("/favicon.ico", "console icon", lambda: _file("icon.svg"))  # browsers ask for it


def _page() -> Response:
    return Response(_PAGE.read_bytes(), headers=_HEADERS, content_type="text/html; charset=utf-8")


def _file(name: str) -> Response:
    path = _FILES.get(name)
    if path is None:
        abort(404)
    return Response(path.read_bytes(), headers=_HEADERS, content_type=_TYPES[path.suffix])


def _events(feed: Feed) -> Response:
    sending_of(request.environ).events = partial(follow, feed)
    return Response(content_type="text/event-stream", headers={"Cache-Control": "no-store"})
