"""Clients that tell what is not true, or what is nobody's business."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from tests.faulty_clients.careful import Answer, Client, Edited, EditFailed, Project
from tests.faulty_clients.entry import breaks


@breaks("result.credits")
class TellsWhatTheCreateHasCost(Client):
    """credits_charged is kept from the create's answer; a refund never reaches our ledger."""

    credits_charged: int | None = None

    def read_id(self, answer: Answer) -> str:
        self.credits_charged = self.read_object(answer).get("credits_charged")
        return super().read_id(answer)

    def told(self, project: Project, files: list[str]) -> Edited:
        return {"status": project.status, "files": files, "credits_charged": self.credits_charged}


@breaks("result.credits")
class KnowsThePrice(Client):
    """An edit costs one credit, says a constant; after an error it has cost nothing."""

    def told(self, project: Project, files: list[str]) -> Edited:
        return {"status": project.status, "files": files, "credits_charged": 1}


@breaks("result.true")
class TakesTheEndForSuccess(Client):
    """When polling stops, "complete" is returned, though it stops for an error and a cancellation, too."""

    def told(self, project: Project, files: list[str]) -> Edited:
        return {"status": "complete", "files": files, "credits_charged": project.credits_charged}


@breaks("result.true")
class SwallowsEveryError(Client):
    """`except EditFailed: log` at the end of the job, which is then marked as done."""

    def edit(self) -> Edited | None:
        try:
            return super().edit()
        except EditFailed:
            return None


@breaks("token.host")
class ShowsTheTokenToTheUploadHost(Client):
    """The PUT goes through the same helper as the API, with the Authorization header on it."""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        if method == "PUT":
            headers = headers | {"Authorization": f"Bearer {self.task.token}"}
        return super().send(method, link, headers, body)


@breaks("token.host")
class ShowsTheTokenToTheDownloadHost(Client):
    """Pictures are fetched with the API's headers: whoever serves the links gets the key."""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        return super().send(method, link, self.api_headers() if method == "GET" else headers, body)


@breaks("token.host")
class PutsTheTokenIntoTheLink(Client):
    """The token is appended to download links as ?api_key=, since a browser can't send headers."""

    def download(self, link: str, number: int) -> str:
        joint = "&" if urlsplit(link).query else "?"
        return super().download(f"{link}{joint}api_key={self.task.token}", number)


class _SessionThatKeepsAuthorization(requests.Session):
    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Leave the header as it is; requests would take it out for another host."""


@breaks("token.host")
class FollowsRedirectsWithTheToken(Client):
    """requests drops Authorization on redirects, so we overrode that: now any host gets the key."""

    def session(self) -> requests.Session:
        session = _SessionThatKeepsAuthorization()
        session.trust_env = False
        return session

    def follows_redirects(self) -> bool:
        return True


@breaks("token.host")
class SetsTheTokenOnTheSession(Client):
    """Authorization is set on the session once, and every request of the session carries it, links too."""

    def session(self) -> requests.Session:
        session = super().session()
        session.headers["Authorization"] = f"Bearer {self.task.token}"
        return session


@breaks("token.output")
class PrintsItsRequests(Client):
    """A debug line with the headers of every request was left in, and with it the key in every CI log."""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        print("DEBUG", method, headers)  # noqa: T201 - it is the bug
        return super().send(method, link, headers, body)


@breaks("token.output")
class TellsTheTokenInItsErrors(Client):
    """The message of an error ends in the curl command to try again, key included."""

    def safe(self, message: str) -> str:
        return f"{message}; try: curl -H 'Authorization: Bearer {self.task.token}' {self.task.url}"
