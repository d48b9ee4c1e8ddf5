"""Signed links that expire: whoever holds one may use it, for what it was made, and until then."""

from __future__ import annotations

import hashlib
import hmac
import re

from bluehour.openapi.errors import BluehourError

UPLOADS = "api-assets"
OUTPUTS = "outputs"

_OUTPUT_PATH = re.compile(f"/{OUTPUTS}/([^/]+)/([^/]+\\.[^/.]+)")


def upload_path(issued: str, kind: str, extension: str) -> str:
    """Return the `file_path` under which a file is uploaded and named; behind a slash, its link's path."""
    return f"{UPLOADS}/{issued}/{kind}.{extension}"


def upload_path_of(project_id: str, name: str) -> str:
    """Return the `file_path` by which other requests name a file that a project made."""
    return f"{UPLOADS}/{project_id}/{name}"


def kind_of(path: str) -> str:
    """Return the type of asset that a `file_path` was issued for."""
    return path.rpartition("/")[2].partition(".")[0]


def output_path(project_id: str, name: str) -> str:
    """Return the path of the link to a project's file; its last segment is what SDKs name the file."""
    return f"/{OUTPUTS}/{project_id}/{name}"


def is_link(path: str) -> bool:
    """Tell whether a request's path is one of these."""
    return path.startswith((f"/{UPLOADS}/", f"/{OUTPUTS}/"))


def transfer_at(path: str) -> tuple[str, tuple[str, ...]] | None:
    """Return what a link with this path is for, `upload` or `download`, and its methods; None for no link."""
    if path.startswith(f"/{UPLOADS}/") and len(path) > len(UPLOADS) + 2:
        return "upload", ("PUT",)
    return ("download", ("GET", "HEAD")) if output_in(path) else None


def output_in(path: str) -> tuple[str, str] | None:
    """Return the project, and the file of it, that a link's path leads to; None for any other path."""
    match = _OUTPUT_PATH.fullmatch(path)
    return (match[1], match[2]) if match else None


class LinkError(BluehourError):
    """A link that was changed or has expired; the message says which."""


class Links:
    """Signs paths, so that whoever has the link may use it, unchanged, until it expires."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, path: str, expires_at: float, **fields: int) -> str:
        """Return the path with its signed query; `fields` can't be changed by the holder either."""
        query = "&".join(f"{name}={value}" for name, value in {"expires": int(expires_at), **fields}.items())
        return f"{path}?{query}&signature={self._signature(path, query)}"

    def verify(self, path: str, query: str, now: float) -> dict[str, int]:
        """Return a link's signed fields, `expires` among them.

        Raises:
            LinkError: the path or the query is not as it was signed, or it has expired.
        """
        signed, _, signature = query.rpartition("&signature=")
        if not hmac.compare_digest(self._signature(path, signed).encode(), signature.encode()):
            raise LinkError("The signature of this URL is not valid")
        fields = {name: int(value) for name, _, value in (part.partition("=") for part in signed.split("&"))}
        if fields["expires"] < now:
            raise LinkError("URL expired")
        return fields

    def _signature(self, path: str, query: str) -> str:
        return hmac.new(
            self._key, f"{path}?{query}".encode(errors="surrogateescape"), hashlib.sha256
        ).hexdigest()
