"""What projects make: what a renderer is asked for, and what it may refuse with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from bluehour.openapi.errors import BluehourError
from bluehour.openapi.outputs import Output, size_of


@dataclass(frozen=True, slots=True)
class Job:
    """One file to make.

    Attributes:
        project_type: the contract's `x-project-type`, such as `FACE_EDITOR`.
        request: the request body with the contract's defaults filled in.
        source: the uploaded picture; None where the request names a picture that is not at hand
            (a URL that was not fetched, a published example).
        longest_edge: the plan's cap for the longer side, in pixels.
        extension: of the file that is made, without its dot: `png` says PNG.
        output: what the contract says of the files that are made.
        number: which of the project's files it is, from 1 on.
        size: width and height in pixels, of a video whose project says them.
    """

    project_type: str
    request: Mapping[str, Any]
    source: Path | None
    longest_edge: int
    extension: str = "png"
    output: Output = field(default_factory=Output)
    number: int = 1
    size: tuple[int, int] | None = None

    @property
    def largest_edge(self) -> float:
        """Pixels that the picture's longer side can have at most."""
        if self.output.is_sized:
            return max(size_of(self.output, None, self.longest_edge))
        style = self.request.get("style")
        factor = style.get("upscale_factor") if isinstance(style, Mapping) else None
        return self.longest_edge * (factor if isinstance(factor, int | float) else 1)


class JobFailed(BluehourError):
    """The picture can't be made; the job ends in this error.

    Attributes:
        code: one of the contract's job error codes, such as `invalid_file_format`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RendererError(BluehourError):
    """A renderer can't be used; the message says why and what to do, in one line."""


class Renderer(Protocol):
    """Makes a file."""

    def render(self, job: Job, target: Path) -> None:
        """Write what is made to a file.

        Raises:
            JobFailed: it can't be made; the project ends in that error.
        """


Loaded = TypeVar("Loaded")
Edited = TypeVar("Edited")


class Stage(Protocol[Loaded, Edited]):
    """A renderer whose work takes its time, in three steps; each may be called from any thread.

    Many pictures share one call of `edit`, and while that keeps a device busy, others are read and written.
    """

    def edits(self, project_type: str) -> bool:
        """Tell whether it is what makes the pictures of a type of project; others are simulated."""

    def most_at_once(self, project_type: str) -> int:
        """Return how many pictures one `edit` makes the best of."""

    def described(self) -> str:
        """Return where and by what it edits, as `on cpu; photos by the pipeline in models/sd`."""

    def extension_for(self, source: Path | None) -> str:
        """Return the extension of the picture that is made of an upload, without its dot."""

    def load(self, job: Job) -> Loaded:
        """Read a job's picture.

        Raises:
            JobFailed: it can't be read.
            OSError: the file itself can't be opened.
        """

    def edit(self, loaded: Sequence[Loaded]) -> list[Edited | JobFailed]:
        """Edit pictures; of each what is made of it, or the error that its job ends in."""

    def encode(self, edited: Edited) -> bytes:
        """Return an edited picture as an encoded file."""

    def remark_on(self, project_type: str, request: Mapping[str, Any]) -> str | None:
        """Say what of a request can't be done here, or None."""
