"""What every part of a check works with: who to call, how, and where to say what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

import orjson

from bluehour.openapi import terms
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import JSON, MediaType, Operation
from bluehour.openapi.terms import usual_price
from bluehour.openapi.writing import credentials_of, headers_of, security_of, target_of

from ..bodies.illegal import Illegal
from ..bodies.legal import dumped
from ..exchange import ANYWHERE, Exchange, Headers, Request, label_of
from ..judge import Judge, Violation
from ..rules import rule
from .accounts import Account, Accounts
from .budget import BudgetSpent
from .findings import BUDGET, BUSY, Findings
from .items import Items
from .network import foreign_host, origin_of
from .picture import Picture
from .progress import Progress
from .sender import Call, Sender, TooBusy

if TYPE_CHECKING:
    from .pixels.gauge import Gauge

CREATES, READS, DELETES, UPLOADS, BALANCES = (
    "create-project",
    "get-project",
    "delete-project",
    "create-upload-urls",
    "get-account",
)
"""The contract's x-behaviour of the operations that a check knows how to use."""


_LARGEST_KEPT = 2**20
"""Bytes of an uploaded file that are written down; of a larger one that many."""

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


_FORBIDDEN = "it takes a link to another host, which --no-foreign-links forbids"
_MOST_FOREIGN = 10
"""Hosts that links lead to and that are told."""

_AGENT = ("User-Agent", "bluehour-check")


class How(TypedDict, total=False):
    """How to call an operation.

    Attributes:
        content: the body as bytes.
        content_type: JSON's where it is not given; None for no such header.
        path: the path's parameters.
        query: beside what the path's operation needs: `page=2`.
        authorization: in place of the account's bearer token.
        headers: beside those that every call has.
        purpose: what it is for, in words.
        fresh: whether it is sent on a connection of its own.
    """

    content: bytes | None
    content_type: str | None
    path: Mapping[str, str]
    query: str
    authorization: str | None
    headers: Headers
    purpose: str
    fresh: bool


