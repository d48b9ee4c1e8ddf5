"""Money, credit by credit: on test accounts of known credits, where there are such accounts."""

from __future__ import annotations

from typing import Any

from openapi.model import Operation

from ...bodies.places import with_value
from ...exchange import Exchange, label_of
from ..accounts import Account
from ..checker import Check, answered, code_in, is_success
from ..jobs import Job, Jobs
from .bodies import legal_body

_AT_ONCE = 3
"""Creates that are sent side by side."""


def try_empty(check: Check, jobs: Jobs) -> None:
    """An account with no credits is refused by 402, wherever something costs credits."""
    empty = check.accounts.empty
    for operation in (each for each in check.creates if each.credits):
        if empty is None:
            check.unjudged("no account is known to be empty: see --empty-token", operation, "credits.empty")
            continue
        with check.within_budget(operation, "credits.empty"):
            _expect_too_poor(check, jobs, operation, empty, "an account with no credits")


def _expect_too_poor(check: Check, jobs: Jobs, operation: Operation, account: Account, says: str) -> Exchange:
    exchange = check.call(operation, account, legal_body(check, operation, account), purpose=says)
    jobs.accept(exchange, account)
    status, expected = answered(exchange), check.status_of("insufficient_credits")
    if 0 < status < 500:
        kept = status == expected and code_in(exchange) == "insufficient_credits"
        message = (
            f"{says[0].upper()}{says[1:]} was answered by {status} {code_in(exchange) or ''} in place of "
            f"{expected} insufficient_credits"
        )
        check.expect("credits.empty", exchange, kept, message)
    return exchange


def try_balances(check: Check, jobs: Jobs) -> None:
    """Spend test accounts to their last credit, and see what is left by what is still accepted."""
    paid = [operation for operation in check.creates if operation.credits]
    rules = ("credits.balance", "refuse.leaves-no-trace")
    if not check.accounts.made_to_order or not paid:
        for operation in paid:
            check.unjudged("accounts of known credits can't be opened here", operation, *rules)
        return
    cheapest = paid[0]
    for operation in paid[1:]:
        with check.within_budget(operation, "credits.balance"):
            _spend_exactly(check, jobs, operation, cheapest)
    with check.within_budget(cheapest, *rules, "credits.refund"):
        _spend_after_refusals(check, jobs, cheapest)
    with check.within_budget(cheapest, "credits.balance"):
        _spend_at_once(check, jobs, cheapest)


def _spend_exactly(check: Check, jobs: Jobs, operation: Operation, cheapest: Operation) -> None:
    """An account that has the price: it is accepted once, and has nothing left."""
    account = check.accounts.with_credits(operation.credits, f"with {operation.credits} credits")
    body = legal_body(check, operation, account)
    body = _smallest(operation, body)
    exchange, job = jobs.create(
        operation, account, body, "a create by an account that has just its price", is_plain=True
    )
    if not answered(exchange):
        return
    message = f"An account with {operation.credits} credits, the price, was answered by {_told(exchange)}"
    if not check.expect("credits.balance", exchange, is_success(exchange), message):
        return
    _expect_spent(check, jobs, cheapest, account, exchange)
    if job is not None:
        jobs.watch(job)


def _expect_spent(check: Check, jobs: Jobs, cheapest: Operation, account: Account, after: Exchange) -> None:
    """Everything is spent, so not even the cheapest create is accepted."""
    exchange = check.call(
        cheapest, account, legal_body(check, cheapest, account), purpose="an account that has spent all"
    )
    jobs.accept(exchange, account)
    if not 0 < answered(exchange) < 500:
        return
    kept = answered(exchange) == check.status_of("insufficient_credits")
    message = (
        f"The account had {account.credits} credits and has spent all of them, and another create was "
        f"answered by {_told(exchange)}"
    )
    check.expect("credits.balance", exchange, kept, message, operation=after.label, related=(after,))


def _spend_after_refusals(check: Check, jobs: Jobs, operation: Operation) -> None:
    """Refused calls and a failed job first; then the account has all that it began with."""
    price = operation.credits
    account = check.accounts.with_credits(2 * price, f"with {2 * price} credits")
    refused = _be_refused(check, account)
    body = legal_body(check, operation, account)
    failing = _failing(check, operation, body)
    failed: Job | None = None
    if failing is not None:
        exchange, failed = jobs.create(operation, account, failing, "a job that is to fail")
        if not _expect_paid(check, exchange, "refuse.leaves-no-trace", "after refused calls only", refused):
            return
        if failed is not None:
            jobs.watch(failed)
            _expect_failed(check, failed)
    for turn in (1, 2):
        exchange, _ = jobs.create(operation, account, body, f"credit {turn * price} of {2 * price}")
        rule_id = "credits.refund" if failed is not None else "refuse.leaves-no-trace"
        told = "after a job that failed" if failed is not None else "after refused calls only"
        related = (failed.made,) if failed is not None else refused
        if turn == 1 and failed is not None:
            rule_id = "credits.balance"
        if not _expect_paid(check, exchange, rule_id, told, related):
            return
    _expect_spent(check, jobs, operation, account, exchange)


