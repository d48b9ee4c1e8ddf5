"""`bluehour serve` as a person uses it: started, greeted, called, stopped, killed."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import pytest
from PIL import Image

from bluehour.mock_server.core.accounts import entries_of
from bluehour.mock_server.core.stores.opening import open_store
from tests.postgresql import Cluster

from ..conftest import FACE, face

COMMAND = [sys.executable, "-m", "bluehour", "serve"]


class Served:
    """A running server: its first lines, and calls to it."""

    def __init__(self, process: subprocess.Popen[str], log: TextIO) -> None:
        self.process = process
        self.log = log
        assert process.stdout is not None
        self.greeting = ""
        for line in process.stdout:
            self.greeting += line
            if match := re.search(r"http://[\w.]+:\d+", line):
                self.url = match[0]
                break
        else:
            log.seek(0)
            raise AssertionError(log.read())

    def post(self, path: str, body: Any, token: str = "any") -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            result: dict[str, Any] = json.load(answer)
            return result

    def upload(self, content: bytes) -> str:
        """Upload a file in two requests; return its file_path."""
        answer = self.post("/v1/files/upload-urls", {"items": [{"type": "image", "extension": "png"}]})
        item: dict[str, str] = answer["items"][0]
        put = urllib.request.Request(item["upload_url"], data=content, method="PUT")
        urllib.request.urlopen(put, timeout=60).close()
        return item["file_path"]

    def try_post(self, path: str, body: Any) -> tuple[int, Any]:
        """Send a request that may be refused; return the status, and the body as data."""
        try:
            return 200, self.post(path, body)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def try_upload(self, content: bytes) -> tuple[int, Any]:
        """Upload a file that may be refused; return the status, and the body of a refusal."""
        try:
            return 200, self.upload(content)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def stop(self) -> tuple[int, str, str]:
        """Press Ctrl-C; return the exit code and what was written since the greeting."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        self.log.seek(0)
        return self.process.wait(timeout=60), out, self.log.read()


@contextmanager
def serving(*options: str, before: Callable[[], None] | None = None, **environment: str) -> Iterator[Served]:
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*COMMAND, "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **environment},
            start_new_session=True,
            preexec_fn=before,
        )
        try:
            yield Served(process, log)
        finally:
            with suppress(ProcessLookupError):  # what it has started may be there without it
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)


def refused(*options: str, **environment: str) -> str:
    """Run a server that can't start; return the one line that it says."""
    done = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, env={**os.environ, **environment}, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_it_greets_answers_logs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with serving(TMPDIR=str(tmp_path)) as served:
        served.upload(b"a")
        folder = next(tmp_path.glob("bluehour-*"))
        assert served.post(FACE, face())["credits_charged"] == 1
        code, rest, log = served.stop()
    greeting = served.greeting + rest
    assert code == 0
    assert not folder.exists()
    assert f"curl {served.url}/v1/ai-face-editor -H 'Authorization: Bearer any-token'" in greeting
    assert f'Client(token="any-token", base_url="{served.url}")' in greeting
    assert f'new Client({{ token: "any-token", baseUrl: "{served.url}" }})' in greeting
    time = r"\d\d:\d\d:\d\d"
    assert re.fullmatch(
        rf"{time}  200 POST /v1/files/upload-urls  [\d.]+ ms\n"
        rf"{time}  200 PUT /(api-assets/c\w{{24}}/image\.png)  [\d.]+ ms  \1\n"
        rf"{time}  200 POST /v1/ai-face-editor  [\d.]+ ms  c\w{{24}}: 1 credit, 9,999 left\n",
        log,
    )


def test_the_curl_line_of_the_greeting_works() -> None:
    with serving() as served:
        assert served.process.stdout is not None
        for line in served.process.stdout:
            if line.strip().startswith("curl "):
                break
        answer = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
        assert json.loads(answer.stdout)["credits_charged"] == 1


