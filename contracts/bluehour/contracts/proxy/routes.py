"""Which operation of the contract a request is for, and which end of a signed link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from bluehour.openapi.contract import Contract
from bluehour.openapi.data import from_json
from bluehour.openapi.model import Operation

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_REMEMBERED = 10_000
"""Links; the oldest are forgotten first."""


class Routes:
    """Finds operations.

    Args:
        contract: which has them.
    """

    def __init__(self, contract: Contract) -> None:
        found = [
            (_Template(prefix + operation.path), operation)
            for operation in contract.operations
            for prefix in ("", *contract.base_paths)
        ]
        # Where two fit, the one with fewer parameters is meant: /pets/mine before /pets/{id}.
        self._routes = sorted(found, key=lambda route: len(route[0].names))

    def find(self, method: str, path: str) -> tuple[Operation | None, Mapping[str, str]]:
        """Return the operation that a request calls, and its path's parameters; HEAD calls what GET does."""
        wanted = "GET" if method == "HEAD" else method
        for template, operation in self._routes:
            if operation.method == wanted and (values := template.values_in(path)) is not None:
                return operation, dict(zip(template.names, map(unquote, values), strict=True))
        return None, {}


class _Template:
    """A path with parameters, none of which is empty or has a slash in it: `/tiles/{z}/{x}-{y}.png`."""

    def __init__(self, path: str) -> None:
        self.names: list[str] = _PARAMETER.findall(path)
        self._segments = [_PARAMETER.split(segment)[::2] for segment in path.split("/")]

    def values_in(self, path: str) -> list[str] | None:
        """Return the parameters' values in a path, or None where it does not fit."""
        segments = path.split("/")
        if len(segments) != len(self._segments):
            return None
        values: list[str] = []
        for segment, texts in zip(segments, self._segments, strict=True):
            found = _between(texts, segment)
            if found is None:
                return None
            values += found
        return values


def _between(texts: list[str], segment: str) -> list[str] | None:
    """Return what stands between texts that follow each other in a segment, most of it in the first gap.

    A regular expression would try every place for every gap: for hours, on a path of thousands of dashes.
    """
    first, *others = texts
    if not others:
        return [] if segment == first else None
    *inner, last = others
    end = len(segment) - len(last)
    if end <= len(first) or not (segment.startswith(first) and segment.endswith(last)):
        return None
    values: list[str] = []
    for text in reversed(inner):
        place = segment.rfind(text, len(first) + 1, end - 1)
        if place < 0:
            return None
        values.append(segment[place + len(text) : end])
        end = place
    return [segment[len(first) : end], *reversed(values)]


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
