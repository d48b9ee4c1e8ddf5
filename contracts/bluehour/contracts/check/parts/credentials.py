"""Who may call: every form of credentials at every operation, and what is another account's."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from bluehour.openapi.model import Operation
from bluehour.openapi.terms import usual_price
from bluehour.openapi.writing import security_of, target_of

from ...exchange import Exchange, label_of
from ..accounts import TEST_TOKEN, Account
from ..checker import Check, How, answered, code_in, is_success, path_values
from ..jobs import Jobs
from .bodies import assets_in, has_uploaded, legal_body

_LONG = 16
"""Letters of a key that somebody was given, and may be shown in part; mocks take any shorter one."""

_FORBIDDEN = 403
"""What other APIs than Magic Hour's answer as well to who does not say who they are."""

_HEADERS = ("X-Api-Key", "Api-Key", "X-Auth-Token", "X-Access-Token", "Token", "Proxy-Authorization")
_QUERIES = ("access_token", "api_key", "apikey", "api-key", "auth", "key", "token")
"""Where other APIs have their tokens, and gateways and frameworks look for one unasked."""


def try_credentials(check: Check, jobs: Jobs) -> None:
    """Call every operation with everything that is no valid bearer token: 401."""
    for operation in check.contract.operations:
        if not operation.security or () in operation.security:
            continue
        with check.within_budget(operation, "auth.required", "auth.scheme-case"):
            _try_forms(check, jobs, operation)
            _try_first(check, jobs, operation)
            _try_lower_case(check, operation)
    for operation in check.reads:
        _try_token_s_case(check, jobs, operation)


def _try_forms(check: Check, jobs: Jobs, operation: Operation) -> None:
    expected = check.status_of("unauthorized")
    takes_bearer = all(
        scheme.type != "apiKey" and scheme.scheme in ("", "bearer") for scheme in security_of(operation)
    )
    if not takes_bearer:
        _try_other_forms(check, operation, expected)
        return
    for form, how in (*_forms(check), *_elsewhere(check, operation)):
        if check.findings.is_broken("auth.required", f"{operation.method} {operation.path}"):
            return  # it would be carried out again, and charged
        how["path"] = path_values(operation, _some_project(jobs)) if operation.behaviour else {}
        how["purpose"] = f"credentials: {form}"
        exchange = check.call(operation, None, _body(check, operation), **how)
        _judge(check, exchange, operation, form, expected)
        jobs.accept(exchange, check.accounts.main)  # whose token it is, wherever it was sent


def _try_first(check: Check, jobs: Jobs, operation: Operation) -> None:
    """Call without credentials what would be refused for something else: 401 comes before all else."""
    wrong: list[tuple[str, How]] = []
    if operation.json_body is not None:
        wrong.append(("an illegal body and no credentials", {"content": b"{}"}))
    if operation in (*check.reads, *check.deletes):
        nowhere = path_values(operation, f"bluehour-{token_hex(4)}")
        wrong.append(("the id of nothing and no credentials", {"path": nowhere}))
        if operation.method == "GET":
            head = check.ask("HEAD", target_of(operation, None, nowhere), purpose="HEAD and no credentials")
            kept = answered(head) in (check.status_of("unauthorized"), check.status_of("method_not_allowed"))
            message = f"HEAD without credentials was answered by {answered(head)}"
            if answered(head):
                check.expect(
                    "auth.required", head, kept, message, "Authorization", operation=label_of(operation)
                )
    for form, how in wrong:
        how["purpose"] = f"credentials: {form}"
        exchange = check.call(operation, None, **how)
        _judge(check, exchange, operation, form, check.status_of("unauthorized"))


def _try_token_s_case(check: Check, jobs: Jobs, operation: Operation) -> None:
    """Reach for a project by its owner's token in another case, which is another token."""
    alike = (job for job in jobs.all if job.operation.project_kind == operation.project_kind)
    job = next(alike, None)
    if job is None or job.account.token.swapcase() == job.account.token:
        return
    authorization = f"Bearer {job.account.token.swapcase()}"
    exchange = check.call(
        operation,
        None,
        path=path_values(operation, job.project_id),
        authorization=authorization,
        purpose="credentials: the token in another case",
    )
    if answered(exchange):
        message = f"With the token in another case it answered {answered(exchange)}"
        check.expect("auth.required", exchange, not is_success(exchange), message, "Authorization")


def _try_other_forms(check: Check, operation: Operation, expected: int) -> None:
    """Call without a key or a password, and with wrong ones, where it is known that they are wrong."""
    token = check.accounts.main.token
    forms: list[tuple[str, Account | None]] = [("no credentials", None)]
    if len(token) >= _LONG and not token.startswith(TEST_TOKEN):
        forms.append(("a key that nobody has", Account("nobody", token_hex(16))))
        forms.append(("the key with its end changed", Account("nobody", f"{token[:-4]}{token[:-5:-1]}x")))
    for form, account in forms:
        if check.findings.is_broken("auth.required", f"{operation.method} {operation.path}"):
            return
        exchange = check.call(operation, account, _body(check, operation), purpose=f"credentials: {form}")
        _judge(check, exchange, operation, form, expected)


def _judge(check: Check, exchange: Exchange, operation: Operation, form: str, expected: int) -> None:
    status = answered(exchange)
    if status == 0 or status >= 500:
        return
    if operation.behaviour is None:
        kept = status in (expected, _FORBIDDEN)
    else:
        kept = status == expected and code_in(exchange) in ("unauthorized", None)
    message = f"With {form} it answered {status} in place of {expected}"
    check.expect("auth.required", exchange, kept, message, "Authorization")


def _forms(check: Check) -> Iterator[tuple[str, How]]:
    for form, authorization in _authorizations(check):
        yield form, {"authorization": authorization}


