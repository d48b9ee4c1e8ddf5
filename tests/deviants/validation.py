"""Deviants that let illegal requests pass, or refuse them with the wrong status or words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from .altering import Answered, Asked, after, after_json, before, changed, error
from .client import Client
from .deviant import Deviant, Witness, Wrap
from .editing import edited
from .fields import EXAMPLE_ASSET, equal_to, having, legal, without
from .mending import filling, mending, replacing
from .names import CREATES, FACE, PHOTO, POSTS, UPLOAD_URLS
from .witnesses import posting, posting_raw, seen

_deviant = partial(Deviant, group="validation")

_EDITORS = {PHOTO: "photo", FACE: "face", UPLOAD_URLS: "upload"}
_BAD_REQUEST = "components/responses/BadRequest"
_JSON_ONLY = "requestBody: application/json"
_PNG = {"type": "image", "extension": "png"}


def _slug(operation: str, field: str) -> str:
    return re.sub(r"[^a-z]+", "-", f"{_EDITORS[operation]}-{field}").strip("-")


def _missing(operation: str, field: str, value: Any) -> Deviant:
    """Accept a request that lacks a required field, and take `value` for it."""
    return _deviant(
        f"missing-{_slug(operation, field)}-accepted",
        f"A request without the required {field} is accepted.",
        f"request {field}: required",
        operation,
        filling(operation, field, value),
        posting(operation, without(operation, field)),
    )


def _null(operation: str, field: str) -> Deviant:
    """Accept null for a field, and take the example's value for it."""
    value = _value(operation, field)
    return _deviant(
        f"null-{_slug(operation, field)}-accepted",
        f"A null for {field} is accepted.",
        f"request {field}: type",
        operation,
        replacing(operation, field, lambda held: held is None, lambda _: value),
        posting(operation, having(operation, field, None)),
    )


def _value(operation: str, field: str) -> Any:
    value = legal(operation)
    for step in field.split("."):
        value = value[step]
    return value


def _mistyped(
    name: str,
    operation: str,
    field: str,
    wrong: Any,
    when: Callable[[Any], bool],
    better: Callable[[Any], Any],
) -> Deviant:
    """Accept values of another type, and make what was meant of them."""
    return _deviant(
        name,
        f"{field} may be of another type: {json.dumps(wrong)} is accepted.",
        f"request {field}: type",
        operation,
        replacing(operation, field, when, better),
        posting(operation, having(operation, field, wrong)),
    )


def _loose(name: str, operation: str, field: str, illegal: Any, **keywords: Any) -> Deviant:
    """Keep a looser rule for one field."""
    rules = ", ".join(keywords)
    return _deviant(
        name,
        f"{field} is not held to its {rules}: {json.dumps(illegal)} is accepted.",
        f"request {field}: {rules}",
        operation,
        edited(operation, field, **keywords),
        posting(operation, having(operation, field, illegal)),
    )


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


