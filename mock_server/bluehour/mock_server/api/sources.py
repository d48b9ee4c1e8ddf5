"""What a request names as its files: an upload, a URL, or one of the names that always work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bluehour.openapi.wording import cut, quoted

from ..core.assets import Upload
from ..core.assets.copies import extension_of, place_of, remove_copy
from ..core.assets.files import TooLarge
from ..core.assets.links import upload_path_of
from ..core.projects import status_at
from ..outbound.errors import OutboundError
from .call import Call, Refusal

_FETCH_SECONDS = 10.0
_LONGEST_NAME = 120
"""Characters of an asset's name that a message repeats."""

_NOT_UPLOADED = "The asset {} is not uploaded yet: PUT the file to its upload_url"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was named and may be used.

    Attributes:
        error: the job error that a project with it ends in, or None.
        name: what the request calls it.
        kind: whether it is an upload, at a URL, or neither: one of the names that always work.
    """

    name: str
    kind: Literal["upload", "url", "none"] = "none"
    error: str | None = None


def find_source(call: Call, types: str | Sequence[str], name: str) -> Source:
    """Return what an asset field names.

    Args:
        call: the request.
        types: the field's `x-asset-type`: one, or several.
        name: a `file_path`, or a URL.

    Raises:
        Refusal: 422, it names nothing that can be used; the message says what would.
    """
    kinds = (types,) if isinstance(types, str) else types
    if _is_in(call, name, "x-example-assets"):
        refuse_extension(call, extension_of(name), kinds)
        return Source(name)
    if (code := _forced_error(call, name)) is not None:
        return Source(name, error=code)
    if _is_in(call, name, "x-asset-prefixes"):
        if extension := extension_of(name):
            refuse_extension(call, extension, kinds)
        return Source(name)
    if name.lower().startswith(("https://", "http://")):
        libraries = call.world.contract.extension("x-asset-libraries", {})
        if not any(name.startswith(libraries[kind]) for kind in kinds if kind in libraries):
            refuse_extension(call, extension_of(name), kinds)
        return Source(name, "url")
    upload = call.world.store.upload(name)
    if upload is None and _is_found_face(call, name):
        refuse_extension(call, extension_of(name), kinds)
        return Source(name)
    usable = _usable(call, upload, name)
    refuse_extension(call, extension_of(name), kinds)
    return Source(name, "upload", usable.error)


def refuse_extension(call: Call, extension: str, kinds: Sequence[str]) -> None:
    """Let an extension pass that fits one of the types of asset.

    Raises:
        Refusal: 422, in the vendor's words.
    """
    known: dict[str, list[str]] = call.world.contract.extension("x-asset-extensions")
    for kind in kinds:
        if extension in known[kind]:
            return
    wanted, possible = " or ".join(kinds), ", ".join(each for kind in kinds for each in known[kind])
    raise Refusal(
        "unprocessable_entity",
        f"{quoted(extension)} is an invalid {wanted} extension. Possible extensions are '{possible}'",
    )


def keep(call: Call, sources: Sequence[Source], project_id: str, limit: int) -> list[str | None]:
    """Keep pictures for the project that is about to be made of them: its own copies, fetched if need be.

    Args:
        call: the request.
        sources: what the request names.
        project_id: whose copies they are.
        limit: the largest picture that is fetched, in bytes.

    Returns:
        Of each picture the job error that the project ends in, or None.

    Raises:
        Refusal: 422, a picture is not there; none is kept.
    """
    try:
        return [_keep(call, source, project_id, limit) for source in sources]
    except BaseException:
        discard(call, sources, project_id)
        raise


def discard(call: Call, sources: Sequence[Source], project_id: str) -> None:
    """Remove the pictures of a project that was not made after all."""
    for source in sources:
        remove_copy(call.world.files, project_id, source.name)


def _keep(call: Call, source: Source, project_id: str, limit: int) -> str | None:
    if source.kind == "upload":
        _keep_upload(call, source.name, project_id)
    if source.kind == "url" and call.world.settings.fetch_assets:
        return _keep_fetched(call, source.name, project_id, limit)
    return source.error


def _keep_upload(call: Call, name: str, project_id: str) -> None:
    try:
        call.world.files.link_upload(name, place_of(call.world.files, project_id, name))
    except FileNotFoundError:
        raise Refusal("unprocessable_entity", _NOT_UPLOADED.format(cut(name, _LONGEST_NAME))) from None


def _keep_fetched(call: Call, url: str, project_id: str, limit: int) -> str | None:
    files = call.world.files
    copy = place_of(files, project_id, url)
    with files.incoming(copy.suffix) as part:
        with call.world.gate.outside():  # a reset need not wait for somebody else's server
            error = _fetch(call, url, part, limit)
        if part.exists():  # not of one that was too large
            files.keep_source(part, copy)
        return error


def _fetch(call: Call, url: str, target: Path, limit: int) -> str | None:
    from ..outbound.fetching import fetch  # here: few mocks fetch any

    try:
        fetch(url, target, limit, _FETCH_SECONDS, call.targets)
    except TooLarge:
        return "file_too_large"
    except OutboundError as error:
        raise Refusal(
            "unprocessable_entity",
            f"The asset {cut(url, _LONGEST_NAME)} could not be fetched: {cut(str(error))}",
        ) from error
    return call.world.pictures.fault_of(target)


def _forced_error(call: Call, name: str) -> str | None:
    before, _, after = call.world.contract.extension("x-failing-asset", "").partition("{code}")
    match = (
        re.fullmatch(f"{re.escape(before)}([a-z_]+){re.escape(after)}\\.[a-z0-9]+", name) if before else None
    )
    if match and match[1] in call.world.contract.extension("x-job-errors", {}):
        return match[1]
    return None


def _is_in(call: Call, name: str, key: str) -> bool:
    """Tell whether a name begins as those do that the contract lists under a key."""
    prefixes: list[str] = call.world.contract.extension(key, [])
    return name.startswith(tuple(prefixes)) and name not in prefixes


def _is_found_face(call: Call, name: str) -> bool:
    """Tell whether a name is that of a face that a project of the caller has found."""
    project_id, file = (*name.split("/"), "", "")[1:3]
    project = call.world.store.project(project_id) if file else None
    return (
        project is not None
        and name == upload_path_of(project.id, file)
        and project.account_id == call.caller.id
        and status_at(project, call.now) == "complete"
        and file in call.world.pictures.names_of(project)
    )


def _usable(call: Call, upload: Upload | None, path: str) -> Upload:
    """Return an upload that can be used.

    Raises:
        Refusal: there is none, or it is gone, or somebody else's.
    """
    if upload is None or upload.account_id != call.caller.id:
        raise Refusal(
            "unprocessable_entity",
            "The asset was never issued: use the file_path of an upload URL of this account, "
            "or the URL of a file, starting with https://",
        )
    if upload.uploaded_at is None:
        raise Refusal("unprocessable_entity", _NOT_UPLOADED.format(cut(path, _LONGEST_NAME)))
    lifetime = call.world.lifetimes["upload"]
    if upload.uploaded_at + lifetime < call.now:
        days = lifetime / 86400
        raise Refusal(
            "unprocessable_entity",
            f"The asset {cut(path, _LONGEST_NAME)} is gone: uploads are deleted after {days:g} days",
        )
    return upload
