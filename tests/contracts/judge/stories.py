"""Exchanges made by hand, and the rules that they break."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bluehour.contracts.exchange import Answer, Exchange, Headers, Request
from bluehour.contracts.judge import Judge, Ruling, Violation
from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.terms import usual_price
from tests.editors import EDITORS

CONTRACT = EDITORS
FACE = CONTRACT.operation("aiFaceEditor.editImage")
PHOTO = CONTRACT.operation("aiPhotoEditor.createImage")
READ = CONTRACT.operation("imageProjects.getDetails")
DELETE = CONTRACT.operation("imageProjects.delete")
UPLOADS = CONTRACT.operation("videoAssets.generatePresignedUrl")

BASE = "http://images.example.com"
TOKEN = "mhk_live_Zk9s0Qx7Yb2Lr5Wd8Vn3"
START = 1_790_000_000.0
"""When stories begin; all their times count from here."""
DAY = float(CONTRACT.extension("x-lifetimes")["download-link"])

JSON_HEADERS: Headers = (("Content-Type", JSON),)


def when(seconds: float) -> str:
    """A time of a story, as the API writes times."""
    return datetime.fromtimestamp(START + seconds, UTC).isoformat().replace("+00:00", "Z")


def answer(status: int = 200, body: Any = None, headers: Headers = JSON_HEADERS, took: float = 0.0) -> Answer:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status, headers if content else (), content, took)


def exchange(
    operation: Operation | None,
    given: Answer | None,
    at: float = 0.0,
    body: Any = None,
    path: str | None = None,
    method: str | None = None,
    token: str | None = TOKEN,
    **fields: Any,
) -> Exchange:
    """A call of an operation; its number is counted by `played`."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    headers = () if token is None else (("Authorization", f"Bearer {token}"),)
    target = path or (operation.path.replace("{id}", "p1") if operation else "/v1/nothing")
    asked = Request(method or (operation.method if operation else "GET"), BASE + target, headers, content)
    return Exchange(1, START + at, asked, given, operation, **fields)


# --- steps of a story ---------------------------------------------------------------------------------------


def create(
    at: float = 0.0,
    name: str | None = "Smile",
    operation: Operation = FACE,
    took: float = 0.0,
    headers: Headers = JSON_HEADERS,
    status: int = 200,
    **says: Any,
) -> Exchange:
    """A create that is accepted as it should be, but for what `says`."""
    body = {"assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {}}
    made = {
        "id": "p1",
        "credits_charged": usual_price(operation),
        "frame_cost": usual_price(operation),
        **says,
    }
    asked = body if name is None else {**body, "name": name}
    return exchange(operation, answer(status, made, headers, took), at, asked)


def project(**says: Any) -> dict[str, Any]:
    """A project as it should be once it is queued, but for what `says`."""
    charged = says.get("credits_charged", usual_price(FACE))
    return {
        "id": "p1",
        "name": "Smile",
        "status": "queued",
        "image_count": 1,
        "type": FACE.project_type,
        "created_at": when(0),
        "enabled": True,
        "total_frame_cost": charged,
        "credits_charged": charged,
        "downloads": [],
        "error": None,
    } | says


def read(
    at: float, took: float = 0.0, token: str | None = TOKEN, headers: Headers = JSON_HEADERS, **says: Any
) -> Exchange:
    """A GET that shows a project as it should be, but for what `says`."""
    shown = project(**says)
    path = f"/v1/image-projects/{shown.pop('path_id', 'p1')}"
    return exchange(READ, answer(200, shown, headers, took), at, path=path, token=token)


def link(at: float, lives: float = DAY) -> dict[str, str]:
    return {"url": "https://images.example.com/output.png", "expires_at": when(at + lives)}


def complete(at: float, took: float = 0.0, **says: Any) -> Exchange:
    return read(at, took, **{"status": "complete", "downloads": [link(at)], **says})


ERROR = {"code": "no_source_face", "message": "Please use an image with a detectable face"}


def failed(at: float, **says: Any) -> Exchange:
    return read(at, **{"status": "error", "credits_charged": 0, "error": ERROR, **says})


def not_found(at: float, took: float = 0.0, token: str | None = TOKEN) -> Exchange:
    given = answer(404, {"code": "not_found", "message": "Not Found"}, took=took)
    return exchange(READ, given, at, token=token)


def delete(at: float, status: int = 204, took: float = 0.0, token: str | None = TOKEN) -> Exchange:
    body = None if status == 204 else {"code": "not_found", "message": "Not Found"}
    return exchange(DELETE, answer(status, body, took=took), at, token=token)


def unanswered(operation: Operation, at: float) -> Exchange:
    return exchange(operation, None, at, failure="it did not answer")


def deleted(at: float, **says: Any) -> Exchange:
    return read(at, **{"status": "complete", "enabled": False, "downloads": [], **says})


def issued(
    at: float, *paths: str, asked: int | None = None, lives: float = 3600, headers: Headers = JSON_HEADERS
) -> Exchange:
    """Upload links for pictures, one for each path."""
    items = [
        {"upload_url": f"{BASE}/{path}?signature=1", "file_path": path, "expires_at": when(at + lives)}
        for path in paths
    ]
    wanted = [{"type": "image", "extension": "png"}] * (len(paths) if asked is None else asked)
    return exchange(UPLOADS, answer(200, {"items": items}, headers), at, {"items": wanted})


# --- what is said of it -------------------------------------------------------------------------------------


def rulings(*story: Exchange) -> list[Ruling]:
    """What a judge says of a story, one exchange after the other."""
    judge = Judge(CONTRACT)
    return [ruling for each in numbered(story) for ruling in judge.rule_on(each)]


def violations(*story: Exchange) -> list[Violation]:
    return [ruling.violation for ruling in rulings(*story) if ruling.violation]


def broken(*story: Exchange) -> set[str]:
    """The rules that a story breaks."""
    return {violation.rule.id for violation in violations(*story)}


def kept(*story: Exchange) -> set[str]:
    """The rules that were looked at and kept throughout."""
    return {ruling.rule.id for ruling in rulings(*story)} - broken(*story)


def numbered(story: Iterable[Exchange]) -> Iterator[Exchange]:
    for number, each in enumerate(story, 1):
        yield replace(each, number=number)
