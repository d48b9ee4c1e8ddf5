"""The client itself: a part for each part of the control API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Unpack
from urllib.parse import quote

from . import reading
from .values import (
    Account,
    AccountWithLedger,
    ClockState,
    Delivery,
    Entry,
    Filters,
    Health,
    Item,
    Project,
    Rule,
    RuleState,
    State,
    Time,
    Webhook,
)
from .wire import MOST, Wire


class Control:
    """The control API of a running mock. Every call is one request; use it from any thread.

    Args:
        url: the mock's base URL, such as `http://127.0.0.1:4010`.
        token: what the mock was started with as `--control-token`, if it was.

    Raises:
        ValueError: `url` is no http URL.

    Every method raises `ControlError` where the mock refuses the call or does not answer.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        wire = Wire(url, token)
        self._wire = wire
        self.clock = ClockControl(wire)
        self.accounts = AccountsControl(wire)
        self.projects = ProjectsControl(wire)
        self.items = ItemsControl(wire)
        self.rules = RulesControl(wire)
        self.webhooks = WebhooksControl(wire)
        self.journal = JournalControl(wire)

    @property
    def url(self) -> str:
        """The mock's base URL."""
        return self._wire.url

    def state(self) -> State:
        """Return what is running, in numbers."""
        return reading.state(self._wire.call("GET", "/_mock/state"))

    def health(self) -> Health:
        """Return whether the mock can do its work; one that can't is an answer, too, and no error."""
        return reading.health(self._wire.call("GET", "/_mock/health", also=(503,)))

    def metrics(self) -> str:
        """Return the mock's figures in Prometheus' text format; it needs the extra `metrics`."""
        return self._wire.read("/_mock/metrics").decode()

    def reset(self, clock: Time | None = None) -> State:
        """Begin anew: forget accounts, projects, uploads, the journal, and added rules and webhooks.

        Args:
            clock: where the clock is to stand still, the past included; without it, it runs with the
                system's.
        """
        body = {} if clock is None else {"clock": _sent_time(clock)}
        return reading.state(self._wire.call("POST", "/_mock/reset", body))


class ClockControl:
    """The mock's clock, which statuses, refunds, link expiry and webhooks follow. It never goes back."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @property
    def now(self) -> datetime:
        """What time it is for the mock."""
        return self.state().now

    def state(self) -> ClockState:
        """Return the time, and whether it stands still."""
        return reading.clock(self._wire.call("GET", "/_mock/clock"))

    def freeze(self) -> ClockState:
        """Stop the clock; from here on only `advance` and `set` move it."""
        return self._change(frozen=True)

    def run(self) -> ClockState:
        """Let the clock run on from where it stands."""
        return self._change(frozen=False)

    def advance(self, seconds: float) -> ClockState:
        """Jump forward, frozen or not."""
        return self._change(advance=seconds)

    def set(self, time: Time) -> ClockState:
        """Jump to a time that is not in the past; `Control.reset` can go there."""
        return self._change(set=_sent_time(time))

    def _change(self, **fields: Any) -> ClockState:
        return reading.clock(self._wire.call("POST", "/_mock/clock", fields))


class AccountsControl:
    """The accounts that have called, or were opened here."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def all(self, *, limit: int = MOST) -> list[Account]:
        """Return accounts, the first one first; at most the last so many."""
        nodes = self._wire.call("GET", "/_mock/accounts", query={"limit": limit})["accounts"]
        return [Account(**reading.account(node)) for node in nodes]

    def set(self, token: str, *, credits: int | None = None, plan: str | None = None) -> Account:
        """Open an account by its bearer token, or change it; what is not given stays as it is."""
        body = {"token": token, **_given(credits=credits, plan=plan)}
        return Account(**reading.account(self._wire.call("POST", "/_mock/accounts", body)))

    def get(self, id: str, *, limit: int = MOST) -> AccountWithLedger:
        """Return an account with its ledger; at most the last so many entries."""
        node = self._wire.call("GET", f"/_mock/accounts/{_part(id)}", query={"limit": limit})
        ledger = tuple(map(reading.booking, node["ledger"]))
        return AccountWithLedger(**reading.account(node), ledger=ledger)

    def change(self, id: str, *, credits: int | None = None, plan: str | None = None) -> Account:
        """Change an account's credits or plan."""
        body = _given(credits=credits, plan=plan)
        return Account(**reading.account(self._wire.call("PATCH", f"/_mock/accounts/{_part(id)}", body)))


class ItemsControl:
    """What another contract's operations have made."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def all(self, *, limit: int = MOST) -> list[Item]:
        """Return items, newest first."""
        found = self._wire.call("GET", "/_mock/items", query=_given(limit=limit))
        return [reading.item(node) for node in found["items"]]


class ProjectsControl:
    """The projects of all accounts."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def all(self, *, account: str | None = None, limit: int = MOST) -> list[Project]:
        """Return projects, newest first; of one account where its id is given."""
        query = _given(account=account, limit=limit)
        return [
            reading.project(node)
            for node in self._wire.call("GET", "/_mock/projects", query=query)["projects"]
        ]

    def get(self, id: str) -> Project:
        """Return one project as it is now."""
        return reading.project(self._wire.call("GET", f"/_mock/projects/{_part(id)}"))

    def end(self, id: str, outcome: str = "complete") -> Project:
        """End an unfinished project now.

        Args:
            id: the project's id.
            outcome: `complete`, `canceled`, or the code of a job error, documented or not.
        """
        body = {"outcome": outcome}
        return reading.project(self._wire.call("POST", f"/_mock/projects/{_part(id)}/outcome", body))

    def cancel(self, id: str) -> Project:
        """Cancel an unfinished project now, as the vendor's web app can."""
        return self.end(id, "canceled")

    def picture(self, id: str, which: Literal["before", "after"] = "after", number: int = 1) -> bytes:
        """Return the bytes of one of a project's files.

        Args:
            id: the project's id.
            which: what it is made of, or what it has made.
            number: which of several, from 1.
        """
        return self._wire.read(f"/_mock/projects/{_part(id)}/pictures/{which}?number={number}")


