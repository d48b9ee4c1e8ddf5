"""What each operation of the control API does: a function from a `ControlCall` to an `Answer`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from itertools import accumulate
from typing import Any

from bluehour.openapi.wording import cut, quoted

from ..accounts import Account
from ..clock import LATEST, isoformat
from ..exchange import Answer, base_url_of
from ..journal.exchange import Exchange
from ..journal.view import archive, entry
from ..mock import Mock
from ..projects import ProjectEnded
from ..scenarios.rules import RuleError
from . import filters, pictures, views
from .contract import control_contract
from .exchange import ControlCall, ControlRefusal, conflict, existing, invalid, unknown

OPERATIONS: dict[str, Callable[[ControlCall], Answer]] = {}
"""By the operation's id."""

_RESEND_SECONDS = 30.0


def _operation(function: Callable[[ControlCall], Answer]) -> Callable[[ControlCall], Answer]:
    """Register a function under its name in the contract's spelling: `list_rules` does `listRules`."""
    first, *others = function.__name__.strip("_").split("_")
    OPERATIONS[first + "".join(word.title() for word in others)] = function
    return function


@_operation
def state(call: ControlCall) -> Answer:
    """Tell what is running."""
    return Answer(200, views.state(call.mock, version("bluehour")))


@_operation
def reset(call: ControlCall) -> Answer:
    """Begin anew."""
    at = call.body.get("clock")
    call.mock.reset(None if at is None else _seconds(at))
    _tell(call.mock, "journal", "accounts", "projects", "rules", "webhooks", "clock")
    return state(call)


@_operation
def clock(call: ControlCall) -> Answer:
    """Tell the time."""
    return Answer(200, views.clock(call.mock))


@_operation
def set_clock(call: ControlCall) -> Answer:
    """Freeze, set, advance."""
    target = call.body.get("set")
    try:
        call.mock.clock.change(
            frozen=call.body.get("frozen"),
            to=None if target is None else _seconds(target),
            advance=call.body.get("advance", 0),
        )
    except ValueError as error:
        raise invalid(f"{error}. Only a reset, with `clock`, takes it anywhere") from error
    return Answer(200, views.clock(call.mock))


@_operation
def list_accounts(call: ControlCall) -> Answer:
    """The accounts that were opened last."""
    accounts = call.mock.store.accounts(call.parameters["limit"])
    return Answer(200, {"accounts": [views.account(call.mock, each) for each in accounts]})


@_operation
def set_account(call: ControlCall) -> Answer:
    """Open an account by its token, or change it."""
    _refuse_unknown_plan(call)
    if (account := call.mock.account_of(call.body["token"])) is None:
        raise invalid("token: the mock refuses it, as it says `invalid`")
    return _changed(call, account)


@_operation
def get_account(call: ControlCall) -> Answer:
    """One account, with the end of its ledger."""
    account = _account(call)
    page = call.mock.store.ledger(account.id, call.parameters["limit"])
    balances = accumulate((each.amount for each in page.entries), initial=page.before)
    next(balances)
    ledger = [
        {"at": isoformat(each.at), "amount": each.amount, "project": each.project_id, "balance": balance}
        for each, balance in zip(page.entries, balances, strict=True)
    ]
    return Answer(200, {**views.account(call.mock, account), "ledger": ledger})


@_operation
def change_account(call: ControlCall) -> Answer:
    """Change an account's credits or plan."""
    _refuse_unknown_plan(call)
    return _changed(call, _account(call))


def _account(call: ControlCall) -> Account:
    account = call.mock.store.account(call.parameters["id"])
    if account is None:
        raise unknown("account", call.parameters["id"])
    return account


def _changed(call: ControlCall, account: Account) -> Answer:
    body = call.body
    if body.keys() & {"plan", "credits"}:
        credits = body.get("credits")
        account = call.mock.store.set_account(
            account.id,
            call.mock.clock.now(),
            plan=body.get("plan"),
            credits=None if credits is None else int(credits),
        )
    _tell(call.mock, "accounts")
    return Answer(200, views.account(call.mock, account))


