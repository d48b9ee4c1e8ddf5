"""Money, credit by credit: on test accounts of known credits, where there are such accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from bluehour.openapi import terms
from bluehour.openapi.model import Operation
from bluehour.openapi.terms import usual_price

from ...bodies.places import with_value
from ...exchange import Exchange, label_of
from ..accounts import Account
from ..checker import Check, answered, code_in, is_success, path_values
from ..jobs import Job, Jobs
from ..sender import TooBusy
from .bodies import assets_in, at_maximum, example_asset, legal_body, naming
from .examples import create_example

_NEVER_ISSUED = "api-assets/bluehour-never-issued/image.png"

_ITEM = {"type": "image", "extension": "png"}

_REFUSING = 4
"""Creates by which an account is refused before it pays for something."""

_AT_ONCE = 3
"""Creates that are sent side by side, of which one can be paid."""

_PAID_AT_ONCE = 2
"""Creates that are sent side by side and paid: the balance tells what was booked."""


def try_empty(check: Check, jobs: Jobs) -> None:
    """An account with no credits is refused by 402, wherever something costs credits."""
    empty = check.accounts.empty
    for operation in check.paid:
        if empty is None:
            check.unjudged("no account is known to be empty: see --empty-token", operation, "credits.empty")
            continue
        with check.within_budget(operation, "credits.empty"):
            _expect_too_poor(check, jobs, operation, empty, "with no credits")
    dearest = next((each for each in reversed(check.paid) if terms.is_simple(each)), None)
    if dearest is not None and check.accounts.made_to_order and usual_price(dearest) > 1:
        lacks_one = check.accounts.with_credits(usual_price(dearest) - 1, "with a credit too few")
        with check.within_budget(dearest, "credits.empty"):
            _expect_too_poor(check, jobs, dearest, lacks_one, "with a credit too few")


def _expect_too_poor(check: Check, jobs: Jobs, operation: Operation, account: Account, says: str) -> None:
    body = legal_body(check, operation, account)
    try:
        exchange = check.call(operation, account, body, purpose=f"an account {says}")
    except TooBusy:
        # If the account is served elsewhere, it is not for its haste that it is refused here.
        exchange = check.sender.exchanges[-1]
        served = (
            check.call(each, account, {"items": [_ITEM]}, purpose="is it busy?") for each in check.uploads
        )
        if not any(is_success(each) for each in served):
            raise
    jobs.accept(exchange, account)
    if 0 < answered(exchange) < 500:
        expected = check.status_of("insufficient_credits")
        kept = answered(exchange) == expected and code_in(exchange) == "insufficient_credits"
        message = (
            f"An account {says} was answered by {_words(exchange)} in place of "
            f"{expected} insufficient_credits"
        )
        check.expect("credits.empty", exchange, kept, message)


def spend_on_example(
    check: Check, jobs: Jobs, operation: Operation, cheapest: Operation, *, may_fail: bool
) -> Exchange:
    """Have an account that has just the price refused, then fail, then create by the published example.

    After each step it still has all that it began with, and after the last nothing.
    """
    price = check.price_of(operation, operation.json_body.example if operation.json_body else None)
    account = check.accounts.with_credits(price, f"with {price} credits, the price")
    refused = _be_refused(check, account)
    failed = _fail(check, jobs, operation, account, refused) if may_fail else None
    exchange, job = create_example(check, jobs, operation, account)
    if answered(exchange) == check.status_of("insufficient_credits"):
        if failed is not None and not failed.has_ended:
            check.unjudged("a job that was to fail was not seen to end", operation, "credits.refund")
            return exchange
        rule_id, related = (
            ("credits.refund", (failed.made,)) if failed else ("refuse.leaves-no-trace", refused)
        )
        words = "after a job that failed" if failed else "after refused calls only"
        message = f"The account had {price} credits, the price, and can't pay {words}: more was charged"
        check.expect(rule_id, exchange, False, message, related=related[-3:])
        return exchange
    if is_success(exchange):
        check.expect("credits.refund" if failed else "refuse.leaves-no-trace", exchange, True, "")
        if not terms.settles(operation):
            _expect_spent(check, jobs, cheapest, account, exchange)
    if job is not None:
        jobs.watch(job)
    return exchange


def _be_refused(check: Check, account: Account) -> tuple[Exchange, ...]:
    """Have an account's calls refused for reasons of every kind."""
    refused = []
    for operation in check.paid[:_REFUSING]:
        body = legal_body(check, operation, account)
        if not assets_in(operation, body):
            continue
        unissued = naming(operation, body, _NEVER_ISSUED)
        purpose = "a refusal that must cost nothing"
        refused += [
            check.call(operation, account, {}, purpose=f"{purpose}: an illegal body"),
            check.call(operation, account, unissued, purpose=f"{purpose}: an asset that was never issued"),
            check.call(operation, account, content=b'{"cut": ', purpose=f"{purpose}: JSON that is cut off"),
        ]
    return tuple(refused)


