"""A client of a running mock's control API, for tests and scripts: `Control("http://127.0.0.1:4010")`.

It needs the standard library alone, and imports quickly. The fields are those of `control.yaml` beside it.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, Unpack
from urllib.parse import SplitResult, quote, urlencode, urlsplit

_PATIENCE = 60.0
"""Seconds that an answer may take, beside the time that the caller asks the mock to wait."""

_MOST = 10_000
"""The highest `limit` that the control API takes."""

Time = datetime | float | str
"""A point in time: a datetime with an offset, seconds since the epoch, or ISO 8601 with an offset."""


class ControlError(Exception):
    """The control API refused a call, or did not answer at all.

    Attributes:
        status: the answer's status; None where there was no answer.
        code: what went wrong, for programs: the answer's `code`, or `unreachable`, `timeout`, `not_a_mock`.
        message: what went wrong and what to change, for people.
    """

    def __init__(self, status: int | None, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """Return the message alone."""
        return self.message


# What is sent.


class Match(TypedDict, total=False):
    """Which requests a rule is for; every field that is given must fit, and none fits all."""

    operation: str
    token: str
    body: Mapping[str, Any]
    nth: int | Sequence[int]
    probability: float
    seed: int


class ForcedAnswer(TypedDict):
    """What a rule answers in place of the operation."""

    status: int
    body: NotRequired[Any]
    headers: NotRequired[Mapping[str, str]]
    retry_after: NotRequired[int]


class Rule(TypedDict, total=False):
    """When a request fits `match`, something happens: an `answer`, a `delay`, a `fault` or a `job`'s end."""

    name: str
    enabled: bool
    match: Match
    times: int
    answer: ForcedAnswer
    delay: float
    fault: Literal[
        "drop",
        "cut",
        "malformed_json",
        "empty_body",
        "html",
        "wrong_content_type",
        "no_content_type",
        "slow_drip",
    ]
    drip_seconds: float
    carry_out: bool
    job: str


class Filters(TypedDict, total=False):
    """Which entries of the journal; every filter that is given must fit."""

    operation: str | None
    method: str | None
    path: str | None
    status: int | str | None
    account: str | None
    token: str | None
    project: str | None
    faulty: bool | None
    warned: bool | None
    after: int | None
    limit: int


# What comes back.


@dataclass(frozen=True, slots=True)
class ClockState:
    """What time it is for the mock.

    Attributes:
        now: the time, in UTC.
        epoch: the same in seconds since the epoch.
        frozen: whether it stands still.
        ahead: seconds that it is ahead of the system's clock; negative where it is behind.
    """

    now: datetime
    epoch: float
    frozen: bool
    ahead: float


