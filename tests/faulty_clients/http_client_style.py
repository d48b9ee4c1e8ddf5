"""Clients over http.client that keep their connection to the API, and do by hand what libraries do."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.faulty_clients.careful import Edited, Task
from tests.faulty_clients.entry import breaks


class ApiError(Exception):
    """Raised for every status but 200, and for what is no answer."""


class _Api:
    """The API over one connection.

    Args:
        task: the edit.
        reconnects: whether a request is sent again where the connection has broken off.
        redirects: how many redirects are followed.
    """

    def __init__(self, task: Task, reconnects: bool = False, redirects: int = 0) -> None:
        self.task = task
        self.reconnects = reconnects
        self.redirects = redirects
        self.connection = _connected(task.url, task)

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.task.token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        try:
            status, answer, location = self._sent(method, path, content, headers)
            for _ in range(self.redirects):
                if status not in (301, 302, 307, 308):
                    break
                other = _connected(location, self.task)
                status, answer, location = _exchanged(other, method, location, content, headers)
        except OSError as error:
            raise ApiError(f"{method} {path}: {error}") from error
        if status != 200:
            raise ApiError(f"{method} {path}: {status}")
        return _json(answer)

    def _sent(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes, str]:
        try:
            return _exchanged(self.connection, method, path, content, headers)
        except ConnectionError:
            if not self.reconnects:
                raise
            self.connection.close()
            return _exchanged(self.connection, method, path, content, headers)


def _json(answer: bytes) -> dict[str, Any]:
    try:
        known = json.loads(answer)
    except ValueError as error:
        raise ApiError("the answer is no JSON") from error
    if not isinstance(known, dict):
        raise ApiError("the answer is no object")
    return known


def _connected(url: str, task: Task) -> HTTPConnection:
    return HTTPConnection(urlsplit(url).netloc, timeout=task.patience)


def _exchanged(
    connection: HTTPConnection, method: str, url: str, content: bytes | None, headers: dict[str, str]
) -> tuple[int, bytes, str]:
    parts = urlsplit(url)
    target = parts._replace(scheme="", netloc="").geturl()
    try:
        connection.request(method, target, content, headers)
        response = connection.getresponse()
        return response.status, response.read(), response.headers.get("Location", "")
    except HTTPException as error:
        connection.close()
        if isinstance(error, ConnectionError):
            raise
        raise ApiError(f"{method}: {type(error).__name__}") from error


def _edit(task: Task, api: _Api) -> Edited:
    wanted = {"items": [{"type": "image", "extension": "jpg"}]}
    upload = api.call("POST", "/v1/files/upload-urls", wanted)["items"][0]
    link = upload["upload_url"]
    status, _, _ = _exchanged(_connected(link, task), "PUT", link, Path(task.photo).read_bytes(), {})
    if status // 100 != 2:
        raise ApiError(f"the upload: {status}")
    body = {"assets": {"image_file_path": upload["file_path"]}, "style": {"mouth_smile": 60}}
    project_id = api.call("POST", "/v1/ai-face-editor", body)["id"]
    for _ in range(100):
        project = api.call("GET", f"/v1/image-projects/{quote(project_id, safe='')}")
        if project["status"] in ("complete", "error", "canceled"):
            break
        time.sleep(2.5)
    else:
        raise ApiError("it takes too long")
    files = []
    for number, download in enumerate(project["downloads"]):
        link = download["url"]
        status, picture, _ = _exchanged(_connected(link, task), "GET", link, None, {})
        if status != 200 or not picture:
            raise ApiError(f"the download: {status}")
        path = Path(task.out, f"{number}.png")
        path.write_bytes(picture)
        files.append(str(path))
    return {"status": project["status"], "files": files, "credits_charged": project["credits_charged"]}


@breaks("pay.once")
def connects_and_sends_again(task: Task) -> Edited:
    """When the kept connection turns out dead, the request is sent again on a new one, a create as well."""
    return _edit(task, _Api(task, reconnects=True))


@breaks("token.host")
def follows_redirects_by_hand(task: Task) -> Edited:
    """Redirects are followed in a loop that sends the same headers to wherever they lead."""
    return _edit(task, _Api(task, redirects=3))
