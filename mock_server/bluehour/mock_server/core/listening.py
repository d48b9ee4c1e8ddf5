"""What a world tells those who listen to it."""

from __future__ import annotations

from bluehour.openapi.contract import Contract

from .projects import Project
from .records import Record


class Listener:
    """Is told what happens. Every method does nothing: whoever listens has the ones that it needs."""

    def project_created(self, project: Project) -> None:
        """A project was stored, and charged."""

    def project_changed(self, project: Project) -> None:
        """A project has begun to render, or was ended, otherwise than planned."""

    def record_changed(self, old: Record | None, new: Record) -> None:
        """An item of another contract's resource was stored, for the first time or anew, or deleted."""

    def changed(self, what: str) -> None:
        """Something has changed that people look at: `clock`, `rules`, `webhooks`, `accounts`, …"""

    def resume(self) -> None:
        """The server is about to begin: take up what another process left in the store."""

    def reset(self) -> None:
        """The store has forgotten everything, as this process wants it; no request is under way in it.

        Who has something that is to be there from the start puts it there again.
        """

    def forget(self) -> None:
        """The store has forgotten everything, before `reset` or by another process: so does this one.

        No request is under way in this process.
        """

    def adopt(self, contract: Contract) -> None:
        """Another contract holds from now on.

        Raises:
            ValueError: it lacks what is in use; it does not hold then.
        """

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is under way; tell whether that came true within so many real seconds."""
        return True

    def close(self) -> None:
        """All of it ends; what is under way is dropped, or ends in a moment."""