@dataclass(frozen=True, slots=True)
class State:
    """What is running, in numbers.

    Attributes:
        title: of the contract that is mocked.
        version: Bluehour's.
        clock: what time it is for the mock.
        settings: how the mock was started.
        accounts, projects, rules, webhooks, journal: how many there are; of rules, those that are on.
        contract: what a rule or an account can name: `operations`, `job_errors`, `plans`, `events`.
        links: where the documentation, the contract and this API's own description are.
    """

    title: str
    version: str
    clock: ClockState
    settings: Mapping[str, Any]
    accounts: int
    projects: int
    rules: int
    webhooks: int
    journal: int
    contract: Mapping[str, Any]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its id, its token (shortened, or None), its plan, and the credits that it has left."""

    id: str
    token: str | None
    plan: str
    credits: int


@dataclass(frozen=True, slots=True)
class Booking:
    """One entry of a ledger: credits given (positive) or charged (negative), and what was left then."""

    at: datetime
    amount: int
    project: str | None
    balance: int


@dataclass(frozen=True, slots=True)
class AccountWithLedger(Account):
    """An account with every charge, refund and gift, by time."""

    ledger: tuple[Booking, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Paths of a project's pictures at the mock; None where there is none (yet)."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Project:
    """An image project.

    Attributes:
        project: what the API answers to a GET of it.
        account: the id of its account.
        operation: the id of the operation that created it.
        plan: the account's plan then.
        outcome: what it ends in: `complete`, `canceled`, or a job error's code.
        finished_at: when it ends or ended; None for never.
        deleted_at: when it was deleted, if it was.
        request: the request that created it.
        pictures: where its pictures are.
    """

    project: Mapping[str, Any]
    account: str
    operation: str
    plan: str
    outcome: str
    finished_at: datetime | None
    deleted_at: datetime | None
    request: Any
    pictures: Pictures

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.project["id"])

    @property
    def status(self) -> str:
        """Its status when it was read: `queued`, `rendering`, `complete`, `error` or `canceled`."""
        return str(self.project["status"])

    @property
    def credits_charged(self) -> int:
        """What it cost when it was read; nothing after a refund."""
        return int(self.project["credits_charged"])


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule at the mock.

    Attributes:
        id: its id, to switch or remove it.
        rule: the rule as it was given.
        enabled: whether it is on.
        fitted: how many requests fitted its operation, token and body.
        acted: how often it acted.
    """

    id: str
    rule: Mapping[str, Any]
    enabled: bool
    fitted: int
    acted: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registered webhook. Its secret is whole where it was just added, and shortened afterwards."""

    id: str
    url: str
    secret: str
    events: tuple[str, ...]
    enabled: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver an event.

    Attributes:
        at: when, by the mock's clock.
        headers: the headers that were sent, the signature among them.
        status: the receiver's answer; None where there was none.
        problem: why it does not count as delivered; None where it does.
        ms: how long the receiver took.
    """

    at: datetime
    headers: Mapping[str, str]
    status: int | None
    problem: str | None
    ms: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a webhook.

    Attributes:
        id: its id, to send it once more.
        webhook: the webhook's id.
        url: where it goes.
        event: such as `image.completed`.
        project: the id of the project.
        state: `pending`, `delivered` or `failed`.
        body: exactly as it is sent.
        next_at: when it is tried next; None if never.
        attempts: every try so far.
    """

    id: str
    webhook: str
    url: str
    event: str
    project: str
    state: str
    body: str
    next_at: datetime | None
    attempts: tuple[Attempt, ...]

    @property
    def json(self) -> Any:
        """The body as it reads: the event, with its `type` and its `payload`."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class _Message:
    headers: tuple[tuple[str, str], ...]
    body: str | None
    size: int

    def header(self, name: str) -> str | None:
        """Return a header's value, whatever the case of its name; None where it was not sent."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    @property
    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is no JSON, or it was not kept.
        """
        if self.body is None:
            raise ValueError(f"the journal did not keep this body of {self.size:,} bytes")
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Request(_Message):
    """What a client sent; `body` is None where it was not kept (binary, or large), `size` is in bytes."""

    method: str
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class Response(_Message):
    """What it got; `body` is None where it was not kept (binary, or large), `size` is in bytes."""

    status: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What of a request breaks the contract: a field or a part of it, and a sentence."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One request in the journal, and what became of it.

    Attributes:
        id: its number.
        at: when it came, by the mock's clock.
        ms: how long the mock took, in milliseconds, without forced delays.
        operation: the operation's id, `upload` or `download`; None where no operation has this path.
        account: the id of the caller's account.
        request: what was sent.
        response: what was answered.
        credits: what the account got (positive) or was charged (negative).
        project: the id of the project that it was about.
        forced: what was forced, and by what.
        faults: what of the request breaks the contract; none for a legal one.
        warnings: what is legal, and still unlikely to be meant.
    """

    id: int
    at: datetime
    ms: float
    operation: str | None
    account: str | None
    request: Request
    response: Response
    credits: int
    project: str | None
    forced: str | None
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


# The client.


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
        wire = _Wire(url, token)
        self._wire = wire
        self.clock = ClockControl(wire)
        self.accounts = AccountsControl(wire)
        self.projects = ProjectsControl(wire)
        self.rules = RulesControl(wire)
        self.webhooks = WebhooksControl(wire)
        self.journal = JournalControl(wire)

    @property
    def url(self) -> str:
        """The mock's base URL."""
        return self._wire.url

    def state(self) -> State:
        """Return what is running, in numbers."""
        return _state(self._wire.call("GET", "/_mock/state"))

    def reset(self, clock: Time | None = None) -> State:
        """Begin anew: forget accounts, projects, uploads, the journal, and added rules and webhooks.

        Args:
            clock: where the clock is to stand still, the past included; without it, it runs with the
                system's.
        """
        body = {} if clock is None else {"clock": _sent_time(clock)}
        return _state(self._wire.call("POST", "/_mock/reset", body))


