"""First contact: whether the deployment is there, takes the token, and makes accounts of tokens."""

from __future__ import annotations

from secrets import token_hex
from urllib.parse import urlsplit

from bluehour.openapi.errors import BluehourError
from bluehour.openapi.model import Operation
from bluehour.openapi.writing import security_of

from ...exchange import Exchange
from ..accounts import Account
from ..checker import Check, answered, path_values


class NotWelcome(BluehourError):
    """The deployment refuses the token, so there is nothing to judge."""


def meet(check: Check) -> None:
    """Find out who may call.

    Raises:
        NotWelcome: the main account's token is refused.
    """
    operation = next(iter(check.reads), None)
    if operation is None:
        _meet_any(check)
        return
    first = _knock(check, operation, check.accounts.main, "the first contact")
    if answered(first) >= 500 and check.deletes:  # one that fails does not tell who may call
        operation = check.deletes[0]
        first = _knock(check, operation, check.accounts.main, "the first contact, elsewhere")
    if answered(first) == check.status_of("unauthorized"):
        raise NotWelcome("the token is refused: it answers 401; see --token")
    if _makes_accounts(check, operation):
        check.accounts.convention_holds()
        check.notes.append(
            "The deployment makes accounts of tokens, as Bluehour's mock does: accounts of known credits "
            "were opened on it, to see every credit move."
        )
    elif check.accounts.second is None:
        check.notes.append("Without a --second-token nobody tries to reach another account's projects.")


def _meet_any(check: Check) -> None:
    """Make first contact with a deployment that has no projects, by something that changes nothing."""
    readers = [each for each in check.contract.operations if each.method == "GET"]
    operation = min(readers, key=lambda each: "{" in each.path, default=None)
    if operation is None:
        return
    first = check.call(operation, check.accounts.main, purpose="the first contact")
    if answered(first) == check.status_of("unauthorized") and security_of(operation):
        raise NotWelcome("the token is refused: it answers 401; see --token")
    base = next(iter(check.contract.base_paths), "")
    is_without = base and not urlsplit(check.target).path.rstrip("/").endswith(base.rstrip("/"))
    if answered(first) == check.status_of("not_found") and is_without and "{" not in operation.path:
        raise NotWelcome(
            f"{operation.path} is answered by 404, and the contract's server has the path {base}: "
            f"is it missing in {check.target}?"
        )


def _makes_accounts(check: Check, operation: Operation) -> bool:
    """Tell it by two tokens that nobody has: the mock takes the one, and refuses the other by its name."""
    refused = check.status_of("unauthorized")
    made = _knock(check, operation, check.accounts.probe(), "does any token make an account?")
    if answered(made) != check.status_of("not_found"):
        return False
    wrong = _knock(check, operation, check.accounts.refused, "a token that nobody has")
    return answered(wrong) == refused


def _knock(check: Check, operation: Operation, account: Account, purpose: str) -> Exchange:
    nowhere = f"bluehour-{token_hex(8)}"
    return check.call(operation, account, path=path_values(operation, nowhere), purpose=purpose)
