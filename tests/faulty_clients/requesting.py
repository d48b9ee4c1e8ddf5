"""Clients that send what the contract does not allow, or what they were never given."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from bluehour.contracts.fuzz.strategies import Profile
from tests.faulty_clients.careful import Answer, Client
from tests.faulty_clients.entry import breaks


@breaks("request.legal")
class SendsAFraction(Client):
    """The smile is sent as 0.6: our slider goes from 0 to 1, the API's from -100 to 100 in fives."""

    def edit_body(self, file_path: str) -> dict[str, Any]:
        return {"assets": {"image_file_path": file_path}, "style": {"mouth_smile": 0.6}}


@breaks("request.legal")
class SendsANullName(Client):
    """Whoever leaves the name empty gets a 400, because we send null for it instead of nothing."""

    def edit_body(self, file_path: str) -> dict[str, Any]:
        return {"name": None, **super().edit_body(file_path)}


@breaks("request.legal")
class PollsWithoutAuthorization(Client):
    """The helper for GET forgets the Authorization header; only our mock never asked for it."""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        return super().send(method, link, {} if method == "GET" else headers, body)


@breaks("request.given", Profile.HOSTILE)
class PutsTheIdIntoThePath(Client):
    """The id is pasted into the URL as it is, which breaks for an id with a slash or a question mark."""

    def project_path(self, project_id: str) -> str:
        return f"/v1/image-projects/{project_id}"


@breaks("request.given", Profile.HOSTILE)
class LeavesSlashesInTheId(Client):
    """The id goes through quote(), which leaves slashes alone unless it is told otherwise."""

    def project_path(self, project_id: str) -> str:
        return f"/v1/image-projects/{quote(project_id)}"


@breaks("request.given", Profile.HOSTILE)
class EncodesTheIdTwice(Client):
    """The id is percent-encoded by us and once more by the URL builder: %20 becomes %2520."""

    def project_path(self, project_id: str) -> str:
        return f"/v1/image-projects/{quote(quote(project_id, safe=''), safe='')}"


@breaks("request.given")
class CutsTheId(Client):
    """The id is kept in a column of 64 characters; of longer ones the rest is lost."""

    def read_id(self, answer: Answer) -> str:
        return super().read_id(answer)[:64]


@breaks("request.given")
class MakesThePathFromTheLink(Client):
    """The file path is cut out of the upload link's path instead of taken from file_path."""

    def read_upload(self, answer: Answer) -> tuple[str, str]:
        link, _ = super().read_upload(answer)
        return link, urlsplit(link).path.lstrip("/")
