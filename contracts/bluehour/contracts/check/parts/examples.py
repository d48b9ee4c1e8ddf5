"""The creates by published examples that are paid for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bluehour.mock_server.rendering.simulated import output_size
from bluehour.openapi import terms
from bluehour.openapi.model import Operation

from ...bodies.places import Place, places, value_in, with_value, without
from ...exchange import Exchange
from ..accounts import Account
from ..checker import Check, answered
from ..jobs import Job, Jobs
from .bodies import legal_body

_SOURCE = (1000, 1000)
"""The size of some picture, in pixels."""


def create_example(
    check: Check, jobs: Jobs, operation: Operation, account: Account
) -> tuple[Exchange, Job | None]:
    """Create a project by the operation's published example; the job is None where it was refused.

    Where an account with no credits tries the example as it is published, for nothing, the one that is paid
    for leaves a default to the server: the picture's size shows whether it is the contract's.
    """
    body = legal_body(check, operation, account)
    sizing = next(_sizing(operation, body), None) if check.accounts.empty is not None else None
    if sizing is not None:
        purpose = f"the published example, but for {sizing.name}, which has its default there"
        exchange, job = jobs.create(operation, account, without(body, sizing.path), purpose, is_plain=True)
        if answered(exchange) != check.status_of("invalid_request"):
            return exchange, job
        message = f"{sizing.name}: left out, which is legal, and was answered by {answered(exchange)}"
        check.expect("accept.optional", exchange, False, message, sizing.name, words=sizing.words)
    return jobs.create(operation, account, body, "the published example", is_plain=True)


def _sizing(operation: Operation, body: Any) -> Iterator[Place]:
    """Yield the fields that a body gives their defaults, and that decide how large the picture becomes."""
    media = operation.json_body
    if media is None or not terms.always_makes_the_same(operation):
        return
    usual = output_size(_SOURCE, body, max(_SOURCE))
    for place in list(places(media.schema, body)):
        if place.required or not place.present or value_in(body, place.path) != place.node.get("default"):
            continue
        bounds = (place.node[each] for each in ("minimum", "maximum") if each in place.node)
        if any(
            output_size(_SOURCE, with_value(body, place.path, each), max(_SOURCE)) != usual for each in bounds
        ):
            yield place
