"""The request header `Prefer: code=429, example=busy, dynamic=true, delay=2` (RFC 7240; Prism's names)."""

from __future__ import annotations

import math
from random import Random

from bluehour.openapi.wording import cut, quoted

from ..api.call import Refusal
from ..api.effects import Effect, ForcedAnswer

_LONGEST_DELAY = 3600
_LONGEST_SHOWN = 100


def preferred(header: str, random: Random) -> Effect | None:
    """Return what a Prefer header asks for; None for preferences that are not ours.

    Args:
        header: its value.
        random: draws a body that is to be made up.

    Raises:
        Refusal: a code or a delay that there can't be.
    """
    from werkzeug.http import parse_dict_header  # here: few requests ask for anything

    asked = {name.lower(): value for name, value in parse_dict_header(header).items()}
    code, delay, example = asked.get("code"), asked.get("delay"), asked.get("example")
    is_made_up = asked.get("dynamic") == "true"
    is_other = code is not None or example is not None or is_made_up
    if delay is None and not is_other:
        return None
    answer = None
    if is_other:
        status = _status(code) if code is not None else None
        answer = ForcedAnswer(status, example=example, made_up_by=random if is_made_up else None)
    seconds = _seconds(delay) if delay is not None else 0
    cause = f"Prefer: {cut(header, _LONGEST_SHOWN)}"
    return Effect(cause, answer, seconds, carry_out=answer is None)


def _status(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) == 3 and 200 <= int(text) <= 599):
        raise Refusal(
            "invalid_request",
            f"Invalid Prefer header: code must be a status from 200 to 599, got {quoted(text)}",
        )
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_DELAY:
        raise Refusal(
            "invalid_request",
            f"Invalid Prefer header: delay must be seconds from 0 to {_LONGEST_DELAY}, got {quoted(text)}",
        )
    return seconds
