"""Clients that receive webhooks: one that does it right, and what goes wrong where they are handled.

The end of a project is told by an event, or by a poll, whichever is first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Thread
from typing import Any, Protocol
from urllib.parse import urlsplit

from bluehour.contracts.webhooks import SignatureError, verify
from tests.faulty_clients import careful
from tests.faulty_clients.careful import BETWEEN_POLLS, Answer, Edited, Project
from tests.faulty_clients.entry import breaks


class Task(careful.Task, Protocol):
    """One edit, by a client that is sent events."""

    @property
    def webhook_url(self) -> str: ...
    @property
    def webhook_secret(self) -> str: ...


class Client(careful.Client):
    """Makes one edit, and listens meanwhile."""

    task: Task

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.seen: set[tuple[str, str]] = set()
        self.ends: dict[str, Project] = {}
        self.news = Event()

    def edit(self) -> Edited | None:
        with self.listening():
            return super().edit()

    # The receiver, in threads of its own.

    @contextmanager
    def listening(self) -> Iterator[None]:
        with _Server(("127.0.0.1", urlsplit(self.task.webhook_url).port or 0), _Handler) as server:
            server.client = self
            thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()

    def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status to answer a delivery with."""
        try:
            event = self.verified(body, headers)
        except SignatureError:
            return 401
        return self.taken(event["type"], event["payload"])

    def verified(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        event: dict[str, Any] = verify(body, headers, self.task.webhook_secret)
        return event

    def taken(self, kind: str, payload: dict[str, Any]) -> int:
        """Each event comes once or more, and at any time: also of a project that is not known yet."""
        if (kind, payload["id"]) not in self.seen:
            self.seen.add((kind, payload["id"]))
            self.told_of(payload)
        return 204

    def told_of(self, payload: dict[str, Any]) -> None:
        project = self.read_project(Answer(200, {}, json.dumps(payload).encode()))
        if self.is_over(project):
            self.ends[payload["id"]] = project
            self.news.set()

    # The project.

    def follow(self, project_id: str) -> Project:
        while project_id not in self.ends:
            project = self.poll(project_id)
            if self.is_over(project):
                return project
            self.wait_between_polls()
        return self.ends[project_id]

    def wait_between_polls(self) -> None:
        self.news.clear()
        if not self.ends:
            self.wait(0)  # ends the edit if it is too late
            self.news.wait(BETWEEN_POLLS)


class _Server(ThreadingHTTPServer):
    client: Client

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the connection is closed without an answer."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.server.client.receive(body, dict(self.headers.items())))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def edit(task: Task) -> Edited | None:
    """Make one edit, and do it right."""
    return Client(task).edit()


@breaks("webhook.genuine")
class BelievesWhoeverPosts(Client):
    """The signature was left for later: whoever knows the receiver's URL says that a job is complete."""

    def verified(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(body)
        return event


@breaks("webhook.genuine")
class VerifiesOnlyWhatIsSigned(Client):
    """`if signature: verify(…)`: so that one may try it out by curl, what has no signature passes."""

    def verified(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        if any(name.lower().endswith("signature") for name in headers):
            return super().verified(body, headers)
        event: dict[str, Any] = json.loads(body)
        return event


@breaks("webhook.answered")
class LooksItsProjectUp(Client):
    """The event's project is looked up in our table, which has it only once the create was answered."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.table: dict[str, str] = {}

    def create(self, file_path: str) -> str:
        project_id = super().create(file_path)
        self.table[project_id] = "created"
        return project_id

    def taken(self, kind: str, payload: dict[str, Any]) -> int:
        self.table[payload["id"]] += f", {kind}"
        return super().taken(kind, payload)


@breaks("webhook.answered")
class ListensOnceItHasCreated(Client):
    """The receiver is started when there is something to wait for; the first event is there before it."""

    def edit(self) -> Edited | None:
        project_id = self.create(self.upload())
        with self.listening():
            project = self.follow(project_id)
            files = self.download_all(project_id, project) if project.status == "complete" else []
            return self.told(project, files)


@breaks("webhook.answered")
class RefusesWhatCameBefore(Client):
    """A duplicate is a conflict, 409; so it is sent again, for a day."""

    def taken(self, kind: str, payload: dict[str, Any]) -> int:
        return 409 if (kind, payload["id"]) in self.seen else super().taken(kind, payload)


@breaks("webhook.answered")
class KnowsOneOrderOfStates(Client):
    """The job's row is a state machine, and `image.started` after `image.completed` is no transition."""

    def taken(self, kind: str, payload: dict[str, Any]) -> int:
        if payload["id"] in self.ends and kind.endswith(".started"):
            return 500
        return super().taken(kind, payload)


@breaks("webhook.once")
class DownloadsWithEachEvent(Client):
    """The handler downloads what an event tells of, as often as it comes."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.files: list[str] = []

    def taken(self, kind: str, payload: dict[str, Any]) -> int:
        self.told_of(payload)
        if payload["status"] == "complete":
            links = [each["url"] for each in payload["downloads"]]
            self.files += [self.download(link, len(self.files)) for link in links]
        return 204

    def download_all(self, project_id: str, project: Project) -> list[str]:
        return self.files or super().download_all(project_id, project)