def _is_digits(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("-?[0-9]+", value) is not None


def _is_number_in_words(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is not None


def _is_object_in_words(value: Any) -> bool:
    try:
        return isinstance(value, str) and isinstance(orjson.loads(value), dict)
    except orjson.JSONDecodeError:
        return False


def _is_list_of(kind: type, most: int) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and 0 < len(value) <= most and all(isinstance(item, kind) for item in value)
    )


def _number(body: Any, mend: Callable[[float], float]) -> Any:
    """Mend every slider of a face editor's request."""
    style = body.get("style") if isinstance(body, dict) else None
    if isinstance(style, dict):
        for name, value in style.items():
            if type(value) in (int, float):
                style[name] = mend(value)
    return body


def _to_step(value: float) -> float:
    return 5 * round(value / 5)


def _first_of_list(body: Any) -> Any:
    return body[0] if isinstance(body, list) and len(body) == 1 else body


def _after_the_first(body: Any) -> Any:
    """Take any item but the first for a picture, unless it is fine."""
    items = body.get("items") if isinstance(body, dict) else None
    if isinstance(items, list):
        items[1:] = [item if _is_item(item) else _PNG for item in items[1:]]
    return body


def _is_item(item: Any) -> bool:
    if not isinstance(item, dict) or item.get("type") not in ("video", "audio", "image"):
        return False
    extension = item.get("extension")
    return isinstance(extension, str) and re.fullmatch("[a-z0-9]+", extension) is not None


def _raw(change: Callable[[bytes], bytes]) -> Callable[[Asked], Asked]:
    return lambda asked: asked.with_body(change(asked.body))


def _first_value(raw: bytes) -> bytes:
    try:
        text = raw.decode()
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return raw
    return text[:end].encode()


def _as_json(asked: Asked) -> Asked:
    return asked.with_header("Content-Type", "application/json")


def _typed(content_type: str | None) -> Wrap:
    """Take bodies of another, or no, media type for JSON."""
    return before(
        FACE, lambda asked: _as_json(asked) if asked.header("Content-Type") == (content_type or "") else asked
    )


def _posting_typed(content_type: str | None) -> Witness:
    return posting(FACE, legal(FACE), {"Content-Type": content_type})


def _refusing_with(status: int, code: str, *, of: Callable[[str], bool] = lambda _: True) -> Any:
    """Return what answers a 400 with another status, for messages of a kind."""

    def change(answered: Answered) -> Answered:
        message = answered.json["message"]
        return error(status, code, message) if of(message) else answered

    return change


def _is_range(message: str) -> bool:
    return "must be at" in message


def _two_faults(client: Client) -> object:
    body = having(PHOTO, "style.steps", 7)
    del body["resolution"]
    return seen(client.call(PHOTO, body))


_MISSING: tuple[tuple[str, str, Any], ...] = (
    (PHOTO, "resolution", 768),
    (PHOTO, "style", legal(PHOTO)["style"]),
    (PHOTO, "assets", {"image_file_path": EXAMPLE_ASSET}),
    (PHOTO, "style.image_description", ""),
    (PHOTO, "style.likeness_strength", 5),
    (PHOTO, "style.prompt", ""),
    (PHOTO, "style.prompt_strength", 5),
    (PHOTO, "assets.image_file_path", EXAMPLE_ASSET),
    (FACE, "assets", {"image_file_path": EXAMPLE_ASSET}),
    (FACE, "style", {}),
    (FACE, "assets.image_file_path", EXAMPLE_ASSET),
    (UPLOAD_URLS, "items", [_PNG]),
    (UPLOAD_URLS, "items[].type", "image"),
    (UPLOAD_URLS, "items[].extension", "png"),
)

_NULLS = (
    (FACE, "name"),
    (FACE, "style.mouth_purse"),
    (FACE, "style.enhance_face"),
    (PHOTO, "style.negative_prompt"),
    (PHOTO, "style.upscale_factor"),
    (PHOTO, "style.steps"),
    (PHOTO, "style.prompt"),
    (PHOTO, "assets"),
)

_MISTYPED: tuple[tuple[str, str, str, Any, Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    ("text-for-the-resolution-accepted", PHOTO, "resolution", "768", _is_digits, int),
    ("text-for-the-old-steps-accepted", PHOTO, "steps", "4", _is_digits, int),
    ("text-for-a-strength-accepted", PHOTO, "style.likeness_strength", "5.2", _is_number_in_words, float),
    ("text-for-a-slider-accepted", FACE, "style.head_yaw", "60", _is_digits, int),
    ("text-for-a-truth-accepted", FACE, "style.enhance_face", "true", equal_to("true"), bool),
    ("number-for-a-truth-accepted", FACE, "style.enhance_face", 1, _is(int), bool),
    ("truth-for-an-integer-accepted", PHOTO, "style.upscale_factor", True, _is(bool), int),
    ("truth-for-a-number-accepted", PHOTO, "style.prompt_strength", True, _is(bool), int),
    ("truth-for-a-slider-accepted", FACE, "style.mouth_smile", False, _is(bool), int),
    ("fraction-for-an-integer-accepted", PHOTO, "style.steps", 4.5, _is(float), int),
    ("fraction-for-the-resolution-accepted", PHOTO, "resolution", 768.5, _is(float), int),
    ("number-for-a-name-accepted", PHOTO, "name", 7, _is(int, float), str),
    ("number-for-a-prompt-accepted", PHOTO, "style.prompt", 12, _is(int, float), str),
    (
        "list-for-a-text-accepted",
        PHOTO,
        "style.negative_prompt",
        ["cartoon"],
        _is_list_of(str, 99),
        ", ".join,
    ),
    (
        "list-for-a-slider-accepted",
        FACE,
        "style.eye_open_ratio",
        [5],
        _is_list_of(int, 1),
        lambda value: value[0],
    ),
    ("empty-list-for-an-object-accepted", FACE, "style", [], equal_to([]), lambda _: {}),
    (
        "text-for-the-assets-accepted",
        FACE,
        "assets",
        EXAMPLE_ASSET,
        _is(str),
        lambda held: {"image_file_path": held},
    ),
    (
        "json-text-for-an-object-accepted",
        FACE,
        "style",
        '{"mouth_smile": 5}',
        _is_object_in_words,
        orjson.loads,
    ),
    ("single-item-for-a-list-accepted", UPLOAD_URLS, "items", _PNG, _is(dict), lambda value: [value]),
)

_BOUNDS = (
    _loose("resolution-one-below-accepted", PHOTO, "resolution", 511, minimum=511),
    _loose("steps-below-accepted", PHOTO, "style.steps", 2, minimum=None),
    _loose("steps-above-accepted", PHOTO, "style.steps", 7, maximum=None),
    _loose("upscale-factor-zero-accepted", PHOTO, "style.upscale_factor", 0, minimum=0),
    _loose("upscale-factor-above-accepted", PHOTO, "style.upscale_factor", 5, maximum=None),
    _loose("fidelity-below-accepted", PHOTO, "style.upscale_fidelity", -0.01, minimum=None),
    _loose("fidelity-just-above-accepted", PHOTO, "style.upscale_fidelity", 1.01, maximum=1.05),
    _loose("slider-below-accepted", FACE, "style.mouth_grim", -105, minimum=None),
    _loose("slider-above-accepted", FACE, "style.eye_gaze_vertical", 105, maximum=None),
    _loose("slider-one-step-above-accepted", FACE, "style.head_pitch", 105, maximum=105),
    _loose("slider-one-step-below-accepted", FACE, "style.mouth_position_vertical", -105, minimum=-105),
    _loose("slider-off-its-steps-accepted", FACE, "style.lip_open_ratio", 7.5, multipleOf=None),
    _loose("slider-in-whole-numbers-accepted", FACE, "style.mouth_pout", 7, multipleOf=1),
    _loose("no-items-accepted", UPLOAD_URLS, "items", [], minItems=None),
    _loose("odd-extension-is-422", UPLOAD_URLS, "items[].extension", "p.g", pattern=None),
)

_CLAMPING = (
    _deviant(
        "resolution-is-clamped",
        "A resolution above the maximum is brought down to it rather than refused.",
        "request resolution: maximum",
        PHOTO,
        replacing(PHOTO, "resolution", lambda value: _is(int, float)(value) and value > 1024, lambda _: 1024),
        posting(PHOTO, having(PHOTO, "resolution", 1025)),
    ),
    _deviant(
        "sliders-are-clamped",
        "Sliders out of range are brought into it rather than refused.",
        "request style.*: minimum, maximum",
        FACE,
        mending(FACE, lambda body: _number(body, lambda value: min(100, max(-100, value)))),
        posting(FACE, having(FACE, "style.head_roll", 1000)),
    ),
    _deviant(
        "sliders-are-rounded",
        "Sliders between two steps are rounded rather than refused.",
        "request style.*: multipleOf",
        FACE,
        mending(
            FACE, lambda body: _number(body, lambda value: _to_step(value) if abs(value) < 100 else value)
        ),
        posting(FACE, having(FACE, "style.mouth_purse", 12)),
    ),
    _deviant(
        "fractions-of-a-step-accepted",
        "The steps of one slider are only asked of whole numbers: 2.5 is accepted, 7 is not.",
        "request style.head_roll: multipleOf",
        FACE,
        replacing(
            FACE, "style.head_roll", lambda value: _is(float)(value) and not value.is_integer(), _to_step
        ),
        posting(FACE, having(FACE, "style.head_roll", 2.5)),
    ),
)

_TEXTS = (
    _deviant(
        "unknown-asset-type-accepted",
        "A type of asset that there is not is taken for an image.",
        "request items[].type: enum",
        UPLOAD_URLS,
        replacing(
            UPLOAD_URLS,
            "items[].type",
            lambda value: _is(str)(value) and value not in ("video", "audio", "image"),
            lambda _: "image",
        ),
        posting(UPLOAD_URLS, having(UPLOAD_URLS, "items[].type", "document")),
    ),
    _deviant(
        "upper-case-asset-type-accepted",
        "The type of an asset may be written in capitals.",
        "request items[].type: enum",
        UPLOAD_URLS,
        replacing(UPLOAD_URLS, "items[].type", _is(str), str.lower),
        posting(UPLOAD_URLS, having(UPLOAD_URLS, "items[].type", "IMAGE")),
    ),
    _deviant(
        "upper-case-extension-accepted",
        "The extension of a file may be written in capitals.",
        "request items[].extension: pattern",
        UPLOAD_URLS,
        replacing(UPLOAD_URLS, "items[].extension", _is(str), str.lower),
        posting(UPLOAD_URLS, having(UPLOAD_URLS, "items[].extension", "PNG")),
    ),
    _deviant(
        "extension-with-its-dot-accepted",
        "The extension of a file may have its dot.",
        "request items[].extension: pattern",
        UPLOAD_URLS,
        replacing(UPLOAD_URLS, "items[].extension", _is(str), lambda value: value.removeprefix(".")),
        posting(UPLOAD_URLS, having(UPLOAD_URLS, "items[].extension", ".png")),
    ),
    _deviant(
        "extension-with-a-newline-accepted",
        "The end of the pattern also fits before a last newline, as $ does in Python.",
        "request items[].extension: pattern",
        UPLOAD_URLS,
        replacing(UPLOAD_URLS, "items[].extension", _is(str), lambda value: value.removesuffix("\n")),
        posting(UPLOAD_URLS, having(UPLOAD_URLS, "items[].extension", "png\n")),
    ),
    *(
        _deviant(
            f"empty-{_EDITORS[operation]}-path-accepted",
            "An empty path names a picture.",
            "request assets.image_file_path: minLength",
            operation,
            replacing(operation, "assets.image_file_path", equal_to(""), lambda _: EXAMPLE_ASSET),
            posting(operation, having(operation, "assets.image_file_path", "")),
        )
        for operation in CREATES
    ),
    _deviant(
        "empty-photo-path-is-422",
        "An empty path is refused as one that was never issued, and not as too short.",
        "request assets.image_file_path: minLength",
        PHOTO,
        edited(PHOTO, "assets.image_file_path", minLength=None),
        posting(PHOTO, having(PHOTO, "assets.image_file_path", "")),
    ),
    _deviant(
        "items-after-the-first-not-checked",
        "Of several items only the first is looked at.",
        "request items[]: each is judged",
        UPLOAD_URLS,
        mending(UPLOAD_URLS, _after_the_first),
        posting(UPLOAD_URLS, {"items": [_PNG, {"type": "image", "extension": "P N G"}]}),
    ),
)

_BODIES = (
    _deviant(
        "plain-text-accepted",
        "A body that says it is plain text is taken for JSON.",
        _JSON_ONLY,
        FACE,
        _typed("text/plain"),
        _posting_typed("text/plain"),
    ),
    _deviant(
        "untyped-body-accepted",
        "A body without a Content-Type is taken for JSON.",
        _JSON_ONLY,
        FACE,
        _typed(None),
        _posting_typed(None),
    ),
    _deviant(
        "form-type-accepted",
        "JSON that says it is a form, as curl's -d does, is accepted.",
        _JSON_ONLY,
        FACE,
        _typed("application/x-www-form-urlencoded"),
        _posting_typed("application/x-www-form-urlencoded"),
    ),
    _deviant(
        "list-around-the-body-accepted",
        "A list with the body in it is taken for the body.",
        "request body: type",
        PHOTO,
        mending(PHOTO, _first_of_list),
        posting(PHOTO, [legal(PHOTO)]),
    ),
    _deviant(
        "empty-body-accepted",
        "No body at all asks for the upload of a picture.",
        "requestBody: required",
        UPLOAD_URLS,
        before(
            UPLOAD_URLS, lambda asked: asked if asked.body else _as_json(asked).with_json({"items": [_PNG]})
        ),
        posting_raw(UPLOAD_URLS, b""),
    ),
    _deviant(
        "trailing-comma-accepted",
        "JSON may have a comma after its last field.",
        "requestBody: application/json",
        FACE,
        before(FACE, _raw(lambda raw: re.sub(rb",\s*([}\]])", rb"\1", raw))),
        posting_raw(FACE, json.dumps(legal(FACE)).encode()[:-1] + b",}"),
    ),
    _deviant(
        "text-after-the-json-accepted",
        "What comes after the JSON is not looked at.",
        "requestBody: application/json",
        PHOTO,
        before(PHOTO, _raw(_first_value)),
        posting_raw(PHOTO, json.dumps(legal(PHOTO)).encode() + b" and more"),
    ),
    _deviant(
        "nan-accepted",
        "NaN, which JSON has no word for, is taken for 0.",
        "requestBody: application/json",
        FACE,
        before(FACE, _raw(lambda raw: re.sub(rb":\s*NaN\b", b": 0", raw))),
        posting_raw(FACE, json.dumps(having(FACE, "style.mouth_smile", float("nan"))).encode()),
    ),
    _deviant(
        "malformed-json-is-the-default",
        "A body that can't be parsed is taken for the simplest request.",
        "requestBody: application/json",
        UPLOAD_URLS,
        before(
            UPLOAD_URLS,
            lambda asked: (
                asked.with_json({"items": [_PNG]}) if asked.body and _is_broken(asked.body) else asked
            ),
        ),
        posting_raw(UPLOAD_URLS, b'{"items": ['),
    ),
)

_REFUSALS = (
    _deviant(
        "422-in-place-of-400",
        "A request that breaks its schema is answered with 422.",
        _BAD_REQUEST,
        PHOTO,
        after(PHOTO, 400, _refusing_with(422, "unprocessable_entity")),
        posting(PHOTO, without(PHOTO, "resolution")),
    ),
    _deviant(
        "422-for-what-is-out-of-range",
        "A number out of its range is answered with 422, other faults with 400.",
        _BAD_REQUEST,
        FACE,
        after(FACE, 400, _refusing_with(422, "unprocessable_entity", of=_is_range)),
        posting(FACE, having(FACE, "style.head_yaw", 105)),
    ),
    _deviant(
        "404-in-place-of-400",
        "A request that breaks its schema is answered with 404.",
        _BAD_REQUEST,
        UPLOAD_URLS,
        after(UPLOAD_URLS, 400, lambda _: error(404, "not_found", "Not Found")),
        posting(UPLOAD_URLS, {"items": []}),
    ),
    _deviant(
        "200-with-an-error-in-it",
        "A request that breaks its schema is answered with 200 and the error's envelope.",
        _BAD_REQUEST,
        FACE,
        after(FACE, 400, lambda answered: answered.with_status(200)),
        posting(FACE, without(FACE, "assets")),
    ),
    _deviant(
        "400-names-no-field",
        "The message of a 400 does not say which field is wrong.",
        f"{_BAD_REQUEST}: the message names every fault",
        None,
        after_json(POSTS, 400, changed(message="Invalid request")),
        posting(PHOTO, without(PHOTO, "style.prompt")),
    ),
    _deviant(
        "400-names-the-first-fault-only",
        "Of several faults the message of a 400 names one.",
        f"{_BAD_REQUEST}: the message names every fault",
        None,
        after_json(POSTS, 400, changed(message=lambda data: data["message"].split("; ")[0])),
        _two_faults,
    ),
    _deviant(
        "400-names-a-field-without-its-object",
        "The message of a 400 calls style.steps steps, which is another field.",
        f"{_BAD_REQUEST}: the message names every fault",
        PHOTO,
        after_json(PHOTO, 400, changed(message=lambda data: data["message"].replace("style.", ""))),
        posting(PHOTO, having(PHOTO, "style.steps", 7)),
    ),
)


def _is_broken(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return True
    return False


DEVIANTS: tuple[Deviant, ...] = (
    *(_missing(*row) for row in _MISSING),
    *(_null(*row) for row in _NULLS),
    *(_mistyped(*row) for row in _MISTYPED),
    *_BOUNDS,
    *_CLAMPING,
    *_TEXTS,
    *_BODIES,
    *_REFUSALS,
)
