"""What has passed, as it is understood: its operation, its bodies in plain, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bluehour.mock_server.core.accounts import shortened
from bluehour.openapi.encodings import Unreadable, decoded
from bluehour.openapi.messages import Pairs
from bluehour.openapi.model import Operation
from bluehour.openapi.reading import credential_of
from bluehour.openapi.routes import Routes
from bluehour.openapi.terms import usual_price

from ..exchange import ANYWHERE, Answer, Exchange, Request, label_of
from .links import Links
from .passed import MOST_KEPT, Kept, Passed


@dataclass
class Case:
    """A request and its answer, to be judged.

    Attributes:
        operation: what was called; None for what the contract does not have.
        path_values: of the path's parameters, by name.
        transfer: `upload` or `download` for the ends of a link that an answer carried.
        token: the credential that the operation asks for; None where none came.
        request_body: without compression; None where not all of it is here.
        answer_body: likewise.
        remarks: what is to be said of it, beside what is wrong.
    """

    passed: Passed
    operation: Operation | None
    path_values: Mapping[str, str]
    transfer: str
    token: str | None
    request_body: bytes | None
    answer_body: bytes | None
    remarks: list[str]

    @property
    def where(self) -> str:
        """What was called, in words."""
        return label_of(self.operation) if self.operation else self.transfer or ANYWHERE

    @cached_property
    def answer(self) -> Answer | None:
        """The upstream's answer; None where there was none, or not all of it."""
        passed = self.passed
        if passed.failure or passed.malformed:
            return None
        return Answer(passed.status, tuple(passed.answer_headers), self.answer_body or b"", passed.seconds)

    @property
    def can_be_judged(self) -> bool:
        """Whether the upstream can be held to what came of it."""
        if self.passed.left or self.passed.malformed:
            return False
        bodiless_will_do = self.operation is None and self.passed.status < 400
        return self.answer is None or self.answer_body is not None or bodiless_will_do

    def exchange(self, number: int, upstream: str) -> Exchange:
        """Return it as the judge takes it."""
        passed = self.passed
        return Exchange(
            number=number,
            at=passed.at,
            request=Request(
                passed.method,
                upstream + passed.target,
                tuple(passed.request_headers),
                self.request_body or b"",
            ),
            answer=self.answer,
            operation=self.operation,
            transfer=self.transfer,
            account="" if self.token is None else shortened(self.token),
            failure=passed.failure,
        )

    @property
    def note(self) -> dict[str, Any]:
        """What has happened, as far as it can be seen from outside: as a mock's answers have it."""
        answer = self.answer
        if answer is None:
            return {"error": self.passed.malformed or self.passed.failure}
        if answer.status >= 400:
            message = answer.field("message")
            return {"error": message if isinstance(message, str) else f"status {answer.status}"}
        project, charged, status = map(answer.field, ("id", "credits_charged", "status"))
        if self.operation is None or not isinstance(project, str):
            return {}
        if usual_price(self.operation) and isinstance(charged, int):
            return {"project": project, "charged": charged}
        return {"project": project, **({"job": status} if isinstance(status, str) else {})}


def case_of(passed: Passed, routes: Routes, links: Links) -> Case:
    """Understand what has passed."""
    match = routes.find(passed.method, passed.path)
    operation = match.operation if match else None
    remarks = []
    if passed.is_own:
        remarks.append(f"{passed.status} is the proxy's own answer")
    if passed.left:
        remarks.append(f"the client left {passed.left}")
    request_body = answer_body = None
    unread: list[str] = []
    if not (passed.left or passed.malformed):
        request_body = _body("request", passed.request_headers, passed.request_body, unread)
    if not (passed.left or passed.failure):
        answer_body = _body("answer", passed.answer_headers, passed.answer_body, unread)
    if operation is not None:  # of other bodies nobody expects that they are judged
        remarks += unread
    return Case(
        passed=passed,
        operation=operation,
        path_values=match.values if match else {},
        transfer="" if operation else links.find(passed.method, passed.path),
        token=_token(operation, passed),
        request_body=request_body,
        answer_body=answer_body,
        remarks=remarks,
    )


def _body(whose: str, headers: Pairs, kept: Kept, remarks: list[str]) -> bytes | None:
    if kept.all is None:
        reason = f"it has more than {MOST_KEPT // 2**20} MiB"
    else:
        try:
            return decoded(headers, bytes(kept.all), MOST_KEPT)
        except Unreadable as error:
            reason = f"{error}"
    remarks.append(f"the {whose}'s body is not judged: {reason}")
    return None


def _token(operation: Operation | None, passed: Passed) -> str | None:
    """The credential that a request brings, as the operation wants it."""
    if operation is None:
        return None
    return credential_of(operation, passed.request)[0]
