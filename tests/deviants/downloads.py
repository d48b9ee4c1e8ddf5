"""Deviants whose pictures are not there, not theirs, or not what was asked for."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from bluehour.mock_server.api.representation import signed_link
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.assets.links import output_path
from bluehour.mock_server.core.clock import isoformat
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.rendering import Job
from bluehour.mock_server.rendering.simulated import SimulatedRenderer
from bluehour.openapi.contract import load

from .altering import (
    Answered,
    Asked,
    Forward,
    Handler,
    after,
    answering,
    around,
    error,
    handling,
    only,
)
from .client import Client
from .deviant import Deviant, Witness, Wrap
from .editing import edited
from .fields import having, legal
from .names import DELETE_PROJECT, DOWNLOAD, FACE, GET_PROJECT, PHOTO
from .serving import TIME_SCALE
from .witnesses import living, png, seen, size_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_deviant = partial(Deviant, group="downloads")

_SHOWN = "downloads: empty until the project is complete, then with its picture"
_LINK = "a download link leads to the picture, for whoever has it (FACTS 14)"
_SIGNED = "download links are signed: a changed one is 403"
_LASTS = "download links are good for 24 h, each read signs fresh ones (FACTS 14)"
_GONE = "a deleted project has no picture any more"
_SIZE = "resolution: the longer side, before upscale_factor, which multiplies it"
_CAP = "x-plans: longest-edge"

_DAY = 86400


def _shown(
    name: str, breaks: str, rule: str, change: Callable[[Mock, dict[str, Any]], list[Any]], witness: Witness
) -> Deviant:
    """Show other downloads of projects."""

    def make(mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            if answered.status != 200:
                return answered
            return answered.with_json({**answered.json, "downloads": change(mock, answered.json)})

        return only(GET_PROJECT, handler)

    return _deviant(name, breaks, rule, GET_PROJECT, around(make), witness)


def _followed(name: str, breaks: str, rule: str, wrap: Wrap, witness: Witness | None = None) -> Deviant:
    """Answer otherwise where a link is followed."""
    return _deviant(name, breaks, rule, None, wrap, witness or _fetched)


def _rendered(
    name: str, breaks: str, rule: str, operation: str, renderer: _Renderer, witness: Witness
) -> Deviant:
    """Make other pictures."""

    def wrap(mock: Mock) -> WSGIApplication:
        mock.rendering.outputs.simulated = renderer
        return create_app(mock)

    return _deviant(name, breaks, rule, operation, wrap, witness)


class _Renderer:
    """Makes a picture for another job, or another picture of it."""

    def __init__(
        self,
        *,
        job: Callable[[Job], Job] = lambda job: job,
        picture: Callable[[Image.Image], Image.Image] = lambda picture: picture,
    ) -> None:
        self._job = job
        self._picture = picture

    def render(self, job: Job, target: Path) -> None:
        made = SimulatedRenderer().render(self._job(job))
        with Image.open(io.BytesIO(made)) as picture:
            self._picture(picture).save(target, "PNG")


def _without(field: str) -> Callable[[Job], Job]:
    """Forget one field of a photo's request: of the style, or the resolution."""

    def forget(job: Job) -> Job:
        request = {key: value for key, value in job.request.items() if key != field}
        style = {key: value for key, value in job.request.get("style", {}).items() if key != field}
        return replace(job, request={**request, "style": style})

    return forget


def _squared(picture: Image.Image) -> Image.Image:
    edge = max(picture.size)
    return picture.resize((edge, edge))


def _squared_if_wide(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.height, picture.height)) if picture.width > picture.height else picture


def _with_shorter_side(picture: Image.Image) -> Image.Image:
    """Make the shorter side as long as the longer one should be."""
    scale = max(picture.size) / min(picture.size)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)))


def _expiring(seconds: float) -> Callable[[Mock, dict[str, Any]], list[Any]]:
    def change(mock: Mock, data: dict[str, Any]) -> list[Any]:
        at = isoformat(int(mock.world.clock.now() + seconds))
        return [{**each, "expires_at": at} for each in data["downloads"]]

    return change


def _early(mock: Mock, data: dict[str, Any]) -> list[Any]:
    if data["status"] != "rendering":
        downloads: list[Any] = data["downloads"]
        return downloads
    return [signed_link(mock.world, data["id"], "output.png", mock.world.clock.now(), mock.world.base_url)]


