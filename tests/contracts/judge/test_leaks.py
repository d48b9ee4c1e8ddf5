"""What no answer may show is found however it is written, and ordinary messages are no leaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.bodies import illegal
from bluehour.contracts.exchange import Answer, Exchange
from bluehour.contracts.judge import Violation
from bluehour.contracts.judge.leaks import judge_leaks
from bluehour.contracts.judge.rulings import Rulings
from bluehour.openapi.wording import sentence
from tests.profiles import examples

from ..bodies.schemas import OPERATIONS, Sketch, bodies, media_of
from .mocked import mocked
from .stories import CONTRACT, FACE, READ, TOKEN, UPLOADS, answer, exchange

LEAKS = [
    ("a stack trace", "Traceback (most recent call last):\n  ..."),
    ("a stack trace", 'File "app.py", line 12, in create'),
    ("a stack trace", "at Object.<anonymous> (server.js:3:14)"),
    ("a stack trace", "at async Router.handle (node:internal/modules:12:7)"),
    ("a stack trace", "at com.example.Api.create(Api.java:120)"),
    ("a stack trace", "at Example.Api.Create(Api.cs:12)"),
    ("a stack trace", "goroutine 17 [running]:"),
    ("a stack trace", "thread 'main' panicked at 'no', src/main.rs:3:5"),
    ("a path of the server's disk", "No such file: /var/lib/app/uploads/1.png"),
    ("a path of the server's disk", "open /home/deploy/.env failed"),
    ("a path of the server's disk", "'/app/handlers.py'"),
    ("a path of the server's disk", r"C:\Users\deploy\app\handlers.py"),
    ("a path of the server's disk", "lib/python3.11/site-packages/flask"),
    ("a path of the server's disk", "in node_modules/express"),
    ("a database's error", "(sqlite3.OperationalError) no such table: users"),
    ("a database's error", "sqlalchemy.exc.IntegrityError"),
    ("a database's error", "SQLSTATE[23000]: Integrity constraint violation"),
    ("a database's error", "psycopg2.errors.UniqueViolation"),
    ("a database's error", "SELECT id, token FROM users LIMIT 1"),
    ("a database's error", "INSERT INTO projects (id) VALUES (1)"),
    ("a database's error", "UPDATE accounts SET credits = 0"),
    ("a connection's password", "could not connect to postgres://app:hunter2@db.internal:5432/app"),
    ("a connection's password", "amqp+tls://app:pw@queue/"),
    ("a secret key", "AKIAIOSFODNN7EXAMPLE"),
    ("a secret key", "whsec_4f9a1b2c3d"),
    ("a secret key", "sk_live_4eC39HqLyjWDarjtT1"),
    ("a secret key", "-----BEGIN RSA PRIVATE KEY-----"),
]
each_leak = pytest.mark.parametrize(("what", "text"), LEAKS, ids=[text[:30] for _, text in LEAKS])

WRITTEN = {
    "as text": lambda text: f"Error: {text} (sorry)".encode(),
    "as JSON": lambda text: json.dumps({"code": "e", "message": f"Error: {text} (sorry)"}).encode(),
    "deep in JSON": lambda text: json.dumps({"errors": [{"detail": {"trace": [text]}}]}).encode(),
    "as JSON with its slashes escaped": lambda text: (
        json.dumps({"message": text}).replace("/", r"\/").encode()
    ),
    "as a page": lambda text: f"<html><pre>{text}</pre></html>".encode(),
}


def leaks(story: Exchange) -> list[Violation]:
    rulings = Rulings(story)
    judge_leaks(story, rulings)
    assert len(rulings.all) == (0 if story.transfer or story.answer is None else 1)
    return [each.violation for each in rulings.all if each.violation]


def refused(body: bytes, sent: Any = None, status: int = 400, path: str | None = None) -> Exchange:
    return exchange(FACE, answer(status, body), body=sent, path=path)


# --- what is found ------------------------------------------------------------------------------------------


@each_leak
@pytest.mark.parametrize("form", WRITTEN)
def test_each_kind_of_leak_is_found_however_it_is_written(what: str, text: str, form: str) -> None:
    (found,) = leaks(refused(WRITTEN[form](text)))
    assert (found.rule.id, found.field) == ("answer.leak", what)
    assert found.message.startswith(f"A 400 shows {what}: ")
    assert "\n" not in found.message


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
def test_every_refusal_and_failure_is_looked_at(status: int) -> None:
    assert leaks(refused(b"Traceback (most recent call last)", status=status))


@each_leak
def test_an_answer_that_is_no_refusal_may_show_any_text(what: str, text: str) -> None:
    """A project's name is what its owner has called it, in another request than this one."""
    assert leaks(refused(json.dumps({"name": text}).encode(), status=200)) == []


def test_a_text_of_many_beginnings_is_no_work() -> None:
    assert leaks(refused(b"at " * 100_000)) == []


@pytest.mark.parametrize("levels", [250, 1_000, 100_000])
def test_a_leak_is_found_however_deep_the_json_around_it(levels: int) -> None:
    (found,) = leaks(refused(b"[" * levels + b'"Traceback (most recent call last):"' + b"]" * levels))
    assert found.field == "a stack trace"


def test_a_long_leak_is_cut_in_the_message() -> None:
    (found,) = leaks(refused(b"/var/" + b"x" * 5000))
    assert len(found.message) < 200


# --- what the caller knows ----------------------------------------------------------------------------------


@each_leak
def test_what_the_request_said_itself_is_no_leak(what: str, text: str) -> None:
    sent = {"name": text}
    said = json.dumps({"code": "invalid_request", "message": f"Invalid value for name: {text}"}).encode()
    assert leaks(refused(said, sent)) == []


