"""A case as the journal keeps it, with the faults of its request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bluehour.mock_server.core.accounts import Account
from bluehour.mock_server.journal.judging import Fault, faults_of
from bluehour.mock_server.journal.recorder import Record, record
from bluehour.mock_server.api.secrets import Secrets
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.api.trace import Broken, Trace
from bluehour.mock_server.server.wsgi import from_wsgi

from ..judge import Breach
from .case import Case


def recorded(case: Case, note: Mapping[str, Any], breaches: Iterable[Breach], mock: Mock) -> Record:
    """Return a case as the journal keeps it."""
    passed = case.passed
    trace = Trace(
        headers=passed.request_headers,
        operation=case.operation,
        transfer=case.transfer,
        path_values=case.path_values,
        token=case.token,
        account=_account(case.token, mock),
        body=case.request_body,
        answer=case.answer_body,
        note=note,
        broken=[Broken(each.rule.id, each.field, each.message) for each in breaches],
        remarks=case.remarks,
    )
    habit = mock.habits.seen_in(trace, passed.at, frozen=False) if trace.account else None
    return record(
        trace,
        mock.secrets,
        at=passed.at,
        ms=passed.seconds * 1000,
        method=passed.method,
        path=from_wsgi(passed.path),
        query=from_wsgi(passed.query),
        size=passed.request_body.size,
        status=passed.status,
        headers=passed.answer_headers,
        answer_size=passed.answer_body.size,
        habit=habit,
    )


def faults_in(case: Case, kept: Record, secrets: Secrets) -> list[Fault]:
    """Return what of a request breaks the contract; no credential is in it."""
    return [Fault(secrets.hide(each.where), secrets.hide(each.message)) for each in _faults(case, kept)]


def _faults(case: Case, kept: Record) -> list[Fault]:
    if case.passed.malformed:
        return [Fault("HTTP", case.passed.malformed)]
    exchange = kept.exchange(0)
    if case.request_body is not None:  # the journal keeps no large ones
        exchange = replace(exchange, request_body=case.request_body)
    return faults_of(exchange)


def _account(token: str | None, mock: Mock) -> Account | None:
    account_id = None if token is None else mock.account_id_of(token)
    return None if account_id is None else Account(account_id, plan="", credits=0)
