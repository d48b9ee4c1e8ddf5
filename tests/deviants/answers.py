"""Deviants whose answers have another form than the contract declares: fields, types, statuses, envelopes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from .altering import (
    BROKEN,
    Answered,
    Asked,
    Forward,
    Where,
    after,
    after_json,
    answering,
    changed,
    handling,
    json_answer,
    lacking,
)
from .client import Client
from .deviant import Deviant, Witness
from .fields import any_value, equal_to, having, legal, without
from .names import CREATES, DELETE_PROJECT, FACE, GET_PROJECT, PHOTO, POSTS, UPLOAD_URLS
from .witnesses import deleting, failing, living, posting, seen

_deviant = partial(Deviant, group="answers")

_CREATED = "components/schemas/CreatedImageProject"
_PROJECT = "components/schemas/ImageProject"
_UPLOADS = "components/schemas/UploadUrlsResponse"
_ERRORS = "components/responses: code and message"
_SILENT = "a message is for the caller: it tells nothing of the server's inside, and no secret"

Change = Callable[[Any], Any]


def _created(name: str, breaks: str, operation: str, change: Change) -> Deviant:
    """Change what a create answers."""
    return _deviant(
        name,
        breaks,
        _CREATED,
        operation,
        after_json(operation, 200, change),
        posting(operation, legal(operation)),
    )


def _project(name: str, breaks: str, change: Change, witness: Witness | None = None) -> Deviant:
    """Change what is shown of a project."""
    return _deviant(
        name, breaks, _PROJECT, GET_PROJECT, after_json(GET_PROJECT, 200, change), witness or living(FACE)
    )


def _uploads(name: str, breaks: str, change: Change) -> Deviant:
    """Change each item that upload-urls answers."""
    return _deviant(
        name,
        breaks,
        _UPLOADS,
        UPLOAD_URLS,
        after_json(UPLOAD_URLS, 200, lambda data: {"items": [change(item) for item in data["items"]]}),
        posting(UPLOAD_URLS, legal(UPLOAD_URLS)),
    )


def _refusal(
    name: str, breaks: str, where: Where, status: int, change: Change, witness: Witness, rule: str = _ERRORS
) -> Deviant:
    """Change the envelope of an error."""
    operation = where if isinstance(where, str) else None
    return _deviant(name, breaks, rule, operation, after_json(where, status, change), witness)


def _whole(
    name: str,
    breaks: str,
    rule: str,
    operation: str,
    status: int,
    change: Callable[[Answered], Answered],
    *,
    witness: Witness,
) -> Deviant:
    """Change an answer beside its data: its status, its headers, its bytes."""
    return _deviant(name, breaks, rule, operation, after(operation, status, change), witness)


def _when(status: str, change: Change) -> Change:
    """Change a project only in one status."""
    return lambda project: change(project) if project["status"] == status else project


def _camel(data: dict[str, Any]) -> dict[str, Any]:
    return {re.sub("_([a-z])", lambda match: match[1].upper(), key): value for key, value in data.items()}


def _with_errors(change: Change) -> Change:
    """Change the error of a project that has one."""
    return lambda project: {**project, "error": change(project["error"])} if project["error"] else project


def _with_downloads(change: Change) -> Change:
    return lambda project: {**project, "downloads": [change(each) for each in project["downloads"]]}


def _in_seconds(_: Any) -> int:
    return 1735689600


def _relative(url: str) -> str:
    return re.sub("^http://[^/]+", "", url)


def _without_zone(data: dict[str, Any]) -> str:
    return str(data["created_at"]).removesuffix("Z")


def _with_space(data: dict[str, Any]) -> str:
    return str(data["created_at"]).replace("T", " ")


def _with_trace(data: dict[str, Any]) -> str:
    return (
        f'{data["message"]}\nTraceback (most recent call last):\n  File "/srv/app/main.py", line 7, in create'
    )


def _echoing_token(asked: Asked, forward: Forward) -> Answered:
    answered = forward(asked)
    if answered.status != 402:
        return answered
    return answered.with_json({**answered.json, "message": f"Not enough credits for {asked.authorization}"})


def _pinched(where: Where, status: int, change: Callable[[bytes], bytes]) -> Any:
    return after(where, status, lambda answered: answered.with_body(change(answered.body)))


def _poor(operation: str) -> Witness:
    """Create with an account that can't pay."""
    return lambda client: seen(client.another(credits=0).call(operation, legal(operation)))


