"""The control API's JSON, read into the values of `values.py`."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from .values import (
    Account,
    Attempt,
    Booking,
    ClockState,
    Delivery,
    Entry,
    Fault,
    File,
    Health,
    Item,
    Pictures,
    Process,
    Project,
    Request,
    Response,
    RuleState,
    State,
    Violation,
    Webhook,
)


def time(text: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(text)


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else time(text)


def clock(node: dict[str, Any]) -> ClockState:
    """Read the clock."""
    return ClockState(time(node["now"]), node["epoch"], node["frozen"], node["ahead"])


def state(node: dict[str, Any]) -> State:
    """Read what is running."""
    return State(**{**_fields(State, node), "clock": clock(node["clock"])})


def health(node: dict[str, Any]) -> Health:
    """Read whether it can do its work."""
    read = {"process": _process(node["process"]), "processes": [*map(_process, node["processes"])]}
    return Health(**{**_fields(Health, node), **read})


def _process(node: dict[str, Any]) -> Process:
    return Process(**_fields(Process, node))


def account(node: dict[str, Any]) -> dict[str, Any]:
    """Read an account's fields."""
    return _fields(Account, node)


def booking(node: dict[str, Any]) -> Booking:
    """Read an entry of a ledger."""
    return Booking(**{**_fields(Booking, node), "at": time(node["at"])})


def item(node: dict[str, Any]) -> Item:
    """Read an item."""
    return Item(**{**_fields(Item, node), "created_at": time(node["created_at"])})


def project(node: dict[str, Any]) -> Project:
    """Read a project."""
    plain = _fields(Project, node)
    times = {name: _time_or_none(node[name]) for name in ("finished_at", "deleted_at")}
    before, after = (
        tuple(File(**_fields(File, file)) for file in node["pictures"][which])
        for which in ("before", "after")
    )
    return Project(**{**plain, **times, "pictures": Pictures(before, after)})


def rule(node: dict[str, Any]) -> RuleState:
    """Read a rule."""
    return RuleState(**_fields(RuleState, node))


def rules(node: dict[str, Any]) -> list[RuleState]:
    """Read rules."""
    return [rule(each) for each in node["rules"]]


def webhook(node: dict[str, Any]) -> Webhook:
    """Read a webhook."""
    return Webhook(**{**_fields(Webhook, node), "events": tuple(node["events"])})


def delivery(node: dict[str, Any]) -> Delivery:
    """Read a delivery."""
    attempts = tuple(
        Attempt(**{**_fields(Attempt, attempt), "at": time(attempt["at"])}) for attempt in node["attempts"]
    )
    plain = _fields(Delivery, node)
    return Delivery(**{**plain, "next_at": _time_or_none(node["next_at"]), "attempts": attempts})


def deliveries(node: dict[str, Any]) -> list[Delivery]:
    """Read deliveries."""
    return [delivery(each) for each in node["deliveries"]]


def entry(node: dict[str, Any]) -> Entry:
    """Read an entry of the journal."""
    return Entry(
        **{
            **_fields(Entry, node),
            "at": time(node["at"]),
            "request": Request(**_message(Request, node["request"])),
            "response": Response(**_message(Response, node["response"])),
            "faults": tuple(Fault(**_fields(Fault, fault)) for fault in node["faults"]),
            "warnings": tuple(node["warnings"]),
            "broken": tuple(Violation(**_fields(Violation, broken)) for broken in node.get("broken", ())),
            "remarks": tuple(node.get("remarks", ())),
            "process": _process(node["process"]) if "process" in node else None,
        }
    )


def _message(kind: type[Any], node: dict[str, Any]) -> dict[str, Any]:
    return {**_fields(kind, node), "headers": tuple((name, value) for name, value in node["headers"])}


def _fields(kind: type[Any], node: dict[str, Any]) -> dict[str, Any]:
    """What of a node a dataclass of that kind holds; a newer mock may say more."""
    return {field.name: node[field.name] for field in fields(kind) if field.name in node}
