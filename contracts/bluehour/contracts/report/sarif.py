"""The findings as SARIF 2.1.0, which code scanning reads: of GitHub, of GitLab, of editors."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from bluehour.mock_server.core.clock import isoformat
from bluehour.openapi.messages import phrase

from ..exchange import Answer, Exchange, Headers, Request
from ..results import Exit, Finding, Report
from ..rules import Rule, Severity
from .shown import Case, shown
from .summary import conclusion
from .texts import cut, text_of

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LONGEST_BODY = 3_000
_OF_URLS = "!#$%&'()*+,/:;=?@~"


def sarif(report: Report) -> str:
    """Return the log: a run with its rules, and a result for each finding, with the exchange that shows it.

    A server has no files: where a result has to have a place in one, it is the URL of the request. What the
    baseline accepts is there, suppressed.
    """
    known = shown(report)
    rules = list(dict.fromkeys(case.finding.rule for case in known.cases))
    run = {
        "tool": {
            "driver": {
                "name": "bluehour check",
                "semanticVersion": known.report.version,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [_invocation(known.report)],
        "results": [_result(case, rules.index(case.finding.rule), known.report) for case in known.cases],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title}. The contract says so at: {rule.place}"},
        "help": {"text": rule.advice},
        "defaultConfiguration": {"level": _level(rule)},
        "properties": {"tags": [rule.group]},
    }


def _level(rule: Rule) -> str:
    return "error" if rule.severity is Severity.ERROR else "warning"


def _invocation(report: Report) -> dict[str, Any]:
    told = [report.stopped] if report.stopped else []
    return {
        "executionSuccessful": report.exit_code in (Exit.CONFORMS, Exit.FINDINGS) and not report.stopped,
        "exitCode": int(report.exit_code),
        "exitCodeDescription": conclusion(report),
        "startTimeUtc": isoformat(report.started_at),
        "endTimeUtc": isoformat(report.started_at + report.seconds),
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": text}}
            for level, texts in (("error", told), ("note", report.notes))
            for text in texts
        ],
    }


def _result(case: Case, rule_index: int, report: Report) -> dict[str, Any]:
    finding, exchange = case.finding, case.finding.exchange
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": rule_index,
        "level": _level(finding.rule),
        "message": {"text": _message(finding)},
        "locations": [_location(finding, exchange.request.url if exchange else report.target)],
        "occurrenceCount": finding.times,
        # The same finding of another day, whatever its words: ids and times are others each time.
        "partialFingerprints": {"finding/v1": f"{finding.rule.id} {finding.operation} {finding.field}"},
    }
    if exchange is not None:
        result["webRequest"] = _request(exchange.request)
        result["webResponse"] = _response(exchange)
    if finding.accepted:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": f"{finding.accepted}"}
        ]
    return result


def _message(finding: Finding) -> str:
    where = f"{finding.operation}, {finding.field}" if finding.field else finding.operation
    return f"{where}: {finding.message} {finding.consequences}".rstrip()


def _location(finding: Finding, url: str) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(url, _OF_URLS)}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": finding.operation, "kind": "resource"}],
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "protocol": "HTTP",
        "version": "1.1",
        "method": request.method,
        "target": request.url,
        "headers": _headers(request.headers),
        "body": _body(request.body),
    }


def _response(exchange: Exchange) -> dict[str, Any]:
    answer: Answer | None = exchange.answer
    if answer is None:
        return {"noResponseReceived": True, "properties": {"failure": exchange.failure}}
    return {
        "statusCode": answer.status,
        "reasonPhrase": phrase(answer.status),
        "headers": _headers(answer.headers),
        "body": _body(answer.body),
    }


def _headers(headers: Headers) -> dict[str, str]:
    """By name; of several of one name, the first."""
    return dict(reversed(headers))


def _body(body: bytes) -> dict[str, str]:
    text = text_of(body)
    return {"text": f"{len(body)} bytes that are no text" if text is None else cut(text, _LONGEST_BODY)}
