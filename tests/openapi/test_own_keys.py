"""A contract's own x- keys that can't be read: told with their place, left out, refused by `--strict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bluehour.openapi import terms
from bluehour.openapi.contract import load
from bluehour.openapi.document import SpecError
from bluehour.openapi.own_keys import leave_out_wrong

PLANS = ["free", "pro"]
OPERATION = "#/paths/~1cards/post"
FIELD = f"{OPERATION}/requestBody/content/application~1json/schema/properties/size"
ITEM = "#/components/schemas/Picture/properties/place"


def file_of(
    folder: Path,
    operation: dict[str, Any] | None = None,
    field: dict[str, Any] | None = None,
    item: dict[str, Any] | None = None,
) -> Path:
    """A contract of one create, with keys of its operation, of a field, and of a field of each item."""
    picture = {"type": "object", "properties": {"place": {"type": "string", **(item or {})}}}
    fields = {
        "size": {"type": "string", **(field or {})},
        "pictures": {"type": "array", "items": {"$ref": "#/components/schemas/Picture"}},
    }
    body = {"application/json": {"schema": {"type": "object", "properties": fields}}}
    post = {
        "x-behaviour": "create-project",
        "x-credits": 3,
        **(operation or {}),
        "requestBody": {"content": body},
        "responses": {"200": {"description": "made"}},
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "x-plans": {name: {"longest-edge": 100, "upload-bytes": 100} for name in PLANS},
        "x-asset-extensions": {"image": ["png"]},
        "paths": {"/cards": {"post": post}},
        "components": {"schemas": {"Picture": picture}},
    }
    path = folder / "spec.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("x-credits", 2.5, "it fits none of the allowed forms"),
        ("x-credits", True, "it fits none of the allowed forms"),
        ("x-credits", {"per": "page", "rate": 1}, "expected one of 'image', 'second', 'frame', 'character'"),
        ("x-credits", {"per": "character", "rate": 1}, "Missing required field: of"),
        ("x-credits", {"per": "image", "rate": {"product": []}}, "rate.product must have at least 1 item"),
        ("x-credits", {"per": "image", "rate": {"by": "size"}}, "Missing required field: rate.of"),
        ("x-output", "png", "expected object, got string"),
        ("x-output", {"length": 3}, "'length' was unexpected"),
        ("x-output", {"count": {"feild": "size"}}, "'feild' was unexpected"),
        ("x-output", {"count": None}, "Invalid value for count"),
    ],
)
def test_a_wrong_key_of_an_operation_is_told_and_left_out(
    tmp_path: Path, key: str, value: Any, message: str
) -> None:
    path = file_of(tmp_path, operation={key: value})
    contract = load(path)
    (defect,) = contract.defects
    assert f"{defect}".startswith(f"{OPERATION}/{key}: ")
    assert message in defect.message
    assert defect.message.endswith("; it is ignored")
    (operation,) = contract.operations
    assert terms.usual_price(operation) == (0 if key == "x-credits" else 3)
    with pytest.raises(SpecError, match=key):
        load(path, strict=True)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("x-default", ["a"], "it fits none of the allowed forms"),
        ("x-means", ["a"], "expected object, got array"),
        ("x-means", {"a": None}, "Invalid value for a"),
        ("x-allowed", {"by": "size", "of": {"a": "b"}}, "Invalid value for of.a"),
        ("x-plan-needed", "gold", "expected one of 'free', 'pro', got 'gold'"),
        ("x-required-if", "size", "expected object, got string"),
        ("x-most-items", {"by": "size", "of": []}, "Invalid type for of: expected object, got array"),
        ("x-asset-type", "picture", "expected 'image', got 'picture'"),
    ],
)
def test_a_wrong_key_of_a_field_is_told_and_left_out(
    tmp_path: Path, key: str, value: Any, message: str
) -> None:
    path = file_of(tmp_path, field={key: value})
    contract = load(path)
    (defect,) = contract.defects
    assert f"{defect}".startswith(f"{FIELD}/{key}: ")
    assert message in defect.message
    (operation,) = contract.operations
    assert operation.annotated(key) == ()
    with pytest.raises(SpecError, match=key):
        load(path, strict=True)


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("operation", "x-credits", {"per": "image", "rate": {"by": "sise", "of": {}}}),
        ("operation", "x-output", {"count": {"product": [{"field": "size.x"}, 2]}}),
        ("field", "x-allowed", {"by": "sise", "of": {"a": []}}),
        ("field", "x-required-if", {"sise": "a"}),
    ],
)
def test_a_field_that_no_request_has_is_told(tmp_path: Path, place: str, key: str, value: Any) -> None:
    (defect,) = load(file_of(tmp_path, **{place: {key: value}})).defects
    at = OPERATION if place == "operation" else FIELD
    name = "size.x" if key == "x-output" else "sise"
    assert f"{defect}" == f"{at}/{key}: no field of the request is '{name}', so it says nothing"


def test_a_list_s_items_can_be_assets_and_no_more(tmp_path: Path) -> None:
    (defect,) = load(file_of(tmp_path, item={"x-asset-type": ["image"], "x-default": "a"})).defects
    assert f"{defect}".startswith(f"{ITEM}/x-default: a rule of one field can't be said of each item")


def test_what_is_right_is_no_defect(tmp_path: Path) -> None:
    credits = {"per": "image", "rate": {"by": "$plan", "of": {"free": 1}, "else": {"field": "size"}}}
    output = {"count": {"smallest": [{"characters": "size"}, 4]}, "format": "png", "transparent": True}
    field = {"x-plan-needed": {"by": "size", "of": {"a": "pro"}, "else": "free"}, "x-allowed": ["a", "1..3"]}
    path = file_of(tmp_path, {"x-credits": credits, "x-output": output}, field, {"x-asset-type": "image"})
    assert load(path, strict=True).defects == []


def test_other_people_s_keys_may_mean_anything(tmp_path: Path) -> None:
    path = file_of(tmp_path, {"x-credits": "many", "x-output": [1]}, {"x-default": None, "x-allowed": 3})
    document = json.loads(path.read_text())
    del document["paths"]["/cards"]["post"]["x-behaviour"]
    path.write_text(json.dumps(document))
    assert load(path, strict=True).defects == []


def test_the_keys_of_magic_hours_own_contract_are_right() -> None:
    contract = load()
    plans, asset_types = (list(contract.extension(key)) for key in ("x-plans", "x-asset-extensions"))
    assert list(leave_out_wrong(contract.operations, plans, asset_types)) == []
