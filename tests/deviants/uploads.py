"""Deviants whose upload links are mixed up, or that lose or spoil what was uploaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from bluehour.mock_server.core.assets.links import upload_path
from bluehour.mock_server.core.clock import isoformat
from bluehour.mock_server.mock import Mock
from bluehour.openapi.document import Document

from .altering import (
    Answered,
    Asked,
    Forward,
    Handler,
    after,
    after_json,
    around,
    before,
    error,
    handling,
    only,
)
from .client import Client
from .deviant import Deviant, Witness, Wrap
from .editing import keeping
from .fields import EXAMPLE_ASSET, legal
from .mending import replacing
from .names import CREATES, FACE, UPLOAD, UPLOAD_URLS
from .witnesses import noise, png, posting, seen

_deviant = partial(Deviant, group="uploads")

_ITEMS = "UploadUrlsResponse items: one for each of the request's, in its order"
_OWN = "file_path: each names one file"
_FIT = "x-asset-extensions: 422 where the extension does not fit the type (FACTS 14)"
_PUT = "PUT upload: any or no Content-Type, 200 with empty body, a second replaces (FACTS 14)"
_SIGNED = "upload links are signed: a changed one is 403"
_LASTS = "x-lifetimes: an upload link is good for an hour"
_ISSUED = "422 for an asset path that was never issued (FACTS 14)"

_THREE = {
    "items": [
        {"type": "video", "extension": "mp4"},
        {"type": "audio", "extension": "mp3"},
        {"type": "image", "extension": "png"},
    ]
}
_TWINS = {"items": [{"type": "image", "extension": "png"}] * 2}

Items = list[dict[str, str]]


def _items(name: str, breaks: str, rule: str, change: Callable[[Items], Items], witness: Witness) -> Deviant:
    """Change the list that upload-urls answers."""
    wrap = after_json(UPLOAD_URLS, 200, lambda data: {"items": change(data["items"])})
    return _deviant(name, breaks, rule, UPLOAD_URLS, wrap, witness)


def _put(name: str, breaks: str, rule: str, wrap: Wrap, witness: Witness) -> Deviant:
    """Take a PUT otherwise."""
    return _deviant(name, breaks, rule, None, wrap, witness)


def _refusing_put(when: Callable[[Asked], bool], answer: Answered) -> Wrap:
    return handling(UPLOAD, lambda asked, forward: answer if when(asked) else forward(asked))


def _same_path(items: Items) -> Items:
    """Give the second of two equal files the path of the first."""
    first: dict[str, dict[str, str]] = {}
    return [first.setdefault(item["file_path"].rpartition("/")[2], item) for item in items]


def _swapped_urls(items: Items) -> Items:
    if len(items) < 2:
        return items
    first, second, *others = items
    return [
        {**first, "upload_url": second["upload_url"]},
        {**second, "upload_url": first["upload_url"]},
        *others,
    ]


def _same_paths_each_time(mock: Mock) -> Handler:
    """Issue the same path to an account for the same kind of file at the same place of the list."""
    issued: dict[tuple[str, int, str], dict[str, str]] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200:
            return answered
        keys = [
            (asked.authorization, index, item["file_path"].rpartition("/")[2])
            for index, item in enumerate(answered.json["items"])
        ]
        pairs = zip(keys, answered.json["items"], strict=True)
        return answered.with_json({"items": [issued.setdefault(key, item) for key, item in pairs]})

    return only(UPLOAD_URLS, handler)


def _renaming(shown: Callable[[str], str]) -> Callable[[Mock], Handler]:
    """Show other file paths than are kept, and know them when they come back."""

    def make(mock: Mock) -> Handler:
        kept: dict[str, str] = {}

        def show(item: dict[str, str]) -> dict[str, str]:
            path = shown(item["file_path"])
            kept[path] = item["file_path"]
            return {**item, "file_path": path}

        def handler(asked: Asked, forward: Forward) -> Answered:
            if asked.of in CREATES:
                for path in kept.keys() & {_path_in(asked)}:
                    asked = asked.with_body(asked.body.replace(path.encode(), kept[path].encode()))
                return forward(asked)
            answered = forward(asked)
            if answered.status != 200:
                return answered
            return answered.with_json({"items": [show(item) for item in answered.json["items"]]})

        return only((*CREATES, UPLOAD_URLS), handler)

    return make


def _path_in(asked: Asked) -> str:
    """The picture that a create names; nothing where it names none."""
    body = asked.json
    assets = body.get("assets") if isinstance(body, dict) else None
    path = assets.get("image_file_path") if isinstance(assets, dict) else None
    return path if isinstance(path, str) else ""


def _accepting_unissued(mock: Mock) -> Handler:
    """Take any path of the right form for an upload."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        path = _path_in(asked)
        if not re.fullmatch(r"api-assets/[^/]+/image\.png", path) or mock.world.store.upload(path):
            return forward(asked)
        return forward(asked.with_json(_with_path(asked.json, EXAMPLE_ASSET)))

    return only(CREATES, handler)


