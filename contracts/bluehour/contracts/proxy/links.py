"""Which end of a signed link a request is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from bluehour.openapi.data import from_json

_REMEMBERED = 10_000
"""Links; the oldest are forgotten first."""


class Links:
    """Remembers the links that answers carry, to know a transfer when it passes."""

    def __init__(self) -> None:
        self._transfers: dict[tuple[str, str], str] = {}

    def learn(self, body: bytes) -> None:
        """Remember the links of an answer."""
        if b"upload_url" not in body and b"downloads" not in body:
            return
        try:
            answer = from_json(body)
        except ValueError:
            return
        for method, transfer, url in _links(answer):
            with suppress(ValueError):  # what is no URL is the judge's to complain of
                self._transfers[method, urlsplit(url).path] = transfer
        while len(self._transfers) > _REMEMBERED:
            del self._transfers[next(iter(self._transfers))]

    def find(self, method: str, path: str) -> str:
        """Return `upload` or `download` for the two ends of a link, else nothing."""
        return self._transfers.get(("GET" if method == "HEAD" else method, path), "")


def _links(answer: Any) -> Iterator[tuple[str, str, str]]:
    """The links that an answer carries, each with its method and what it is for."""
    if not isinstance(answer, dict):
        return
    for key, method, transfer, field in (
        ("items", "PUT", "upload", "upload_url"),
        ("downloads", "GET", "download", "url"),
    ):
        entries = answer.get(key)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(url := entry.get(field), str):
                yield method, transfer, url
