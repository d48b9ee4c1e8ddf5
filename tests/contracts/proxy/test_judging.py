"""Both sides are judged: what clients send, what the server answers, and neither where it is not to blame."""

from __future__ import annotations

import gzip
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from PIL import Image

from bluehour.contracts.proxy.passed import MOST_KEPT
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.journal.view import archive
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running

from .lying import MISSING, lying_server
from .running import Proxied, RawServer, Wire, connected, proxied

TOKEN = "mhk_live_0123456789abcdefghijklmnopqrstuv"
FACE = "/v1/ai-face-editor"


@pytest.fixture(scope="module")
def mocked() -> Iterator[str]:
    with closing(Mock(settings=Settings(time_scale=0.05))) as mock, running(mock) as url:
        yield url


@pytest.fixture
def before_mock(mocked: str) -> Iterator[Proxied]:
    with proxied(mocked) as proxy:
        yield proxy


@pytest.fixture
def before_liar() -> Iterator[Proxied]:
    with lying_server() as url, proxied(url) as proxy:
        yield proxy


def call(
    url: str, method: str = "GET", body: Any = None, *, token: str | None = TOKEN, **headers: str
) -> tuple[int, Any]:
    """Call an operation; return the status, and the JSON or the bytes that came."""
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, content, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, _parsed(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _parsed(error.read())


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content


def face(asset: str = "api-assets/id/1234.png", **style: Any) -> dict[str, Any]:
    return {"assets": {"image_file_path": asset}, "style": style}


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "PNG")
    return file.getvalue()


def by_proxy(link: str, mocked: str, proxy: Proxied) -> str:
    """A link as it is where a client takes it by the proxy."""
    assert link.startswith(mocked)
    return link.replace(mocked, proxy.url)


def test_an_edit_from_upload_to_download_passes_without_a_word(mocked: str, before_mock: Proxied) -> None:
    url = before_mock.url
    asked = {"items": [{"type": "image", "extension": "png"}]}
    _, links = call(f"{url}/v1/files/upload-urls", "POST", asked)
    item = links["items"][0]
    status, _ = call(by_proxy(item["upload_url"], mocked, before_mock), "PUT", png(), token=None)
    assert status == 200
    _, created = call(url + FACE, "POST", face(item["file_path"], mouth_smile=60))
    polls = 0
    project: dict[str, Any] = {"status": "queued"}
    while project["status"] in ("queued", "rendering"):
        time.sleep(0.05)
        _, project = call(f"{url}/v1/image-projects/{created['id']}")
        polls += 1
    download = by_proxy(project["downloads"][0]["url"], mocked, before_mock)
    status, picture = call(download, token=None)
    assert Image.open(io.BytesIO(picture)).format == "PNG"
    assert call(f"{url}/v1/image-projects/{created['id']}", "DELETE")[0] == 204

    entries = before_mock.entries(polls + 5)
    assert [entry["broken"] for entry in entries] == [[]] * len(entries)
    assert [entry["faults"] for entry in entries] == [[]] * len(entries)
    assert [entry["remarks"] for entry in entries] == [[]] * len(entries)
    assert (entries[2]["credits"], entries[2]["project"]) == (-1, created["id"])
    assert entries[1]["operation"] == "upload"
    assert entries[-2]["operation"] == "download"
    assert entries[-2]["response"]["size"] == len(picture)
    assert before_mock.bench is not None
    assert before_mock.bench.tally.summary() == (f"{polls + 5} requests, and nothing broke the contract.\n")


