"""Requests that clients send by mistake or malice: whatever is answered, the server does not fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from bluehour.openapi.model import Operation

from ...exchange import Headers
from ..checker import Check, answered, path_values
from ..jobs import Jobs
from ..sender import Call
from .bodies import legal_body


def try_odd(check: Check, jobs: Jobs) -> None:
    """Send odd bodies; the rules of every answer say what comes of them."""
    for operation in (*check.bodied, *check.creates):
        if operation.json_body is None:
            continue
        with check.within_budget(operation):
            for says, content in _bodies(legal_body(check, operation, check.accounts.main)):
                exchange = check.call(
                    operation, check.accounts.main, content=content, purpose=f"an odd body: {says}"
                )
                jobs.accept(exchange, check.accounts.main)


def try_headers(check: Check, jobs: Jobs) -> None:
    """Ask for what is surely refused, with undeclared headers and queries: it is refused as ever."""
    refused = [(each, None, check.status_of("not_found")) for each in (*check.reads, *check.deletes)]
    illegal = [(each, b"{}", check.status_of("invalid_request")) for each in (*check.bodied, *check.creates)]
    for operation, content, expected in (*refused, *illegal):
        call = check.prepared(operation, check.accounts.main, content=content, path=_nowhere(operation))
        with check.within_budget(operation, "accept.headers"):
            for says, headers, query in _additions():
                _expect_refused(check, jobs, _with(call, headers, query, says), expected, says)
            bare = [each for each in call.request.headers if each[0] in ("Authorization", "Content-Type")]
            says = "no User-Agent and no Accept"
            call = replace(call, request=replace(call.request, headers=tuple(bare)), purpose=says)
            _expect_refused(check, jobs, call, expected, says)


def _with(call: Call, headers: Headers, query: str, purpose: str) -> Call:
    """A call with headers in place of those of the same names, and with a query."""
    names = {name for name, _ in headers}
    others = [each for each in call.request.headers if each[0] not in names]
    request = replace(call.request, headers=(*others, *headers), url=call.request.url + query)
    return replace(call, request=request, purpose=purpose)


def _expect_refused(check: Check, jobs: Jobs, call: Call, expected: int, says: str) -> None:
    exchange = check.sender.send(call)
    jobs.accept(exchange, check.accounts.main)
    status = answered(exchange)
    if 0 < status < 500 and status != check.status_of("insufficient_credits"):
        message = f"With {says} it was answered by {status} in place of {expected}"
        check.expect("accept.headers", exchange, status == expected, message, says)


def _nowhere(operation: Operation) -> dict[str, str]:
    """A path of nothing; of another contract's operations that of what is there, as its ids have any form."""
    return path_values(operation, "bluehour-headers") if operation.behaviour is not None else {}


def _bodies(legal: object) -> Iterator[tuple[str, bytes]]:
    """Each of them is no legal body of any operation, so none is accepted by right."""
    deep = 5000
    yield "arrays, thousands of levels deep", b"[" * deep + b"]" * deep
    yield "objects, thousands of levels deep", b'{"style":' * deep + b"1" + b"}" * deep
    yield "half of a surrogate pair", b'{"style": {"prompt": "\\ud800"}, "name": "\\udfff"}'
    yield "the character NUL", b'{"style": {"prompt": "\\u0000"}, "name": "a\\u0000b"}'
    yield "a number of 400 digits", b'{"resolution": ' + b"9" * 400 + b', "style": {"mouth_smile": 1e999}}'
    text = json.dumps("x" * 100_000).encode()
    yield "texts of 100,000 characters", b'{"name": %s, "style": {"prompt": %s}}' % (text, text)
    yield "a byte order mark", b"\xef\xbb\xbf{}"
    yield "UTF-16", json.dumps(legal).encode("utf-16")
    yield "a key twice", b'{"style": {}, "style": 1, "assets": {}, "assets": 2}'
    yield (
        "keys of objects that Python has",
        b'{"__class__": {"__init__": 1}, "constructor": {"prototype": {}}}',
    )
    yield "a quarter of a megabyte of blanks", b" " * 2**18
    yield "a quarter of a megabyte of text", json.dumps({"name": "x" * 2**18}).encode()
    yield "two thousand keys", json.dumps({f"k{index}": index for index in range(2000)}).encode()


def _additions() -> Iterator[tuple[str, Headers, str]]:
    """What is added, in words, as headers, and as a query."""
    yield "a long Accept-Language", (("Accept-Language", ",".join(["de-DE;q=0.5"] * 300)),), ""
    yield "a Range", (("Range", "bytes=0-1"),), ""
    yield "a cookie of somebody else's", (("Cookie", "session=abc; theme=dark"),), ""
    yield "an If-None-Match", (("If-None-Match", '"x'), ("If-Modified-Since", "yesterday")), ""
    yield "a long User-Agent", (("User-Agent", "bluehour-check " * 60),), ""
    yield "a query", (), "?utm_source=bluehour&page=2"
