"""What `bluehour serve` says when it is up: where it is, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import orjson

from bluehour.openapi.contract import Contract, load
from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.terms import usual_price
from bluehour.openapi.wording import counted
from bluehour.openapi.writing import credentials_of, headers_of, keys_of, shortest_example, target_of

from ..api.secrets import without_user
from ..control import PREFIX as CONSOLE
from ..core.clock import Clock, isoformat
from ..core.deliveries import Endpoint
from ..core.settings import WORKERS
from ..mock import Mock
from ..reference_page import PATH as DOCS

_TOKEN = "any-token"  # noqa: S105 - no secret: the mock takes any
_MOST_NAMED = 4
"""Resources and ways in; `/docs` has the others."""
_MOST_OPERATIONS = 8


def greeting(mock: Mock, base_url: str, version: str, *, shows_secret: bool, is_short: bool = False) -> str:
    """Return the start-up text.

    Args:
        mock: that is up.
        base_url: where.
        version: of Bluehour.
        shows_secret: whether the webhooks' was made up, and nobody knows it yet.
        is_short: whether its first line is enough.
    """
    contract = mock.world.contract
    where = f"Bluehour {version} is {contract.title} at {base_url}  (Ctrl-C stops it)"
    if is_short:
        return where + "\n"
    operations = counted(len(contract.operations), "operation")
    parts = [
        where,
        f"{operations}, state in {mock.world.settings.shown_store}, contract at {base_url}/openapi.json",
    ]
    if told := _clock(mock.world.clock):
        parts.append(told)
    if actions := mock.world.actions:
        kept = {action.resource.path for action in actions.values()}
        resources = counted(len(kept), "resource")
        parts.append(
            f"What is sent is kept: {len(actions)} operations work on {resources}, {_some(sorted(kept))}"
        )
    stage = mock.rendering.stage
    if mock.world.settings.renderer == WORKERS:
        parts.append("Pictures are edited by bluehour work, wherever that runs on the same store and assets")
    elif stage is not None:
        parts.append(f"Pictures are really edited, {stage.described()}")
    parts += _controls(mock, base_url, shows_secret)
    if contract.operations:
        parts += ["", *_operations(contract)]
        parts += ["", "Try it:", f"  {_curl(_first_to_try(contract), base_url)}"]
    if contract is load():
        parts += ["", "Point an SDK at it; any token is an account:", *_sdks(base_url)]
    return "\n".join(parts) + "\n"


def _clock(clock: Clock) -> str:
    """Say how the clock stands where it is not the system's: as it was left when the store was closed."""
    if clock.frozen:
        return f"The clock stands still at {isoformat(clock.now())}, as it was left"
    seconds = round(clock.ahead)
    return f"The clock is {counted(seconds, 'second')} ahead, as it was left" if seconds else ""


def _operations(contract: Contract) -> list[str]:
    """The first operations with their prices, and by what a client proves who it is."""
    shown = contract.operations[:_MOST_OPERATIONS]
    widest = max(len(each.path) for each in shown)
    lines = ["Operations:"]
    for each in shown:
        price = counted(usual_price(each), "credit") if each.takes_credits else ""
        lines.append(f"  {each.method:<6} {each.path:<{widest}}  {price}".rstrip())
    if more := len(contract.operations) - len(shown):
        lines.append(f"  and {more:,} more")
    ways = dict.fromkeys(way for each in contract.operations for way in _credentials(each))
    if not ways:
        return [*lines, "None of them asks for credentials"]
    return [*lines, f"Credentials, any will do: {_some([*ways])}"]


def _credentials(operation: Operation) -> Iterator[str]:
    for name, value in credentials_of(operation, _TOKEN):
        yield f"{name}: {value}"
    yield from (f"?{each.parameter}={_TOKEN}" for each in keys_of(operation, "query"))
    yield from (f"Cookie: {each.parameter}={_TOKEN}" for each in keys_of(operation, "cookie"))


def _some(names: list[str]) -> str:
    shown, more = names[:_MOST_NAMED], len(names) - _MOST_NAMED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _webhook(endpoint: Endpoint, shows_secret: bool) -> str:
    url = without_user(endpoint.url)
    is_news = shows_secret and endpoint.is_initial  # whoever added another one was told its secret then
    return f"Webhook {url}" + (f", secret {endpoint.secret}" if is_news else "")


def _controls(mock: Mock, base_url: str, shows_secret: bool) -> list[str]:
    sign_in = "?token=…" if mock.world.settings.control_token else ""
    parts = [f"Console at {base_url}{CONSOLE}{sign_in}, reference at {base_url}{DOCS}"]
    if rules := len(mock.scenarios.all()):
        parts.append(f"{counted(rules, 'rule')} of the scenario to begin with")
    return parts + [_webhook(each, shows_secret) for each in mock.webhooks.endpoints()]


def _sdks(base_url: str) -> list[str]:
    return [
        f'  Python   Client(token="any-token", base_url="{base_url}")',
        f'  Node     new Client({{ token: "any-token", baseUrl: "{base_url}" }})',
    ]


def _first_to_try(contract: Contract) -> Operation:
    """The cheapest of those that create something, else whatever comes first."""
    creates = [operation for operation in contract.operations if operation.takes_credits]
    return min(creates, key=usual_price, default=contract.operations[0])


def _curl(operation: Operation, base_url: str) -> str:
    words = ["curl", f"{base_url}{target_of(operation, _TOKEN)}"]
    for name, value in headers_of(operation, _TOKEN):
        words += ["-H", f"{name}: {value}"]
    body = shortest_example(operation.json_body)
    if body is not None:
        words += ["-H", f"Content-Type: {JSON}", "-d", orjson.dumps(body).decode()]
    elif operation.method != "GET":
        words[1:1] = ["-X", operation.method]
    return " ".join(shlex.quote(word) for word in words)