def test_an_illegal_field_is_a_fault_of_the_client(before_mock: Proxied) -> None:
    assert call(before_mock.url + FACE, "POST", face(mouth_smile=61))[0] == 400
    (entry,) = before_mock.entries()
    assert [fault["where"] for fault in entry["faults"]] == ["style.mouth_smile"]
    assert entry["broken"] == []
    assert before_mock.bench is not None
    assert before_mock.bench.tally.summary().splitlines() == [
        "1 request: 1 faulty, 0 with an answer that breaks the contract.",
        "",
        "Faults of requests",
        "  1  style.mouth_smile  POST /v1/ai-face-editor  style.mouth_smile must be a multiple of 5",
    ]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_request_is_judged_by_what_is_in_it(
    server: RawServer, proxy: Proxied, coding: str
) -> None:
    import zlib

    plain = json.dumps(face(mouth_smile=61)).encode()
    packed = gzip.compress(plain) if coding == "gzip" else zlib.compress(plain)
    got: list[bytes] = []

    def handle(wire: Wire) -> None:
        got.append(wire.message()[1])
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server.handle = handle
    call(proxy.url + FACE, "POST", packed, **{"Content-Encoding": coding})
    assert got == [packed]
    (entry,) = proxy.entries()
    assert [fault["where"] for fault in entry["faults"]] == ["style.mouth_smile"]
    assert json.loads(entry["request"]["body"]) == face(mouth_smile=61)
    assert entry["request"]["size"] == len(packed)


def test_a_missing_token_is_a_fault(before_mock: Proxied) -> None:
    assert call(before_mock.url + FACE, "POST", face(), token=None)[0] == 401
    (entry,) = before_mock.entries()
    assert [fault["where"] for fault in entry["faults"]] == ["Authorization"]


def test_what_no_operation_is_there_for_is_a_fault(before_mock: Proxied) -> None:
    assert call(f"{before_mock.url}/v1/ai-face%2Deditors")[0] == 404
    (entry,) = before_mock.entries()
    assert entry["request"]["path"] == "/v1/ai-face-editors"
    assert [fault["where"] for fault in entry["faults"]] == ["path"]


def test_an_answer_that_lacks_a_field_breaks_a_rule(before_liar: Proxied) -> None:
    assert MISSING not in call(f"{before_liar.url}/v1/image-projects/one")[1]
    (entry,) = before_liar.entries()
    assert entry["faults"] == []
    assert {broken["rule"] for broken in entry["broken"]} == {"answer.schema", "answer.leak"}
    assert any(MISSING in broken["message"] for broken in entry["broken"])
    assert before_liar.bench is not None
    summary = before_liar.bench.tally.summary()
    assert "1 request: 0 faulty, 1 with an answer that breaks the contract." in summary
    assert "answer.schema  GET /v1/image-projects/{id}" in summary
    (shown,) = call(f"{before_liar.console}/journal?broken=true")[1]["entries"]
    assert shown == entry
    assert call(f"{before_liar.console}/journal?broken=false")[1]["entries"] == []


def test_a_compressed_answer_is_judged_by_what_is_in_it(server: RawServer, proxy: Proxied) -> None:
    packed = gzip.compress(b'{"id": 5}')

    def handle(wire: Wire) -> None:
        wire.message()
        wire.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: %d\r\n\r\n" % len(packed) + packed
        )

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(b"GET /v1/image-projects/one HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.message()[1] == packed
    (entry,) = proxy.entries()
    assert entry["response"]["body"] == '{"id": 5}'
    assert any("id" in broken["message"] for broken in entry["broken"])


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        (b"Content-Encoding: br\r\n", b"???", "the Content-Encoding br can't be read here"),
        (b"Content-Encoding: gzip\r\n", gzip.compress(b" " * (MOST_KEPT + 1)), "more than 16,777,216 bytes"),
        (b"", b" " * (MOST_KEPT + 1), "it has more than 16 MiB"),
    ],
    ids=["coding", "inflated", "large"],
)
def test_a_body_that_can_not_be_judged_is_not(
    server: RawServer, proxy: Proxied, headers: bytes, body: bytes, said: str
) -> None:
    def handle(wire: Wire) -> None:
        wire.message()
        wire.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + headers
            + b"Content-Length: %d\r\n\r\n" % len(body)
            + body
        )

    server.handle = handle
    call(f"{proxy.url}/v1/image-projects/one")
    (entry,) = proxy.entries()
    assert entry["broken"] == []
    assert entry["response"]["body"] is None
    (remark,) = entry["remarks"]
    assert remark.startswith("the answer's body is not judged: ")
    assert said in remark


