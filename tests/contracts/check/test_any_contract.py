"""Checks by other contracts than Magic Hour's: right servers conform, and each deviant is found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.run import Options, check, ready
from bluehour.contracts.report import terminal
from bluehour.contracts.results import Exit, Report, State
from bluehour.contracts.rules import RESOURCE_RULES, rule
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from tests.contracts.suite.test_suite import run

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SPECS = Path(__file__).parents[2] / "openapi" / "specs"
SCRIBE = SPECS / "scribe-3.1.yaml"
JOBS = "/v2/transcriptions"
REAL_KEY = "sk_live_0123456789abcdef"


@dataclass
class Called:
    """One request to a server, and how its right answer is had."""

    method: str
    path: str
    body: Any
    environ: WSGIEnvironment
    app: WSGIApplication

    def forward(self, **changed: Any) -> Reply:
        environ = {**self.environ, **changed}
        chunks, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return Reply(int(status[:3]), list(headers.items()), b"".join(chunks))

    def ask(self, method: str, path: str) -> Reply:
        return self.forward(REQUEST_METHOD=method, PATH_INFO=path, CONTENT_LENGTH="0", REQUEST_URI=path)


@dataclass
class Reply:
    """An answer that can be changed."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.content)

    def saying(self, data: Any) -> Reply:
        content = json.dumps(data).encode()
        headers = [(name, value) for name, value in self.headers if name.lower() != "content-length"]
        return Reply(self.status, headers, content)


Deviation = Callable[[Called], Reply]


