"""A client that keeps every rule, whatever it is answered. The faulty ones override one of its methods.

It is written to be read and to be broken: whoever writes a client for real needs about this much.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TypedDict, TypeVar
from urllib.parse import quote, unquote, urlsplit

import requests
import urllib3

TRIES = 4
BACKOFF = (2.5, 5.0, 10.0)
BETWEEN_POLLS = 2.5
"""The vendor advises 2 to 3 seconds for images."""
LONGEST_WAIT = 60.0
LONGEST_EDIT = 300.0

Result = TypeVar("Result")

_TOO_LATE = (requests.Timeout, urllib3.exceptions.TimeoutError)
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)
"""What requests lets out, its own and others'."""


class Task(Protocol):
    """One edit that is asked for; see the worker's own `Task`."""

    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def photo(self) -> str: ...
    @property
    def out(self) -> str: ...
    @property
    def patience(self) -> float: ...


class Edited(TypedDict):
    """How an edit ended."""

    status: str
    files: list[str]
    credits_charged: int | None


@dataclass(frozen=True)
class Answer:
    """A whole answer; names of headers may be looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Project:
    """What is needed of an image project."""

    status: str
    links: list[str]
    credits_charged: int | None


class EditFailed(Exception):
    """There will be no picture, and the message says why. It never has the token in it."""


class Refused(EditFailed):
    """What was asked for is refused, and would be the next time."""


class Gone(Refused):
    """A link has expired, or leads to nothing."""


class TooLate(EditFailed):
    """It takes longer than anybody waits."""


class Trouble(EditFailed):
    """It may go better the next time; whether it may be asked for again is another question.

    Attributes:
        kind: `status` for an answer of 429 or 5xx.
        answer: if there was a whole one.
    """

    def __init__(
        self,
        message: str,
        kind: Literal["timeout", "connection", "cut", "unreadable", "status"],
        answer: Answer | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.answer = answer

    @property
    def status(self) -> int:
        """The answer's; 0 where there is none."""
        return self.answer.status if self.answer else 0