def _unknown(client: Client) -> object:
    return seen(client.project("nobody")), seen(client.delete("nobody"))


def _reading_umlauts(client: Client) -> object:
    project_id = client.create(FACE, having(FACE, "name", "Grüße"))
    return seen(client.project(project_id))


def _unfit(client: Client) -> object:
    return seen(client.call(UPLOAD_URLS, {"items": [{"type": "image", "extension": "mp3"}]}))


_HTML = b"<!DOCTYPE html><html><body><h1>404 Not Found</h1><hr>nginx</body></html>"
_NOT_FOUND_PAGE = Answered(404, (("Content-Type", "text/html"),), b"").with_body(_HTML)
_BAD = posting(PHOTO, without(PHOTO, "resolution"))

_CREATES = (
    _created(
        "create-lacks-frame-cost",
        "The create of a face answers without frame_cost.",
        FACE,
        lacking("frame_cost"),
    ),
    _created(
        "create-lacks-credits-charged",
        "The create of a photo answers without credits_charged.",
        PHOTO,
        lacking("credits_charged"),
    ),
    _created(
        "credits-charged-is-text",
        "credits_charged of a face is a text.",
        FACE,
        changed(credits_charged=lambda data: str(data["credits_charged"])),
    ),
    _created(
        "frame-cost-has-a-fraction",
        "frame_cost of a photo is no integer.",
        PHOTO,
        changed(frame_cost=lambda data: data["frame_cost"] + 0.5),
    ),
    _created("frame-cost-is-null", "frame_cost of a photo is null.", PHOTO, changed(frame_cost=None)),
    _created("create-in-camel-case", "The fields of a create are called in another style.", FACE, _camel),
    _created(
        "create-is-wrapped",
        "The answer of a create lies in a field `data`.",
        PHOTO,
        lambda data: {"data": data},
    ),
    _created(
        "create-is-a-list", "The answer of a create is a list with one object.", FACE, lambda data: [data]
    ),
    _created(
        "create-is-json-in-a-text", "The answer of a create is JSON written as a text.", FACE, json.dumps
    ),
)

