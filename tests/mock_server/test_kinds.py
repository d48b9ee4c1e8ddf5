"""The kinds of `kinds.yaml`: small files that users of mock servers report, and what is to be answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from bluehour.mock_server.app import Application
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from bluehour.openapi.messages import Headers, Request

KINDS = yaml.safe_load(Path(__file__).with_name("kinds.yaml").read_text())


def asks() -> Iterator[Any]:
    for kind in KINDS:
        for number, ask in enumerate(kind["asks"], 1):
            yield pytest.param(kind, ask, id=f"{kind['kind']} {number}".replace(" ", "-"))


@pytest.mark.parametrize(("kind", "ask"), list(asks()))
def test_it_is_answered_as_it_should_be(kind: dict[str, Any], ask: dict[str, Any], tmp_path: Path) -> None:
    head = {"openapi": kind.get("version", "3.0.3"), "info": {"title": "T", "version": "1"}}
    path = tmp_path / "spec.json"
    path.write_text(json.dumps({**head, **kind["spec"]}, default=str))
    method, target = ask["ask"].split(" ")
    headers = [("Host", "a.test"), *ask.get("headers", {}).items()]
    body = json.dumps(ask["body"]).encode() if "body" in ask else b""
    if body:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    with closing(Mock(load(path))) as mock:
        reply = Application(mock).answer(Request(method, target, Headers(headers), body, "http://a.test"))
    content = reply.body if isinstance(reply.body, bytes) else b""
    assert reply.status == ask["status"], content
    if "says" in ask:
        assert json.loads(content) == ask["says"]
    if "text" in ask:
        assert ask["text"] in content.decode()
    if "header" in ask:
        name, part = ask["header"]
        assert part in dict(reply.headers)[name]
