"""Bodies that schemathesis makes up: illegal ones to be refused, legal ones to be accepted."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.terms import usual_price
from bluehour.openapi.wording import cut

from ...bodies import Illegal
from ...exchange import label_of
from ..checker import Check, answered, json_of
from ..jobs import Jobs
from .bodies import with_upload
from .refusals import send_illegal

if TYPE_CHECKING:
    from schemathesis import BaseSchema

_EXAMPLES = 6
"""Bodies of each kind, for each operation."""

_LONGEST = 64 * 2**10


def try_random_illegal(check: Check, jobs: Jobs) -> None:
    """Send whatever schemathesis breaks; it takes half a check's CPU time, so not for other rules' sake."""
    if not check.findings.wants({"refuse.random"}):
        return
    for operation in (*check.bodied, *check.creates):
        media = json_of(operation)
        if media is None:
            continue
        with check.within_budget(operation, "refuse.random"):
            for body in _made_up(check, operation, illegal=True):
                if check.findings.is_broken("refuse.random", label_of(operation)):
                    break
                if not _accepts(media.schema.accepts, body):
                    variant = Illegal(
                        "refuse.random", "body", _shown(body), json.dumps(body).encode(), media.name
                    )
                    send_illegal(check, jobs, operation, variant)


def try_random_legal(check: Check) -> None:
    """Send whatever schemathesis makes of a schema, where an account that can't pay tells for nothing."""
    if not check.findings.wants({"accept.random"}):
        return
    for operation in (*check.bodied, *check.creates):
        account = check.accounts.empty if usual_price(operation) else check.accounts.main
        media = json_of(operation)
        if account is None or media is None:
            check.unjudged("no account is known to be empty: see --empty-token", operation, "accept.random")
            continue
        if usual_price(operation) and check.findings.is_broken("credits.empty", label_of(operation)):
            check.unjudged("the account with no credits is served", operation, "accept.random")
            continue
        with check.within_budget(operation, "accept.random"):
            for body in _made_up(check, operation, illegal=False):
                sent = with_upload(check, operation, account, body)
                if not _accepts(media.schema.accepts, sent) or "\\u0000" in json.dumps(sent):
                    continue
                if not check.offered(operation, sent):
                    continue
                exchange = check.call(operation, account, sent, purpose=f"a legal body: {_shown(sent)}")
                status = answered(exchange)
                kept = 200 <= status < 300 or status == check.status_of("insufficient_credits")
                if status == 0 or not (kept or check.takes_for_illegal(operation, status)):
                    continue
                message = f"A legal body was answered by {status}: {_shown(sent)}"
                if not check.expect("accept.random", exchange, kept, message, "body"):
                    break


def _made_up(check: Check, operation: Operation, *, illegal: bool) -> list[Any]:
    """Bodies, all of them drawn before any is sent: hypothesis looks at some more than once."""
    # Imported here: they take most of a second, and a check may leave these rules out.
    from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
    from schemathesis import GenerationMode

    mode = GenerationMode.NEGATIVE if illegal else GenerationMode.POSITIVE
    known = _bodies_alone(check.contract)[f"/{operation.id}"][operation.method]
    strategy = known.as_strategy(generation_mode=mode)
    drawn: list[Any] = []

    @seed(check.random.getrandbits(32))
    @settings(
        max_examples=_EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(case: Any) -> None:
        if _can_be_sent(case.body):
            drawn.append(case.body)

    draw()
    return drawn


@cache
def _bodies_alone(contract: Contract) -> BaseSchema:
    """What schemathesis knows of a contract: bodies, and no parameters that it would break in their place.

    An operation's path is its id, as nothing is sent to it.
    """
    import schemathesis

    operations = {
        f"/{each.id}": {each.method.lower(): {"requestBody": each.node["requestBody"], "responses": {}}}
        for each in contract.operations
        if each.body
    }
    return schemathesis.openapi.from_dict({**contract.document, "paths": operations, "security": []})


def _can_be_sent(body: Any) -> bool:
    try:
        return len(json.dumps(body, allow_nan=False).encode()) <= _LONGEST
    except (TypeError, ValueError, RecursionError):  # no body at all, or one that is no JSON
        return False


def _accepts(accepts: Any, body: Any) -> bool:
    try:
        return bool(accepts(body))
    except ValueError:  # nested too deeply to be judged
        return True


def _shown(body: Any) -> str:
    return cut(json.dumps(body), 100)
