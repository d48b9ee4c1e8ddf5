"""The console has an origin of its own: what passes can't read it, and the upstream learns nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bluehour.contracts.proxy.guarding import is_for_a_console
from bluehour.mock_server.control.access import COOKIE

from .running import Proxied, RawServer, Wire, connected, proxied
from .test_judging import call, mocked

__all__ = ["mocked"]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def heads(server: RawServer) -> list[bytes]:
    """What comes to the upstream."""
    seen: list[bytes] = []

    def handle(wire: Wire) -> None:
        while head := wire.head():
            seen.append(head)
            wire.send(OK)

    server.handle = handle
    return seen


@pytest.fixture
def locked(server: RawServer) -> Iterator[Proxied]:
    with proxied(server.url, control_token="opener") as proxy:
        yield proxy


@pytest.mark.parametrize("path", [b"/_mock", b"/_mock/journal?limit=1", b"/_mock/static/main.js"])
def test_what_is_a_console_elsewhere_is_passed_on_like_anything_else(
    server: RawServer, proxy: Proxied, heads: list[bytes], path: bytes
) -> None:
    with connected(proxy.port) as wire:
        wire.send(b"GET %s HTTP/1.1\r\nHost: a\r\nX-Other: 1\r\n\r\n" % path)
        assert wire.message()[1] == b"ok"
    assert heads == [
        b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Other: 1\r\nVia: 1.1 bluehour\r\n\r\n"
        % (path, server.port)
    ]
    (entry,) = proxy.entries()
    assert entry["request"]["path"].encode() == path.partition(b"?")[0]


@pytest.mark.parametrize("path", ["/_mock", "/_mock/reset", "/%5Fmock/reset", "/%5fmoc%6b", "/_mock/?a"])
def test_a_mock_behind_a_proxy_is_told_that_its_callers_come_by_one(mocked: str, path: str) -> None:
    with proxied(mocked) as proxy:
        assert call(mocked + path)[0] in (200, 405)
        status, answer = call(proxy.url + path)
    assert status == 403
    assert "has come by a proxy (Via)" in answer["message"]


@pytest.mark.parametrize("target", [b"/", b"/_mocked", b"/v1/_mock", b"/v1?/_mock", b"*"])
def test_nothing_else_gets_a_header_of_the_proxys(target: bytes) -> None:
    assert not is_for_a_console(target)


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ([b"Cookie: %s=opener"], []),
        ([b"Cookie: a=1; %s=opener; b=2"], [b"Cookie: a=1; b=2"]),
        ([b"cookie:%s=opener;b=2"], [b"cookie: b=2"]),
        ([b"Cookie: a=1; %s=opener"], [b"Cookie: a=1"]),
        ([b"Cookie: a=1", b"Cookie: %s=opener; %s=opener"], [b"Cookie: a=1"]),
        ([b"Cookie:  a=1;;b"], [b"Cookie:  a=1;;b"]),
    ],
)
def test_the_consoles_cookie_stays_here(
    locked: Proxied, heads: list[bytes], sent: list[bytes], passed: list[bytes]
) -> None:
    lines = [line.replace(b"%s", COOKIE.encode()) for line in sent]
    with connected(locked.port) as wire:
        wire.send(b"\r\n".join([b"GET /_mock/page HTTP/1.1", b"Host: a", *lines, b"", b""]))
        assert wire.message()[1] == b"ok"
    assert heads[0].split(b"\r\n")[2:-3] == passed
    assert b"opener" not in heads[0]
    assert "opener" not in f"{locked.entries()}"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-site"}, {"Origin": "{url}"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=str,
)
def test_a_page_of_the_upstreams_is_another_sites_page_to_the_console(
    proxy: Proxied, headers: dict[str, str]
) -> None:
    sent = {name: value.format(url=proxy.url) for name, value in headers.items()}
    assert call(f"{proxy.console}/journal")[0] == 200
    assert call(f"{proxy.console}/journal", **sent)[0] == 403
    assert call(f"{proxy.console}/journal", "DELETE", **sent)[0] == 403


def test_nothing_but_the_console_is_at_its_port(proxy: Proxied, heads: list[bytes]) -> None:
    with connected(proxy.console_port) as wire:
        wire.send(b"GET /v1/image-projects/one HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert wire.head().startswith(b"HTTP/1.1 404 ")
    with connected(proxy.console_port) as wire:
        wire.send(b"nonsense\r\n\r\n")
        assert wire.head().startswith(b"HTTP/1.1 400 ")
    assert (heads, proxy.kept) == ([], [])
