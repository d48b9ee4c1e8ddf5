"""Clients that poll too fast, or do not know when a project is over."""

from __future__ import annotations

import math
import time

from tests.faulty_clients.careful import BETWEEN_POLLS, TRIES, Client, Edited, Project, Task, Trouble
from tests.faulty_clients.entry import breaks


@breaks("poll.pace")
class PollsFiveTimesASecond(Client):
    """The loop sleeps for 0.2 s, a number from the days of the local mock."""

    def wait_between_polls(self) -> None:
        self.wait(0.2)


@breaks("poll.pace")
class StartsWithShortPauses(Client):
    """The backoff starts at 0.1 s and doubles, which is five polls in the first three seconds."""

    pause_now = 0.1

    def wait_between_polls(self) -> None:
        self.wait(self.pause_now)
        self.pause_now = min(2 * self.pause_now, BETWEEN_POLLS)


@breaks("poll.end")
class DoesNotKnowCanceled(Client):
    """A project that was canceled in the web app is polled for ever; we only look for complete and error."""

    def is_over(self, project: Project) -> bool:
        return project.status in ("complete", "error")


@breaks("poll.end")
class DoesNotKnowError(Client):
    """A job that ends in an error is polled until the time is up: we wait for "failed"."""

    def is_over(self, project: Project) -> bool:
        return project.status in ("complete", "failed", "canceled")


@breaks("result.true")
class TakesAnUnknownStatusForTheEnd(Client):
    """`while status in ("queued", "rendering")`: whatever else there is one day is taken for complete."""

    def is_over(self, project: Project) -> bool:
        return project.status not in ("draft", "queued", "rendering")

    def told(self, project: Project, files: list[str]) -> Edited:
        failed = project.status in ("error", "canceled")
        return super().told(project, files) | {"status": project.status if failed else "complete"}


@breaks("retry.after")
class GoesOnPollingThroughARateLimit(Client):
    """A 429 between two polls is passed over: the loop goes on at its own pace, whatever Retry-After says."""

    def poll(self, project_id: str, tries: int = TRIES) -> Project:
        try:
            return super().poll(project_id, tries=1)
        except Trouble as trouble:
            if trouble.status != 429:
                raise
            return Project("queued", [], None)


@breaks("poll.end")
class WaitsUntilItStaysComplete(Client):
    """After complete it polls five times more, since the downloads once came late."""

    def follow(self, project_id: str) -> Project:
        super().follow(project_id)
        for _ in range(5):
            self.wait_between_polls()
            project = self.poll(project_id)
        return project


@breaks("poll.end")
class WaitsForAPicture(Client):
    """It polls until there is a download, so a complete project without pictures never ends."""

    def is_over(self, project: Project) -> bool:
        return bool(project.links) or project.status in ("error", "canceled")


@breaks("end.in-time")
class NeverGivesUp(Client):
    """A job that stays in the queue is waited for without any limit."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.ends_at = math.inf


@breaks("end.in-time")
class CountsItsPollsOnly(Client):
    """The limit is a thousand polls, not a time; with the pause between them that is most of an hour."""

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def follow(self, project_id: str) -> Project:
        for _ in range(1_000):
            project = self.poll(project_id)
            if self.is_over(project):
                break
            self.wait_between_polls()
        return project


@breaks("retry.backoff")
class AsksAgainAtOnceWhenAPollFails(Client):
    """A poll that fails is repeated after 0.1 s: the pause is only kept where the answer was good."""

    is_polling = False

    def poll(self, project_id: str, tries: int = TRIES) -> Project:
        self.is_polling = True
        return super().poll(project_id, tries)

    def pause(self, trouble: Trouble, number: int) -> float:
        is_told_when = trouble.status in (429, 503)
        return 0.1 if self.is_polling and not is_told_when else super().pause(trouble, number)
