"""The contract itself: valid, complete, and word for word what the vendor publishes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import openapi_spec_validator
import pytest

from bluehour.openapi.contract import Contract, load
from bluehour.openapi.document import MAGIC_HOUR
from bluehour.openapi.model import JSON, MediaType, Operation
from bluehour.openapi.schema import Schema

PHOTO_PAGE = {
    "assets": {"image_file_path": "api-assets/id/1234.png"},
    "resolution": 768,
    "style": {
        "image_description": "A photo of a person",
        "likeness_strength": 5.2,
        "negative_prompt": "painting, cartoon, sketch",
        "prompt": "A photo portrait of a person wearing a hat",
        "prompt_strength": 3.75,
        "steps": 4,
        "upscale_factor": 2,
        "upscale_fidelity": 0.5,
    },
    "name": "Photo Editor image",
}
SLIDERS = [
    "eye_gaze_horizontal",
    "eye_gaze_vertical",
    "eye_open_ratio",
    "eyebrow_direction",
    "head_pitch",
    "head_roll",
    "head_yaw",
    "lip_open_ratio",
    "mouth_grim",
    "mouth_position_horizontal",
    "mouth_position_vertical",
    "mouth_pout",
    "mouth_purse",
    "mouth_smile",
]
FACE_PAGE = {
    "assets": {"image_file_path": "api-assets/id/1234.png"},
    "style": {"enhance_face": False, **dict.fromkeys(SLIDERS, 0.0)},
    "name": "Face Editor image",
}

contract = load()
operations = pytest.mark.parametrize("operation", contract.operations, ids=lambda operation: operation.id)


def request_media(operation_id: str) -> MediaType:
    body = contract.operation(operation_id).body
    assert body is not None
    return body.content[JSON]


def success_media(operation: Operation) -> MediaType:
    return operation.responses["200"].content[JSON]


def every_media_type(contract: Contract) -> Iterator[tuple[str, MediaType]]:
    for operation in (*contract.operations, *contract.webhooks.values()):
        if operation.body:
            yield f"{operation.id} request", operation.body.content[JSON]
        for status, response in operation.responses.items():
            for media in response.content.values():
                yield f"{operation.id} {status}", media
    for code, response in contract.server_responses.items():
        for media in response.content.values():
            yield f"server {code}", media


def fields_of(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every named field below a schema, through arrays and references."""
    node = schema.resolved
    if "items" in node:
        yield from fields_of(Schema(schema.document, node["items"]), f"{path}[]")
    for name, field in node.get("properties", {}).items():
        field_schema = Schema(schema.document, field)
        yield f"{path}.{name}", field_schema
        yield from fields_of(field_schema, f"{path}.{name}")


def every_field() -> list[Any]:
    components = contract.document["components"]["schemas"]
    named = [(name, Schema(contract.document, node)) for name, node in components.items()]
    return [pytest.param(field, id=path) for name, schema in named for path, field in fields_of(schema, name)]


def test_it_is_valid_openapi_3_1() -> None:
    openapi_spec_validator.validate(contract.document)
    assert contract.document["openapi"].startswith("3.1")


def test_it_has_the_five_operations_and_three_webhooks() -> None:
    assert {f"{operation.method} {operation.path}" for operation in contract.operations} == {
        "POST /v1/ai-photo-editor",
        "POST /v1/ai-face-editor",
        "POST /v1/files/upload-urls",
        "GET /v1/image-projects/{id}",
        "DELETE /v1/image-projects/{id}",
    }
    assert set(contract.webhooks) == {"image.started", "image.completed", "image.errored"}


@pytest.mark.parametrize(
    ("place", "media"), list(every_media_type(contract)), ids=lambda value: str(value)[:40]
)
def test_every_example_is_legal(place: str, media: MediaType) -> None:
    assert media.examples, f"{place} has no example"
    for example in media.examples:
        assert media.schema.faults(example) == []


@pytest.mark.parametrize("field", every_field())
def test_every_field_has_a_legal_example(field: Schema) -> None:
    if isinstance(field.node, dict) and "$ref" in field.node and field.resolved.get("type") == "object":
        return  # an object of its own has its examples there, field by field
    assert field.resolved.get("examples")
    assert [fault for example in field.resolved["examples"] for fault in field.faults(example)] == []


@pytest.mark.parametrize(
    ("operation_id", "request_body", "response_body"),
    [
        (
            "aiPhotoEditor.createImage",
            PHOTO_PAGE,
            {"credits_charged": 10, "frame_cost": 10, "id": "cuid-example"},
        ),
        ("aiFaceEditor.editImage", FACE_PAGE, {"credits_charged": 1, "frame_cost": 1, "id": "cuid-example"}),
    ],
)
def test_the_reference_pages_are_there_word_for_word(
    operation_id: str, request_body: dict[str, Any], response_body: dict[str, Any]
) -> None:
    assert request_media(operation_id).examples[0] == request_body
    assert success_media(contract.operation(operation_id)).examples[0] == response_body


