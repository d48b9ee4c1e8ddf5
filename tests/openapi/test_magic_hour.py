"""The contract itself: valid, complete, and in its two editors word for word what the vendor publishes."""

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

IMAGES = [
    "ai-clothes-changer", "ai-face-editor", "ai-gif-generator", "ai-headshot-generator",
    "ai-image-editor", "ai-image-generator", "ai-image-upscaler", "ai-meme-generator", "ai-photo-editor",
    "ai-qr-code-generator", "body-swap", "face-swap-photo", "head-swap", "image-background-remover",
    "photo-colorizer",
]  # fmt: skip
VIDEOS = [
    "ai-talking-photo", "ai-ugc-ad", "ai-video-editor", "ai-video-translator", "ai-video-upscaler",
    "animation", "audio-to-video", "auto-subtitle-generator", "character-replace", "face-swap",
    "image-to-video", "lip-sync", "text-to-video", "video-to-video",
]  # fmt: skip
AUDIOS = ["ai-music-generator", "ai-voice-cloner", "ai-voice-generator"]

ERRORS = {"400", "401", "402", "404", "500"}
OTHER_ERRORS = {
    "account.get": {"401", "500"},
    "savedItems.list": {"400", "401", "500"},
    "faceDetection.getDetails": {*ERRORS, "422"},
    "videoProjects.delete": {*ERRORS, "422"},
}
"""Of operations that the vendor has less or more errors of than of their like."""

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


def schemas_of(operation: Operation) -> Iterator[tuple[str, Schema]]:
    if operation.body:
        yield "request", operation.body.content[JSON].schema
    for status, response in operation.responses.items():
        if response.json:
            yield status, response.json.schema


def test_it_is_valid_openapi_3_1() -> None:
    openapi_spec_validator.validate(contract.document)
    assert contract.document["openapi"].startswith("3.1")


def test_it_has_every_operation_and_webhook_of_the_newest_sdk_and_the_photo_editor() -> None:
    expected = {f"POST /v1/{name}" for name in (*IMAGES, *VIDEOS, *AUDIOS)}
    expected |= {
        f"{method} /v1/{kind}-projects/{{id}}"
        for kind in ("image", "video", "audio")
        for method in ("GET", "DELETE")
    }
    expected |= {"POST /v1/face-detection", "GET /v1/face-detection/{id}", "POST /v1/files/upload-urls"}
    expected |= {"GET /v1/saved-items", "GET /v1/account"}
    assert {f"{operation.method} {operation.path}" for operation in contract.operations} == expected
    assert set(contract.webhooks) == {
        f"{kind}.{event}"
        for kind in ("image", "video", "audio")
        for event in ("started", "completed", "errored")
    }


@pytest.mark.parametrize(
    ("kind", "creates"), [("image", IMAGES), ("video", VIDEOS), ("audio", AUDIOS)], ids=lambda it: str(it)[:5]
)
def test_each_create_makes_a_project_of_its_kind_and_of_its_own_type(kind: str, creates: list[str]) -> None:
    made = [each for each in contract.operations if each.method == "POST" and each.path[4:] in creates]
    assert {each.project_kind for each in made} == {kind}
    assert len({each.project_type for each in made}) == len(creates)
    assert all(each.said_render_seconds for each in made)


@pytest.mark.parametrize(
    ("place", "media"), list(every_media_type(contract)), ids=lambda value: str(value)[:40]
)
def test_every_example_is_legal(place: str, media: MediaType) -> None:
    assert media.examples, f"{place} has no example"
    for example in media.examples:
        assert media.schema.faults(example) == []


@operations
def test_every_field_has_a_legal_example(operation: Operation) -> None:
    for name, schema in schemas_of(operation):
        for place, field in fields_of(schema, name):
            examples = field.said("examples", ())
            assert examples or list(fields_of(field, place)), f"{place}, which has no fields, has no example"
            assert all(map(field.accepts, examples)), f"{place} has an example that is not legal"


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


@pytest.mark.parametrize(
    "create", [each for each in contract.operations if each.behaviour == "create-project"]
)
def test_each_create_links_to_its_project(create: Operation) -> None:
    others = {each.id for each in contract.operations if each.project_kind == create.project_kind}
    links = create.responses["200"].links.values()
    creates = {each.id for each in contract.operations if each.behaviour == "create-project"}
    assert {link["operationId"] for link in links} == others - creates
    assert all(link["parameters"] == {"id": "$response.body#/id"} for link in links)


@operations
def test_each_operation_asks_for_a_bearer_and_declares_its_errors(operation: Operation) -> None:
    assert [[scheme.scheme for scheme in alternative] for alternative in operation.security] == [["bearer"]]
    usual = {*ERRORS, "422"} if operation.body else ERRORS
    declared = {status for status in operation.responses if not status.startswith("2")}
    assert declared == OTHER_ERRORS.get(operation.id, usual)


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


def test_every_constraint_of_the_editors_that_is_not_on_their_pages_names_its_source() -> None:
    """A line that bounds a value ends in a comment, or stands below one that speaks for its whole block."""
    constraint = re.compile(
        r"^ *(minimum|maximum|multipleOf|minLength|minItems|pattern|default|deprecated|format): "
    )
    source = re.compile(r"#.*\b(spec-01|spec-new|webhook-01|docs:|sdk|bluehour)\b")
    lines = (MAGIC_HOUR.parent / "magic-hour" / "images.yaml").read_text("utf-8").splitlines()
    covered_by_block = 999
    unsourced = []
    for line in lines[lines.index("  PhotoEditorRequest:") : lines.index("  CreatedImageProject:")]:
        indent = len(line) - len(line.lstrip())
        if indent <= covered_by_block:
            covered_by_block = 999
        if re.match(r"^ *\w+: *#", line) and source.search(line):
            covered_by_block = indent
        if constraint.match(line) and not source.search(line) and covered_by_block == 999:
            unsourced.append(line)
    assert unsourced == []


def keys_in(node: Any) -> Iterator[str]:
    """Every x- key at any depth."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(key, str) and key.startswith("x-"):
            yield key
        if isinstance(value, dict | list):
            yield from keys_in(value)


def test_the_head_of_the_file_explains_every_x_key_of_operations_and_fields_and_no_other() -> None:
    head = MAGIC_HOUR.read_text("utf-8").partition("\nopenapi:")[0]
    explained = set(re.findall(r"^#   (x-[a-z-]+) ", head, re.MULTILINE))
    used = {*keys_in(contract.document["paths"]), *keys_in(contract.document["webhooks"])}
    used |= set(keys_in(contract.document["components"]))
    of_others = {"x-no-nul", "x-idempotency"}  # of the whole, and of contracts that have it
    assert explained - of_others == used
