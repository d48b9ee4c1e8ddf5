"""What every create costs: the contract's prices beside the tables of `prices.yaml`."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from bluehour.openapi import terms
from bluehour.openapi.amounts import fields_in
from bluehour.openapi.contract import load
from bluehour.openapi.model import Operation
from bluehour.openapi.terms import Objection

from .pricing import CREATES, PRICED, TABLES, Priced, changed

PLANS = load().extension("x-plans")
OPERATIONS = {each.path: each for each in load().operations if each.behaviour == "create-project"}
EDGES = ("640px", "1k", "2k", "4k")
SIDES = ("480p", "720p", "1080p", "4k")


def cost(path: str, plan: str, body: dict[str, Any]) -> int | Objection | None:
    """What a request costs, or why it is not offered."""
    operation = OPERATIONS[path]
    assert operation.json_body is not None
    assert operation.json_body.schema.faults(body) == [], "or this table is wrong"
    request = terms.meant(operation, body, plan)
    refused = next(terms.objections(operation, request, plan, PLANS), None)
    return refused or terms.price(operation, request, plan)


def test_the_tables_have_every_create_with_three_requests() -> None:
    assert {f"/v1/{name}" for name in CREATES} == OPERATIONS.keys()
    assert min(len(table["costs"]) for table in CREATES.values()) >= 3


@pytest.mark.parametrize("case", PRICED)
def test_a_request_costs_what_the_table_says(case: Priced) -> None:
    found = cost(case.path, case.plan, case.body)
    assert found == case.credits or (case.credits is None and isinstance(found, Objection))


@pytest.mark.parametrize("model", list(TABLES["images"]))
def test_an_image_costs_by_model_and_resolution(model: str) -> None:
    for resolution, credits in zip(EDGES, TABLES["images"][model], strict=True):
        for name in ("ai-image-editor", "ai-image-generator"):
            body = changed(name, model=model, resolution=resolution)
            if not OPERATIONS[f"/v1/{name}"].json_body.schema.accepts(body):  # type: ignore[union-attr] # a create
                continue  # each has models that the other lacks
            found = cost(f"/v1/{name}", "pro", body)
            assert found == credits or (credits is None and isinstance(found, Objection)), (name, resolution)


@pytest.mark.parametrize("model", list(TABLES["videos"]))
@pytest.mark.parametrize("sound", [False, True])
def test_a_second_of_video_costs_by_model_resolution_and_sound(model: str, sound: bool) -> None:
    seconds = 4 if model in ("sora-2", "veo3.1", "veo3.1-lite") else 5  # not any model makes any length
    for resolution, credits in zip(SIDES, TABLES["videos"][model][sound], strict=True):
        for name in ("text-to-video", "image-to-video"):
            body = changed(name, model=model, resolution=resolution, audio=sound, end_seconds=seconds)
            found = cost(f"/v1/{name}", "pro", body)
            if credits is None:
                assert isinstance(found, Objection), (name, resolution)
            else:
                assert found == credits * seconds, (name, resolution)
                refused = cost(f"/v1/{name}", "free", body)
                assert isinstance(refused, Objection) == (resolution != "480p")


@pytest.mark.parametrize("operation", list(OPERATIONS.values()), ids=lambda operation: operation.id)
def test_what_is_offered_has_a_price_and_what_is_not_says_which_value_is_to_blame(
    operation: Operation,
) -> None:
    """No combination of listed values is left to be refused for its price alone."""
    table = operation.node["x-credits"]
    names = sorted({*fields_in(table["rate"])} - {"$plan"}) if isinstance(table, dict) else []
    assert operation.json_body is not None
    listed = [values_of(operation, name) for name in names]
    for values in product(*listed):
        name = operation.path.removeprefix("/v1/")
        body = changed(name, **dict(zip(names, values, strict=True)))
        found = cost(operation.path, "business", body)
        assert not isinstance(found, Objection) or "combination" not in found.message, body


def values_of(operation: Operation, name: str) -> list[Any]:
    """The values that a field's schema lists; true and false of a switch."""
    assert operation.json_body is not None
    field = operation.json_body.schema
    for step in name.split("."):
        field = field.field(step)
    return list(field.said("enum", ())) or [True, False]
