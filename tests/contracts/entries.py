"""Entries of a journal, as the control API's client returns them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bluehour.mock_server.control.client import Entry, Fault, Request, Response

FACE = "aiFaceEditor.editImage"

_ACCEPTED = Entry(
    id=1,
    at=datetime(2026, 1, 24, tzinfo=UTC),
    ms=1.0,
    operation=FACE,
    account="account",
    request=Request(
        headers=(("Content-Type", "application/json"),),
        body=None,
        size=0,
        method="POST",
        path="/v1/ai-face-editor",
        query="",
    ),
    response=Response(headers=(), body=None, size=0, status=200),
    credits=0,
    project=None,
    forced=None,
    faults=(),
    warnings=(),
)


def entry(body: Any, *faults: str, path: str = "/v1/ai-face-editor", **fields: Any) -> Entry:
    """A request with this body, text or JSON, that was refused for these faults if there are any."""
    text = body if isinstance(body, str | None) else json.dumps(body)
    return replace(
        _ACCEPTED,
        request=replace(_ACCEPTED.request, body=text, size=len(text or ""), path=path),
        response=replace(_ACCEPTED.response, status=400 if faults else 200),
        faults=tuple(Fault("body", message) for message in faults),
        **fields,
    )


def answered(status: int, body: Any = None, path: str = "/v1/ai-face-editor", **fields: Any) -> Entry:
    """A legal request that was answered so."""
    text = json.dumps(body)
    response = Response(headers=(), body=text, size=len(text), status=status)
    return replace(entry({}, path=path), response=response, **fields)
