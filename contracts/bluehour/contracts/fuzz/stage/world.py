"""What the stage remembers while a script is played: uploads, projects with their charges, and links."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ...statuses import OVER
from ..performance import Charge
from ..script import Script


@dataclass
class Upload:
    """A file that may be PUT at a link.

    Attributes:
        path: what a create names it by.
        content: what was PUT; None before.
    """

    path: str
    content: bytes | None = None


@dataclass
class Project:
    """An image project.

    Attributes:
        id: its id.
        type: that its operation gives it.
        price: credits.
        job: its statuses, as one poll after the other sees them.
        name: that the create gave it.
        created_at: as the contract writes times.
        polls: how many have seen it.
    """

    id: str
    type: str
    price: int
    job: tuple[str, ...]
    name: str | None
    created_at: str
    polls: int = 0

    def next_state(self) -> str:
        """Return the status that the next poll sees."""
        state = self.job[min(self.polls, len(self.job) - 1)]
        self.polls += 1
        return state

    @property
    def refunded(self) -> bool:
        """Whether its end gives the credits back."""
        return self.job[-1] in OVER and self.job[-1] != "complete"


@dataclass
class Link:
    """A signed link.

    Attributes:
        upload: that is PUT there.
        picture: that is read there.
        expired: whether somebody was told that it has expired.
    """

    upload: Upload | None = None
    picture: bytes | None = None
    expired: bool = False


@dataclass
class World:
    """Everything that there is for one client; nothing of the client before it."""

    script: Script
    uploads: dict[str, Upload] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    charges: list[Project] = field(default_factory=list)
    _names: int = 0

    def add_project(
        self, project_type: str, price: int, name: str | None, created_at: str, project_id: str | None
    ) -> Project:
        """Book a project; the first one has the script's job, others go well."""
        job = self.script.job if not self.charges else ("complete",)
        project = Project(project_id or self._new_id(), project_type, price, job, name, created_at)
        self.projects[project.id] = project
        self.charges.append(project)
        return project

    def add_link(self, link: Link, name: str) -> str:
        """Make a link that ends in a file name; returns its path and query."""
        target = f"/{self._new_id()}/{name}?signature={self._new_id()}"
        self.links[target] = link
        return target

    def add_upload(self, extension: str, path: str | None) -> Upload:
        """Make room for a file, under a path that is wanted or one that is new."""
        upload = Upload(path or f"api-assets/{self._new_id()}/image.{extension}")
        self.uploads[upload.path] = upload
        return upload

    def why_not(self, asset: str, example: str, library: tuple[str, ...]) -> str:
        """Tell why a create can't have an asset; nothing where it can."""
        if asset == example or asset.startswith(library) or urlsplit(asset).scheme in ("http", "https"):
            return ""
        if asset not in self.uploads:
            return f"{asset!r} is no file_path that was given"
        return "" if self.uploads[asset].content is not None else f"nothing was uploaded to {asset!r}"

    def charged(self) -> Iterator[Charge]:
        """Yield what was booked."""
        return (Charge(each.id, each.price, each.refunded) for each in self.charges)

    def _new_id(self) -> str:
        """An id as the vendor's are; the same in every performance of a script, so that answers are."""
        self._names += 1
        digest = hashlib.sha256(f"{self._names}".encode()).hexdigest()
        return f"c{int(digest, 16) % 36**23:024x}"[:25]
