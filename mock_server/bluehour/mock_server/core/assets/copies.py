"""A project's own copies of the pictures that its request names: uploads go, projects stay."""

from __future__ import annotations

from hashlib import blake2s
from pathlib import Path
from posixpath import splitext
from urllib.parse import urlsplit

from .files import Files


def copy_of(files: Files, project_id: str, name: str) -> Path | None:
    """Return a project's own copy of the picture that its request names, or None where it has none."""
    path = place_of(files, project_id, name)
    return path if path.is_file() else None


def remove_copy(files: Files, project_id: str, name: str) -> None:
    """Remove a project's own copy of a picture; it need not be there."""
    files.remove_source(place_of(files, project_id, name))


def place_of(files: Files, project_id: str, name: str) -> Path:
    """Return where a copy is, or would be; a name without an extension is taken for a png."""
    digest = blake2s(name.encode(errors="replace"), digest_size=6).hexdigest()
    return files.source(project_id, digest, extension_of(name) or "png")


def extension_of(name: str) -> str:
    """Return the extension of a path, or of a URL's path; nothing where there is none."""
    try:
        path = urlsplit(name).path if "://" in name else name
    except ValueError:  # no URL at all, such as https://[
        return ""
    return splitext(path)[1][1:].lower()