def _refuse_unknown_plan(call: ControlCall) -> None:
    plan, plans = call.body.get("plan"), call.mock.plans
    if plan is not None and plan not in plans:
        known = ", ".join(plans) or "none"
        raise invalid(f"plan: there is no plan {quoted(plan)}; there are {known}")


@_operation
def list_projects(call: ControlCall) -> Answer:
    """Projects, newest first."""
    found = call.mock.store.projects(account_id=call.parameters["account"], limit=call.parameters["limit"])
    base_url = base_url_of(call.request)
    return Answer(200, {"projects": [views.project(call.mock, each, base_url) for each in found]})


@_operation
def get_project(call: ControlCall) -> Answer:
    """One project."""
    project = call.mock.store.project(call.parameters["id"])
    if project is None:
        raise unknown("project", call.parameters["id"])
    return Answer(200, views.project(call.mock, project, base_url_of(call.request)))


@_operation
def force_outcome(call: ControlCall) -> Answer:
    """End an unfinished project now."""
    try:
        with existing("project", call.parameters["id"]):
            project = call.mock.end_project(call.parameters["id"], call.body["outcome"])
    except ProjectEnded as error:
        raise conflict(
            f"The project has ended already: {error.outcome}. Only an unfinished one can end"
        ) from error
    _tell(call.mock, "projects", "accounts")
    return Answer(200, views.project(call.mock, project, base_url_of(call.request)))


@_operation
def get_picture(call: ControlCall) -> Answer:
    """A project's picture."""
    picture = pictures.picture(call.mock, call.parameters["id"], call.parameters["which"])
    if picture is None:
        raise ControlRefusal(404, "not_found", "There is no such picture, or not yet")
    content, media_type = picture
    return Answer(200, content, media_type, headers={"Cache-Control": "no-cache"})


@_operation
def list_rules(call: ControlCall) -> Answer:
    """Rules, in the order in which they are asked."""
    return Answer(200, {"rules": [views.rule(each) for each in call.mock.scenarios.all()]})


@_operation
def add_rule(call: ControlCall) -> Answer:
    """Add a rule."""
    try:
        rule = call.mock.scenarios.add(call.body)
    except RuleError as error:
        raise invalid(str(error)) from error
    _tell(call.mock, "rules")
    return Answer(201, views.rule(rule))


@_operation
def replace_rules(call: ControlCall) -> Answer:
    """Replace all rules."""
    try:
        call.mock.scenarios.replace(call.body["rules"])
    except RuleError as error:
        raise invalid(str(error)) from error
    _tell(call.mock, "rules")
    return list_rules(call)


@_operation
def clear_rules(call: ControlCall) -> Answer:
    """Remove all rules."""
    call.mock.scenarios.replace([])
    _tell(call.mock, "rules")
    return Answer(204, media_type=None)


@_operation
def switch_rule(call: ControlCall) -> Answer:
    """Switch a rule on or off."""
    with existing("rule", call.parameters["id"]):
        rule = call.mock.scenarios.switch(call.parameters["id"], call.body["enabled"])
    _tell(call.mock, "rules")
    return Answer(200, views.rule(rule))


@_operation
def remove_rule(call: ControlCall) -> Answer:
    """Remove a rule."""
    with existing("rule", call.parameters["id"]):
        call.mock.scenarios.remove(call.parameters["id"])
    _tell(call.mock, "rules")
    return Answer(204, media_type=None)


@_operation
def list_webhooks(call: ControlCall) -> Answer:
    """Registered webhooks."""
    return Answer(200, views.webhooks(call.mock))


@_operation
def add_webhook(call: ControlCall) -> Answer:
    """Register a webhook."""
    body = call.body
    try:
        endpoint = call.mock.webhooks.register(body["url"], body.get("secret"), body.get("events"))
    except ValueError as error:
        raise invalid(str(error)) from error
    _tell(call.mock, "webhooks")
    return Answer(201, {**views.webhook(endpoint), "secret": endpoint.secret})


