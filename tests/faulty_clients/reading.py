"""Clients that can't read an answer which is as legal as the one that they were written with."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bluehour.contracts.fuzz.strategies import Profile
from tests.faulty_clients.careful import Answer, Client, EditFailed, Project
from tests.faulty_clients.entry import breaks


class UnexpectedAnswer(EditFailed):
    """A strict client's own error."""


@breaks("error.legal")
class NeedsAName(Client):
    """`project["name"].strip()` for the log: the name of a project can be null."""

    def read_project(self, answer: Answer) -> Project:
        json.loads(answer.body)["name"].strip()
        return super().read_project(answer)


class _Status(StrEnum):
    DRAFT = "draft"
    QUEUED = "queued"
    RENDERING = "rendering"
    COMPLETE = "complete"
    ERROR = "error"
    CANCELED = "canceled"


@breaks("error.fault")
class KnowsAllStatuses(Client):
    """`Status(project["status"])`: a status that was added since is a ValueError."""

    def read_project(self, answer: Answer) -> Project:
        project = super().read_project(answer)
        _Status(project.status)
        return project


@breaks("legal.accepted")
class RefusesUnknownFields(Client):
    """Our model forbids extra fields, so the client broke on the day the API got a new one."""

    def read_project(self, answer: Answer) -> Project:
        fields = {"id", "name", "status", "image_count", "type", "created_at", "enabled", "total_frame_cost"}
        unknown = set(self.read_object(answer)) - fields - {"credits_charged", "downloads", "error"}
        if unknown:
            raise UnexpectedAnswer(f"unknown fields: {len(unknown)}")
        return super().read_project(answer)


@dataclass
class _Created:
    id: str
    frame_cost: int
    credits_charged: int


@breaks("error.legal")
class UnpacksIntoADataclass(Client):
    """`Created(**answer)`: one more field in the create's answer is a TypeError."""

    def read_id(self, answer: Answer) -> str:
        return _Created(**self.read_object(answer)).id


@breaks("error.legal")
class TakesTheFirstOfNone(Client):
    """`downloads[0]` is taken without looking; a complete project may have no pictures."""

    def download_all(self, project_id: str, project: Project) -> list[str]:
        _ = project.links[0]
        return super().download_all(project_id, project)


@breaks("error.legal")
class CountsOnImageCount(Client):
    """It goes through downloads by image_count, which does not say how many links there are."""

    image_count = 0

    def read_project(self, answer: Answer) -> Project:
        self.image_count = self.read_object(answer).get("image_count", 1)
        return super().read_project(answer)

    def download_all(self, project_id: str, project: Project) -> list[str]:
        wanted = [project.links[number] for number in range(self.image_count)]
        return super().download_all(project_id, Project(project.status, wanted, project.credits_charged))


@breaks("error.legal")
class ShowsProgressByStatus(Client):
    """The progress bar looks the status up in a table that has no draft."""

    def is_over(self, project: Project) -> bool:
        done = {"queued": 0, "rendering": 50, "complete": 100, "error": 100, "canceled": 100}
        return done[project.status] == 100


@breaks("error.legal", Profile.HOSTILE)
class PacksNumbersInto32Bits(Client):
    """image_count is written to our cache as a 32-bit integer; a larger one is a struct.error."""

    def read_project(self, answer: Answer) -> Project:
        struct.pack("<i", self.read_object(answer)["image_count"])
        return super().read_project(answer)


@breaks("error.legal")
class KnowsOneFormOfDates(Client):
    """created_at is read with strptime and fixed milliseconds; without a fraction it is a ValueError."""

    def read_project(self, answer: Answer) -> Project:
        datetime.strptime(self.read_object(answer)["created_at"], "%Y-%m-%dT%H:%M:%S.%f%z")
        return super().read_project(answer)


@breaks("error.legal")
class NeedsAContentLength(Client):
    """`int(headers["Content-Length"])` for the progress bar: a chunked answer has none."""

    def read_picture(self, answer: Answer) -> bytes:
        return super().read_picture(answer)[: int(answer.headers["Content-Length"])]


@breaks("error.legal")
class FindsHeadersInOneCaseOnly(Client):
    """Headers are copied into a plain dict, where Content-Type and content-type are two things."""

    def read_object(self, answer: Answer) -> dict[str, Any]:
        headers = dict(answer.headers.items())
        if "json" not in headers["Content-Type"].lower():
            raise self.unreadable(answer, "no JSON")
        return super().read_object(answer)


@breaks("legal.accepted")
class ComparesTheWholeContentType(Client):
    """`content_type == "application/json"` refuses `application/json; charset=utf-8`."""

    def read_object(self, answer: Answer) -> dict[str, Any]:
        if answer.headers.get("Content-Type") != "application/json":
            raise UnexpectedAnswer("the answer is no JSON")
        return super().read_object(answer)


@breaks("error.legal")
class DecodesAsAscii(Client):
    """Answers are decoded as ASCII; a name with an umlaut is a UnicodeDecodeError."""

    def read_object(self, answer: Answer) -> dict[str, Any]:
        answer.body.decode("ascii")
        return super().read_object(answer)


@breaks("request.given", Profile.HOSTILE)
class DecodesAsLatin1(Client):
    """Answers are decoded as Latin-1, so an id with an umlaut comes back as two other characters."""

    def parsed(self, answer: Answer) -> Any:
        return super().parsed(Answer(answer.status, answer.headers, answer.body.decode("latin-1").encode()))


@breaks("error.legal")
class SearchesTheBodyForTheId(Client):
    """The id is cut out by a regular expression that knows no blank after the colon."""

    def read_id(self, answer: Answer) -> str:
        found = re.search(rb'"id":"([^"]*)"', answer.body)
        return found.group(1).decode()  # type: ignore[union-attr]


@breaks("request.given", Profile.HOSTILE)
class KeepsEscapesInTheId(Client):
    """The id is cut out by a regular expression, and whatever JSON escapes in it stays escaped."""

    def read_id(self, answer: Answer) -> str:
        found = re.search(rb'"id"\s*:\s*"([^"]*)"', answer.body)
        return found.group(1).decode() if found else super().read_id(answer)
