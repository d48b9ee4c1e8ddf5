"""The booth: it orders an edit, waits for it, and downloads it, on top of the vendor's own SDK.

What to take from here is how it never pays twice. The API has no idempotency key, so a create whose answer
was lost may or may not have been charged. The booth then sends nothing more for that guest; the webhook,
which names the guest, tells what became of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
from magic_hour import ApiError, Client

T = TypeVar("T")

MOST_TRIES = 5


class BoothError(Exception):
    """The booth can't hand out a picture; each kind of it asks for something else of the operator."""


class OutOfCredits(BoothError):
    """The account can't pay. Nothing was charged: top it up, and ask again."""


class Busy(BoothError):
    """The service had no room for us, however long we waited. Nothing was charged."""


class PaymentUnclear(BoothError):
    """The create's answer was lost, so it may have been charged: do not ask again, wait for the webhook."""


class JobFailed(BoothError):
    """The picture could not be made, and its credits were given back: ask again with a better portrait."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Order:
    """What the booth knows of a guest's picture. A real booth keeps these in a database."""

    payment: Literal["none", "unclear", "done"] = "none"
    project: str | None = None
    link: str | None = None


class Booth:
    """A photo booth.

    Args:
        client: the vendor's client.
        sleep: how to wait, in seconds; a test passes its own.
    """

    def __init__(self, client: Client, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep
        self._orders: dict[str, Order] = {}

    def order(self, guest: str, portrait: Path) -> None:
        """Pay for a guest's smile, if that has not been done.

        Raises:
            BoothError: OutOfCredits, Busy or PaymentUnclear.
        """
        order = self._orders.setdefault(guest, Order())
        if order.payment == "unclear":
            raise PaymentUnclear(f"the picture of {guest} may have been paid for already")
        if order.payment == "none":
            self._pay(order, guest, self._upload(portrait))

    def picture(self, guest: str, folder: Path) -> Path:
        """Wait for a guest's picture, and download it into a folder.

        Raises:
            BoothError: JobFailed, or none has been ordered that is known to be paid.
        """
        order = self._orders.get(guest, Order())
        if order.payment != "done":
            raise BoothError(f"no picture of {guest} is known to be paid")
        if order.link is None:
            order.link = self._wait_for_link(order)
        answer = httpx.get(order.link)
        if answer.status_code == 403:  # links live for a day; every read of the project signs a fresh one
            order.link = self._wait_for_link(order)
            answer = httpx.get(order.link)
        answer.raise_for_status()
        path = folder / f"{order.project}.png"
        path.write_bytes(answer.content)
        return path

    def hear(self, event: dict[str, Any]) -> None:
        """Take a webhook's event, which may come twice, late, or for an order that we thought was lost."""
        project = event["payload"]
        order = self._orders.get(project["name"])
        if order is None:
            return
        if order.payment == "unclear":
            order.payment, order.project = "done", project["id"]
        if order.project == project["id"] and event["type"] == "image.completed":
            order.link = project["downloads"][0]["url"]

    def _upload(self, portrait: Path) -> str:
        return self._patiently(lambda: self._client.v1.files.upload_file(str(portrait)))

    def _pay(self, order: Order, guest: str, uploaded: str) -> None:
        order.payment = "unclear"  # until an answer says otherwise, whatever happens in between
        try:
            created = self._patiently(
                lambda: self._client.v1.ai_face_editor.create(
                    name=guest,  # by which the webhook's event finds the order
                    assets={"image_file_path": uploaded},
                    style={"mouth_smile": 60},
                )
            )
        except Busy:
            order.payment = "none"
            raise
        except ApiError as error:
            if error.status_code >= 500:
                raise PaymentUnclear(f"the service failed: {error}") from error
            order.payment = "none"
            if error.status_code == 402:
                raise OutOfCredits(str(error)) from error
            raise
        except httpx.ConnectError:  # the request never left
            order.payment = "none"
            raise
        except Exception as error:  # it did, and its answer was lost, or is none that can be read
            raise PaymentUnclear(f"there was no answer to read: {error!r}") from error
        order.payment, order.project = "done", created.id

    def _wait_for_link(self, order: Order) -> str:
        project = self._read(order)
        while project.status not in ("complete", "error", "canceled"):
            self._sleep(3)  # as the vendor advises for images
            project = self._read(order)
        if project.status != "complete":
            order.payment, order.project = "none", None  # the credits are back: the guest may ask again
            error = project.error
            raise JobFailed(error.code, error.message) if error else JobFailed("canceled", "It was canceled")
        return project.downloads[0].url

    def _read(self, order: Order) -> Any:
        return self._patiently(lambda: self._client.v1.image_projects.get(id=order.project))

    def _patiently(self, call: Callable[[], T]) -> T:
        """Call, and call again for as long as the service says that it has too much to do (429)."""
        for tried in range(MOST_TRIES):
            try:
                return call()
            except ApiError as error:
                if error.status_code != 429:
                    raise
                self._sleep(float(error.response.headers.get("Retry-After", 2**tried)))
        raise Busy(f"the service is busy, after {MOST_TRIES} tries")