@_operation
def switch_webhook(call: ControlCall) -> Answer:
    """Switch a webhook on or off."""
    with existing("webhook", call.parameters["id"]):
        endpoint = call.mock.webhooks.switch(call.parameters["id"], call.body["enabled"])
    _tell(call.mock, "webhooks")
    return Answer(200, views.webhook(endpoint))


@_operation
def remove_webhook(call: ControlCall) -> Answer:
    """Remove a webhook."""
    with existing("webhook", call.parameters["id"]):
        call.mock.webhooks.remove(call.parameters["id"])
    _tell(call.mock, "webhooks")
    return Answer(204, media_type=None)


@_operation
def list_deliveries(call: ControlCall) -> Answer:
    """Deliveries, newest first."""
    found = call.mock.webhooks.deliveries(call.parameters.get("project"))
    limit = call.parameters.get("limit", len(found))
    return Answer(200, {"deliveries": [views.delivery(each) for each in found[:limit]]})


@_operation
def settle_deliveries(call: ControlCall) -> Answer:
    """Wait until no picture is being made, and no event is due."""
    timeout = control_contract().operation("settleDeliveries").with_defaults(dict(call.body))["timeout"]
    if not call.mock.settle(timeout):
        raise conflict(f"After {timeout:g} s pictures or deliveries are still due or under way")
    return list_deliveries(call)


@_operation
def resend_delivery(call: ControlCall) -> Answer:
    """Send a delivery once more."""
    try:
        with existing("delivery", call.parameters["id"]):
            delivery = call.mock.webhooks.resend(call.parameters["id"], _RESEND_SECONDS)
    except TimeoutError:
        raise conflict("The receiver is still busy with other deliveries") from None
    return Answer(200, views.delivery(delivery))


@_operation
def read_journal(call: ControlCall) -> Answer:
    """What clients sent and got."""
    journal = call.mock.journal
    found = _found(call)
    body = {
        "entries": [entry(each) for each in found],
        "recorded": 0 if journal is None else journal.recorded,
        "kept": 0 if journal is None else len(journal),
    }
    return Answer(200, body)


@_operation
def read_entry(call: ControlCall) -> Answer:
    """One exchange."""
    journal, number = call.mock.journal, call.parameters["id"]
    if journal is None:
        raise unknown("entry", number)
    with existing("entry", number):
        return Answer(200, entry(journal.find(number)))


@_operation
def clear_journal(call: ControlCall) -> Answer:
    """Empty the journal."""
    if call.mock.journal is not None:
        call.mock.journal.clear()
    _tell(call.mock, "journal")
    return Answer(204, media_type=None)


@_operation
def export_har(call: ControlCall) -> Answer:
    """The journal as an HTTP archive."""
    base_url = call.mock.upstream or base_url_of(call.request)
    har = archive(_found(call), base_url, version("bluehour"))
    return Answer(200, har, headers={"Content-Disposition": 'attachment; filename="journal.har"'})


def _found(call: ControlCall) -> list[Exchange]:
    exchanges = [] if call.mock.journal is None else call.mock.journal.all()
    fits = filters.filter_of(call.parameters, call.mock)
    limit = call.parameters["limit"]
    return [each for each in exchanges if fits(each)][-limit:]


def _seconds(time: Any) -> float:
    """A time of the control API in seconds since the epoch."""
    if not isinstance(time, str):
        return float(time)
    try:
        seconds = datetime.fromisoformat(time.upper()).timestamp()
    except (ValueError, OverflowError):  # a leap second, say: RFC 3339 has it, Python has not
        seconds = -1
    if not 0 <= seconds <= LATEST:
        span = f"from 1970 to {isoformat(LATEST)}"
        raise invalid(f"{cut(time)} is no time that the clock can show: {span}")
    return seconds


def _tell(mock: Mock, *changed: str) -> None:
    for name in changed:
        mock.feed.publish(name)
