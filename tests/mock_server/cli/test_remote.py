"""The commands on a running mock: what clients sent, rules, events, the clock, accounts."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from bluehour.mock_server.app import create_app
from bluehour.mock_server.cli import main
from bluehour.mock_server.control.client import Control
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from bluehour.openapi.contract import load

from ..conftest import FACE, Caller, face
from ..webhooks.receiver import SECRET, receiving

TOKEN = "mhk_test_creator_100"


@pytest.fixture
def mock() -> Iterator[Mock]:
    with closing(Mock(settings=Settings(time_scale=0.001))) as mock:
        yield mock


@pytest.fixture
def url(mock: Mock) -> Iterator[str]:
    with running(mock) as url:
        yield url


@pytest.fixture
def caller(mock: Mock) -> Caller:
    return Caller(create_app(mock).test_client(), TOKEN)


def run(url: str, *words: str) -> str:
    """What a command says that does what it is to."""
    done = CliRunner().invoke(main, [*words, "--url", url])
    assert done.exit_code == 0, done.output
    return done.stdout


def objects(url: str, *words: str) -> list[Any]:
    return [json.loads(line) for line in run(url, *words, "--json").splitlines()]


def refused(*words: str) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_logs_tell_what_became_of_each_request(url: str, caller: Caller) -> None:
    project = caller.create(face())
    caller.post(FACE, {})
    caller.post(FACE, face(), headers={"Prefer": "code=503"})
    lines = run(url, "logs").splitlines()
    assert [line.split()[1] for line in lines] == ["200", "400", "503"]
    assert lines[0].endswith(f"{project}: 1 credit")
    assert "assets: Missing required field" in lines[1]
    assert "forced by" in lines[2]


def test_logs_are_chosen_among(url: str, caller: Caller) -> None:
    for _ in range(3):
        caller.create(face())
    caller.post(FACE, {})
    assert len(run(url, "logs", "-n", "2").splitlines()) == 2
    assert [each["response"]["status"] for each in objects(url, "logs", "--status", "4xx")] == [400]
    assert len(objects(url, "logs", "--faulty")) == 1
    assert objects(url, "logs", "--method", "GET") == []


def test_logs_follow_what_comes_also_after_a_reset_and_end_by_ctrl_c(url: str, caller: Caller) -> None:
    caller.create(face())
    command = [sys.executable, "-m", "bluehour", "logs", "--follow", "--json", "--url", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        giving_up = threading.Timer(60, process.kill)
        giving_up.start()
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["id"] == 1
            caller.post(FACE, {})
            assert json.loads(process.stdout.readline())["response"]["status"] == 400
            Control(url).reset()
            caller.create(face())
            assert json.loads(process.stdout.readline())["id"] == 1
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
            assert (process.returncode, said) == (3, "interrupted by Ctrl-C\n")
        finally:
            giving_up.cancel()
            process.kill()


def test_rules_are_added_from_files_switched_saved_and_removed(url: str, tmp_path: Path) -> None:
    file, saved = tmp_path / "rules.yaml", tmp_path / "saved.yaml"
    wanted = [
        {"match": {"operation": "POST /v1/ai-face-editor"}, "answer": {"status": 503}},
        {"delay": 1.5},
    ]
    file.write_text(yaml.safe_dump({"rules": wanted}))
    first, second = objects(url, "rules", "add", f"{file}")
    assert run(url, "rules", "save", f"{saved}") == f"2 rules in {saved}\n"
    assert yaml.safe_load(saved.read_text())["rules"] == wanted
    run(url, "rules", "off", first["id"])
    assert [each["enabled"] for each in objects(url, "rules", "list")] == [False, True]
    assert [line.split()[1] for line in run(url, "rules").splitlines()] == ["off", "on"]
    run(url, "rules", "on", first["id"])
    run(url, "rules", "remove", second["id"])
    assert [each["id"] for each in objects(url, "rules", "list")] == [first["id"]]
    run(url, "rules", "clear")
    assert run(url, "rules") == ""


def test_the_clock_is_shown_and_set(url: str) -> None:
    assert "as the system's" in run(url, "clock")
    assert "3,600 seconds ahead" in run(url, "clock", "advance", "3600")
    assert "it stands still" in run(url, "clock", "freeze")
    assert "2027-01-31 09:00:00" in run(url, "clock", "set", "2027-01-31T09:00:00Z")
    assert objects(url, "clock", "run")[0]["frozen"] is False


def test_accounts_are_shown_with_their_ledgers_and_changed(url: str, caller: Caller) -> None:
    project = caller.create(face())
    (account,) = objects(url, "accounts", "list")
    assert account["credits"] == 99
    given, charge = run(url, "accounts", "ledger", account["id"]).splitlines()
    assert "+100" in given
    assert charge.endswith(project)
    assert "5 credits" in run(url, "accounts", "set", "another", "--credits", "5", "--plan", "free")
    assert len(run(url, "accounts").splitlines()) == 2


@pytest.mark.parametrize("event", [*load().webhooks])
def test_an_event_is_triggered_and_told_with_what_became_of_it(mock: Mock, url: str, event: str) -> None:
    with receiving(mock.world.clock.now) as receiver:
        mock.webhooks.register(receiver.url, SECRET, [event])
        (delivery,) = objects(url, "trigger", event)
        assert (delivery["event"], delivery["state"]) == (event, "delivered")
        assert event in run(url, "trigger", event)


def test_what_can_not_be_is_a_line(url: str, tmp_path: Path) -> None:
    at = ("--url", url)
    assert "has no event nothing; there are image.started" in refused("trigger", "nothing", *at)
    assert "no webhook is registered" in refused("trigger", "image.completed", *at)
    assert "There is no rule nothing" in refused("rules", "remove", "nothing", *at)
    assert "is not a valid date-time" in refused("clock", "set", "soon", *at)
    assert "can't be written" in refused("rules", "save", f"{tmp_path}/no/where", *at)
    assert "Nothing listens" in refused("logs", "--url", "http://127.0.0.1:1")
    assert "is no address of a mock" in refused("accounts", "--url", "here")
