"""What a newcomer meets in the first minute: the greeting, the console, lines about requests alone."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bluehour.mock_server.app import Application, create_app
from bluehour.mock_server.cli import main
from bluehour.mock_server.mock import Mock
from bluehour.openapi.messages import Headers, Request

from ..conftest import FACE, face
from .test_processes import logged, until
from .test_serving import Served, serving

API = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}}
FOR_PEOPLE = "text/html,application/xhtml+xml,*/*;q=0.8"


def asked_for(path: str, accept: str, method: str = "GET") -> tuple[int, str | None]:
    """The status and the Location, asked of a server of ours and of Flask's, which are alike."""
    with closing(Mock()) as mock:
        reply = Application(mock).answer(Request(method, path, Headers([("Accept", accept)])))
        headers = dict(reply.headers)
        other = create_app(mock).test_client().open(path, method=method, headers={"Accept": accept})
        assert other.status_code == reply.status
        return reply.status, headers.get("Location")


def test_a_browser_that_opens_the_address_is_led_to_the_console() -> None:
    assert asked_for("/", FOR_PEOPLE) == (302, "_mock")


@pytest.mark.parametrize(
    ("path", "accept", "method"),
    [("/", "*/*", "GET"), ("/", FOR_PEOPLE, "POST"), ("/v2", FOR_PEOPLE, "GET"), ("//", FOR_PEOPLE, "GET")],
)
def test_clients_are_not(path: str, accept: str, method: str) -> None:
    assert asked_for(path, accept, method)[0] in (404, 405)


def test_a_contract_that_has_the_address_keeps_it(tmp_path: Path) -> None:
    spec = tmp_path / "api.json"
    said = {"200": {"description": "", "content": {"text/html": {"example": "<p>mine"}}}}
    spec.write_text(json.dumps({**API, "paths": {"/": {"get": {"responses": said}}}}))
    with serving("--spec", f"{spec}") as served:
        request = urllib.request.Request(f"{served.url}/", headers={"Accept": FOR_PEOPLE})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.read() == b"<p>mine"


def test_only_what_clients_do_and_what_is_forced_is_logged() -> None:
    with serving("--log-format", "json") as served:
        for path in ("/_mock", "/_mock/static/base.css", "/_mock/journal", "/favicon.ico"):
            urllib.request.urlopen(served.url + path, timeout=60).close()
        served.try_post("/_mock/rules", {"match": {"operation": "nothing"}})
        served.post(FACE, face())
        *_, log = served.stop()
    lines = [json.loads(line) for line in log.splitlines()]
    assert [(each["method"], each["path"]) for each in lines] == [("POST", "/_mock/rules"), ("POST", FACE)]
    for each in lines:
        assert datetime.fromisoformat(each["at"]).utcoffset() is not None


def test_who_asks_for_quiet_is_told_the_address_alone() -> None:
    with serving("-p", "0", "-q") as served:
        served.post(FACE, face())
        _, rest, log = served.stop()
    assert (served.greeting + rest).count("\n") == 2  # and an empty line
    assert log == ""


def test_operations_and_credentials_are_listed_as_the_file_has_them(tmp_path: Path) -> None:
    spec = tmp_path / "api.json"
    key = {"type": "apiKey", "in": "header", "name": "X-Key"}
    answers = {"responses": {"200": {"description": ""}}}
    paths = {f"/pets/{n}": {"get": answers} for n in range(9)}
    api = {**API, "paths": paths}
    schemes = {"securitySchemes": {"key": key}}
    told = greeting_of(spec, {**api, "security": [{"key": []}], "components": schemes})
    assert "  GET    /pets/0\n" in told
    assert "/pets/8" not in told
    assert "  and 1 more\n" in told
    assert "Credentials, any will do: X-Key: any-token\n" in told
    assert "None of them asks for credentials\n" in greeting_of(spec, api)


def greeting_of(file: Path, api: object) -> str:
    file.write_text(json.dumps(api))
    with serving("--spec", f"{file}") as served:
        return served.greeting + served.stop()[1]


@pytest.fixture
def browser(tmp_path: Path) -> Callable[[int], str]:
    """A browser that notes what it is to show, and whether it can; returns the setting that names it."""

    def made(code: int) -> str:
        program = tmp_path / "browser"
        program.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/shown\nexit {code}\n')
        program.chmod(0o755)
        return f"{program} %s"

    return made


def test_the_console_is_opened_signed_in(browser: Callable[[int], str], tmp_path: Path) -> None:
    with serving("--open", "--control-token", "a/b", BROWSER=browser(0)) as served:
        shown = tmp_path / "shown"
        until(lambda: shown.exists() and shown.read_text().endswith("\n"))
        assert shown.read_text() == f"{served.url}/_mock?token=a%2Fb\n"


def test_without_a_browser_it_is_said_where_the_console_is(browser: Callable[[int], str]) -> None:
    # Nothing else is found on this PATH, such as a browser of the machine's.
    with serving("--open", BROWSER=browser(1), PATH=os.path.dirname(sys.executable), DISPLAY="") as served:
        until(lambda: "There is no browser to open; the console is at" in logged(served))
        assert is_up(served)


def is_up(served: Served) -> bool:
    return bool(served.post(FACE, face()))


def test_each_commands_first_sentence_is_whole() -> None:
    told = CliRunner().invoke(main, ["--help"], terminal_width=60).output
    assert "..." not in told.partition("Commands:")[2]
    assert "Check whether the deployment at URL keeps the contract of" in " ".join(told.split())


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("check --only credits.pri", ["credits.price"]),
        ("check --skip auth.x,credits.pri", ["auth.x,credits.price"]),
        ("fuzz --only pay.onc", ["pay.once"]),
        ("fuzz --spec nowhere.yaml --only pay", []),
    ],
)
def test_a_shell_completes_names_of_rules(
    words: str, completed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = f"bluehour {words}"
    monkeypatch.setenv("COMP_WORDS", given)
    monkeypatch.setenv("COMP_CWORD", f"{len(given.split()) - 1}")
    monkeypatch.setenv("_BLUEHOUR_COMPLETE", "bash_complete")
    said = CliRunner().invoke(main, prog_name="bluehour").output
    assert said.split() == [f"plain,{each}" for each in completed]
