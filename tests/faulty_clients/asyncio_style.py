"""Clients for asyncio, over its streams or with threads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from tests.faulty_clients.careful import Client, Edited, Project, Task
from tests.faulty_clients.entry import breaks

Headers: TypeAlias = dict[str, str]
ReadBody: TypeAlias = Callable[[asyncio.StreamReader, Headers], Awaitable[bytes]]


class EditError(Exception):
    """Raised for every edit that came to nothing."""


async def _body(reader: asyncio.StreamReader, headers: Headers) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        return body
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()


class Streams:
    """An API and its links over asyncio's streams, a connection for each request.

    Args:
        task: the edit.
        read_picture: reads the body of a download.
    """

    of_the_network: tuple[type[Exception], ...] = (OSError, asyncio.IncompleteReadError, ValueError)
    """What a request may raise that fails on its way."""

    def __init__(self, task: Task, read_picture: ReadBody = _body) -> None:
        self.task = task
        self.read_picture = read_picture
        self.patience: float | None = task.patience

    async def edit(self) -> Edited:
        wanted = {"items": [{"type": "image", "extension": "jpg"}]}
        upload = (await self.call("POST", "/v1/files/upload-urls", wanted))["items"][0]
        photo = await asyncio.to_thread(Path(self.task.photo).read_bytes)
        await self.send("PUT", upload["upload_url"], {}, photo)
        body = {"assets": {"image_file_path": upload["file_path"]}, "style": {"mouth_smile": 60}}
        project = await self.followed((await self.call("POST", "/v1/ai-face-editor", body))["id"])
        files = []
        for number, download in enumerate(project["downloads"]):
            path = Path(self.task.out, f"{number}.png")
            path.write_bytes(await self.send("GET", download["url"], read_body=self.read_picture))
            files.append(str(path))
        return {"status": project["status"], "files": files, "credits_charged": project["credits_charged"]}

    async def followed(self, project_id: str) -> dict[str, Any]:
        for _ in range(100):
            project = await self.call("GET", f"/v1/image-projects/{quote(project_id, safe='')}")
            if project["status"] in ("complete", "error", "canceled"):
                return project
            await asyncio.sleep(2.5)
        raise EditError("it takes too long")

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.task.token}", "Content-Type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        answer = await self.send(method, self.task.url + path, headers, content)
        try:
            known = json.loads(answer)
        except ValueError as error:
            raise EditError("the answer is no JSON") from error
        if not isinstance(known, dict):
            raise EditError("the answer is no object")
        return known

    async def send(
        self,
        method: str,
        link: str,
        headers: Headers | None = None,
        body: bytes = b"",
        read_body: ReadBody = _body,
    ) -> bytes:
        try:
            return await asyncio.wait_for(
                self.exchange(method, link, headers or {}, body, read_body), self.patience
            )
        except self.of_the_network as error:
            raise EditError(f"{method} failed: {type(error).__name__}") from error

    async def exchange(
        self, method: str, link: str, headers: Headers, body: bytes, read_body: ReadBody
    ) -> bytes:
        parts = urlsplit(link)
        target = parts._replace(scheme="", netloc="", fragment="").geturl()
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            sent = {"Host": parts.netloc, "Connection": "close", "Content-Length": str(len(body))} | headers
            lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            status = int((await reader.readuntil(b"\r\n")).split()[1])
            answered = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in answered if line)
            content = await read_body(
                reader, {name.strip().lower(): value.strip() for name, _, value in pairs}
            )
        finally:
            writer.close()
        if status // 100 != 2:
            raise EditError(f"{method} was answered {status}")
        return content


@breaks("download.intact")
async def saves_the_stream_as_it_is(task: Task) -> Edited:
    """Downloads are written from the stream to the file: where they are chunked, with the chunks' sizes."""

    async def read_all(reader: asyncio.StreamReader, _: Headers) -> bytes:
        return await reader.read()

    return await Streams(task, read_all).edit()


class _StreamsThatBreak(Streams):
    of_the_network = (OSError,)


@breaks("error.fault")
async def forgets_incomplete_reads(task: Task) -> Edited:
    """An answer that is cut is an asyncio.IncompleteReadError, which is no OSError as we had thought."""
    return await _StreamsThatBreak(task).edit()


class _StreamsWithTwoWatchers(Streams):
    async def followed(self, project_id: str) -> dict[str, Any]:
        self.patience = None  # on a virtual clock the sleep of one would be the other's timeout
        follow = super().followed
        of_both = await asyncio.gather(follow(project_id), follow(project_id))
        first: dict[str, Any] = of_both[0]
        return first


@breaks("poll.pace")
async def watches_twice(task: Task) -> Edited:
    """The progress bar and the waiting each poll the same project, at the same time."""
    return await _StreamsWithTwoWatchers(task).edit()


@breaks("pay.once")
async def gives_up_on_a_thread(task: Task) -> Edited:
    """`wait_for(to_thread(create))` is repeated on a timeout; the thread's create goes on, and is paid."""
    client = Client(task)

    async def created() -> str:
        file_path = await asyncio.to_thread(client.upload)
        for _ in range(2):
            try:
                return await asyncio.wait_for(asyncio.to_thread(client.create, file_path), task.patience / 2)
            except TimeoutError:
                continue
        raise EditError("the create is not answered")

    project_id = await created()
    project: Project = await asyncio.to_thread(client.follow, project_id)
    complete = project.status == "complete"
    files = await asyncio.to_thread(client.download_all, project_id, project) if complete else []
    return client.told(project, files)
