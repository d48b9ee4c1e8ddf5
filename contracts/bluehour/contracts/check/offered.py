"""Operations that the deployment does not have: one cause of many findings, and told as one.

It answers everything alike. What a gateway refuses before it looks for an operation says nothing: who calls,
how often and how much, and bodies that are no JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote, urlsplit

import orjson

from bluehour.openapi.model import Operation
from bluehour.openapi.wording import counted

from ..exchange import Exchange, label_of
from ..judge import Violation
from ..rules import rule
from .checker import Check, is_success

RULE = "answer.offered"

_MISSING = {404, 405, 501}
_OF_GATEWAYS = {401, 403, 413, 415, 429}
_LEAST = 2
"""Calls; a single one that fails is what it is."""


def judge_offered(check: Check) -> None:
    """Say of each operation that was called whether it is there; fold what was found at one that is not."""
    exchanges = check.sender.exchanges
    for label, telling in calls_that_tell(exchanges, {*made(exchanges), *check.items.ids.values()}).items():
        statuses = sorted({each.answer.status for each in telling if each.answer})
        if not _MISSING.issuperset(statuses):
            check.findings.keep(RULE, label)
        elif len(telling) >= _LEAST:
            calls, status = counted(len(telling), "call"), " or ".join(map(str, statuses))
            words = f"The deployment has no {label}: {calls}, and each answered by {status}"
            shown = next(filter(_is_legal, telling), telling[0])
            check.findings.fold(Violation(rule(RULE), label, "", words), shown, len(telling))


def made(exchanges: Sequence[Exchange]) -> set[str]:
    """Return the ids of what was made: who is asked for another rightly says that there is none."""
    creates = (each for each in exchanges if each.request.method == "POST" and is_success(each))
    told = [each.answer.field("id") for each in creates if each.answer]
    # A number that no path holds is no id, and Python writes down none that is too long.
    return {
        f"{each}" for each in told if isinstance(each, str) or (isinstance(each, int) and abs(each) < 2**63)
    }


def calls_that_tell(exchanges: Sequence[Exchange], ids: set[str]) -> Mapping[str, list[Exchange]]:
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
    return media is None or media.schema.accepts(orjson.loads(exchange.request.body))