def _fail(
    check: Check, jobs: Jobs, operation: Operation, account: Account, refused: tuple[Exchange, ...]
) -> Job | None:
    """Create a job that fails by the asset that is published for it; None where there is none."""
    template, codes = (check.contract.extension(key) for key in ("x-failing-asset", "x-job-errors"))
    body = legal_body(check, operation, account)
    if not template or not codes or not assets_in(operation, body):
        return None
    # The one that is documented first for the editor that is tried first; of the others one by chance.
    code = next(iter(codes)) if operation is check.paid[0] else check.random.choice(list(codes))
    if terms.is_simple(operation):
        body = at_maximum(operation, body)
    failing = template.replace("{code}", code)
    body = naming(operation, body, lambda kind: failing + PurePath(example_asset(check, kind)).suffix)
    exchange, job = jobs.create(operation, account, body, f"a job that is to end in {code}")
    if answered(exchange):
        kept = answered(exchange) != check.status_of("insufficient_credits")
        message = "The account had its price, and can't pay any more after refused calls only"
        check.expect("refuse.leaves-no-trace", exchange, kept, message, related=refused[-3:])
    if job is not None:
        jobs.watch(job)
        _expect_failed(check, job, code)
    return job


def _expect_failed(check: Check, job: Job, code: str) -> None:
    if not job.has_ended or job.last is None:
        return
    error = job.shown("error")
    got = error.get("code") if isinstance(error, dict) else None
    message = f"The published asset for {code} ended in {job.status}, {got or 'with no error'}"
    check.expect(
        "project.error",
        job.last,
        job.status == "error" and got == code,
        message,
        "error.code",
        operation=label_of(job.operation),
        related=(job.made,),
    )


def spend_with_change(
    check: Check,
    jobs: Jobs,
    operation: Operation,
    cheapest: Operation,
    price: int,
    create: Callable[[Account], Exchange],
) -> None:
    """Have an account create that has the price and the cheapest one's: that is what it has left then.

    Where the operation is itself the cheapest, its project is deleted first, which neither pays nor costs.
    """
    change = usual_price(cheapest)
    account = check.accounts.with_credits(price + change, f"with {price} + {change} credits")
    made = create(account)
    if not is_success(made):
        return
    job = next((job for job in jobs.all if job.made is made), None)
    deleted: tuple[Exchange, ...] = ()
    if operation is cheapest and job is not None:
        jobs.watch(job)
        deleted = tuple(
            check.call(each, account, path=path_values(each, job.project_id), purpose="deleting, for nothing")
            for each in check.deletes
            if each.project_kind == operation.project_kind
        )
        job.deleted = bool(deleted) and is_success(deleted[0])
    body = legal_body(check, cheapest, account)
    exchange = check.call(cheapest, account, body, purpose="spending the change")
    jobs.accept(exchange, account, is_fetched=True)
    if not answered(exchange):
        return
    after = " and its deletion" if deleted else ""
    message = (
        f"The account had {account.credits} credits, and {change} must be left after a create of "
        f"{price}{after}; it was answered by {_words(exchange)}"
    )
    kept = answered(exchange) != check.status_of("insufficient_credits")
    if check.expect(
        "credits.balance", exchange, kept, message, operation=made.label, related=(made, *deleted)
    ) and is_success(exchange):
        if terms.settles(operation):
            return  # what was not made is given back, whenever the job ends
        _expect_spent(check, jobs, cheapest, account, exchange)


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
        f"answered by {_words(exchange)}"
    )
    check.expect("credits.balance", exchange, kept, message, operation=after.label, related=(after,))


def try_side_by_side(check: Check, jobs: Jobs) -> None:
    """Send creates side by side that the account could only pay one of."""
    paid = check.paid
    if not check.accounts.made_to_order:
        for operation in paid:
            reason = "accounts of known credits can't be opened here"
            check.unjudged(reason, operation, "credits.balance", "refuse.leaves-no-trace")
        if check.balances:
            for operation in paid[:1]:
                if not check.sender.budget.can_spare(_PAID_AT_ONCE * usual_price(operation)):
                    continue
                with check.within_budget(operation, "credits.account"):
                    _create_at_once(check, jobs, operation)
        return
    for operation in paid[:1]:
        with check.within_budget(operation, "credits.balance"):
            _spend_at_once(check, jobs, operation)


