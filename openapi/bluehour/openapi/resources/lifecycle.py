"""Which field of an item tells how far it is, and which of its words come first, then, and last."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..schema import Schema
from .model import Lifecycle
from .shapes import field_of, fields_of
from .words import plain

FIELDS = ("status", "state", "phase")
"""How the field's name ends, without what people vary in it."""

# By what people call it most; a draft waits for a person, where there is another word.
_WAITING = (
    "queued",
    "pending",
    "enqueued",
    "waiting",
    "submitted",
    "accepted",
    "scheduled",
    "requested",
    "created",
    "new",
    "received",
    "notstarted",
    "starting",
    "draft",
)
_RUNNING = (
    "running",
    "processing",
    "inprogress",
    "started",
    "working",
    "rendering",
    "executing",
    "generating",
    "building",
    "converting",
    "active",
    "ongoing",
    "busy",
)
_DONE = (
    "complete",
    "completed",
    "succeeded",
    "success",
    "successful",
    "done",
    "finished",
    "ready",
    "processed",
    "fulfilled",
    "available",
)
_FAILED = ("failed", "error", "errored", "failure", "rejected")
_CANCELED = ("canceled", "cancelled", "aborted", "stopped")


def lifecycle_of(item: Schema, sendable: Collection[str]) -> Lifecycle | None:
    """Return how an item gets done by itself; None where it does not, or where clients say how far it is."""
    for name in fields_of(item):
        if plain(name).endswith(FIELDS) and name not in sendable:
            words = field_of(item, name).resolved.get("enum")
            known = words if isinstance(words, list) else []
            if found := _lifecycle(name, [word for word in known if isinstance(word, str)]):
                return found
    return None


def _lifecycle(name: str, words: Sequence[str]) -> Lifecycle | None:
    known = {plain(word): word for word in words}

    def first(of: Sequence[str]) -> str | None:
        return next((known[word] for word in of if word in known), None)

    waiting, running, done = first(_WAITING), first(_RUNNING), first(_DONE)
    if running is None:
        named = _WAITING + _DONE + _FAILED + _CANCELED
        running = next((known[word] for word in known if word.endswith("ing") and word not in named), None)
    if done is None or (waiting is None and running is None):
        return None
    return Lifecycle(name, waiting or running or done, running, done, first(_FAILED), first(_CANCELED))
