"""The control API's client before a real mock."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bluehour.contracts.receiver import receiving
from bluehour.mock_server.control import client
from bluehour.mock_server.control.client import Control, ControlError
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running

CONTROL = yaml.safe_load((Path(client.__file__).parents[1] / "control.yaml").read_bytes())
SCHEMAS = CONTROL["components"]["schemas"]
FILTERS = CONTROL["paths"]["/_mock/journal"]["parameters"]
CREATE = {"assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {"mouth_smile": 60}}
DAWN = datetime(2026, 1, 24, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with closing(Mock(settings=Settings(time_scale=1))) as mock, running(mock) as url:
        yield url


@pytest.fixture
def control(url: str) -> Control:
    """The client of a mock in which nothing has happened yet, at dawn."""
    control = Control(url)
    control.reset(clock=DAWN)
    return control


def call(control: Control, method: str, path: str, body: Any = None, token: str = "guest") -> Any:
    """Call the mocked API, and return its answer's JSON, also that of a refusal."""
    request = urllib.request.Request(
        control.url + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def create(control: Control) -> str:
    """Create a project and return its id."""
    return str(call(control, "POST", "/v1/ai-face-editor", CREATE)["id"])


def test_the_clock_stands_jumps_and_runs(control: Control) -> None:
    assert control.clock.now == DAWN
    assert control.clock.advance(60).now == DAWN + timedelta(minutes=1)
    assert control.clock.set(DAWN + timedelta(days=1)).now == DAWN + timedelta(days=1)
    assert control.clock.state().frozen
    assert not control.clock.run().frozen
    assert control.clock.freeze().frozen


def test_a_reset_lets_the_clock_run_with_the_systems_again(control: Control) -> None:
    assert not control.reset().clock.frozen
    assert abs(control.clock.now - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_time_may_be_written_in_three_ways(control: Control) -> None:
    times: list[client.Time] = [DAWN, DAWN.timestamp(), "2026-01-24T10:00:00+01:00"]
    assert {control.reset(time).clock.now for time in times} == {DAWN}


def test_a_time_without_an_offset_is_refused(control: Control) -> None:
    with pytest.raises(ValueError, match="without an offset"):
        control.clock.set(datetime(2026, 1, 24))


def test_an_account_is_opened_and_changed_by_its_token(control: Control) -> None:
    account = control.accounts.set("guest", credits=5, plan="free")
    assert (account.credits, account.plan) == (5, "free")
    assert control.accounts.change(account.id, credits=7).credits == 7
    assert [known.id for known in control.accounts.all()] == [account.id]


def test_a_ledger_tells_every_charge(control: Control) -> None:
    account = control.accounts.set("guest", credits=5)
    project = create(control)
    ledger = control.accounts.get(account.id).ledger
    charge = ledger[-1]
    assert (charge.amount, charge.reason, charge.project, charge.balance) == (-1, "charge", project, 4)


def test_a_project_is_seen_as_the_api_shows_it(control: Control) -> None:
    project = control.projects.get(create(control))
    assert (project.status, project.operation) == ("queued", "aiFaceEditor.editImage")
    assert project.finished_at is not None
    assert project.finished_at > DAWN
    assert [known.id for known in control.projects.all()] == [project.id]
    assert control.projects.all(account="nobody") == []


def test_a_projects_files_are_named_and_read(control: Control) -> None:
    project = control.projects.end(create(control))
    assert [(file.name, file.media_type) for file in project.pictures.after] == [("output.png", "image/png")]
    assert project.pictures.before == ()
    assert control.projects.picture(project.id).startswith(b"\x89PNG")
    with pytest.raises(ControlError, match="no such picture"):
        control.projects.picture(project.id, number=2)


def test_a_project_can_be_ended_or_canceled(control: Control) -> None:
    assert control.projects.end(create(control)).status == "complete"
    assert control.projects.cancel(create(control)).status == "canceled"
    failed = control.projects.end(create(control), "no_source_face")
    assert (failed.status, failed.outcome, failed.credits_charged) == ("error", "no_source_face", 0)


def test_a_finished_project_keeps_its_outcome(control: Control) -> None:
    project = control.projects.end(create(control)).id
    with pytest.raises(ControlError) as refusal:
        control.projects.cancel(project)
    assert refusal.value.status == 409


def test_a_rule_is_added_whole_or_by_its_fields(control: Control) -> None:
    first = control.rules.add({"name": "busy", "answer": {"status": 429}, "times": 1})
    second = control.rules.add(match={"operation": "upload"}, fault="drop")
    assert [state.id for state in control.rules.all()] == [first.id, second.id]
    assert call(control, "POST", "/v1/ai-face-editor", CREATE) != {}
    assert control.rules.all()[0].acted == 1


def test_rules_are_switched_removed_and_replaced(control: Control) -> None:
    first = control.rules.add(job="no_source_face")
    assert not control.rules.switch(first.id, on=False).enabled
    second, third = control.rules.replace([{"job": "stuck"}, {"delay": 0.5}])
    control.rules.remove(second.id)
    assert [state.rule for state in control.rules.all()] == [third.rule]
    control.rules.clear()
    assert control.rules.all() == []


def test_a_bad_rule_is_refused_with_what_to_change(control: Control) -> None:
    with pytest.raises(ControlError) as refusal:
        control.rules.add({"anser": {"status": 429}})
    assert (refusal.value.status, refusal.value.code) == (400, "invalid_request")
    assert "anser" in refusal.value.message
    assert str(refusal.value) == refusal.value.message


def test_the_journal_tells_what_was_sent_and_answered(control: Control) -> None:
    project = create(control)
    (entry,) = control.journal.entries()
    assert entry.at == DAWN
    assert entry.request.json == CREATE
    assert entry.request.header("content-type") == "application/json"
    assert entry.response.json["id"] == project
    assert (entry.operation, entry.project, entry.credits) == ("aiFaceEditor.editImage", project, -1)
    assert control.journal.entry(entry.id) == entry


def test_the_journal_is_searched(control: Control) -> None:
    create(control)
    call(control, "POST", "/v1/ai-face-editor", {**CREATE, "style": {"mouth_smile": 7}})
    (faulty,) = control.journal.entries(faulty=True)
    assert [fault.where for fault in faulty.faults] == ["style.mouth_smile"]
    assert control.journal.entries(status="4xx", method="POST", path="/v1/*") == [faulty]
    assert control.journal.entries(status=200, limit=1)[0].id < faulty.id
    assert control.journal.entries(after=faulty.id, token="guest", operation=None) == []


def test_the_journal_is_exported_and_cleared(control: Control) -> None:
    create(control)
    assert len(control.journal.har()["log"]["entries"]) == 1
    control.journal.clear()
    assert control.journal.entries() == []


def test_a_webhook_is_added_switched_and_removed(control: Control) -> None:
    events = ["image.completed"]
    webhook = control.webhooks.add("http://127.0.0.1:9/", secret="whsec_test_secret", events=events)
    assert (webhook.secret, webhook.events) == ("whsec_test_secret", ("image.completed",))
    assert not control.webhooks.switch(webhook.id, on=False).enabled
    assert [known.id for known in control.webhooks.all()] == [webhook.id]
    control.webhooks.remove(webhook.id)
    assert control.webhooks.all() == []


def test_a_delivery_that_fails_tells_why_and_when_it_is_tried_next(control: Control) -> None:
    control.webhooks.add("http://127.0.0.1:9/", events=["image.completed"])
    project = create(control)
    control.clock.advance(10)
    (delivery,) = control.webhooks.settle()
    assert (delivery.state, delivery.event, delivery.project) == ("pending", "image.completed", project)
    assert delivery.json["payload"]["id"] == project
    assert delivery.attempts[0].status is None
    assert delivery.attempts[0].problem
    assert delivery.next_at is not None
    assert len(control.webhooks.resend(delivery.id).attempts) == 2
    assert len(control.webhooks.deliveries(project)) == 1
    assert control.webhooks.deliveries("another") == []


def test_the_state_counts_what_there_is(control: Control) -> None:
    create(control)
    state = control.state()
    assert (state.accounts, state.projects, state.journal, state.rules) == (1, 1, 1, 0)
    assert "no_source_face" in state.contract["job_errors"]


def test_what_is_not_there_is_told_so(control: Control) -> None:
    with pytest.raises(ControlError) as refusal:
        control.projects.get("no/such id")
    assert refusal.value.status == 404


def test_where_nothing_listens_the_error_says_how_to_start_a_mock() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ControlError, match=f"Nothing listens at {free}.*bluehour serve") as error:
        Control(free).state()
    assert (error.value.status, error.value.code) == (None, "unreachable")


def test_another_server_is_recognised_as_such() -> None:
    with (
        receiving("whsec_test_secret", now=lambda: 0) as other,
        pytest.raises(ControlError, match="not as a mock's control API does") as error,
    ):
        Control(other.url).state()
    assert error.value.code == "not_a_mock"


@pytest.mark.parametrize(
    "url", ["127.0.0.1:4010", "ftp://127.0.0.1", "http://", "", "http://a:b", "http://["]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no address of a mock"):
        Control(url)


def test_the_client_is_imported_without_the_server() -> None:
    code = "import sys, bluehour.mock_server.control.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    assert not {"flask", "werkzeug", "jsonschema", "bluehour.openapi.contract"} & set(loaded.stdout.split())


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (client.ClockState, "Clock"),
        (client.State, "State"),
        (client.Account, "Account"),
        (client.Project, "Project"),
        (client.RuleState, "RuleState"),
        (client.Webhook, "Webhook"),
        (client.Delivery, "Delivery"),
        (client.Entry, "Entry"),
        (client.Request, "RequestMessage"),
        (client.Response, "ResponseMessage"),
    ],
)
def test_a_value_holds_every_field_of_its_schema(value: type[Any], schema: str) -> None:
    assert {field.name for field in fields(value)} == SCHEMAS[schema]["properties"].keys()


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (client.Rule, SCHEMAS["Rule"]["properties"]),
        (client.Match, SCHEMAS["Match"]["properties"]),
        (client.ForcedAnswer, SCHEMAS["ForcedAnswer"]["properties"]),
        (client.Filters, [filter.get("name", "limit") for filter in FILTERS]),
    ],
)
def test_everything_that_can_be_sent_has_a_name(sent: Any, known: Any) -> None:
    assert sent.__annotations__.keys() == set(known)