_PROJECTS = (
    *(
        _project(
            f"project-lacks-{field.replace('_', '-')}",
            f"A project is shown without its {field}.",
            lacking(field),
        )
        for field in (
            "enabled",
            "total_frame_cost",
            "error",
            "image_count",
            "credits_charged",
            "created_at",
            "type",
        )
    ),
    _project(
        "running-project-lacks-downloads",
        "A project has no field downloads until it is complete.",
        _when("rendering", lacking("downloads")),
    ),
    _project(
        "image-count-is-text",
        "image_count is a text.",
        changed(image_count=lambda data: str(data["image_count"])),
    ),
    _project("image-count-has-a-fraction", "image_count is no integer.", changed(image_count=1.5)),
    _project(
        "enabled-is-text", "enabled is a text.", changed(enabled=lambda data: str(data["enabled"]).lower())
    ),
    _project("enabled-is-a-number", "enabled is 1 or 0.", changed(enabled=lambda data: int(data["enabled"]))),
    _project(
        "project-credits-are-text",
        "credits_charged of a project is a text.",
        changed(credits_charged=lambda data: str(data["credits_charged"])),
    ),
    _project(
        "no-downloads-are-null",
        "downloads is null until there are some.",
        changed(downloads=lambda data: data["downloads"] or None),
    ),
    _project(
        "single-download-is-no-list",
        "downloads is an object where there is one.",
        changed(downloads=lambda data: data["downloads"][0] if data["downloads"] else []),
    ),
    _project(
        "downloads-are-plain-links", "downloads is a list of URLs.", _with_downloads(lambda each: each["url"])
    ),
    _project(
        "download-lacks-expires-at",
        "A download does not say when it expires.",
        _with_downloads(lacking("expires_at")),
    ),
    _project(
        "download-url-is-relative",
        "A download's url is a path.",
        _with_downloads(changed(url=lambda each: _relative(each["url"]))),
    ),
    _project(
        "download-expires-in-seconds",
        "A download's expires_at is a number.",
        _with_downloads(changed(expires_at=_in_seconds)),
    ),
    _project(
        "created-at-is-a-number", "created_at is in seconds since the epoch.", changed(created_at=_in_seconds)
    ),
    _project(
        "created-at-has-no-zone", "created_at does not say in which zone.", changed(created_at=_without_zone)
    ),
    _project(
        "created-at-has-a-blank",
        "created_at is written with a blank for the T.",
        changed(created_at=_with_space),
    ),
    _project(
        "status-is-completed",
        "A project that is complete is called completed.",
        _when("complete", changed(status="completed")),
    ),
    _project(
        "status-is-processing",
        "A project that is rendering is called processing.",
        _when("rendering", changed(status="processing")),
    ),
    _project(
        "status-in-capitals",
        "The status is written in capitals.",
        changed(status=lambda data: data["status"].upper()),
    ),
    _project(
        "type-is-null", "A project's type is null until it is complete.", _when("queued", changed(type=None))
    ),
    _project(
        "error-is-text",
        "The error of a project is its code.",
        _with_errors(lambda error: error["code"]),
        failing(FACE),
    ),
    _project(
        "error-lacks-its-code",
        "The error of a project has no code.",
        _with_errors(lacking("code")),
        failing(FACE),
    ),
    _project(
        "error-lacks-its-message",
        "The error of a project has no message.",
        _with_errors(lacking("message")),
        failing(FACE),
    ),
    _project(
        "error-message-is-null",
        "The message in a project's error is null.",
        _with_errors(changed(message=None)),
        failing(FACE),
    ),
    _project(
        "no-error-is-an-empty-list",
        "error is an empty list where there is none.",
        changed(error=lambda data: data["error"] or []),
    ),
    _project(
        "no-error-is-an-empty-object",
        "error is an empty object where there is none.",
        changed(error=lambda data: data["error"] or {}),
    ),
)

_UPLOAD_ITEMS = (
    _uploads(
        "upload-lacks-expires-at", "An upload link does not say when it expires.", lacking("expires_at")
    ),
    _uploads(
        "upload-lacks-file-path", "An upload link comes without the path to name it by.", lacking("file_path")
    ),
    _uploads(
        "upload-url-is-relative",
        "An upload_url is a path.",
        changed(upload_url=lambda item: _relative(item["upload_url"])),
    ),
    _uploads(
        "upload-expires-in-seconds", "An upload's expires_at is a number.", changed(expires_at=_in_seconds)
    ),
    _deviant(
        "upload-items-are-the-body",
        "The answer of upload-urls is the list itself.",
        _UPLOADS,
        UPLOAD_URLS,
        after_json(UPLOAD_URLS, 200, lambda data: data["items"]),
        posting(UPLOAD_URLS, legal(UPLOAD_URLS)),
    ),
)

