"""examples/scale: its balancer before two servers on one store, and commands that the program knows."""

from __future__ import annotations

import json
import shlex
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from bluehour.mock_server.cli import serve
from bluehour.mock_server.cli.work import work

from ..mock_server.conftest import FACE, face
from ..mock_server.server.test_serving import serving

SCALE = Path(__file__).parents[2] / "examples" / "scale"
TOKEN = "mhk_test_creator_100"


def commands() -> dict[str, list[str]]:
    services = yaml.safe_load((SCALE / "compose.yaml").read_text())["services"]
    return {name: shlex.split(each["command"]) for name, each in services.items() if "command" in each}


def test_what_compose_starts_are_commands_of_ours() -> None:
    found = commands()
    assert set(found) == {"one", "two", "worker"}
    for name, (command, *options) in found.items():
        if command == "serve":
            assert serve.make_context(name, options).params["processes"] == 2
        else:
            assert work.make_context(name, options).command.name == command


@contextmanager
def balanced(folder: Path, *servers: str) -> Iterator[str]:
    """Run the balancer of the example before two servers; give its address."""
    with free_port() as port:
        text = (SCALE / "nginx.conf").read_text().replace("listen 80", f"listen 127.0.0.1:{port}")
    for name, url in zip(("one", "two"), servers, strict=True):
        text = text.replace(f"{name}:4010", url.removeprefix("http://"))
    own = f"pid {folder}/pid;\nerror_log {folder}/error.log;\ndaemon off;\n"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"  {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    settings = folder / "nginx.conf"
    settings.write_text(own + text.replace("http {\n", f"http {{\n  access_log off;\n{places}"))
    with subprocess.Popen(["nginx", "-p", folder, "-c", settings]) as nginx:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            nginx.terminate()


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def ask(url: str, body: Any = None) -> Any:
    """Call, again and again until the balancer is up; return the answer's data."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    give_up_at = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
                content = answer.read()
                return json.loads(content) if "json" in answer.headers["Content-Type"] else content
        except ConnectionError:
            if time.monotonic() > give_up_at:
                raise
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError) or time.monotonic() > give_up_at:
                raise
        time.sleep(0.05)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx: apt-get install nginx-light")
def test_the_balancers_two_servers_are_like_one(tmp_path: Path) -> None:
    (tmp_path / "nginx").mkdir()
    (tmp_path / "assets").mkdir()
    options = ["--store", f"sqlite:///{tmp_path / 'mock.db'}", "--assets", f"{tmp_path / 'assets'}"]
    options += ["--trust-proxy", "127.0.0.1", "--control-token", TOKEN]
    with ExitStack() as stack:
        one, two = (stack.enter_context(serving(*options)) for _ in range(2))
        url = stack.enter_context(balanced(tmp_path / "nginx", one.url, two.url))
        answered = {ask(f"{url}/_mock/health")["process"]["pid"] for _ in range(20)}
        assert answered == {one.process.pid, two.process.pid}
        project = ask(url + FACE, face())["id"]
        ask(f"{url}/_mock/clock", {"advance": 3600})
        for _ in range(4):
            done = ask(f"{url}/v1/image-projects/{project}")
            assert done["status"] == "complete"
            link = done["downloads"][0]["url"]
            assert link.startswith(url)
            assert ask(link).startswith(b"\x89PNG")
        assert len(ask(f"{url}/_mock/journal")["entries"]) == 9