def test_prices_are_as_published() -> None:
    assert contract.operation("aiPhotoEditor.createImage").credits == 10
    assert contract.operation("aiFaceEditor.editImage").credits == 1


@pytest.mark.parametrize("operation_id", ["aiPhotoEditor.createImage", "aiFaceEditor.editImage"])
def test_each_create_links_to_its_project(operation_id: str) -> None:
    links = contract.operation(operation_id).node["responses"]["200"]["links"]
    assert {link["operationId"] for link in links.values()} == {
        "imageProjects.getDetails",
        "imageProjects.delete",
    }
    assert all(link["parameters"] == {"id": "$response.body#/id"} for link in links.values())


@operations
def test_each_operation_asks_for_a_bearer_and_declares_its_errors(operation: Operation) -> None:
    assert [[scheme.scheme for scheme in alternative] for alternative in operation.security] == [["bearer"]]
    expected = {"400", "401", "402", "404", "500"} | ({"422"} if operation.body else set())
    assert {status for status in operation.responses if not status.startswith("2")} == expected


@operations
def test_each_error_has_code_and_message(operation: Operation) -> None:
    for status, response in operation.responses.items():
        if not status.startswith("2"):
            assert response.json is not None
            assert response.json.schema.resolved["required"] == ["code", "message"]


def bounds(schema: dict[str, Any]) -> dict[str, Any]:
    keywords = (
        "type",
        "minimum",
        "maximum",
        "multipleOf",
        "minLength",
        "minItems",
        "pattern",
        "enum",
        "default",
    )
    return {key: schema[key] for key in keywords if key in schema}


def test_the_photo_editor_is_bounded_as_the_vendor_bounds_it() -> None:
    schema = request_media("aiPhotoEditor.createImage").schema.resolved
    style = schema["properties"]["style"]
    assert set(schema["required"]) == {"resolution", "style", "assets"}
    assert set(style["required"]) == {"image_description", "likeness_strength", "prompt", "prompt_strength"}
    assert bounds(schema["properties"]["resolution"]) == {"type": "integer", "minimum": 512, "maximum": 1024}
    assert bounds(schema["properties"]["steps"]) == {"type": "integer"}
    assert schema["properties"]["steps"]["deprecated"] is True
    assert {name: bounds(field) for name, field in style["properties"].items()} == {
        "image_description": {"type": "string"},
        "likeness_strength": {"type": "number"},
        "prompt": {"type": "string"},
        "prompt_strength": {"type": "number"},
        "negative_prompt": {"type": "string"},
        "steps": {"type": "integer", "minimum": 3, "maximum": 6},
        "upscale_factor": {"type": "integer", "minimum": 1, "maximum": 4, "default": 2},
        "upscale_fidelity": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
    }


def test_the_face_editor_has_fourteen_sliders_and_a_switch() -> None:
    operation = contract.operation("aiFaceEditor.editImage")
    schema = request_media(operation.id).schema.resolved
    assert set(schema["required"]) == {"assets", "style"}
    assert "required" not in schema["properties"]["style"]
    assert bounds(contract.document["components"]["schemas"]["FaceSlider"]) == {
        "type": "number",
        "minimum": -100,
        "maximum": 100,
        "multipleOf": 5,
        "default": 0,
    }
    filled = operation.with_defaults({"style": {}})["style"]
    assert filled == {"enhance_face": False, **dict.fromkeys(SLIDERS, 0)}


def test_a_project_has_every_field_that_the_sdks_require() -> None:
    schema = success_media(contract.operation("imageProjects.getDetails")).schema.resolved
    assert set(schema["required"]) == {
        "id", "name", "status", "image_count", "type", "created_at", "enabled", "total_frame_cost",
        "credits_charged", "downloads", "error",
    }  # fmt: skip
    assert schema["properties"]["name"]["type"] == ["string", "null"]
    assert schema["properties"]["error"]["type"] == ["object", "null"]
    assert schema["properties"]["total_frame_cost"]["deprecated"] is True
    assert set(schema["properties"]["status"]["enum"]) == {
        "draft", "queued", "rendering", "complete", "error", "canceled",
    }  # fmt: skip


def test_every_constraint_that_is_not_on_the_two_pages_names_its_source() -> None:
    """A line that bounds a value ends in a comment, or stands below one that speaks for its whole block."""
    constraint = re.compile(
        r"^ *(minimum|maximum|multipleOf|minLength|minItems|pattern|default|deprecated|format): "
    )
    source = re.compile(r"#.*\b(spec-01|spec-new|webhook-01|docs:|sdk|bluehour)\b")
    lines = MAGIC_HOUR.read_text().splitlines()
    covered_by_block = 999
    unsourced = []
    for line in lines[lines.index("components:") :]:
        indent = len(line) - len(line.lstrip())
        if indent <= covered_by_block:
            covered_by_block = 999
        if re.match(r"^ *\w+: *#", line) and source.search(line):
            covered_by_block = indent
        if constraint.match(line) and not source.search(line) and covered_by_block == 999:
            unsourced.append(line)
    assert unsourced == []
