"""A command, run by a shell, sends the request that it was made of."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from threading import Thread

import pytest

from bluehour.contracts.exchange import Headers, Request
from bluehour.contracts.report import curl

TOKEN = "mhk_live_Zk9s0Qx7Yb2Lr5Wd8Vn3"
BEARER = ("Authorization", f"Bearer {TOKEN}")
JSON = ("Content-Type", "application/json")


@dataclass
class Recorder:
    """Answers every request by 204, and keeps what came."""

    listener: socket.socket
    seen: list[bytes] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed: the tests are over
            with connection, connection.makefile("rb") as file:
                self.seen.append(_whole_request(file))
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def _whole_request(file: BufferedReader) -> bytes:
    head, length = b"", 0
    while (line := file.readline()) not in (b"\r\n", b""):
        head += line
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + b"\r\n" + file.read(length)


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    if not (shutil.which("curl") and shutil.which("bash")):
        pytest.skip("there is no curl, or no bash")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        recorder = Recorder(listener)
        thread = Thread(target=recorder.serve, daemon=True)
        thread.start()
        yield recorder
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def run(command: str) -> None:
    settings = {**os.environ, "BLUEHOUR_TOKEN": TOKEN, "LC_ALL": "C.UTF-8"}
    script = f"{command} -s --noproxy '*'".encode()  # one argument of bash could not hold it
    subprocess.run(["bash"], input=script, env=settings, check=True, timeout=60)


def assert_sent_again(recorder: Recorder, request: Request) -> None:
    command = curl(request)
    assert TOKEN not in command
    run(command)
    head, _, body = recorder.seen.pop().partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "surrogateescape").splitlines()
    target = request.url.removeprefix(recorder.base_url)
    assert first == f"{request.method} {target} HTTP/1.1"
    sent = [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in lines]
    own = {"Host", "User-Agent", "Content-Length"} | ({"Accept"} - {name for name, _ in request.headers})
    assert [each for each in sent if each[0] not in own] == list(request.headers)
    assert body == request.body


BODIES = {
    "json": b'{"name": "Smile", "style": {"mouth_smile": 61}}',
    "quotes": b"""it's "quoted" `back` $HOME \\ !! %s \\n""",
    "lines": b"one\ntwo\r\n\tthree\n",
    "scripts": "Grüße 日本語 🙂 \u202e\u200b\u00a0".encode(),
    "controls": b"\x1b[31mred\x07\x7f'!",
    "nul": b"a\0b",
    "no text": bytes(range(256)),
    "a file's name": b"@/etc/hostname",
    "an option": b"--help",
    "nothing": b"",
    "a token": f'{{"token": "{TOKEN}", "again": "{TOKEN}x"}}'.encode(),
    "a token in no text": b"\xff" + TOKEN.encode() + b"\0",
    "100 kB": b'"' + b"x" * 100_000 + b'"',
    "300 kB": b"x'" * 150_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_arrives_byte_for_byte(recorder: Recorder, body: bytes) -> None:
    request = Request("POST", f"{recorder.base_url}/v1/ai-face-editor", (BEARER, JSON), body)
    assert_sent_again(recorder, request)


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("GET", b""),
        ("GET", b"{}"),
        ("DELETE", b""),
        ("PUT", b"\x89PNG"),
        ("PUT", b""),
        ("OPTIONS", b""),
        ("A'B", b""),
    ],
)
def test_a_method_is_kept(recorder: Recorder, method: str, body: bytes) -> None:
    headers = (BEARER, JSON) if body else (BEARER,)
    assert_sent_again(recorder, Request(method, f"{recorder.base_url}/v1/image-projects/1", headers, body))


def test_head_waits_for_no_body(recorder: Recorder) -> None:
    assert_sent_again(recorder, Request("HEAD", f"{recorder.base_url}/v1/image-projects/1"))


@pytest.mark.parametrize(
    "target",
    [
        "/a?b=c&d='e'&f=$HOME",
        "/images[1-3]{a,b}",
        "/v1/../../etc/passwd",
        "/v1/./x",
        f"/v1/image-projects/1?token={TOKEN}",
        "/%00%2e%2e;x",
    ],
)
def test_a_target_is_kept_as_it_is(recorder: Recorder, target: str) -> None:
    assert_sent_again(recorder, Request("GET", recorder.base_url + target, (BEARER,)))


HEADERS: dict[str, Headers] = {
    "no type of a body": (BEARER,),
    "an empty value": (BEARER, JSON, ("X-Empty", "")),
    "no credentials": (JSON,),
    "any case": (("authorization", f"bearer {TOKEN}"), ("CONTENT-TYPE", "Application/JSON; charset=UTF-8")),
    "no scheme": (("Authorization", TOKEN), JSON),
    "bytes": (JSON, ("X-Bytes", b"caf\xc3\xa9 \xff".decode("utf-8", "surrogateescape"))),
    "a token elsewhere": (JSON, ("X-Token", f"<{TOKEN}>"), BEARER),
    "accept": (JSON, ("Accept", "text/html")),
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_headers_are_those_that_were_sent(recorder: Recorder, headers: Headers) -> None:
    assert_sent_again(recorder, Request("POST", f"{recorder.base_url}/v1/x", headers, b"{}"))


def test_a_token_stands_in_a_variable_in_double_quotes() -> None:
    request = Request("POST", "https://api.example/v1/x", (BEARER, JSON), b'{"a":1}')
    assert curl(request, token_variable="KEY").splitlines() == [
        "curl https://api.example/v1/x \\",
        '  -H "Authorization: Bearer $KEY" \\',
        "  -H 'Content-Type: application/json' \\",
        """  --data-raw '{"a":1}'""",
    ]


def test_even_a_short_token_does_not_show_in_its_header() -> None:
    request = Request("GET", "https://api.example/v1/abc", (("Authorization", "Bearer abc"),))
    assert curl(request) == 'curl https://api.example/v1/abc \\\n  -H "Authorization: Bearer $BLUEHOUR_TOKEN"'


def test_no_word_of_a_command_breaks_its_line() -> None:
    request = Request("POST", "https://api.example/v1/x", (), b'{\n "a": 1\n}\n')
    assert curl(request).splitlines()[-1] == r"""  --data-raw $'{\n "a": 1\n}\n'"""