def test_no_token_is_written_anywhere(before_liar: Proxied) -> None:
    url = f"{before_liar.url}/v1/image-projects/{TOKEN}?api_key={TOKEN}"
    for _ in range(2):
        call(url, **{"X-Also": TOKEN})
    call(before_liar.url + FACE, "POST", {"assets": TOKEN, TOKEN: TOKEN})
    call(f"{before_liar.url}/v1/image-projects/{TOKEN}", token="another-token-of-someone")
    before_liar.verdict(4)
    journal = call(f"{before_liar.console}/journal", token=None)[1]
    har = archive(before_liar.kept, "http://x", "1")
    written = f"{journal} {har} {before_liar.verdicts}"
    assert TOKEN not in written
    assert "another-token-of-someone" not in written
    assert "mhk_live…stuv" in written
    assert "0123456789abcdefghijklmnop" not in written  # a cookie
    assert before_liar.bench is not None
    assert TOKEN not in before_liar.bench.tally.summary()


def test_a_hurried_poll_and_a_create_sent_twice_are_warned_of(before_mock: Proxied) -> None:
    for _ in range(2):
        call(before_mock.url + FACE, "POST", face(mouth_smile=30))
    entries = before_mock.entries(2)
    assert any("the same create" in warning for warning in entries[1]["warnings"])


def test_the_console_has_the_journal_and_nothing_that_a_proxy_can_not_do(before_mock: Proxied) -> None:
    url = before_mock.url
    console = before_mock.console
    state = call(f"{console}/state")[1]
    assert (state["mode"], state["settings"]["upstream"]) == ("proxy", before_mock.mock.upstream)
    assert state["links"].keys() == {"control"}
    call(url + FACE, "POST", face())
    before_mock.verdict()
    assert len(call(f"{console}/journal.har")[1]["log"]["entries"]) == 1
    assert call(f"{console}/journal/1")[0] == 200
    for method, path, body in [
        ("POST", "clock", {"frozen": True}),
        ("GET", "rules", None),
        ("POST", "rules", {"delay": 1}),
        ("POST", "reset", {}),
        ("GET", "accounts", None),
        ("GET", "projects", None),
        ("POST", "webhooks", {"url": "http://127.0.0.1:9"}),
    ]:
        status, answer = call(f"{console}/{path}", method, body)
        assert (status, answer["code"]) == (404, "not_found")
        assert "This is a proxy before" in answer["message"]
    assert call(f"{console}/journal", "DELETE")[0] == 204
    assert call(f"{console}/journal")[1]["entries"] == []


def test_the_console_wants_its_token(mocked: str) -> None:
    with proxied(mocked, control_token="opener") as proxy:
        assert call(f"{proxy.console}/state")[0] == 401
        assert call(f"{proxy.console}/state", token="opener")[0] == 200
        assert call(f"{proxy.url}/v1/image-projects/cuid-example")[0] == 200


def test_events_tell_of_what_passes(before_mock: Proxied) -> None:
    with connected(before_mock.console_port) as wire:
        wire.send(b"GET /_mock/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"text/event-stream" in wire.head()
        assert wire.exactly(12) == b"retry: 1000\n"
        call(before_mock.url + FACE, "POST", face())
        wire.exactly(len(b": connected\n\n"))
        assert wire.exactly(12) == b"event: entry"


def test_a_token_that_is_a_word_makes_no_fault(before_mock: Proxied) -> None:
    call(before_mock.url + FACE, "POST", face(mouth_smile=60), token="application")
    assert before_mock.verdict().faults == ()
    (entry,) = before_mock.entries()
    assert entry["faults"] == []
    assert ["Authorization", "Bearer appli…"] in entry["request"]["headers"]


def test_what_the_console_can_not_read_is_told(before_mock: Proxied) -> None:
    for length in (b"+1", b"9" * 5000, b"1, 2"):
        with connected(before_mock.console_port) as wire:
            wire.send(
                b"GET /_mock/state HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + length + b"\r\n\r\n"
            )
            lines, body = wire.message()
        assert lines[0] == b"HTTP/1.1 400 Bad Request"
        assert json.loads(body)["code"] == "invalid_request"


def test_the_console_is_asked_in_any_script(before_mock: Proxied) -> None:
    for query in ("operation=漢".encode(), b"operation=\xff", b"operation=%E6%BC%A2"):
        with connected(before_mock.console_port) as wire:
            wire.send(b"GET /_mock/journal?" + query + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert wire.message()[0][0] == b"HTTP/1.1 200 OK"
