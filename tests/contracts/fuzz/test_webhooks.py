"""Events for a client's receiver: what is sent when, what of it is judged, and how it is asked for."""

from __future__ import annotations

import json
import re
import shlex
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bluehour.contracts import Task
from bluehour.contracts.fuzz.cli import fuzz as command
from bluehour.contracts.fuzz.clients.function import Function
from bluehour.contracts.fuzz.engine import replay
from bluehour.contracts.fuzz.performance import Delivered, Performance
from bluehour.contracts.fuzz.playing import Theatre
from bluehour.contracts.fuzz.report import as_json, html, terminal
from bluehour.contracts.fuzz.script import Event, Place, Script, Turn, dumped, loaded
from bluehour.contracts.fuzz.stage import webhook_at
from bluehour.contracts.fuzz.strategies import Profile, topics
from bluehour.contracts.fuzz.wanted import wanted_of
from bluehour.contracts.webhooks import SignatureError, verify
from tests.faulty_clients import careful
from tests.faulty_clients.meeting import free_port
from tests.faulty_clients.receiving import Client

from .playing import CONTRACT, TERMS, broken, options

ROOT = Path(__file__).parents[3]
HOOK = "http://127.0.0.1:8123/hook"
JOB = ("queued", "rendering", "complete")


def before(place: Place, *events: Event, job: tuple[str, ...] = JOB) -> Script:
    return Script({place: (Turn(events=events),)}, job=job)


ENDED_EARLY = before(Place.CREATE, Event.ENDED)
FORGED = before(Place.POLL, Event.FORGED, job=("rendering", "complete"))


@dataclass
class Heard:
    """What a client's receiver got."""

    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def play(script: Script, client: type[careful.Client] = Client, url: str = "") -> Performance:
    """Play a script to a client that is told of a receiver's URL."""
    webhook = webhook_at(url or f"http://127.0.0.1:{free_port()}/hook?of=us", None, CONTRACT)

    def edit(task: Task) -> Any:
        return client(task).edit()

    function = Function(edit, (careful.EditFailed,))
    with Theatre(CONTRACT, function, replace(TERMS, webhook=webhook)) as theatre:
        return theatre.play(script)


def delivered(played: Performance) -> list[Delivered]:
    return [each for asked in played.asked for each in asked.delivered]


def hearing(heard: Heard) -> type[Client]:
    class Hearing(Client):
        def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
            heard.bodies.append(body)
            heard.headers.append(headers)
            try:
                verify(body, headers, self.task.webhook_secret)
            except SignatureError as error:
                heard.problems.append(str(error))
            return super().receive(body, headers)

    return Hearing


# What is sent.


@pytest.mark.parametrize("event", [Event.STARTED, Event.ENDED])
@pytest.mark.parametrize("end", ["complete", "error"])
def test_a_genuine_event_is_signed_by_the_clients_clock_and_fits_the_contract(event: Event, end: str) -> None:
    heard = Heard()

    # So long that a signature by another clock were too old.
    class Slow(hearing(heard)):  # type: ignore[misc]  # a class that is made
        def upload(self) -> str:
            time.sleep(400)
            self.ends_at += 400
            return str(super().upload())

    late = Script(
        {Place.POLL: (Turn(), Turn(), Turn(events=(event,)))}, job=("queued",) * 3 + ("rendering", end)
    )
    played = play(late, Slow)
    (one,) = delivered(played)
    told = json.loads(heard.bodies[0])
    assert (heard.problems, one.status, one.name) == ([], 204, told["type"])
    media = CONTRACT.webhooks[one.name].json_body
    assert media is not None
    assert media.schema.faults(told) == []
    assert told["payload"]["status"] == ("rendering" if event is Event.STARTED else end)
    assert broken(played) == set()


@pytest.mark.parametrize("event", [Event.FORGED, Event.UNSIGNED])
def test_an_event_of_somebody_else_can_not_be_verified_and_does_not_lead_to_the_files(event: Event) -> None:
    heard = Heard()

    class Curious(hearing(heard)):  # type: ignore[misc]  # a class that is made
        def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
            (link,) = json.loads(body)["payload"]["downloads"]
            self.send("GET", link["url"], {})
            return int(super().receive(body, headers))

    played = play(before(Place.POLL, event, job=("rendering", "complete")), Curious)
    assert len(heard.problems) == 1
    assert [asked.place for asked in played.asked if asked.host == "elsewhere"] == [None]
    assert [each.status for each in delivered(played)] == [401]
    assert (broken(played), played.is_legal, played.ending.outcome) == (set(), False, "done")


def test_an_event_of_the_end_is_there_before_the_creates_answer_and_every_poll_knows_of_it() -> None:
    class Polls(Client):
        def follow(self, project_id: str) -> careful.Project:
            assert project_id in self.ends
            return careful.Client.follow(self, project_id)

    played = play(ENDED_EARLY, Polls)
    assert [asked.state for asked in played.at(Place.POLL)] == ["complete"]
    assert [asked.place for asked in played.asked if asked.delivered] == [Place.CREATE]
    assert broken(played) == set()


