"""Clients that lose or spoil pictures."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
import urllib3

from tests.faulty_clients.careful import Answer, Client, Gone, Project, Trouble
from tests.faulty_clients.entry import breaks


@breaks("download.intact")
class SavesWhatHasCome(Client):
    """A download that breaks off is saved as far as it came, as if it were whole."""

    def whole(self, response: requests.Response) -> bytes:
        body = bytearray()
        try:
            while part := response.raw.read1(2**16):
                body += part
        except urllib3.exceptions.HTTPError:
            if not body or "json" in response.headers.get("Content-Type", ""):
                raise
        return bytes(body)


@breaks("download.intact")
class SavesTheDownloadAsText(Client):
    """Pictures are written as text, so that every line break in them becomes another on the way."""

    def read_picture(self, answer: Answer) -> bytes:
        return super().read_picture(answer).replace(b"\n", b"\r\n")


@breaks("download.kept")
class NamesFilesAsTheLinkDoes(Client):
    """Files are named as their links end: two links that end in output.png leave one file."""

    def picture_name(self, link: str, number: int) -> str:
        return unquote(urlsplit(link).path.rpartition("/")[2])


@breaks("download.kept")
class NamesAllFilesAlike(Client):
    """Every picture is saved as output.png, since there was only ever one."""

    def picture_name(self, link: str, number: int) -> str:
        return "output.png"


@breaks("download.kept")
class CleansUpBeforeEachDownload(Client):
    """The folder is emptied before every download, not before the first one only."""

    def download(self, link: str, number: int) -> str:
        for left in Path(self.task.out).iterdir():
            left.unlink()
        return super().download(link, number)


@breaks("link.expired")
class TriesAnExpiredLinkAgain(Client):
    """A download that is answered 403 is tried again with the same link, which has expired for good."""

    def download(self, link: str, number: int) -> str:
        for _ in range(2):
            try:
                return super().download(link, number)
            except Gone:
                self.wait(2.5)
        return super().download(link, number)


@breaks("link.expired")
class KeepsLinksOfTheFirstRead(Client):
    """Fresh links are asked for when one has expired, and then the old ones are used again."""

    def download_all(self, project_id: str, project: Project) -> list[str]:
        files = []
        for number, link in enumerate(project.links):
            try:
                files.append(self.download(link, number))
            except Gone:
                self.fresh_links(project_id)
                files.append(self.download(link, number))
        return files


@breaks("result.true")
class SkipsWhatItCannotDownload(Client):
    """A picture that can't be downloaded is logged and left out, and the edit is a success all the same."""

    def download_all(self, project_id: str, project: Project) -> list[str]:
        files = []
        for number, link in enumerate(project.links):
            try:
                files.append(self.download(link, number))
            except (Trouble, Gone):
                continue
        return files


@breaks("result.true")
class SavesWhateverIsAnswered(Client):
    """The status of a download is not looked at: the 403 of an expired link is saved as output.png."""

    def download(self, link: str, number: int) -> str:
        answer = self.repeated(lambda: self.send("GET", link, self.link_headers()))
        path = Path(self.task.out, self.picture_name(link, number))
        path.write_bytes(answer.body)
        return str(path)