def _create_at_once(check: Check, jobs: Jobs, operation: Operation) -> None:
    """Creates side by side are all charged: the account's balance shows it, which is compared afterwards."""
    account = check.accounts.main
    body = legal_body(check, operation, account)
    call = check.prepared(operation, account, body, purpose=f"one of {_PAID_AT_ONCE} at once")
    jobs.accept_all(check.sender.send_together([call] * _PAID_AT_ONCE), account)


def _spend_at_once(check: Check, jobs: Jobs, operation: Operation) -> None:
    """Creates side by side can't overdraw an account that has the price of one."""
    account = check.accounts.with_credits(usual_price(operation), "with the price of one")
    body = legal_body(check, operation, account)
    call = check.prepared(
        operation, account, body, purpose=f"one of {_AT_ONCE} at once, of which one can be paid"
    )
    exchanges = check.sender.send_together([call] * _AT_ONCE)
    accepted = [exchange for exchange in exchanges if is_success(exchange)]
    jobs.accept_all(accepted, account)
    expected = check.status_of("insufficient_credits")
    if all(is_success(exchange) or answered(exchange) == expected for exchange in exchanges):
        message = f"Of {_AT_ONCE} creates at once {len(accepted)} were accepted; the account could pay one"
        check.expect(
            "credits.balance", exchanges[-1], len(accepted) == 1, message, related=tuple(exchanges[:-1])
        )


def try_plan(check: Check, jobs: Jobs) -> None:
    """Ask for more than a plan allows: than the tightest, and for just as much, or than the account's own."""
    for operation in check.creates:
        limits = operation.annotated("x-plan-limit")
        for path, limit_name in limits:
            with check.within_budget(operation, "credits.plan"):
                if check.accounts.made_to_order:
                    _try_limits(check, jobs, operation, path, limit_name)
                elif limit := check.accounts.limits_of(check.accounts.main).get(limit_name):
                    _try_above(check, jobs, operation, path, limit)
                else:
                    check.unjudged("no account's plan is known", operation, "credits.plan")
        if not limits and check.accounts.made_to_order and operation in check.paid[:1]:
            with check.within_budget(operation, "credits.plan"):
                account = check.accounts.on_tightest_plan(usual_price(operation), "on the tightest plan")
                body = legal_body(check, operation, account)
                exchange = check.call(operation, account, body, purpose="a picture above the plan")
                jobs.accept(exchange, account, is_fetched=True)


def _try_limits(
    check: Check, jobs: Jobs, operation: Operation, path: tuple[str, ...], limit_name: str
) -> None:
    for credits, more, code in (
        (usual_price(operation), 1, "plan_upgrade_required"),
        (0, 0, "insufficient_credits"),
    ):
        account = check.accounts.on_tightest_plan(credits, f"on the tightest plan, {credits} credits")
        limit = check.accounts.limits_of(account).get(limit_name)
        if limit is not None:
            _try_limit(check, jobs, operation, account, path, (limit + more, limit), code)


def _try_above(check: Check, jobs: Jobs, operation: Operation, path: tuple[str, ...], limit: int) -> None:
    main = check.accounts.main
    media, body = operation.json_body, with_value(legal_body(check, operation, main), path, limit + 1)
    if media is None or not media.schema.accepts(body):
        check.unjudged(f"the plan {main.plan} allows whatever is legal", operation, "credits.plan")
    else:
        _try_limit(check, jobs, operation, main, path, (limit + 1, limit), "plan_upgrade_required")


def _try_limit(
    check: Check,
    jobs: Jobs,
    operation: Operation,
    account: Account,
    path: tuple[str, ...],
    value_and_limit: tuple[int, int],
    code: str,
) -> None:
    """Ask for a value on a plan that has a limit, and say whether it was refused by a code."""
    value, limit = value_and_limit
    expected = check.status_of(code)
    body = with_value(legal_body(check, operation, account), path, value)
    exchange = check.call(
        operation, account, body, purpose=f"{path[-1]} {value} on a plan that allows {limit}"
    )
    jobs.accept(exchange, account)
    if 0 < answered(exchange) < 500:
        kept = answered(exchange) == expected and code_in(exchange) == code
        message = f"{value} on a plan that allows {limit} was answered by {_words(exchange)}; expected {code}"
        check.expect("credits.plan", exchange, kept, message, path[-1])


def _words(exchange: Exchange) -> str:
    return f"{answered(exchange)} {code_in(exchange) or ''}".strip()