def test_a_start_is_known_to_polls_as_well() -> None:
    played = play(before(Place.POLL, Event.STARTED, job=("queued", "queued", "rendering", "complete")))
    assert [asked.state for asked in played.at(Place.POLL)] == ["rendering", "complete"]
    assert broken(played) == set()


def test_who_is_told_of_the_end_by_an_event_need_not_poll() -> None:
    played = play(ENDED_EARLY)
    assert (list(played.at(Place.POLL)), played.last_state) == ([], "complete")
    assert played.ending.status == "complete"
    assert broken(played) == set()


def test_of_files_that_an_event_tells_of_all_have_to_be_downloaded() -> None:
    class TakesTheFirst(Client):
        def told_of(self, payload: dict[str, Any]) -> None:
            super().told_of(payload | {"downloads": payload["downloads"][:1]})

    assert broken(play(replace(ENDED_EARLY, pictures=2), TakesTheFirst)) == {"result.true"}
    assert broken(play(replace(ENDED_EARLY, pictures=2))) == set()


@pytest.mark.parametrize("end", ["canceled", "rendering"])
def test_of_a_job_that_is_canceled_or_never_ends_nothing_is_sent(end: str) -> None:
    assert delivered(play(before(Place.CREATE, Event.ENDED, job=("rendering", end)))) == []


def test_a_create_that_is_refused_tells_nothing() -> None:
    assert delivered(play(Script({Place.CREATE: (Turn(status=402, events=(Event.ENDED,)),)}))) == []


def test_without_a_receiver_nothing_is_sent_and_no_script_has_events() -> None:
    with Theatre(CONTRACT, Function(lambda task: careful.Client(task).edit(), None), TERMS) as theatre:
        played = theatre.play(ENDED_EARLY)
    assert delivered(played) == []
    assert [asked.state for asked in played.at(Place.POLL)] == [*JOB]
    assert not any(topic.about.has_events for topic in topics(CONTRACT, Profile.HOSTILE))


def test_a_receiver_is_met_with_topics_of_its_own_and_the_default_is_enough_for_them() -> None:
    own = [each for each in topics(CONTRACT, Profile.REALISTIC, has_receiver=True) if each.about.has_events]
    events = {
        event
        for each in own
        for turns in each.about.answers.values()
        for turn in turns
        for event in turn.events
    }
    assert events == set(Event)
    assert all(loaded(dumped(each.about)) == each.about for each in own)
    by_default = next(each.default for each in command.params if each.name == "examples")
    assert isinstance(by_default, int)
    assert len(topics(CONTRACT, Profile.REALISTIC, has_receiver=True)) <= by_default
    of_faces = topics(CONTRACT, Profile.HOSTILE, wanted_of(CONTRACT, "face-detection"), has_receiver=True)
    assert not any(each.about.has_events for each in of_faces)


# What is judged.


def test_who_refuses_a_forged_event_and_believes_it_reports_no_true_success() -> None:
    class Believes(Client):
        def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
            status = super().receive(body, headers)
            if status == 401:
                self.ends[json.loads(body)["payload"]["id"]] = careful.Project("complete", [], None)
            return status

    assert broken(play(before(Place.POLL, Event.FORGED, job=("rendering", "error")), Believes)) == {
        "result.true"
    }


def test_a_receiver_that_gets_no_time_to_answer_is_not_judged_and_the_report_says_so() -> None:
    class Busy(Client):
        def create(self, file_path: str) -> str:
            with self.lock:
                return super().create(file_path)

        def taken(self, kind: str, payload: dict[str, Any]) -> int:
            with self.lock:
                return super().taken(kind, payload)

        lock = threading.Lock()

    played = play(ENDED_EARLY, Busy)
    assert [(each.status, each.is_open) for each in delivered(played)] == [(0, True)]
    assert broken(played) == set()
    assert "1 event got no answer from the client's receiver" in " ".join(told(ENDED_EARLY, Busy).notes)


def test_where_nobody_listens_the_report_says_where() -> None:
    url = f"http://127.0.0.1:{free_port()}/hook"
    (one,) = delivered(play(ENDED_EARLY, careful.Client, url))
    assert one.answer == f"nobody listens at {url}"
    assert broken(play(ENDED_EARLY, careful.Client)) == {"webhook.answered"}


def told(script: Script, client: type[careful.Client]) -> Any:
    webhook = webhook_at(f"http://127.0.0.1:{free_port()}/hook", None, CONTRACT)
    function = Function(lambda task: client(task).edit(), (careful.EditFailed,))
    return replay(CONTRACT, function, options(terms=replace(TERMS, webhook=webhook)), [("one", script)])


def test_reports_have_the_events_before_the_answer() -> None:
    result = told(ENDED_EARLY, careful.Client)
    words = "image.completed: nobody listens at"
    assert f"before it {words}" in " ".join(terminal(result, colour=False, width=200).split())
    assert words in html(result)
    (finding,) = json.loads(as_json(result))["findings"]
    events = [each["delivered"] for each in finding["transcript"] if each["delivered"]]
    assert [(each["name"], each["state"], each["status"]) for (each,) in events] == [
        ("image.completed", "complete", None)
    ]


