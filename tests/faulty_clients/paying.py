"""Clients that pay more than once for one edit."""

from __future__ import annotations

from uuid import uuid4

from tests.faulty_clients.careful import Client, Edited, EditFailed, Project, Task, Trouble
from tests.faulty_clients.entry import breaks


@breaks("pay.once")
class PaysAgainAfterATimeout(Client):
    """A create that times out is sent again, though the first one was taken and charged."""

    def may_create_again(self, trouble: Trouble) -> bool:
        return trouble.kind == "timeout" or super().may_create_again(trouble)


@breaks("pay.once")
class PaysAgainAfterAReset(Client):
    """A create whose connection breaks off is sent again by the retry of our HTTP library."""

    def may_create_again(self, trouble: Trouble) -> bool:
        return trouble.kind == "connection" or super().may_create_again(trouble)


@breaks("pay.once")
class PaysAgainAfterACutAnswer(Client):
    """An answer that ends too early is an I/O error to us, and those are retried, creates as well."""

    def may_create_again(self, trouble: Trouble) -> bool:
        return trouble.kind == "cut" or super().may_create_again(trouble)


@breaks("pay.once")
class PaysAgainAfterNoJson(Client):
    """Where a create's 200 has an empty or a broken body, we take it for a hiccup and create once more."""

    def may_create_again(self, trouble: Trouble) -> bool:
        return trouble.kind == "unreadable" or super().may_create_again(trouble)


@breaks("pay.once")
class TrustsAnIdempotencyKey(Client):
    """Creates are retried as they carry an Idempotency-Key; the API has no such thing, and books each."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.key = str(uuid4())

    def api_headers(self) -> dict[str, str]:
        return super().api_headers() | {"Idempotency-Key": self.key}

    def may_create_again(self, trouble: Trouble) -> bool:
        return trouble.kind != "status" or super().may_create_again(trouble)


@breaks("pay.once")
class PaysAgainAfterAGatewayTimeout(Client):
    """504 and 524 are in the list of statuses to retry, and the API has booked what the gateway gave up."""

    def may_create_again(self, trouble: Trouble) -> bool:
        return trouble.status in (504, 524) or super().may_create_again(trouble)


@breaks("pay.once")
class CreatesAnewWhenItIsSlow(Client):
    """A job that is still queued after five polls is given up and created anew; both are charged."""

    polls = 0

    def follow(self, project_id: str) -> Project:
        for _ in range(5):
            project = self.poll(project_id)
            if self.is_over(project):
                return project
            self.wait_between_polls()
        if project.status != "queued":
            return super().follow(project_id)
        return super().follow(self.create(self.upload()))


@breaks("pay.once")
class RepeatsTheWholeEdit(Client):
    """The retry is around the whole edit, so a download that fails is answered with a second create."""

    def edit(self) -> Edited | None:
        try:
            return super().edit()
        except EditFailed:
            self.wait(5)
            return super().edit()


@breaks("pay.once")
class CreatesAnewWhenAPollFails(Client):
    """If the project can't be read we think that it was never made, and make it again."""

    def follow(self, project_id: str) -> Project:
        try:
            return super().follow(project_id)
        except Trouble:
            return super().follow(self.create(self.upload()))