def _a_look_later(mock: Mock) -> Handler:
    looked: set[str] = set()

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200 or not answered.json["downloads"] or asked.project_id in looked:
            return answered
        looked.add(asked.project_id)
        return answered.with_json({**answered.json, "downloads": []})

    return only(GET_PROJECT, handler)


def _signed_once(mock: Mock) -> Handler:
    """Show the links of the first look for ever."""
    links: dict[str, Any] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200 or not answered.json["downloads"]:
            return answered
        first = links.setdefault(asked.authorization + asked.project_id, answered.json["downloads"])
        return answered.with_json({**answered.json, "downloads": first})

    return only(GET_PROJECT, handler)


def _nameless(mock: Mock) -> Handler:
    """Have links end in a word that is no file's name."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        if asked.of == DOWNLOAD:
            query = asked.environ["QUERY_STRING"]
            return forward(asked.to("GET", f"{asked.path.replace('/download', '/output.png')}?{query}"))
        answered = forward(asked)
        return answered.with_body(answered.body.replace(b"/output.png?", b"/download?"))

    return only((GET_PROJECT, DOWNLOAD), handler)


def _signing(mock: Mock, asked: Asked) -> Asked:
    """Ask for a project's picture by the right link."""
    return asked.to(
        "GET",
        mock.world.links.sign(output_path(asked.project_id, "output.png"), mock.world.clock.now() + _DAY),
    )


def _unsigned_too(mock: Mock) -> Handler:
    return only(
        DOWNLOAD,
        lambda asked, forward: forward(asked if asked.environ["QUERY_STRING"] else _signing(mock, asked)),
    )


def _any_signature(mock: Mock) -> Handler:
    return only(
        DOWNLOAD,
        lambda asked, forward: forward(
            _signing(mock, asked) if "signature" in asked.environ["QUERY_STRING"] else asked
        ),
    )


def _outliving(mock: Mock) -> Handler:
    """Go on to serve the pictures of projects that are deleted."""
    kept: dict[str, Answered] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        if asked.of == DELETE_PROJECT:
            picture = forward(_signing(mock, asked))
            if picture.status == 200:
                kept[asked.project_id] = picture
            return forward(asked)
        answered = forward(asked)
        return kept.get(asked.project_id, answered) if answered.status == 404 else answered

    return only((DELETE_PROJECT, DOWNLOAD), handler)


def _good_for_once(mock: Mock) -> Handler:
    used: set[str] = set()

    def handler(asked: Asked, forward: Forward) -> Answered:
        link = f"{asked.path}?{asked.environ['QUERY_STRING']}"
        answered = _EXPIRED if link in used else forward(asked)
        if answered.status == 200:
            used.add(link)
        return answered

    return only(DOWNLOAD, handler)


def _first_for_all(mock: Mock) -> Handler:
    """Send whoever asks the first picture that anybody of that account's fetched."""
    first: dict[str, Answered] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        project = mock.world.store.project(asked.project_id)
        if answered.status != 200 or project is None:
            return answered
        return first.setdefault(project.account_id, answered)

    return only(DOWNLOAD, handler)


