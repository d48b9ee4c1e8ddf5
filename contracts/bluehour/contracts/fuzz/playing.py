"""Plays one script to a client: the task that the client gets, and all that came of it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from bluehour.openapi.contract import Contract

from .clients import Client, Limits
from .clock import ClientClock
from .performance import Performance
from .script import Script, brief
from .stage import Showing, Stage, Webhook
from .stage.media import GIVEN
from .wanted import Wanted
from .workers.python_worker import Task

PATIENCE = 0.2
_SURELY = 10
"""So many times its patience a client waits for what is answered at once."""

LONGEST_WAIT = 3600.0
_LONGEST_REAL_WAIT = 1.0
"""Seconds that Retry-After may ask for where nobody's clock can be moved."""

_SECONDS = 1800.0
"""The longest limit that one of the vendor's guides has (docs:integration/adding-api-to-your-app)."""
_REAL_SECONDS = 60.0
_HANGS_AFTER = 10.0
"""Seconds without a request after which a client that has to be stopped was not merely slow."""


@dataclass(frozen=True)
class Terms:
    """What a client is given, beside the script.

    Attributes:
        seconds: for how long it may run, on its own clock.
        real_seconds: for how long it may run on ours.
        patience: seconds after which it should give a request up that is never answered; where all are
            answered it is told to wait longer, so that no noise of the machine makes it give up.
        edits: how many projects it makes of a task.
        files: what it has to upload, by the type of asset.
        wanted: what it is to have done; None where the choice is the client's.
        webhook: the client's receiver; None where it has none.
        call: how the command line says all this, and the client.
    """

    seconds: float
    real_seconds: float
    patience: float = PATIENCE
    edits: int = 1
    files: Mapping[str, Path] = field(default_factory=lambda: GIVEN)
    wanted: Wanted | None = None
    call: str = ""
    webhook: Webhook | None = None

    @classmethod
    def of(
        cls,
        client: Client,
        *,
        timeout: float | None = None,
        patience: float | None = None,
        edits: int = 1,
        files: Mapping[str, Path | None] | None = None,
        wanted: Wanted | None = None,
        call: str = "",
        webhook: Webhook | None = None,
    ) -> Terms:
        """Return the terms for a client, with defaults for what is None."""
        seconds = timeout or (_SECONDS if client.virtual else _REAL_SECONDS)
        real_seconds = _REAL_SECONDS if client.virtual else seconds
        others = {kind: path for kind, path in (files or {}).items() if path is not None}
        given = {**GIVEN, **others}
        call = call or client.call
        return cls(seconds, real_seconds, patience or PATIENCE, edits, given, wanted, call, webhook)

    @property
    def task(self) -> dict[str, Any]:
        """What of a task is the same in all performances."""
        given = {"photo": "image", "video": "video", "audio": "audio"}
        task: dict[str, Any] = {name: str(self.files[kind]) for name, kind in given.items()}
        if self.webhook is not None:
            task |= {"webhook_url": self.webhook.url, "webhook_secret": self.webhook.secret}
        if self.wanted is not None:
            operation = self.wanted.operation
            task |= {"operation": operation.id, "path": operation.path}
            task["request"] = self.wanted.request_with(self.files)
        return task


class Theatre:
    """A stage with a client before it. Give it to `with`; the client is its maker's to close."""

    def __init__(self, contract: Contract, client: Client, terms: Terms) -> None:
        self._client = client
        self._terms = terms
        self._stage = Stage(contract)
        self._scratch = Path(tempfile.mkdtemp(prefix="bluehour-fuzz-"))
        self._played = 0

    def __enter__(self) -> Theatre:
        """Open it."""
        self._stage.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, and remove what was downloaded."""
        self._stage.__exit__(kind, error, trace)
        shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def longest_wait(self) -> float:
        """Seconds that Retry-After may ask for."""
        return LONGEST_WAIT if self._client.virtual else _LONGEST_REAL_WAIT

    def play(self, script: Script) -> Performance:
        """Play a script.

        Raises:
            ClientError: the client can't be driven.
        """
        script = script if self._client.virtual else brief(script)
        self._played += 1
        token = f"mhk_live_{hashlib.sha256(str(self._played).encode()).hexdigest()[:24]}"
        out = self._scratch / str(self._played)
        out.mkdir()
        terms, clock = self._terms, ClientClock()
        patience = terms.patience * (1 if script.has_silence else _SURELY)
        with self._stage.showing(
            script,
            token,
            clock,
            longest_wait=self.longest_wait,
            patience=patience,
            webhook=terms.webhook,
        ) as showing:
            task = Task(url=showing.url, token=token, out=str(out), patience=patience, **terms.task)
            ending = self._client.run(task, clock, Limits(terms.seconds, terms.real_seconds))
            seconds, real_seconds = clock.now(), clock.real()
        if showing.is_too_long:
            ending = replace(ending, outcome="late")
        elif ending.outcome == "late" and not self._is_late(showing, clock):
            ending = replace(ending, outcome="unjudged")
        shutil.rmtree(out, ignore_errors=True)
        return Performance(
            script,
            tuple(sorted(showing.player.asked, key=lambda asked: asked.at)),
            showing.player.charges,
            ending,
            seconds,
            real_seconds,
            token,
            self._given,
            frozenset(showing.player.made),
            showing.player.nowhere,
            terms.edits,
            self._client.virtual,
        )

    def _is_late(self, showing: Showing, clock: ClientClock) -> bool:
        """Whether a client that had to be stopped was late or hangs, and does not only sleep in real time."""
        asked = showing.player.asked
        hangs = clock.now() - (asked[-1].at if asked else 0.0) > _HANGS_AFTER
        return hangs or clock.now() > self._terms.seconds

    @cached_property
    def _given(self) -> Mapping[str, str]:
        """Digests of what the client has to upload."""
        return {
            kind: hashlib.sha256(path.read_bytes()).hexdigest() for kind, path in self._terms.files.items()
        }
