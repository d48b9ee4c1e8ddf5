"""`bluehour serve` with what forces and shows things: a scenario, webhooks, the console, `--reload`."""

from __future__ import annotations

import copy
import json
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bluehour.mock_server.webhooks.signature import verify
from tests.editors import EDITORS, editors_file

from ..conftest import FACE, face
from .test_serving import Served, refused, serving

SCENARIO = (
    "rules:\n  - {name: busy, match: {operation: aiFaceEditor.editImage, nth: 2}, answer: {status: 429}}\n"
)


def status(served: Served, path: str = FACE, body: Any = None, **headers: str) -> int:
    data = None if body is None and path != FACE else json.dumps(body or face()).encode()
    usual = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    try:
        request = urllib.request.Request(served.url + path, data=data, headers={**usual, **headers})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def shown(served: Served, path: str) -> Any:
    with urllib.request.urlopen(served.url + path, timeout=60) as answer:
        return json.load(answer)


def replace(path: Path, text: str) -> None:
    """Write as editors do, so that nobody reads the half of it."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def log_until(served: Served, text: str) -> str:
    """Return the log once it has a text; whoever watches files can't be told that they have changed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        served.log.seek(0)
        if text in (log := served.log.read()):
            return log
        time.sleep(0.02)
    raise AssertionError(f"{text!r} is not in {log!r}")


def test_a_scenario_acts_and_the_greeting_tells_of_it(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(SCENARIO)
    with serving("--scenario", str(path)) as served:
        assert [status(served) for _ in range(3)] == [200, 429, 200]
        _, rest, log = served.stop()
    assert "1 rule of the scenario" in rest
    assert f"Console at {served.url}/_mock, reference at {served.url}/docs" in rest
    assert "forced by busy: status 429" in log


def test_the_log_as_json_tells_what_was_forced(tmp_path: Path) -> None:
    with serving("--log-format", "json") as served:
        status(served, Prefer="code=503")
        _, _, log = served.stop()
    assert json.loads(log)["forced"] == "Prefer: code=503"


@pytest.mark.parametrize(
    ("scenario", "part"),
    [
        ("rules: [{fault: explode}]", "rules[0].fault: expected one of"),
        ("rules: [{match: {operation: nope}, delay: 1}]", "rules[0]: match.operation: there is no operation"),
        ("rules: [", "not valid YAML"),
    ],
)
def test_a_scenario_that_can_not_be_used_stops_the_start_with_one_line(
    tmp_path: Path, scenario: str, part: str
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(scenario)
    assert part in refused("--scenario", str(path))


def test_a_webhook_that_is_no_url_stops_the_start_with_one_line() -> None:
    assert "is no URL that events can be sent to" in refused("--webhook", "localhost:8000")


def test_a_webhook_or_a_target_that_is_denied_stops_the_start_with_one_line() -> None:
    private = refused("--host", "0.0.0.0", "--webhook", "http://127.0.0.1:9/")
    assert "--webhook: 'http://127.0.0.1:9/' can't be a webhook: 127.0.0.1 is a private address" in private
    denied = refused("--deny-target", "127.0.0.0/8", "--webhook", "http://127.0.0.1:9/")
    assert "127.0.0.1 is denied by --deny-target 127.0.0.0/8" in denied
    assert "'http://a' is no target" in refused("--allow-target", "http://a")


def test_without_a_journal_there_is_none_and_with_a_token_nobody_reads_it(tmp_path: Path) -> None:
    with serving("--journal", "0", BLUEHOUR_CONTROL_TOKEN="s3cret") as served:
        assert status(served) == 200
        assert status(served, "/_mock/journal") == 401
        assert status(served, "/_mock/journal", Authorization="Bearer s3cret") == 200
        _, rest, _ = served.stop()
    assert "/_mock?token=…" in rest
    assert "s3cret" not in rest


def test_events_are_sent_signed_to_the_webhook_of_the_command_line() -> None:
    events: list[tuple[str, dict[str, str], bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            events.append((self.path, dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        thread = Thread(target=receiver.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{receiver.server_port}/hook?a=1"
        try:
            with serving("--time-scale", "0", "--webhook", url, "--webhook-secret", "whsec_x") as served:
                created = served.post(FACE, face())
                served.post("/_mock/deliveries/settle", {})
                _, rest, _ = served.stop()
        finally:
            receiver.shutdown()
            thread.join()
    assert f"Webhook {url}\n" in rest
    ((path, headers, body),) = events
    event = verify(body, headers, "whsec_x")
    assert (path, event["type"]) == ("/hook?a=1", "image.completed")
    assert event["payload"]["id"] == created["id"]
    assert event["payload"]["downloads"][0]["url"].startswith(served.url)


def test_an_edited_scenario_takes_effect_and_a_bad_edit_does_not(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules: []\n")
    with serving("--reload", "--scenario", str(path)) as served:
        assert status(served) == 200
        replace(path, "rules:\n- {answer: {status: 503}}\n")
        log_until(served, f"\nreloaded {path}: 1 rule\n")
        assert status(served) == 503
        replace(path, "rules:\n- {answer: {status: 99}}\n")
        log = log_until(served, "not reloaded")
        assert "the old one is kept: rules[0].answer.status must be at least 200" in log
        assert status(served) == 503
        assert len(shown(served, "/_mock/projects")["projects"]) == 1


def test_an_edit_that_no_parser_survives_is_told_and_the_server_goes_on(tmp_path: Path) -> None:
    spec, rules = tmp_path / "contract.yaml", tmp_path / "rules.yaml"
    spec.write_bytes(editors_file().read_bytes())
    rules.write_text("rules: []\n")
    with serving("--reload", "--spec", str(spec), "--scenario", str(rules)) as served:
        for path, text in ((spec, "- " * 50_000), (rules, "rules: " + "[" * 50_000)):
            replace(path, text)
            told = f"not reloaded {path}, the old one is kept: nested more than 200 levels deep, at line 1\n"
            log_until(served, told)
        assert status(served) == 200


def test_an_edited_contract_takes_effect_with_all_state_kept(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    document = copy.deepcopy(dict(EDITORS.document))
    path.write_text(json.dumps(document))
    with serving("--reload", "--spec", str(path)) as served:
        first = served.post(FACE, face())
        document["paths"][FACE]["post"]["x-credits"] = 7
        replace(path, json.dumps(document))
        log_until(served, f"\nreloaded {path}")
        assert served.post(FACE, face())["credits_charged"] == 7
        assert shown(served, "/_mock/accounts")["accounts"][0]["credits"] == 10_000 - 8

        document["paths"][FACE]["post"]["x-behaviour"] = "edit-by-magic"
        replace(path, json.dumps(document))
        assert "no x-behaviour 'edit-by-magic'" in log_until(served, "not reloaded")

        del document["paths"][FACE]
        replace(path, json.dumps(document))
        assert "the operation aiFaceEditor.editImage is gone, but has projects" in log_until(
            served, "is gone"
        )

        document = copy.deepcopy(dict(EDITORS.document))
        del document["x-plans"]["creator"]
        replace(path, json.dumps(document))
        log_until(served, "unknown plan 'creator'")

        replace(path, "{")
        log_until(served, "not valid JSON")
        assert served.post(FACE, face())["credits_charged"] == 7
        projects = [each["project"]["id"] for each in shown(served, "/_mock/projects")["projects"]]
        assert first["id"] in projects
