"""How a mock is set up: the options of `bluehour serve`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MEMORY = "memory://"
"""The store that is gone with its process."""


def shown_store(url: str) -> str:
    """Return a store's URL as it may be shown: of a server without user, password and parameters."""
    kind, _, place = url.partition("://")
    if kind in ("memory", "sqlite"):
        return url
    return f"{kind}://{place.partition('?')[0].rpartition('@')[2]}"


WORKERS = "workers"
"""The renderer of a server that leaves its jobs to `bluehour work`."""

Validation = Literal["on", "warn", "off"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a mock is set up; every field is an option of `bluehour serve`.

    Attributes:
        store: where accounts and projects live: `memory://`, `sqlite:///file` or `postgresql://host/database`.
        time_scale: how long a job takes, in shares of the vendor's own median; 0 finishes at once.
        plan: the plan of an account whose token does not name one.
        credits: what such an account has at first.
        fetch_assets: whether a picture that is named by URL is fetched.
        concurrency: whether a plan limits how many jobs run at a time.
        idempotency: whether creates take an `Idempotency-Key` though their contract does not say so.
        stateless: whether every operation answers by its example, as if nothing had come before.
        validate: what becomes of requests that break the contract: `on` refuses them, `warn` carries them
            out and says so, `off` carries them out.
        seed: what chance begins with, for values that are made up; None for another one each time.
        cors: whether pages of other origins may call the API.
        journal: how many requests are kept to look at; 0 keeps none.
        upload_space: bytes of uploads that are kept in all.
        control_token: what opens the control API; without one, it is open to callers on this machine.
        allow_targets: private servers that pictures and webhooks may be at, though others reach the mock.
        deny_targets: servers that they may not be at.
        renderer: what makes the pictures: `simulated`, or `reference`, which really edits them; `workers`, if
            other processes do.
        most_waiting: how many projects may wait for a renderer, or for the end of its work; None for any
            number.
        device: where the reference renderer runs: `auto`, `cpu` or `cuda`.
        photo_model: the folder of a diffusion pipeline for its photo editor; without one, it knows tones
            and styles only.
    """

    store: str = MEMORY
    time_scale: float = 0.1
    plan: str = "creator"
    credits: int = 10_000
    fetch_assets: bool = False
    concurrency: bool = False
    idempotency: bool = False
    stateless: bool = False
    validate: Validation = "on"
    seed: int | None = None
    cors: bool = True
    journal: int = 1000
    upload_space: int = 10 * 2**30
    control_token: str | None = None
    allow_targets: tuple[str, ...] = ()
    deny_targets: tuple[str, ...] = ()
    renderer: str = "simulated"
    device: str = "auto"
    photo_model: Path | None = None
    most_waiting: int | None = None

    @property
    def shown_store(self) -> str:
        """The store's URL as it may be shown."""
        return shown_store(self.store)
