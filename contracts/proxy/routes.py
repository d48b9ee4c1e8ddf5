"""Which operation of the contract a request is for, and which end of a signed link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from openapi.contract import Contract
from openapi.data import from_json
from openapi.model import Operation

_PARAMETER = re.compile(r"\\\{[^{}]+\\\}")
_REMEMBERED = 10_000
"""Links; the oldest are forgotten first."""


class Routes:
    """Finds operations.

    Args:
        contract: which has them.
    """

    def __init__(self, contract: Contract) -> None:
        found = [
            (re.compile(_pattern(prefix + operation.path)), operation)
            for operation in contract.operations
            for prefix in ("", *contract.base_paths)
        ]
        # Where two fit, the one with fewer parameters is meant: /pets/mine before /pets/{id}.
        self._routes = sorted(found, key=lambda route: route[0].groups)

    def find(self, method: str, path: str) -> tuple[Operation | None, Mapping[str, str]]:
        """Return the operation that a request calls, and its path's parameters; HEAD calls what GET does."""
        wanted = "GET" if method == "HEAD" else method
        for pattern, operation in self._routes:
            if operation.method == wanted and (match := pattern.fullmatch(path)):
                names = re.findall(r"\{([^{}]+)\}", operation.path)
                return operation, dict(zip(names, map(unquote, match.groups()), strict=True))
        return None, {}


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


def _pattern(template: str) -> str:
    return _PARAMETER.sub("([^/]+)", re.escape(template))


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
