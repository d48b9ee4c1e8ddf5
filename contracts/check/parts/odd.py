"""Requests that clients send by mistake or malice: whatever is answered, the server does not fail."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ...exchange import Headers
from ..checker import Check, answered, json_of, path_values
from ..jobs import Jobs
from .bodies import legal_body


def try_odd(check: Check, jobs: Jobs) -> None:
    """Send odd bodies; the rules of every answer say what comes of them."""
    for operation in (*check.uploads, *check.creates):
        if json_of(operation) is None:
            continue
        with check.within_budget(operation):
            for says, content in _bodies(legal_body(check, operation, check.accounts.main)):
                exchange = check.call(
                    operation, check.accounts.main, content=content, purpose=f"an odd body: {says}"
                )
                jobs.accept(exchange, check.accounts.main)


def try_headers(check: Check) -> None:
    """Read a project that there is not, with headers and queries that are not declared: 404 as ever."""
    nowhere = "bluehour-headers"
    expected = check.status_of("not_found")
    for operation in check.reads:
        url = operation.path
        for name, value in path_values(operation, nowhere).items():
            url = url.replace(f"{{{name}}}", value)
        for says, headers, query in _additions():
            exchange = check.ask(
                operation.method,
                url + query,
                check.accounts.main,
                operation=operation,
                headers=headers,
                purpose=says,
            )
            status = answered(exchange)
            if 0 < status < 500:
                message = f"With {says} it was answered by {status} in place of {expected}"
                check.expect("accept.headers", exchange, status == expected, message, says)
        bare = check.bare(operation.method, url, check.accounts.main, operation, "no header but the token")
        if 0 < answered(bare) < 500:
            message = (
                f"Without User-Agent and Accept it was answered by {answered(bare)} in place of {expected}"
            )
            check.expect("accept.headers", bare, answered(bare) == expected, message, "User-Agent")


def _bodies(legal: object) -> Iterator[tuple[str, bytes]]:
    """Each of them is no legal body of any operation, so none is accepted by right."""
    deep = 5000
    yield "arrays, thousands of levels deep", b"[" * deep + b"]" * deep
    yield "objects, thousands of levels deep", b'{"style":' * deep + b"1" + b"}" * deep
    yield "half of a surrogate pair", b'{"style": {"prompt": "\\ud800"}, "name": "\\udfff"}'
    yield "the character NUL", b'{"style": {"prompt": "\\u0000"}, "name": "a\\u0000b"}'
    yield "a number of 400 digits", b'{"resolution": ' + b"9" * 400 + b', "style": {"mouth_smile": 1e999}}'
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
    yield "an Accept that nobody offers", (("Accept", "application/vnd.nobody+cbor"),), ""
    yield "an Accept that can't be parsed", (("Accept", ";;q=,/"),), ""
    yield "a long Accept-Language", (("Accept-Language", ",".join(["de-DE;q=0.5"] * 300)),), ""
    yield "a Range that is none", (("Range", "bytes=-1-,x"),), ""
    yield "a Cookie that is none", (("Cookie", '=;;="; a=b=c'),), ""
    yield "an If-None-Match", (("If-None-Match", '"x'), ("If-Modified-Since", "yesterday")), ""
    yield "an Origin and a forwarded host", (("Origin", "null"), ("X-Forwarded-Host", "a:b:c")), ""
    yield "a Content-Type, though there is no body", (("Content-Type", "application/json"),), ""
    yield "a query", (), "?utm_source=bluehour&page=2"
    yield "a query that is none", (), "?&&=&a&%zz"
