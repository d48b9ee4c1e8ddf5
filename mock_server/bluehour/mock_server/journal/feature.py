"""The journal as a part of the mock: every request to the API is written down with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bluehour.openapi.messages import Request

from ..api.feature import Feature
from ..api.reply import Reply
from ..api.secrets import Secrets
from ..api.trace import Trace
from ..control.exchange import Handler, handlers_of
from ..core.world import World
from .control import JournalOperations
from .habits import Habits
from .journal import Journal
from .record import record


class JournalFeature(Feature):
    """Writes down what clients send and get.

    Args:
        world: tells the time, and how many requests are kept.
        secrets: what must not be shown of them.
    """

    def __init__(self, world: World, secrets: Secrets) -> None:
        most = world.settings.journal
        self.journal = Journal(most) if most else None
        self.habits = Habits(world)
        self._world = world
        self._secrets = secrets

    def record(self, request: Request, trace: Trace, reply: Reply, ms: float) -> None:
        if self.journal is None:
            return
        clock = self._world.clock
        now = clock.now()
        habit = self.habits.seen_in(request, trace, now, frozen=clock.frozen) if trace.note else None
        size = request.size
        kept = record(
            request,
            trace,
            reply,
            self._secrets,
            at=now,
            ms=ms,
            body=request.body if len(request.body) == size else None,
            size=size,
            answer=reply.body if isinstance(reply.body, bytes) else None,
            answer_size=reply.size,
            habit=habit,
        )
        number = self.journal.record(kept)
        if trace.is_lost:
            self.habits.lost(request, trace, number)

    def forget(self) -> None:
        self.habits.clear()
        if self.journal is not None:
            self.journal.clear()

    def state(self) -> Mapping[str, Any]:
        return {"journal": 0 if self.journal is None else len(self.journal)}

    def control(self) -> Mapping[str, Handler]:
        """Return what the control API can do with it."""
        return handlers_of(JournalOperations(self._world, self.journal, self.habits))
