"""`--fetch-assets`: a picture that is named by URL is really fetched, from a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mock_server.app import create_app
from mock_server.mock import Mock, Settings

from .conftest import FACE, Caller, face
from .test_lifecycle import picture, png


class Gallery(BaseHTTPRequestHandler):
    """Serves a picture, a text that is none, and a way out of http."""

    def do_GET(self) -> None:
        pages = {"/wide.png": png(300, 100), "/letter.png": b"no picture"}
        if self.path == "/away.png":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
        else:
            self.send_response(200 if self.path in pages else 404)
        self.end_headers()
        self.wfile.write(pages.get(self.path, b""))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gallery() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gallery) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
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
