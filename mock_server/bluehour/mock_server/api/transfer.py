"""The two ends of a signed link: a file that is PUT, a picture that is fetched. No bearer is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from bluehour.openapi.messages import Request, http_date

from ..core.assets.files import NoRoom, TooLarge, write_whole
from ..core.assets.links import LinkError, kind_of, output_in
from ..core.pictures import NoPicture
from ..core.projects import status_at
from ..core.world import World
from .call import Refusal
from .reply import Reply
from .trace import Trace


def upload(world: World, request: Request, body: BinaryIO, trace: Trace) -> Reply:
    """Take a file's raw bytes, of any or no Content-Type; a second PUT replaces the first.

    Raises:
        Refusal: 403 for a link that was changed or has expired, 413 above the plan's limit, or where there is
            no room for it.
    """
    limit = _verified(world, request)["limit"]
    path = request.path.removeprefix("/")
    issued = world.store.upload(path)
    if issued is None:
        raise Refusal("not_found")
    with world.files.incoming(Path(path).suffix) as part:
        try:
            with world.gate.outside():  # a reset need not wait for it
                write_whole(part, body, limit)
                error = _fault_of(world, part, path)
            now = world.clock.now()
            world.files.keep_upload(part, path, now, now - world.lifetimes["upload"])
        except TooLarge:
            raise Refusal(
                "payload_too_large", f"The file is too large: your plan allows {_size(limit)}"
            ) from None
        except NoRoom:
            raise _no_room(world) from None
    world.store.put_uploads([replace(issued, uploaded_at=now, error=error)])
    trace.note = {"uploaded": path}
    return Reply(200, [])


def _fault_of(world: World, part: Path, path: str) -> str | None:
    """Pictures are looked into as they come; other files are taken as they are."""
    return world.pictures.fault_of(part) if kind_of(path) == "image" else None


def _no_room(world: World) -> Refusal:
    space = _size(world.settings.upload_space)
    return Refusal(
        "payload_too_large",
        f"There is no room for the file: the mock keeps uploads of {space} in all, and has room for "
        f"{_size(world.files.room)}. Reset it (POST /_mock/reset), or start it with more --upload-space",
    )


def download(world: World, request: Request, trace: Trace) -> Reply:
    """Send a complete project's picture.

    Raises:
        Refusal: 403 for a link that was changed or has expired, 404 once the project is deleted.
    """
    _verified(world, request)
    project_id, name = output_in(request.path) or ("", "")
    trace.note = {"project": project_id}
    try:
        path = _picture(world, project_id, name)
        found = path.stat()
    except (NoPicture, FileNotFoundError):  # deleted just now
        raise Refusal("not_found") from None
    headers = {
        "Content-Type": world.pictures.media_type_of(path),
        "Content-Disposition": f"inline; filename={name}",
        "Cache-Control": "no-cache",
        "Last-Modified": http_date(found.st_mtime),
        "ETag": f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
    }
    return Reply(200, list(headers.items()), path)


def _picture(world: World, project_id: str, name: str) -> Path:
    """Return a file that a project made.

    Raises:
        NoPicture: there is none, or not yet.
    """
    if project_id in world.example_projects:
        return world.pictures.example_picture(project_id, name)
    project = world.store.project(project_id)
    if (
        project is None
        or project.deleted_at is not None
        or status_at(project, world.clock.now()) != "complete"
    ):
        raise NoPicture(project_id)
    return world.pictures.picture_of(project, name)


def _verified(world: World, request: Request) -> dict[str, int]:
    try:
        return world.links.verify(request.path, request.query, world.clock.now())
    except LinkError as error:
        raise Refusal("forbidden", str(error)) from error


def _size(number: int) -> str:
    for unit, size in (("GB", 2**30), ("MB", 2**20)):
        if number >= size:
            return f"{number / size:g} {unit}"
    return f"{number} bytes"
