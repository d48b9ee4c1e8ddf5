"""How a client has ended: its own words, and the files that are there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ..performance import Ending

_OUTCOMES: Mapping[str, Literal["done", "refused", "crashed", "late"]] = {
    "done": "done",
    "refused": "refused",
    "crashed": "crashed",
    "stopped": "late",
}


def of_reply(reply: Mapping[str, Any], out: Path) -> Ending:
    """Read a worker's reply.

    Args:
        reply: as docs/fuzz-protocol.md has it.
        out: the folder in which downloads were to be saved.

    Raises:
        ValueError: it is none.
    """
    outcome = _OUTCOMES.get(str(reply.get("outcome")))
    if outcome is None:
        raise ValueError(f"no outcome is {reply.get('outcome')!r}")
    named = {str(path): Path(str(path)) for path in reply.get("files") or []}
    digests = {f"returned bytes {n}": str(each) for n, each in enumerate(reply.get("digests") or [], 1)}
    return Ending(
        outcome,
        status=str(reply.get("status") or ""),
        files=saved(out) | dict(_digests(named.values())) | digests,
        missing=tuple(name for name, path in named.items() if not path.is_file()),
        credits=reply.get("credits"),
        error=str(reply.get("error") or ""),
        kind=str(reply.get("type") or ""),
        where=str(reply.get("where") or ""),
        said=str(reply.get("said") or ""),
    )


def saved(out: Path) -> dict[str, str]:
    """Return the digests of the files in a folder, by their names."""
    return dict(_digests(path for path in sorted(out.rglob("*")) if path.is_file()))


def _digests(paths: Any) -> Iterator[tuple[str, str]]:
    for path in paths:
        if path.is_file():
            yield path.name, hashlib.sha256(path.read_bytes()).hexdigest()
