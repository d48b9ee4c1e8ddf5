"""httpx, with a client for the API, the retries of its transport, and a dataclass for the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx  # type: ignore[import-not-found]  # it is installed only where this runs


class EditError(Exception):
    """The project came to nothing."""


@dataclass
class Created:
    """The answer to a create."""

    id: str
    credits_charged: int
    frame_cost: int | None = None


def edit(task: Any) -> dict[str, Any]:
    """Have the face editor make a smile."""
    with httpx.Client(
        base_url=task.url,
        headers={"Authorization": f"Bearer {task.token}"},
        timeout=task.patience,
        transport=httpx.HTTPTransport(retries=3),
        follow_redirects=True,
    ) as client:
        upload = client.post("/v1/files/upload-urls", json={"items": [{"type": "image", "extension": "jpg"}]})
        item = upload.raise_for_status().json()["items"][0]
        put = httpx.put(item["upload_url"], content=Path(task.photo).read_bytes(), timeout=task.patience)
        put.raise_for_status()

        body = {"assets": {"image_file_path": item["file_path"]}, "style": {"mouth_smile": 60}}
        created = Created(**client.post("/v1/ai-face-editor", json=body).raise_for_status().json())

        while True:
            answer = client.get(f"/v1/image-projects/{created.id}")
            if answer.status_code == 429:
                time.sleep(int(answer.headers.get("Retry-After", 5)))
                continue
            project = answer.raise_for_status().json()
            if project["status"] == "complete":
                break
            if project["status"] in ("error", "canceled"):
                raise EditError(project["status"])
            time.sleep(2)

    files = []
    for number, download in enumerate(project["downloads"]):
        path = Path(task.out, f"{number}.png")
        with httpx.stream("GET", download["url"], timeout=task.patience) as response:
            response.raise_for_status()
            with path.open("wb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
        files.append(str(path))
    return {"status": "complete", "files": files, "credits_charged": created.credits_charged}
