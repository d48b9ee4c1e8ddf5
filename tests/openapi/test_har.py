"""An HTTP archive has what its readers ask for, whatever was sent."""

from __future__ import annotations

import base64
from typing import Any

from bluehour.openapi.har import Entry, archive
from bluehour.openapi.messages import Headers, Request, Response


def entry_of(request: Request, response: Response | None, **more: Any) -> Any:
    (entry,) = archive([Entry(1, 2.0006, request, response, **more)], "1.2.3", "of a test")["log"]["entries"]
    return entry


def test_a_request_and_its_response_are_told() -> None:
    headers = Headers([("Content-Type", "text/plain")])
    entry = entry_of(
        Request("PUT", "/a?b=%20&c=", headers, b"hello", "http://x"),
        Response(302, Headers([("Location", "/b"), ("X", "1")])),
        comment="a comment",
    )
    assert (entry["startedDateTime"], entry["time"], entry["comment"]) == (
        "1970-01-01T00:00:01.000Z",
        2.001,
        "a comment",
    )
    request, response = entry["request"], entry["response"]
    assert (request["url"], request["bodySize"]) == ("http://x/a?b=%20&c=", 5)
    assert request["queryString"] == [{"name": "b", "value": " "}, {"name": "c", "value": ""}]
    assert request["postData"] == {"mimeType": "text/plain", "params": [], "text": "hello"}
    assert (response["statusText"], response["redirectURL"]) == ("Found", "/b")
    assert response["headers"][1] == {"name": "X", "value": "1"}
    assert response["content"] == {"size": 0, "mimeType": "", "text": ""}


def test_what_is_no_text_is_kept_as_base64() -> None:
    entry = entry_of(Request("POST", "/", body=b"\xff"), Response(200, body=b"\xfe"))
    assert base64.b64decode(entry["request"]["postData"]["text"]) == b"\xff"
    assert entry["request"]["postData"]["comment"] == "base64"
    assert base64.b64decode(entry["response"]["content"]["text"]) == b"\xfe"
    assert entry["response"]["content"]["encoding"] == "base64"


def test_what_was_not_kept_is_said_with_its_size() -> None:
    entry = entry_of(Request("POST", "/"), Response(200), request_size=70_000, response_size=80_000)
    assert entry["request"]["bodySize"] == 70_000
    assert entry["request"]["postData"]["comment"] == "left out: 70,000 bytes"
    assert entry["response"]["content"]["size"] == 80_000
    assert entry["response"]["content"]["comment"] == "left out: 80,000 bytes"


def test_a_request_without_a_body_posts_nothing() -> None:
    assert "postData" not in entry_of(Request("GET", "/"), None, request_size=0)["request"]


def test_a_lost_response_is_written_as_browsers_do() -> None:
    response = entry_of(Request("GET", "/"), None, failure="reset")["response"]
    assert (response["status"], response["statusText"], response["comment"]) == (0, "", "reset")
