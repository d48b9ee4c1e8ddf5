"""The two ends of a signed link: a file that is PUT, a picture that is fetched. No bearer is asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from flask import Flask, Response, request, send_file

from .answering import encoded
from .assets.files import NoRoom, TooLarge, write_whole
from .assets.links import OUTPUT_STEM, OUTPUTS, UPLOADS, LinkError, kind_of
from .exchange import Refusal
from .mock import Mock
from .projects import status_at
from .rendering.outputs import example_output, output_of
from .requests import drain
from .scenarios.step import effect_on
from .trace import trace_of


def add_routes(app: Flask, mock: Mock) -> None:
    """Serve the links that the mock's answers carry."""

    def put(_: str) -> Response:
        with mock.gate:
            return _forced_or(mock, "upload", partial(upload, mock))

    def get(project_id: str, _: str) -> Response:
        with mock.gate:
            return _forced_or(mock, "download", partial(download, mock, project_id))

    app.add_url_rule(f"/{UPLOADS}/<path:_>", "upload", put, methods=["PUT"])
    app.add_url_rule(f"/{OUTPUTS}/<project_id>/{OUTPUT_STEM}.<_>", "download", get)


def _forced_or(mock: Mock, transfer: str, transferred: Callable[[], Response]) -> Response:
    """Take a transfer on its journey, which has a step for scenarios as an operation's has."""
    trace_of(request.environ).transfer = transfer
    effect = effect_on(mock, request, transfer)
    if effect is None:
        return transferred()
    forced = effect.answer_instead(mock.contract, None)
    if forced is None:
        return effect.spoiled(transferred())
    trace = trace_of(request.environ)
    if effect.carry_out:
        with suppress(Refusal):
            transferred().close()
    drain(request)
    return effect.spoiled(encoded(replace(forced, note=trace.note), request))


def upload(mock: Mock) -> Response:
    """Take a file's raw bytes, of any or no Content-Type; a second PUT replaces the first.

    Raises:
        Refusal: 403 for a link that was changed or has expired, 413 above the plan's limit, or where there is
            no room for it.
    """
    limit = _verified(mock)["limit"]
    path = request.path.removeprefix("/")
    issued = mock.store.upload(path)
    if issued is None:
        raise Refusal("not_found")
    with mock.files.incoming(Path(path).suffix) as part:
        try:
            with mock.gate.outside():  # a reset need not wait for it
                write_whole(part, cast(BinaryIO, request.stream), limit)
                error = _fault_of(mock, part, path)
            now = mock.clock.now()
            mock.files.keep_upload(part, path, now, now - mock.lifetimes["upload"])
        except TooLarge:
            raise Refusal(
                "payload_too_large", f"The file is too large: your plan allows {_size(limit)}"
            ) from None
        except NoRoom:
            raise _no_room(mock) from None
    mock.store.put_uploads([replace(issued, uploaded_at=now, error=error)])
    trace_of(request.environ).note = {"uploaded": path}
    response = Response(status=200)
    del response.headers["Content-Type"]
    return response


def _fault_of(mock: Mock, part: Path, path: str) -> str | None:
    """Pictures are looked into as they come; other files are taken as they are."""
    return mock.fault_of(part) if kind_of(path) == "image" else None


def _no_room(mock: Mock) -> Refusal:
    space = mock.settings.upload_space
    return Refusal(
        "payload_too_large",
        f"There is no room for the file: the mock keeps uploads of {_size(space)} in all, and has room for "
        f"{_size(mock.files.room)}. Reset it (POST /_mock/reset), or start it with more --upload-space",
    )


def download(mock: Mock, project_id: str) -> Response:
    """Send a complete project's picture.

    Raises:
        Refusal: 403 for a link that was changed or has expired, 404 once the project is deleted.
    """
    _verified(mock)
    trace_of(request.environ).note = {"project": project_id}
    path = _picture(mock, project_id)
    from .rendering.encoding import media_type_of  # not before: most clients under test never download one

    try:
        name = f"{OUTPUT_STEM}{path.suffix}"
        return send_file(path, mimetype=media_type_of(path), download_name=name, conditional=False)
    except FileNotFoundError:  # deleted just now
        raise Refusal("not_found") from None


def _picture(mock: Mock, project_id: str) -> Path:
    if project_id in mock.example_projects:
        return example_output(mock, project_id)
    project = mock.store.project(project_id)
    if (
        project is None
        or project.deleted_at is not None
        or status_at(project, mock.clock.now()) != "complete"
    ):
        raise Refusal("not_found")
    return output_of(mock, project)


def _verified(mock: Mock) -> dict[str, int]:
    try:
        return mock.links.verify(request.path, request.query_string.decode("latin-1"), mock.clock.now())
    except LinkError as error:
        raise Refusal("forbidden", str(error)) from error


def _size(number: int) -> str:
    for unit, size in (("GB", 2**30), ("MB", 2**20)):
        if number >= size:
            return f"{number / size:g} {unit}"
    return f"{number} bytes"
