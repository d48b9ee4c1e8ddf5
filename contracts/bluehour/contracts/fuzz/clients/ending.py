"""How a client has ended: its own words, and the files that are there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from bluehour.openapi.contract import load

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
    named = {path: Path(path) for path in _texts(reply, "files")}
    returned = {f"returned bytes {n}": each for n, each in enumerate(_texts(reply, "digests"), 1)}
    downloaded = dict(_digests(named.values())) | returned
    there = saved(out)
    credits = reply.get("credits")
    if credits is not None and (isinstance(credits, bool) or not isinstance(credits, int)):
        raise ValueError(f"no credits are {credits!r}")
    return Ending(
        outcome,
        status=str(reply.get("status") or ""),
        # Where it names its files, what lies beside them is its own affair.
        files=downloaded if named or returned else media_among(there),
        kept=frozenset([*there.values(), *downloaded.values()]),
        missing=tuple(name for name, path in named.items() if not path.is_file()),
        credits=credits,
        error=str(reply.get("error") or ""),
        kind=str(reply.get("type") or ""),
        where=str(reply.get("where") or ""),
        output=str(reply.get("said") or ""),
    )


def _texts(reply: Mapping[str, Any], name: str) -> list[str]:
    value = reply.get(name) or []
    if not isinstance(value, list):
        raise ValueError(f"no {name} are {value!r}")  # noqa: TRY004 - as of any other bad reply
    return [str(each) for each in value]


def media_among(files: Mapping[str, str]) -> dict[str, str]:
    """Return those of some files that are pictures, videos or sounds by their names, or that say nothing."""
    known = load().extension("x-asset-extensions", {}).values()
    kinds = {f".{each}" for extensions in known for each in extensions} | {".gif", ""}
    return {name: digest for name, digest in files.items() if Path(name).suffix.lower() in kinds}


def saved(out: Path) -> dict[str, str]:
    """Return the digests of the files in a folder, by their names."""
    return dict(_digests(path for path in sorted(out.rglob("*")) if path.is_file()))


def _digests(paths: Any) -> Iterator[tuple[str, str]]:
    for path in paths:
        if path.is_file():
            yield path.name, hashlib.sha256(path.read_bytes()).hexdigest()
