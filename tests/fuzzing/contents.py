"""Bodies for an operation: those at the edges of its schema, changed, as JSON or as a form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from random import Random
from typing import Any
from urllib.parse import quote

from bluehour.contracts import bodies
from bluehour.openapi.document import SpecError
from bluehour.openapi.model import JSON, MediaType, Operation

from .odd_http import BODIES, CONTENT_TYPES, PARAMETERS, QUERIES
from .oddities import Raw, mutated, written

_EDGES = 60
"""Of a schema, legal and illegal ones each, that are taken as they are or changed further."""

_DISPOSITIONS = (
    b'form-data; name="%s"',
    b'form-data; name="%s"; filename="a.png"',
    b"form-data; name=\"%s\"; filename*=latin-9''%%ff",
    b"form-data; name*=UTF-8''%s",
    b'form-data; name="\xff%s"',
    b"form-data; %s",
)


class Contents:
    """Bodies of one operation."""

    def __init__(self, operation: Operation, random: Random) -> None:
        self._random = random
        self._published = list(_published(operation, random))

    def content(self, learned: Sequence[str]) -> tuple[bytes, bytes]:
        """Return a body and its Content-Type.

        Args:
            learned: texts that the server gave out, or knows.
        """
        random = self._random
        if not self._published:
            return (random.choice(BODIES) if random.random() < 0.05 else b"", b"")
        media, value = random.choice(self._published)
        content, content_type = self._written(media, value, learned)
        if random.random() < 0.05:
            content_type = random.choice(CONTENT_TYPES)
        return (random.choice(BODIES) if random.random() < 0.02 else content), content_type

    def _written(self, media: MediaType, value: Any, learned: Sequence[str]) -> tuple[bytes, bytes]:
        random = self._random
        content_type = media.name.replace("*/*", "application/octet-stream").encode()
        if media.is_json:
            changed = mutated(value, random, learned) if random.random() < 0.8 else value
            return written(_tamed(changed), random), content_type
        if not isinstance(value, dict):
            return str(value).encode("utf-8", "replace"), content_type
        return (
            _multipart(value, random) if "multipart" in media.name else (_form(value, random), content_type)
        )


def _published(operation: Operation, random: Random) -> Iterator[tuple[MediaType, Any]]:
    """An operation's examples, as often as all else together, and values at the edges of its schema."""
    for media in operation.body.content.values() if operation.body else ():
        try:
            example = media.example
        except SpecError:
            continue
        yield from [(media, each) for each in (example, *media.examples)] * _EDGES
        if media.name == JSON:
            yield from ((media, edge.body) for edge in islice(bodies.legal(media, example, random), _EDGES))
            for each in islice(bodies.illegal(media, example, random), _EDGES):
                yield media, json.loads(each.content)


def _tamed(value: Any) -> Any:
    """A body that makes nobody wait for long: no rule delays by seconds, nothing settles for a minute."""
    if isinstance(value, list):
        return [_tamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    tamed = {key: _tamed(item) for key, item in value.items()}
    for key in tamed.keys() & {"delay", "drip_seconds", "timeout"}:
        number = tamed[key].text if isinstance(tamed[key], Raw) else tamed[key]
        with suppress(ValueError, TypeError, OverflowError):
            if 0 < float(number) <= 3600:
                tamed[key] = 0.001
    if tamed.get("fault") == "slow_drip":
        tamed["drip_seconds"] = 0.001
    return tamed


def _text(value: Any, random: Random) -> bytes:
    return random.choice(PARAMETERS) if random.random() < 0.3 else quote(str(value), safe="").encode()


def _form(value: dict[str, Any], random: Random) -> bytes:
    parts = [quote(name, safe="").encode() + b"=" + _text(item, random) for name, item in value.items()]
    if random.random() < 0.2:
        parts.append(random.choice(QUERIES))
    return b"&".join(parts)


def _multipart(value: dict[str, Any], random: Random) -> tuple[bytes, bytes]:
    boundary = random.choice((b"x", b"-" * 60, b"\xe6\xbc\xa2", b'"a b"', b"", b"a" * 200))
    parts = []
    for name, item in value.items():
        disposition = random.choice(_DISPOSITIONS) % name.encode()
        header = random.choice((b"", b"\r\nContent-Type: text/plain; charset=utf-99", b"\r\nX: \xff"))
        head = b"--%s\r\nContent-Disposition: %s%s\r\n\r\n" % (boundary, disposition, header)
        parts.append(head + _text(item, random) + b"\r\n")
    end = random.choice((b"--%s--\r\n" % boundary, b"", b"--%s" % boundary))
    return b"".join(parts) + end, b"multipart/form-data; boundary=" + boundary
