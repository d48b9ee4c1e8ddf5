"""One application, two carriers: the server of ours and Flask's give the same answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running

from .conftest import FACE, UPLOADS, face

JSON = {"Content-Type": "application/json"}
CALLER = {"Authorization": "Bearer mhk_test_creator_5"}
Call = tuple[str, str, dict[str, str], bytes]
CALLS: tuple[Call, ...] = (
    ("POST", FACE, JSON, b"{}"),
    ("POST", FACE, {**JSON, "Authorization": "Bearer mhk_test_invalid"}, b"{}"),
    ("POST", FACE, {**JSON, **CALLER}, b"{}"),
    ("POST", FACE, {**JSON, **CALLER}, b"{"),
    ("POST", FACE, {"Content-Type": "text/plain", **CALLER}, b"{}"),
    ("POST", FACE, {**JSON, **CALLER}, json.dumps({**face(), "style": {"mouth_smile": 61}}).encode()),
    ("POST", FACE, {**JSON, **CALLER, "Prefer": "code=429"}, b"{}"),
    ("POST", UPLOADS, {**JSON, **CALLER}, b'{"items": [{"type": "image", "extension": "exe"}]}'),
    ("GET", FACE, CALLER, b""),
    ("OPTIONS", FACE, {}, b""),
    ("FROB", FACE, {}, b""),
    ("GET", "/v1/image-projects/none", CALLER, b""),
    ("GET", "/v1/image-projects/a%2Fb", CALLER, b""),
    ("HEAD", "/v1/image-projects/none", CALLER, b""),
    ("DELETE", "/v1/image-projects/cuid-example", CALLER, b""),
    ("GET", "/v1/image-projects", CALLER, b""),
    ("GET", "/nothing?a=%FF", {}, b""),
    ("PUT", "/api-assets/x/image.png?expires=1&signature=0", {}, b"x"),
    ("GET", "/outputs/x/output.png?expires=1&signature=0", {}, b""),
    ("GET", "/_mock/rules", {}, b""),
    ("GET", "/_mock/nothing", {}, b""),
    ("PATCH", "/_mock/clock", {}, b""),
    ("GET", "/openapi.json", {}, b""),
    ("HEAD", "/openapi.json", {}, b""),
    ("OPTIONS", "/outputs/x/output.png", {}, b""),
    ("GET", "/docs/reference.css", {}, b""),
)
NAMED = (
    "content-length",
    "content-type",
    "allow",
    "www-authenticate",
    "retry-after",
    "location",
    "cache-control",
)


@pytest.fixture(scope="module")
def mock() -> Iterator[Mock]:
    clock = Clock()
    clock.freeze()
    with closing(Mock(clock=clock)) as made:
        yield made


@pytest.fixture(scope="module")
def served(mock: Mock) -> Iterator[str]:
    with running(mock) as url:
        yield urlsplit(url).netloc


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1]}")
def test_both_answer_the_same(mock: Mock, served: str, call: Call) -> None:
    method, target, headers, body = call
    with closing(http.client.HTTPConnection(served, timeout=60)) as connection:
        connection.request(method, target, body or None, headers)
        ours = connection.getresponse()
        content = ours.read()
    client = create_app(mock).test_client()
    flasks = client.open(target, method=method, headers=headers, data=body or None)
    assert (ours.status, content) == (flasks.status_code, flasks.get_data())
    assert {name: ours.getheader(name) for name in NAMED} == {
        name: flasks.headers.get(name) for name in NAMED
    }