def deviating(app: WSGIApplication, deviation: Deviation) -> WSGIApplication:
    def deviant(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = _Again(raw)
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        reply = deviation(Called(environ["REQUEST_METHOD"], environ["PATH_INFO"], body, environ, app))
        start_response(f"{reply.status} Any", reply.headers)
        return [reply.content]

    return deviant


class _Again:
    """A body that can be read more than once."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def read(self, size: int = -1) -> bytes:
        if self._place >= len(self._content):
            self._place = 0
            return b""
        end = len(self._content) if size < 0 else self._place + size
        part, self._place = self._content[self._place : end], end
        return part


def checked(spec: Path, base: str, deviation: Deviation | None = None, **options: Any) -> Report:
    contract = load(spec)
    with closing(Mock(contract, Settings(time_scale=0.001))) as mock:
        app: WSGIApplication = create_app(mock)
        wire = AppWire(deviating(app, deviation) if deviation else app)
        asked = Options(
            target=f"http://127.0.0.1:1{base}",
            **{"token": "any", "spec": spec, "patience": 0.3, **options},
        )
        return check(
            asked, contract=contract, wire=wire, sleep=lambda seconds: time.sleep(min(seconds, 0.01))
        )


def broken_rules(report: Report) -> set[str]:
    return {each.rule.id for each in report.findings}


@pytest.mark.parametrize(
    ("spec", "base"),
    [
        ("scribe-3.1.yaml", "/v2"),
        ("pet-shop-3.0.yaml", "/api/v3"),
        ("petstore-3.0.yaml", "/v1"),
        ("library-3.1.json", ""),
    ],
)
def test_a_mock_of_any_file_conforms_to_it(spec: str, base: str) -> None:
    report = checked(SPECS / spec, base)
    assert not report.findings, terminal(report, colour=False, width=110)
    assert report.exit_code is Exit.CONFORMS


@cache
def _right() -> Report:
    return checked(SCRIBE, "/v2")


def test_every_rule_about_resources_is_judged() -> None:
    judged = {each.rule.id for each in _right().verdicts if each.state is State.KEPT}
    assert judged >= {each.id for each in RESOURCE_RULES}


# --- deviants -----------------------------------------------------------------------------------------------


def is_one(called: Called) -> bool:
    return called.path.startswith(f"{JOBS}/")


def loses_the_title(called: Called) -> Reply:
    reply = called.forward()
    if called.method == "GET" and is_one(called) and reply.status == 200:
        return reply.saying({**reply.data, "language": "xx"})
    return reply


def forgets_changes(called: Called) -> Reply:
    if called.method != "PATCH":
        return called.forward()
    before = called.ask("GET", called.path)
    reply = called.forward()
    if reply.status == 200:
        called.environ["wsgi.input"] = _Again(
            json.dumps({"title": before.data.get("title", "none")}).encode()
        )
        length = str(len(called.environ["wsgi.input"]._content))
        called.forward(CONTENT_LENGTH=length)
    return reply


def keeps_what_is_deleted(called: Called) -> Reply:
    if called.method == "DELETE" and called.ask("GET", called.path).status == 200:
        return Reply(204, [], b"")
    return called.forward()


def knows_every_id() -> Deviation:
    shown: list[Reply] = []

    def deviation(called: Called) -> Reply:
        reply = called.forward()
        if called.method == "GET" and is_one(called):
            if reply.status == 200:
                shown[:] = [reply]
            elif reply.status == 404 and shown:
                return shown[0]
        return reply

    return deviation


def lists_all_but_the_newest(called: Called) -> Reply:
    reply = called.forward()
    if (called.method, called.path, reply.status) == ("GET", JOBS, 200):
        return reply.saying({**reply.data, "transcriptions": reply.data["transcriptions"][:-1]})
    return reply


def goes_back() -> Deviation:
    ended: set[str] = set()

    def deviation(called: Called) -> Reply:
        reply = called.forward()
        if (
            called.method == "GET"
            and is_one(called)
            and reply.status == 200
            and reply.data["state"] == "DONE"
        ):
            if called.path in ended:
                return reply.saying({**reply.data, "state": "WORKING"})
            ended.add(called.path)
        return reply

    return deviation


def never_ends(called: Called) -> Reply:
    reply = called.forward()
    if called.method == "GET" and is_one(called) and reply.status == 200:
        return reply.saying({**reply.data, "state": "WORKING"})
    return reply


def calls_nobody_back(called: Called) -> Reply:
    if isinstance(called.body, dict) and called.body.pop("callback_url", None):
        content = json.dumps(called.body).encode()
        called.environ["wsgi.input"] = _Again(content)
        return called.forward(CONTENT_LENGTH=str(len(content)))
    return called.forward()


def asks_nobody_who_he_is(called: Called) -> Reply:
    return called.forward(HTTP_X_SCRIBE_KEY="any")


def takes_any_number_of_speakers(called: Called) -> Reply:
    if isinstance(called.body, dict) and isinstance(called.body.get("speakers"), int):
        content = json.dumps({**called.body, "speakers": 1}).encode()
        called.environ["wsgi.input"] = _Again(content)
        return called.forward(CONTENT_LENGTH=str(len(content)))
    return called.forward()


def refuses_long_titles(called: Called) -> Reply:
    if isinstance(called.body, dict) and len(str(called.body.get("title", ""))) > 40:
        problem = json.dumps({"title": "No", "status": 422, "detail": "title is too long"}).encode()
        return Reply(422, [("Content-Type", "application/problem+json")], problem)
    return called.forward()


def shows_no_error_field(called: Called) -> Reply:
    reply = called.forward()
    if called.method == "GET" and is_one(called) and reply.status == 200:
        return reply.saying({name: value for name, value in reply.data.items() if name != "error"})
    return reply


def says_where_nothing_is(called: Called) -> Reply:
    reply = called.forward()
    reply.headers = [
        (name, value.replace("/v2/", "/v1/") if name == "Location" else value)
        for name, value in reply.headers
    ]
    return reply


def gives_one_id_twice() -> Deviation:
    first: list[Reply] = []

    def deviation(called: Called) -> Reply:
        reply = called.forward()
        if (called.method, called.path, reply.status) == ("POST", JOBS, 202):
            first.append(reply)
            return first[0]
        return reply

    return deviation


def forgets_what_a_patch_leaves_out() -> Deviation:
    patched: set[str] = set()

    def deviation(called: Called) -> Reply:
        reply = called.forward()
        if called.method == "PATCH" and reply.status == 200:
            patched.add(called.path)
        if called.method == "GET" and called.path in patched and reply.status == 200:
            return reply.saying({**reply.data, "language": "xx"})
        return reply

    return deviation


def reads_no_query(called: Called) -> Reply:
    return called.forward(QUERY_STRING="", REQUEST_URI=called.path)


def fails_by_odd_numbers(called: Called) -> Reply:
    query = called.environ["QUERY_STRING"]
    is_odd = "limit=" in query and not query.partition("limit=")[2].isdecimal()
    return Reply(500, [], b"") if is_odd else called.forward()


DEVIANTS: list[tuple[Deviation, str]] = [
    (loses_the_title, "resource.kept"),
    (forgets_changes, "resource.changed"),
    (keeps_what_is_deleted, "resource.deleted"),
    (knows_every_id(), "resource.unknown"),
    (lists_all_but_the_newest, "resource.listed"),
    (goes_back(), "resource.status"),
    (never_ends, "resource.ends"),
    (calls_nobody_back, "resource.callback"),
    (asks_nobody_who_he_is, "auth.required"),
    (takes_any_number_of_speakers, "refuse.maximum"),
    (refuses_long_titles, "accept.bounds"),
    (shows_no_error_field, "answer.schema"),
    (says_where_nothing_is, "resource.location"),
    (gives_one_id_twice(), "resource.id"),
    (reads_no_query, "refuse.maximum"),
    (fails_by_odd_numbers, "answer.server-error"),
    (forgets_what_a_patch_leaves_out(), "resource.changed"),
]


@pytest.mark.parametrize(
    ("deviation", "rule_id"), DEVIANTS, ids=lambda each: each if isinstance(each, str) else ""
)
def test_each_deviant_is_found_by_its_rule(deviation: Deviation, rule_id: str) -> None:
    report = checked(SCRIBE, "/v2", deviation)
    assert rule_id in broken_rules(report), terminal(report, colour=False, width=110)
    assert report.exit_code is Exit.FINDINGS


def test_what_is_asked_about_alone_is_tried_with_an_item_that_is_there() -> None:
    report = checked(SCRIBE, "/v2", forgets_the_limits_of_a_patch, rules=[rule("refuse.maximum")])
    assert broken_rules(report) == {"refuse.maximum"}, terminal(report, colour=False, width=110)


def forgets_the_limits_of_a_patch(called: Called) -> Reply:
    if called.method == "PATCH" and isinstance(called.body, dict) and len(str(called.body.get("title"))) > 80:
        return called.ask("GET", called.path)
    return called.forward()


def test_wrong_keys_are_tried_where_the_right_one_is_no_mocks() -> None:
    def knows_it(called: Called) -> Reply:
        key = called.environ.get("HTTP_X_SCRIBE_KEY", "")
        return called.forward() if key in ("", REAL_KEY) else called.forward(HTTP_X_SCRIBE_KEY="")

    report = checked(SCRIBE, "/v2", knows_it, token=REAL_KEY)
    assert not report.findings, terminal(report, colour=False, width=110)
    assert broken_rules(checked(SCRIBE, "/v2", token=REAL_KEY)) == {"auth.required"}


def test_a_server_need_not_name_head() -> None:
    def without_head(called: Called) -> Reply:
        reply = called.forward()
        named = [(name, value.replace("HEAD, ", "")) for name, value in reply.headers]
        return Reply(reply.status, named, reply.content)

    report = checked(SCRIBE, "/v2", without_head)
    assert not report.findings, terminal(report, colour=False, width=110)


def test_the_suite_finds_what_the_check_finds(tmp_path: Path) -> None:
    with closing(Mock(load(SCRIBE), Settings(time_scale=0.001))) as mock:
        server = make_server("127.0.0.1", 0, deviating(create_app(mock), forgets_changes), threaded=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            given = ["--bluehour-url", f"http://127.0.0.1:{server.port}/v2", "--bluehour-spec", f"{SCRIBE}"]
            done = run(tmp_path, *given, "-k", "resource.changed or resource.found or judged")
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
    assert "1 failed, 2 passed" in done.stdout, done.stdout
    assert "test_rule[resource.changed]" in done.stdout.partition("short test summary info")[2]


# --- limits -------------------------------------------------------------------------------------------------


def test_no_more_requests_are_sent_than_may_be() -> None:
    report = checked(SCRIBE, "/v2", max_requests=40)
    assert len(report.exchanges) == 40
    assert "40 of 40 requests sent" in terminal(report, colour=False, width=110)
    assert any("40 requests have been sent" in each.reason for each in report.unjudged)
    assert report.exit_code is Exit.UNJUDGED


def test_a_url_without_the_servers_path_is_told_at_once() -> None:
    def has_a_path(called: Called) -> Reply:
        return called.forward() if called.path.startswith("/v2/") else Reply(404, [], b"")

    report = checked(SCRIBE, "", has_a_path)
    assert report.stopped.endswith(
        "the contract's server has the path /v2: is it missing in http://127.0.0.1:1?"
    )
    assert len(report.exchanges) == 1


def test_what_is_not_tried_is_told() -> None:
    notes = checked(SPECS / "library-3.1.json", "", rules=[rule("resource.id")]).notes
    assert any(each.startswith("Only bodies of JSON are tried") and "POST /scans" in each for each in notes)
    assert any("the published example is not legal" in each for each in notes)


def test_elsewhere_it_has_to_be_said_how_many_requests_may_be_sent() -> None:
    options = Options(target="https://api.scribe.example/v2", token="t", spec=SCRIBE)
    with pytest.raises(ValueError, match="--max-requests"):
        ready(options)
    assert ready(Options(target=options.target, token="t", spec=SCRIBE, max_requests=9)).request_budget == 9


LISTS = {
    "openapi": "3.1.0",
    "info": {"title": "Lists", "version": "1"},
    "paths": {
        "/things": {
            "get": {
                "operationId": "list",
                "parameters": [
                    {
                        "name": "colour",
                        "in": "query",
                        "style": "form",
                        "explode": False,
                        "schema": {
                            "type": "array",
                            "items": {"type": "string", "enum": ["red", "green", "blue"]},
                            "maxItems": 2,
                        },
                        "example": ["red"],
                    }
                ],
                "responses": {
                    "200": {
                        "description": "All",
                        "content": {"application/json": {"schema": {"type": "array", "items": {}}}},
                    },
                    "400": {"description": "Wrong"},
                },
            }
        }
    },
}


@pytest.mark.parametrize(
    ("deviation", "broken"), [(None, set()), (reads_no_query, {"refuse.choice", "refuse.maximum"})]
)
def test_the_items_and_the_length_of_a_list_in_a_query_are_tried(
    deviation: Deviation | None, broken: set[str], tmp_path: Path
) -> None:
    spec = tmp_path / "lists.json"
    spec.write_text(json.dumps(LISTS), "utf-8")
    report = checked(spec, "", deviation)
    assert broken_rules(report) >= broken, terminal(report, colour=False, width=110)
    assert bool(report.findings) == bool(broken)
    tried = {each.request.url.partition("?")[2] for each in report.exchanges}
    assert {"colour=red,red", "colour=red,red,red"} <= {each.replace("%2C", ",") for each in tried}
