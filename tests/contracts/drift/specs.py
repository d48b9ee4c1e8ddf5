"""Small documents, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bluehour.contracts.drift.differences import Difference
from bluehour.contracts.drift.operations import in_operations, in_webhooks
from bluehour.contracts.drift.telling import message
from bluehour.openapi.contract import Contract
from bluehour.openapi.document import parse_file


def cases(file: str) -> list[dict[str, Any]]:
    """The pairs of a file beside this module."""
    read: list[dict[str, Any]] = parse_file(Path(__file__).with_name(file))
    return read


HEAD = {"openapi": "3.1.0", "info": {"title": "Pets", "version": "1"}}


def found(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
    """The differences of two documents in OpenAPI 3.1."""
    first, second = Contract({**HEAD, **ours}), Contract({**HEAD, **theirs})
    return [*in_operations(first, second), *in_webhooks(first, second)]


def told(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The differences of two documents as lines, such as `breaking GET /pets 200 [].id: field gone`."""
    return [line(one) for one in found(ours, theirs)]


def line(one: Difference) -> str:
    place = one.name.rpartition(":")[0]
    return f"{one.severity} {place}: {message(one)}"


def taking(schema: Any, **components: Any) -> dict[str, Any]:
    """A document with one operation, which takes a value of a schema."""
    body = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": body, "responses": {"204": {"description": "Done"}}}
    return {"paths": {"/pets": {"post": operation}}, "components": {"schemas": components}}


def answering(schema: Any, **components: Any) -> dict[str, Any]:
    """A document with one operation, which answers with a value of a schema."""
    answer = {"description": "It", "content": {"application/json": {"schema": schema}}}
    return {
        "paths": {"/pets": {"get": {"responses": {"200": answer}}}},
        "components": {"schemas": components},
    }
