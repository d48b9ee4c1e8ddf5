"""When something is sent: what the name of a callback, or of a webhook, says of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from bluehour.openapi.resources.words import plain

Moment = Literal["created", "changed", "deleted", "begun", "complete", "failed", "canceled", "over"]
"""What has happened to an item; `over` is the end of the work on it, however that went."""

_WORDS: Mapping[Moment, Sequence[str]] = {
    "failed": ("fail", "error", "reject"),
    "canceled": ("cancel", "abort", "stopped"),
    "complete": ("complet", "succe", "finish", "done", "ready"),
    "begun": ("start", "begin", "begun", "running", "processing", "progress"),
    "deleted": ("delet", "remov"),
    "changed": ("updat", "chang", "modif"),
    "created": ("creat", "new", "added"),
}


def moment_in(name: str) -> Moment | None:
    """Return the moment that a name speaks of, such as `complete` of `job.completed`; None where of none."""
    word = plain(name)
    return next((moment for moment, words in _WORDS.items() if any(each in word for each in words)), None)
