"""Bluehour's rules as checks of schemathesis: `SCHEMATHESIS_HOOKS=bluehour.contracts.schemathesis`.

schemathesis chooses what to send and sends it; each answer is judged here as `bluehour check` judges it, by
itself and by all answers before it. There is a check for each rule, so that each is reported, and can be left
out by its name: `--exclude-checks bluehour_credits_price`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis import Case, CheckContext, CheckFunction, Response

from bluehour.openapi.contract import Contract, load

from .exchange import Answer, Exchange, Request
from .judge import Judge, Violation
from .rules import Rule, Severity, rule

if TYPE_CHECKING:
    import requests

_RULES = {
    "answer": "server-error status content-type schema envelope headers leak",
    "credits": "price same refund",
    "project": "id found kept created-at status ends error downloads deleted delete",
    "download": "expiry",
    "upload": "items unique expiry lifetime",
}
"""What can be told from answers alone, by group. That no answer came, schemathesis says itself."""

_REMEMBERED = 1_000
"""Answers whose verdicts are kept: every check asks for each, and schemathesis may look again."""


class _Session:
    """One run's answers, each judged once and in the order in which they came."""

    def __init__(self, contract: Contract) -> None:
        self._operations = {(each.method, each.path): each for each in contract.operations}
        self._judge = Judge(contract)
        self._lock = Lock()
        self._verdicts: dict[int, tuple[Response, list[Violation]]] = {}
        self._count = 0

    def violations(self, response: Response, case: Case[Any]) -> list[Violation]:
        """Return the rules that an answer breaks."""
        with self._lock:
            if id(response) not in self._verdicts:
                self._verdicts[id(response)] = response, self._judge.observe(self._exchange(response, case))
                if len(self._verdicts) > _REMEMBERED:
                    del self._verdicts[next(iter(self._verdicts))]
            return self._verdicts[id(response)][1]

    def _exchange(self, response: Response, case: Case[Any]) -> Exchange:
        sent = response.request
        request = Request(sent.method or "", sent.url or "", tuple(_sent_headers(sent)), _bytes(sent.body))
        answer = Answer(response.status_code, tuple(_headers(response)), response.content, response.elapsed)
        self._count += 1
        return Exchange(
            number=self._count,
            at=time.time() - response.elapsed,
            request=request,
            answer=answer,
            operation=self._operations.get((sent.method or "", case.operation.path)),
        )


def _sent_headers(sent: requests.PreparedRequest) -> Iterable[tuple[str, str]]:
    return ((name, _bytes(value).decode("latin-1")) for name, value in sent.headers.items())


def _headers(response: Response) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, values in response.headers.items() for value in values)


def _bytes(content: Any) -> bytes:
    """What requests sends: bytes, a text, or nothing; a file's content is not known."""
    return content.encode() if isinstance(content, str) else content if isinstance(content, bytes) else b""


def _check(known: Rule, session: _Session) -> CheckFunction:
    def check(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
        for violation in session.violations(response, case):
            if violation.rule is known:
                raise AssertionError(
                    "\n\n".join(filter(None, (f"{known.id}: {violation.message}", violation.words)))
                )

    check.__name__ = f"bluehour_{known.id}".replace(".", "_").replace("-", "_")
    check.__doc__ = known.title
    return check


def _register() -> None:
    session = _Session(load())
    for group, names in _RULES.items():
        for name in names.split():
            known = rule(f"{group}.{name}")
            if known.severity is Severity.ERROR:
                schemathesis.check(_check(known, session))


_register()
