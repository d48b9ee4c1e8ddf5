"""Right servers that are unusual: a check finds nothing in any of them, for 60 credits at most."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer, make_server

import pytest

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.results import Exit, Report
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from tests.deviants.serving import TIME_SCALE
from tests.deviants.unusual import UNUSUAL, Unusual
from tests.editors import EDITORS
from tests.profiles import few

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SHOWN = [each for each in UNUSUAL if each.name in ("links-have-a-version", "ids-are-numbers")]


def assert_right(report: Report) -> None:
    assert [f"{each.rule.id} {each.operation}: {each.message}" for each in report.findings] == []
    assert (report.exit_code, report.stopped) == (Exit.CONFORMS, "")
    assert report.spent <= 60


@pytest.mark.parametrize(
    "unusual", few([each for each in UNUSUAL if not each.is_served], *SHOWN), ids=lambda each: each.name
)
def test_nothing_is_found_in_a_right_server(unusual: Unusual) -> None:
    clock = Clock()
    with closing(Mock(EDITORS, Settings(time_scale=unusual.time_scale), clock=clock)) as mock:
        wire = AppWire(unusual.wrap(mock))
        options = Options(mock.world.base_url, "any-token")
        assert_right(check(options, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now))


def checked(url: str) -> Report:
    return check(Options(url, "any-token"), contract=EDITORS)


@pytest.mark.thorough
@pytest.mark.parametrize("unusual", [each for each in UNUSUAL if each.is_served], ids=lambda each: each.name)
def test_nothing_is_found_on_the_network(unusual: Unusual) -> None:
    with (
        closing(Mock(EDITORS, Settings(time_scale=unusual.time_scale))) as mock,
        running(mock, make_app=unusual.wrap) as url,
    ):
        assert_right(checked(url))


class _Quiet(WSGIRequestHandler):
    """The reference server of Python: HTTP/1.0, a connection for each request."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Hinting(ServerHandler):
    """Sends an answer of its own before the answer, as servers do that know what a page will need."""

    http_version = "1.1"

    def send_preamble(self) -> None:
        self._write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
        super().send_preamble()


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextmanager
def by_wsgiref(app_of: Callable[[Mock], WSGIApplication]) -> Iterator[str]:
    with closing(Mock(EDITORS, Settings(time_scale=TIME_SCALE))) as mock:
        server = make_server("127.0.0.1", 0, app_of(mock), _Threaded, _Quiet)
        mock.world.base_url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield mock.world.base_url
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.mark.thorough
def test_nothing_is_found_by_http_1_0() -> None:
    with by_wsgiref(create_app) as url:
        assert_right(checked(url))


@pytest.mark.thorough
def test_an_early_hint_is_not_taken_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsgiref.simple_server.ServerHandler", _Hinting)
    with by_wsgiref(create_app) as url:
        assert_right(checked(url))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_max_body_size 50m; gzip on; gzip_min_length 1; gzip_types application/json;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {upstream}; proxy_set_header Host $http_host; }}
    }}
}}
"""


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx: apt-get install nginx-light")
def test_nothing_is_found_behind_nginx(tmp_path: Path) -> None:
    port, settings = free_port(), tmp_path / "nginx.conf"
    with closing(Mock(EDITORS, Settings(time_scale=TIME_SCALE))) as mock, running(mock) as upstream:
        settings.write_text(_NGINX.format(folder=tmp_path, port=port, upstream=upstream), "utf-8")
        with subprocess.Popen(["nginx", "-p", tmp_path, "-c", settings]) as nginx:
            try:
                while not listens(port):
                    assert nginx.poll() is None, "nginx has ended"
                assert_right(checked(f"http://127.0.0.1:{port}"))
            finally:
                nginx.terminate()