def _be_refused(check: Check, account: Account) -> tuple[Exchange, ...]:
    """Have an account's calls refused for reasons of every kind."""
    refused = []
    for operation in check.creates:
        body = legal_body(check, operation, account)
        for says, wrong in (
            ("an illegal body, which must cost nothing", {}),
            ("an asset that there is not, which must cost nothing", _other_asset(operation, body)),
            ("JSON that is cut off, which must cost nothing", None),
        ):
            content = b'{"cut": ' if wrong is None else None
            refused.append(check.call(operation, account, wrong, content=content, purpose=says))
    return tuple(refused)


def _expect_paid(
    check: Check, exchange: Exchange, rule_id: str, told: str, related: tuple[Exchange, ...]
) -> bool:
    if not answered(exchange):
        return False
    kept = answered(exchange) != check.status_of("insufficient_credits")
    message = f"The account's credits are gone {told}: it was answered by {_told(exchange)}"
    return check.expect(rule_id, exchange, kept, message, related=related[-3:]) and is_success(exchange)


def _expect_failed(check: Check, job: Job) -> None:
    if job.has_ended and job.last is not None:
        message = f"The published asset for a failing job ended in {job.status}"
        label = label_of(job.operation)
        check.expect(
            "project.error",
            job.last,
            job.status == "error",
            message,
            "status",
            operation=label,
            related=(job.made,),
        )


def _spend_at_once(check: Check, jobs: Jobs, operation: Operation) -> None:
    """Creates side by side can't overdraw an account that has the price of one."""
    account = check.accounts.with_credits(operation.credits, "with the price of one")
    body = legal_body(check, operation, account)
    call = check.prepared(
        operation, account, body, purpose=f"one of {_AT_ONCE} at once, of which one can be paid"
    )
    exchanges = check.sender.send_together([call] * _AT_ONCE)
    accepted = [exchange for exchange in exchanges if is_success(exchange)]
    for exchange in accepted:
        jobs.accept(exchange, account)
    if all(answered(exchange) for exchange in exchanges):
        message = f"Of {_AT_ONCE} creates at once {len(accepted)} were accepted; the account could pay one"
        check.expect(
            "credits.balance", exchanges[-1], len(accepted) == 1, message, related=tuple(exchanges[:-1])
        )


def try_plan(check: Check, jobs: Jobs) -> None:
    """Ask for more than the tightest plan allows, and for just as much."""
    for operation in check.creates:
        for path, limit_name in operation.annotated("x-plan-limit"):
            if not check.accounts.made_to_order:
                check.unjudged("no account's plan is known", operation, "credits.plan")
                continue
            with check.within_budget(operation, "credits.plan"):
                _try_limit(check, jobs, operation, path, check.accounts.tightest_plan.get(limit_name))


def _try_limit(
    check: Check, jobs: Jobs, operation: Operation, path: tuple[str, ...], limit: int | None
) -> None:
    if limit is None:
        return
    expected = check.status_of("plan_upgrade_required")
    for credits, value, code in (
        (operation.credits, limit + 1, "plan_upgrade_required"),
        (0, limit, "insufficient_credits"),
    ):
        account = check.accounts.on_tightest_plan(credits, f"on the tightest plan, {credits} credits")
        body = with_value(legal_body(check, operation, account), path, value)
        exchange = check.call(
            operation, account, body, purpose=f"{path[-1]} {value} on a plan that allows {limit}"
        )
        jobs.accept(exchange, account)
        if 0 < answered(exchange) < 500:
            kept = answered(exchange) == expected and code_in(exchange) == code
            message = (
                f"{value} on a plan that allows {limit} was answered by {_told(exchange)}; expected {code}"
            )
            check.expect("credits.plan", exchange, kept, message, path[-1])


def _failing(check: Check, operation: Operation, body: Any) -> Any:
    """A body whose job fails, by the asset that is published for it; None where there is none."""
    template, codes = (check.contract.extension(key) for key in ("x-failing-asset", "x-job-errors"))
    if not template or not codes:
        return None
    return _naming(operation, body, template.replace("{code}", next(iter(codes))))


def _other_asset(operation: Operation, body: Any) -> Any:
    return _naming(operation, body, "api-assets/bluehour-never-issued/image.png")


def _naming(operation: Operation, body: Any, asset: str) -> Any:
    for path, _ in operation.annotated("x-asset-type"):
        body = with_value(body, path, asset)
    return body


def _smallest(operation: Operation, body: Any) -> Any:
    """The body with every number that sizes the picture at its minimum: it is soonest made and fetched."""
    for path, _ in operation.annotated("x-plan-limit"):
        minimum = _schema_of(operation, path).get("minimum")
        if minimum is not None:
            body = with_value(body, path, minimum)
    return body


def _schema_of(operation: Operation, path: tuple[str, ...]) -> dict[str, Any]:
    from ...bodies.places import places
    from ..checker import json_of

    media = json_of(operation)
    found = places(media.schema, media.example) if media else ()
    return next((place.node for place in found if place.path == path), {})


def _told(exchange: Exchange) -> str:
    return f"{answered(exchange)} {code_in(exchange) or ''}".strip()
