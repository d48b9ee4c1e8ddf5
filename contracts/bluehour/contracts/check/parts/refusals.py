"""What must be refused: every field of every request, against every rule of its schema, one at a time."""

from __future__ import annotations

from typing import Any

from bluehour.openapi.model import Operation
from bluehour.openapi.wording import cut

from ...bodies import Illegal, illegal, unparsable
from ...bodies.places import without
from ...exchange import Exchange, label_of
from ...rules import RULES
from ..checker import Check, Refused, answered, code_in, is_success
from ..jobs import Jobs
from .bodies import legal_body

_GONE = (404, 410)
"""What an item that is not there is answered by, whatever is sent of it."""

_REPLICAS = 3
"""Of a server, which take turns: what one of them does wrong every third request shows."""

_HOW = ("refuse.status", "refuse.names-fault")
"""The rules about how a refusal has to look."""

REFUSED = tuple(each.id for each in RULES if each.group == "refuse")


def try_illegal(check: Check, jobs: Jobs) -> None:
    """Send bodies with one fault each; of a rule that is broken at an operation, no more are sent to it."""
    for operation in (*check.bodied, *check.creates):
        base = legal_body(check, operation, check.accounts.main)
        variants = _variants(check, operation, base)
        rules = {variant.rule for variant in variants}
        with check.within_budget(operation, *sorted(rules | set(_HOW))):
            for variant in variants:
                if not check.findings.is_broken(variant.rule, label_of(operation)):
                    send_illegal(check, jobs, operation, variant)
            _try_two_faults(check, operation, base)


def _variants(check: Check, operation: Operation, base: Any) -> list[Illegal]:
    media = operation.json_body
    if media is None:
        return []
    variants = (*unparsable(media, base), *illegal(media, base, check.random))
    every = check.findings.wants(_HOW)
    return [
        variant
        for variant in variants
        if (every or check.findings.wants((variant.rule,))) and not _may_be_legal(operation, variant)
    ]


def _may_be_legal(operation: Operation, variant: Illegal) -> bool:
    """Tell whether an operation takes no body at all, or other media types than JSON as well."""
    if operation.body is None or not variant.content:
        return operation.body is None or not operation.body.required
    return variant.rule == "refuse.media-type" and operation.body.media_type(variant.content_type) is not None


def try_again(check: Check, jobs: Jobs) -> None:
    """Send what was refused once more: one replica of a server may be older than the others."""
    _repeat(check, jobs, 1)


def try_again_and_again(check: Check, jobs: Jobs) -> None:
    """Send it several times in a row, so that each of some replicas that take turns gets it."""
    _repeat(check, jobs, _REPLICAS if check.is_local else 1)


def _repeat(check: Check, jobs: Jobs, times: int) -> None:
    for operation, variant, before in [*check.refused.values()]:
        with check.within_budget(operation, variant.rule):
            for _ in range(times):
                if not check.findings.is_broken(variant.rule, label_of(operation)):
                    send_illegal(check, jobs, operation, variant, before)


def send_illegal(
    check: Check, jobs: Jobs, operation: Operation, variant: Illegal, before: Exchange | None = None
) -> None:
    """Send a body that must be refused, and say whether it was, and how.

    Args:
        before: an exchange in which it was refused.
    """
    again = ", once more" if before else ""
    exchange = check.call(
        operation,
        check.accounts.main,
        content=variant.content,
        content_type=variant.content_type or None,
        purpose=f"{variant.field}: {variant.says}{again}",
        fresh=before is not None,
    )
    if judge_refusal(check, exchange, variant, before):
        place = variant.place.path if variant.place else ""
        check.refused.setdefault((operation.id, variant.rule, place), Refused(operation, variant, exchange))
    jobs.accept(exchange, check.accounts.main)


def judge_refusal(check: Check, exchange: Exchange, variant: Illegal, before: Exchange | None = None) -> bool:
    """Say whether an illegal request was refused as it should be, and return whether it was refused."""
    status = answered(exchange)
    if status == 0 or status >= 500:  # told by the rules of every answer
        return False
    if status in (check.status_of("insufficient_credits"), check.status_of("unauthorized")):
        check.unjudged(f"the account's requests are refused by {status}", exchange.label, variant.rule)
        return False
    if status in _GONE and exchange.operation is not None and "{" in exchange.operation.path:
        why = f"there is no item to try it with: {status}"
        check.unjudged(why, exchange.label, variant.rule)
        return False
    accepted = is_success(exchange)
    if not accepted and exchange.operation is not None:
        check.refused_by.setdefault(exchange.operation.id, set()).add(status)
    message = f"{variant.field}: {variant.says}; it was accepted"
    if before:
        message += f", and request {before.number}, the same, was refused: do all replicas run one version?"
    words = variant.words if accepted else ""  # they take longer to find than all else of a refusal
    related = (before,) if before else ()
    if not check.expect(
        variant.rule, exchange, not accepted, message, variant.field, words=words, related=related
    ):
        return False
    _judge_status(check, exchange, variant)
    _judge_message(check, exchange, [variant.field])
    return True


def _judge_status(check: Check, exchange: Exchange, variant: Illegal) -> None:
    status, expected = answered(exchange), check.status_of("invalid_request")
    code = code_in(exchange)
    kept = status == expected and code in ("invalid_request", None)  # of a missing code the schema tells
    what = f"{status} {code}" if status == expected else f"{status}"
    message = f"{variant.field}: {variant.says}; it was refused by {what} in place of {expected}"
    words = "" if kept else variant.words
    check.expect("refuse.status", exchange, kept, message, f"{status}", words=words)


def _judge_message(check: Check, exchange: Exchange, fields: list[str]) -> None:
    if answered(exchange) != check.status_of("invalid_request"):
        return
    text = exchange.answer.field("message") if exchange.answer else None
    if not isinstance(text, str):  # the schema tells
        return
    unnamed = [field for field in fields if not _is_named(field, text)]
    message = f"The message does not name {', '.join(unnamed)}: {cut(text, 120)!r}"
    check.expect("refuse.names-fault", exchange, not unnamed, message, unnamed[0] if unnamed else "")


def _is_named(field: str, message: str) -> bool:
    """Whether a message names a field, by its last name at least."""
    if field in ("body", "Content-Type"):
        return bool(message.strip())
    return field.rpartition(".")[2].partition("[")[0] in message


def _try_two_faults(check: Check, operation: Operation, base: Any) -> None:
    """A body with two faults: the message names both."""
    media = operation.json_body
    if media is None:
        return
    needed = [name for name in media.schema.resolved.get("required", ()) if name in base]
    if len(needed) < 2:
        return
    fields = needed[:2]
    body = base
    for name in fields:
        body = without(body, (name,))
    exchange = check.call(
        operation, check.accounts.main, body, purpose=f"both {' and '.join(fields)} missing"
    )
    _judge_message(check, exchange, fields)
