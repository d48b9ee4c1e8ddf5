"""One POST to a receiver, and what is to be said of its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping

from bluehour.openapi.model import JSON
from bluehour.openapi.wording import cut

from ..outbound.connection import Deadline, answer_to, check_target
from ..outbound.errors import OutboundError, TargetDenied
from ..outbound.policy import TargetPolicy

_LOOKED_UP_WITHIN = 5.0
"""Seconds that the name of a webhook that is registered has to be looked up in."""


def check_url(url: str, policy: TargetPolicy) -> None:
    """Let a URL pass that something can be sent to.

    Raises:
        ValueError: it is none, or the policy denies it; the message says which.
    """
    try:
        check_target(url, policy, _LOOKED_UP_WITHIN)
    except TargetDenied as error:
        raise ValueError(f"{cut(repr(url))} can't be a webhook: {error}") from error
    except OutboundError as error:
        raise ValueError(
            f"{cut(repr(url))} is no URL that events can be sent to; one is http://127.0.0.1:8000/hook"
        ) from error


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    answer_within: float,
    policy: TargetPolicy,
    method: str = "POST",
) -> tuple[int | None, str | None, float]:
    """Send an event.

    Args:
        url: the receiver's, http or https; redirects are not followed.
        body: JSON.
        headers: beside the Content-Type.
        answer_within: seconds for everything, from the look-up of its name to the head of its answer.
        policy: which targets may be called.
        method: what it is sent by.

    Returns:
        The status or None, what is wrong or None, and the milliseconds that it took.
    """
    started = time.monotonic()
    status, problem = None, None
    try:
        with answer_to(
            method, url, policy, Deadline(answer_within), body, {"Content-Type": JSON, **headers}
        ) as answer:
            status = answer.status
    except OutboundError as error:
        problem = f"{error}"
    seconds = time.monotonic() - started
    if status is not None and not 200 <= status < 300:
        problem = f"answered {status}, not 2XX"
    return status, problem, round(seconds * 1000, 1)