def _ignoring_uploads(mock: Mock) -> Handler:
    """Edit some picture in place of the one that was uploaded."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        upload = mock.world.store.upload(_path_in(asked))
        caller = mock.world.account_id_of(asked.authorization.partition(" ")[2])
        if upload is None or upload.uploaded_at is None or upload.account_id != caller or upload.error:
            return forward(asked)
        return forward(asked.with_json(_with_path(asked.json, EXAMPLE_ASSET)))

    return only(CREATES, handler)


def _with_path(body: Any, path: str) -> Any:
    return {**body, "assets": {**body["assets"], "image_file_path": path}}


def _used_up(mock: Mock) -> Handler:
    """Let an upload be edited once."""
    used: set[str] = set()

    def handler(asked: Asked, forward: Forward) -> Answered:
        path = _path_in(asked)
        if path in used:  # a path that nobody has is refused as any other, the caller's token included
            return forward(asked.with_json(_with_path(asked.json, "api-assets/used/image.png")))
        answered = forward(asked)
        if answered.status == 200 and mock.world.store.upload(path):
            used.add(path)
        return answered

    return only(CREATES, handler)


def _first_stays(mock: Mock) -> Handler:
    """Take a second PUT, and keep the first."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        upload = mock.world.store.upload(asked.path.removeprefix("/"))
        return _TAKEN if upload is not None and upload.uploaded_at is not None else forward(asked)

    return only(UPLOAD, handler)


def _once_only(mock: Mock) -> Handler:
    def handler(asked: Asked, forward: Forward) -> Answered:
        upload = mock.world.store.upload(asked.path.removeprefix("/"))
        return _FORBIDDEN if upload is not None and upload.uploaded_at is not None else forward(asked)

    return only(UPLOAD, handler)


def _signing(when: Callable[[Asked], bool]) -> Callable[[Mock], Handler]:
    """Put the right signature to some links that are followed."""

    def make(mock: Mock) -> Handler:
        limit = mock.world.plans["creator"]["upload-bytes"]

        def handler(asked: Asked, forward: Forward) -> Answered:
            if not when(asked):
                return forward(asked)
            signed = mock.world.links.sign(asked.path, mock.world.clock.now() + 3600, limit=limit)
            return forward(asked.to("PUT", signed))

        return only(UPLOAD, handler)

    return make


