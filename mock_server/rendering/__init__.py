"""Edited pictures: what a renderer is asked for, and what it may refuse with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to make.

    Attributes:
        project_type: the contract's `x-project-type`, such as `FACE_EDITOR`.
        request: the request body with the contract's defaults filled in.
        source: the uploaded picture; None where the request names a picture that is not at hand
            (a URL that was not fetched, a published example).
        longest_edge: the plan's cap for the longer side, in pixels.
    """

    project_type: str
    request: Mapping[str, Any]
    source: Path | None
    longest_edge: int


class RenderError(Exception):
    """The picture can't be made; the job ends in this error.

    Attributes:
        code: one of the contract's job error codes, such as `invalid_file_format`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Renderer(Protocol):
    """Makes an edited picture."""

    def render(self, job: Job) -> bytes:
        """Return the picture as an encoded file, PNG.

        Raises:
            RenderError: it can't be made; the project ends in that error.
        """