class ClockControl:
    """The mock's clock, which statuses, refunds, link expiry and webhooks follow. It never goes back."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    @property
    def now(self) -> datetime:
        """What time it is for the mock."""
        return self.state().now

    def state(self) -> ClockState:
        """Return the time, and whether it stands still."""
        return _clock(self._wire.call("GET", "/_mock/clock"))

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
        return _clock(self._wire.call("POST", "/_mock/clock", fields))


class AccountsControl:
    """The accounts that have called, or were opened here."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def all(self) -> list[Account]:
        """Return all accounts, the first one first."""
        return [Account(**_account(node)) for node in self._wire.call("GET", "/_mock/accounts")["accounts"]]

    def set(self, token: str, *, credits: int | None = None, plan: str | None = None) -> Account:
        """Open an account by its bearer token, or change it; what is not given stays as it is."""
        body = {"token": token, **_given(credits=credits, plan=plan)}
        return Account(**_account(self._wire.call("POST", "/_mock/accounts", body)))

    def get(self, id: str) -> AccountWithLedger:
        """Return an account with its ledger."""
        node = self._wire.call("GET", f"/_mock/accounts/{_part(id)}")
        ledger = tuple(
            Booking(_time(entry["at"]), entry["amount"], entry["project"], entry["balance"])
            for entry in node["ledger"]
        )
        return AccountWithLedger(**_account(node), ledger=ledger)

    def change(self, id: str, *, credits: int | None = None, plan: str | None = None) -> Account:
        """Change an account's credits or plan."""
        body = _given(credits=credits, plan=plan)
        return Account(**_account(self._wire.call("PATCH", f"/_mock/accounts/{_part(id)}", body)))


class ProjectsControl:
    """The image projects of all accounts."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def all(self, *, account: str | None = None, limit: int = _MOST) -> list[Project]:
        """Return projects, newest first; of one account where its id is given."""
        query = _given(account=account, limit=limit)
        return [_project(node) for node in self._wire.call("GET", "/_mock/projects", query=query)["projects"]]

    def get(self, id: str) -> Project:
        """Return one project as it is now."""
        return _project(self._wire.call("GET", f"/_mock/projects/{_part(id)}"))

    def end(self, id: str, outcome: str = "complete") -> Project:
        """End an unfinished project now.

        Args:
            id: the project's id.
            outcome: `complete`, `canceled`, or the code of a job error, documented or not.
        """
        body = {"outcome": outcome}
        return _project(self._wire.call("POST", f"/_mock/projects/{_part(id)}/outcome", body))

    def cancel(self, id: str) -> Project:
        """Cancel an unfinished project now, as the vendor's web app can."""
        return self.end(id, "canceled")

    def picture(self, id: str, which: Literal["before", "after"] = "after") -> bytes:
        """Return the bytes of a project's picture, before or after the edit."""
        return self._wire.read(f"/_mock/projects/{_part(id)}/pictures/{which}")


