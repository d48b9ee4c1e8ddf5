"""Deviants that refuse what is legal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from bluehour.openapi.document import Document

from .altering import BROKEN, Answered, Asked, answering, error
from .deviant import Deviant, Witness
from .editing import edited, keeping
from .fields import any_value, having, legal, without
from .mending import dropping
from .names import CREATES, DELETE_PROJECT, FACE, GET_PROJECT, PHOTO, UPLOAD_URLS
from .witnesses import posting, posting_raw, seen, sending

_deviant = partial(Deviant, group="acceptance")

_PUBLISHED = "every published example works (FACTS 14)"
_ASSETS = "assets.image_file_path: a URL, or the file_path of an upload"


def _strict(
    name: str,
    refuses: str,
    operation: str,
    field: str,
    legal_value: Any,
    at: str | None = None,
    **keywords: Any,
) -> Deviant:
    """Keep a stricter rule than the contract for a field, or for the object `at` that it is in."""
    return _deviant(
        name,
        f"{refuses} is refused.",
        f"request {field}: no rule forbids it",
        operation,
        edited(operation, field if at is None else at, **keywords),
        posting(operation, having(operation, field, legal_value)),
    )


def _falsy(operation: str, field: str, value: Any) -> Deviant:
    """Take a falsy value for a missing one, as `if not value` does."""
    name = re.sub("[^a-z]+", "-", field)
    shown = json.dumps(value)
    return _deviant(
        f"falsy-{name}-is-missing",
        f"{shown} for {field} is refused as if the field were missing.",
        f"request {field}: {shown} is legal",
        operation,
        dropping(operation, field, lambda held: held == value and type(held) in (type(value), int, float)),
        posting(operation, having(operation, field, value)),
    )


def _picky(
    name: str,
    refuses: str,
    operation: str,
    field: str,
    value: Any,
    test: Callable[[Any], bool],
    answer: Answered | None = None,
) -> Deviant:
    """Refuse values of a field that no schema could tell, or in another way than for a broken rule."""
    refused = answer or error(400, "invalid_request", f"Invalid value for {field}")
    is_met = any_value(field, test)
    return _deviant(
        name,
        f"{refuses} is refused with {refused.status}.",
        f"request {field}: no rule forbids it",
        operation,
        answering(operation, lambda asked: is_met(asked.json), refused),
        posting(operation, having(operation, field, value)),
    )


def _needing(name: str, operation: str, at: str, field: str) -> Deviant:
    """Ask for a field that is optional."""
    return _deviant(
        name,
        f"{field} is required, though it may be left out.",
        f"request {field}: not among the required",
        operation,
        edited(operation, at, required=[*_required(operation, at), field.rpartition(".")[2]]),
        posting(operation, without(operation, field)),
    )


def _required(operation: str, at: str) -> list[str]:
    if operation == FACE:
        return [] if at else ["assets", "style"]
    at_style = ["image_description", "likeness_strength", "prompt", "prompt_strength"]
    return at_style if at else ["resolution", "style", "assets"]


def _unfit(kind: str, extension: str) -> Deviant:
    """Know an older list of extensions."""

    def forget(document: Document) -> None:
        document["x-asset-extensions"][kind].remove(extension)

    return _deviant(
        f"extension-{extension}-refused",
        f"{extension} is no {kind} extension that it knows.",
        f"x-asset-extensions: {kind}",
        UPLOAD_URLS,
        keeping(forget),
        posting(UPLOAD_URLS, {"items": [{"type": kind, "extension": extension}]}),
    )


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("https://")


def _unusable(name: str, refuses: str, asset: str, test: Callable[[str], bool]) -> Deviant:
    """Refuse a kind of URL as a picture."""
    refused = error(422, "unprocessable_entity", "The asset can't be used")
    return _picky(
        name,
        refuses,
        FACE,
        "assets.image_file_path",
        asset,
        lambda held: _is_url(held) and test(held),
        refused,
    )


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _has_point(value: Any) -> bool:
    return type(value) is float and value.is_integer()


def _is_moved_with_point(value: Any) -> bool:
    """Whether it is a float; not 0.0, which the published example has."""
    return _has_point(value) and value != 0


def _contains(character: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and character in value


def _is_astral(value: Any) -> bool:
    return isinstance(value, str) and any(ord(character) > 0xFFFF for character in value)


def _has_exponent(asked: Asked) -> bool:
    return re.search(rb":\s*-?[0-9]+(\.[0-9]+)?[eE]", asked.body) is not None


def _has_capitals(asked: Asked) -> bool:
    return asked.header("Content-Type") != asked.header("Content-Type").lower()


def _typed(content_type: str) -> Witness:
    return posting(FACE, legal(FACE), {"Content-Type": content_type})


_UNSUPPORTED = error(400, "invalid_request", "Invalid Content-Type: expected application/json")
_MALFORMED = error(400, "invalid_request", "Malformed JSON")
_NOT_FOUND = error(404, "not_found", "Not Found")
_FORBIDDEN = error(403, "forbidden", "Forbidden")

_BOUNDS = (
    _strict(
        "highest-resolution-refused", "A resolution of 1024", PHOTO, "resolution", 1024, exclusiveMaximum=1024
    ),
    _strict(
        "lowest-resolution-refused", "A resolution of 512", PHOTO, "resolution", 512, exclusiveMinimum=512
    ),
    _strict(
        "odd-resolution-refused",
        "A resolution that is no multiple of 8",
        PHOTO,
        "resolution",
        777,
        multipleOf=8,
    ),
    _strict("most-steps-refused", "The most steps, 6,", PHOTO, "style.steps", 6, exclusiveMaximum=6),
    _strict("fewest-steps-refused", "The fewest steps, 3,", PHOTO, "style.steps", 3, exclusiveMinimum=3),
    _strict("upscale-by-four-refused", "The upscale factor 4", PHOTO, "style.upscale_factor", 4, maximum=3),
    _strict(
        "upscale-by-one-refused", "The upscale factor 1", PHOTO, "style.upscale_factor", 1, exclusiveMinimum=1
    ),
    _strict("no-fidelity-refused", "A fidelity of 0", PHOTO, "style.upscale_fidelity", 0, exclusiveMinimum=0),
    _strict(
        "full-fidelity-refused", "A fidelity of 1", PHOTO, "style.upscale_fidelity", 1, exclusiveMaximum=1
    ),
    _strict(
        "highest-slider-refused", "A slider at 100", FACE, "style.mouth_smile", 100, exclusiveMaximum=100
    ),
    _strict(
        "lowest-slider-refused", "A slider at -100", FACE, "style.head_pitch", -100, exclusiveMinimum=-100
    ),
    _strict("negative-slider-refused", "A slider below 0", FACE, "style.eyebrow_direction", -5, minimum=0),
    _strict(
        "odd-slider-step-refused",
        "A slider at 5, with steps of 10,",
        FACE,
        "style.mouth_purse",
        5,
        multipleOf=10,
    ),
    _strict(
        "negative-likeness-refused", "A likeness below 0", PHOTO, "style.likeness_strength", -1.5, minimum=0
    ),
    _strict(
        "high-likeness-refused", "A likeness above 10", PHOTO, "style.likeness_strength", 10.5, maximum=10
    ),
    _strict(
        "high-prompt-strength-refused",
        "A strength above 100",
        PHOTO,
        "style.prompt_strength",
        101,
        maximum=100,
    ),
    _strict("old-steps-in-a-range", "A top-level steps of 123", PHOTO, "steps", 123, minimum=3, maximum=6),
    _strict("face-is-never-enhanced", "enhance_face true", FACE, "style.enhance_face", True, enum=[False]),
)

_TEXTS = (
    _strict(
        "long-name-refused", "A name of more than 255 characters", FACE, "name", "n" * 256, maxLength=255
    ),
    _strict(
        "long-prompt-refused",
        "A prompt of more than 1000 characters",
        PHOTO,
        "style.prompt",
        "p" * 1001,
        maxLength=1000,
    ),
    _strict(
        "long-description-refused",
        "A description of more than 500 characters",
        PHOTO,
        "style.image_description",
        "d" * 501,
        maxLength=500,
    ),
    _strict("empty-name-refused", "An empty name", FACE, "name", "", minLength=1),
    _strict(
        "empty-negative-prompt-refused",
        "An empty negative prompt",
        PHOTO,
        "style.negative_prompt",
        "",
        minLength=1,
    ),
    _strict(
        "unicode-in-a-name-refused",
        "A name beyond ASCII",
        FACE,
        "name",
        "Süße Großmutter",
        pattern="^[ -~]*$",
    ),
    _strict(
        "newline-in-a-prompt-refused",
        "A prompt of two lines",
        PHOTO,
        "style.prompt",
        "A hat\nand a coat",
        pattern="^[^\\n]*$",
    ),
    _strict(
        "quotes-in-a-prompt-refused",
        "A prompt with quotation marks",
        PHOTO,
        "style.prompt",
        'A "hat"',
        pattern='^[^"]*$',
    ),
    _strict(
        "backslash-in-a-name-refused",
        "A name with a backslash",
        FACE,
        "name",
        "C:\\photos",
        pattern="^[^\\\\]*$",
    ),
    _strict(
        "markup-in-a-prompt-refused",
        "A prompt with < or >",
        PHOTO,
        "style.prompt",
        "a hat <3",
        pattern="^[^<>]*$",
    ),
    _picky(
        "emoji-in-a-prompt-is-500",
        "A prompt with an emoji",
        PHOTO,
        "style.prompt",
        "a hat 🎩",
        _is_astral,
        BROKEN,
    ),
    _picky(
        "apostrophe-in-a-name-is-500",
        "A name with an apostrophe",
        FACE,
        "name",
        "Ann's face",
        _contains("'"),
        BROKEN,
    ),
    _picky(
        "percent-in-a-prompt-is-500",
        "A prompt with a percent sign",
        PHOTO,
        "style.negative_prompt",
        "100 %s",
        _contains("%"),
        BROKEN,
    ),
)

_SHAPES = (
    _strict(
        "unknown-key-refused",
        "A field that the contract does not know",
        PHOTO,
        "seed",
        7,
        at="",
        additionalProperties=False,
    ),
    _strict(
        "unknown-style-key-refused",
        "A slider that the contract does not know",
        FACE,
        "style.nose_size",
        5,
        at="style",
        additionalProperties=False,
    ),
    _strict("empty-style-refused", "A style without sliders", FACE, "style", {}, minProperties=1),
    _deviant(
        "old-steps-refused",
        "The deprecated top-level steps is refused.",
        "request steps: deprecated, and legal",
        PHOTO,
        edited(PHOTO, "steps", **{"not": {}}),
        posting(PHOTO, having(PHOTO, "steps", 4)),
    ),
    _strict(
        "eleven-items-refused",
        "A list of more than ten files",
        UPLOAD_URLS,
        "items",
        [{"type": "image", "extension": "png"}] * 11,
        maxItems=10,
    ),
    _strict(
        "equal-items-refused",
        "A list with two files of the same kind",
        UPLOAD_URLS,
        "items",
        [{"type": "image", "extension": "png"}] * 2,
        uniqueItems=True,
    ),
    _needing("name-required", FACE, "", "name"),
    _needing("steps-required", PHOTO, "style", "style.steps"),
    _needing("negative-prompt-required", PHOTO, "style", "style.negative_prompt"),
    _needing("upscale-factor-required", PHOTO, "style", "style.upscale_factor"),
    _needing("slider-required", FACE, "style", "style.head_roll"),
    _falsy(PHOTO, "style.likeness_strength", 0),
    _falsy(PHOTO, "style.prompt_strength", 0.0),
    _falsy(PHOTO, "style.prompt", ""),
    _falsy(PHOTO, "style.image_description", ""),
    _falsy(FACE, "style", {}),
    _picky(
        "whole-strength-refused",
        "A whole number for a strength",
        PHOTO,
        "style.likeness_strength",
        5,
        _is_whole,
    ),
    _picky(
        "whole-fidelity-refused",
        "A whole number for the fidelity",
        PHOTO,
        "style.upscale_fidelity",
        1,
        _is_whole,
    ),
    _picky("integer-with-a-point-refused", "4.0 for the integer 4", PHOTO, "style.steps", 4.0, _has_point),
    _picky(
        "slider-with-a-point-refused",
        "5.0 for a slider",
        FACE,
        "style.eye_open_ratio",
        5.0,
        _is_moved_with_point,
    ),
)

_ASSETS_REFUSED = (
    *(
        _unfit(*row)
        for row in (
            ("image", "jfif"),
            ("image", "heic"),
            ("image", "tif"),
            ("image", "webp"),
            ("video", "m4v"),
            ("audio", "opus"),
        )
    ),
    _unusable("url-refused", "A picture by its URL", "https://example.com/photo.jpg", lambda _: True),
    _unusable(
        "url-with-a-query-refused",
        "A URL with a query",
        "https://example.com/photo.jpg?v=1",
        lambda held: "?" in held and "imageId" not in held,
    ),
    _unusable(
        "url-in-capitals-refused",
        "A URL with its extension in capitals",
        "https://example.com/PHOTO.JPG",
        lambda held: held.endswith((".JPG", ".PNG")),
    ),
    _unusable(
        "library-url-refused",
        "A picture of the caller's library",
        "https://magichour.ai/my-library?imageId=cabc",
        lambda held: "my-library" in held,
    ),
    _deviant(
        "example-asset-refused",
        "The picture of the published examples has to be uploaded first.",
        _PUBLISHED,
        None,
        keeping(lambda document: document.pop("x-example-assets")),
        posting(PHOTO, legal(PHOTO)),
    ),
)

_REQUESTS = (
    _deviant(
        "charset-refused",
        "A Content-Type with a charset is refused.",
        "requestBody: application/json, whatever its parameters",
        FACE,
        answering(FACE, lambda asked: ";" in asked.header("Content-Type"), _UNSUPPORTED),
        _typed("application/json; charset=utf-8"),
    ),
    _deviant(
        "capitals-in-the-content-type-refused",
        "A Content-Type is compared as it is written, though its case means nothing.",
        "requestBody: application/json, which has no case",
        FACE,
        answering(FACE, _has_capitals, _UNSUPPORTED),
        _typed("Application/JSON"),
    ),
    _deviant(
        "exponent-refused",
        "A number with an exponent, which JSON allows, is refused.",
        "requestBody: application/json",
        FACE,
        answering(FACE, _has_exponent, _MALFORMED),
        posting_raw(FACE, json.dumps(having(FACE, "style.head_yaw", 777)).replace("777", "6e1").encode()),
    ),
    _deviant(
        "no-user-agent-refused",
        "A client that does not name itself is refused.",
        "no header but Authorization is asked for",
        None,
        answering(CREATES, lambda asked: not asked.header("User-Agent"), _FORBIDDEN),
        posting(FACE, legal(FACE), {"User-Agent": None}),
    ),
    _deviant(
        "example-project-unknown",
        "The project of the published examples is not there.",
        _PUBLISHED,
        GET_PROJECT,
        answering(GET_PROJECT, lambda asked: asked.project_id == "cuid-example", _NOT_FOUND),
        lambda client: seen(client.project("cuid-example")),
    ),
    _deviant(
        "example-project-undeletable",
        "The project of the published examples can't be deleted.",
        _PUBLISHED,
        DELETE_PROJECT,
        answering(DELETE_PROJECT, lambda asked: asked.project_id == "cuid-example", _NOT_FOUND),
        lambda client: seen(client.delete("cuid-example")),
    ),
    _deviant(
        "query-refused",
        "A query that the contract does not know is refused.",
        "no rule forbids it",
        GET_PROJECT,
        answering(GET_PROJECT, lambda asked: bool(asked.environ["QUERY_STRING"]), _MALFORMED),
        sending("GET", "/v1/image-projects/cuid-example?t=1"),
    ),
)

DEVIANTS: tuple[Deviant, ...] = (*_BOUNDS, *_TEXTS, *_SHAPES, *_ASSETS_REFUSED, *_REQUESTS)