class Refused(NamedTuple):
    """An illegal body, and how it was refused."""

    operation: Operation
    variant: Illegal
    exchange: Exchange


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
        uploaded: the file_path of files, by the token that they were uploaded with and what they are.
        sizes: of the pictures among them, by their file_path.
        gauge: what measures pictures; None where nobody asks, and where a check is only rehearsed.
        items: of the contract's resources, that were created.
        is_local: whether the deployment is on this machine.
        refused_by: the statuses by which operations refused illegal bodies, by operation id.
        refused: illegal bodies that were refused, one for each rule and place.
        own_headers: sent with every request to the deployment itself, as the user says.
        follows_foreign: whether links to other hosts than the deployment's are followed.
        foreign: those that links have led to.
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
    uploaded: dict[tuple[str, str], str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    gauge: Gauge | None = None
    items: Items = field(default_factory=Items)
    is_local: bool = False
    refused_by: dict[str, set[int]] = field(default_factory=dict)
    refused: dict[Any, Refused] = field(default_factory=dict)
    own_headers: Headers = ()
    follows_foreign: bool = True
    foreign: set[str] = field(default_factory=set)

    # Operations.

    @property
    def creates(self) -> list[Operation]:
        """The operations that create projects: the cheapest of each kind, then the others by their price."""
        by_price = sorted(self._of(CREATES), key=usual_price)
        firsts = {each.project_kind: each for each in reversed(by_price)}
        return sorted(by_price, key=lambda each: each is not firsts[each.project_kind])

    @property
    def paid(self) -> list[Operation]:
        """The creates that cost something, the cheapest first."""
        return sorted(filter(usual_price, self._of(CREATES)), key=usual_price)

    def offered(self, operation: Operation, body: Any) -> bool:
        """Tell whether a legal body is offered, on the plan that allows most."""
        if not isinstance(body, dict):
            return True
        plans = self.contract.extension("x-plans", {})
        plan = next(reversed(plans), "")
        return not any(terms.objections(operation, terms.meant(operation, body, plan), plan, plans))

    def price_of(self, operation: Operation, body: Any) -> int:
        """Return what a body costs at most, on whatever plan; an illegal one, what is usual."""
        media = operation.json_body
        if terms.is_simple(operation) or media is None or not media.schema.accepts(body):
            return usual_price(operation)
        plans = ["", *self.contract.extension("x-plans", {})]
        return max(
            filter(None, terms.possible_prices(operation, body, plans)), default=usual_price(operation)
        )

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
    def balances(self) -> list[Operation]:
        """The operations that show an account's balance."""
        return self._of(BALANCES)

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
        elif body is None:
            body = _json_in(content)
        token = account.token if account else None
        authorization = how.get("authorization")
        credential = None if authorization is not None else token
        url = target_of(operation, credential, {**self.items.path_of(operation), **how.get("path", {})})
        if query := how.get("query"):
            url += f"{'&' if '?' in url else '?'}{query}"
        sent = [*headers_of(operation, credential), *how.get("headers", ())]
        if authorization is not None:
            sent.append(("Authorization", authorization))
        media = operation.json_body
        content_type = how.get("content_type", JSON if media is None or "*" in media.name else media.name)
        if operation.body is not None and content_type is not None:
            sent.append(("Content-Type", content_type))
        return Call(
            Request(operation.method, self.target + url, self._signed(sent, self.target), content),
            operation,
            purpose=how.get("purpose", ""),
            account=account.label if account else "",
            price=self.price_of(operation, body),
            fresh=how.get("fresh", False),
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
        request = Request(method, self.target + path, self._signed([*credentials, *headers], self.target))
        label = account.label if account else ""
        return self.sender.send(Call(request, operation, purpose=purpose, account=label, price=price))

    def put(self, url: str, content: bytes, purpose: str, *, content_type: str | None = None) -> Exchange:
        """Upload a file to a link."""
        headers = [("Content-Type", content_type)] if content_type else []
        request = Request("PUT", url, self._signed(headers, url), content)
        kept = replace(request, body=content[:_LARGEST_KEPT]) if len(content) > _LARGEST_KEPT else None
        return self._withheld(request, "upload", purpose) or self.sender.send(
            Call(request, transfer="upload", purpose=purpose, written_as=kept)
        )

    def fetch(self, url: str, purpose: str) -> Exchange:
        """Fetch a link, as anybody may."""
        request = Request("GET", url, self._signed([], url))
        return self._withheld(request, "download", purpose) or self.sender.send(
            Call(request, transfer="download", purpose=purpose)
        )

    def _withheld(self, request: Request, transfer: str, purpose: str) -> Exchange | None:
        """Name the host of a link to elsewhere; return what stands for the call where it is forbidden."""
        host = foreign_host(request.url, self.target)
        if not host:
            return None
        if host not in self.foreign and len(self.foreign) < _MOST_FOREIGN:
            self.foreign.add(host)
            how = "are followed, without a token" if self.follows_foreign else "are not followed"
            self.notes.append(f"Links lead to {host}, another host than the deployment's: they {how}.")
        if self.follows_foreign:
            return None
        return Exchange(0, self.now(), request, transfer=transfer, purpose=purpose, failure=_FORBIDDEN)

    def read(self, kind: str, project_id: str, account: Account, purpose: str) -> Exchange | None:
        """Read a project of a kind; None where the contract has no operation for it."""
        for operation in self.reads:
            if operation.project_kind == kind:
                return self.call(operation, account, path=path_values(operation, project_id), purpose=purpose)
        return None

    def _signed(self, headers: list[tuple[str, str]], url: str) -> Headers:
        """Add what every request has, and what the user says to whatever goes to the deployment itself."""
        own = self.own_headers if self._is_own(url) else ()
        agent = () if any(name.lower() == "user-agent" for name, _ in own) else (_AGENT,)
        return (*headers, *agent, ("Accept", "*/*"), ("Accept-Encoding", "identity"), *own)

    def _is_own(self, url: str) -> bool:
        """Tell whether a URL leads to the deployment itself."""
        try:
            return origin_of(url) == origin_of(self.target)
        except ValueError:
            return False

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
        if exchange is not None and self._lacks_a_link(exchange, kept):
            self.findings.unjudged(rule_id, at, _FORBIDDEN)
        elif kept:
            self.findings.keep(rule_id, at)
        else:
            self.findings.add(Violation(rule(rule_id), at, field, message, words, related), exchange)
        return kept

    def _lacks_a_link(self, exchange: Exchange, kept: bool) -> bool:
        """Tell whether an exchange shows nothing, as a link was not followed: its own, or a file's."""
        if kept or self.follows_foreign or not self.foreign:
            return not exchange.was_sent
        is_create = exchange.operation is not None and exchange.operation.behaviour == CREATES
        is_unknown = is_create and answered(exchange) == self.status_of("unprocessable_entity")
        return is_unknown or not exchange.was_sent

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
                self.findings.unjudged(rule_id, label, f"{BUSY}{error}")

    def unjudged(self, reason: str, operation: Operation | str, *rule_ids: str) -> None:
        """Say why rules can't be judged at an operation."""
        label = operation if isinstance(operation, str) else label_of(operation)
        for rule_id in rule_ids:
            self.findings.unjudged(rule_id, label, reason)


def json_of(operation: Operation) -> MediaType | None:
    """Return the JSON representation of an operation's body."""
    return operation.json_body


def _json_in(content: bytes) -> Any:
    """Return what a body says as JSON; None where it says nothing so."""
    try:
        return orjson.loads(content)
    except ValueError:
        return None


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
