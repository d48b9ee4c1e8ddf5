"""The command `bluehour trigger`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from . import Problem
from .remote import Remote, tell, with_control

if TYPE_CHECKING:
    from urllib.error import HTTPError

    from bluehour.openapi.model import Operation

    from ..control.client import Control, Delivery

_PATIENCE = 60.0
"""Seconds that a job may take to begin, and its deliveries to be over."""

_PAUSE = 0.1


@click.command(cls=Remote)
@click.argument("event")
@click.option("--token", default="any-token", show_default=True, help="Whose job it is, and who pays for it.")
@with_control
def trigger(control: Control, event: str, token: str, as_json: bool) -> None:
    """Have a running mock send EVENT, such as image.completed, to its webhooks.

    A job is created by the published example of the cheapest operation, and ended as the event says: the
    receiver gets what a real job brings, with a project that can be read.

    Exit codes: 0 done, 2 it can't be done (one line says why).
    """
    from ..control.client import ControlError

    kind, _, moment = event.partition(".")
    state = control.state()
    events = state.contract["events"]
    if event not in events:
        there_are = f"; there are {', '.join(events)}" if events else ": its contract has none"
        raise Problem(f"{state.title} has no event {event}{there_are}")
    if not control.webhooks.all():
        raise Problem(f"no webhook is registered at {control.url}: start it with --webhook URL, or add one")
    operation = _cheapest(control.url, kind)
    outcome = state.contract["job_errors"][0] if moment == "errored" else "complete"
    rule = control.rules.add(match={"operation": operation.id, "token": token}, times=1, job=outcome)
    try:
        project = _created(control.url, operation, token)
    finally:
        control.rules.remove(rule.id)
    if moment != "started":
        with suppress(ControlError):  # it has ended already, as it was to
            control.projects.end(project, outcome)
    deliveries = _delivered(control, project, event)
    tell(deliveries, _line, as_json=as_json)


def _cheapest(url: str, kind: str) -> Operation:
    """Return the operation that makes jobs of a kind, such as `image`, for the fewest credits."""
    from bluehour.openapi.contract import load
    from bluehour.openapi.terms import usual_price

    makes = [each for each in load(f"{url}/openapi.json").operations if each.takes_credits]
    fitting = [each for each in makes if each.project_kind == kind]
    if not fitting:
        raise Problem(f"no operation of {url} makes a job of the kind {kind}")
    return min(fitting, key=usual_price)


def _created(url: str, operation: Operation, token: str) -> str:
    """Create a job, and return its id."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from bluehour.openapi.writing import shortest_example

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps(shortest_example(operation.json_body)).encode()
    target = url + operation.path
    request = Request(target, body, headers)  # noqa: S310 - `Control` has seen that it is http
    try:
        with urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - likewise
            return str(json.load(answer)["id"])
    except HTTPError as error:
        raise Problem(f"POST {operation.path} was refused with {error.code}: {_message(error)}") from error
    except OSError as error:
        raise Problem(f"{url} can't be reached: {error}") from error


def _message(error: HTTPError) -> str:
    try:
        answer: Mapping[str, Any] = json.load(error)
        return str(answer["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _delivered(control: Control, project: str, event: str) -> list[Delivery]:
    """Wait until the event has gone to every webhook that wants it, and return what became of it."""
    give_up_at = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up_at:
        control.webhooks.settle(1)
        sent = [each for each in control.webhooks.deliveries(project) if each.event == event]
        if sent and all(each.attempts for each in sent):
            return sent
        time.sleep(_PAUSE)
    why = "is the clock frozen, or --time-scale 0?"
    raise Problem(f"{event} of {project} was not sent within {_PATIENCE:.0f} seconds; {why}")


def _line(delivery: Delivery) -> tuple[str, ...]:
    last = delivery.attempts[-1]
    return delivery.event, delivery.project, delivery.url, last.problem or f"{last.status}"