class RulesControl:
    """What is forced on clients. Rules are asked in order, and the first one that fits acts alone."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def all(self) -> list[RuleState]:
        """Return the rules in the order in which they are asked."""
        return _rules(self._wire.call("GET", "/_mock/rules"))

    def add(self, rule: Rule | Mapping[str, Any] | None = None, /, **fields: Unpack[Rule]) -> RuleState:
        """Add a rule behind the others, given whole or field by field.

        For example `rules.add(match={"operation": "upload"}, answer={"status": 503}, times=1)`.
        """
        return _rule(self._wire.call("POST", "/_mock/rules", {**(rule or {}), **fields}))

    def replace(self, rules: Iterable[Rule | Mapping[str, Any]]) -> list[RuleState]:
        """Put these rules in place of all that there are."""
        return _rules(self._wire.call("PUT", "/_mock/rules", {"rules": [dict(rule) for rule in rules]}))

    def switch(self, id: str, on: bool) -> RuleState:
        """Switch a rule on or off; switched on, it counts from the start again."""
        return _rule(self._wire.call("PATCH", f"/_mock/rules/{_part(id)}", {"enabled": on}))

    def remove(self, id: str) -> None:
        """Remove a rule."""
        self._wire.call("DELETE", f"/_mock/rules/{_part(id)}")

    def clear(self) -> None:
        """Remove all rules."""
        self._wire.call("DELETE", "/_mock/rules")


class WebhooksControl:
    """Who is told of a project's events, and what became of telling them."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def all(self) -> list[Webhook]:
        """Return the registered webhooks, their secrets shortened."""
        return [_webhook(node) for node in self._wire.call("GET", "/_mock/webhooks")["webhooks"]]

    def add(self, url: str, *, secret: str | None = None, events: Iterable[str] | None = None) -> Webhook:
        """Register a webhook.

        Args:
            url: where events are sent.
            secret: what they are signed with; made up where none is given, and whole in what comes back.
            events: such as `image.completed`; all of them where none are given.
        """
        body = {"url": url, **_given(secret=secret, events=None if events is None else list(events))}
        return _webhook(self._wire.call("POST", "/_mock/webhooks", body))

    def switch(self, id: str, on: bool) -> Webhook:
        """Switch a webhook on or off; while it is off its events wait."""
        return _webhook(self._wire.call("PATCH", f"/_mock/webhooks/{_part(id)}", {"enabled": on}))

    def remove(self, id: str) -> None:
        """Remove a webhook, and the deliveries that wait for it."""
        self._wire.call("DELETE", f"/_mock/webhooks/{_part(id)}")

    def deliveries(self, project: str | None = None, *, limit: int = _MOST) -> list[Delivery]:
        """Return deliveries, newest first; of one project where its id is given."""
        query = _given(project=project, limit=limit)
        return _deliveries(self._wire.call("GET", "/_mock/deliveries", query=query))

    def settle(self, timeout: float = 15) -> list[Delivery]:
        """Wait until every event and retry that is due by the mock's clock was sent and answered.

        Args:
            timeout: how many real seconds that may take; `ControlError` 409 if it takes longer.
        """
        answer = self._wire.call("POST", "/_mock/deliveries/settle", {"timeout": timeout}, waits=timeout)
        return _deliveries(answer)

    def resend(self, id: str) -> Delivery:
        """Send a delivery once more, now."""
        return _delivery(self._wire.call("POST", f"/_mock/deliveries/{_part(id)}/resend"))


class JournalControl:
    """What clients sent and got."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def entries(self, **filters: Unpack[Filters]) -> list[Entry]:
        """Return entries, oldest first; of many the last ones, 10,000 unless `limit` says otherwise.

        For example `journal.entries(status="4xx", path="/v1/*")` or `journal.entries(faulty=True)`.
        """
        return [_entry(node) for node in self._wire.call("GET", "/_mock/journal", query=filters)["entries"]]

    def entry(self, id: int) -> Entry:
        """Return one entry."""
        return _entry(self._wire.call("GET", f"/_mock/journal/{id}"))

    def har(self, **filters: Unpack[Filters]) -> dict[str, Any]:
        """Return entries as an HTTP archive (HAR 1.2), for browsers' developer tools and others."""
        archive: dict[str, Any] = self._wire.call("GET", "/_mock/journal.har", query=filters)
        return archive

    def clear(self) -> None:
        """Empty the journal."""
        self._wire.call("DELETE", "/_mock/journal")


# How it is sent.


