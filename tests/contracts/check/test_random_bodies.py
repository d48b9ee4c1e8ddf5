"""Bodies that schemathesis makes up: what is legal or not is told by the contract, not by who made it up."""

from __future__ import annotations

import json
from typing import Any

from bluehour.contracts.results import Report
from bluehour.contracts.rules import rule
from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON

from ...deviants.altering import after
from ...deviants.catalogue import DEVIANTS
from ...deviants.checking import checked
from ...deviants.deviant import Deviant
from ...deviants.names import UPLOAD_URLS
from ...editors import EDITORS

RANDOM = ("refuse.random", "accept.random")


def report_on(deviant: Deviant | None) -> Report:
    return checked(deviant, rules=tuple(map(rule, RANDOM)), max_credits=30)


def bodies_of(report: Report, operation_id: str) -> list[Any]:
    return [
        json.loads(exchange.request.body)
        for exchange in report.exchanges
        if exchange.operation is not None and exchange.operation.id == operation_id and exchange.request.body
    ]


def test_a_right_server_refuses_what_is_illegal_and_accepts_what_is_legal() -> None:
    report = report_on(None)
    assert [finding.message for finding in report.findings] == []
    verdicts = {(each.rule.id, each.operation): each.checks for each in report.verdicts}
    for operation in EDITORS.operations:
        if operation.body is None:
            continue
        schema = operation.body.content[JSON].schema
        legal = [schema.accepts(body) for body in bodies_of(report, operation.id)]
        assert verdicts["refuse.random", f"{operation.method} {operation.path}"] >= 5
        assert legal.count(False) >= 5
        assert True in legal


def test_a_server_that_takes_anything_is_found() -> None:
    media = load().operation(UPLOAD_URLS).success[1].json
    assert media is not None
    wrap = after(UPLOAD_URLS, 400, lambda answered: answered.with_status(200).with_json(media.example))
    naive = Deviant("naive", "It refuses nothing.", "", UPLOAD_URLS, wrap, lambda _: None, "validation")
    assert [finding.rule.id for finding in report_on(naive).findings] == ["refuse.random"]


def test_a_server_that_refuses_what_it_does_not_know_is_found() -> None:
    (strict,) = (each for each in DEVIANTS if each.name == "unknown-key-refused")
    assert "accept.random" in {finding.rule.id for finding in report_on(strict).findings}
