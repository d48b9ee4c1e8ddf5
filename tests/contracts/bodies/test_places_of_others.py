"""Bodies as other people's generators describe them, such as FastAPI: each of their rules is tried, too."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from bluehour.contracts.bodies import illegal, legal
from bluehour.openapi.document import Document
from bluehour.openapi.model import JSON, MediaType
from bluehour.openapi.schema import Schema


def media(**fields: Any) -> MediaType:
    schema = {"type": "object", "properties": fields}
    return MediaType(JSON, Schema(Document({}), schema), (), {})


@pytest.mark.parametrize(
    ("field", "base", "rule", "values"),
    [
        ({"enum": [256, 512, 1024], "type": "integer"}, 256, "refuse.choice", [257, 255, 1025]),
        ({"anyOf": [{"type": "number", "maximum": 5}, {"type": "null"}]}, 1, "refuse.maximum", [5.01]),
        ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}, "a", "refuse.maximum", ["aaaa"]),
        ({"type": "object", "minProperties": 1}, {"a": 1}, "refuse.empty", [{}]),
        (
            {"type": "array", "default": [], "items": {"type": "string", "maxLength": 3}},
            [],
            "refuse.maximum",
            [["aaaa"]],
        ),
    ],
)
def test_each_rule_of_a_field_is_tried(field: Any, base: Any, rule: str, values: list[Any]) -> None:
    found = illegal(media(f=field), {"f": base}, Random(0))
    tried = [json.loads(each.content)["f"] for each in found if each.rule == rule]
    assert [value for value in values if value in tried] == values, tried


def test_null_is_legal_where_it_may_be() -> None:
    body = media(f={"anyOf": [{"type": "number", "maximum": 5}, {"type": "null"}]})
    assert "refuse.null" not in {
        each.rule for each in illegal(body, {"f": 1}, Random(0)) if each.field == "f"
    }
    assert 5 in [each.body["f"] for each in legal(body, {"f": 1}, Random(0)) if "f" in each.body]