def _expiring(seconds: float) -> Callable[[Mock], Handler]:
    def make(mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            if answered.status != 200:
                return answered
            at = isoformat(int(mock.world.clock.now() + seconds))
            return answered.with_json(
                {"items": [{**item, "expires_at": at} for item in answered.json["items"]]}
            )

        return only(UPLOAD_URLS, handler)

    return make


def _fitting(kind: str, extension: str) -> Callable[[Document], object]:
    return lambda document: document["x-asset-extensions"][kind].append(extension)


def _is_signed(asked: Asked) -> bool:
    return "signature=" in asked.environ["QUERY_STRING"]


def _order(client: Client) -> object:
    return seen(client.call(UPLOAD_URLS, _THREE))


def _paths(client: Client) -> object:
    """How many different paths come in two calls?"""
    items = [item for _ in range(2) for item in client.call(UPLOAD_URLS, _TWINS).json["items"]]
    return len(items), len({item["file_path"] for item in items})


def _sizes(client: Client) -> object:
    """Upload two pictures, and see the size of what is made of each."""
    items = client.call(UPLOAD_URLS, _TWINS).json["items"]
    for item, size in zip(items, ((64, 48), (40, 80)), strict=True):
        client.put(item["upload_url"], png(*size))
    projects = [client.finished(FACE, legal(FACE, item["file_path"])) for item in items]
    return [seen(client.fetch(project["downloads"][0]["url"])) for project in projects]


def _lasting(client: Client) -> object:
    """How many minutes a link says that it is good for."""
    expires_at = client.issue()["expires_at"]
    now = client.send("GET", "/_mock/clock").json["now"]
    left = datetime.fromisoformat(expires_at) - datetime.fromisoformat(now)
    return round(left.total_seconds() / 60)


def _unfit(kind: str, extension: str) -> Witness:
    return posting(UPLOAD_URLS, {"items": [{"type": kind, "extension": extension}]})


def _putting(**headers: str) -> Witness:
    """PUT a picture with some headers, and create from it."""
    chosen = {name.replace("_", "-"): value for name, value in headers.items()}

    def witness(client: Client) -> object:
        item = client.issue()
        put = client.put(item["upload_url"], png(), chosen)
        return seen(put), seen(client.call(FACE, legal(FACE, item["file_path"])))

    return witness


def _ending(*contents: bytes) -> Witness:
    """PUT several contents one after the other, and see how a face of the last ends."""

    def witness(client: Client) -> object:
        item = client.issue()
        puts = [seen(client.put(item["upload_url"], content)) for content in contents]
        project = client.finished(FACE, legal(FACE, item["file_path"]))
        return puts, project["status"], project["error"]

    return witness


def _changed_link(change: Callable[[str], str]) -> Witness:
    def witness(client: Client) -> object:
        item = client.issue()
        put = client.put(change(item["upload_url"]), png())
        return seen(put), seen(client.call(FACE, legal(FACE, item["file_path"])))

    return witness


def _other_signature(url: str) -> str:
    return url[:-1] + ("0" if url[-1] != "0" else "1")


def _used_twice(client: Client) -> object:
    path = client.upload(png())
    return [seen(client.call(FACE, legal(FACE, path))) for _ in range(2)]


_TAKEN = Answered(200, (("Content-Length", "0"),), b"")
_FORBIDDEN = error(403, "forbidden", "Forbidden")
_UNTYPED = error(400, "invalid_request", "Missing Content-Type")
_UNAUTHORIZED = error(401, "unauthorized", "Unauthorized")
_NOISE = noise()

_LISTS = (
    _items(
        "upload-order-reversed",
        "The links come in the opposite order.",
        _ITEMS,
        lambda items: items[::-1],
        _order,
    ),
    _items(
        "upload-order-by-type",
        "The links are sorted by the type of the asset.",
        _ITEMS,
        lambda items: sorted(items, key=lambda item: item["file_path"].rpartition("/")[2]),
        _order,
    ),
    _items(
        "one-upload-too-few",
        "Of several links the last is missing.",
        _ITEMS,
        lambda items: items[:-1] if len(items) > 1 else items,
        _order,
    ),
    _items(
        "one-upload-too-many",
        "There is one link more than was asked for.",
        _ITEMS,
        lambda items: [*items, items[-1]],
        _order,
    ),
    _items(
        "only-ten-uploads",
        "However many links are asked for, ten come at most.",
        _ITEMS,
        lambda items: items[:10],
        posting(UPLOAD_URLS, {"items": _TWINS["items"] * 6}),
    ),
    _items(
        "two-uploads-share-a-path", "Two equal files of one call get the same path.", _OWN, _same_path, _paths
    ),
    _items(
        "upload-urls-swapped",
        "The first two links of a call lead to each other's path.",
        _OWN,
        _swapped_urls,
        _sizes,
    ),
    _deviant(
        "same-paths-each-time",
        "Every call of an account gets the paths of its first.",
        _OWN,
        UPLOAD_URLS,
        around(_same_paths_each_time),
        _paths,
    ),
    _deviant(
        "file-path-lacks-its-extension",
        "A file path has no extension.",
        "file_path: ends in the extension that was asked for",
        None,
        around(_renaming(lambda path: path.rpartition(".")[0])),
        _order,
    ),
    _deviant(
        "file-path-is-always-png",
        "Whatever its extension, a file path ends in .png.",
        "file_path: ends in the extension that was asked for",
        None,
        around(_renaming(lambda path: f"{path.rpartition('.')[0]}.png")),
        _order,
    ),
    _deviant(
        "upload-has-expired",
        "A link is said to have expired an hour ago.",
        _LASTS,
        UPLOAD_URLS,
        around(_expiring(-3600)),
        _lasting,
    ),
    _deviant(
        "upload-expires-in-a-week",
        "A link is said to be good for a week.",
        _LASTS,
        UPLOAD_URLS,
        around(_expiring(7 * 86400)),
        _lasting,
    ),
    _deviant(
        "upload-expires-in-a-minute",
        "A link is good for a minute, and says so.",
        _LASTS,
        UPLOAD_URLS,
        keeping(lambda document: document["x-lifetimes"].update({"upload-link": 60})),
        _lasting,
    ),
)

_EXTENSIONS = (
    _deviant(
        "audio-extension-fits-an-image",
        "mp3 is an image extension.",
        _FIT,
        UPLOAD_URLS,
        keeping(_fitting("image", "mp3")),
        _unfit("image", "mp3"),
    ),
    _deviant(
        "image-extension-fits-a-video",
        "png is a video extension.",
        _FIT,
        UPLOAD_URLS,
        keeping(_fitting("video", "png")),
        _unfit("video", "png"),
    ),
    _deviant(
        "gif-is-an-image",
        "gif is an image extension.",
        _FIT,
        UPLOAD_URLS,
        keeping(_fitting("image", "gif")),
        _unfit("image", "gif"),
    ),
    _deviant(
        "unfit-extension-is-400",
        "An extension that does not fit its type is answered with 400.",
        _FIT,
        UPLOAD_URLS,
        after(UPLOAD_URLS, 422, lambda answered: error(400, "invalid_request", answered.json["message"])),
        _unfit("audio", "mp4"),
    ),
    _deviant(
        "exe-is-an-image",
        "exe is taken for png.",
        _FIT,
        UPLOAD_URLS,
        replacing(UPLOAD_URLS, "items[].extension", lambda held: held == "exe", lambda _: "png"),
        _unfit("image", "exe"),
    ),
)

_PUTS = (
    _put(
        "put-wants-a-content-type",
        "A PUT without a Content-Type is refused.",
        _PUT,
        _refusing_put(lambda asked: not asked.header("Content-Type"), _UNTYPED),
        _putting(),
    ),
    _put(
        "put-refuses-a-content-type",
        "A PUT with the picture's own Content-Type is refused, as it is not signed.",
        _PUT,
        _refusing_put(lambda asked: asked.header("Content-Type").startswith("image/"), _FORBIDDEN),
        _putting(Content_Type="image/png"),
    ),
    _put(
        "put-refuses-octet-streams",
        "A PUT with application/octet-stream is refused.",
        _PUT,
        _refusing_put(lambda asked: asked.header("Content-Type") == "application/octet-stream", _UNTYPED),
        _putting(Content_Type="application/octet-stream"),
    ),
    _put(
        "put-wants-the-token",
        "A PUT without a token is refused.",
        _PUT,
        _refusing_put(lambda asked: not asked.authorization, _UNAUTHORIZED),
        _putting(),
    ),
    _put(
        "put-is-forbidden",
        "Every PUT is refused.",
        _PUT,
        _refusing_put(lambda _: True, _FORBIDDEN),
        _putting(),
    ),
    _put(
        "put-is-201",
        "A PUT is answered with 201.",
        _PUT,
        after(UPLOAD, 200, lambda answered: answered.with_status(201)),
        _putting(),
    ),
    _put(
        "put-answers-with-a-body",
        "A PUT is answered with words.",
        _PUT,
        after(
            UPLOAD, 200, lambda answered: answered.with_body(b"OK").with_header("Content-Type", "text/plain")
        ),
        _putting(),
    ),
    _put(
        "put-is-lost",
        "A PUT is answered with 200, and nothing is kept.",
        _PUT,
        _refusing_put(_is_signed, _TAKEN),
        _putting(),
    ),
    _put(
        "put-loses-newlines",
        "The newlines in a file are lost.",
        _PUT,
        before(UPLOAD, lambda asked: asked.with_body(asked.body.replace(b"\n", b""))),
        _ending(_NOISE),
    ),
    _put(
        "put-is-cut-off",
        "Only the first kilobyte of a file is kept.",
        _PUT,
        before(UPLOAD, lambda asked: asked.with_body(asked.body[:1024])),
        _ending(_NOISE),
    ),
    _put(
        "second-put-is-ignored",
        "A second PUT is answered with 200, and the first is kept.",
        _PUT,
        around(_first_stays),
        _ending(b"no picture", png()),
    ),
    _put(
        "second-put-is-refused",
        "A link can be used for one PUT.",
        _PUT,
        around(_once_only),
        _ending(b"no picture", png()),
    ),
    _put(
        "put-takes-any-signature",
        "The signature of an upload link is not looked at.",
        _SIGNED,
        around(_signing(_is_signed)),
        _changed_link(_other_signature),
    ),
    _put(
        "put-needs-no-signature",
        "An upload link works without its query.",
        _SIGNED,
        around(_signing(lambda asked: not asked.environ["QUERY_STRING"])),
        _changed_link(lambda url: url.partition("?")[0]),
    ),
)

_USES = (
    _deviant(
        "unissued-path-accepted",
        "A path that was never issued is taken for an upload.",
        _ISSUED,
        None,
        around(_accepting_unissued),
        posting(FACE, legal(FACE, upload_path("nobody", "image", "png"))),
    ),
    _deviant(
        "unusable-picture-is-400",
        "A picture that can't be used is answered with 400.",
        _ISSUED,
        None,
        after(CREATES, 422, lambda answered: error(400, "invalid_request", answered.json["message"])),
        posting(FACE, legal(FACE, upload_path("nobody", "image", "png"))),
    ),
    _deviant(
        "unusable-picture-is-404",
        "A picture that can't be used is answered with 404.",
        _ISSUED,
        None,
        after(CREATES, 422, lambda _: error(404, "not_found", "Not Found")),
        posting(FACE, legal(FACE, upload_path("nobody", "image", "png"))),
    ),
    _deviant(
        "upload-is-used-up",
        "An upload can be edited once.",
        "file_path: names the file, for seven days",
        None,
        around(_used_up),
        _used_twice,
    ),
    _deviant(
        "upload-is-not-used",
        "Some picture is edited in place of the one that was uploaded.",
        "assets.image_file_path: the image to edit",
        None,
        around(_ignoring_uploads),
        _sizes,
    ),
)

DEVIANTS: tuple[Deviant, ...] = (*_LISTS, *_EXTENSIONS, *_PUTS, *_USES)
