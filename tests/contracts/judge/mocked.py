"""The mock in this process, its clock frozen, as a deployment whose exchanges are judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from werkzeug.test import EnvironBuilder, run_wsgi_app

from bluehour.contracts.exchange import Answer, Exchange, Request
from bluehour.contracts.judge import Judge, Ruling
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.model import JSON, Operation
from tests.editors import EDITORS

from .stories import BASE, DELETE, FACE, READ, UPLOADS

MAIN, SECOND = "mhk_test_creator_1000_main", "mhk_test_pro_1000_second"


@dataclass
class Mocked:
    """A mock and a judge of all that it answers."""

    mock: Mock
    exchanges: list[Exchange] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._app = create_app(self.mock)
        self._judge = Judge(EDITORS)

    @property
    def broken(self) -> list[str]:
        """What was broken so far, in words."""
        return [f"{each.rule.id}: {each.violation.message}" for each in self.rulings if each.violation]

    @property
    def looked_at(self) -> set[str]:
        return {each.rule.id for each in self.rulings}

    def advance(self, seconds: float) -> None:
        self.mock.world.clock.advance(seconds)

    def send(
        self,
        method: str,
        target: str,
        token: str | None = MAIN,
        content: bytes = b"",
        content_type: str | None = JSON,
        operation: Operation | None = None,
        transfer: str = "",
    ) -> Answer:
        """Send a request, have its answer judged, and return it."""
        url = target if "://" in target else BASE + target
        headers = [("Authorization", f"Bearer {token}")] if token is not None else []
        if content_type and content:
            headers.append(("Content-Type", content_type))
        parts = urlsplit(url)
        builder = EnvironBuilder(
            path=parts.path or "/",
            query_string=parts.query,
            base_url=f"{parts.scheme}://{parts.netloc}",
            method=method,
            headers=headers,
            data=content,
        )
        at = self.mock.world.clock.now()
        body, status, given = run_wsgi_app(self._app, builder.get_environ(), buffered=True)
        answer = Answer(int(status.partition(" ")[0]), tuple(given.items()), b"".join(body))
        request = Request(method, url, tuple(headers), content)
        number = len(self.exchanges) + 1
        exchange = Exchange(number, at, request, answer, operation, transfer)
        self.exchanges.append(exchange)
        self.rulings += self._judge.rule_on(exchange)
        return answer

    def call(
        self, operation: Operation, body: Any = None, project: str = "", token: str | None = MAIN
    ) -> Answer:
        content = b"" if body is None else json.dumps(body).encode()
        path = operation.path.replace("{id}", quote(project, safe=""))
        return self.send(operation.method, path, token, content, operation=operation)

    def create(
        self, asset: str | None = None, operation: Operation = FACE, token: str = MAIN, **fields: Any
    ) -> str:
        """Create a project as the published example does, and return its id; nothing where it was refused."""
        assert operation.body
        body = {**operation.body.content[JSON].example, **fields}
        if asset is not None:
            body["assets"] = {"image_file_path": asset}
        return str(self.call(operation, body, token=token).field("id") or "")

    def read(self, project: str, token: str | None = MAIN) -> Answer:
        return self.call(READ, project=project, token=token)

    def delete(self, project: str, token: str = MAIN) -> Answer:
        return self.call(DELETE, project=project, token=token)

    def upload(self, content: bytes, *extensions: str, token: str = MAIN) -> list[str]:
        """Upload a file under each extension, and return its file_paths."""
        wanted = [{"type": "image", "extension": each} for each in extensions]
        items = self.call(UPLOADS, {"items": wanted}, token=token).field("items")
        for item in items:
            self.send("PUT", item["upload_url"], None, content, None, transfer="upload")
        return [item["file_path"] for item in items]

    def end(self, project: str, outcome: str) -> None:
        """End a job now, as a person does in the web app."""
        self.mock.world.store.end_project(project, outcome, self.mock.world.clock.now())


@contextmanager
def mocked(**settings: Any) -> Iterator[Mocked]:
    clock = Clock()
    clock.freeze()
    with closing(Mock(EDITORS, Settings(time_scale=1, journal=0, **settings), clock=clock)) as mock:
        yield Mocked(mock)
