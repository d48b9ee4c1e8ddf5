"""A client that does everything right, of the standard library alone. Tests take it apart to break it.

It is a file of its own so that `bluehour fuzz -- careful.py` can run it too.
"""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from bluehour.contracts import Task

GIVES_UP_AFTER = 300.0
MOST_TRIES = 4
POLLS_EVERY = 2.0
OVER = ("complete", "error", "canceled")
SMILE = {"mouth_smile": 60}


class Refused(Exception):
    """The edit could not be made, or not for sure."""


REFUSES = [Refused]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        try:
            data = json.loads(self.body)
        except ValueError:
            raise Refused("an answer can't be read") from None
        if not isinstance(data, dict):
            raise Refused("an answer is no object")
        return data


class Client:
    """One edit. Each step is a method, so that a test can have one go wrong."""

    projects = "/v1/image-projects"

    def __init__(self, task: Task) -> None:
        self.task = task
        self.began = time.monotonic()

    def edit(self) -> dict[str, Any]:
        project = self.wait_for(self.create(self.upload()))
        return {
            "status": "complete",
            "files": self.download(project),
            "credits_charged": project.get("credits_charged"),
        }

    # The steps.

    def upload(self) -> str:
        return self.upload_file(self.task.photo, "image")

    def upload_file(self, file: str, kind: str) -> str:
        wanted = {"items": [{"type": kind, "extension": Path(file).suffix[1:]}]}
        told = self.api("POST", "/v1/files/upload-urls", wanted)
        try:
            item = told["items"][0]
            url, path = item["upload_url"], item["file_path"]
        except (KeyError, TypeError, IndexError):
            raise Refused("no upload URL") from None
        if self.send("PUT", url, Path(file).read_bytes(), {}).status >= 300:
            raise Refused("the upload failed")
        return str(path)

    def create(self, path: str) -> str:
        body = {"assets": {"image_file_path": path}, "style": SMILE, "name": "A smile"}
        project = self.api("POST", "/v1/ai-face-editor", body, again=(429,)).get("id")
        if not isinstance(project, str):
            raise Refused("the project has no id")
        return project

    def wait_for(self, project: str) -> dict[str, Any]:
        self.project = project
        while True:
            told = self.read(project)
            if told.get("status") == "complete":
                return told
            if told.get("status") in OVER:
                raise Refused(f"the project is {told['status']}: {told.get('error')}")
            self.pause(POLLS_EVERY)

    def read(self, project: str) -> dict[str, Any]:
        return self.api("GET", f"{self.projects}/{quote(project, safe='')}")

    def download(self, project: dict[str, Any]) -> list[str]:
        files = []
        fresh = 2
        links = self.links(project)
        for number in range(len(links)):
            picture = self.send("GET", links[number], b"", {})
            while picture.status in (403, 404) and fresh:
                fresh -= 1
                links = self.links(self.read(self.project))
                picture = self.send("GET", links[number], b"", {})
            if picture.status != 200 or not self.is_whole(picture.body):
                raise Refused(f"picture {number} did not come: {picture.status}")
            files.append(self.save(number, links[number], picture.body))
        return files

    def is_whole(self, picture: bytes) -> bool:
        return picture.startswith(b"\x89PNG")

    def save(self, number: int, link: str, picture: bytes) -> str:
        file = Path(self.task.out) / f"{number}{Path(urlsplit(link).path).suffix}"
        file.write_bytes(picture)
        return str(file)

    def links(self, project: dict[str, Any]) -> list[str]:
        try:
            links = [str(each["url"]) for each in project["downloads"]]
        except (KeyError, TypeError):
            raise Refused("no downloads") from None
        if not links:
            raise Refused("there is no picture")
        return links

    # HTTP.

    def api(
        self, method: str, path: str, body: Any = None, again: tuple[int, ...] = (429, 500, 502, 503)
    ) -> dict[str, Any]:
        """Call the API; what may be sent again is, after a pause that grows."""
        headers = {"Authorization": f"Bearer {self.task.token}"}
        data = b""
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        for tries in range(1, MOST_TRIES + 1):
            answer = self.send(method, self.task.url + path, data, headers)
            if answer.status < 300:
                return answer.json
            if answer.status not in again or tries == MOST_TRIES:
                break
            self.pause(self.wait(answer, tries))
        raise Refused(f"{method} {path} was answered {answer.status}")

    def send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=self.task.patience)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        with closing(connection):
            try:
                connection.request(method, target, body, headers)
                with closing(connection.getresponse()) as response:
                    return Answer(response.status, response.headers, response.read())
            except (OSError, http.client.HTTPException) as error:
                raise Refused(f"{method} failed: {type(error).__name__}") from error

    # Time.

    def wait(self, answer: Answer, tries: int) -> float:
        """Seconds until the next try: as many as Retry-After says, or more each time."""
        told = answer.headers.get("Retry-After", "")
        if told.isdecimal():
            return float(told)
        try:
            return max(1.0, parsedate_to_datetime(told).timestamp() - time.time() + 1)
        except ValueError:
            return float(2**tries)

    def pause(self, seconds: float) -> None:
        if time.monotonic() + seconds > self.began + GIVES_UP_AFTER:
            raise Refused("it takes too long")
        time.sleep(seconds)


def edit(task: Task) -> dict[str, Any]:
    """Make an edit, and do it right."""
    return Client(task).edit()
