"""requests, with a session that has urllib3's Retry, and the token among its headers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

RETRIES = Retry(
    total=3,
    backoff_factor=1,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET", "PUT", "POST"),
)


class EditError(Exception):
    """The project came to nothing."""


def edit(task: Any) -> dict[str, Any]:
    """Have the face editor make a smile."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=RETRIES))
    session.mount("https://", HTTPAdapter(max_retries=RETRIES))
    session.headers.update({"Authorization": f"Bearer {task.token}"})

    def call(method: str, url: str, **options: Any) -> requests.Response:
        response = session.request(method, url, timeout=task.patience, **options)
        response.raise_for_status()
        return response

    wanted = {"items": [{"type": "image", "extension": "jpg"}]}
    item = call("POST", f"{task.url}/v1/files/upload-urls", json=wanted).json()["items"][0]
    with open(task.photo, "rb") as photo:
        call("PUT", item["upload_url"], data=photo)

    body = {"assets": {"image_file_path": item["file_path"]}, "style": {"mouth_smile": 60}}
    project_id = call("POST", f"{task.url}/v1/ai-face-editor", json=body).json()["id"]

    deadline = time.time() + 300
    while time.time() < deadline:
        project = call("GET", f"{task.url}/v1/image-projects/{project_id}").json()
        if project["status"] not in ("queued", "rendering"):
            break
        time.sleep(3)
    if project["status"] != "complete":
        raise EditError(f"the project is {project['status']}")

    files = []
    for number, download in enumerate(project["downloads"]):
        path = Path(task.out, f"output-{number}.png")
        with call("GET", download["url"], stream=True) as response, path.open("wb") as file:
            for chunk in response.iter_content(chunk_size=8192):
                file.write(chunk)
        files.append(str(path))
    return {"status": project["status"], "files": files, "credits_charged": project["credits_charged"]}
