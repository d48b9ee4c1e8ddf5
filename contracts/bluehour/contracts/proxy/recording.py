"""A case as the journal keeps it, with the faults of its request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bluehour.mock_server.api.reply import Reply
from bluehour.mock_server.api.secrets import Secrets
from bluehour.mock_server.api.trace import Trace, Violation
from bluehour.mock_server.journal.judging import faults_of
from bluehour.mock_server.journal.record import Record, record
from bluehour.mock_server.mock import Mock
from bluehour.openapi.faults import Fault

from .. import judge
from .case import Case


def recorded(
    case: Case, note: Mapping[str, Any], violations: Iterable[judge.Violation], mock: Mock
) -> Record:
    """Return a case as the journal keeps it."""
    passed = case.passed
    trace = Trace(
        operation=case.operation,
        transfer=case.transfer,
        path_values=case.path_values,
        token=case.token,
        account_id=None if case.token is None else mock.world.account_id_of(case.token),
        note=note,
        broken=[Violation(each.rule.id, each.field, each.message) for each in violations],
        remarks=case.remarks,
    )
    request = passed.request
    request.body = case.request_body or b""
    reply = Reply(passed.status, list(passed.answer_headers))
    return record(
        request,
        trace,
        reply,
        mock.secrets,
        at=passed.at,
        ms=passed.seconds * 1000,
        body=case.request_body,
        size=passed.request_body.size,
        answer=case.answer_body,
        answer_size=passed.answer_body.size,
    )


def faults_in(case: Case, kept: Record, secrets: Secrets) -> list[Fault]:
    """Return what of a request breaks the contract; no credential is in it."""
    return [Fault(secrets.hide(each.where), secrets.hide(each.message)) for each in _faults(case, kept)]


def _faults(case: Case, kept: Record) -> list[Fault]:
    if case.passed.malformed:
        return [Fault("HTTP", case.passed.malformed)]
    entry = kept.entry(0)
    if case.request_body is not None:  # the journal keeps no large ones
        entry = replace(entry, request_body=case.request_body)
    return faults_of(entry)