def test_options_may_come_from_the_environment() -> None:
    with serving(BLUEHOUR_CREDITS="3", BLUEHOUR_LOG_FORMAT="json") as served:
        served.post(FACE, face())
        with pytest.raises(urllib.error.HTTPError) as refusal:
            served.post(FACE, {})
        refusal.value.close()
        _, _, log = served.stop()
    first, second = map(json.loads, log.splitlines())
    assert (first["status"], first["path"], first["charged"], first["balance"]) == (200, FACE, 1, 2)
    assert second["status"] == 400
    assert second["error"].startswith("Missing required field: assets")


def test_a_taken_port_is_told_in_one_line() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert refused("--port", str(port)) == (
            f"Error: port {port} on 127.0.0.1 is taken; choose another with --port\n"
        )


def test_a_second_server_does_not_share_the_first_ones_port() -> None:
    with serving() as served:
        port = served.url.rpartition(":")[2]
        assert "is taken" in refused("--port", port)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--spec", "nowhere.yaml"], "nowhere.yaml: No such file"),
        (["--spec", __file__], "not valid YAML"),
        (["--store", "oracle://db"], "oracle"),
        (["--store", "sqlite:////nowhere/at/all.db"], "nowhere"),
        (["--assets", "/proc/nowhere"], "the folder /proc/nowhere for assets can't be used"),
        (["--plan", "gold"], "unknown plan 'gold'; the contract has free, creator, pro, business"),
        (["--time-scale", "nan"], "a job can't take nan times its time"),
        (["--assets", ""], "the folder for assets has no name"),
        (["--host", "192.0.2.1"], "192.0.2.1 can't be used"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid can't be used"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(options: list[str], part: str) -> None:
    assert part in refused(*options)


@pytest.mark.parametrize("option", ["--spec", "--scenario"])
@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_a_file_too_deep_to_be_read_says_so_in_one_line(tmp_path: Path, option: str, opening: str) -> None:
    (tmp_path / "deep.yaml").write_text("deep: " + opening * 50_000)
    assert "deep.yaml: nested more than 200 levels deep" in refused(option, str(tmp_path / "deep.yaml"))


def test_another_spec_is_served(tmp_path: Path) -> None:
    petstore = Path(__file__).parents[2] / "openapi" / "specs" / "petstore-3.0.yaml"
    with serving("--spec", str(petstore)) as served:
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(served.url + "/no/such/path", timeout=60)
        with missing.value as answer:
            assert json.load(answer)["message"] == "Not Found"


def test_an_upload_comes_as_it_was_sent_whatever_its_size(tmp_path: Path) -> None:
    content = os.urandom(7_654_321)
    with serving("--assets", str(tmp_path / "assets")) as served:
        path = served.upload(content)
        served.stop()
    assert (tmp_path / "assets" / "uploads" / path.replace("/", "_")).read_bytes() == content


def test_a_body_in_chunks_is_read_to_its_end() -> None:
    body = json.dumps({**face(), "name": "x" * 200_000}).encode()
    with serving() as served:
        connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=60)
        headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
        with closing(connection):
            pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
            connection.request("POST", FACE, body=pieces, headers=headers, encode_chunked=True)
            assert json.load(connection.getresponse())["credits_charged"] == 1