class Client:
    """Makes one edit.

    Args:
        task: which one.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.ends_at = time.monotonic() + LONGEST_EDIT

    def edit(self) -> Edited | None:
        """Upload, create, wait, download.

        Raises:
            EditFailed: it came to nothing.
        """
        file_path = self.upload()
        project_id = self.create(file_path)
        project = self.follow(project_id)
        files = self.download_all(project_id, project) if project.status == "complete" else []
        return self.told(project, files)

    def told(self, project: Project, files: list[str]) -> Edited:
        return {"status": project.status, "files": files, "credits_charged": project.credits_charged}

    # The upload.

    def upload(self) -> str:
        """Return the path by which the API knows the photo."""
        photo = self.photo()
        link, file_path = self.upload_link()
        try:
            self.put(link, photo)
        except Gone:
            link, file_path = self.upload_link()
            self.put(link, photo)
        return file_path

    def photo(self) -> bytes:
        return Path(self.task.photo).read_bytes()

    def upload_link(self) -> tuple[str, str]:
        extension = Path(self.task.photo).suffix.lstrip(".").lower() or "jpg"
        wanted = {"items": [{"type": "image", "extension": extension}]}
        return self.repeated(lambda: self.read_upload(self.call("POST", "/v1/files/upload-urls", wanted)))

    def put(self, link: str, photo: bytes) -> None:
        self.repeated(lambda: self.stored(self.checked(self.send("PUT", link, self.link_headers(), photo))))

    def stored(self, answer: Answer) -> None:
        """Look at the answer to a PUT that succeeded: any 2xx is as good."""

    # The create.

    def create(self, file_path: str) -> str:
        """Return the project's id."""
        body = self.edit_body(file_path)
        return self.repeated(
            lambda: self.read_id(self.call("POST", "/v1/ai-face-editor", body)), self.may_create_again
        )

    def edit_body(self, file_path: str) -> dict[str, Any]:
        return {"assets": {"image_file_path": file_path}, "style": {"mouth_smile": 60}}

    def may_create_again(self, trouble: Trouble) -> bool:
        """A create may have been paid for, whatever came back; only these two say that it was not."""
        return trouble.status in (429, 503)

    # The project.

    def follow(self, project_id: str) -> Project:
        """Poll until the project is over."""
        while True:
            project = self.poll(project_id)
            if self.is_over(project):
                return project
            self.wait_between_polls()

    def is_over(self, project: Project) -> bool:
        return project.status in ("complete", "error", "canceled")

    def wait_between_polls(self) -> None:
        self.wait(BETWEEN_POLLS)

    def poll(self, project_id: str, tries: int = TRIES) -> Project:
        return self.repeated(
            lambda: self.read_project(self.call("GET", self.project_path(project_id))), tries=tries
        )

    def project_path(self, project_id: str) -> str:
        """An id is any string: with a slash, a question mark or a line break in it, too."""
        return f"/v1/image-projects/{quote(project_id, safe='', errors='surrogatepass')}"

    # The pictures.

    def download_all(self, project_id: str, project: Project) -> list[str]:
        """Return the paths of all pictures. Where a link has expired, fresh ones are asked for, once."""
        links, files = project.links, list[str]()
        has_asked = False
        while len(files) < len(links):
            number = len(files)
            try:
                files.append(self.download(links[number], number))
            except Gone:
                fresh = [] if has_asked else self.fresh_links(project_id)
                if len(fresh) != len(links) or fresh[number] == links[number]:
                    raise
                has_asked, links = True, fresh
        return files

    def fresh_links(self, project_id: str) -> list[str]:
        self.wait_between_polls()
        return self.poll(project_id, tries=2).links

    def download(self, link: str, number: int) -> str:
        """Save a picture under a name of its own, once it is whole."""
        picture = self.repeated(
            lambda: self.read_picture(self.checked(self.send("GET", link, self.link_headers())))
        )
        path = Path(self.task.out, self.picture_name(link, number))
        path.write_bytes(picture)
        return str(path)

    def picture_name(self, link: str, number: int) -> str:
        """Two links may end in one name, and a name may be anything, `../../.profile` too."""
        name = unquote(urlsplit(link).path).rpartition("/")[2]
        harmless = re.sub(r"[^A-Za-z0-9.-]+", "_", name)[-60:]
        return f"{number + 1:02}_{harmless or 'picture'}"

    # Requests.

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the API, and return an answer that is a success."""
        headers = self.api_headers()
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        return self.checked(self.send(method, self.task.url + path, headers, content))

    def api_headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.task.token}",
            "Accept": "application/json",
        }

    def link_headers(self) -> dict[str, str]:
        """A link is signed: its host is none of ours to trust, and does not need the token."""
        return {}

    def session(self) -> requests.Session:
        """A connection for each request: one that died idle can't be told from a create that failed."""
        session = requests.Session()
        session.trust_env = False
        return session

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Send a request, and return what is answered, whole.

        Raises:
            Trouble: nothing is, or a part.
        """
        with self.session() as session:
            try:
                response = self.sent(session, method, link, headers, body)
            except _TOO_LATE as error:
                raise self.trouble(f"{method} was not answered in time", "timeout") from error
            except _FAILURES as error:
                raise self.trouble(f"{method} failed: {type(error).__name__}", "connection") from error
            try:
                return Answer(response.status_code, response.headers, self.whole(response))
            except _TOO_LATE as error:
                raise self.trouble(f"{method}: half of an answer came in time", "timeout") from error
            except _FAILURES as error:
                raise self.trouble(f"{method}: the answer was cut", "cut") from error

    def sent(
        self, session: requests.Session, method: str, link: str, headers: dict[str, str], body: bytes | None
    ) -> requests.Response:
        request = session.prepare_request(requests.Request(method, link, headers, data=body))
        request.url = link  # as given: requests would unquote some of its characters
        return session.send(
            request, timeout=self.task.patience, allow_redirects=self.follows_redirects(), stream=True
        )

    def follows_redirects(self) -> bool:
        """No operation has any, and where they lead is not the host that was asked."""
        return False

    def whole(self, response: requests.Response) -> bytes:
        """Read a body. urllib3 holds it to its Content-Length and its chunks, but not to any time."""
        began = time.monotonic()
        body = bytearray()
        while part := response.raw.read1(2**16, decode_content=True):
            body += part
            if time.monotonic() - began > 10 * self.task.patience:
                raise requests.Timeout("it only trickles")
        return bytes(body)

    def checked(self, answer: Answer) -> Answer:
        """Return an answer that is a success.

        Raises:
            Trouble: it may be one the next time.
            Refused: it never will.
        """
        if 200 <= answer.status < 300:
            return answer
        message = f"answered {answer.status}: {self.explained(answer)}"
        if answer.status == 429 or answer.status >= 500:
            raise self.trouble(message, "status", answer)
        if answer.status in (403, 404):
            raise Gone(self.safe(message))
        raise Refused(self.safe(message))

    def trouble(
        self,
        message: str,
        kind: Literal["timeout", "connection", "cut", "unreadable", "status"],
        answer: Answer | None = None,
    ) -> Trouble:
        return Trouble(self.safe(message), kind, answer)

    def explained(self, answer: Answer) -> str:
        """What an error's body says, where it says something: a proxy's page does not."""
        try:
            body = self.parsed(answer)
        except Trouble:
            return "no reason given"
        message = body.get("message") if isinstance(body, dict) else None
        return message[:300] if isinstance(message, str) else "no reason given"

    def safe(self, message: str) -> str:
        """A server may repeat the token, and what it writes may not be printable."""
        return ascii(message.replace(self.task.token, "[token]"))[1:-1]

    # Waiting.

    def repeated(
        self,
        attempt: Callable[[], Result],
        may_repeat: Callable[[Trouble], bool] = lambda _: True,
        tries: int = TRIES,
    ) -> Result:
        """Try several times."""
        for number in range(tries - 1):
            try:
                return attempt()
            except Trouble as trouble:
                if not may_repeat(trouble):
                    raise
                pause = self.pause(trouble, number)
                if pause > LONGEST_WAIT:
                    raise TooLate(f"{trouble}; it may be asked again in {pause:.0f} s only") from trouble
                self.wait(pause)
        return attempt()

    def pause(self, trouble: Trouble, number: int) -> float:
        """Seconds before what has failed `number` + 1 times is tried again."""
        asked_for = self.retry_after(trouble.answer.headers) if trouble.answer else None
        return max(asked_for or 0.0, BACKOFF[min(number, len(BACKOFF) - 1)])

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds, as Retry-After tells them or the date; None where it tells neither."""
        told = headers.get("Retry-After", "").strip()
        if re.fullmatch("[0-9]{1,15}", told):
            return float(told)
        with suppress(ValueError, TypeError, OverflowError):
            date = parsedate_to_datetime(told)
            at = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
            return at + 1 - time.time()  # a date has no fractions of a second
        return None

    def wait(self, seconds: float) -> None:
        if time.monotonic() + seconds > self.ends_at:
            raise TooLate(f"the edit is not done after {LONGEST_EDIT:.0f} s")
        time.sleep(seconds)

    # Answers. Their Content-Type is not asked: JSON that can be read is worth more than its label.

    def parsed(self, answer: Answer) -> Any:
        """Read JSON.

        Raises:
            Trouble: it is none.
        """
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise self.unreadable(answer, "no JSON") from error

    def read_object(self, answer: Answer) -> dict[str, Any]:
        body = self.parsed(answer)
        if not isinstance(body, dict):
            raise self.unreadable(answer, "no JSON object")
        return body

    def read_upload(self, answer: Answer) -> tuple[str, str]:
        match self.read_object(answer):
            case {"items": [{"upload_url": str(link), "file_path": str(file_path)}]}:
                return link, file_path
        raise self.unreadable(answer, "it lacks the link")

    def read_id(self, answer: Answer) -> str:
        match self.read_object(answer):
            case {"id": str(project_id)} if project_id:
                return project_id
        raise self.unreadable(answer, "it lacks the id")

    def read_project(self, answer: Answer) -> Project:
        match self.read_object(answer):
            case {"status": str(status), "downloads": [*downloads]} as project:
                links = [link for download in downloads for link in _link(download)]
                if len(links) == len(downloads):
                    return Project(status, links, _integer(project.get("credits_charged")))
        raise self.unreadable(answer, "it lacks the status or the downloads")

    def read_picture(self, answer: Answer) -> bytes:
        kind = answer.headers.get("Content-Type", "").strip().lower()
        if not answer.body or kind.startswith(("text/", "application/json")):
            raise self.unreadable(answer, "no picture")
        return answer.body

    def unreadable(self, answer: Answer, why: str) -> Trouble:
        return self.trouble(f"answered {answer.status} with what can't be used: {why}", "unreadable", answer)


def _link(download: Any) -> list[str]:
    match download:
        case {"url": str(link)}:
            return [link]
    return []


def _integer(value: Any) -> int | None:
    """A number is an integer to JSON Schema where it is written as 1.0, too."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def edit(task: Task) -> Edited | None:
    """Make one edit."""
    return Client(task).edit()
