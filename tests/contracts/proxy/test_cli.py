"""`bluehour proxy` as a person uses it: started, greeted, called, stopped."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TextIO
from urllib.parse import urlsplit

import click.testing
import pytest

from bluehour.contracts.proxy.cli import proxy as command

from .lying import lying_server
from .running import PATIENCE, RawServer, Wire, connected
from .test_judging import FACE, TOKEN, call, face, mocked

__all__ = ["mocked"]

COMMAND = [sys.executable, "-m", "bluehour", "proxy"]


class Started:
    """A running proxy: its greeting, and what it has to say."""

    def __init__(self, process: subprocess.Popen[str], log: TextIO) -> None:
        self.process = process
        self._log = log
        assert process.stdout is not None
        self.greeting = process.stdout.readline() + process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:(\d+)", self.greeting)
        console = re.search(r"Console at (http://127\.0\.0\.1:\d+/_mock)", self.greeting)
        assert address, self.greeting
        assert console, self.greeting
        self.url, self.port, self.console = address[0], int(address[1]), console[1]

    def stop(self) -> tuple[int, str, str]:
        """Press Ctrl-C; return the exit code, and what was written since the greeting."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=PATIENCE)
        self._log.seek(0)
        return self.process.returncode, out, self._log.read()


@contextmanager
def started(upstream: str, *options: str) -> Iterator[Started]:
    with tempfile.TemporaryFile("w+") as log:  # not a pipe, which a proxy that says much would fill
        process = subprocess.Popen(
            [*COMMAND, "--upstream", upstream, "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("BLUEHOUR_")},
        )
        try:
            yield Started(process, log)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


def refused(*options: str) -> str:
    """Run a proxy that can't start; return the one line that it says."""
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_nothing_wrong_is_exit_code_0(mocked: str) -> None:
    with started(mocked) as proxy:
        assert call(proxy.url + FACE, "POST", face(mouth_smile=60))[0] == 200
        assert call(f"{proxy.console}/state")[1]["mode"] == "proxy"
        code, out, log = proxy.stop()
    assert code == 0
    assert proxy.greeting.startswith("Bluehour 0.1.0 is a proxy at ")
    assert f" before {mocked}  (Ctrl-C stops it)\n" in proxy.greeting
    assert out == "1 request, and nothing broke the contract.\n"
    assert re.fullmatch(r"\d\d:\d\d:\d\d  200 POST /v1/ai-face-editor  \d+\.\d ms  \w+: 1 credit\n", log), log


def test_ctrl_c_with_a_console_and_a_client_that_stay_says_nothing_of_them(mocked: str) -> None:
    with ExitStack() as stack:
        proxy = stack.enter_context(started(mocked))
        port = urlsplit(proxy.console).port or 0
        console, client = (stack.enter_context(connected(each)) for each in (port, proxy.port))
        console.send(b"GET /_mock/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
        assert console.head().startswith(b"HTTP/1.1 200 OK")
        client.send(
            b"GET /v1/image-projects/cuid-example HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\n\r\n"
        )
        assert client.head().startswith(b"HTTP/1.1 200 OK")
        code, out, log = proxy.stop()
    assert code == 0
    assert out.startswith("1 request")
    assert log.count("\n") == 1, log


def test_an_option_may_be_an_environment_variable() -> None:
    variables = {"BLUEHOUR_PROXY_UPSTREAM": "http://a", "BLUEHOUR_PROXY_TIMEOUT": "nan"}
    done = click.testing.CliRunner().invoke(command, env=variables)
    assert (done.exit_code, done.output) == (2, "Error: --timeout: nan seconds are no time to wait for\n")


def test_no_request_is_exit_code_0(mocked: str) -> None:
    with started(mocked) as proxy:
        assert proxy.stop() == (0, "No request has come.\n", "")


def test_a_fault_or_a_broken_rule_is_exit_code_1(tmp_path: Path) -> None:
    har = tmp_path / "traffic.har"
    with lying_server() as url, started(url, "--har", str(har)) as proxy:
        for _ in range(2):
            call(f"{proxy.url}/v1/image-projects/one")
        call(proxy.url + FACE, "POST", face(mouth_smile=61))
        code, out, log = proxy.stop()
    assert code == 1
    assert out.startswith(
        "3 requests: 1 faulty, 3 with an answer that breaks the contract.\n\nFaults of requests\n"
    )
    assert "\n\nBroken rules of answers\n" in out
    assert re.search(r"^  2  answer\.schema +GET /v1/image-projects/\{id\} ", out, re.MULTILINE)
    lines = log.splitlines()
    assert lines[0].endswith("ms  cuid-example complete")
    assert any(line.startswith("          broken  answer.schema: ") for line in lines)
    assert "          fault   style.mouth_smile must be a multiple of 5" in lines
    assert TOKEN not in out + log
    archive = json.loads(har.read_text())["log"]
    assert [entry["response"]["status"] for entry in archive["entries"]] == [200] * 3
    assert archive["entries"][0]["request"]["url"] == f"{url}/v1/image-projects/one"
    assert "answer.schema" in archive["entries"][0]["comment"]
    assert TOKEN not in har.read_text()


def test_a_machine_reads_an_object_per_request() -> None:
    with lying_server() as url, started(url, "--log-format", "json") as proxy:
        call(proxy.url + FACE, "POST", face(mouth_smile=61))
        _, _, log = proxy.stop()
    (line,) = log.splitlines()
    said = json.loads(line)
    assert (said["method"], said["path"], said["status"]) == ("POST", FACE, 200)
    assert said["faults"] == [
        {"where": "style.mouth_smile", "message": "style.mouth_smile must be a multiple of 5"}
    ]
    assert "credits.price" in {broken["rule"] for broken in said["broken"]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--upstream", "api.example.com"], "is no address of a server"),
        (["--upstream", "ftp://api.example.com"], "is no address of a server"),
        (["--upstream", "http://me:secret@api.example.com"], "the server's URL has a user"),
        (["--upstream", "https://a", "--cacert", __file__, "--insecure"], "contradict each other"),
        (["--upstream", "https://a", "--cacert", __file__], "has no certificate that can be read"),
        (["--upstream", "http://a", "--header", "Host: b"], "--header Host can't be given: it is the URL's"),
        (["--upstream", "http://a", "--har", "/no/such/folder/x.har"], "No such file or directory"),
        (["--upstream", "http://a", "--har", "x.har", "--journal", "0"], "--journal 0 keeps nothing"),
        (["--upstream", "http://127.0.0.1:4999", "--port", "4999"], "is the proxy itself"),
        (["--upstream", "http://127.0.0.1:4999", "--port", "4998"], "is the proxy itself"),
    ],
)
def test_what_can_not_start_says_why_in_a_line(options: list[str], said: str) -> None:
    assert said in refused(*options)


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = f"{taken.getsockname()[1]}"
        assert f"port {port} on 127.0.0.1 is taken" in refused("--upstream", "http://a", "--port", port)
        told = refused("--upstream", "http://a", "--port", "0", "--console-port", port)
        assert f"the console's port {port} on 127.0.0.1 is taken; choose another with --console-port" in told


def two_free_ports() -> int:
    """The first of two neighbours, below those that the system hands out."""
    for port in random.sample(range(20_000, 32_000, 2), 1000):
        with suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port
    raise AssertionError("no two free ports")


def test_the_console_is_at_the_next_port(mocked: str) -> None:
    port = two_free_ports()
    with started(mocked, "--port", f"{port}") as proxy:
        assert proxy.console == f"http://127.0.0.1:{port + 1}/_mock"
        assert call(f"{proxy.console}/state")[0] == 200


def test_it_judges_with_nothing_beside_what_the_mock_needs() -> None:
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('schemathesis', 'requests', 'hypothesis', 'pytest', 'rich')))\n"
        "import bluehour.contracts.judge, bluehour.contracts.proxy.serving"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_its_help_needs_nothing_that_judges() -> None:
    code = (
        "import sys, bluehour.contracts.proxy.cli\n"
        "assert not {'schemathesis', 'requests', 'hypothesis'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_large_bodies_do_not_sit_in_memory(server: RawServer) -> None:
    size, piece = 300 * 2**20, b"x" * 2**20

    def handle(wire: Wire) -> None:
        method = wire.head().split(b" ")[0]
        if method == b"PUT":
            for _ in range(size // len(piece)):
                assert len(wire.exactly(len(piece))) == len(piece)
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // len(piece)):
                wire.send(piece)

    server.handle = handle
    with started(server.url) as proxy:
        before = peak(proxy.process.pid)
        with connected(proxy.port) as wire:
            wire.send(b"PUT /file HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // len(piece)):
                wire.send(piece)
            assert wire.head().startswith(b"HTTP/1.1 200 OK")
            wire.send(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
            assert wire.head().startswith(b"HTTP/1.1 200 OK")
            for _ in range(size // len(piece)):
                wire.exactly(len(piece))
        assert peak(proxy.process.pid) - before < 100 * 2**20
        code, _, log = proxy.stop()
    assert code == 0, log


def peak(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def test_many_clients_at_once_are_all_served(mocked: str) -> None:
    with started(mocked, "--journal", "0") as proxy:
        statuses: list[int] = []

        def client(number: int) -> None:
            for _ in range(10):
                path = f"{proxy.url}/v1/image-projects/cuid-example"
                statuses.append(call(path, token=f"client-{number}")[0])

        threads = [Thread(target=client, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        code, out, _ = proxy.stop()
    assert statuses == [200] * 160
    assert (code, out.split(",")[0]) == (0, "160 requests")