class _Wire:
    """Requests to one mock, each on a connection of its own; no proxy is asked."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self._parts = _address(url)
        self._headers = {"Accept": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        waits: float = 0,
    ) -> Any:
        """Return an answer's JSON; None where it has no body."""
        if query is not None:
            path = _with_query(path, query)
        status, content = self._answer(method, path, body, waits)
        try:
            answer = json.loads(content) if content else None
        except ValueError:
            raise self._stranger(status) from None
        if status < 300:
            return answer
        raise self._refused(status, answer)

    def read(self, path: str) -> bytes:
        """Return an answer's bytes."""
        status, content = self._answer("GET", path, None, 0)
        if status < 300:
            return content
        try:
            raise self._refused(status, json.loads(content))
        except ValueError:
            raise self._stranger(status) from None

    def _answer(self, method: str, path: str, body: Any, waits: float) -> tuple[int, bytes]:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        patience = _PATIENCE + waits
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=patience)
        sent, headers = None, dict(self._headers)
        if body is not None:
            sent, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, sent, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            raise ControlError(
                None, "timeout", f"{self.url} did not answer within {patience:g} seconds"
            ) from None
        except ConnectionRefusedError:
            raise ControlError(
                None,
                "unreachable",
                f"Nothing listens at {self.url}: start a mock there (`bluehour serve`), or correct the URL",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise ControlError(None, "unreachable", f"{self.url} can't be reached: {reason}") from error
        finally:
            connection.close()

    def _refused(self, status: int, answer: Any) -> ControlError:
        if isinstance(answer, dict) and {"code", "message"} <= answer.keys():
            return ControlError(status, str(answer["code"]), str(answer["message"]))
        return self._stranger(status)

    def _stranger(self, status: int) -> ControlError:
        return ControlError(
            status,
            "not_a_mock",
            f"{self.url} answered {status}, but not as a mock's control API does; is Bluehour there?",
        )


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # of a port or an IPv6 address that is none
        pass
    raise ValueError(f"{url!r} is no address of a mock; one is http://127.0.0.1:4010")


def _with_query(path: str, query: Mapping[str, Any]) -> str:
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in {"limit": _MOST, **query}.items()
        if value is not None
    }
    return f"{path}?{urlencode(given)}"


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


# How it is read.


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else _time(text)


def _clock(node: dict[str, Any]) -> ClockState:
    return ClockState(_time(node["now"]), node["epoch"], node["frozen"], node["ahead"])


def _state(node: dict[str, Any]) -> State:
    return State(**{**_fields(State, node), "clock": _clock(node["clock"])})


def _account(node: dict[str, Any]) -> dict[str, Any]:
    return _fields(Account, node)


def _project(node: dict[str, Any]) -> Project:
    plain = _fields(Project, node)
    times = {name: _time_or_none(node[name]) for name in ("finished_at", "deleted_at")}
    return Project(**{**plain, **times, "pictures": Pictures(**_fields(Pictures, node["pictures"]))})


def _rule(node: dict[str, Any]) -> RuleState:
    return RuleState(**_fields(RuleState, node))


def _rules(node: dict[str, Any]) -> list[RuleState]:
    return [_rule(rule) for rule in node["rules"]]


def _webhook(node: dict[str, Any]) -> Webhook:
    return Webhook(**{**_fields(Webhook, node), "events": tuple(node["events"])})


def _delivery(node: dict[str, Any]) -> Delivery:
    attempts = tuple(
        Attempt(**{**_fields(Attempt, attempt), "at": _time(attempt["at"])}) for attempt in node["attempts"]
    )
    plain = _fields(Delivery, node)
    return Delivery(**{**plain, "next_at": _time_or_none(node["next_at"]), "attempts": attempts})


def _deliveries(node: dict[str, Any]) -> list[Delivery]:
    return [_delivery(delivery) for delivery in node["deliveries"]]


def _entry(node: dict[str, Any]) -> Entry:
    return Entry(
        **{
            **_fields(Entry, node),
            "at": _time(node["at"]),
            "request": Request(**_message(Request, node["request"])),
            "response": Response(**_message(Response, node["response"])),
            "faults": tuple(Fault(**_fields(Fault, fault)) for fault in node["faults"]),
            "warnings": tuple(node["warnings"]),
        }
    )


def _message(kind: type[Any], node: dict[str, Any]) -> dict[str, Any]:
    return {**_fields(kind, node), "headers": tuple((name, value) for name, value in node["headers"])}


def _fields(kind: type[Any], node: dict[str, Any]) -> dict[str, Any]:
    """What of a node a dataclass of that kind holds; a newer mock may say more."""
    return {field.name: node[field.name] for field in fields(kind) if field.name in node}
