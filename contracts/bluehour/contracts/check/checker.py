"""What every part of a check works with: who to call, how, and where to say what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from bluehour.openapi.contract import Contract
from bluehour.openapi.model import JSON, MediaType, Operation
from bluehour.openapi.writing import credentials_of, headers_of, security_of, target_of

from ..bodies.legal import dumped
from ..exchange import ANYWHERE, Exchange, Headers, Request, label_of
from ..judge import Judge, Violation
from ..rules import rule
from .accounts import Account, Accounts
from .budget import BudgetSpent
from .findings import BUDGET, Findings
from .items import Items
from .progress import Progress
from .sender import Call, Sender, TooBusy

if TYPE_CHECKING:
    from .pixels.gauge import Gauge

CREATES, READS, DELETES, UPLOADS = (
    "create-image-project",
    "get-image-project",
    "delete-image-project",
    "create-upload-urls",
)
"""The contract's x-behaviour of the operations that a check knows how to use."""


_USUAL = {
    "invalid_request": 400,
    "unauthorized": 401,
    "insufficient_credits": 402,
    "not_found": 404,
    "method_not_allowed": 405,
    "unprocessable_entity": 422,
    "too_many_requests": 429,
}
"""Statuses of HTTP's own, for contracts that have no error codes."""


class How(TypedDict, total=False):
    """How to call an operation.

    Attributes:
        content: the body as bytes.
        content_type: JSON's where it is not given; None for no such header.
        path: the path's parameters.
        authorization: in place of the account's bearer token.
        headers: beside those that every call has.
        purpose: what it is for, in words.
    """

    content: bytes | None
    content_type: str | None
    path: Mapping[str, str]
    authorization: str | None
    headers: Headers
    purpose: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture that edits are tried with."""

    content: bytes
    extension: str
    size: tuple[int, int]

    @classmethod
    def read(cls, path: Path) -> Picture:
        """Read a picture from a file.

        Raises:
            OSError: it can't be read, or is no picture.
        """
        from PIL import Image

        content = path.read_bytes()
        with Image.open(path) as image:
            return cls(content, path.suffix.removeprefix(".").lower(), image.size)


@dataclass
class Check:
    """One check of one deployment.

    Attributes:
        target: the deployment's base URL, without a slash at its end.
        findings: where to say what was found.
        random: chooses values; the seed decides.
        patience: seconds that a job may take.
        pause: seconds between two polls of a job.
        progress: told what is being done.
        notes: what the reader of the report should know.
        uploaded: the picture's file_path, by the token that it was uploaded with.
        gauge: what measures pictures; None where nobody asks, and where a check is only rehearsed.
        items: of the contract's resources, that were created.
        is_local: whether the deployment is on this machine.
        refused_by: the statuses by which operations refused illegal bodies, by operation id.
    """

    target: str
    contract: Contract
    sender: Sender
    judge: Judge
    findings: Findings
    accounts: Accounts
    picture: Picture
    random: Random
    patience: float
    pause: float
    sleep: Callable[[float], None]
    now: Callable[[], float]
    progress: Progress
    notes: list[str] = field(default_factory=list)
    uploaded: dict[str, str] = field(default_factory=dict)
    gauge: Gauge | None = None
    items: Items = field(default_factory=Items)
    is_local: bool = False
    refused_by: dict[str, set[int]] = field(default_factory=dict)

    # Operations.

    @property
    def creates(self) -> list[Operation]:
        """The operations that create projects, the cheapest first."""
        return sorted(self._of(CREATES), key=lambda operation: operation.credits)

    @property
    def reads(self) -> list[Operation]:
        """The operations that read a project."""
        return self._of(READS)

    @property
    def deletes(self) -> list[Operation]:
        """The operations that delete a project."""
        return self._of(DELETES)

    @property
    def uploads(self) -> list[Operation]:
        """The operations that issue upload links."""
        return self._of(UPLOADS)

    @property
    def bodied(self) -> list[Operation]:
        """The operations that take a JSON body, and create no projects."""
        return [each for each in self.contract.operations if each.json_body and each.behaviour != CREATES]

    def _of(self, behaviour: str) -> list[Operation]:
        return [each for each in self.contract.operations if each.behaviour == behaviour]

    def status_of(self, code: str) -> int:
        """Return the status that goes with an error code: the contract's own, or the one that all use."""
        known = self.contract.errors.get(code)
        return known[0] if known else _USUAL[code]

    def takes_for_illegal(self, operation: Operation, status: int) -> bool:
        """Tell whether a refusal is of a body's form, not of what it names or of what is there already."""
        if operation.behaviour is None:
            return status in self.refused_by.get(operation.id, {400, 422})
        return status != self.status_of("unprocessable_entity")  # an extension that does not fit its type

    # Calls.

    def call(
        self, operation: Operation, account: Account | None, body: Any = None, **how: Unpack[How]
    ) -> Exchange:
        """Call an operation.

        Args:
            account: whose token is sent; None for none.
            body: sent as JSON, where there is no `content`.
            how: see `How`.
        """
        return self.sender.send(self.prepared(operation, account, body, **how))

    def prepared(
        self, operation: Operation, account: Account | None, body: Any = None, **how: Unpack[How]
    ) -> Call:
        """Return a call that is ready to be sent; see `call`."""
        content = how.get("content")
        if content is None:
            content = b"" if body is None else dumped(body)
        token = account.token if account else None
        authorization = how.get("authorization")
        credential = None if authorization is not None else token
        url = target_of(operation, credential, {**self.items.path_of(operation), **how.get("path", {})})
        sent = [*headers_of(operation, credential), *how.get("headers", ())]
        if authorization is not None:
            sent.append(("Authorization", authorization))
        media = operation.json_body
        content_type = how.get("content_type", JSON if media is None or "*" in media.name else media.name)
        if operation.body is not None and content_type is not None:
            sent.append(("Content-Type", content_type))
        return Call(
            Request(operation.method, self.target + url, self._signed(sent), content),
            operation,
            purpose=how.get("purpose", ""),
            account=account.label if account else "",
            price=operation.credits,
        )

    def ask(
        self,
        method: str,
        path: str,
        account: Account | None = None,
        *,
        operation: Operation | None = None,
        price: int = 0,
        headers: Headers = (),
        purpose: str = "",
    ) -> Exchange:
        """Send a request without a body to any path of the deployment."""
        like = operation or next((each for each in self.contract.operations if security_of(each)), None)
        credentials = credentials_of(like, account.token) if like and account else ()
        request = Request(method, self.target + path, self._signed([*credentials, *headers]))
        label = account.label if account else ""
        return self.sender.send(Call(request, operation, purpose=purpose, account=label, price=price))

    def put(self, url: str, content: bytes, purpose: str, *, content_type: str | None = None) -> Exchange:
        """Upload a file to a link."""
        headers = [("Content-Type", content_type)] if content_type else []
        request = Request("PUT", url, self._signed(headers), content)
        return self.sender.send(Call(request, transfer="upload", purpose=purpose))

    def fetch(self, url: str, purpose: str) -> Exchange:
        """Fetch a link, as anybody may."""
        request = Request("GET", url, self._signed([]))
        return self.sender.send(Call(request, transfer="download", purpose=purpose))

    def read(self, project_id: str, account: Account, purpose: str) -> Exchange | None:
        """Read a project; None where the contract has no operation for it."""
        for operation in self.reads:
            return self.call(operation, account, path=path_values(operation, project_id), purpose=purpose)
        return None

    def _signed(self, headers: list[tuple[str, str]]) -> Headers:
        return (
            *headers,
            ("User-Agent", "bluehour-check"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
        )

    # What was found.

    def observe(self, exchange: Exchange) -> None:
        """Have an exchange judged by itself and after those before it."""
        answer = exchange.answer
        if answer is not None and answer.status == 429:  # too fast, which is no fault of the deployment
            return
        self.findings.take(self.judge.rule_on(exchange), exchange)

    def expect(
        self,
        rule_id: str,
        exchange: Exchange | None,
        kept: bool,
        message: str,
        field: str = "",
        *,
        operation: str | None = None,
        words: str = "",
        related: tuple[Exchange, ...] = (),
    ) -> bool:
        """Say that a rule is kept, or how it is broken; return which."""
        at = operation or (exchange.label if exchange else "")
        if kept:
            self.findings.keep(rule_id, at)
        else:
            self.findings.add(Violation(rule(rule_id), at, field, message, words, related), exchange)
        return kept

    @contextmanager
    def within_budget(self, operation: Operation | None, *rule_ids: str) -> Iterator[None]:
        """Do what may cost credits; where it can't be done, say so of these rules."""
        label = label_of(operation) if operation else ANYWHERE
        try:
            yield
        except BudgetSpent as error:
            for rule_id in rule_ids:
                self.findings.unjudged(rule_id, label, f"{BUDGET}{error}")
        except TooBusy as error:
            for rule_id in rule_ids:
                self.findings.unjudged(rule_id, label, f"the deployment is too busy: {error}")

    def unjudged(self, reason: str, operation: Operation | str, *rule_ids: str) -> None:
        """Say why rules can't be judged at an operation."""
        label = operation if isinstance(operation, str) else label_of(operation)
        for rule_id in rule_ids:
            self.findings.unjudged(rule_id, label, reason)


def json_of(operation: Operation) -> MediaType | None:
    """Return the JSON representation of an operation's body."""
    return operation.json_body


def answered(exchange: Exchange) -> int:
    """Return the status of an answer; 0 where none came."""
    return exchange.answer.status if exchange.answer else 0


def is_success(exchange: Exchange | None) -> bool:
    """Tell whether a call was accepted."""
    return exchange is not None and 200 <= answered(exchange) < 300


def code_in(exchange: Exchange) -> Any:
    """Return the error code that an answer carries; None where it carries none."""
    return exchange.answer.field("code") if exchange.answer else None


def path_values(operation: Operation, value: str) -> dict[str, str]:
    """Return a value for each of the path's parameters."""
    return {each.name: value for each in operation.parameters if each.location == "path"}
