"""Clients as scripts are written: functions over urllib.request, without retries, and no class at all."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from tests.faulty_clients.careful import Edited, Task
from tests.faulty_clients.entry import breaks


class EditorError(Exception):
    """Raised for answers that are no use."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


_OPENER = build_opener(ProxyHandler({}), _NoRedirects)


def _read_whole(opener: OpenerDirector, task: Task, link: str, path: Path) -> None:
    with opener.open(link, timeout=task.patience) as response:
        picture = response.read()
    path.write_bytes(picture)


def _edit(
    task: Task,
    opener: OpenerDirector = _OPENER,
    save: Callable[[OpenerDirector, Task, str, Path], None] = _read_whole,
    timeout: float | None = 0.0,
) -> Edited:
    """Edit as it should be, but for what is passed; a timeout of 0 is the task's."""
    timeout = task.patience if timeout == 0 else timeout

    def call(path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {task.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with opener.open(Request(task.url + path, data, headers), timeout=timeout) as response:
            text = response.read()
        try:
            return json.loads(text)
        except ValueError as error:
            raise EditorError("the answer is no JSON") from error

    try:
        photo = Path(task.photo).read_bytes()
        [upload] = call("/v1/files/upload-urls", {"items": [{"type": "image", "extension": "jpg"}]})["items"]
        put = Request(upload["upload_url"], photo, {"Content-Type": "image/jpeg"}, method="PUT")
        with opener.open(put, timeout=timeout):
            pass
        body = {"assets": {"image_file_path": upload["file_path"]}, "style": {"mouth_smile": 60}}
        created = call("/v1/ai-face-editor", body)
        began = time.monotonic()
        while True:
            project = call(f"/v1/image-projects/{quote(created['id'], safe='')}")
            if project["status"] in ("complete", "error", "canceled"):
                break
            if time.monotonic() - began > 300:
                raise EditorError("it takes too long")
            time.sleep(2.5)
        files = []
        for number, download in enumerate(project["downloads"], 1):
            path = Path(task.out, f"picture-{number}.png")
            save(opener, task, download["url"], path)
            files.append(str(path))
    except (KeyError, TypeError) as error:
        raise EditorError("the answer has another shape") from error
    return {"status": project["status"], "files": files, "credits_charged": project["credits_charged"]}


@breaks("token.host")
def follows_redirects_with_urllib(task: Task) -> Edited:
    """urlopen follows redirects, and takes all headers along: the key goes to whatever host they lead to."""
    return _edit(task, build_opener(ProxyHandler({})))


@breaks("download.intact")
def copies_what_comes(task: Task) -> Edited:
    """`shutil.copyfileobj(response, file)` ends without an error when a download is cut: half a picture."""

    def save(opener: OpenerDirector, task: Task, link: str, path: Path) -> None:
        with opener.open(link, timeout=task.patience) as response, path.open("wb") as file:
            shutil.copyfileobj(response, file)

    return _edit(task, save=save)


@breaks("error.fault")
def exits_the_process(task: Task) -> Edited:
    """`sys.exit("no connection")` deep in the helper: whoever imports it has the process ended."""
    try:
        return _edit(task)
    except URLError as error:
        sys.exit(f"no connection: {error.reason}")