# How it is asked for.


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook",
        "http://127.0.0.1/hook",
        "https://127.0.0.1:8123/hook",
        "http://example.com:8123/hook",
        "http://10.0.0.1:8123/hook",
        "http://127.0.0.1:99999/hook",
        "http://127.0.0.1:8123/a hook",
        "http://[::1:8123/hook",
    ],
)
def test_what_is_no_receiver_on_this_machine_is_refused_in_a_line(url: str) -> None:
    ran = CliRunner().invoke(command, ["--webhook-url", url, "--", "client.py"])
    assert ran.exit_code == 2
    assert "is no receiver on this machine; one is http://127.0.0.1:8000/hook" in ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["http://localhost:8123", "http://[::1]:8123/hook?a=b", HOOK])
def test_a_receiver_may_have_any_address_of_this_machine(url: str) -> None:
    assert webhook_at(url, "whsec_test", CONTRACT).secret == "whsec_test"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--webhook-secret", "s"], "--webhook-secret: say of which --webhook-url"),
        (["--only", "webhook"], "say where the client's listens, --webhook-url"),
        (["--replay", "early.json"], "say where the client's receiver listens, --webhook-url"),
        (
            ["--webhook-url", HOOK, "--operation", "face-detection"],
            "the contract has no events of what the client is to create",
        ),
        (
            ["--webhook-url", HOOK, "--spec", str(ROOT / "tests/openapi/specs/scribe-3.1.yaml")],
            "the contract has no events of what the client is to create",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_can_not_be_judged_without_a_receiver_is_said_in_a_line(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("early.json").write_text(dumped(ENDED_EARLY))
    ran = CliRunner().invoke(command, [*arguments, "--", "client.py"])
    assert ran.exit_code == 2
    assert says in ran.stderr
    assert ran.stderr.count("\n") == 1


CLIENT = f"""
    import os, sys
    sys.path[:0] = [{str(ROOT)!r}]
    from types import SimpleNamespace
    from tests.faulty_clients import receiving
    from tests.faulty_clients.receiving import edit


    class Client(receiving.Client):
        def wait_between_polls(self):
            pass

    if __name__ == "__main__":
        names = ("url", "token", "photo", "out", "webhook_url", "webhook_secret")
        known = dict(zip(names, sys.argv[1:], strict=True))
        assert known == {{name: os.environ["BLUEHOUR_" + name.upper()] for name in names}}
        Client(SimpleNamespace(**known, patience=float(os.environ["BLUEHOUR_PATIENCE"]))).edit()
"""


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a client and scripts."""
    monkeypatch.chdir(tmp_path)
    Path("client.py").write_text(re.sub("^ {4}", "", CLIENT, flags=re.MULTILINE))
    Path("scripts").mkdir()
    Path("scripts/early.json").write_text(dumped(ENDED_EARLY))
    Path("scripts/forged.json").write_text(dumped(FORGED))
    return tmp_path


def run(arguments: list[str]) -> dict[str, int]:
    """Fuzz a client that is right, and return the events that it was sent."""
    ran = CliRunner().invoke(command, ["--replay", "scripts", "--json", "facts.json", *arguments])
    assert ran.exit_code == 0, ran.output
    events: dict[str, int] = json.loads(Path("facts.json").read_text())["coverage"]["events"]
    return events


SENT = {"image.completed": 1, "image.completed, an event with a wrong signature": 1}


@pytest.mark.usefixtures("scripts")
def test_any_command_is_told_where_to_listen_and_by_what_to_verify() -> None:
    places = [f"{{{name}}}" for name in ("url", "token", "photo", "out", "webhook_url", "webhook_secret")]
    url = f"http://127.0.0.1:{free_port()}/hook"
    given = ["--webhook-url", url, "--webhook-secret", "whsec_test"]
    assert run([*given, "--", sys.executable, "client.py", *places]) == SENT


@pytest.mark.usefixtures("scripts")
def test_the_command_of_the_page_sends_events_to_a_python_function() -> None:
    page = (ROOT / "docs/fuzzing.md").read_text("utf-8")
    (line,) = re.findall(r"<!-- tested: fuzz webhooks -->\n```sh\n(.*?)```", page, re.DOTALL)
    assert run(shlex.split(line.replace(":8123/", f":{free_port()}/"))[2:]) == SENT


def test_a_test_of_a_suite_takes_a_receiver_as_well() -> None:
    from bluehour.contracts import fuzz_client

    def told_by(url: str | None, **known: Any) -> Callable[..., None]:
        return fuzz_client(webhook_url=url, examples=1, **known)(lambda task: Client(task).edit())

    with pytest.raises(AssertionError, match="is no receiver on this machine"):
        told_by("http://example.com:1/")()
    with pytest.raises(AssertionError, match="--webhook-url"):
        told_by(None, only=["webhook"])()
    told_by(f"http://127.0.0.1:{free_port()}/hook", refuses=[careful.EditFailed])()
