"""A plain HTTP client that can send anything, legal or not, and reads answers as they came.

It is no checker: it judges nothing. The witnesses of the deviants speak through it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any
from urllib.parse import urlsplit

from bluehour.openapi.contract import load

from .names import DELETE_PROJECT, GET_PROJECT, UPLOAD_URLS

_PATIENCE = 60.0
_ENDS = ("complete", "error", "canceled")
_STEP = 0.05  # seconds between two polls, on the server's clock
_MOST_POLLS = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as data.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.body)


class Client:
    """One account's view of a server; each client opens an account of its own.

    Args:
        url: the server's base URL.
        plan: the account's plan.
        credits: what it has at first.
    """

    def __init__(self, url: str, plan: str = "creator", credits: int = 1000) -> None:
        self.url = url
        self.token = f"mhk_test_{plan}_{credits}_{secrets.token_hex(6)}"

    def another(self, plan: str = "creator", credits: int = 1000) -> Client:
        """Return a client of the same server with another account."""
        return Client(self.url, plan, credits)

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """Send one request and return the answer.

        Args:
            method: any word.
            target: a path as it is to stand in the request line, or a whole URL.
            body: raw bytes; none at all where it is None.
            headers: instead of the usual ones; those that are None are left out.
        """
        usual = {"Authorization": f"Bearer {self.token}", "User-Agent": "witness"}
        if body is not None:
            usual["Content-Type"] = "application/json"
        chosen = {**usual, **(headers or {})}
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_PATIENCE)
        try:
            connection.putrequest(method, target.removeprefix(self.url), skip_accept_encoding=True)
            for name, value in chosen.items():
                if value is not None:
                    connection.putheader(name, value.encode())
            if body is not None or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def call(
        self, operation: str, body: Any = None, headers: Mapping[str, str | None] | None = None, **path: str
    ) -> Answer:
        """Call an operation of the contract with a JSON body."""
        called = load().operation(operation)
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return self.send(called.method, called.path.format(**path), raw, headers)

    def project(self, project_id: str) -> Answer:
        """Read a project."""
        return self.call(GET_PROJECT, id=project_id)

    def delete(self, project_id: str) -> Answer:
        """Delete a project."""
        return self.call(DELETE_PROJECT, id=project_id)

    def create(self, operation: str, body: Any) -> str:
        """Create a project that is accepted, and return its id."""
        project_id: str = self.call(operation, body).json["id"]
        return project_id

    def ended(self, project_id: str) -> dict[str, Any]:
        """Poll a project until it has ended, and return it; one that never ends, as it is then."""
        for _ in range(_MOST_POLLS):
            project: dict[str, Any] = self.project(project_id).json
            if project.get("status") in _ENDS:
                break
            self.wait(_STEP)
        return project

    def finished(self, operation: str, body: Any) -> dict[str, Any]:
        """Create a project and return it once it has ended."""
        return self.ended(self.create(operation, body))

    def issue(self, kind: str = "image", extension: str = "png") -> dict[str, str]:
        """Ask for an upload link and return it, with its file path."""
        answer = self.call(UPLOAD_URLS, {"items": [{"type": kind, "extension": extension}]})
        item: dict[str, str] = answer.json["items"][0]
        return item

    def put(self, url: str, content: bytes, headers: Mapping[str, str | None] | None = None) -> Answer:
        """Follow an upload link, as SDKs do: with no Content-Type and no bearer."""
        return self.send(
            "PUT", url, content, {"Authorization": None, "Content-Type": None, **(headers or {})}
        )

    def upload(self, content: bytes) -> str:
        """Upload a picture and return its file path."""
        item = self.issue()
        self.put(item["upload_url"], content)
        return item["file_path"]

    def fetch(self, url: str) -> Answer:
        """Follow a download link, as anybody may."""
        return self.send("GET", url, headers={"Authorization": None})

    def wait(self, seconds: float) -> None:
        """Let time pass on the server's clock, and none here."""
        moved = self.send("POST", "/_mock/clock", json.dumps({"advance": seconds}).encode())
        assert moved.status == 200, moved.body
