"""What a part of the mock may take part in: it listens to the world, and to requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bluehour.openapi.messages import Request

from ..core.listening import Listener
from .effects import Effect
from .reply import Reply
from .trace import Trace


class Feature(Listener):
    """Every method does nothing; a feature has the ones that it needs."""

    def effect_on(self, request: Request, called: str, token: str | None) -> Effect | None:
        """Return what is forced on a request; the first feature that has something to force, acts.

        Args:
            request: what came.
            called: the operation's id, `upload` or `download`.
            token: the credential that came.

        Raises:
            Refusal: the request asks for what there can't be.
        """

    def record(self, request: Request, trace: Trace, reply: Reply, ms: float) -> None:
        """Take note of a request that was answered.

        Args:
            request: what came.
            trace: what is known of it.
            reply: what is about to be sent.
            ms: how long it took.
        """

    def state(self) -> Mapping[str, Any]:
        """Return what `GET /_mock/state` tells of this feature, by its field in `control.yaml`."""
        return {}
