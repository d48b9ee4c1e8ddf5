"""What is forced on one request: an `Effect`, and how it changes the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from bluehour.openapi.contract import Contract
from bluehour.openapi.document import SpecError
from bluehour.openapi.messages import named
from bluehour.openapi.model import JSON, DeclaredResponse, Operation
from bluehour.openapi.samples.varied import varied
from bluehour.openapi.wording import quoted

from .call import Answer, Refusal, challenge
from .faults import BAD_GATEWAY, Fault
from .refusals import declared_headers, server_response
from .reply import Disruption, Kind, Reply

_UNREADABLE: frozenset[Fault | None] = frozenset(("drop", "cut", "malformed_json", "empty_body"))

_IN_TRANSIT: Mapping[Fault | None, Kind] = {
    "drop": "drop",
    "cut": "cut",
    "slow_drip": "drip",
}


@dataclass(frozen=True, slots=True)
class ForcedAnswer:
    """An answer in place of the operation's.

    Attributes:
        status: 200 to 599; None for that of the operation when all goes well.
        body: data, or text to be sent as it is; with `has_body` false, what the contract shows.
        headers: beside those that the body brings.
        example: the name of a published example, which is the body then.
        made_up_by: draws the body, in place of an example.
    """

    status: int | None
    body: Any = None
    has_body: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    example: str | None = None
    made_up_by: Random | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to a request.

    Attributes:
        cause: what forces it, and how, for the journal.
        answer: instead of the operation's.
        delay: seconds before the answer.
        fault: how the answer is spoiled.
        drip_seconds: how long a slow drip takes.
        carry_out: whether the operation is carried out, though its answer is another one or spoiled.
        job: how a created project ends: `complete`, `canceled`, `stuck`, or a job error's code.
    """

    cause: str
    answer: ForcedAnswer | None = None
    delay: float = 0
    fault: Fault | None = None
    drip_seconds: float = 0
    carry_out: bool = True
    job: str | None = None

    @property
    def disruption(self) -> Disruption | None:
        """What of it happens while the answer is sent."""
        kind = _IN_TRANSIT.get(self.fault, "")
        if not kind and not self.delay:
            return None
        return Disruption(self.delay, kind, self.drip_seconds)

    @property
    def loses_answer(self) -> bool:
        """Whether the client can't read what the operation has answered."""
        return self.answer is not None or self.fault in _UNREADABLE

    def answer_instead(self, contract: Contract, operation: Operation | None) -> Answer | None:
        """Return the answer in place of the operation's, or None where that is to answer."""
        if self.fault == "html":
            return Answer(502, BAD_GATEWAY, "text/html")
        if self.answer is not None:
            return _forced(self.answer, contract, operation)
        return None if self.carry_out else Answer(503, media_type=None)

    def spoiled(self, reply: Reply) -> Reply:
        """Change a reply that is ready to be sent."""
        reply.disruption = self.disruption
        if self.fault in ("wrong_content_type", "no_content_type"):
            reply.headers = [pair for pair in reply.headers if pair[0].lower() != "content-type"]
        if self.fault == "wrong_content_type":
            reply.headers.append(("Content-Type", "text/html; charset=utf-8"))
        elif self.fault == "malformed_json":
            whole = _read(reply)
            reply.body = whole[: max(1, len(whole) // 2)]
        elif self.fault == "empty_body":
            reply.body = b""
        return reply


def _read(reply: Reply) -> bytes:
    """Return the body as it was to be sent; a picture is read from its file."""
    if isinstance(reply.body, Path):
        return reply.body.read_bytes()
    return reply.body if isinstance(reply.body, bytes) else b""


def _forced(forced: ForcedAnswer, contract: Contract, operation: Operation | None) -> Answer:
    status = forced.status or (operation.success[0] if operation is not None else 200)
    usual = _usual(status, contract, operation)
    if forced.made_up_by is not None:
        return _made_up(usual, forced.made_up_by, _declared(status, contract, operation))
    if forced.example is not None:
        return _with_example(usual, forced.example, _declared(status, contract, operation))
    headers = {**usual.headers, **forced.headers}
    media_type = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    if not forced.has_body:
        return Answer(status, usual.body, media_type or usual.media_type, headers)
    if isinstance(forced.body, str):
        return Answer(status, forced.body.encode(), media_type or "text/plain; charset=utf-8", headers)
    return Answer(status, forced.body, media_type or JSON, headers)


def _with_example(usual: Answer, name: str, declared: DeclaredResponse | None) -> Answer:
    """Return an answer with a published example.

    Raises:
        Refusal: there is none of that name.
    """
    contents = declared.content.values() if declared is not None else ()
    media = next((media for media in contents if name in media.named), None)
    if media is None:
        message = f"There is no example {quoted(name)} of the answer {usual.status}"
        raise Refusal("not_found", message)
    return Answer(usual.status, media.named[name], media.name, usual.headers)


def _made_up(usual: Answer, random: Random, declared: DeclaredResponse | None) -> Answer:
    """Return an answer with a body that nobody has published; as it is, where it has none that is data."""
    media = declared.json if declared is not None else None
    if media is None:
        return usual
    try:
        return replace(usual, body=varied(media.schema, random))
    except SpecError as error:
        raise Refusal("internal_server_error", f"The contract allows no answer here: {error}") from error


def _usual(status: int, contract: Contract, operation: Operation | None) -> Answer:
    """What the contract shows for a status; what HTTP calls it, where the contract has nothing to show."""
    headers = challenge(operation) if status == 401 else {}
    declared = _declared(status, contract, operation)
    if declared is not None:
        headers = {**headers, **declared_headers(declared)}
        if declared.json is not None:
            return Answer(status, declared.json.example, declared.json.name, headers)
    if status in (204, 304) or (declared is not None and status < 400):
        return Answer(status, media_type=None, headers=headers)
    name, phrase = named(status)
    return Answer(status, {"code": name, "message": phrase}, headers=headers)


def _declared(status: int, contract: Contract, operation: Operation | None) -> DeclaredResponse | None:
    # An operation's `default` is as good as no word about a status that it does not name.
    own = operation.response(status) if operation is not None else None
    return own if own is not None and own.status != "default" else server_response(status, contract) or own