_WHOLES = (
    _whole(
        "create-is-201",
        "The create of a face answers 201.",
        "responses: 200",
        FACE,
        200,
        lambda answered: answered.with_status(201),
        witness=posting(FACE, legal(FACE)),
    ),
    _whole(
        "create-is-202",
        "The create of a photo answers 202.",
        "responses: 200",
        PHOTO,
        200,
        lambda answered: answered.with_status(202),
        witness=posting(PHOTO, legal(PHOTO)),
    ),
    _whole(
        "upload-urls-is-201",
        "upload-urls answers 201.",
        "responses: 200",
        UPLOAD_URLS,
        200,
        lambda answered: answered.with_status(201),
        witness=posting(UPLOAD_URLS, legal(UPLOAD_URLS)),
    ),
    _whole(
        "delete-is-200",
        "A deletion answers 200.",
        "responses: 204",
        DELETE_PROJECT,
        204,
        lambda _: Answered(200, (("Content-Length", "0"),), b""),
        witness=deleting,
    ),
    _whole(
        "delete-answers-with-a-body",
        "A deletion answers 200 and says that it is done.",
        "responses: 204, no body",
        DELETE_PROJECT,
        204,
        lambda _: json_answer(200, {"deleted": True}),
        witness=deleting,
    ),
    _whole(
        "create-is-called-html",
        "The create of a face calls its JSON text/html.",
        "responses: application/json",
        FACE,
        200,
        lambda answered: answered.with_header("Content-Type", "text/html"),
        witness=posting(FACE, legal(FACE)),
    ),
    _whole(
        "project-has-no-content-type",
        "A project comes without a Content-Type.",
        "responses: application/json",
        GET_PROJECT,
        200,
        lambda answered: answered.with_header("Content-Type", None),
        witness=living(FACE),
    ),
    _whole(
        "bad-request-is-called-text",
        "A 400 of a photo calls its JSON text/plain.",
        "responses: application/json",
        PHOTO,
        400,
        lambda answered: answered.with_header("Content-Type", "text/plain"),
        witness=_BAD,
    ),
    _deviant(
        "project-begins-with-a-notice",
        "A project's JSON comes after a notice of the server's.",
        _PROJECT,
        GET_PROJECT,
        _pinched(GET_PROJECT, 200, lambda body: b"Notice: undefined index\n" + body),
        living(FACE),
    ),
    _deviant(
        "project-is-cut-off",
        "A project's JSON lacks its last brace.",
        _PROJECT,
        GET_PROJECT,
        _pinched(GET_PROJECT, 200, lambda body: body[:-1]),
        living(FACE),
    ),
    _deviant(
        "project-is-in-latin-1",
        "A project's JSON is not in UTF-8.",
        _PROJECT,
        GET_PROJECT,
        _pinched(GET_PROJECT, 200, lambda body: body.decode().encode("latin-1", "replace")),
        _reading_umlauts,
    ),
    _deviant(
        "upload-urls-is-empty",
        "upload-urls answers 200 with no body.",
        _UPLOADS,
        UPLOAD_URLS,
        _pinched(UPLOAD_URLS, 200, lambda _: b""),
        posting(UPLOAD_URLS, legal(UPLOAD_URLS)),
    ),
)

