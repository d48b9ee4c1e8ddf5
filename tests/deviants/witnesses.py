"""Exchanges that several deviants have in common, and answers as they are compared: without what passes."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from random import Random
from typing import Any

from PIL import Image

from bluehour.openapi.contract import load

from .client import Answer, Client
from .deviant import Witness
from .fields import FAILING_ASSET, legal
from .names import FACE
from .serving import TIME_SCALE

_LONGEST_TEXT = 300

_PASSING = (
    (re.compile(r"\bc[0-9a-z]{24}\b"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "BASE"),
    (re.compile(r"expires=\d+"), "expires=TIME"),
    (re.compile(r"signature=[0-9a-f]{64}"), "signature=SIGNATURE"),
    (re.compile(r"mhk_test_[a-z]+_\d+_[0-9a-f]{12}"), "TOKEN"),
)
"""What differs between two runs of the same server, and what stands for it."""


def seen(answer: Answer) -> tuple[int, str | None, Any]:
    """Return what there is to compare of an answer: its status, media type and data."""
    return answer.status, answer.headers.get("Content-Type"), _content(answer)


def plain(value: Any) -> Any:
    """Return data without what passes: ids, times, hosts, signatures."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        for pattern, name in _PASSING:
            value = pattern.sub(name, value)
    return value


def size_of(picture: bytes) -> tuple[int, int] | str:
    """Return a picture's width and height, or what is wrong with it."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            image.load()
            return image.size
    except (OSError, SyntaxError):
        return "no picture, or not all of it"


def _content(answer: Answer) -> Any:
    if not answer.body:
        return None
    if answer.body.startswith(b"\x89PNG"):
        return size_of(answer.body)
    try:
        return plain(answer.json)
    except ValueError:
        return plain(answer.body.decode("latin-1"))[:_LONGEST_TEXT]


def sending(
    method: str, target: str, body: bytes | None = None, headers: Mapping[str, str | None] | None = None
) -> Witness:
    """Send one raw request."""
    return lambda client: seen(client.send(method, target, body, headers))


def posting(operation: str, body: Any, headers: Mapping[str, str | None] | None = None) -> Witness:
    """Call an operation once."""
    return lambda client: seen(client.call(operation, body, headers))


def posting_raw(operation: str, body: bytes, headers: Mapping[str, str | None] | None = None) -> Witness:
    """Call an operation once with any bytes for a body."""
    called = load().operation(operation)
    return sending(called.method, called.path, body, headers)


def living(operation: str, body: Any = None) -> Witness:
    """Create a project, and look at it queued, rendering and ended; by default of the published example."""
    return lambda client: _looks(client, operation, legal(operation) if body is None else body)


def failing(operation: str) -> Witness:
    """Create a project whose picture shows no face, and look at it queued, rendering and ended in error."""
    return living(operation, legal(operation, FAILING_ASSET))


def _looks(client: Client, operation: str, body: Any) -> list[Any]:
    created = client.call(operation, body)
    seconds = load().operation(operation).render_seconds * TIME_SCALE
    looks = [seen(created)]
    for pause in (0, seconds / 2, seconds):
        client.wait(pause)
        looks.append(seen(client.project(created.json["id"])))
    return looks


def deleting(client: Client) -> list[Any]:
    """Create, finish and delete a project, look at it, and delete it again."""
    project_id = client.finished(FACE, legal(FACE))["id"]
    answers = [client.delete(project_id), client.project(project_id), client.delete(project_id)]
    return [seen(answer) for answer in answers]


def png(width: int = 64, height: int = 48) -> bytes:
    """Return a picture that can be edited."""
    return _encoded(Image.linear_gradient("L").resize((width, height)))


def noise() -> bytes:
    """Return a picture of tens of kilobytes, all bytes among them."""
    return _encoded(Image.frombytes("L", (200, 200), Random(0).randbytes(200 * 200)))


def _encoded(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
