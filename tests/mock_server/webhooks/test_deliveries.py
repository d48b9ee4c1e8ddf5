"""Webhooks as their receiver sees them: what comes, when it comes again, and what it proves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.control.client import Control, ControlError
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from bluehour.mock_server.webhooks.senders import MOST_AT_ONCE
from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON

from ..conftest import FACE, PHOTO, Caller, face, photo
from .conftest import JOB_SECONDS, Watcher
from .receiver import SECRET, Arrived, Receiver, receiving, send

DAY = 86_400
FAILING = "api-assets/test/no_source_face.png"


# What happens, and what is told of it.


def test_a_job_is_told_of_as_it_starts_and_as_it_completes(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver)
    caller.create(face())

    watcher.wait(0.5)
    assert receiver.events == []
    watcher.wait(JOB_SECONDS / 4 - 0.5)
    assert receiver.events == ["image.started"]
    watcher.wait(2)
    assert receiver.events == ["image.started"]
    watcher.wait(JOB_SECONDS * 3 / 4 - 2)
    assert receiver.events == ["image.started", "image.completed"]
    watcher.wait(DAY)
    assert receiver.events == ["image.started", "image.completed"]


def test_a_job_that_fails_is_told_of_with_its_error(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver)
    caller.create(face(FAILING))

    watcher.wait(JOB_SECONDS)

    assert receiver.events == ["image.started", "image.errored"]
    payload = receiver.arrived[-1].event["payload"]
    assert (payload["status"], payload["credits_charged"], payload["downloads"]) == ("error", 0, [])
    assert payload["error"]["code"] == "no_source_face"


def test_one_long_step_of_the_clock_tells_a_projects_events_in_their_order(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver)
    first, second = caller.create(face()), caller.create(photo(), PHOTO)

    watcher.wait(DAY)

    for project_id in (first, second):
        told = [each.event["type"] for each in receiver.arrived if each.event["payload"]["id"] == project_id]
        assert told == ["image.started", "image.completed"]


def test_a_job_that_takes_no_time_skips_its_start(clock: Clock, store_url: str, receiver: Receiver) -> None:
    settings = Settings(store=store_url, time_scale=0)
    with closing(Mock(settings=settings, clock=clock)) as mock:
        mock.webhooks.register(receiver.url, SECRET)
        caller = Caller(create_app(mock).test_client(), "any-token")
        caller.create(face())
        caller.create(face(FAILING))
        assert mock.webhooks.settle(60)

    assert sorted(receiver.events) == ["image.completed", "image.errored"]


@pytest.mark.parametrize(
    ("outcome", "events"),
    [
        ("complete", ["image.completed"]),
        ("no_source_face", ["image.errored"]),
        ("never_documented", ["image.errored"]),
        ("canceled", []),
    ],
)
def test_a_job_that_is_ended_in_its_queue_tells_of_that_end_alone(
    watcher: Watcher, receiver: Receiver, caller: Caller, outcome: str, events: list[str]
) -> None:
    watcher.register(receiver)
    project_id = caller.create(face())

    assert watcher.end(project_id, outcome) == 200

    watcher.settle()
    assert receiver.events == events
    assert watcher.end(project_id, "complete") == 409
    watcher.wait(DAY)
    assert receiver.events == events


def test_a_job_that_is_canceled_while_it_renders_tells_nothing_more(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver)
    project_id = caller.create(face())
    watcher.wait(JOB_SECONDS / 2)

    watcher.end(project_id, "canceled")

    watcher.wait(DAY)
    assert receiver.events == ["image.started"]


def test_a_job_that_is_ended_early_tells_of_it_once(
    watcher: Watcher, receiver: Receiver, job: str, caller: Caller
) -> None:
    watcher.wait(JOB_SECONDS / 2)
    watcher.end(job, "no_source_face")
    watcher.wait(DAY)

    assert receiver.events == ["image.errored"]
    payload = receiver.arrived[0].event["payload"]
    assert payload["error"] == caller.project(job)["error"]


def test_a_job_that_is_stuck_tells_nothing_until_it_is_ended(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver)
    watcher.mock.scenarios.add({"job": "stuck"})
    project_id = caller.create(face())
    watcher.wait(DAY)
    assert receiver.events == []

    watcher.end(project_id, "complete")

    watcher.settle()
    assert receiver.events == ["image.completed"]


def test_a_create_that_is_refused_tells_nothing(watcher: Watcher, receiver: Receiver, caller: Caller) -> None:
    watcher.register(receiver)
    watcher.mock.scenarios.add({"answer": {"status": 500}})

    assert caller.post("/v1/ai-face-editor", face()).status_code == 500

    watcher.wait(DAY)
    assert receiver.arrived == []


# Who is told.


def test_only_the_events_that_were_asked_for_come(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver, "image.errored")
    caller.create(face())
    caller.create(face(FAILING))

    watcher.wait(JOB_SECONDS)

    assert receiver.events == ["image.errored"]


def test_an_event_that_there_is_not_can_not_be_asked_for(watcher: Watcher, receiver: Receiver) -> None:
    body = {"url": receiver.url, "events": ["image.canceled"]}

    refused = watcher.client.post("/_mock/webhooks", json=body)

    assert refused.status_code == 400
    assert "image.canceled" in refused.text
    assert watcher.mock.webhooks.endpoints() == []


def test_whoever_registers_while_a_job_runs_hears_of_its_end(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    caller.create(face())
    watcher.wait(JOB_SECONDS / 2)

    watcher.register(receiver)
    with receiving(watcher.mock.world.clock.now) as second:
        watcher.register(second)
        watcher.wait(JOB_SECONDS)

        assert receiver.events == second.events == ["image.completed"]


def test_whoever_registers_afterwards_hears_nothing(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    caller.create(face())
    watcher.wait(JOB_SECONDS)
    watcher.register(receiver)
    watcher.wait(DAY)

    assert receiver.arrived == []


def test_a_webhook_in_place_of_another_hears_of_each_event_once(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    (first,) = watcher.mock.webhooks.endpoints()
    watcher.mock.webhooks.remove(first.id)
    watcher.register(receiver)

    watcher.wait(JOB_SECONDS)

    assert receiver.events == ["image.started", "image.completed"]


def test_a_job_outlives_a_restart_and_so_does_its_event(
    clock: Clock, tmp_path: Path, receiver: Receiver
) -> None:
    settings = Settings(store=f"sqlite:///{tmp_path / 'kept.db'}", time_scale=1)
    with closing(Mock(settings=settings, clock=clock)) as before:
        Caller(create_app(before).test_client(), "any-token").create(face())

    with closing(Mock(settings=settings, clock=clock)) as after:
        after.webhooks.register(receiver.url, SECRET)
        clock.advance(JOB_SECONDS)
        assert after.webhooks.settle(60)

    assert receiver.events == ["image.started", "image.completed"]


def test_a_receiver_that_hangs_holds_up_no_other(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    with receiving(watcher.mock.world.clock.now) as stalled:
        stalled.hang()
        watcher.register(stalled, "image.completed")
        watcher.register(receiver, "image.completed")
        caller.create(face())
        watcher.mock.world.clock.advance(JOB_SECONDS)

        stalled.wait()
        receiver.wait()

        assert receiver.events == ["image.completed"]
        assert not watcher.mock.webhooks.settle(0)
        stalled.go_on()
        watcher.settle()
        assert stalled.events == receiver.events == ["image.completed"]


# What an event says, and what it proves.


def test_an_event_is_as_the_contract_says(watcher: Watcher, receiver: Receiver, caller: Caller) -> None:
    watcher.register(receiver)
    caller.create(face())
    caller.create(photo(), PHOTO)
    caller.create(face(FAILING))
    watcher.wait(DAY)

    assert sorted(receiver.events) == ["image.completed"] * 2 + ["image.errored"] + ["image.started"] * 3
    for arrived in receiver.arrived:
        operation = load().webhooks[arrived.event["type"]]
        assert operation.body is not None
        assert operation.body.content[JSON].schema.faults(arrived.event) == []
        assert arrived.headers["content-type"] == JSON
        for parameter in operation.parameters:
            assert parameter.schema.faults(arrived.headers[parameter.name]) == []


def test_an_events_payload_is_what_a_get_shows_at_its_time(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver)
    ids = [caller.create(face()), caller.create(face(FAILING))]

    for seconds in (JOB_SECONDS / 4, JOB_SECONDS * 3 / 4):
        watcher.wait(seconds)
        payloads = {each.event["payload"]["id"]: each.event["payload"] for each in receiver.arrived}
        for project_id in ids:
            assert unsigned(payloads[project_id]) == unsigned(caller.project(project_id))


def test_a_project_that_is_deleted_before_its_end_is_told_of_without_a_picture(
    watcher: Watcher, receiver: Receiver, job: str, caller: Caller
) -> None:
    caller.delete(job)

    watcher.wait(JOB_SECONDS)

    payload = receiver.arrived[0].event["payload"]
    assert (payload["enabled"], payload["downloads"]) == (False, [])
    assert payload == caller.project(job)


def unsigned(project: dict[str, Any]) -> dict[str, Any]:
    """A project without what is different in each link."""
    links = [link["url"].partition("?")[0] for link in project["downloads"]]
    return {**project, "downloads": links}


def test_an_event_has_a_link_to_the_picture(clock: Clock, store_url: str, receiver: Receiver) -> None:
    settings = Settings(store=store_url, time_scale=0)
    with closing(Mock(settings=settings, clock=clock)) as mock, running(mock) as url:
        mock.webhooks.register(receiver.url, SECRET)
        caller = Caller(create_app(mock).test_client(), "any-token")
        caller.create(face())
        assert mock.webhooks.settle(60)
        through_the_client = receiver.arrived[0].event["payload"]["downloads"][0]["url"]
        assert caller.fetch(through_the_client).data.startswith(b"\x89PNG")

        mock.scenarios.add({"job": "stuck"})
        stuck = caller.post(FACE, face(), base_url=url).json["id"]
        Control(url.replace("127.0.0.1", "localhost")).projects.end(stuck)
        assert mock.webhooks.settle(60)

        link = receiver.arrived[1].event["payload"]["downloads"][0]["url"]
        assert link.startswith(f"{url}/outputs/{stuck}/output.png?"), "as the client reaches it"
        with urlopen(link) as picture:
            assert picture.read().startswith(b"\x89PNG")


@pytest.fixture
def arrived(watcher: Watcher, receiver: Receiver, job: str) -> Arrived:
    """A delivery that was accepted, as a stranger may have got hold of it."""
    watcher.wait(JOB_SECONDS)
    (arrived,) = receiver.arrived
    assert (arrived.answered, arrived.event["payload"]["id"]) == (204, job)
    return arrived


def test_an_event_is_accepted_again_for_five_minutes_and_not_longer(
    watcher: Watcher, receiver: Receiver, arrived: Arrived
) -> None:
    watcher.wait(299)
    assert send(receiver.url, arrived.body, arrived.headers) == 204
    watcher.wait(2)
    assert send(receiver.url, arrived.body, arrived.headers) == 401


def test_an_event_with_a_changed_byte_is_refused(receiver: Receiver, arrived: Arrived) -> None:
    changed = arrived.body.replace(b'"complete"', b'"completf"')
    assert changed != arrived.body

    assert send(receiver.url, changed, arrived.headers) == 401


def test_an_event_with_a_newer_timestamp_is_refused(receiver: Receiver, arrived: Arrived) -> None:
    headers = {**arrived.headers, "magic-hour-event-timestamp": str(arrived.timestamp + 1)}

    assert send(receiver.url, arrived.body, headers) == 401


def test_a_receiver_with_another_secret_refuses_everything(watcher: Watcher, caller: Caller) -> None:
    with receiving(watcher.mock.world.clock.now, secret="whsec_another") as stranger:
        watcher.register(stranger, "image.completed")
        caller.create(face())
        watcher.wait(JOB_SECONDS)

        assert stranger.answered == [401]
        assert watcher.state == "pending"
        assert watcher.only_delivery.attempts[0].problem == "answered 401, not 2XX"


def test_a_refusal_that_comes_of_the_moved_clock_is_explained(watcher: Watcher, caller: Caller) -> None:
    with receiving(time.time) as by_the_systems_clock:
        watcher.register(by_the_systems_clock, "image.completed")
        caller.create(face())
        watcher.wait(DAY)

        problem = watcher.only_delivery.attempts[0].problem or ""
        assert problem.startswith("answered 401, not 2XX (the mock's clock, and so the timestamp, is 86,")
        assert problem.endswith(" s ahead of the system's)")


def test_a_secret_is_made_up_where_none_is_given(watcher: Watcher, receiver: Receiver) -> None:
    added = [watcher.client.post("/_mock/webhooks", json={"url": receiver.url}).json for _ in range(2)]

    secrets = {webhook["secret"] for webhook in added if webhook}
    assert len(secrets) == 2
    assert all(secret.startswith("whsec_") and len(secret) > 30 for secret in secrets)
    shown = watcher.client.get("/_mock/webhooks").text
    assert not any(secret in shown for secret in secrets)


# When it comes again.


def test_a_receiver_that_is_down_gets_the_event_once_it_is_back(watcher: Watcher, caller: Caller) -> None:
    with receiving(watcher.mock.world.clock.now, up=False) as receiver:
        watcher.register(receiver, "image.completed")
        caller.create(face())
        watcher.wait(JOB_SECONDS)
        watcher.wait(1)
        watcher.wait(2)
        assert watcher.attempts() == [(0, None), (1, None), (3, None)]
        assert {each.problem for each in watcher.only_delivery.attempts} == {"Connection refused"}

        receiver.start()
        watcher.wait(3.75)
        assert receiver.arrived == []
        watcher.wait(0.25)

        assert receiver.events == ["image.completed"]
        assert watcher.attempts() == [(0, None), (1, None), (3, None), (7, 204)]
        assert (watcher.state, watcher.only_delivery.next_at) == ("delivered", inf)
        watcher.wait(DAY)
        assert len(receiver.arrived) == 1


def test_an_event_that_comes_again_has_a_new_signature_and_the_same_body(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    receiver.answers = [503, 500, 400]
    watcher.wait(JOB_SECONDS)
    for seconds in (1, 2, 4):
        watcher.wait(seconds)

    assert receiver.answered == [503, 500, 400, 204]
    assert len({each.body for each in receiver.arrived}) == 1
    assert len({each.headers["magic-hour-event-signature"] for each in receiver.arrived}) == 4
    first, *others = [each.timestamp for each in receiver.arrived]
    assert [at - first for at in others] == [1, 3, 7]
    assert receiver.arrived[0].event["payload"]["id"] == job


def test_an_event_that_comes_again_is_still_accepted_after_hours(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    receiver.answers = [503] * 13
    watcher.wait(JOB_SECONDS)
    for attempt in range(13):
        watcher.wait(2**attempt)

    assert [at for at, _ in watcher.attempts()][-1] == 2**13 - 1
    assert receiver.events == [
        "image.completed"
    ]  # by a receiver that refuses what is older than five minutes


def test_an_event_is_given_up_after_a_day(watcher: Watcher, receiver: Receiver, job: str) -> None:
    receiver.answers = [503] * 100
    watcher.wait(JOB_SECONDS)
    while (next_at := watcher.only_delivery.next_at) < inf:
        watcher.mock.world.clock.change(to=next_at)
        watcher.settle()

    moments = [at for at, _ in watcher.attempts()]
    assert moments == [2**attempt - 1 for attempt in range(17)] + [DAY]
    assert (watcher.state, watcher.only_delivery.next_at) == ("failed", inf)
    watcher.wait(DAY)
    assert len(receiver.arrived) == len(moments)


def test_an_event_is_pending_until_the_day_is_over(watcher: Watcher, receiver: Receiver, job: str) -> None:
    receiver.answers = [503] * 100
    watcher.wait(JOB_SECONDS)
    watcher.wait(DAY - 1)
    assert watcher.state == "pending"
    watcher.wait(1)
    assert watcher.state == "failed"


def test_a_receiver_that_does_not_answer_in_time_has_not_taken_the_event(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.mock.webhooks.senders.answer_within = 0.2
    watcher.register(receiver, "image.completed")
    receiver.hang()
    caller.create(face())
    watcher.wait(JOB_SECONDS)

    assert len(receiver.arrived) == 1
    (attempt,) = watcher.only_delivery.attempts
    assert (attempt.status, attempt.problem) == (None, "no answer within 0.2 s")
    receiver.go_on()
    watcher.wait(1)
    assert len(receiver.arrived) == 2
    assert watcher.state == "delivered"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_is_no_success(
    watcher: Watcher, receiver: Receiver, job: str, status: int
) -> None:
    with receiving(watcher.mock.world.clock.now) as elsewhere:
        receiver.answers, receiver.redirects_to = [status], elsewhere.url
        watcher.wait(JOB_SECONDS)

        assert elsewhere.arrived == []
        assert watcher.attempts() == [(0, status)]
        assert watcher.only_delivery.attempts[0].problem == f"answered {status}, not 2XX"
        watcher.wait(1)
        assert watcher.state == "delivered"
        assert elsewhere.arrived == []


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(watcher: Watcher, receiver: Receiver, job: str, status: int) -> None:
    receiver.answers = [status]
    watcher.wait(JOB_SECONDS)

    assert watcher.attempts() == [(0, status)]
    assert watcher.state == "delivered"


# Switched off, removed, sent once more, begun anew.


def test_a_webhook_that_is_off_gets_its_events_when_it_is_switched_on(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    (endpoint,) = watcher.mock.webhooks.endpoints()
    watcher.mock.webhooks.switch(endpoint.id, False)
    watcher.wait(JOB_SECONDS)
    watcher.wait(DAY - 1)
    assert (watcher.state, watcher.attempts()) == ("pending", [])

    watcher.mock.webhooks.switch(endpoint.id, True)

    watcher.settle()
    assert receiver.events == ["image.completed"]
    assert watcher.attempts() == [(DAY - 1, 204)]
    watcher.wait(DAY)
    assert len(receiver.arrived) == 1


def test_a_webhook_that_is_off_for_a_day_never_gets_its_events(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    (endpoint,) = watcher.mock.webhooks.endpoints()
    watcher.mock.webhooks.switch(endpoint.id, False)
    watcher.wait(JOB_SECONDS)
    watcher.wait(DAY)
    assert (watcher.state, watcher.only_delivery.attempts) == ("failed", ())

    watcher.mock.webhooks.switch(endpoint.id, True)

    watcher.wait(DAY)
    assert receiver.arrived == []


def test_a_webhook_that_is_switched_off_is_not_asked_again(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    receiver.answers = [503]
    watcher.wait(JOB_SECONDS)
    (endpoint,) = watcher.mock.webhooks.endpoints()

    watcher.mock.webhooks.switch(endpoint.id, False)
    watcher.wait(3600)
    assert receiver.answered == [503]

    watcher.mock.webhooks.switch(endpoint.id, True)
    watcher.settle()
    assert receiver.answered == [503, 204]


def test_switching_on_what_is_on_does_not_hasten_anything(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    receiver.answers = [503]
    watcher.wait(JOB_SECONDS)
    (endpoint,) = watcher.mock.webhooks.endpoints()

    watcher.mock.webhooks.switch(endpoint.id, True)

    watcher.settle()
    assert receiver.answered == [503]
    watcher.wait(1)
    assert receiver.answered == [503, 204]


def test_a_delivered_event_can_be_sent_once_more(watcher: Watcher, receiver: Receiver, job: str) -> None:
    watcher.wait(JOB_SECONDS)
    watcher.wait(3600)

    sent = resend(watcher)

    assert [attempt["status"] for attempt in sent["attempts"]] == [204, 204]
    assert sent["state"] == "delivered"
    assert len({each.body for each in receiver.arrived}) == 1
    assert receiver.arrived[1].timestamp == receiver.arrived[0].timestamp + 3600


def test_a_failed_event_can_be_sent_once_more(watcher: Watcher, receiver: Receiver, job: str) -> None:
    receiver.answers = [503, 503, 503]
    watcher.wait(JOB_SECONDS)
    watcher.wait(DAY)
    assert watcher.state == "failed"

    assert resend(watcher)["state"] == "failed"
    assert resend(watcher)["state"] == "delivered"
    assert receiver.answered == [503, 503, 503, 204]


def test_a_delivered_event_stays_delivered_though_it_is_refused_the_second_time(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    watcher.wait(JOB_SECONDS)
    receiver.answers = [503]

    assert resend(watcher)["state"] == "delivered"

    watcher.wait(DAY)
    assert receiver.answered == [204, 503]


def test_a_pending_event_that_is_sent_once_more_and_taken_is_not_tried_again(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    receiver.answers = [503]
    watcher.wait(JOB_SECONDS)

    assert resend(watcher)["state"] == "delivered"

    watcher.wait(DAY)
    assert receiver.answered == [503, 204]


def resend(watcher: Watcher) -> dict[str, Any]:
    answer = watcher.client.post(f"/_mock/deliveries/{watcher.only_delivery.id}/resend")
    assert answer.status_code == 200
    assert answer.json is not None
    return dict(answer.json)


def test_an_event_that_there_is_not_can_not_be_sent_once_more(watcher: Watcher) -> None:
    assert watcher.client.post("/_mock/deliveries/delivery-99/resend").status_code == 404


def test_a_webhook_that_is_removed_is_forgotten_with_its_deliveries(
    watcher: Watcher, receiver: Receiver, job: str
) -> None:
    receiver.answers = [503]
    watcher.wait(JOB_SECONDS)
    (endpoint,) = watcher.mock.webhooks.endpoints()

    assert watcher.client.delete(f"/_mock/webhooks/{endpoint.id}").status_code == 204

    assert (watcher.mock.webhooks.endpoints(), watcher.deliveries()) == ([], [])
    watcher.wait(DAY)
    assert receiver.answered == [503]
    assert watcher.client.delete(f"/_mock/webhooks/{endpoint.id}").status_code == 404


def test_a_removed_webhook_holds_up_no_other(watcher: Watcher, receiver: Receiver, job: str) -> None:
    receiver.answers = [503] * 100
    watcher.wait(JOB_SECONDS)
    (removed,) = watcher.mock.webhooks.endpoints()
    watcher.mock.webhooks.remove(removed.id)
    watcher.register(receiver)

    watcher.wait(DAY)  # what waited for the removed one would be due by now

    assert receiver.answered == [503]


FORGETTING: dict[str, Callable[[Mock, str], object]] = {
    "removed": lambda mock, webhook: mock.webhooks.remove(webhook),
    "switched-off": lambda mock, webhook: mock.webhooks.switch(webhook, False),
    "reset": lambda mock, _: mock.world.reset(mock.world.clock.now()),
}


@pytest.mark.parametrize("forget", FORGETTING.values(), ids=FORGETTING)
def test_what_waits_behind_a_slow_answer_is_not_sent_when_nobody_wants_it_any_more(
    watcher: Watcher, receiver: Receiver, caller: Caller, forget: Callable[[Mock, str], object]
) -> None:
    endpoint = watcher.register(receiver, "image.completed")
    receiver.hang()
    for _ in range(MOST_AT_ONCE + 2):
        caller.create(face())
    watcher.mock.world.clock.advance(JOB_SECONDS)
    receiver.wait(MOST_AT_ONCE)

    forget(watcher.mock, endpoint.id)
    receiver.go_on()

    watcher.settle()
    assert len(receiver.arrived) == MOST_AT_ONCE


def test_a_reset_leaves_the_webhooks_of_the_start_alone(watcher: Watcher, caller: Caller) -> None:
    now = watcher.mock.world.clock.now
    with receiving(now) as initial, receiving(now) as added:
        watcher.mock.webhooks.resume([initial.url], SECRET)
        (at_start,) = watcher.mock.webhooks.endpoints()
        watcher.register(added)
        watcher.mock.webhooks.switch(at_start.id, False)
        caller.create(face())
        watcher.wait(JOB_SECONDS)
        caller.create(face())

        watcher.mock.world.reset(now())

        assert watcher.mock.webhooks.endpoints() == [replace(at_start, since=-inf)]
        assert watcher.deliveries() == []
        assert added.events == ["image.started", "image.completed"]
        watcher.wait(DAY)
        assert initial.arrived == []

        caller.create(face())
        watcher.wait(JOB_SECONDS)
        assert initial.events == ["image.started", "image.completed"]
        assert len(added.arrived) == 2


def test_a_removed_webhook_of_the_start_is_back_after_a_reset(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.mock.webhooks.resume([receiver.url], SECRET)
    watcher.mock.webhooks.remove(watcher.mock.webhooks.endpoints()[0].id)

    watcher.mock.world.reset(watcher.mock.world.clock.now())

    caller.create(face())
    watcher.wait(JOB_SECONDS)
    assert receiver.events == ["image.started", "image.completed"]


# By the control API, as a test of somebody else's uses it.


@pytest.fixture
def control(mock: Mock) -> Iterator[Control]:
    with running(mock) as url:
        yield Control(url)


def test_a_test_registers_lets_time_pass_settles_and_looks(
    control: Control, mock: Mock, receiver: Receiver
) -> None:
    caller = Caller(create_app(mock).test_client(), "any-token")
    webhook = control.webhooks.add(receiver.url, secret=SECRET, events=["image.completed"])
    receiver.answers = [503]
    project_id = caller.create(face())

    control.clock.advance(JOB_SECONDS)
    (pending,) = control.webhooks.settle()
    assert (pending.state, pending.project, pending.webhook) == ("pending", project_id, webhook.id)
    assert pending.next_at is not None

    control.clock.advance(1)
    (delivered,) = control.webhooks.settle()
    assert (delivered.state, delivered.next_at) == ("delivered", None)
    assert [attempt.status for attempt in delivered.attempts] == [503, 204]
    assert delivered.body.encode() == receiver.arrived[0].body == receiver.arrived[1].body
    for attempt, arrived in zip(delivered.attempts, receiver.arrived, strict=True):
        assert attempt.headers.items() <= arrived.headers.items()

    assert control.webhooks.resend(delivered.id).state == "delivered"
    assert control.webhooks.deliveries(project_id)[0].id == delivered.id
    assert control.webhooks.deliveries("another") == []
    control.webhooks.remove(webhook.id)
    assert control.webhooks.all() == []


def test_the_time_that_is_shown_for_something_is_late_enough_for_it(
    control: Control, mock: Mock, receiver: Receiver
) -> None:
    receiver.answers = [503]
    control.webhooks.add(receiver.url, secret=SECRET, events=["image.completed"])
    project_id = Caller(create_app(mock).test_client(), "any-token").create(face())

    finished_at = control.projects.get(project_id).finished_at
    assert finished_at is not None
    control.clock.set(finished_at)
    completed = control.projects.get(project_id).status == "complete"
    (pending,) = control.webhooks.settle()
    assert pending.next_at is not None
    control.clock.set(pending.next_at)
    (delivered,) = control.webhooks.settle()

    assert (completed, delivered.state) == (True, "delivered")


def test_settling_says_so_when_it_takes_too_long(control: Control, mock: Mock, receiver: Receiver) -> None:
    control.webhooks.add(receiver.url, secret=SECRET)
    receiver.hang()
    Caller(create_app(mock).test_client(), "any-token").create(face())
    control.clock.advance(DAY)
    receiver.wait()

    with pytest.raises(ControlError) as refused:
        control.webhooks.settle(timeout=0)

    assert refused.value.status == 409
    receiver.go_on()
    assert [each.state for each in control.webhooks.settle()] == ["delivered", "delivered"]


def test_a_running_clock_delivers_by_itself(store_url: str) -> None:
    settings = Settings(store=store_url, time_scale=0.05)
    with closing(Mock(settings=settings)) as mock, receiving(mock.world.clock.now) as receiver:
        mock.webhooks.register(receiver.url, SECRET)
        Caller(create_app(mock).test_client(), "any-token").create(face())

        receiver.wait(2)

        assert receiver.events == ["image.started", "image.completed"]
