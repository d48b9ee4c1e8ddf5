"""What the stage remembers while a script is played: uploads, projects with their charges, and links."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from bluehour.mock_server.core.assets.links import upload_path
from bluehour.openapi.contract import Contract

from ...statuses import OVER
from ..performance import Charge
from ..script import Script

_MEDIA = ("image", "video", "audio")


@dataclass
class Upload:
    """A file that may be PUT at a link.

    Attributes:
        path: what a create names it by.
        kind: the type of asset that it was asked for.
        extension: likewise, without the dot.
        content: what was PUT; None before.
    """

    path: str
    kind: str
    extension: str
    content: bytes | None = None


@dataclass
class Project:
    """What a create has made.

    Attributes:
        id: its id.
        kind: of project, such as `video`; of a resource of another contract, its path.
        price: credits that it costs unless it fails.
        job: its statuses, as one poll after the other sees them.
        polls: how many have seen it.
    """

    id: str
    kind: str
    price: int
    job: tuple[str, ...]
    polls: int = 0

    def next_state(self) -> str:
        """Return the status that the next poll sees."""
        state = self.job[min(self.polls, len(self.job) - 1)]
        self.polls += 1
        return state

    def go_on_to(self, state: str) -> None:
        """Have the next poll see it no less far than a status of its job."""
        if state in self.job:
            self.polls = max(self.polls, self.job.index(state))

    @property
    def refunded(self) -> bool:
        """Whether its end gives the credits back."""
        return self.job[-1] in OVER and self.job[-1] != "complete"


@dataclass
class Link:
    """A signed link.

    Attributes:
        upload: that is PUT there.
        file: that is read there.
        media_type: of the file.
        typed: whether it is signed for the Content-Type of its upload.
        expired: whether somebody was told that it has expired.
        project: whose file it is, by its id.
    """

    upload: Upload | None = None
    file: bytes | None = None
    media_type: str = ""
    typed: bool = False
    expired: bool = False
    project: str = ""

    def wrong_type(self, sent: str) -> str:
        """Tell what a PUT has in place of the type that it was signed for; nothing where it may have it.

        Types have several names, as audio/wav and audio/x-wav: any of a picture, a video or a sound will do.
        """
        if not self.typed or not sent or sent.partition("/")[0].lower() in _MEDIA:
            return ""
        return f"Content-Type {sent} is sent, and the link is signed for the file's own type, or none"


@dataclass
class World:
    """Everything that there is for one client; nothing of the client before it."""

    script: Script
    uploads: dict[str, Upload] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    charges: list[Project] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    """The paths of faces that the client was told of."""
    _names: int = 0

    def next_job(self) -> tuple[str, ...]:
        """Return how the next project's job goes: the first one has the script's, others go well."""
        return self.script.job if not self.charges else ("complete",)

    def add_project(self, project: Project) -> None:
        """Book a project."""
        self.projects[project.id] = project
        self.charges.append(project)

    def number_of(self, project_id: str) -> int:
        """Return the number of a project, from 0."""
        return [*self.projects].index(project_id)

    def add_link(self, link: Link, name: str) -> str:
        """Make a link that ends in a file name; returns its path and query."""
        signed = "X-Amz-SignedHeaders=content-type%3Bhost&" if link.typed else ""
        target = f"/{self.new_id()}/{name}?{signed}signature={self.new_id()}"
        self.links[target] = link
        return target

    def add_upload(self, kind: str, extension: str, path: str | None) -> Upload:
        """Make room for a file, under a path that is wanted or one that is new."""
        upload = Upload(path or upload_path(self.new_id(), kind, extension), kind, extension)
        self.uploads[upload.path] = upload
        return upload

    def why_not(self, asset: str, kinds: Collection[str], contract: Contract) -> str:
        """Tell why a create can't have an asset; nothing where it can.

        Args:
            asset: what the request names.
            kinds: the types of asset that the field takes.
            contract: says which names always work, and which extensions fit.
        """
        if asset in self.found or _always_works(asset, contract):
            return ""
        if (upload := self.uploads.get(asset)) is None:
            return f"{asset!r} is no file_path that was given"
        if upload.content is None:
            return f"nothing was uploaded to {asset!r}"
        return "" if fits(upload.extension, kinds, contract) else f"{asset!r} is no {' or '.join(kinds)}"

    def charged(self) -> Iterator[Charge]:
        """Yield what was booked."""
        return (Charge(each.id, each.price, each.refunded) for each in self.charges)

    def new_id(self, form: Any = None) -> str:
        """Return an id as the vendor's are; the same in every performance of a script, so that answers are.

        Args:
            form: `uuid` for one of those.
        """
        self._names += 1
        digest = hashlib.sha256(f"{self._names}".encode()).hexdigest()
        if form == "uuid":
            return f"{UUID(digest[:32], version=4)}"
        return f"c{int(digest, 16) % 36**23:024x}"[:25]


def fits(extension: str, kinds: Collection[str], contract: Contract) -> bool:
    """Tell whether a file's extension fits one of some types of asset."""
    known: Mapping[str, Collection[str]] = contract.extension("x-asset-extensions")
    return any(extension in known[kind] for kind in kinds)


def _always_works(asset: str, contract: Contract) -> bool:
    """Tell whether an asset is none that the stage would have to know."""
    prefixes = (*contract.extension("x-example-assets", ()), *contract.extension("x-asset-prefixes", ()))
    return asset.startswith(prefixes) or urlsplit(asset).scheme in ("http", "https")
