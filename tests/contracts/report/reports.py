"""Reports made by hand: a small one with a finding of every kind, and one of any size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bluehour.contracts.exchange import ANYWHERE, Answer, Exchange, Headers, Request, label_of
from bluehour.contracts.results import Exit, Finding, Report, State, Verdict
from bluehour.contracts.rules import RULES, Rule, Severity, rule
from bluehour.openapi import contract
from bluehour.openapi.model import Operation

TARGET = "https://images.example.com"
STARTED = 1_790_000_000.0
TOKEN = "mhk_live_Zk9s0Qx7Yb2Lr5Wd8Vn3"
SECOND = "mhk_live_Second4Account5Token6"
SIGNED = f"{TARGET}/outputs/cmwq3t1166/output.png?expires=1790086400&signature={'5e' * 32}"

HARMFUL = "<script>alert('x')</script>\x1b[31mred\x00\u202e\ud800 ]]> & \"quoted\""
"""What a page, a terminal, XML and UTF-8 each have reason to fear."""

OPERATIONS = {label_of(each): each for each in contract.load().operations}
FACE, PHOTO = "POST /v1/ai-face-editor", "POST /v1/ai-photo-editor"
READ, DELETE = "GET /v1/image-projects/{id}", "DELETE /v1/image-projects/{id}"
UPLOADS = "POST /v1/files/upload-urls"
UPLOAD, DOWNLOAD = "upload", "download"
COLUMNS = (PHOTO, FACE, UPLOADS, READ, DELETE, UPLOAD, DOWNLOAD, ANYWHERE)

_PLACES = {
    "answer": (PHOTO, FACE, UPLOADS, READ, DELETE),
    "auth": (PHOTO, FACE, UPLOADS, READ, DELETE),
    "refuse": (PHOTO, FACE, UPLOADS),
    "accept": (PHOTO, FACE, UPLOADS),
    "credits": (PHOTO, FACE),
    "project": (PHOTO, FACE, READ, DELETE),
    "download": (DOWNLOAD,),
    "upload": (UPLOADS, UPLOAD),
}
_WORDS = "mouth_smile:\n  type: integer\n  minimum: -100\n  maximum: 100\n  multipleOf: 5\n"
_RULES = tuple(
    replace(each, severity=Severity.WARNING) if each.id == "answer.headers" else each for each in RULES
)
SPENT = "the next create could pass --max-credits"


def bearer(token: str = TOKEN) -> Headers:
    return (("Authorization", f"Bearer {token}"), ("Content-Type", "application/json"))


def exchange(number: int, body: Any = None, label: str = FACE, **fields: Any) -> Exchange:
    """A call of an operation, accepted unless told otherwise."""
    operation: Operation = OPERATIONS[label]
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    made = Exchange(
        number=number,
        at=STARTED + number * 0.21,
        request=Request(
            operation.method, TARGET + operation.path.replace("{id}", "cmwq3t1166"), bearer(), content
        ),
        answer=answer(200, {"id": f"cmwq3t{number}", "credits_charged": 1}),
        operation=operation,
        purpose="a legal edit",
        account="main",
    )
    return replace(made, **fields)


def answer(status: int, body: Any, content_type: str = "application/json", seconds: float = 0.0123) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, (("Content-Type", content_type), ("X-Request-Id", "r-17")), content, seconds)


def edit(**style: Any) -> dict[str, Any]:
    return {"name": "Smile", "assets": {"image_file_path": "api-assets/id/1234.png"}, "style": style}


def finding(rule_id: str, shown: Exchange | None, message: str, **fields: Any) -> Finding:
    made = Finding(rule(rule_id), shown.label if shown else ANYWHERE, "", message, shown)
    return replace(made, **fields)


def report(findings: tuple[Finding, ...] = (), exchanges: tuple[Exchange, ...] = (), **fields: Any) -> Report:
    """Every rule at the operations that it is about: broken where a finding says so, else kept."""
    broken = {(each.rule, each.operation) for each in findings}
    known = Report(
        target=TARGET,
        contract="Magic Hour image editors",
        version="0.1.0",
        seed=42,
        started_at=STARTED,
        seconds=18.4,
        max_credits=60,
        spent=max((each.spent for each in exchanges), default=0),
        operations=COLUMNS,
        verdicts=tuple(
            Verdict(each, place, State.BROKEN if (each, place) in broken else State.KEPT, 1 + number % 9)
            for number, (each, place) in enumerate(_places())
        ),
        findings=findings,
        exchanges=exchanges,
        stopped="",
        exit_code=Exit.FINDINGS if findings else Exit.CONFORMS,
        accounts={"main": "creator, by its published sizes", "second": "free"},
    )
    return replace(known, **fields)


def _places() -> Iterator[tuple[Rule, str]]:
    for each in _RULES:
        for place in _PLACES.get(each.group, (ANYWHERE,)):
            yield each, place


def unjudged(made: Report, pattern: str, reason: str) -> Report:
    """The same, but for rules of a group that could not be judged."""
    verdicts = tuple(
        replace(each, state=State.UNJUDGED, checks=0, reason=reason)
        if each.rule.group == pattern and each.state is State.KEPT
        else each
        for each in made.verdicts
    )
    return replace(made, verdicts=verdicts)


def sample() -> Report:
    """A deployment with a few faults, as a reader meets it."""
    step = exchange(12, edit(mouth_smile=61), purpose="style.mouth_smile off its step", booked=1, spent=2)
    above = exchange(17, edit(head_pitch=101), purpose="style.head_pitch above its maximum", spent=3)
    deep = exchange(18, edit(head_yaw=101), purpose="style.head_yaw above its maximum", spent=4)
    create = exchange(30, edit(mouth_smile=60), booked=1, spent=5)
    other = exchange(
        31,
        label=READ,
        request=Request("GET", f"{TARGET}/v1/image-projects/cmwq3t30", bearer(SECOND)),
        answer=answer(200, {"id": "cmwq3t30", "status": "complete", "downloads": [{"url": SIGNED}]}),
        account="second",
        purpose="a project of the main account, read by the second",
    )
    crash = exchange(
        40,
        b"{",
        label=PHOTO,
        answer=answer(500, f"<html>{HARMFUL} {TOKEN}</html>".encode("utf-8", "replace"), "text/html", 1.9),
        purpose="a body that is cut off",
    )
    silent = exchange(44, edit(mouth_smile=0), answer=None, failure="timed out after 30 s", booked=1, spent=8)
    findings = (
        finding(
            "refuse.step",
            step,
            "200 was answered where a 400 is due: style.mouth_smile is 61, and no multiple of 5.",
            field="style.mouth_smile",
            words=_WORDS,
            times=3,
        ),
        finding(
            "refuse.maximum", above, "200 was answered: style.head_pitch is 101.", field="style.head_pitch"
        ),
        finding("refuse.maximum", deep, "200 was answered: style.head_yaw is 101.", field="style.head_yaw"),
        finding(
            "auth.own-projects",
            other,
            "The second account reads a project of the main one.",
            related=(create,),
        ),
        finding("answer.server-error", crash, f"500 was answered: {HARMFUL}", operation=PHOTO),
        finding("answer.arrives", silent, "No answer came within 30 s."),
        finding(
            "answer.headers",
            exchange(9, label=UPLOADS, answer=answer(429, {"code": "too_many_requests"})),
            "A 429 lacks its header Retry-After.",
            field="Retry-After",
            rule=warning(),
        ),
    )
    shown = {each.exchange.number: each.exchange for each in findings if each.exchange} | {30: create}
    made = report(findings, tuple(_filled(shown, 60)), exit_code=Exit.FINDINGS, notes=_NOTES)
    return unjudged(unjudged(made, "credits", SPENT), "download", "no project was completed")


_NOTES = (
    "The account's plan was read from the first project's picture: creator.",
    "Limits of rate were not looked for: --rate was not given.",
)


def warning() -> Rule:
    """A rule whose breaking does not fail a check."""
    return next(each for each in _RULES if each.severity is Severity.WARNING)


def _filled(shown: dict[int, Exchange], count: int) -> Iterator[Exchange]:
    """All exchanges of a check: those given, and others between them."""
    spent = 0
    for number in range(1, count + 1):
        made = shown.get(number) or _usual(number)
        spent += made.booked
        yield replace(made, spent=spent)


def _usual(number: int) -> Exchange:
    seconds = 0.004 * (1 + number % 7) ** 2
    if number % 5 == 0:
        return exchange(
            number, label=READ, purpose="the project's status", answer=answer(200, {}, seconds=seconds)
        )
    if number % 4 == 0:
        return exchange(number, edit(), booked=1, answer=answer(200, {"credits_charged": 1}, seconds=seconds))
    refused = answer(400, {"code": "invalid_request", "message": "style is wrong"}, seconds=seconds)
    return exchange(
        number, edit(mouth_smile=500), purpose="style.mouth_smile above its maximum", answer=refused
    )


def large(count: int) -> Report:
    """A check of many requests, with a finding of every tenth."""
    exchanges = tuple(_filled({}, count))
    findings = tuple(
        finding(
            RULES[number % len(RULES)].id, each, f"What request {each.number} shows is wrong.", words=_WORDS
        )
        for number, each in enumerate(exchanges[::10])
    )
    return report(findings, exchanges, max_credits=count)