@pytest.mark.parametrize("text", ["https://me:pässwörd@example.com/a.png", "SELECT é FROM hats"])
@pytest.mark.parametrize("ascii_sent", [True, False])
@pytest.mark.parametrize("ascii_said", [True, False])
def test_it_may_be_escaped_otherwise(text: str, ascii_sent: bool, ascii_said: bool) -> None:
    sent = json.dumps({"name": text}, ensure_ascii=ascii_sent).encode()
    assert (
        leaks(refused(json.dumps({"message": f"No: {text}"}, ensure_ascii=ascii_said).encode(), sent)) == []
    )


@pytest.mark.parametrize("path", ["/home/me/x", "/v1/%2Fhome%2Fme%2Fx", "/v1/x?file=%2Fhome%2Fme%2Fx"])
def test_what_the_url_said_is_no_leak(path: str) -> None:
    story = exchange(None, answer(404, b'{"message": "/home/me/x is not here"}'), path=path)
    assert leaks(story) == []


def test_more_than_the_request_said_is_a_leak() -> None:
    assert leaks(refused(b"/home/me/x/secret.txt is not here", path="/home/me/x"))


# --- the token ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_callers_token_is_a_leak_in_any_answer(status: int) -> None:
    (found,) = leaks(exchange(READ, answer(status, {"name": f"of {TOKEN}."})))
    assert (found.field, found.message) == ("the caller's token", f"A {status} shows the caller's token")


def test_it_is_one_in_a_header_too() -> None:
    given_answer = Answer(200, (("Set-Cookie", f"token={TOKEN}; Path=/"),))
    assert [each.field for each in leaks(exchange(READ, given_answer))] == ["the caller's token"]


def test_another_token_or_none_is_not_looked_for() -> None:
    assert leaks(exchange(READ, answer(200, {"name": TOKEN}), token=None)) == []
    assert leaks(exchange(READ, answer(200, {"name": TOKEN}), token="mhk_live_another_one")) == []


@pytest.mark.parametrize("token", ["", "a", "abc", "1234567"])
def test_a_short_token_may_be_in_an_answer_by_chance(token: str) -> None:
    assert leaks(exchange(READ, answer(200, {"name": f"abc 1234567 {token}"}), token=token)) == []


def test_a_token_that_is_no_text_is_looked_for_as_bytes() -> None:
    story = exchange(READ, Answer(200, body=b"x \xff\xfe12345678 x"), token="\udcff\udcfe12345678")
    assert [each.field for each in leaks(story)] == ["the caller's token"]


@pytest.mark.parametrize("transfer", ["upload", "download"])
def test_the_ends_of_links_are_not_looked_at(transfer: str) -> None:
    given_answer = answer(404, f"Traceback (most recent call last) {TOKEN}".encode())
    assert leaks(exchange(None, given_answer, transfer=transfer)) == []


# --- ordinary messages --------------------------------------------------------------------------------------


def texts(node: Any) -> Iterator[str]:
    """Every text of a part of the contract, descriptions and examples included."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from texts(child)


ORDINARY = sorted({*texts(CONTRACT.document["components"]), *texts(CONTRACT.extension("x-job-errors"))})


def test_no_text_of_the_contract_is_a_leak() -> None:
    assert len(ORDINARY) > 100
    for message in ORDINARY:
        assert leaks(refused(json.dumps({"code": "e", "message": message}).encode())) == [], message


@pytest.mark.parametrize(
    "message",
    [
        "Your request took too long: try again at 12:30",
        "Please update your settings and set a name from the list",
        "Select a style from the list",
        "Look at https://magichour.ai/docs/home/usr for help",
        "See /docs/errors or https://api.magichour.ai/v1/image-projects/home/x",
        "at least 1 (of 3)",
        "The file is 3:4, not 16:9",
        "Go to the app/settings page",
        "Contact support@magichour.ai",
        "Delete it from where it was set",
        "expected one of 'a/b', got 'etc/x'",
        "style.home/tmp is unknown",
    ],
)
def test_no_sentence_of_a_polite_server_is_a_leak(message: str) -> None:
    assert leaks(refused(json.dumps({"message": message}).encode())) == []


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_no_message_on_an_illegal_body_is_a_leak(operation: Any) -> None:
    media = media_of(operation)
    for variant in illegal(media, media.example, Random(0)):
        message = sentence(media.schema.faults(json.loads(variant.content)))
        said = json.dumps({"code": "invalid_request", "message": message}).encode()
        assert leaks(refused(said)) == [], message


@examples(20)
@given(bodies())
def test_no_message_on_an_illegal_body_of_any_schema_is_a_leak(sketch: Sketch) -> None:
    for variant in sketch.illegal():
        message = sentence(sketch.media.schema.faults(json.loads(variant.content)))
        said = json.dumps({"code": "invalid_request", "message": message}).encode()
        assert leaks(refused(said, variant.content)) == [], message


ECHOED = st.sampled_from([text for _, text in LEAKS]) | st.text(max_size=30)


def test_two_quotations_are_not_taken_for_one_leak() -> None:
    text = "SELECT a hat FROM the list"
    said = json.dumps({"message": f"Invalid value for a: '{text}'; Invalid value for b: '{text}'"}).encode()
    assert leaks(refused(said, {"a": text, "b": text})) == []


def test_what_the_mock_quotes_of_a_request_is_no_leak() -> None:
    with mocked() as server:

        @examples(60)
        @given(ECHOED, ECHOED)
        def quoted(extension: str, path: str) -> None:
            server.call(UPLOADS, {"items": [{"type": path, "extension": extension}]})
            server.create(path, name=extension)

        quoted()
        assert [each for each in server.broken if "leak" in each] == []