class RulesControl:
    """What is forced on clients. Rules are asked in order, and the first one that fits acts alone."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def all(self) -> list[RuleState]:
        """Return the rules in the order in which they are asked."""
        return reading.rules(self._wire.call("GET", "/_mock/rules"))

    def add(self, rule: Rule | Mapping[str, Any] | None = None, /, **fields: Unpack[Rule]) -> RuleState:
        """Add a rule behind the others, given whole or field by field.

        For example `rules.add(match={"operation": "upload"}, answer={"status": 503}, times=1)`.
        """
        return reading.rule(self._wire.call("POST", "/_mock/rules", {**(rule or {}), **fields}))

    def replace(self, rules: Iterable[Rule | Mapping[str, Any]]) -> list[RuleState]:
        """Put these rules in place of all that there are."""
        return reading.rules(
            self._wire.call("PUT", "/_mock/rules", {"rules": [dict(rule) for rule in rules]})
        )

    def switch(self, id: str, on: bool) -> RuleState:
        """Switch a rule on or off; switched on, it counts from the start again."""
        return reading.rule(self._wire.call("PATCH", f"/_mock/rules/{_part(id)}", {"enabled": on}))

    def remove(self, id: str) -> None:
        """Remove a rule."""
        self._wire.call("DELETE", f"/_mock/rules/{_part(id)}")

    def clear(self) -> None:
        """Remove all rules."""
        self._wire.call("DELETE", "/_mock/rules")


class WebhooksControl:
    """Who is told of a project's events, and what became of telling them."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def all(self) -> list[Webhook]:
        """Return the registered webhooks, their secrets shortened."""
        return [reading.webhook(node) for node in self._wire.call("GET", "/_mock/webhooks")["webhooks"]]

    @property
    def dropped(self) -> int:
        """How many deliveries waited for a webhook that a later start did not give again."""
        dropped: int = self._wire.call("GET", "/_mock/webhooks")["dropped"]
        return dropped

    def add(self, url: str, *, secret: str | None = None, events: Iterable[str] | None = None) -> Webhook:
        """Register a webhook.

        Args:
            url: where events are sent.
            secret: what they are signed with; made up where none is given, and whole in what comes back.
            events: such as `image.completed`; all of them where none are given.
        """
        body = {"url": url, **_given(secret=secret, events=None if events is None else list(events))}
        return reading.webhook(self._wire.call("POST", "/_mock/webhooks", body))

    def switch(self, id: str, on: bool) -> Webhook:
        """Switch a webhook on or off; while it is off its events wait."""
        return reading.webhook(self._wire.call("PATCH", f"/_mock/webhooks/{_part(id)}", {"enabled": on}))

    def remove(self, id: str) -> None:
        """Remove a webhook, and the deliveries that wait for it."""
        self._wire.call("DELETE", f"/_mock/webhooks/{_part(id)}")

    def deliveries(self, project: str | None = None, *, limit: int = MOST) -> list[Delivery]:
        """Return deliveries, newest first; of one project where its id is given."""
        query = _given(project=project, limit=limit)
        return reading.deliveries(self._wire.call("GET", "/_mock/deliveries", query=query))

    def settle(self, timeout: float = 15) -> list[Delivery]:
        """Wait until no picture is being made, and every event due by the mock's clock was sent and answered.

        Args:
            timeout: how many real seconds that may take; `ControlError` 409 if it takes longer.
        """
        answer = self._wire.call("POST", "/_mock/deliveries/settle", {"timeout": timeout}, waits=timeout)
        return reading.deliveries(answer)

    def resend(self, id: str) -> Delivery:
        """Send a delivery once more, now."""
        return reading.delivery(self._wire.call("POST", f"/_mock/deliveries/{_part(id)}/resend"))


class JournalControl:
    """What clients sent and got."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def entries(self, **filters: Unpack[Filters]) -> list[Entry]:
        """Return entries, oldest first; of many the last ones, 10,000 unless `limit` says otherwise.

        For example `journal.entries(status="4xx", path="/v1/*")` or `journal.entries(faulty=True)`.
        """
        return [
            reading.entry(node) for node in self._wire.call("GET", "/_mock/journal", query=filters)["entries"]
        ]

    def entry(self, id: int) -> Entry:
        """Return one entry."""
        return reading.entry(self._wire.call("GET", f"/_mock/journal/{id}"))

    def har(self, **filters: Unpack[Filters]) -> dict[str, Any]:
        """Return entries as an HTTP archive (HAR 1.2), for browsers' developer tools and others."""
        archive: dict[str, Any] = self._wire.call("GET", "/_mock/journal.har", query=filters)
        return archive

    def clear(self) -> None:
        """Empty the journal."""
        self._wire.call("DELETE", "/_mock/journal")


def _part(id: str) -> str:
    return quote(id, safe="")


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _sent_time(time: Time) -> float | str:
    if not isinstance(time, datetime):
        return time
    if time.utcoffset() is None:
        raise ValueError(f"{time!r} names no time without an offset; add tzinfo=timezone.utc")
    return time.isoformat()