def stalled(url: str, length: int) -> socket.socket:
    """A client that announces a body and never sends the rest of it."""
    host, _, port = url.removeprefix("http://").partition(":")
    client = socket.create_connection((host, int(port)))
    head = f"POST {FACE} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nContent-Length: {length}\r\n"
    client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n{")
    return client


def test_servers_share_a_store_in_postgresql_and_never_show_its_password(postgresql: Cluster) -> None:
    postgresql.run("CREATE ROLE ada LOGIN PASSWORD 'hunter2'", "CREATE SCHEMA team AUTHORIZATION ada")
    store = postgresql.url("team", user="ada", password="hunter2")
    with serving("--store", store) as one, serving(BLUEHOUR_STORE=store) as other:
        for served in (one, other, one):
            served.post(FACE, face())
        with urllib.request.urlopen(f"{other.url}/_mock/accounts", timeout=60) as answer:
            accounts = json.load(answer)["accounts"]
        with urllib.request.urlopen(f"{one.url}/_mock/state", timeout=60) as answer:
            state = answer.read().decode()
        written = f"{one.greeting}{one.stop()}"
    assert [each["credits"] for each in accounts] == [9_997]
    assert "state in postgresql:///postgres," in written
    assert "postgresql:///postgres" in state
    assert "hunter2" not in written + state


@pytest.mark.parametrize("store", ["memory://", "sqlite:///{folder}/mock.db"])
def test_clients_that_stall_hold_nobody_up_not_even_ctrl_c(store: str, tmp_path: Path) -> None:
    with serving("--store", store.format(folder=tmp_path)) as served, ExitStack() as clients:
        for length in [100] * 100 + [10_000_000] * 100:
            clients.enter_context(closing(stalled(served.url, length)))
        assert served.upload(b"a")
        assert served.post(FACE, face())["credits_charged"] == 1
        code, _, log = served.stop()
    assert code == 0
    assert log.count("\n") == 3, log


def test_a_picture_is_downloaded_whole() -> None:
    with serving("--time-scale", "0") as served:
        project_id = served.post(FACE, face())["id"]
        request = urllib.request.Request(
            f"{served.url}/v1/image-projects/{project_id}", headers={"Authorization": "Bearer any"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            url = json.load(answer)["downloads"][0]["url"]
        with urllib.request.urlopen(url, timeout=60) as answer:
            picture = answer.read()
            assert len(picture) == int(answer.headers["Content-Length"])
        Image.open(io.BytesIO(picture)).load()
        head = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(head, timeout=60) as answer:
            assert (answer.read(), int(answer.headers["Content-Length"])) == (b"", len(picture))


def test_a_body_that_is_cut_off_changes_nothing_and_costs_nothing() -> None:
    body = json.dumps(face()).encode()
    with serving("--credits", "1") as served:
        for length in (len(body) + 1, 100_000):
            with closing(stalled(served.url, length)) as client:
                client.sendall(body[1:])
        path = served.upload(b"whole")
        assert served.post(FACE, face())["credits_charged"] == 1
        _, _, log = served.stop()
    assert path
    assert log.count("POST /v1/ai-face-editor") == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_any_polite_signal_ends_it(host: str, number: signal.Signals, tmp_path: Path) -> None:
    with serving("--host", host, TMPDIR=str(tmp_path)) as served:
        served.upload(b"a")
        served.process.send_signal(number)
        assert served.process.wait(timeout=60) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_request_cannot_write_log_lines_of_its_own() -> None:
    with serving() as served:
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(served.url + "/a%0a00:00:00%20%20200%20POST%1b[31m", timeout=60)
        missing.value.close()
        _, _, log = served.stop()
    assert log.count("\n") == 1
    assert "/a\\n00:00:00  200 POST\\x1b[31m" in log


def test_help_is_helpful() -> None:
    text = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    for option in (
        "--host",
        "--port",
        "--store",
        "--assets",
        "--time-scale",
        "--plan",
        "--credits",
        "--spec",
    ):
        assert option in text
    assert "BLUEHOUR_PORT" in text
    assert "Exit codes" in text


def test_every_answered_create_survives_kill_9_with_its_charge_once(tmp_path: Path) -> None:
    """Eight clients create until the server is killed; what was answered must be there afterwards."""
    store = f"sqlite:///{tmp_path / 'mock.db'}"
    answered: list[str] = []
    enough = threading.Event()

    def create() -> None:
        while True:
            try:
                answered.append(served.post(FACE, face())["id"])
            except (OSError, ValueError):
                return
            if len(answered) > 300:
                enough.set()

    with serving("--store", store, "--credits", "1000000") as served:
        clients = [threading.Thread(target=create) for _ in range(8)]
        for client in clients:
            client.start()
        assert enough.wait(30)
        os.killpg(served.process.pid, signal.SIGKILL)
        for client in clients:
            client.join()

    with serving("--store", store) as again:
        assert again.post(FACE, face())["id"] not in answered
        again.stop()
    kept = open_store(store)
    projects = [kept.project(project_id) for project_id in answered]
    assert len(answered) > 300
    assert all(projects)
    account_id = projects[0].account_id if projects[0] else ""
    ledger = kept.ledger(account_id).entries
    for project in projects:
        assert project is not None
        assert [entry for entry in ledger if entry.project_id == project.id] == list(entries_of(project))
    kept.close()
