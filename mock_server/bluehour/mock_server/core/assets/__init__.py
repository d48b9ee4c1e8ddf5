"""What goes in and what comes out: uploads, the pictures that requests name, links, and the bytes on disk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upload:
    """A file path that was issued, and what has been put there.

    Attributes:
        path: the `file_path` of the answer, such as `api-assets/<id>/image.png`.
        account_id: whose it is.
        issued_at: seconds since the epoch.
        uploaded_at: None until the bytes came; a second PUT replaces them.
        error: the job error that a create from this file ends in (`invalid_file_format`), or None.
    """

    path: str
    account_id: str
    issued_at: float
    uploaded_at: float | None = None
    error: str | None = None
