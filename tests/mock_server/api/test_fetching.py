"""`--fetch-assets`: a picture that is named by URL is really fetched, from a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bluehour.mock_server.api import sources
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running

from ..conftest import FACE, Caller, face
from .test_lifecycle import picture, png

OVER = threading.Event()
ANNOUNCED = {"/cut.png": 100_000, "/huge.png": 2**40, "/trickle.png": 1_000_000}


class Gallery(BaseHTTPRequestHandler):
    """Serves a picture, a text that is none, a way out of http, and what never comes whole."""

    def do_GET(self) -> None:
        pages = {"/wide.png": png(300, 100), "/letter.png": b"no picture"}
        if self.path == "/away.png":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
        elif self.path in ANNOUNCED:
            self.send_response(200)
            self.send_header("Content-Length", f"{ANNOUNCED[self.path]}")
        else:
            self.send_response(200 if self.path in pages else 404)
        self.end_headers()
        with suppress(OSError):  # the client has given up
            while self.path == "/trickle.png" and not OVER.wait(0.01):
                self.wfile.write(b"x")
            self.wfile.write(pages.get(self.path, b""))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gallery() -> Iterator[str]:
    OVER.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Gallery) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        OVER.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def fetching() -> Iterator[Caller]:
    mock = Mock(settings=Settings(time_scale=0, fetch_assets=True, credits=3))
    yield Caller(create_app(mock).test_client(), "any")
    mock.close()


def test_a_picture_is_fetched_and_edited(fetching: Caller, gallery: str) -> None:
    project = fetching.project(fetching.create(face(f"{gallery}/wide.png")))
    assert picture(fetching, project).size == (300, 100)


def test_what_is_no_picture_ends_the_job(fetching: Caller, gallery: str) -> None:
    project = fetching.project(fetching.create(face(f"{gallery}/letter.png")))
    assert project["error"]["code"] == "invalid_file_format"
    assert project["credits_charged"] == 0


@pytest.mark.parametrize("path", ["/nowhere.png", "/away.png"])
def test_what_cannot_be_fetched_is_422_and_free(fetching: Caller, gallery: str, path: str) -> None:
    for _ in range(4):
        answer = fetching.post(FACE, face(gallery + path))
        assert answer.status_code == 422
        assert "could not be fetched" in answer.json["message"]
    fetching.create(face())


def test_a_server_that_is_not_there_is_422(fetching: Caller) -> None:
    assert fetching.post(FACE, face("http://127.0.0.1:1/a.png")).status_code == 422


def test_a_picture_that_is_cut_off_is_422_and_free(fetching: Caller, gallery: str) -> None:
    for _ in range(4):
        answer = fetching.post(FACE, face(f"{gallery}/cut.png"))
        assert answer.status_code == 422
        assert "is cut off" in answer.json["message"]
    fetching.create(face())


def test_a_picture_that_is_too_large_ends_the_job(
    gallery: str, fetching: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_FETCH_SECONDS", 20.0)
    project = fetching.project(fetching.create(face(f"{gallery}/huge.png")))
    assert project["error"]["code"] == "file_too_large"


def test_a_picture_that_comes_a_byte_at_a_time_is_given_up(
    gallery: str, fetching: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_FETCH_SECONDS", 0.2)
    answer = fetching.post(FACE, face(f"{gallery}/trickle.png"))
    assert answer.status_code == 422
    assert answer.json["message"].endswith("could not be fetched: no answer within 0.2 s")


def test_a_target_that_is_denied_is_422_and_never_called(gallery: str) -> None:
    settings = Settings(time_scale=0, fetch_assets=True, deny_targets=("127.0.0.0/8",))
    with closing(Mock(settings=settings)) as mock:
        caller = Caller(create_app(mock).test_client(), "any")
        answer = caller.post(FACE, face(f"{gallery}/wide.png"))
    assert answer.status_code == 422
    assert answer.json["message"].endswith("127.0.0.1 is denied by --deny-target 127.0.0.0/8")


@pytest.mark.parametrize(("allow", "status"), [((), 422), (("127.0.0.1",), 200)])
def test_a_mock_that_others_reach_fetches_nothing_private(
    gallery: str, allow: tuple[str, ...], status: int
) -> None:
    settings = Settings(time_scale=0, fetch_assets=True, allow_targets=allow)
    with closing(Mock(settings=settings)) as mock, running(mock, "0.0.0.0"):
        caller = Caller(create_app(mock).test_client(), "any")
        assert caller.post(FACE, face(f"{gallery}/wide.png")).status_code == status
