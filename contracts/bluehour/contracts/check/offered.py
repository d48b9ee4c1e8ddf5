"""Operations that are wrong as a whole: one cause of many findings, and told as one.

The deployment does not have one, fails at whatever is asked of it, or refuses the account there: it answers
everything alike. What a gateway refuses before it looks for an operation does not tell whether it is there:
who calls, how often and how much, and bodies that are no JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

import orjson

from bluehour.openapi.model import Operation
from bluehour.openapi.wording import counted

from ..exchange import Exchange, label_of
from ..judge import Violation
from ..rules import rule
from .checker import Check, answered, is_success

RULE = "answer.offered"

_FAILS = "answer.server-error"

_MISSING = {404, 405, 501}
_REFUSED = {401, 403}
_OF_GATEWAYS = {401, 403, 413, 415, 429}
_LEAST = 2
"""Calls; a single one that fails is what it is."""


def judge_as_a_whole(check: Check) -> None:
    """Say whether each operation that was called works at all; fold what was found at one that does not."""
    exchanges = check.sender.exchanges
    telling = calls_that_tell(exchanges, {*made(exchanges), *check.items.ids.values()})
    for label, calls in _of_the_account(check).items():
        if _REFUSED.issuperset(map(answered, calls)) and check.findings.is_any_broken(label):
            _fold(check, RULE, label, calls, f"{label} is refused to the account of --token")
            telling.pop(label, None)
    for label, calls in telling.items():
        statuses = [*map(answered, calls)]
        if _MISSING.issuperset(statuses):
            _fold(check, RULE, label, calls, f"the deployment has no {label}")
            continue
        check.findings.keep(RULE, label)
        if min(statuses) >= 500 and check.findings.is_broken(_FAILS, label):
            _fold(check, _FAILS, label, calls, f"{label} fails at whatever is asked of it")
    uploads = [each for each in exchanges if each.transfer == "upload" and each.answer]
    if uploads and check.findings.is_any_broken("upload") and not any(map(is_success, uploads)):
        rule_id = _FAILS if min(map(answered, uploads)) >= 500 else "upload.put"
        _fold(check, rule_id, "upload", uploads, "no upload is accepted")


def _fold(check: Check, rule_id: str, label: str, calls: Sequence[Exchange], what: str) -> None:
    if len(calls) < _LEAST:
        return
    statuses = " or ".join(map(str, sorted({*map(answered, calls)})))
    many = counted(len(calls), "call")
    words = f"{what[0].upper()}{what[1:]}: {many}, and each answered by {statuses}"
    shown = next(filter(_is_legal, calls), calls[0])
    check.findings.fold(Violation(rule(rule_id), label, "", words), shown, len(calls), what)


def _of_the_account(check: Check) -> dict[str, list[Exchange]]:
    """Return the main account's calls that were answered, by operation."""
    found: dict[str, list[Exchange]] = {}
    for each in check.sender.exchanges:
        if each.operation is not None and each.answer and each.account == check.accounts.main.label:
            found.setdefault(label_of(each.operation), []).append(each)
    return found


def made(exchanges: Sequence[Exchange]) -> set[str]:
    """Return the ids of what was made: who is asked for another rightly says that there is none."""
    creates = (each for each in exchanges if each.request.method == "POST" and is_success(each))
    told = [each.answer.field("id") for each in creates if each.answer]
    # A number that no path holds is no id, and Python writes down none that is too long.
    return {
        f"{each}" for each in told if isinstance(each, str) or (isinstance(each, int) and abs(each) < 2**63)
    }


def calls_that_tell(exchanges: Sequence[Exchange], ids: set[str]) -> dict[str, list[Exchange]]:
    """Return the calls, by operation, whose answer tells whether the operation is there."""
    found: dict[str, list[Exchange]] = {}
    for each in exchanges:
        operation, answer = each.operation, each.answer
        if operation is None or answer is None or answer.status in _OF_GATEWAYS:
            continue
        if answer.status == 404 and _may_be_nothing(operation, each, ids):
            continue
        if operation.json_body is None or _is_json(each.request.body):
            found.setdefault(label_of(operation), []).append(each)
    return found


def _may_be_nothing(operation: Operation, exchange: Exchange, ids: set[str]) -> bool:
    """Tell whether a 404 may be right: nobody has made what is asked for."""
    if "{" in operation.path:
        return not operation.path.endswith("}") or ids.isdisjoint(_segments(exchange))
    return operation.method == "GET" and "404" in operation.responses


def _segments(exchange: Exchange) -> Iterable[str]:
    return map(unquote, urlsplit(exchange.request.url).path.split("/"))


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True


def _is_legal(exchange: Exchange) -> bool:
    media = exchange.operation.json_body if exchange.operation else None
    content = exchange.request.body
    return media is None or (_is_json(content) and media.schema.accepts(orjson.loads(content)))
