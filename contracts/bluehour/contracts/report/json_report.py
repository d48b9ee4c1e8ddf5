"""The report as JSON, for programs: every fact of it, under names that stay."""

from __future__ import annotations

import base64
import json
from typing import Any

from bluehour.mock_server.core.clock import isoformat

from ..exchange import Answer, Exchange, Headers
from ..results import Report, Verdict
from ..rules import Rule
from .shown import Case, Command, shown
from .summary import Standing, conclusion, standings
from .texts import text_of

FORMAT = 1
"""Changes with the meaning of a field; a new field does not change it."""


def as_json(report: Report) -> str:
    """Return the report as an object.

    - `format`, `bluehour` (its version), `target`, `contract`, `seed`, `started_at`, `seconds`, `requests`,
      `stopped`, `accounts` (by label), `notes`
    - `exit_code`: that of the command; `exit` is its name: `conforms`, `findings`, `usage` or `unjudged`
    - `verdict`: the whole in one sentence
    - `credits`: `spent`, `budget`; `max_requests`, null where credits are counted and not requests
    - `summary`: how many rules are `kept`, `broken`, `accepted`, `warned` and `unjudged`
    - `rules`: of each rule `id`, `group`, `title`, `place` in the contract, `cost`, `advice`, `severity`, and
      `standing`, which is one of the summary's words
    - `operations`, and `verdicts`: of each rule at each operation `rule` (its id), `operation`, `state`
      (`kept`, `broken` or `not judged`), `checks` and `reason`
    - `findings`: each with `number`, `rule`, `severity`, `operation`, `field`, `message`, `words` (the
      contract's own, as YAML), `place`, `advice`, `times`, `accepted` (null, or `reason` and `until`),
      `folded` (findings that follow from it: `rule`, `field` and `message`), `exchange` (null where there is
      none) and `related`, the exchanges before it
    - an exchange has `number`, `at`, `operation`, `purpose`, `account`, `credits` (`reserved`, `booked` and
      `spent` by then), `failure` (null where an answer came), `request` (`method`, `url`, `headers`, `body`,
      `curl`) and `response` (null where none came: `status`, `headers`, `body`, `ms`)
    - a body is `{"size", "text"}`, or `{"size", "base64"}` where it is no text; headers are pairs

    Tokens and signatures are shortened; `curl` has the variables of a shell in place of tokens.
    """
    known = shown(report)
    report = known.report
    come_to = standings(report)
    facts = {
        "format": FORMAT,
        "bluehour": report.version,
        "target": report.target,
        "contract": report.contract,
        "seed": report.seed,
        "started_at": isoformat(report.started_at),
        "seconds": round(report.seconds, 3),
        "requests": len(report.exchanges),
        "exit_code": int(report.exit_code),
        "exit": report.exit_code.name.lower(),
        "verdict": conclusion(report),
        "stopped": report.stopped or None,
        "credits": {"spent": report.spent, "budget": report.max_credits},
        "max_requests": report.max_requests,
        "summary": {each.name.lower(): list(come_to.values()).count(each) for each in Standing},
        "accounts": dict(report.accounts),
        "notes": list(report.notes),
        "operations": list(report.operations),
        "rules": [_rule(rule, standing) for rule, standing in come_to.items()],
        "verdicts": [_verdict(each) for each in report.verdicts],
        "findings": [_case(each) for each in known.cases],
    }
    return json.dumps(facts, ensure_ascii=False, indent=2) + "\n"


def _rule(rule: Rule, standing: Standing) -> dict[str, Any]:
    return {
        "id": rule.id,
        "group": rule.group,
        "title": rule.title,
        "place": rule.place,
        "cost": rule.cost,
        "advice": rule.advice,
        "severity": rule.severity,
        "standing": standing.name.lower(),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule.id,
        "operation": verdict.operation,
        "state": verdict.state,
        "checks": verdict.checks,
        "reason": verdict.reason or None,
    }


def _case(case: Case) -> dict[str, Any]:
    finding = case.finding
    return {
        "number": case.number,
        "rule": finding.rule.id,
        "severity": finding.rule.severity,
        "operation": finding.operation,
        "field": finding.field or None,
        "message": finding.message,
        "words": finding.words or None,
        "place": finding.rule.place,
        "advice": finding.rule.advice,
        "times": finding.times,
        "accepted": finding.accepted
        and {"reason": finding.accepted.reason, "until": f"{finding.accepted.until}"},
        "folded": [
            {"rule": each.rule.id, "field": each.field or None, "message": each.message}
            for each in finding.folded
        ],
        "exchange": _exchange(finding.exchange, case.command) if finding.exchange and case.command else None,
        "related": [_exchange(exchange, command) for exchange, command in case.related],
    }


def _exchange(exchange: Exchange, command: Command) -> dict[str, Any]:
    request = exchange.request
    return {
        "number": exchange.number,
        "at": isoformat(exchange.at),
        "operation": exchange.label,
        "purpose": exchange.purpose,
        "account": exchange.account or None,
        "credits": {"reserved": exchange.reserved, "booked": exchange.booked, "spent": exchange.spent},
        "failure": exchange.failure or None,
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": _pairs(request.headers),
            "body": _body(request.body),
            "curl": command.whole,
        },
        "response": _answer(exchange.answer) if exchange.answer else None,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "headers": _pairs(answer.headers),
        "body": _body(answer.body),
        "ms": round(answer.seconds * 1000, 2),
    }


def _pairs(headers: Headers) -> list[list[str]]:
    return [[name, value] for name, value in headers]


def _body(body: bytes) -> dict[str, Any]:
    text = text_of(body)
    if text is None:
        return {"size": len(body), "base64": base64.b64encode(body).decode()}
    return {"size": len(body), "text": text}
