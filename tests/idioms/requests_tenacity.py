"""requests, with tenacity's `@retry` around every call."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import requests
from tenacity import (  # type: ignore[import-not-found]  # it is installed only where this runs
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
)


class EditError(Exception):
    """The project came to nothing."""


@retry(  # type: ignore[untyped-decorator]  # mypy knows nothing of it
    stop=stop_after_attempt(4),
    wait=wait_exponential(multiplier=1, min=2, max=30),
    retry=retry_if_exception_type(requests.RequestException),
    reraise=True,
)
def call(method: str, url: str, **options: Any) -> requests.Response:
    """Send a request, and return an answer that is a success."""
    response = requests.request(method, url, **options)
    response.raise_for_status()
    return response


def edit(task: Any) -> dict[str, Any]:
    """Have the face editor make a smile."""
    api: dict[str, Any] = {
        "headers": {"Authorization": f"Bearer {task.token}"},
        "timeout": task.patience,
    }
    wanted = {"items": [{"type": "image", "extension": "jpg"}]}
    item = call("POST", f"{task.url}/v1/files/upload-urls", json=wanted, **api).json()["items"][0]
    call("PUT", item["upload_url"], data=Path(task.photo).read_bytes(), timeout=task.patience)

    body = {"assets": {"image_file_path": item["file_path"]}, "style": {"mouth_smile": 60}}
    project_id = call("POST", f"{task.url}/v1/ai-face-editor", json=body, **api).json()["id"]

    project = wait_for(f"{task.url}/v1/image-projects/{project_id}", api)
    files = [save(download["url"], task) for download in project["downloads"]]
    return {"status": "complete", "files": files, "credits_charged": project["credits_charged"]}


def wait_for(url: str, api: dict[str, Any]) -> dict[str, Any]:
    """Poll until it is complete, for five minutes at most."""
    for _ in range(150):
        project: dict[str, Any] = call("GET", url, **api).json()
        if project["status"] == "complete":
            return project
        if project["status"] in ("error", "canceled"):
            raise EditError(f"{project['status']}: {project['error']['message']}")
        time.sleep(2)
    raise EditError("timed out")


def save(url: str, task: Any) -> str:
    """Download a picture under the name that it has."""
    path = os.path.join(task.out, os.path.basename(urlparse(url).path))
    with open(path, "wb") as file:
        file.write(call("GET", url, timeout=task.patience).content)
    return path