def _half(answered: Answered) -> Answered:
    return answered.with_body(answered.body[: len(answered.body) // 2])


def _page(answered: Answered) -> Answered:
    return answered.with_body(b"<!DOCTYPE html><html><body>Your image is ready!</body></html>")


def _moved(asked: Asked, forward: Forward) -> Answered:
    """Send whoever follows a link on to another: SDKs follow none."""
    query = asked.environ["QUERY_STRING"]
    answered = forward(asked)
    if answered.status != 200:
        return answered
    return Answered(302, (("Location", f"{asked.path}?{query}"), ("Content-Length", "0")), b"")


def _complete(client: Client, operation: str = FACE) -> str:
    """Have a project done, and return its link."""
    url: str = client.finished(operation, legal(operation))["downloads"][0]["url"]
    return url


def _fetched(client: Client) -> object:
    return seen(client.fetch(_complete(client)))


def _fetched_twice(client: Client) -> object:
    url = _complete(client)
    return [seen(client.fetch(url)) for _ in range(2)]


def _of_two(client: Client) -> object:
    """The sizes of two pictures."""
    paths = [client.upload(png(64, 48)), client.upload(png(40, 80))]
    urls = [client.finished(FACE, legal(FACE, path))["downloads"][0]["url"] for path in paths]
    return [seen(client.fetch(url)) for url in urls]


def _first_look(client: Client) -> object:
    """Look once, at the end."""
    project_id = client.create(FACE, legal(FACE))
    client.wait(load().operation(FACE).render_seconds * TIME_SCALE)
    return [len(client.project(project_id).json["downloads"]) for _ in range(2)]


def _renewed(client: Client) -> object:
    """Look at two times: are there new links?"""
    project_id = client.finished(FACE, legal(FACE))["id"]
    before = client.project(project_id).json["downloads"]
    client.wait(10)
    return client.project(project_id).json["downloads"] == before


def _lasting(client: Client) -> object:
    """How many seconds a link says that it is good for."""
    project = client.finished(FACE, legal(FACE))
    now = client.send("GET", "/_mock/clock").json["now"]
    return _seconds_between(now, project["downloads"][0]["expires_at"])


def _seconds_between(earlier: str, later: str) -> int:
    return round((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds() / 60) * 60


def _changed_signature(client: Client) -> object:
    url = _complete(client)
    return seen(client.fetch(url[:-1] + ("0" if url[-1] != "0" else "1")))


def _without_signature(client: Client) -> object:
    return seen(client.fetch(_complete(client).partition("?")[0]))


def _after_deletion(client: Client) -> object:
    project = client.finished(FACE, legal(FACE))
    client.delete(project["id"])
    return seen(client.fetch(project["downloads"][0]["url"]))


def _file_name(client: Client) -> object:
    url = _complete(client)
    return url.partition("?")[0].rpartition("/")[2], seen(client.fetch(url))


def _size(operation: str, width: int, height: int, plan: str = "creator", **fields: Any) -> Witness:
    """The size of the picture that is made of an upload; fields of the style are given by their name."""

    def witness(client: Client) -> object:
        owner = client.another(plan=plan)
        body = legal(operation, owner.upload(png(width, height)))
        for name, value in fields.items():
            (body if name == "resolution" else body["style"])[name] = value
        project = owner.finished(operation, body)
        return size_of(owner.fetch(project["downloads"][0]["url"]).body)

    return witness


def _default_size(client: Client) -> object:
    """The size of a photo whose request names no factor."""
    body = having(PHOTO, "resolution", 512)
    del body["style"]["upscale_factor"]
    project = client.finished(PHOTO, body)
    return size_of(client.fetch(project["downloads"][0]["url"]).body)


_NOT_FOUND = error(404, "not_found", "Not Found")
_EXPIRED = error(403, "forbidden", "URL expired")
_UNAUTHORIZED = error(401, "unauthorized", "Unauthorized")

_SHOWN_ONES = (
    _shown(
        "downloads-come-early",
        "A rendering project shows a link that leads nowhere.",
        _SHOWN,
        _early,
        living(PHOTO),
    ),
    _shown(
        "downloads-never-come",
        "A complete project shows no download.",
        _SHOWN,
        lambda _mock, _data: [],
        living(FACE),
    ),
    _shown(
        "download-has-expired",
        "A link is said to have expired an hour ago.",
        _LASTS,
        _expiring(-3600),
        _lasting,
    ),
    _shown(
        "download-expires-in-an-hour",
        "A link is said to expire in an hour.",
        _LASTS,
        _expiring(3600),
        _lasting,
    ),
    _shown(
        "download-expires-in-a-week",
        "A link is said to expire in a week.",
        _LASTS,
        _expiring(7 * _DAY),
        _lasting,
    ),
    _deviant(
        "downloads-come-a-look-later",
        "The first look at a complete project shows no download.",
        _SHOWN,
        GET_PROJECT,
        around(_a_look_later),
        _first_look,
    ),
    _deviant(
        "download-is-signed-once",
        "Every look shows the links of the first.",
        _LASTS,
        GET_PROJECT,
        around(_signed_once),
        _renewed,
    ),
    _deviant(
        "download-has-no-file-name",
        "A link does not end in a file's name.",
        "the last segment of a link is a file name (FACTS 14)",
        None,
        around(_nameless),
        _file_name,
    ),
)

_FOLLOWED = (
    _followed(
        "download-is-404",
        "The link of a complete project leads nowhere.",
        _LINK,
        answering(DOWNLOAD, lambda _: True, _NOT_FOUND),
    ),
    _followed(
        "download-has-expired-at-once",
        "The link of a complete project is refused as expired.",
        _LINK,
        after(DOWNLOAD, 200, lambda _: _EXPIRED),
    ),
    _followed(
        "download-needs-the-token",
        "A link is only good for whoever sends a token.",
        _LINK,
        handling(DOWNLOAD, lambda asked, forward: forward(asked) if asked.authorization else _UNAUTHORIZED),
    ),
    _followed(
        "download-is-a-page",
        "A link leads to HTML that calls itself a picture.",
        _LINK,
        after(DOWNLOAD, 200, _page),
    ),
    _followed("download-is-cut-off", "Half of the picture is sent.", _LINK, after(DOWNLOAD, 200, _half)),
    _followed(
        "download-is-empty",
        "Nothing is sent.",
        _LINK,
        after(DOWNLOAD, 200, lambda answered: answered.with_body(b"")),
    ),
    _followed(
        "download-redirects",
        "A link leads on to another, which SDKs do not follow.",
        _LINK,
        handling(DOWNLOAD, _moved),
    ),
    _followed(
        "download-is-good-for-once", "A link works once.", _LINK, around(_good_for_once), _fetched_twice
    ),
    _followed(
        "first-picture-for-all",
        "All links of an account lead to the picture that was fetched first.",
        _LINK,
        around(_first_for_all),
        _of_two,
    ),
    _followed(
        "download-takes-any-signature",
        "The signature of a link is not looked at.",
        _SIGNED,
        around(_any_signature),
        _changed_signature,
    ),
    _followed(
        "download-needs-no-signature",
        "A link works without its query.",
        _SIGNED,
        around(_unsigned_too),
        _without_signature,
    ),
    _followed(
        "download-outlives-its-project",
        "The link of a deleted project still leads to its picture.",
        _GONE,
        around(_outliving),
        _after_deletion,
    ),
)

_SIZES = (
    _rendered(
        "resolution-is-ignored",
        "A photo has the size of its source, times the factor.",
        _SIZE,
        PHOTO,
        _Renderer(job=_without("resolution")),
        _size(PHOTO, 600, 400, resolution=512, upscale_factor=1),
    ),
    _rendered(
        "upscale-factor-is-ignored",
        "A photo is never enlarged.",
        _SIZE,
        PHOTO,
        _Renderer(job=_without("upscale_factor")),
        _size(PHOTO, 64, 48, resolution=512, upscale_factor=3),
    ),
    _rendered(
        "aspect-is-squashed",
        "Every picture is square.",
        "the picture keeps the aspect of its source",
        PHOTO,
        _Renderer(picture=_squared),
        _size(PHOTO, 64, 48, resolution=512, upscale_factor=1),
    ),
    _rendered(
        "resolution-is-the-shorter-side",
        "The resolution is taken for the shorter side.",
        _SIZE,
        PHOTO,
        _Renderer(picture=_with_shorter_side),
        _size(PHOTO, 64, 48, resolution=512, upscale_factor=1),
    ),
    _rendered(
        "picture-is-turned",
        "Every picture lies on its side.",
        "the picture keeps the aspect of its source",
        FACE,
        _Renderer(picture=lambda picture: picture.transpose(Image.Transpose.ROTATE_90)),
        _size(FACE, 64, 48),
    ),
    _rendered(
        "wide-pictures-are-squared",
        "A picture that is wider than high becomes a square.",
        "the picture keeps the aspect of its source",
        FACE,
        _Renderer(picture=_squared_if_wide),
        _size(FACE, 64, 48),
    ),
    _rendered(
        "cap-is-ignored",
        "A face is as large as its source on every plan.",
        _CAP,
        FACE,
        _Renderer(job=lambda job: replace(job, longest_edge=8192)),
        _size(FACE, 700, 60, plan="free"),
    ),
    _rendered(
        "every-cap-is-the-free-one",
        "A face is as large as the free plan has it on every plan.",
        _CAP,
        FACE,
        _Renderer(job=lambda job: replace(job, longest_edge=min(576, job.longest_edge))),
        _size(FACE, 700, 60),
    ),
    _deviant(
        "upscale-factor-defaults-to-one",
        "A photo whose request names no factor is not enlarged.",
        "request style.upscale_factor: default 2",
        PHOTO,
        edited(PHOTO, "style.upscale_factor", default=1),
        _default_size,
    ),
)

DEVIANTS: tuple[Deviant, ...] = (*_SHOWN_ONES, *_FOLLOWED, *_SIZES)
