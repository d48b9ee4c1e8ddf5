"""What the control client sends and gets back, as values; the fields are those of `control.yaml`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from ...api.faults import Fault as FaultName

Time = datetime | float | str
"""A point in time: a datetime with an offset, seconds since the epoch, or ISO 8601 with an offset."""


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
    fault: FaultName
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
    broken: bool | None
    after: int | None
    limit: int


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
        accounts, projects, items, rules, webhooks, journal: how many there are; of rules, those that are on.
        contract: what a rule or an account can name: `operations`, `job_errors`, `plans`, `events`.
        links: where the documentation, the contract and this API's own description are.
        mode: `mock`, or `proxy` before another server, `settings["upstream"]`.
    """

    title: str
    version: str
    clock: ClockState
    settings: Mapping[str, Any]
    accounts: int
    projects: int
    items: int
    rules: int
    webhooks: int
    journal: int
    contract: Mapping[str, Any]
    links: Mapping[str, str]
    mode: str = "mock"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a mock: its number, and the name of the machine that it runs on."""

    pid: int
    host: str


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a mock can do its work.

    Attributes:
        ready: whether it can.
        version: Bluehour's.
        contract: the `title` and `version` of what is mocked.
        process: which one answered.
        processes: all that answer for this mock, by their word of the last seconds.
        store: its `kind`, and the `problem` that it can't be reached for, or None.
        waiting: how many `jobs` and `deliveries` wait.
        workers: the `renderer`, its `threads`, the `stage` that really renders, or None, and `processes`:
            of `bluehour work`, each with its `id`, its `jobs` and how many seconds ago it was heard.
    """

    ready: bool
    version: str
    contract: Mapping[str, str]
    process: Process
    processes: Sequence[Process]
    store: Mapping[str, str | None]
    waiting: Mapping[str, int]
    workers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its id, its token (shortened, or None), its plan, and the credits that it has left."""

    id: str
    token: str | None
    plan: str
    credits: int


@dataclass(frozen=True, slots=True)
class Booking:
    """One entry of a ledger: credits given (positive) or charged (negative), and what was left then.

    Attributes:
        reason: `given`, or of a project its `charge`, its `refund`, or the `settlement` of its price.
    """

    at: datetime
    amount: int
    reason: str
    project: str | None
    balance: int


@dataclass(frozen=True, slots=True)
class AccountWithLedger(Account):
    """An account with every charge, refund and gift, by time."""

    ledger: tuple[Booking, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A picture, a video or a sound of a project.

    Attributes:
        path: where it is at the mock.
        name: of a file, such as `output.mp4`; of an upload, the field that names it.
        media_type: such as `video/mp4`.
    """

    path: str
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """A project's files: the uploads that it is made of, and what it has made by now."""

    before: tuple[File, ...]
    after: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An item of another contract's resource.

    Attributes:
        collection: the path that it is found under, such as `/pets`.
        id: what names it there.
        operation: the id of the operation that made it.
        created_at: when.
        status: how far the work on it is, in the contract's own word; None where there is none.
        item: as the API shows it.
    """

    collection: str
    id: str
    operation: str
    created_at: datetime
    status: str | None
    item: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Project:
    """A project.

    Attributes:
        project: what the API answers to a GET of it.
        account: the id of its account.
        operation: the id of the operation that created it.
        plan: the account's plan then.
        outcome: what it ends in: `complete`, `canceled`, or a job error's code.
        finished_at: when it ends or ended; None for never.
        deleted_at: when it was deleted, if it was.
        request: the request that created it.
        pictures: where its files are.
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
        problem: why it has failed; None where it has not.
        body: exactly as it is sent.
        next_at: when it is tried next; None if never.
        attempts: the last 100 tries, whichever process made them.
    """

    id: str
    webhook: str
    url: str
    event: str
    project: str
    state: str
    problem: str | None
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
class Violation:
    """A rule that an answer breaks: its id, the field that shows it (empty for the whole), and a sentence."""

    rule: str
    field: str
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
        broken: what of the answer breaks the contract, where a proxy judged it.
        remarks: what else is to be said, such as that a proxy answered in place of the server.
        process: which one answered it; None where an older mock does not say.
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
    broken: tuple[Violation, ...] = ()
    remarks: tuple[str, ...] = ()
    process: Process | None = None
