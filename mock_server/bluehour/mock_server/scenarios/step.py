"""The scenario's step in a request's journey: what does its header or a rule force on it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Request

from ..trace import trace_of
from .effects import Effect
from .prefer import preferred
from .rules import Facts

if TYPE_CHECKING:
    from ..mock import Mock


def effect_on(
    mock: Mock, request: Request, operation: str, token: str | None = None, raw_body: bytes = b""
) -> Effect | None:
    """Return what is forced on a request, the header before the rules, and write it in its trace.

    Raises:
        Refusal: the Prefer header asks for what there can't be.
    """
    header = request.environ.get("HTTP_PREFER")
    effect = preferred(header) if header else None
    if effect is None and mock.scenarios.active:
        effect = mock.scenarios.effect_on(Facts(operation, token, raw_body))
    if effect is not None:
        trace = trace_of(request.environ)
        trace.forced = effect.told
        trace.disruption = effect.disruption
    return effect
