"""The journal as a part of the mock: every request to the API is written down with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bluehour.openapi.messages import Request

from ..api.feature import Feature
from ..api.reply import Reply
from ..api.secrets import Secrets
from ..api.trace import Trace
from ..control.exchange import Handler, handlers_of
from ..core.stores.pages import Page
from ..core.world import World
from .control import JournalOperations
from .journal import Journal
from .record import Record, record
from .shared import SharedJournal


class JournalFeature(Feature):
    """Writes down what clients send and get.

    Args:
        world: tells the time, and how many requests are kept.
        secrets: what must not be shown of them.
    """

    def __init__(self, world: World, secrets: Secrets) -> None:
        self.journal = self._made(world) if world.settings.journal else None
        self._world = world
        self._secrets = secrets

    def _made(self, world: World) -> Journal:
        def advised() -> float:
            return world.advised_poll_seconds

        most, pages = world.settings.journal, world.store.pages
        if pages is None:
            return Journal(most, advised)
        return SharedJournal(most, advised, pages, world.board, self._record_of)

    def _record_of(self, page: Page) -> Record:
        operation = None
        if page.operation_id is not None:
            with suppress(KeyError):  # of another contract
                operation = self._world.contract.operation(page.operation_id)
        return Record(page.packed, page.body, page.answer, operation, 0, self._secrets)

    def record(self, request: Request, trace: Trace, reply: Reply, ms: float) -> None:
        if self.journal is None:
            return
        clock = self._world.clock
        size = request.size
        self.journal.record(
            record(
                request,
                trace,
                reply,
                self._secrets,
                at=clock.now(),
                ms=ms,
                body=request.body if len(request.body) == size else None,
                size=size,
                answer=reply.body if isinstance(reply.body, bytes) else None,
                answer_size=reply.size,
                is_frozen=clock.frozen,
            )
        )

    def forget(self) -> None:
        if self.journal is not None:
            self.journal.forget()

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()

    def state(self) -> Mapping[str, Any]:
        return {"journal": 0 if self.journal is None else len(self.journal)}

    def control(self) -> Mapping[str, Handler]:
        """Return what the control API can do with it."""
        return handlers_of(JournalOperations(self._world, self.journal))