_REFUSALS = (
    _refusal("400-lacks-its-code", "A 400 has a message alone.", POSTS, 400, lacking("code"), _BAD),
    _refusal("400-lacks-its-message", "A 400 has a code alone.", POSTS, 400, lacking("message"), _BAD),
    _refusal(
        "400-code-differs",
        "The code of a 400 is none that the contract has.",
        FACE,
        400,
        changed(code="validation_error"),
        posting(FACE, {}),
    ),
    _refusal(
        "400-message-is-a-list",
        "The message of a 400 is a list.",
        POSTS,
        400,
        changed(message=lambda data: data["message"].split("; ")),
        _BAD,
    ),
    _refusal(
        "400-is-a-detail",
        "A 400 is in the envelope of another framework.",
        POSTS,
        400,
        lambda data: {"detail": [{"loc": ["body"], "msg": data["message"]}]},
        _BAD,
    ),
    _refusal(
        "404-code-differs",
        "The code of a 404 is that of a 400.",
        (GET_PROJECT, DELETE_PROJECT),
        404,
        changed(code="invalid_request"),
        _unknown,
    ),
    _refusal(
        "404-message-differs",
        "The message of a 404 is not the one that the contract has for it.",
        (GET_PROJECT, DELETE_PROJECT),
        404,
        changed(message="Project not found"),
        _unknown,
    ),
    _refusal(
        "404-lacks-its-code",
        "The 404 of a deletion has a message alone.",
        DELETE_PROJECT,
        404,
        lacking("code"),
        _unknown,
    ),
    _refusal(
        "402-is-wrapped",
        "A 402 lies in a field `error`.",
        CREATES,
        402,
        lambda data: {"error": data},
        _poor(FACE),
    ),
    _refusal(
        "402-lacks-its-message", "A 402 has a code alone.", CREATES, 402, lacking("message"), _poor(PHOTO)
    ),
    _refusal(
        "422-is-wrapped",
        "A 422 lies in a field `error`.",
        UPLOAD_URLS,
        422,
        lambda data: {"error": data},
        _unfit,
    ),
    _refusal(
        "422-code-differs",
        "The code of a 422 is that of a 400.",
        UPLOAD_URLS,
        422,
        changed(code="invalid_request"),
        _unfit,
    ),
    _refusal(
        "400-shows-a-trace",
        "The message of a 400 goes on with where in the server it was raised.",
        FACE,
        400,
        changed(message=_with_trace),
        posting(FACE, {}),
        rule=_SILENT,
    ),
    _refusal(
        "422-shows-a-path",
        "The message of a 422 names a folder of the server.",
        UPLOAD_URLS,
        422,
        changed(message="/var/lib/app/uploads/image.mp3: unsupported extension"),
        _unfit,
        rule=_SILENT,
    ),
    _deviant(
        "402-shows-the-token",
        "The message of a 402 repeats the caller's token.",
        _SILENT,
        None,
        handling(CREATES, _echoing_token),
        _poor(FACE),
    ),
    _deviant(
        "404-is-a-page",
        "An unknown project is answered with a page of HTML.",
        _ERRORS,
        GET_PROJECT,
        after(GET_PROJECT, 404, lambda _: _NOT_FOUND_PAGE),
        _unknown,
    ),
    _deviant(
        "404-is-empty",
        "An unknown project that is to be deleted is answered with no body.",
        _ERRORS,
        DELETE_PROJECT,
        _pinched(DELETE_PROJECT, 404, lambda _: b""),
        _unknown,
    ),
    _deviant(
        "422-is-a-page",
        "A 422 is a text.",
        _ERRORS,
        UPLOAD_URLS,
        after(
            UPLOAD_URLS,
            422,
            lambda answered: answered.with_body(b"Unprocessable").with_header("Content-Type", "text/plain"),
        ),
        _unfit,
    ),
)

_BROKEN = (
    _deviant(
        "upscale-by-three-is-500",
        "The server fails for an upscale_factor of 3.",
        "responses: 200 for a legal request",
        PHOTO,
        answering(PHOTO, lambda asked: any_value("style.upscale_factor", equal_to(3))(asked.json), BROKEN),
        posting(PHOTO, having(PHOTO, "style.upscale_factor", 3)),
    ),
    _deviant(
        "enhanced-face-is-500",
        "The server fails where a face is to be enhanced.",
        "responses: 200 for a legal request",
        FACE,
        answering(
            FACE, lambda asked: any_value("style.enhance_face", lambda held: held is True)(asked.json), BROKEN
        ),
        posting(FACE, having(FACE, "style.enhance_face", True)),
    ),
    _deviant(
        "failed-project-is-500",
        "The server fails to show a project that ended in an error.",
        "responses: 200",
        GET_PROJECT,
        after(GET_PROJECT, 200, lambda answered: BROKEN if answered.json["status"] == "error" else answered),
        failing(PHOTO),
    ),
)

DEVIANTS: tuple[Deviant, ...] = (
    *_CREATES,
    *_PROJECTS,
    *_UPLOAD_ITEMS,
    *_WHOLES,
    *_REFUSALS,
    *_BROKEN,
)