def _elsewhere(check: Check, operation: Operation) -> Iterator[tuple[str, How]]:
    """The valid token, where it does not belong; what the contract has by these names is left out."""
    token = check.accounts.main.token
    declared = {each.name.lower() for each in operation.parameters}
    declared |= {key.parameter.lower() for way in operation.security for key in way}
    headers = [(name, token) for name in _HEADERS if name.lower() not in declared]
    names = [name for name in _QUERIES if name not in declared]
    headers.append(("Cookie", "; ".join(f"{name}={token}" for name in names)))
    yield "the token in other headers alone", {"headers": tuple(headers)}
    yield "the token in the query alone", {"query": "&".join(f"{name}={quote(token)}" for name in names)}


def _authorizations(check: Check) -> Iterator[tuple[str, str | None]]:
    token = check.accounts.main.token
    yield "no Authorization", None
    yield "an empty Authorization", ""
    yield "Bearer and no token", "Bearer"
    yield "Bearer, a space and no token", "Bearer "
    yield "the token without a scheme", token
    yield "the scheme cut short", f"Beare {token}"
    yield "more than one token", f"Bearer {token} {token}"
    yield "the scheme Basic", "Basic " + base64.b64encode(f"{token}:".encode()).decode()
    yield "the scheme Basic, with the token as it is", f"Basic {token}"
    yield "the scheme Token", f"Token {token}"
    if check.reads:  # else nobody knows whether any token makes an account
        yield "a token that nobody has", f"Bearer {check.accounts.refused.token}"
    if not check.accounts.made_to_order and len(token) >= _LONG:
        yield "the token cut short", f"Bearer {token[:-4]}"
        yield "the token with its end changed", f"Bearer {token[:-4]}{token[:-5:-1]}x"


def _try_lower_case(check: Check, operation: Operation) -> None:
    """The scheme's case is nobody's: tried where nothing can be charged."""
    deletes = (
        operation.method == "DELETE" and operation.behaviour is None
    )  # and others may need what it names
    if usual_price(operation) or deletes or [each.scheme for each in security_of(operation)] != ["bearer"]:
        return
    for scheme in ("bearer", "BEARER"):
        exchange = check.call(
            operation,
            None,
            _body(check, operation),
            path=path_values(operation, "bluehour-case") if operation.behaviour else {},
            authorization=f"{scheme} {check.accounts.main.token}",
            purpose=f"credentials: {scheme} in place of Bearer",
        )
        if 0 < answered(exchange) < 500:
            accepted = answered(exchange) != check.status_of("unauthorized")
            check.expect("auth.scheme-case", exchange, accepted, f"{scheme} was refused", "Authorization")


def _body(check: Check, operation: Operation) -> Any:
    return legal_body(check, operation, check.accounts.main) if operation.json_body else None


def _some_project(jobs: Jobs) -> str:
    """A project that there is, so that nothing but the credentials is wrong; or an id that nobody has."""
    return jobs.all[0].project_id if jobs.all else "bluehour-nobody"


def try_other_account(check: Check, jobs: Jobs) -> None:
    """Reach for the main account's project and upload with another account's token."""
    second = check.accounts.second
    rules = ("auth.own-projects", "auth.own-uploads")
    if second is None:
        for operation in (*check.reads, *check.deletes, *check.creates):
            rule_id = rules[1] if operation in check.creates else rules[0]
            check.unjudged("there is no second account: see --second-token", operation, rule_id)
        return
    for operation in (*check.reads, *check.deletes):
        alike = (job for job in jobs.all if job.operation.project_kind == operation.project_kind)
        mine = next((job for job in alike if job.account is not second), None)
        if mine is None:
            check.unjudged("there is no project to reach for", operation, rules[0])
        else:
            _reach_for(check, operation, second, mine.project_id)
            if (
                operation in check.deletes
            ):  # whether the other account's DELETE has deleted it, its owner sees
                jobs.look_at(mine, "the project that another account tried to delete")
    for operation in check.creates:
        with check.within_budget(operation, rules[1]):
            _use_upload(check, operation, second)
    if not check.accounts.made_to_order:  # of which each pays for something by itself
        for operation in check.paid[:1]:
            if not check.sender.budget.can_spare(usual_price(operation)):
                continue
            with check.within_budget(operation, rules[0]):
                body = legal_body(check, operation, second, wide=True)
                jobs.create(operation, second, body, "an edit of the other account", is_plain=True)


def _reach_for(check: Check, operation: Operation, second: Account, project_id: str) -> None:
    purpose = "another account's project"
    exchange = check.call(operation, second, path=path_values(operation, project_id), purpose=purpose)
    if 0 < answered(exchange) < 500:
        expected = check.status_of("not_found")
        message = f"Another account's project was answered by {answered(exchange)} in place of {expected}"
        check.expect("auth.own-projects", exchange, answered(exchange) == expected, message, "id")


def _use_upload(check: Check, operation: Operation, second: Account) -> None:
    if not has_uploaded(check, check.accounts.main):
        check.unjudged("nothing could be uploaded", operation, "auth.own-uploads")
        return
    body = legal_body(check, operation, check.accounts.main)
    if not assets_in(operation, body):
        return
    exchange = check.call(operation, second, body, purpose="another account's upload")
    _expect_unusable(check, exchange)


def _expect_unusable(check: Check, exchange: Exchange) -> None:
    status, expected = answered(exchange), check.status_of("unprocessable_entity")
    if status == check.status_of("insufficient_credits"):
        check.unjudged("the second account has no credits", exchange.label, "auth.own-uploads")
    elif 0 < status < 500:
        message = f"Another account's upload was answered by {status} in place of {expected}"
        check.expect("auth.own-uploads", exchange, status == expected, message, "assets")
