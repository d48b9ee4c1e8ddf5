"""What a file's server sends by itself: callbacks to whom a request names, events to whom has registered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.callbacks.moments import moment_in
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract, load
from bluehour.openapi.expressions import filled
from bluehour.openapi.messages import Headers, Request, Response

SCRIBE = Path(__file__).parents[2] / "openapi" / "specs" / "scribe-3.1.yaml"
ORDER = {"audio_url": "http://a.example/talk.mp3", "language": "de"}
JOB_SECONDS = 3.0
PATIENCE = 60.0


class Inbox:
    """What was POSTed to a server of this test's own, and what it answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.came: list[tuple[str, Any]] = []
        self.answers: list[int] = []


@contextmanager
def receiving() -> Iterator[Inbox]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.came.append((self.path, json.loads(body)))
            self.send_response(box.answers.pop(0) if box.answers else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        box = Inbox(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield box
        server.shutdown()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiving() as box:
        yield box


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze()
    return clock


@pytest.fixture
def mock(clock: Clock) -> Iterator[Mock]:
    with closing(Mock(load(SCRIBE), clock=clock)) as mock:
        yield mock


@pytest.fixture
def scribe(mock: Mock) -> FlaskClient:
    client = create_app(mock).test_client()
    client.environ_base["HTTP_X_SCRIBE_KEY"] = "any-key"
    return client


def begin(scribe: FlaskClient, inbox: Inbox, path: str = "/done") -> str:
    answer: Any = scribe.post("/v2/transcriptions", json={**ORDER, "callback_url": inbox.url + path})
    return str(answer.json["transcription_id"])


def settle(mock: Mock) -> None:
    assert mock.world.settle(PATIENCE)


def test_a_callback_comes_when_the_job_is_done(
    scribe: FlaskClient, mock: Mock, clock: Clock, inbox: Inbox
) -> None:
    job = begin(scribe, inbox)
    clock.advance(JOB_SECONDS - 0.5)
    settle(mock)
    assert inbox.came == []
    clock.advance(0.5)
    settle(mock)
    assert inbox.came == [("/done", {"transcription_id": job, "state": "DONE"})]


def test_a_callback_comes_at_once_when_the_job_is_cancelled(
    scribe: FlaskClient, mock: Mock, clock: Clock, inbox: Inbox
) -> None:
    job = begin(scribe, inbox)
    scribe.post(f"/v2/transcriptions/{job}/cancel")
    settle(mock)
    clock.advance(JOB_SECONDS)
    settle(mock)
    assert inbox.came == [("/done", {"transcription_id": job, "state": "CANCELLED"})]


def test_no_callback_tells_of_what_is_deleted_or_never_done(
    scribe: FlaskClient, mock: Mock, clock: Clock, inbox: Inbox
) -> None:
    scribe.delete(f"/v2/transcriptions/{begin(scribe, inbox)}")
    mock.scenarios.add({"match": {"operation": "startTranscription"}, "job": "stuck"})
    begin(scribe, inbox)
    clock.advance(1e6)
    settle(mock)
    assert inbox.came == []


def test_a_callback_that_is_not_taken_comes_again(
    scribe: FlaskClient, mock: Mock, clock: Clock, inbox: Inbox
) -> None:
    inbox.answers = [500, 503]
    begin(scribe, inbox)
    for pause in (JOB_SECONDS, 1, 4, 100):
        clock.advance(pause)
        settle(mock)
    assert [path for path, _ in inbox.came] == ["/done"] * 3


def test_a_refused_request_calls_nobody_back(
    scribe: FlaskClient, mock: Mock, clock: Clock, inbox: Inbox
) -> None:
    scribe.post("/v2/transcriptions", json={**ORDER, "language": "", "callback_url": inbox.url})
    clock.advance(JOB_SECONDS)
    settle(mock)
    assert inbox.came == []


def test_a_reset_forgets_callbacks(scribe: FlaskClient, mock: Mock, clock: Clock, inbox: Inbox) -> None:
    begin(scribe, inbox)
    mock.world.reset(clock.now())
    clock.advance(JOB_SECONDS)
    settle(mock)
    assert inbox.came == []


def test_events_of_the_file_go_to_whoever_has_registered(
    scribe: FlaskClient, mock: Mock, inbox: Inbox
) -> None:
    mock.webhooks.register(f"{inbox.url}/hook")
    answer: Any = scribe.post("/v2/transcriptions", json=ORDER)
    settle(mock)
    job = answer.json["transcription_id"]
    assert inbox.came == [("/hook", {"transcription_id": job, "state": "QUEUED"})]
    delivery = mock.webhooks.deliveries(job)[0]
    assert (delivery.event, delivery.state) == ("transcription.created", "delivered")


def test_without_state_a_callback_is_its_example(inbox: Inbox) -> None:
    contract = Contract(
        yaml.safe_load("""
openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /subscribe:
    post:
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {'200': {description: ok}}
      callbacks:
        news:
          '{$request.body#/to/0}?for={$request.query.who}': {post: {requestBody: {content:
            {application/json: {example: {done: true}}}}, responses: {'200': {description: ok}}}}
        lost:
          '{$request.body#/nowhere}': {post: {responses: {'200': {description: ok}}}}
""")
    )
    with closing(Mock(contract)) as mock:
        create_app(mock).test_client().post("/subscribe?who=me", json={"to": [f"{inbox.url}/a"]})
        settle(mock)
    assert inbox.came == [("/a?for=me", {"done": True})]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$url", "http://h/a/7?q=1"),
        ("$method", "POST"),
        ("$statusCode", "201"),
        ("$request.path.id", "7"),
        ("$request.query.q", "1"),
        ("$request.header.x-to", "there"),
        ("$request.body#/a~1b/1", "two"),
        ("$response.header.location", "/a/8"),
        ("$response.body#/id", "8"),
        ("http://h/{$response.body#/id}/{$request.query.q}", "http://h/8/1"),
        ("$request.body#/none", None),
        ("$request.body#/a~1b", None),
        ("$response.body#/list/x", None),
        ("$request.query.none", None),
        ("$nonsense", None),
    ],
)
def test_expressions(expression: str, expected: str | None) -> None:
    request = Request("POST", "/a/7?q=1", Headers([("X-To", "there")]), origin="http://h")
    response = Response(201, Headers([("Location", "/a/8")]), b'{"id": 8, "list": [1]}')
    assert filled(expression, request, {"a/b": ["one", "two"]}, {"id": "7"}, response) == expected


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("job.completed", "complete"),
        ("onFailed", "failed"),
        ("pet_created", "created"),
        ("newPet", "created"),
        ("order.updated", "changed"),
        ("userDeleted", "deleted"),
        ("render_started", "begun"),
        ("job.cancelled", "canceled"),
        ("onData", None),
    ],
)
def test_a_name_speaks_of_a_moment(name: str, moment: str | None) -> None:
    assert moment_in(name) == moment
